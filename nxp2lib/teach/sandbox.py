"""Execute a returned notebook where it can reach nothing: isolation is the operating system's.

Each notebook runs in a sandbox of its own: Bubblewrap's namespaces, or a container where the user names an engine. In
there are Python, the package and its data, read-only, and an empty folder in memory; no network, no other process,
nothing of the class, of the home folder or of the environment. Inputs go in by standard input, answers come back by
standard output: one JSON object each. Whoever answers in a notebook's name can say whatever he likes, and the key is
not on that side.
"""

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from nxp2lib import paths
from nxp2lib.teach.trainees import TeachError

DIED = "its process ended before the notebook did"
NO_ANSWER = "it sent something that is no answer"
UNREADABLE = "it cannot be read"
FILES = ("cohort.csv", "answers.json")  # of a trainee's folder, beside the notebook
LARGEST = 20 << 20  # bytes of a notebook, and of what it may say
SPACE = 256 << 20  # bytes of the folder in memory
INSIDE, FOLDER = "nxp2lib.teach.inside", "/trainee"
HOMES = ("HOME", "MPLCONFIGDIR", "NXP2_OUTPUT_ROOT")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", "/etc/fonts", "/etc/alternatives")


class Returned(NamedTuple):
    """What a notebook answered, by exercise; cells that failed; and why it ended early, if it did."""

    answers: dict
    errors: dict
    ended: str


def command(container: str = "", unprotected: bool = False) -> list[str]:
    """Return the command that starts the isolated Python: Bubblewrap's, or a container engine's (``ENGINE IMAGE``).

    Raises TeachError where neither is there, unless ``unprotected``: then notebooks run as you do, and can read, change
    and delete whatever you can.
    """
    if container:
        engine, _, image = container.partition(" ")
        if not image or not shutil.which(engine):
            raise TeachError(f"--container {container}: accepted is an engine and an image, such as 'podman nxp2'")
        return [engine, "run", "--rm", "--interactive", "--network=none", "--read-only", "--cap-drop=ALL",
                "--security-opt=no-new-privileges", "--pids-limit=256", f"--tmpfs={FOLDER}:size={SPACE}",
                f"--workdir={FOLDER}", *(f"--env={name}={FOLDER}" for name in HOMES),
                image, "python", "-m", INSIDE]  # fmt: skip
    if shutil.which("bwrap") and not unprotected:
        return _bubblewrap()
    if unprotected:
        return [sys.executable, "-m", INSIDE]
    raise TeachError(
        "no Bubblewrap here, so a returned notebook could read the key and do whatever you can; install it (on Debian "
        "and Ubuntu: apt install bubblewrap), name a container engine with --container, or, if you trust every "
        "trainee, give --unprotected"
    )


def _bubblewrap() -> list[str]:
    places = [*SYSTEM, sys.prefix, sys.base_prefix, str(paths.PACKAGE), str(paths.DATA), str(paths.NOTEBOOKS)]
    shown = [word for place in dict.fromkeys(places) for word in ("--ro-bind-try", place, place)]
    environment = {"PATH": "/usr/bin:/bin", **dict.fromkeys(HOMES, FOLDER),
                   "PYTHONPATH": str(paths.ROOT), "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1",
                   "LANG": "C.UTF-8"}  # fmt: skip
    told = [word for name, value in environment.items() for word in ("--setenv", name, value)]
    return ["bwrap", "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--die-with-parent",
            "--new-session", "--cap-drop", "ALL", "--clearenv", *told, "--size", str(SPACE), "--tmpfs", "/tmp",
            *shown, "--proc", "/proc", "--dev", "/dev", "--size", str(SPACE), "--tmpfs", FOLDER,
            "--remount-ro", "/", "--chdir", FOLDER, sys.executable, "-m", INSIDE]  # fmt: skip


def execute(
    notebooks: list[Path], jobs: int, seconds: float, megabytes: int, start: list[str]
) -> Iterator[tuple[Path, Returned]]:
    """Execute notebooks, each with the ``FILES`` of its folder, and yield ``(notebook, Returned)`` as they end.

    ``jobs`` run at a time, each for at most so many seconds and so much memory; ``start`` comes from `command`.
    Whatever one of them does costs itself alone.
    """
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(_one, notebook, seconds, megabytes, start): notebook for notebook in notebooks}
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        finally:
            for unfinished in waiting:
                unfinished.cancel()


def _one(notebook: Path, seconds: float, megabytes: int, start: list[str]) -> Returned:
    try:
        files = {name: _text(notebook.with_name(name)) for name in FILES}
        asked = {"notebook": _text(notebook), "files": files, "seconds": seconds, "megabytes": megabytes}
    except (OSError, ValueError) as error:
        return Returned({}, {}, f"{UNREADABLE} ({getattr(error, 'strerror', None) or error})")
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said, tempfile.TemporaryDirectory() as folder:
        given.write(json.dumps(asked).encode())
        given.seek(0)
        own = {"PATH": os.defpath, **dict.fromkeys(HOMES, folder)}
        process = subprocess.Popen(
            start, stdin=given, stdout=said, stderr=subprocess.DEVNULL, cwd=folder, env=own, start_new_session=True
        )
        late = False
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            late = True
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(0)
        heard = said.read(LARGEST)
    if not heard:
        return Returned({}, {}, f"stopped after {seconds:g} seconds" if late else DIED)
    return _heard(heard)


def _text(path: Path) -> str:
    """Return a file's text; raise OSError for a link, a folder, a pipe, a file too large, ValueError for no text."""
    place = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(place, "rb") as file:
        if not stat.S_ISREG(os.fstat(place).st_mode):
            raise OSError(f"{path.name} is no file")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(f"{path.name} has more than {LARGEST >> 20} MB")
    return content.decode()


def _heard(said: bytes) -> Returned:
    """Return what a process said, where it has the form of answers; a notebook may have written something else."""
    try:
        heard = Returned(**json.loads(said))
    except (ValueError, TypeError, RecursionError):
        return Returned({}, {}, NO_ANSWER)
    shaped = isinstance(heard.answers, dict) and isinstance(heard.errors, dict) and isinstance(heard.ended, str)
    return heard if shaped else Returned({}, {}, NO_ANSWER)
