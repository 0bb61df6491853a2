"""Two hundred synthetic cohorts against every printed number, by plain counting that shares nothing with the solver."""

from decimal import Decimal
from io import StringIO
from itertools import islice

import numpy as np
import pandas as pd
import pytest
from budget import budget
from scipy.stats import mannwhitneyu
from test_reconstruct import KEPT, finding, groups, rounds_to

from nxp2lib import dictionary, paths
from nxp2lib.reconstruction import facts, witnesses
from nxp2lib.reconstruction.puzzle import Infeasible

NUMBER = budget(40, 200)
FACTS = {(row.expression, row.printed) for row in KEPT if not row.expression.startswith("flow")}


@pytest.fixture(scope="module")
def cohorts():
    return list(witnesses.cohorts(NUMBER))


@pytest.fixture(scope="module")
def everyone(cohorts):
    """All patients of all cohorts as a file holds them, and which cohort each is of."""
    files = (StringIO(cohort.to_csv(index=False)) for cohort in cohorts)
    return pd.concat([pd.read_csv(file).assign(cohort=number) for number, file in enumerate(files)], ignore_index=True)


def expected_in_a_year(patients):
    rates = pd.read_csv(paths.RATES).groupby(["sex", "age_lower"])[["cases", "population"]].sum()
    bands = pd.MultiIndex.from_arrays([patients["sex"], patients["age_at_onset"] // 5 * 5])
    return pd.Series((rates["cases"] / rates["population"]).loc[bands].to_numpy(), index=patients.index)


def p_values(everyone, result, row):
    first, second = ("juvenile", "adult") if result == "table1" else ("limited", "extended")
    for _, cohort in everyone.groupby("cohort"):
        samples = [cohort.loc[groups(cohort)[name], row] for name in (first, second)]
        yield mannwhitneyu(*samples, method="asymptotic", use_continuity=False).pvalue


def recomputed(everyone, expression):
    """Return what each cohort gives at the address of a printed number."""
    result, row, group, statistic = expression.split("/")
    if statistic == "p_value":
        return list(p_values(everyone, result, row))
    here = everyone[groups(everyone)[group]]
    by_cohort = here.groupby("cohort")
    if statistic == "sir":
        return list(by_cohort["malignancy"].sum() / expected_in_a_year(here).groupby(here["cohort"]).sum())
    if statistic in ("q1", "median", "q3"):
        share = {"q1": 0.25, "median": 0.5, "q3": 0.75}[statistic]
        return [np.quantile(values, share, method="weibull") for _, values in by_cohort[row]]
    if statistic in ("mean", "minimum", "maximum"):
        return list(by_cohort[row].agg({"mean": "mean", "minimum": "min", "maximum": "max"}[statistic]))
    known = finding(here, row).dropna().groupby(here["cohort"])
    size = everyone.groupby("cohort").size() if row == "patients" else known.count()
    percent = [100 * Decimal(int(n)) / int(whole) for n, whole in zip(known.sum(), size, strict=True)]
    return {"n": list(known.sum()), "denominator": list(known.count()), "percent": percent}[statistic]


def test_there_are_more_than_two_hundred_printed_numbers_to_keep():
    assert len(FACTS) > 200


@pytest.mark.parametrize("expression, printed", sorted(FACTS), ids=lambda text: text)
def test_every_cohort_reproduces_a_printed_number_by_plain_counting(everyone, expression, printed):
    found = recomputed(everyone, expression)
    assert len(found) == NUMBER
    assert [number for number, value in enumerate(found) if not rounds_to(printed, value)] == []


def test_no_two_cohorts_are_of_the_same_patients_in_whatever_order(cohorts):
    lines = (cohort.drop(columns="patient_id").to_csv(index=False).splitlines() for cohort in cohorts)
    assert len({tuple(sorted(patients)) for patients in lines}) == NUMBER


@pytest.mark.parametrize(
    "left_open",
    [
        lambda patients: (patients["malignancy"] == 1) & (patients["dysphagia"] == 1),
        lambda patients: (patients["microinfarction"] == 1) & (patients["ana_titer"] > 40),
        lambda patients: (
            (patients["age_at_onset"] < 18) & (patients["sex"] == "male") & (patients["distal_weakness"] == 1)
        ),
    ],
    ids=["malignancy with dysphagia", "microinfarction with antibodies", "boys with distal weakness"],
)
def test_a_cross_that_the_paper_leaves_open_differs_between_cohorts(everyone, left_open):
    assert left_open(everyone).groupby(everyone["cohort"]).sum().nunique() >= 4


def test_creatine_kinase_is_plausible_for_each_patient_of_each_cohort(everyone):
    level, normal = everyone["max_creatine_kinase"], everyone["creatine_kinase_elevated"] == 0
    men = everyone["sex"] == "male"
    assert level[normal & men].between(59, 248).all() and level[normal & ~men].between(41, 153).all()
    assert (level[~normal] >= 300).all()


def test_every_cohort_has_the_columns_and_marks_of_a_cohort_file(cohorts):
    columns = [name for name in dictionary.stored() if not name.endswith(("from_onset", "follow_up_years"))]
    assert all(cohort.columns.tolist() == columns for cohort in cohorts)
    assert all((cohort["synthetic"] == 1).all() and len(cohort) == 76 for cohort in cohorts)


def test_fewer_cohorts_are_the_first_of_more_and_the_same_every_time(cohorts):
    for again, before in zip(witnesses.cohorts(5), cohorts, strict=False):
        pd.testing.assert_frame_equal(again, before)


def test_another_seed_gives_other_cohorts(cohorts):
    assert not next(islice(witnesses.cohorts(1, seed=2), 1)).equals(cohorts[0])


def test_numbers_that_contradict_one_another_are_named():
    known = facts.kept()
    known.loc[known["expression"] == "table1/heliotrope_rash/juvenile/n", "printed"] = "12"
    with pytest.raises(Infeasible, match="table1/heliotrope_rash/juvenile/n = 12 "):
        next(witnesses.cohorts(1, known=known))
