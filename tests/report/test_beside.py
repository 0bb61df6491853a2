"""The published cohort beside another one: intervals as in R and in Newcombe's paper, counts as counted."""

import numpy as np
import pandas as pd
import pytest
from made import random_cohort
from scipy.stats import binomtest

from nxp2lib import cohort, compare, incidence, published
from nxp2lib.report import beside

NAN = pytest.approx(float("nan"), nan_ok=True)


def compared(patients: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    tables = {"table1": "age_group", "table2": "weakness_extent"}
    results = {name: compare.two_groups(patients, published.rows(name), by) for name, by in tables.items()}
    results["malignancy"] = incidence.malignancies(patients)
    return beside.compare_cohorts(results, confidence)


@pytest.fixture(scope="module")
def own():
    return cohort.prepare(random_cohort(150, seed=4, missing=0.1))


@pytest.mark.parametrize(  # R 4.2.2: prop.test(n, of, conf.level, correct=FALSE)
    ("n", "of", "confidence", "limits"),
    [(4, 29, 0.95, (0.05497440, 0.30558994)), (0, 10, 0.95, (0, 0.2775328)), (10, 10, 0.9, (0.78705803, 1))],
)
def test_score_intervals_are_those_of_r(n, of, confidence, limits):
    assert binomtest(n, of).proportion_ci(confidence, method="wilson") == pytest.approx(limits, abs=1e-7)


@pytest.mark.parametrize(  # Newcombe 1998, table II, method 10, for the first three; R 4.2.2 by the same formula
    ("second", "first", "confidence", "expected"),
    [
        ((56, 70), (48, 80), 0.95, (0.2, 0.052431472, 0.333872654)),
        ((9, 10), (3, 10), 0.95, (0.6, 0.17052272, 0.80901797)),
        ((0, 10), (0, 20), 0.95, (0, -0.16112516, 0.2775328)),
        ((12, 40), (27, 76), 0.9, (-0.055263158, -0.194878293, 0.098375297)),
    ],
)
def test_differences_of_proportions_are_newcombes(second, first, confidence, expected):
    assert beside.newcombe(second, first, confidence) == pytest.approx(expected, abs=1e-7)
    turned = beside.newcombe(first, second, confidence)
    assert turned == pytest.approx((-expected[0], -expected[2], -expected[1]), abs=1e-7)


def test_nobody_known_is_no_difference():
    assert beside.newcombe((0, 0), (3, 10)) == (NAN, NAN, NAN)
    with pytest.raises(ValueError, match="a level between 0 and 1"):
        beside.newcombe((0, 1), (3, 10), 95)


def test_the_ratio_of_two_incidence_ratios_is_rs_poisson_test():
    assert beside.ratio_of_rates((11, 800), (23, 3000)) == pytest.approx((1.7934783, 0.78931095, 3.82982007))
    assert beside.ratio_of_rates((0, 2), (8, 0.357), 0.9) == pytest.approx((0, 0, 0.081077455), abs=1e-8)
    assert beside.ratio_of_rates((3, 1.0), (0, 1.0))[2] == float("inf")
    assert beside.ratio_of_rates((0, 1.0), (0, 1.0)) == (NAN, NAN, NAN)
    assert beside.ratio_of_rates((1, 0.0), (8, 0.357)) == (NAN, NAN, NAN)


def test_published_counts_have_the_denominator_that_their_percentage_says():
    found = compared(cohort.load()).set_index(["result", "row", "group", "statistic"])["published_denominator"]
    assert found["table1", "microinfarction", "juvenile", "percent"] == 24
    assert found["table1", "perifascicular_atrophy", "total", "percent"] == 64
    assert found["table2", "microinfarction", "extended", "percent"] == 32
    assert found["table1", "periungual_erythema", "juvenile", "percent"] == 29  # 62.0 is of no denominator
    assert found["table1", "dysphagia", "adult", "percent"] == 47


def test_the_reconstructed_cohort_differs_only_where_printed_numbers_exclude_one_another():
    found = compared(cohort.load())
    apart = found[(found["difference"].abs() > 0.5) & (found["statistic"] != "sir")]
    assert apart[["row", "group", "statistic"]].values.tolist() == [["age_at_onset", "total", "mean"]]


def test_own_counts_are_those_of_a_plain_count(own):
    found = compared(own)
    counts = found[(found["statistic"] == "percent") & (found["group"] == "adult")]
    adults = own[own["age_group"] == "adult"]
    for row in counts.itertuples():
        known = adults[row.row].dropna()
        assert (row.n, row.denominator) == (known.sum(), len(known))
        assert row.difference == pytest.approx(row.yours - row.published)
        assert row.ci_low < row.difference < row.ci_high
    assert set(counts["row"]) == set(published.rows("table1").query("kind == 'count'")["row"])


def test_a_wider_level_gives_wider_intervals(own):
    narrow, wide = (compared(own, level).set_index(["result", "row", "group", "statistic"]) for level in (0.8, 0.99))
    known = narrow["ci_low"].dropna().index
    assert (wide.loc[known, "ci_low"] < narrow.loc[known, "ci_low"]).mean() > 0.95


def test_a_cohort_without_a_column_has_nothing_to_compare_there(own):
    few = cohort.prepare(random_cohort(30, seed=3)[["patient_id", "sex", "age_at_onset"]])
    found = compared(few).query("row == 'dysphagia' and statistic == 'percent'")
    assert found["yours"].isna().all() and found["difference"].isna().all() and (found["denominator"] == 0).all()
    assert np.isfinite(found["published"]).all()
