"""Execute the notebooks through papermill, several at once, and record what went in and what came out.

A run has three steps: `plan` checks everything that a user can get wrong, `execute` yields progress while the
notebooks run, `write_manifest` leaves the record.
"""

import errno
import itertools
import logging
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from nxp2lib import paths, record
from nxp2lib.parameters import COHORT_PATH, FILE, MAP_PATH, OUTPUT_DIR, Notebook, RunError, choose, locate, read, settle

LOCK = ".lock"
DIED = "the kernel died; if it ran out of memory, --jobs 1 runs one notebook at a time"
LONGEST_FOLDER = 85  # characters, for sockets: a socket's whole path may have 103 on macOS, 107 on Linux
MEANT_TO_FAIL = "raises-exception"  # the tag of a cell that is expected to raise


@dataclass(frozen=True)
class Plan:
    """Everything that a run needs, checked beforehand.

    ``called`` are the names of the inputs in the manifest, ``checksums`` theirs at that time, ``cohort_sum`` the
    cohort's among them; ``fingerprints`` sum them up per notebook. ``kept`` are the records of notebooks that need not
    run, since nothing has changed, or were not chosen. ``timeout`` is in seconds per notebook.
    """

    notebooks: list[Notebook]
    patients: int
    cohort_sum: str
    output: Path
    jobs: int
    started: datetime
    called: dict[Path, str]
    checksums: dict[str, str]
    fingerprints: dict[str, str]
    kept: dict[str, dict]
    timeout: float | None


class Progress(NamedTuple):
    """A notebook has come so far: ``cells`` lie behind it."""

    name: str
    cells: int


class Outcome(NamedTuple):
    """A notebook has ended; ``error`` is empty, or the failing cell's ``ErrorName: message``.

    ``left`` are the files that it wrote, with their checksums; ``unchanged`` says that it did not have to run.
    """

    name: str
    seconds: float
    error: str
    left: dict[str, str] = {}  # noqa: RUF012 (of a named tuple)
    unchanged: bool = False

    @property
    def status(self) -> str:
        """``ok``, ``failed`` or ``unchanged``."""
        return "failed" if self.error else "unchanged" if self.unchanged else "ok"


def plan(
    names: Iterable[str] = (),
    data: str | Path | None = None,
    map_file: str | Path | None = None,
    out: str | Path | None = None,
    given: dict[str, str] | None = None,
    jobs: int | None = None,
    folder: Path = paths.NOTEBOOKS,
    fresh: bool = False,
    timeout: float | None = None,
) -> Plan:
    """Check what is asked for, load the cohort once, and, when all is well, create the output folder.

    ``names`` are notebooks of ``folder`` (none: all); ``data``, ``map_file`` and ``out`` are the parameters
    ``cohort_path``, ``map_path`` and ``output_dir``; ``given`` maps further parameters to their values as text;
    ``jobs`` is the number of notebooks run at once (None: one per processor core). A notebook of which nothing has
    changed since it last ran into this folder is not run again, unless ``fresh``; one that takes longer than
    ``timeout`` seconds is stopped (None: never).

    Raises RunError for anything unknown, unreadable, out of range or not writable.
    """
    from nxp2lib import cohort

    started = datetime.now().astimezone()
    options = {COHORT_PATH: data, MAP_PATH: map_file, OUTPUT_DIR: out}
    for name, option in [(COHORT_PATH, "--data"), (MAP_PATH, "--map"), (OUTPUT_DIR, "--out")]:
        if options[name] is not None and name in (given or {}):
            raise RunError(f"{option} and -p {name} mean the same; give one of them")
    wanted = dict(given or {}) | {name: str(value) for name, value in options.items() if value is not None}
    notebooks = settle([read(path) for path in choose(names, folder)], wanted)
    patients_file = locate(wanted.get(COHORT_PATH, paths.COHORT))
    try:
        patients = len(cohort.load(patients_file, map_path=wanted.get(MAP_PATH, "")))
    except (OSError, cohort.CohortError) as error:
        raise RunError(str(error)) from None
    files = [value for notebook in notebooks for name, value in notebook.passed.items() if name.endswith(FILE)]
    inputs = [patients_file, *map(Path, filter(None, files)), *(notebook.path for notebook in notebooks)]
    shared = record.project()
    called = record.called(inputs)
    checksums = {name: record.checksum(path) for path, name in called.items()} | shared
    cohort_sum = checksums[called[patients_file]]
    output = paths.expanded(wanted.get(OUTPUT_DIR, paths.output_folder("outputs"))).absolute()
    earlier = record.earlier(output)
    other = bool(earlier) and earlier.get("cohort_sha256") != cohort_sum
    if other and len(notebooks) < len(choose([], folder)):
        raise RunError(
            f"{output}: holds results of another cohort; run all notebooks, or choose another folder with --out"
        )
    fingerprints = {notebook.name: record.fingerprint(notebook, shared | record.versions()) for notebook in notebooks}
    _make_writable(output, folder)
    kept = {} if other else {
        name: entry for name, entry in earlier.get("notebooks", {}).items()
        if name not in fingerprints or (not fresh and _unchanged(entry, fingerprints[name], output))
    }  # fmt: skip
    jobs = jobs or os.cpu_count() or 1
    return Plan(
        notebooks, patients, cohort_sum, output, jobs, started, called, checksums, fingerprints, kept, timeout
    )


def _unchanged(entry: dict, fingerprint: str, output: Path) -> bool:
    """Tell whether an earlier run rests on the same inputs, went well, and left what is still there."""
    same = entry.get("status") == "ok" and entry.get("fingerprint") == fingerprint
    return same and record.still_there(entry, output)


def _make_writable(output: Path, sources: Path) -> None:
    """Create the output folder, or raise RunError where results cannot or must not go there."""
    copies = output / "notebooks"
    inputs = [sources, paths.DATA, paths.NOTEBOOKS, Path(__file__).parent]
    if any(copies.resolve().is_relative_to(place.resolve()) for place in inputs):
        raise RunError(f"{output}: results do not go among the project's own files; choose another folder")
    for name in ("notebooks", "results", "tables", "figures"):
        if (output / name).is_symlink():
            raise RunError(f"{output / name}: is a link to another place; remove it, or choose another folder")
    try:
        copies.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=copies):
            pass
        if (output / record.MANIFEST).is_dir():
            raise IsADirectoryError(errno.EISDIR, f"{record.MANIFEST} is a folder")
    except OSError as error:
        raise RunError(f"{output}: results cannot be written there ({error.strerror or error})") from None


def execute(plan: Plan) -> Iterator[Progress | Outcome]:
    """Run the planned notebooks, ``plan.jobs`` at once; yield progress, and one outcome for each of them.

    Leaves ``notebooks/NAME.ipynb`` in the output folder, whole or not at all; that of a failed notebook ends with the
    failing cell. The manifest is written anew whenever a notebook has ended, so that after a run that was killed the
    next one goes on. Closing the iterator stops whatever still runs.

    Raises RunError where another run is writing into the same folder.
    """
    from filelock import FileLock, Timeout

    try:
        with FileLock(plan.output / LOCK, timeout=0):
            record.clean(plan.output)
            yield from _recorded(plan)
    except Timeout:
        raise RunError(f"{plan.output}: another run is writing there; wait for it, or choose another --out") from None


def _recorded(plan: Plan) -> Iterator[Progress | Outcome]:
    outcomes = [Outcome(n.name, 0.0, "", unchanged=True) for n in plan.notebooks if n.name in plan.kept]
    write_manifest(plan, outcomes)
    yield from outcomes
    for message in _executed(plan, [n for n in plan.notebooks if n.name not in plan.kept]):
        if isinstance(message, Outcome):
            outcomes.append(message)
            write_manifest(plan, outcomes)
        yield message


def _executed(plan: Plan, notebooks: list[Notebook]) -> Iterator[Progress | Outcome]:
    if not notebooks:
        return
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    import papermill  # noqa: F401  (once, before the threads)

    messages = queue.SimpleQueue()
    with (
        tempfile.TemporaryDirectory(prefix="nxp2-", ignore_cleanup_errors=True) as folder,
        ThreadPoolExecutor(plan.jobs) as pool,
        _Session(plan, Path(folder), messages.put) as session,
    ):
        unfinished = [pool.submit(session.run, notebook) for notebook in notebooks]
        while unfinished:
            with suppress(queue.Empty):  # a wait without end would not hear Ctrl-C on Windows
                message = messages.get(timeout=1)
                unfinished = unfinished[isinstance(message, Outcome) :]
                yield message


class _Session:
    """Kernels that execute notebooks, each in a process of its own and led by a thread of this one.

    Leaving the block kills them all; a notebook that was still running leaves nothing.
    """

    def __init__(self, plan: Plan, folder: Path, send: Callable[[Progress | Outcome], None]):
        self.output, self.timeout, self.folder, self.send = plan.output, plan.timeout, folder, send
        self.numbers = itertools.count()
        self.kernels = []
        self.stopped = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopped = True
        for kernel in self.kernels:
            if kernel.has_kernel:
                kernel.provisioner.process.kill()

    def run(self, notebook: Notebook) -> None:
        """Execute one notebook, leave its copy, and send its outcome."""
        since, seen, error = time.perf_counter(), {}, ""
        copy, listed = self.output / "notebooks" / notebook.path.name, self.folder / f"{notebook.name}.written"
        try:
            if not self.stopped:
                with self._limited(seen):
                    self._execute(notebook, seen)
        except Exception as caught:
            error = _failure(caught, seen)
        left = {}
        try:
            if "notebook" in seen and not self.stopped:
                _leave(seen["notebook"], copy)
                with listed.open("a", encoding="utf-8") as file:
                    file.write(f"{copy}\n")
                left = record.left(listed, self.output)
        except OSError as caught:
            error = error or _line(type(caught).__name__, caught)
        self.send(Outcome(notebook.name, time.perf_counter() - since, error, left))

    @contextmanager
    def _limited(self, seen: dict) -> Iterator[None]:
        """Kill the kernel of a notebook that takes too long, whatever it is doing; say so in ``seen``."""

        def stop() -> None:
            seen["late"] = f"not finished after {self.timeout:g} s; --timeout allows more"
            kernel = seen.get("kernel")
            if kernel and kernel.has_kernel:
                kernel.provisioner.process.kill()

        timer = threading.Timer(self.timeout, stop) if self.timeout else None
        if timer:
            timer.start()
        try:
            yield
        finally:
            if timer:
                timer.cancel()

    def _execute(self, notebook: Notebook, seen: dict) -> None:
        """Run papermill; keep the executed notebook and the running cell in ``seen``, where a failure leaves them."""
        import nbformat
        import papermill

        def began(cell, cell_index):
            if self.stopped or "late" in seen:
                raise RuntimeError("the run was stopped")
            seen["cell"] = cell
            self.send(Progress(notebook.name, cell_index))

        papermill.execute_notebook(
            nbformat.read(notebook.path, as_version=4),
            None,
            parameters=notebook.passed,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            kernel_manager_class=self._kernel_manager(notebook, seen),
            shutdown_kernel="immediate",
            on_notebook_start=lambda notebook: seen.update(notebook=notebook),
            on_cell_start=began,
            record_timing=False,
        )

    def _kernel_manager(self, notebook: Notebook, seen: dict) -> type:
        """Return a class whose kernels run this interpreter, whatever is installed, and talk through files."""
        from ipykernel.kernelspec import get_kernel_dict
        from jupyter_client.kernelspec import KernelSpec
        from jupyter_client.manager import AsyncKernelManager

        session = self

        class Kernel(AsyncKernelManager):
            kernel_spec = KernelSpec(**get_kernel_dict())

            def __init__(self, **settings):
                transport = "ipc" if os.name == "posix" and len(str(session.folder)) <= LONGEST_FOLDER else "tcp"
                file = session.folder / f"{next(session.numbers)}.json"
                super().__init__(transport=transport, connection_file=str(file), **settings)
                session.kernels.append(self)
                seen["kernel"] = self

            async def start_kernel(self, **settings):
                own = {"IPYTHONDIR": str(session.folder)}  # no one's own startup files
                own["NXP2_WRITTEN"] = str(session.folder / f"{notebook.name}.written")
                settings["env"] = {**os.environ, **own}
                quiet = dict.fromkeys(["stdout", "stderr"], subprocess.DEVNULL)  # cells' output takes another way
                await super().start_kernel(cwd=str(notebook.path.parent), **quiet, **settings)

        return Kernel


def _failure(caught: Exception, seen: dict) -> str:
    """Return the error's line, and mark the cell; empty where only cells that are meant to fail did."""
    from nbformat.v4 import new_output
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import remove_error_markers

    if not isinstance(caught, PapermillExecutionError):  # the kernel is gone, so the cell says nothing itself
        name, said = type(caught).__name__, str(caught)
        if "late" in seen:
            name, said = "TimeoutError", seen["late"]
        elif name == "DeadKernelError":
            said = DIED
        if seen.get("cell", {}).get("cell_type") == "code":
            seen["cell"].outputs.append(new_output("error", ename=name, evalue=said))
        return _line(name, said)
    outputs = [(cell, output) for cell in seen["notebook"].cells for output in cell.get("outputs", [])]
    if all(MEANT_TO_FAIL in cell.metadata.tags for cell, output in outputs if output.output_type == "error"):
        remove_error_markers(seen["notebook"])
        return ""
    return _line(caught.ename, caught.evalue)


def _line(name: str, message: object) -> str:
    return f"{name}: {message}".partition("\n")[0].removesuffix(": ")


def _leave(executed, path: Path) -> None:
    """Write an executed notebook, without the paths that papermill adds."""
    import nbformat

    for key in ("input_path", "output_path"):
        executed.metadata.papermill.pop(key, None)
    with paths.replacing(path) as partial:
        nbformat.write(executed, partial)


def write_manifest(plan: Plan, outcomes: Iterable[Outcome]) -> Path:
    """Write ``manifest.json``: what went in, what came out, when, and with which versions. Return its path.

    While notebooks are still running, ``finished`` is null, and only those that have ended are listed. It holds no
    patient's data and no folder outside the project: other files are called by their names alone.
    """
    ended = {outcome.name: outcome for outcome in outcomes}
    now = datetime.now().astimezone()
    entries = plan.kept | {
        notebook.name: _entry(notebook, ended[notebook.name], plan)
        for notebook in plan.notebooks
        if notebook.name in ended and not ended[notebook.name].unchanged
    }
    complete = len(ended) == len(plan.notebooks)
    written = {
        "started": plan.started.isoformat(timespec="seconds"),
        "finished": now.isoformat(timespec="seconds") if complete else None,
        "seconds": round((now - plan.started).total_seconds(), 1),
        "patients": plan.patients,
        "cohort_sha256": plan.cohort_sum,
        "notebooks": dict(sorted(entries.items())),
        "versions": record.versions(),
        "sha256": plan.checksums,
    }
    return record.write(written, plan.output)


def _entry(notebook: Notebook, outcome: Outcome, plan: Plan) -> dict:
    values = record.values(notebook)
    for name, value in values.items():
        if value and (name == OUTPUT_DIR or name.endswith(FILE)):
            values[name] = plan.called.get(Path(value)) or record.called([Path(value)])[Path(value)]
    seconds = round(outcome.seconds, 1)
    known = {"status": outcome.status, "seconds": seconds, "parameters": values}
    return known | {"fingerprint": plan.fingerprints[notebook.name], "left": outcome.left}
