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
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import IO, NamedTuple
from uuid import uuid4

from nxp2lib import paths

DIED, BROKEN = "its process ended before the notebook did", "it is not a notebook"
NO_ANSWER = "it sent something that is no answer"
UNREADABLE = "it cannot be read"
FILES = ("cohort.csv", "answers.json")  # of a trainee's folder, beside the notebook
LARGEST = 20 << 20  # bytes of a notebook, and of what it may say
SPACE = 256 << 20  # bytes of the folder in memory
PROCESSES = 256
TELL, NAME = "TELL", "NAME"  # stand in a command for what each sandbox has of its own
TOLD = 200  # characters of an answer or an error that are kept
INSIDE, FOLDER = "nxp2lib.teach.inside", "/trainee"
HOMES = ("HOME", "MPLCONFIGDIR", "NXP2_OUTPUT_ROOT")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", "/etc/fonts", "/etc/alternatives")


class TeachError(ValueError):
    """A class that cannot be made or graded, said in one sentence."""


class Returned(NamedTuple):
    """What a notebook answered, by exercise; cells that failed; and why it ended early, if it did."""

    answers: dict
    errors: dict
    ended: str


def command(container: str = "", unprotected: bool = False, megabytes: int = 8192) -> list[str]:
    """Return the command that starts the isolated Python: Bubblewrap's, or a container engine's (``ENGINE IMAGE``).

    Raises TeachError where neither is there, or does not work, unless ``unprotected``: then notebooks run as you do,
    and can read, change and delete whatever you can.
    """
    if container:
        engine, _, image = container.partition(" ")
        if not image or not shutil.which(engine):
            raise TeachError(f"--container {container}: accepted is an engine and an image, such as 'podman nxp2'")
        return [str(shutil.which(engine)), "run", "--name", NAME, "--rm", "--interactive", "--network=none",
                "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", f"--pids-limit={PROCESSES}",
                f"--memory={megabytes}m", f"--tmpfs={FOLDER}:size={SPACE}", f"--workdir={FOLDER}",
                *(f"--env={name}={FOLDER}" for name in HOMES), image, "python", "-m", INSIDE]  # fmt: skip
    if unprotected:
        return [sys.executable, "-m", INSIDE]
    reason = "no Bubblewrap here"
    if bubblewrap := shutil.which("bwrap"):
        isolated = _isolated()
        probe = [bubblewrap, *isolated, "-c", "import nxp2lib"]
        tried = subprocess.run(probe, capture_output=True, text=True, check=False)
        if not tried.returncode:
            return [bubblewrap, "--info-fd", TELL, *isolated, "-m", INSIDE]
        reason = f"Bubblewrap does not work here ({' '.join(tried.stderr.split())[-TOLD:]})"
    raise TeachError(
        f"{reason}, so a returned notebook could read the key and do whatever you can; install it (on Debian "
        "and Ubuntu: apt install bubblewrap), name a container engine with --container, or, if you trust every "
        "trainee, give --unprotected"
    )


def visible() -> list[Path]:
    """Return the folders of this machine that can be read in a sandbox of Bubblewrap."""
    places = [*SYSTEM, sys.prefix, sys.base_prefix, paths.PACKAGE, paths.DATA, paths.NOTEBOOKS]
    return [Path(place) for place in dict.fromkeys(map(str, places))]


def check_hidden(folder: Path) -> None:
    """Raise TeachError for a folder that could be read in a sandbox, and with it the key."""
    for place in visible():
        if folder.resolve().is_relative_to(place.resolve()):
            raise TeachError(f"{folder}: every returned notebook can read {place}; a class needs a folder elsewhere")


def _isolated() -> list[str]:
    shown = [word for place in map(str, visible()) for word in ("--ro-bind-try", place, place)]
    environment = {"PATH": "/usr/bin:/bin", **dict.fromkeys(HOMES, FOLDER),
                   "PYTHONPATH": str(paths.ROOT), "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1",
                   "LANG": "C.UTF-8"}  # fmt: skip
    told = [word for name, value in environment.items() for word in ("--setenv", name, value)]
    memory = [word for place in ("/dev/shm", FOLDER) for word in ("--size", str(SPACE), "--tmpfs", place)]
    closed = [word for place in ("/proc", "/dev", "/") for word in ("--remount-ro", place)]
    return ["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--die-with-parent",
            "--new-session", "--cap-drop", "ALL", "--clearenv", *told, "--size", str(SPACE), "--tmpfs", "/tmp",
            *shown, "--proc", "/proc", "--dev", "/dev", *memory, *closed, "--chdir", FOLDER,
            sys.executable]  # fmt: skip


def execute(
    notebooks: list[Path], jobs: int, seconds: float, megabytes: int, start: list[str]
) -> Iterator[tuple[Path, Returned]]:
    """Execute notebooks, each with the ``FILES`` of its folder, and yield ``(notebook, Returned)`` as they end.

    ``jobs`` run at a time, each for at most so many seconds and so much memory; ``start`` comes from `command`.
    Whatever one of them does costs itself alone: those that ran out of time, since another one may have kept the
    machine busy, are executed once more in the end, one by one.
    """
    late = _late(seconds)
    again = []
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(_one, notebook, seconds, megabytes, start): notebook for notebook in notebooks}
        try:
            for done in as_completed(waiting):
                if done.result().ended == late and len(notebooks) > 1:
                    again.append(waiting[done])
                else:
                    yield waiting[done], done.result()
        finally:
            for unfinished in waiting:
                unfinished.cancel()
    for notebook in again:
        yield notebook, _one(notebook, seconds, megabytes, start)


def _late(seconds: float) -> str:
    return f"stopped after {seconds:g} s"


def _one(notebook: Path, seconds: float, megabytes: int, start: list[str]) -> Returned:
    try:
        files = {name: _text(notebook.with_name(name)) for name in FILES} | _fonts()
        asked = {"notebook": _text(notebook), "files": files, "seconds": seconds, "megabytes": megabytes}
        asked |= {"processes": PROCESSES, "told": TOLD}
    except (OSError, ValueError) as error:
        return Returned({}, {}, f"{UNREADABLE} ({getattr(error, 'strerror', None) or error})")
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said, tempfile.TemporaryDirectory() as folder:
        given.write(json.dumps(asked).encode())
        given.seek(0)
        with _started(start, given, said, folder) as process:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                return Returned({}, {}, _late(seconds))
        said.seek(0)
        heard = said.read(LARGEST)
    return _heard(heard) if heard else Returned({}, {}, DIED)


@contextlib.contextmanager
def _started(start: list[str], given: IO, said: IO, folder: str) -> Iterator[subprocess.Popen]:
    """Start a sandbox; in the end kill what is left of it.

    With the first process in a sandbox all others in it end. Bubblewrap tells which one that is: a notebook can keep it
    alive beyond the process that was started here. A container is removed by its name.
    """
    told, tell = os.pipe()
    name = f"nxp2-{uuid4().hex}"
    own = {"PATH": os.defpath, **dict.fromkeys(HOMES, folder)}
    process = subprocess.Popen([{TELL: str(tell), NAME: name}.get(word, word) for word in start],
                               stdin=given, stdout=said, stderr=subprocess.DEVNULL, cwd=folder, env=own,
                               start_new_session=True, pass_fds=(tell,) if TELL in start else ())  # fmt: skip
    os.close(tell)
    with os.fdopen(told) as pipe, contextlib.ExitStack() as last:
        if NAME in start:
            last.callback(subprocess.run, [start[0], "rm", "--force", name], capture_output=True, check=False)
        if TELL in start:
            with contextlib.suppress(ProcessLookupError, ValueError, KeyError):  # it has ended already
                first = os.pidfd_open(json.loads(pipe.read())["child-pid"])
                last.callback(os.close, first)
                last.callback(_kill, signal.pidfd_send_signal, first)
        last.callback(process.wait)
        last.callback(_kill, os.killpg, process.pid)
        yield process


def _kill(send: Callable[[int, int], None], place: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        send(place, signal.SIGKILL)


@cache
def _fonts() -> dict[str, str]:
    """Return Matplotlib's list of this machine's fonts, which takes a second to make: its file's name and text."""
    import matplotlib.font_manager  # makes it

    listed = Path(matplotlib.get_cachedir()).glob("fontlist-*.json")
    return {path.name: path.read_text(encoding="utf-8") for path in listed}


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
        heard = Returned(**json.loads(said, parse_constant=int))  # NaN and the like are no numbers: ValueError
        answers = {_plain(exercise): _plain(answer) for exercise, answer in heard.answers.items()}
        errors = {int(cell): _plain(error) for cell, error in heard.errors.items()}
    except (AttributeError, RecursionError, TypeError, ValueError):
        return Returned({}, {}, NO_ANSWER)
    return Returned(answers, errors, heard.ended) if heard.ended in ("", BROKEN) else Returned({}, {}, NO_ANSWER)


def _plain(said: object) -> str | int | float | bool | None:
    """Return a number, or a text that does nothing to a terminal or a file; raise TypeError for anything else."""
    if isinstance(said, str):
        return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in said[:TOLD])
    if said is None or isinstance(said, bool | float) or (isinstance(said, int) and abs(said) < 10**TOLD):
        return said
    raise TypeError
