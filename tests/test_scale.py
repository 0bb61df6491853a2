"""Many patients: the same numbers as plain counting and as SciPy give."""

import centres
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nxp2lib import cohort, compare, describe, published

PATIENTS = 20_000


@pytest.fixture(scope="module")
def typed() -> pd.DataFrame:
    return centres.patients(PATIENTS, seed=21)


@pytest.fixture(scope="module")
def results(typed) -> pd.DataFrame:
    patients = cohort.prepare(typed.rename(index=lambda place: place + 2))
    return compare.two_groups(patients, published.rows("table1"), "age_group")


def crossed(typed: pd.DataFrame, row: str) -> np.ndarray:
    """With and without a finding, by juvenile and adult, counted from the text of the file."""
    known = typed[typed[row] != ""]
    juvenile = known["age_at_onset"].astype(int) < 18
    yes = known[row] == "1"
    return np.array([[(group & answer).sum() for answer in (yes, ~yes)] for group in (juvenile, ~juvenile)])


@pytest.mark.parametrize("row", ["myalgia", "facial_edema", "dysphagia", "perifascicular_atrophy"])
def test_counts_and_tests_of_many_patients_are_those_of_scipy(typed, results, row):
    counts = crossed(typed, row)
    for place, group in enumerate(("juvenile", "adult")):
        assert describe.value(results, row, group, "n") == counts[place, 0]
        assert describe.value(results, row, group, "denominator") == counts[place].sum()
    p = describe.value(results, row, "comparison", "p_value")
    assert p == pytest.approx(stats.fisher_exact(counts).pvalue, rel=1e-6)
    simple = counts[1, 0] * counts[0, 1] / (counts[1, 1] * counts[0, 0])
    assert describe.value(results, row, "comparison", "odds_ratio") == pytest.approx(simple, rel=1e-3)


def test_ranks_of_many_patients_are_those_of_scipy(typed, results):
    levels = typed["max_creatine_kinase"].astype(float)
    adult = typed["age_at_onset"].astype(int) >= 18
    expected = stats.mannwhitneyu(levels[adult], levels[~adult], use_continuity=False, method="asymptotic")
    found = describe.value(results, "max_creatine_kinase", "comparison", "p_value")
    assert found == pytest.approx(expected.pvalue, rel=1e-9)
    sample = np.subtract.outer(levels[adult].to_numpy(), levels[~adult].to_numpy())
    shift = describe.value(results, "max_creatine_kinase", "comparison", "shift")
    assert shift == pytest.approx(np.median(sample))
