"""Notebooks in kernels of their own: executed by papermill, stopped when they take too long, left whole or not."""

import itertools
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from nxp2lib import paths
from nxp2lib.run import record
from nxp2lib.run.parameters import Notebook

DIED = "the kernel died; if it ran out of memory, --jobs 1 runs one notebook at a time"
HERE = re.compile("|".join(re.escape(f"{folder}{os.sep}") for folder in (paths.ROOT, sys.prefix)))
WARM = "nxp2-warm"  # the provisioner's name in pyproject.toml
LONGEST_FOLDER = 85  # characters, for sockets: a socket's whole path may have 103 on macOS, 107 on Linux


class Progress(NamedTuple):
    """A notebook has come so far: ``cells`` lie behind it."""

    name: str
    cells: int


class Outcome(NamedTuple):
    """A notebook has ended; ``error`` is empty, or the failing cell's ``ErrorName: message``.

    ``left`` are the files that it wrote, with checksums; ``cells`` the last cell to write each; ``unchanged``: not run.
    """

    name: str
    seconds: float
    error: str
    left: dict[str, str] = {}  # noqa: RUF012 (of a named tuple)
    cells: dict[str, int] = {}  # noqa: RUF012
    unchanged: bool = False

    @property
    def status(self) -> str:
        """``ok``, ``failed`` or ``unchanged``."""
        return "failed" if self.error else "unchanged" if self.unchanged else "ok"


@dataclass
class Running:
    """What is known of a notebook while it runs, and left where a failure ends it.

    To the file ``written`` `nxp2lib.paths.replacing` adds the path of each file that the notebook writes; ``begun``
    are the cells that have begun, each with the number of paths before it; ``late`` says that it took too long.
    """

    written: Path
    notebook: object = None
    kernel: object = None
    begun: list[tuple] = field(default_factory=list)
    late: str = ""

    def paths(self) -> list[Path]:
        """Return the files written so far, in their order."""
        return [Path(line) for line in self.written.read_text("utf-8").splitlines()] if self.written.is_file() else []

    def cells(self) -> dict[Path, int]:
        """Return each file that a cell wrote, with the place of the cell that was the last to do so."""
        written, pairs = self.paths(), itertools.pairwise([*self.begun, (None, None)])
        places = {id(cell): place for place, cell in enumerate(self.notebook.cells)}  # papermill may have added cells
        return {path: places[id(cell)] for (cell, first), (_, last) in pairs for path in written[first:last]}

    def kill(self, late: str = "") -> None:
        """Kill the kernel, whatever it is doing."""
        self.late = self.late or late
        if self.kernel and self.kernel.has_kernel:
            self.kernel.provisioner.process.kill()


class Session:
    """Kernels that execute notebooks, each in a process of its own and led by a thread of this one.

    ``warm``: they are forked from one process that has imported what notebooks do (`nxp2lib.run.warm`).
    """

    def __init__(
        self,
        output: Path,
        timeout: float | None,
        folder: Path,
        send: Callable[[Progress | Outcome], None],
        warm: bool = False,
    ):
        self.output, self.timeout, self.folder, self.send, self.warm = output, timeout, folder, send, warm
        self.numbers = itertools.count()
        self.begun: list[Running] = []
        self.stopped = False

    def close(self) -> None:
        """Kill all kernels; a notebook that was still running leaves nothing."""
        self.stopped = True
        for running in self.begun:
            running.kill()

    def run(self, notebook: Notebook, told: dict[str, object]) -> None:
        """Execute one notebook, leave its copy, and send its outcome; ``told`` are its parameters, files by name."""
        since, error, left, cells = time.perf_counter(), "", {}, {}
        running = Running(self.folder / f"{notebook.name}.written")
        self.begun.append(running)
        late = f"not finished after {self.timeout or 0:g} s; --timeout allows more"
        timer = threading.Timer(self.timeout or 0, running.kill, [late])
        if self.timeout:
            timer.start()
        try:
            if not self.stopped:
                self._execute(notebook, running)
        except Exception as caught:
            error = _failure(caught, running)
        finally:
            timer.cancel()
        try:
            if running.notebook and not self.stopped:
                copy = self.output / "notebooks" / notebook.path.name
                _leave(running.notebook, {name: told[name] for name in notebook.passed}, copy)
                left, cells = record.left(running.cells(), copy, self.output)
        except OSError as caught:
            error = error or _line(type(caught).__name__, caught)
        self.send(Outcome(notebook.name, time.perf_counter() - since, error, left, cells))

    def _execute(self, notebook: Notebook, running: Running) -> None:
        """Run papermill; keep the executed notebook and the cells that have begun."""
        import nbformat
        import papermill

        def began(cell, cell_index):
            if self.stopped or running.late:
                raise RuntimeError("the run was stopped")
            running.begun.append((cell, len(running.paths())))
            self.send(Progress(notebook.name, cell_index))

        papermill.execute_notebook(
            nbformat.read(notebook.path, as_version=4),
            None,
            parameters=notebook.passed,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            kernel_manager_class=self._kernel_manager(notebook, running),
            shutdown_kernel="immediate",
            on_notebook_start=lambda notebook: setattr(running, "notebook", notebook),
            on_cell_start=began,
            record_timing=False,
        )

    def _kernel_manager(self, notebook: Notebook, running: Running) -> type:
        """Return a class whose kernels run this interpreter, whatever is installed, and talk through files."""
        from ipykernel.kernelspec import get_kernel_dict
        from jupyter_client.kernelspec import KernelSpec
        from jupyter_client.manager import AsyncKernelManager
        from jupyter_client.provisioning import KernelProvisionerFactory

        folder, name = self.folder, next(self.numbers)  # a short name, since sockets are called by it

        spec = KernelSpec(**get_kernel_dict())
        if self.warm and WARM in KernelProvisionerFactory.instance().get_provisioner_entries():
            spec.metadata = {**spec.metadata, "kernel_provisioner": {"provisioner_name": WARM}}

        class Kernel(AsyncKernelManager):
            kernel_spec = spec

            def __init__(self, **settings):
                transport = "ipc" if os.name == "posix" and len(str(folder)) <= LONGEST_FOLDER else "tcp"
                super().__init__(transport=transport, connection_file=str(folder / f"{name}.json"), **settings)
                running.kernel = self

            async def start_kernel(self, **settings):
                own = {"IPYTHONDIR": str(folder), "NXP2_WRITTEN": str(running.written)}  # no one's own startup files
                settings["env"] = {**os.environ, **own}
                quiet = dict.fromkeys(["stdout", "stderr"], subprocess.DEVNULL)  # cells' output takes another way
                await super().start_kernel(cwd=str(notebook.path.parent), **quiet, **settings)

        return Kernel


def _failure(caught: Exception, running: Running) -> str:
    """Return the error's line, and mark the cell; empty where only cells whose tag says that they raise did."""
    from nbformat.v4 import new_output
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import remove_error_markers

    if not isinstance(caught, PapermillExecutionError):  # the kernel is gone, so the cell says nothing itself
        name, said = type(caught).__name__, str(caught)
        if running.late:
            name, said = "TimeoutError", running.late
        elif name == "DeadKernelError":
            said = DIED
        if running.begun and (cell := running.begun[-1][0]).cell_type == "code":
            cell.outputs.append(new_output("error", ename=name, evalue=said))
        return _line(name, said)
    outputs = [(cell, output) for cell in running.notebook.cells for output in cell.get("outputs", [])]
    if all("raises-exception" in cell.metadata.tags for cell, output in outputs if output.output_type == "error"):
        remove_error_markers(running.notebook)
        return ""
    return _line(caught.ename, caught.evalue)


def _line(name: str, message: object) -> str:
    return f"{name}: {message}".partition("\n")[0].removesuffix(": ")


def _leave(executed, told: dict[str, object], path: Path) -> None:
    """Write an executed notebook; its parameters and errors call files by their names, not by where they lie here."""
    import nbformat
    from papermill.translators import translate_parameters

    executed.metadata.papermill["parameters"] = told
    for key in ("input_path", "output_path"):
        executed.metadata.papermill.pop(key, None)
    for cell in executed.cells:
        if "injected-parameters" in cell.metadata.tags:
            cell.source = translate_parameters("python3", "python", told)
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                named = [HERE.sub("", line) for line in (output.evalue, *output.traceback)]
                output.evalue, output.traceback = named[0], named[1:]
    with paths.replacing(path) as partial:
        nbformat.write(executed, partial)
