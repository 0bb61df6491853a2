"""Counts, percentages, means and quantiles against hand-counted frames and R."""

import numpy as np
import pandas as pd
import pytest
from golden.read import by_name, cases
from hypothesis import given
from hypothesis import strategies as st
from made import random_cohort

from nxp2lib import cohort, describe

ROWS = pd.DataFrame({"row": ["myalgia", "max_creatine_kinase"], "kind": ["count", "median"]})


def five_patients(**changes) -> pd.DataFrame:
    """Five patients whose every count below was made by hand."""
    columns = {
        "patient_id": list("abcde"),
        "sex": ["male", "female", "female", "male", "female"],
        "age_at_onset": ["4", "12", "40", "61", "80"],
        "heliotrope_rash": ["1", "0", "0", "", "0"],
        "gottron_sign_or_papules": ["1", "1", "0", "0", "0"],
        "any_rash": ["1", "1", "1", "", "0"],
        "myalgia": ["1", "0", "", "1", "1"],
        "muscle_weakness": ["1", "1", "1", "1", "0"],
        "distal_weakness": ["1", "1", "0", "0", "0"],
        "max_creatine_kinase": ["100", "200", "300", "400", "500"],
        "ana_titer": ["0", "40", "80", "160", ""],
    }
    raw = pd.DataFrame({**columns, **changes})
    raw.index = pd.RangeIndex(2, 7)
    return cohort.prepare(raw)


def test_a_missing_answer_leaves_the_denominator_and_is_counted():
    assert describe.proportion(five_patients()["myalgia"]) == {
        "n": 3,
        "denominator": 4,
        "percent": 75.0,
        "missing": 1,
    }


def test_a_proportion_of_nobody_is_missing_not_zero():
    found = describe.proportion(pd.Series([None, None], dtype="boolean"))
    assert found["denominator"] == 0
    assert np.isnan(found["percent"])


@pytest.mark.parametrize("case", cases("quantiles"), ids=by_name)
@pytest.mark.parametrize(("method", "r_type"), [("weibull", "type_6"), ("linear", "type_7")])
def test_quartiles_agree_with_r(case, method, r_type):
    [values] = case["input"]
    found = describe.quantiles(pd.Series(values), method)
    assert list(found.values()) == pytest.approx([case[r_type][p] for p in (0.25, 0.5, 0.75)], rel=1e-9)


def test_an_unknown_quantile_method_names_the_accepted_ones():
    with pytest.raises(ValueError, match="quantile_method: 'spss' is not accepted; accepted: weibull"):
        describe.quantiles(pd.Series([1.0]), "spss")


def test_quartiles_of_nobody_are_missing():
    assert all(np.isnan(number) for number in describe.quantiles(pd.Series([], dtype="Float64")).values())


def test_groups_keep_patients_of_unknown_group_in_the_total_only():
    parts = describe.groups(five_patients(), "phenotype")
    assert {name: len(part) for name, part in parts.items()} == {"total": 5, "polymyositis": 2, "dermatomyositis": 2}


def test_a_summary_opens_with_the_size_of_each_group():
    found = describe.summarize(five_patients(), ROWS, "age_group")
    assert [describe.value(found, "patients", group, "n") for group in ["total", "juvenile", "adult"]] == [5, 2, 3]
    assert describe.value(found, "patients", "juvenile", "percent") == 40
    assert describe.value(found, "max_creatine_kinase", "adult", "median") == 400


def test_a_summary_of_a_one_sided_cohort_has_missing_statistics_for_the_empty_group():
    found = describe.summarize(five_patients(age_at_onset=["4"] * 5), ROWS, "age_group")
    assert describe.value(found, "myalgia", "adult", "denominator") == 0
    assert np.isnan(describe.value(found, "max_creatine_kinase", "adult", "median"))


def test_skin_categories_need_a_known_phenotype_and_a_known_rash():
    named = describe.skin_categories(five_patients())
    assert named.astype(object).where(named.notna(), None).tolist() == [
        "dermatomyositis",
        "dermatomyositis",
        "other_rash",
        None,
        "no_rash",
    ]


def test_titers_are_counted_among_known_titers():
    found = describe.running_text(five_patients())
    assert describe.value(found, "ana_titer_80", "total", "n") == 1
    assert describe.value(found, "ana_titer_below_80", "total", "percent") == 50


def test_looking_up_a_number_that_is_not_there_names_it():
    with pytest.raises(KeyError, match="myalgia/adult/median stands 0 times"):
        describe.value(describe.summarize(five_patients(), ROWS, "age_group"), "myalgia", "adult", "median")


@given(st.lists(st.sampled_from([True, False, None]), min_size=1))
def test_doubling_a_cohort_doubles_counts_and_keeps_percentages(answers):
    once, twice = (describe.proportion(pd.Series(answers * times, dtype="boolean")) for times in (1, 2))
    assert (twice["n"], twice["denominator"], twice["missing"]) == (
        2 * once["n"],
        2 * once["denominator"],
        2 * once["missing"],
    )
    assert twice["percent"] == once["percent"] or once["denominator"] == 0


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.sampled_from(list(describe.QUANTILE_METHODS)))
def test_quartiles_are_ordered_and_within_the_range(values, method):
    q1, median, q3 = describe.quantiles(pd.Series(values), method).values()
    slack = 1e-9 * (1 + max(values))
    assert min(values) - slack <= q1 <= median + slack <= q3 + 2 * slack <= max(values) + 3 * slack


def test_the_ends_of_a_range_are_those_of_a_class_where_one_real_patient_has_them():
    """Youngest 17, oldest 83 and 83: the first is one person, the others are two."""
    ages = pd.Series([17, 30, 83, 83], dtype="Int64")
    ends = [tuple(describe.spread(ages, exact).values())[1:] for exact in (True, False)]
    assert ends == [(17, 83), (15, 83)]
    assert all(np.isnan(list(describe.spread(ages.iloc[:0], exact=False).values())))
    patients = five_patients(synthetic=["0"] * 5)
    rows = pd.DataFrame({"row": ["age_at_onset"], "kind": ["mean"]})
    described = describe.summarize(patients, rows, "age_group")
    shown = set(described.query("statistic in ('minimum', 'maximum')")["value"].dropna())
    assert shown and all(value % 5 in (0, 4) for value in shown)


def test_of_a_phenotype_that_is_kept_back_no_rash_is_told(tmp_path):
    """Four patients of polymyositis phenotype were not described, and their rashes were."""
    frame = random_cohort(40, seed=2).assign(synthetic="", any_rash="1", heliotrope_rash="1")
    frame.loc[:2, ["heliotrope_rash", "gottron_sign_or_papules"]] = "0"
    frame.to_csv(tmp_path / "mine.csv", index=False)
    for minimum, told in ((1, 3), (5, 0)):
        found = describe.phenotypes(cohort.load(tmp_path / "mine.csv", minimum_group=minimum))
        assert describe.value(found, "other_rash", "total", "n") == told or minimum == 5
        assert np.isnan(describe.value(found, "other_rash", "total", "n")) == (minimum == 5)
        assert describe.value(found, "polymyositis", "total", "n") == 3
        skin = describe.skin_categories(cohort.load(tmp_path / "mine.csv", minimum_group=minimum))
        assert (skin == "other_rash").sum() == told


def test_ages_of_all_do_not_tell_those_of_a_few(tmp_path):
    frame = random_cohort(40, seed=2).assign(synthetic="", age_at_onset=["9", *map(str, range(20, 59))])
    frame.to_csv(tmp_path / "mine.csv", index=False)
    rows = pd.DataFrame({"row": ["age_at_onset"], "kind": ["mean"]})
    for minimum, ends in ((1, (5, 59)), (5, (0, 110))):
        found = describe.summarize(cohort.load(tmp_path / "mine.csv", minimum_group=minimum), rows, "age_group")
        assert tuple(describe.value(found, "age_at_onset", "total", end) for end in ("minimum", "maximum")) == ends
