"""Shared by all tests: a place for results that is not ``outputs``, one default run, random cohorts, tiny notebooks."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import hypothesis
import pytest
from advice import what_to_do
from budget import FEW
from filelock import FileLock
from made import random_cohort

# Set before anything runs, and inherited by every kernel: notebooks under test never touch the results of a run.
os.environ["NXP2_OUTPUT_ROOT"] = tempfile.mkdtemp(prefix="nxp2-tests-")
# What follows from the paper alone is computed once for all processes of one test run, and never taken from another.
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["NXP2_CACHE"] = tempfile.mkdtemp(prefix="nxp2-tests-cache-")
    atexit.register(shutil.rmtree, os.environ["NXP2_CACHE"], ignore_errors=True)
# nbval's kernels begin warm too.
os.environ["JUPYTER_DEFAULT_PROVISIONER_NAME"] = "nxp2-warm"
# A shell lets what it starts in the background ignore Ctrl-C, and so would every command that a test starts and stops.
signal.signal(signal.SIGINT, signal.default_int_handler)
# No test is timed, and continuous integration tries the same examples on every run.
hypothesis.settings.register_profile("project", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("project")
atexit.register(shutil.rmtree, os.environ["NXP2_OUTPUT_ROOT"], ignore_errors=True)


LONGEST = ("test_collection", "test_own_cohort", "test_book", "test_app", "test_sandbox", "test_class", "test_faults",
           "test_paper", "06_", "test_archive", "test_figure", "test_export", "test_releases", "test_verify",
           "test_execution", "test_reconstruct", "05_")  # fmt: skip


def pytest_collection_modifyitems(items):
    """Let the longest files begin; each is run by one process."""

    def rank(item) -> int:
        places = [place for place, name in enumerate(LONGEST) if item.path.stem.startswith(name)]
        return places[0] if places else len(LONGEST)

    items.sort(key=rank)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Let every test that fails say what to do."""
    report = yield
    if report.failed:
        report.sections.append(("What to do", what_to_do(item.nodeid)))
    return report


@pytest.fixture(scope="session")
def default_run(tmp_path_factory):
    """The folder of a finished run of all notebooks on the default cohort; not to be changed.

    The processes of one test run share it: the first that needs it makes it. In the short tests few cohorts are drawn:
    all of them are drawn, and compared with the outputs stored, under nbval.
    """
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    folder = shared / "default run"
    with FileLock(shared / "default run.lock"):
        if not folder.exists():
            command = [sys.executable, "-m", "nxp2lib", "run", "--out", str(shared / "unfinished"), "--jobs", "1", *FEW]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            (shared / "unfinished").rename(folder)
    return folder


PARAMETERS = """\
cohort_path: str = "data/cohort.csv"  # one patient per row
map_path: str = ""  # headers and codes
output_dir: str = "outputs"  # folder of the results
juvenile_below_age: int = 18  # (years)
confidence: float = 0.95  # level of the intervals
"""


@pytest.fixture
def write_cohort(tmp_path):
    """Return a function that writes a random, valid cohort file and returns its path.

    Arguments are those of `random_cohort`, and ``name``, whose suffix decides between CSV and Excel.
    """

    def write(patients: int = 20, seed: int = 1, missing: float = 0.0, name: str = "cohort.csv"):
        frame, path = random_cohort(patients, seed, missing), tmp_path / name
        if path.suffix == ".xlsx":
            frame.to_excel(path, index=False)
        else:
            frame.to_csv(path, index=False)
        return path

    return write


@pytest.fixture(scope="session")
def write_notebook():
    """Return a function that writes a notebook of code cells, after a parameters cell, and returns its path."""
    from nbformat import v4, write

    def write_one(path, *sources: str, parameters: str = PARAMETERS, tags: dict[int, str] | None = None):
        cells = [v4.new_markdown_cell("# A question"), v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})]
        for place, source in enumerate(sources):
            labels = [tags[place]] if tags and place in tags else []
            cells.append(v4.new_code_cell(source, metadata={"tags": labels}))
        path.parent.mkdir(parents=True, exist_ok=True)
        write(v4.new_notebook(cells=cells), path)
        return path

    return write_one
