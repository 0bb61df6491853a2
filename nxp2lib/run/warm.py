"""Kernels that begin warm: forked from one process that has imported what notebooks import.

A kernel provisioner of Jupyter, by the name ``nxp2-warm``; runs use it, and other programs do where the environment
variable ``JUPYTER_DEFAULT_PROVISIONER_NAME`` names it. The first kernel of a process starts the parent of all: it has
one thread and no ZeroMQ context when it forks. A kernel has its own session, files and environment. It ends when the
process that asked for it ends, or the parent does. On Windows, and where anything is unusual, kernels begin as always.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import random
import selectors
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import LocalProvisioner

PRELOADED = (
    "ipykernel.kernelapp", "ipykernel.zmqshell", "matplotlib.pyplot", "pandas", "scipy.stats", "seaborn", "pyarrow",
    "openpyxl", "docx", "ortools.sat.python.cp_model", "nxp2lib.teach", "nxp2lib.audit.paper",
    "nxp2lib.report.summary", "nxp2lib.incidence",
)  # fmt: skip
BEFORE = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # no threads to fork:
BEFORE |= {"JE_ARROW_MALLOC_CONF": "background_thread:false"}  # neither for algebra nor for memory
INLINE = "module://matplotlib_inline.backend_inline"
PACKAGE = Path(__file__).resolve().parents[1]
DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's prctl


class Provisioner(LocalProvisioner):
    """Starts kernels of this interpreter from the parent of this process, and all others as always."""

    async def launch_kernel(self, cmd: list[str], **settings: Any) -> Any:
        streams = [settings.get(name) for name in ("stdout", "stderr")]
        usual = cmd[:1] == [sys.executable] and "ipykernel_launcher" in cmd and subprocess.PIPE not in streams
        if os.name == "posix" and usual:
            try:
                self.process = _parent().start(cmd, settings.get("cwd"), settings.get("env"), streams)
            except (OSError, ValueError):  # the parent has died; its successor is for the next one
                return await super().launch_kernel(cmd, **settings)
            self.pid = self.pgid = self.process.pid
            return self.connection_info
        return await super().launch_kernel(cmd, **settings)


class Forked:
    """A kernel that another process has started, with what is used of `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, told: socket.socket):
        self.pid, self.told = pid, told
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit status, None while the kernel runs."""
        return self._told(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit status, or raise `subprocess.TimeoutExpired`."""
        status = self._told(timeout)
        if status is None:
            raise subprocess.TimeoutExpired("kernel", timeout or 0)
        return status

    def _told(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            with selectors.DefaultSelector() as events:
                events.register(self.told, selectors.EVENT_READ)
                if events.select(timeout):
                    said = self.told.recv(20)
                    self.returncode = int(said) if said else -signal.SIGKILL
                    self.told.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class Parent:
    """The process from which kernels are forked, seen from the one that asks."""

    def __init__(self, newest: int):
        self.newest = newest
        self.asking, theirs = socket.socketpair()
        backend = {"MPLBACKEND": os.environ.get("MPLBACKEND", INLINE)}
        command = [sys.executable, "-m", "nxp2lib.run.warm"]
        self.process = subprocess.Popen(command, stdin=theirs, env=os.environ | BEFORE | backend)
        theirs.close()

    def start(self, cmd: list[str], cwd: Any, env: dict[str, str] | None, streams: list) -> Forked:
        """Return a kernel; raise OSError or ValueError where the parent is gone."""
        told, theirs = socket.socketpair()
        outs = [os.open(os.devnull, os.O_WRONLY) if one == subprocess.DEVNULL else one for one in streams]
        numbers = [default if one is None else one if isinstance(one, int) else one.fileno()
                   for one, default in zip(outs, (1, 2), strict=True)]  # fmt: skip
        socket.send_fds(self.asking, [b"k"], [theirs.fileno(), *numbers])
        theirs.close()
        for one, asked in zip(outs, streams, strict=True):
            if asked == subprocess.DEVNULL:
                os.close(one)
        ask = {"argv": cmd[cmd.index("ipykernel_launcher") + 1 :], "cwd": os.fspath(cwd or Path.cwd())}
        told.sendall(json.dumps(ask | {"env": dict(env or os.environ)}).encode() + b"\n")
        return Forked(int(_line(told)), told)


_LOCK = threading.Lock()
_PARENTS: list[Parent] = []


def _parent() -> Parent:
    """Return the parent of this process; a new one where it has died, or the package has changed since it began."""
    newest = max(path.stat().st_mtime_ns for path in PACKAGE.rglob("*.py"))
    with _LOCK:
        if _PARENTS and (_PARENTS[0].newest != newest or _PARENTS[0].process.poll() is not None):
            _PARENTS.pop().asking.close()  # kernels of the old one go on until they are done
        if not _PARENTS:
            _PARENTS.append(Parent(newest))
            atexit.register(_PARENTS[0].asking.close)
        return _PARENTS[0]


def _line(connection: socket.socket) -> bytes:
    """Read up to the end of a line, and not beyond."""
    found = b""
    while not found.endswith(b"\n"):
        if not (letters := connection.recv(1)):
            raise OSError("the parent of kernels is gone")
        found += letters
    return found


def serve(asked: socket.socket) -> None:
    """Fork a kernel whenever one is asked for, tell of each that ends, and end with the process that asks."""
    for name in PRELOADED:
        importlib.import_module(name)
    gc.freeze()
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    woken.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    kernels: dict[int, socket.socket] = {}
    events = selectors.DefaultSelector()
    events.register(asked, selectors.EVENT_READ)
    events.register(woken, selectors.EVENT_READ)
    open_ = True
    while open_ or kernels:
        for key, _ in events.select():
            if key.fileobj is woken:
                woken.recv(4096)
                _bury(kernels, events)
            elif key.fileobj is asked:
                said, numbers, *_ = socket.recv_fds(asked, 1, 3)
                if not said:
                    events.unregister(asked)
                    open_ = False
                elif not _born(numbers, kernels, [asked, woken, wake], events):
                    return  # this is the kernel, and it has ended
            elif key.data in kernels:  # who asked for it is gone
                os.killpg(key.data, signal.SIGKILL)
                events.unregister(key.fileobj)


def _bury(kernels: dict[int, socket.socket], events: selectors.BaseSelector) -> None:
    while kernels:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        told = kernels.pop(pid)
        try:
            events.unregister(told)
            told.sendall(str(os.waitstatus_to_exitcode(status)).encode())
        except (KeyError, OSError):
            pass
        told.close()


def _born(numbers: list[int], kernels: dict, ours: list[socket.socket], events: selectors.BaseSelector) -> bool:
    """Fork a kernel; return whether this is still the parent."""
    told = socket.socket(fileno=numbers[0])
    ask = json.loads(_line(told))
    parent = os.getpid()
    if pid := os.fork():
        for number in numbers[1:]:
            os.close(number)
        kernels[pid] = told
        events.register(told, selectors.EVENT_READ, pid)
        return True
    os.setsid()
    events.close()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    told.sendall(f"{os.getpid()}\n".encode())
    for one in (*ours, told, *kernels.values()):
        one.close()
    _become(ask, numbers[1:], parent)
    return False


def _become(ask: dict, streams: list[int], parent: int) -> None:
    """Be a kernel, as if this process had begun with it."""
    import numpy as np
    from ipykernel.kernelapp import launch_new_instance

    for number, stream in enumerate((os.open(os.devnull, os.O_RDONLY), *streams)):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(ask["cwd"])
    os.environ.clear()
    os.environ.update(ask["env"])
    random.seed()
    np.random.seed()
    sys.argv = ["ipykernel_launcher.py", *ask["argv"], f"--IPKernelApp.parent_handle={parent}"]
    launch_new_instance()


if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # this one's working folder, which -m adds; that of a kernel is added by IPython
    serve(socket.socket(fileno=os.dup(0)))
