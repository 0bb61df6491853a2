"""Notebooks in kernels of their own: executed by papermill, stopped when they take too long, left whole or not."""

import itertools
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from nxp2lib import paths
from nxp2lib.run import record
from nxp2lib.run.parameters import Notebook

DIED = "the kernel died; if it ran out of memory, --jobs 1 runs one notebook at a time"
LONGEST_FOLDER = 85  # characters, for sockets: a socket's whole path may have 103 on macOS, 107 on Linux
MEANT_TO_FAIL = "raises-exception"  # the tag of a cell that is expected to raise


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


class Session:
    """Kernels that execute notebooks, each in a process of its own and led by a thread of this one.

    Leaving the block kills them all; a notebook that was still running leaves nothing.
    """

    def __init__(self, output: Path, timeout: float | None, folder: Path, send: Callable[[Progress | Outcome], None]):
        self.output, self.timeout, self.folder, self.send = output, timeout, folder, send
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
