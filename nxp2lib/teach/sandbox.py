"""Execute a returned notebook in a process of its own that can read little, write little, and does not last.

A guard against mistakes and common tricks, made of the system's limits and Python's audit events; no prison. Grade on a
machine, or as a user, that holds nothing else.
"""

import ast
import contextlib
import json
import multiprocessing
import multiprocessing.connection
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from nxp2lib import paths
from nxp2lib.teach import exercises

SYSTEM = (  # what Python and its libraries read
    *("/usr", "/lib", "/lib64", "/etc", "/opt", "/sys", "/System", "/Library"),
    *("/dev/null", "/dev/urandom", "/proc/cpuinfo", "/proc/meminfo"),
)
FORBIDDEN = (
    *("subprocess", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.kill", "pty"),
    *("socket", "ctypes", "signal.pthread_kill", "syslog", "webbrowser"),
)
DIED = "its process ended before the notebook did"
NO_ANSWER = "it sent something that is no answer"
MOST = 40  # answers and errors that are sent: a message that fits into a pipe at once
WRITES = (
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.truncate", "os.utime"),
    *("os.link", "os.symlink", "shutil"),
)


class Returned(NamedTuple):
    """What a notebook answered, by exercise; cells that failed; and why it ended early, if it did."""

    answers: dict
    errors: dict
    ended: str


def warm() -> None:
    """Load what notebooks import, once; every process forked from this one has it."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot
    import seaborn  # noqa: F401
    from ortools.sat.python import cp_model  # noqa: F401
    from scipy import stats  # noqa: F401

    from nxp2lib import figure, incidence  # noqa: F401
    from nxp2lib.audit import paper  # noqa: F401
    from nxp2lib.reconstruction import bounds, witnesses  # noqa: F401
    from nxp2lib.report import beside, summary  # noqa: F401


def execute(notebooks: list[tuple[Path, Path]], jobs: int, seconds: float, megabytes: int):
    """Execute notebooks, each with its cohort beside it, and yield ``(notebook, Returned)`` as they end.

    ``notebooks`` are pairs of a notebook and the original cohort file; ``jobs`` run at a time, each for at most so many
    seconds and so much memory.
    """
    context = multiprocessing.get_context("fork")
    waiting, running = list(notebooks)[::-1], {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                notebook, cohort = waiting.pop()
                running[notebook] = _start(context, notebook, cohort, seconds, megabytes)
            multiprocessing.connection.wait([task.reader for task in running.values()], timeout=0.2)
            for notebook, task in list(running.items()):
                late = time.monotonic() > task.deadline
                if task.reader.poll() or late or not task.process.is_alive():
                    del running[notebook]
                    yield notebook, _ended(task, late, seconds)
    finally:
        for task in running.values():
            _ended(task, True, seconds)


class _Task(NamedTuple):
    process: object
    reader: object
    folder: Path
    deadline: float


def _start(context, notebook: Path, cohort: Path, seconds: float, megabytes: int) -> _Task:
    folder = Path(tempfile.mkdtemp(prefix="nxp2-grade-"))
    for file in (cohort, cohort.with_name("answers.json")):
        if file.is_file() and not file.is_symlink():
            shutil.copyfile(file, folder / file.name)
    reader, writer = context.Pipe(duplex=False)
    source = notebook.read_bytes()[: 20 << 20]
    process = context.Process(target=_child, args=(source, folder, writer, seconds, megabytes), daemon=True)
    process.start()
    writer.close()
    return _Task(process, reader, folder, time.monotonic() + seconds)


def _ended(task: _Task, late: bool, seconds: float) -> Returned:
    said = None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(task.process.pid, signal.SIGKILL)
    task.process.kill()  # before it is heard: half a message, sent to make us wait, then ends
    task.process.join()
    with contextlib.suppress(EOFError, OSError):
        if task.reader.poll():
            said = task.reader.recv_bytes(1 << 20)
    task.reader.close()
    shutil.rmtree(task.folder, ignore_errors=True)
    if said is None:
        return Returned({}, {}, f"stopped after {seconds:g} seconds" if late else DIED)
    return _heard(said)


def _heard(said: bytes) -> Returned:
    """Return what a process said, where it has the form of answers; a notebook may have written something else."""
    try:
        heard = Returned(**json.loads(said))
    except (ValueError, TypeError, RecursionError):
        return Returned({}, {}, NO_ANSWER)
    shaped = isinstance(heard.answers, dict) and isinstance(heard.errors, dict) and isinstance(heard.ended, str)
    return heard if shaped else Returned({}, {}, NO_ANSWER)


def _child(source: bytes, folder: Path, writer, seconds: float, megabytes: int) -> None:
    os.setsid()
    os.chdir(folder)
    os.closerange(3, writer.fileno())  # files that the grader has open
    os.closerange(writer.fileno() + 1, 1024)
    os.environ.update(HOME=str(folder), NXP2_OUTPUT_ROOT=str(folder), MPLCONFIGDIR=str(folder))
    silent = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silent, stream)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    try:
        cells = [cell for cell in json.loads(source)["cells"] if cell["cell_type"] == "code"]
        sources = ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError, RecursionError):
        _say(writer, {}, {}, "it is not a notebook")
        return
    sys.dont_write_bytecode = True
    most = megabytes << 20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (100 << 20, 100 << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
    sys.addaudithook(_guard(folder))
    answers, errors, ended = {}, {}, ""
    scope = {"__name__": "__main__", "display": lambda *shown: None}
    for number, text in enumerate(sources, 1):
        try:
            tree = ast.parse(text)
            for name in exercises.checked(tree):
                answers[name] = _plain(scope.get("answer"))
            exec(compile(tree, f"cell {number}", "exec"), scope)
        except MemoryError:
            errors[number] = f"more than {megabytes} MB of memory"
        except BaseException as error:  # a cell may raise anything; those after it still count
            errors[number] = f"{type(error).__name__}: {str(error)[:120]}"
    _say(writer, answers, errors, ended)


def _plain(answer):
    """Return an answer as a number or a text that can be sent; anything else as the text of nothing known."""
    if type(answer) in (str, int, float, bool) or answer is None:
        return answer[:200] if isinstance(answer, str) else answer
    item = getattr(answer, "item", None)
    if type(answer).__module__ == "numpy" and callable(item):
        return _plain(answer.item())
    return "?"


def _say(writer, answers: dict, errors: dict, ended: str) -> None:
    first = {"answers": dict(list(answers.items())[:MOST]), "errors": dict(list(errors.items())[:MOST])}
    writer.send_bytes(json.dumps({**first, "ended": ended}).encode())
    writer.close()


def _guard(folder: Path):
    """Return an audit hook: what is not the collection's, Python's, the system's or the own folder cannot be opened."""
    own = os.path.realpath(folder)
    read = tuple(
        os.path.realpath(place)
        for place in (own, sys.prefix, sys.base_prefix, paths.DATA, paths.ROOT / "nxp2lib", *SYSTEM)
    )

    def inside(place, allowed: tuple) -> bool:
        if not isinstance(place, (str, bytes, os.PathLike)):
            return True  # a number: a file that is open already
        real = os.path.realpath(os.fsdecode(place))
        return any(real == root or real.startswith(root + os.sep) for root in allowed)

    def hook(event: str, given: tuple) -> None:
        if event.startswith(FORBIDDEN):
            raise PermissionError(f"{event} is not allowed here")
        if event == "open":
            writing = (isinstance(given[1], str) and set(given[1]) & set("wax+")) or (
                isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR)
            )
            if not inside(given[0], (own, os.path.realpath(os.devnull)) if writing else read):
                raise PermissionError("a file outside the own folder")
        elif event in ("os.listdir", "os.scandir", "os.chdir", "glob.glob"):
            if not inside(given[0] or ".", read):
                raise PermissionError("a folder outside the own one")
        elif event.startswith(WRITES) and not all(
            inside(place, (own,)) for place in given[:2] if isinstance(place, (str, bytes, os.PathLike))
        ):
            raise PermissionError("a change outside the own folder")

    return hook
