"""Kernels that are forked from one parent: the same outputs, one's death harms no other, and nothing survives."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import papermill
import pytest
from jupyter_client.manager import start_new_kernel
from jupyter_client.provisioning import KernelProvisionerFactory

from nxp2lib import paths
from nxp2lib.run import warm

pytestmark = pytest.mark.skipif(os.name != "posix", reason="elsewhere kernels begin as always")
CHOICE = "JUPYTER_DEFAULT_PROVISIONER_NAME"


@pytest.fixture
def kernel(monkeypatch):
    """Return a function that starts a warm kernel: its manager, and a function that runs code and returns its text."""
    choose(monkeypatch, "nxp2-warm")
    started = []

    def start():
        manager, client = start_new_kernel()
        started.append((manager, client))

        def run(code: str) -> str:
            said: list[str] = []
            client.execute_interactive(code, timeout=60, output_hook=lambda m: said.append(_text(m["content"])))
            return "".join(said)

        return manager, run

    yield start
    for manager, client in started:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def choose(monkeypatch, name: str):
    """Let kernels begin in one way; the environment variable is read once."""
    monkeypatch.setattr(KernelProvisionerFactory.instance(), "default_provisioner_name", name)


def _text(content: dict) -> str:
    return content.get("text") or content.get("ename") or ""


def is_there(pid: int) -> bool:
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return bool(listed.strip()) and "Z" not in listed


def is_gone(pid: int) -> bool:
    end = time.monotonic() + 20
    while is_there(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not is_there(pid)


def test_warm_and_cold_kernels_leave_the_same_bytes(tmp_path, monkeypatch):
    left = []
    for name in ("local-provisioner", "nxp2-warm"):
        choose(monkeypatch, name)
        out, copy, notebook = tmp_path / name, tmp_path / f"{name}.ipynb", paths.NOTEBOOKS / "04_malignancy.ipynb"
        papermill.execute_notebook(notebook, copy, {"output_dir": str(out)}, progress_bar=False, cwd=tmp_path)
        cells = json.loads(copy.read_text("utf-8"))["cells"]
        files = {path.relative_to(out): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
        left.append(([cell.get("outputs") for cell in cells], files))
    assert left[0] == left[1] and len(left[0][1]) >= 3


def test_a_kernel_has_imported_nothing_again_and_knows_its_own_surroundings(kernel, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASKED", "yes")
    _, run = kernel()
    asked = "'pandas' in sys.modules, os.getcwd(), os.environ.get('ASKED'), os.getsid(0) == os.getpid()"
    assert run(f"import os, sys; print({asked})").split() == ["True", str(tmp_path), "yes", "True"]
    assert run("'OPENBLAS_NUM_THREADS' in os.environ or print('none')") == "none\n"


def test_two_kernels_draw_different_random_numbers(kernel):
    draw = "import random, numpy as np; print(random.random(), np.random.random())"
    one, other = (kernel()[1](draw) for _ in range(2))
    assert not set(one.split()) & set(other.split())


def test_a_kernel_that_dies_or_is_interrupted_harms_no_other(kernel):
    (first, dies), (second, goes_on) = kernel(), kernel()
    process = first.provisioner.process
    assert process.poll() is None
    goes_on("x = 5")
    dies("import os; pid = os.getpid()")
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(20) == -signal.SIGKILL and is_gone(process.pid)
    assert goes_on("print(x)") == "5\n"
    second.provisioner.process.send_signal(signal.SIGINT)
    assert goes_on("print(x)").endswith("5\n")


def test_the_parent_has_one_thread_and_its_death_is_that_of_its_kernels_alone(kernel):
    _, run = kernel()
    pid = int(run("import os; print(os.getpid())"))
    parent = warm._PARENTS[0].process
    if sys.platform == "linux":
        assert len(list(Path(f"/proc/{parent.pid}/task").iterdir())) == 1
    parent.kill()
    assert is_gone(pid)
    assert kernel()[1]("print(1)") == "1\n", "the next kernel has a new parent"


def test_a_parent_is_not_older_than_the_package(kernel, monkeypatch, tmp_path):
    kernel()
    before = warm._PARENTS[0].process.pid
    (tmp_path / "edited.py").touch()
    monkeypatch.setattr(warm, "PACKAGE", tmp_path)
    kernel()
    assert warm._PARENTS[0].process.pid != before


def test_nothing_survives_the_process_that_asked(tmp_path):
    code = (
        "import time; from jupyter_client.manager import start_new_kernel; from nxp2lib.run import warm\n"
        "manager, _ = start_new_kernel(); pids = manager.provisioner.process.pid, warm._PARENTS[0].process.pid\n"
        "print(*pids, flush=True); time.sleep(60)"
    )
    command, environment = [sys.executable, "-c", code], os.environ | {CHOICE: "nxp2-warm"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        pids = [int(word) for word in process.stdout.readline().split()]
        assert len(pids) == 2 and all(map(is_there, pids))
        process.kill()
    assert all(map(is_gone, pids))
