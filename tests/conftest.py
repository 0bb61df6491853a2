"""Shared by all tests: a place for results that is not ``outputs``, random cohorts, and tiny notebooks."""

import atexit
import os
import shutil
import tempfile

import hypothesis
import numpy as np
import pandas as pd
import pytest

from nxp2lib import dictionary, findings
from nxp2lib.intake import Problem, checks

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


def random_cells(column, patients: int, rng) -> np.ndarray:
    """Return values of one column as they are written in files, all accepted by the dictionary."""
    if column.values:
        return rng.choice(column.values, patients)
    if column.type == "text":
        return np.array([f"{column.name[0].upper()}{number:03d}" for number in range(1, patients + 1)])
    return rng.integers(int(column.minimum), int(min(column.maximum, 20_000)), patients, endpoint=True).astype(str)


def random_cohort(patients: int = 20, seed: int = 1, missing: float = 0.0) -> pd.DataFrame:
    """Return a cohort as its file holds it, text and valid; ``missing`` is the share of blanks where they may be."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {name: random_cells(column, patients, rng) for name, column in dictionary.stored().items()}, dtype=str
    )
    for finding, general in findings.RULES:
        frame.loc[frame[finding] == "1", general] = "1"
    for name, column in dictionary.stored().items():
        if column.required == "no":
            frame[name] = frame[name].mask(rng.random(patients) < missing, "")
    for name, column in dictionary.stored().items():
        if column.applies_when:
            frame[name] = frame[name].where(frame[column.applies_when] == "1", "")
    return frame


def problems(raw: pd.DataFrame) -> list[Problem]:
    """Return everything that is wrong in a table of text."""
    return checks.problems(checks.understood(raw))


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
