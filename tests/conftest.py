"""Shared by all tests: a place for results that is not ``outputs``, random cohorts, and tiny notebooks."""

import atexit
import os
import shutil
import tempfile

import hypothesis
import pytest
from made import random_cohort

# Set before anything runs, and inherited by every kernel: notebooks under test never touch the results of a run.
os.environ["NXP2_OUTPUT_ROOT"] = tempfile.mkdtemp(prefix="nxp2-tests-")
# No test is timed, and continuous integration tries the same examples on every run.
hypothesis.settings.register_profile("project", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("project")
atexit.register(shutil.rmtree, os.environ["NXP2_OUTPUT_ROOT"], ignore_errors=True)

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
