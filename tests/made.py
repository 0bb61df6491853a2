"""What tests make for themselves: random cohorts, what is wrong in a table, the results of a run."""

from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from budget import LONG

from nxp2lib import compare, describe, dictionary, findings, incidence, published, table
from nxp2lib.intake import Problem, checks


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


def results(patients) -> dict:
    """Long tables of a run, as the notebooks save them."""
    made = {
        "table1": compare.two_groups(patients, published.rows("table1"), "age_group"),
        "table2": compare.two_groups(patients, published.rows("table2"), "weakness_extent"),
        "figure1": describe.phenotypes(patients),
        "text": describe.running_text(patients),
        "malignancy": incidence.malignancies(patients),
    }
    return {name: table.with_display(long) for name, long in made.items()}


def finished(patients, folder):
    """Write the results of a run into a folder, and return it."""
    (folder / "results").mkdir(parents=True)
    for name, long in results(patients).items():
        long.to_csv(folder / "results" / f"{name}.csv", index=False)
    return folder


ROWS = ["male", "age_at_onset", "distal_weakness", "dysphagia", "any_rash", "malignancy"]


@contextmanager
def of_few_rows():
    """Let tables and running text have a few rows in the short tests, which is enough for an export."""
    with pytest.MonkeyPatch.context() as patched:
        if not LONG:
            rows, text = published.rows, describe.running_text
            patched.setattr(published, "rows", lambda name: rows(name).query("row in @ROWS").reset_index(drop=True))
            patched.setattr(describe, "running_text", lambda patients: text(patients).query("row in @ROWS"))
        yield
