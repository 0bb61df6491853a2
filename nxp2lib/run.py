"""Execute the notebooks through papermill, several at once, and record what went in and what came out.

A run has three steps: `plan` checks everything that a user can get wrong, `execute` yields progress while the
notebooks run, `write_manifest` leaves the record.
"""

import hashlib
import itertools
import json
import logging
import os
import platform
import queue
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from nxp2lib import __version__, paths
from nxp2lib.parameters import COHORT_PATH, FILE, MAP_PATH, OUTPUT_DIR, Notebook, RunError, choose, locate, read, settle

MANIFEST = "manifest.json"
LIBRARIES = ["pandas", "numpy", "scipy", "matplotlib", "papermill", "ortools"]
LONGEST_FOLDER = 85  # characters, for sockets: a socket's whole path may have 103 on macOS, 107 on Linux
MEANT_TO_FAIL = "raises-exception"  # the tag of a cell that is expected to raise


@dataclass(frozen=True)
class Plan:
    """Everything that a run needs, checked beforehand.

    ``checksums`` are those of the inputs at that time, ``cohort_sum`` the cohort's among them.
    """

    notebooks: list[Notebook]
    patients: int
    cohort_sum: str
    output: Path
    jobs: int
    started: datetime
    checksums: dict[str, str]


class Progress(NamedTuple):
    """A notebook has come so far: ``cells`` lie behind it."""

    name: str
    cells: int


class Outcome(NamedTuple):
    """A notebook has ended; ``error`` is empty, or the failing cell's ``ErrorName: message``."""

    name: str
    seconds: float
    error: str

    @property
    def status(self) -> str:
        """``ok`` or ``failed``."""
        return "failed" if self.error else "ok"


def plan(
    names: Iterable[str] = (),
    data: str | Path | None = None,
    map_file: str | Path | None = None,
    out: str | Path | None = None,
    given: dict[str, str] | None = None,
    jobs: int | None = None,
    folder: Path = paths.NOTEBOOKS,
) -> Plan:
    """Check what is asked for, load the cohort once, and, when all is well, create the output folder.

    ``names`` are notebooks of ``folder`` (none: all); ``data``, ``map_file`` and ``out`` are the parameters
    ``cohort_path``, ``map_path`` and ``output_dir``; ``given`` maps further parameters to their values as text;
    ``jobs`` is the number of notebooks run at once (None: one per processor core).

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
    checksums = _checksums([patients_file, *map(Path, filter(None, files)), *(notebook.path for notebook in notebooks)])
    output = paths.expanded(wanted.get(OUTPUT_DIR, paths.output_folder("outputs"))).absolute()
    cohort_sum = checksums[_called(patients_file)]
    if len(notebooks) < len(choose([], folder)) and _other_cohort(output, cohort_sum):
        raise RunError(
            f"{output}: holds results of another cohort; run all notebooks, or choose another folder with --out"
        )
    _make_writable(output, folder)
    return Plan(notebooks, patients, cohort_sum, output, jobs or os.cpu_count() or 1, started, checksums)


def _other_cohort(output: Path, cohort_sum: str) -> bool:
    """Tell whether the record of an earlier run in this folder is that of another cohort."""
    try:
        return json.loads((output / MANIFEST).read_text(encoding="utf-8"))["cohort_sha256"] != cohort_sum
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _make_writable(output: Path, sources: Path) -> None:
    """Create the output folder and take away an earlier run's record, which these results will not match."""
    copies = output / "notebooks"
    inputs = [sources, paths.DATA, paths.NOTEBOOKS, Path(__file__).parent]
    if any(copies.resolve().is_relative_to(place.resolve()) for place in inputs):
        raise RunError(f"{output}: results do not go among the project's own files; choose another folder")
    try:
        copies.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=copies):
            (output / MANIFEST).unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"{output}: results cannot be written there ({error.strerror or error})") from None


def execute(plan: Plan) -> Iterator[Progress | Outcome]:
    """Run the planned notebooks, ``plan.jobs`` at once; yield progress, and one outcome for each of them.

    Leaves ``notebooks/NAME.ipynb`` in the output folder, whole or not at all; that of a failed notebook ends with the
    failing cell. Closing the iterator stops whatever still runs.
    """
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    import papermill  # noqa: F401  (once, before the threads)

    messages = queue.SimpleQueue()
    with (
        tempfile.TemporaryDirectory(prefix="nxp2-", ignore_cleanup_errors=True) as folder,
        ThreadPoolExecutor(plan.jobs) as pool,
        _Session(plan.output, Path(folder), messages.put) as session,
    ):
        unfinished = [pool.submit(session.run, notebook) for notebook in plan.notebooks]
        while unfinished:
            with suppress(queue.Empty):  # a wait without end would not hear Ctrl-C on Windows
                message = messages.get(timeout=1)
                unfinished = unfinished[isinstance(message, Outcome) :]
                yield message


class _Session:
    """Kernels that execute notebooks, each in a process of its own and led by a thread of this one.

    Leaving the block kills them all; a notebook that was still running leaves nothing.
    """

    def __init__(self, output: Path, folder: Path, send: Callable[[Progress | Outcome], None]):
        self.output, self.folder, self.send = output, folder, send
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
        try:
            if not self.stopped:
                self._execute(notebook, seen)
        except Exception as caught:
            error = _failure(caught, seen)
        try:
            if "notebook" in seen and not self.stopped:
                _leave(seen["notebook"], self.output / "notebooks" / notebook.path.name)
        except OSError as caught:
            error = error or _line(type(caught).__name__, caught)
        self.send(Outcome(notebook.name, time.perf_counter() - since, error))

    def _execute(self, notebook: Notebook, seen: dict) -> None:
        """Run papermill; keep the executed notebook and the running cell in ``seen``, where a failure leaves them."""
        import nbformat
        import papermill

        def began(cell, cell_index):
            if self.stopped:
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
            kernel_manager_class=self._kernel_manager(notebook.path.parent),
            shutdown_kernel="immediate",
            on_notebook_start=lambda notebook: seen.update(notebook=notebook),
            on_cell_start=began,
            record_timing=False,
        )

    def _kernel_manager(self, workplace: Path) -> type:
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

            async def start_kernel(self, **settings):
                settings["env"] = {**os.environ, "IPYTHONDIR": str(session.folder)}  # no one's own startup files
                quiet = dict.fromkeys(["stdout", "stderr"], subprocess.DEVNULL)  # cells' output takes another way
                await super().start_kernel(cwd=str(workplace), **quiet, **settings)

        return Kernel


def _failure(caught: Exception, seen: dict) -> str:
    """Return the error's line, and mark the cell; empty where only cells that are meant to fail did."""
    from nbformat.v4 import new_output
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import remove_error_markers

    if not isinstance(caught, PapermillExecutionError):  # the kernel is gone, so the cell says nothing itself
        name = type(caught).__name__
        if seen.get("cell", {}).get("cell_type") == "code":
            seen["cell"].outputs.append(new_output("error", ename=name, evalue=str(caught)))
        return _line(name, caught)
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

    It holds no patient's data and no folder outside the project: other files are called by their names alone.
    """
    finished = datetime.now().astimezone()
    ended = {outcome.name: outcome for outcome in outcomes}
    record = {
        "started": plan.started.isoformat(timespec="seconds"),
        "finished": finished.isoformat(timespec="seconds"),
        "seconds": round((finished - plan.started).total_seconds(), 1),
        "patients": plan.patients,
        "cohort_sha256": plan.cohort_sum,
        "notebooks": {notebook.name: _entry(notebook, ended[notebook.name]) for notebook in plan.notebooks},
        "versions": {
            "python": platform.python_version(),
            "nxp2lib": __version__,
            **{name: version(name) for name in LIBRARIES},
        },
        "sha256": plan.checksums,
    }
    with paths.replacing(plan.output / MANIFEST) as partial:
        partial.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return plan.output / MANIFEST


def _entry(notebook: Notebook, outcome: Outcome) -> dict:
    values = {name: parameter.default for name, parameter in notebook.parameters.items()} | notebook.passed
    for name, value in values.items():
        if value and (name == OUTPUT_DIR or name.endswith(FILE)):
            values[name] = _called(Path(value))
    return {"status": outcome.status, "seconds": round(outcome.seconds, 1), "parameters": values}


def _called(path: Path) -> str:
    """Return a path as the manifest calls it: from the project's folder on, or the last part alone."""
    if not path.is_absolute():
        return path.as_posix()
    return path.relative_to(paths.ROOT).as_posix() if path.is_relative_to(paths.ROOT) else path.name


def _checksums(inputs: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of the inputs, of the project's data files and of the package's sources, by file."""
    data = [paths.SCREENING, paths.DICTIONARY, paths.RATES, *sorted(paths.PUBLISHED.glob("*.csv"))]
    files = [*inputs, *data, *sorted(Path(__file__).parent.glob("*.py"))]
    return {_called(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()}
