"""The incidence ratio against R, against hand sums, and against what must hold for any cohort."""

import math

import pandas as pd
import pytest
from golden.read import by_name, cases
from hypothesis import given
from hypothesis import strategies as st
from test_describe import five_patients

from nxp2lib import describe, incidence


@pytest.mark.parametrize("case", cases("poisson"), ids=by_name)
@pytest.mark.parametrize("name", incidence.INTERVALS)
def test_intervals_agree_with_r(case, name):
    [[observed, expected]] = case["input"]
    for level, low in case[f"{name}_low"].items():
        found = incidence.INTERVALS[name](observed, expected, level)
        assert found.sir == pytest.approx(case["ratio"], rel=1e-9)
        assert list(found[1:]) == pytest.approx([low, case[f"{name}_high"][level]], rel=1e-8, abs=1e-12)


def test_zero_cases_give_a_lower_limit_of_zero():
    for interval in incidence.INTERVALS.values():
        assert interval(0, 0.5).ci_low == 0


def test_nothing_expected_gives_no_ratio():
    assert all(math.isnan(number) for number in incidence.garwood(3, 0.0))


@given(st.integers(0, 60), st.floats(0.05, 50), st.sampled_from(list(incidence.INTERVALS)))
def test_the_interval_holds_the_ratio_and_widens_with_confidence(observed, expected, name):
    narrow, wide = (incidence.INTERVALS[name](observed, expected, level) for level in (0.9, 0.99))
    assert wide.ci_low <= narrow.ci_low <= narrow.sir <= narrow.ci_high <= wide.ci_high


def test_rates_pool_the_two_years():
    row = incidence.rates().query("sex == 'male' and age_lower == 0").iloc[0]
    assert row["cases"] == 568 + 538
    assert row["population"] == 2540000 + 2513000


def test_rates_cover_every_age_once():
    for _, rates in incidence.rates().groupby("sex"):
        ages = rates.sort_values("age_lower")
        assert ages["age_lower"].tolist() == list(range(0, 105, 5))
        assert ages["age_upper"].tolist() == [*range(4, 100, 5), math.inf]


def split(age, sex, years):
    found = incidence.person_years(pd.Series([age]), pd.Series([sex]), years)
    found = found[found["person_years"] > 0]
    return list(zip(found["sex"], found["age_lower"], found["person_years"], strict=True))


def test_time_at_risk_is_split_at_the_borders_of_the_age_classes():
    assert split(48, "female", 5) == [("female", 45, 2.0), ("female", 50, 3.0)]
    assert split(44, "male", 1) == [("male", 40, 1.0)]
    assert split(44, "male", 1.5) == [("male", 40, 1.0), ("male", 45, 0.5)]


def test_the_oldest_class_has_no_upper_end():
    assert split(104, "female", 10) == [("female", 100, 10.0)]


@given(st.integers(0, 110), st.sampled_from(["male", "female"]), st.floats(0.1, 60))
def test_no_time_is_lost_or_invented(age, sex, years):
    assert sum(time for *_, time in split(age, sex, years)) == pytest.approx(years)


@pytest.mark.parametrize("years", [0, -1, math.nan, math.inf])
def test_a_time_that_is_no_number_of_years_above_zero_is_refused(years):
    with pytest.raises(ValueError, match=r"years_at_risk: .* is not accepted"):
        incidence.check_years_at_risk(years)


def with_malignancy(*answers):
    return five_patients(malignancy=list(answers))


def test_an_unknown_malignancy_leaves_both_sides_of_the_ratio():
    known = incidence.standardize(with_malignancy("0", "0", "1", "0", "")[2:])
    rates = incidence.rates().set_index(["sex", "age_lower"])["rate"]
    assert known["observed"] == 1
    assert known["missing"] == 1
    assert known["expected"] == pytest.approx(rates["female", 40] + rates["male", 60])


def test_each_patient_may_have_a_time_of_their_own():
    patients = with_malignancy("0", "0", "1", "0", "0")
    found = incidence.standardize(patients[2:], pd.Series([1.0, 2.0, 3.0], index=patients.index[2:]))
    assert found["person_years"] == 6


def test_a_cohort_without_adults_has_no_ratio():
    children = five_patients(age_at_onset=["4"] * 5, malignancy=["0"] * 5)
    found = incidence.malignancies(children)
    assert describe.value(found, "all_sites", "adult", "observed") == 0
    assert math.isnan(describe.value(found, "all_sites", "adult", "sir"))


def test_longer_time_at_risk_lowers_the_ratio():
    found = incidence.malignancies(with_malignancy("0", "0", "1", "1", "0"))
    ratios = [describe.value(found, f"years_at_risk_{year}", "adult", "sir") for year in range(1, 11)]
    assert ratios == sorted(ratios, reverse=True)


def test_sites_are_counted_by_age_group():
    patients = five_patients(
        malignancy=["0", "0", "1", "1", "1"], malignancy_site=["", "", "breast", "colon", "breast"]
    )
    found = incidence.sites(patients)
    assert found["row"].iloc[0] == "breast"
    assert describe.value(found, "breast", "adult", "n") == 2
    assert describe.value(found, "breast", "juvenile", "n") == 0


def test_own_follow_up_counts_the_adults_who_have_one_above_zero():
    patients = with_malignancy("0", "0", "1", "0", "0")
    assert "follow_up_years" not in set(incidence.malignancies(patients)["row"])
    some = five_patients(malignancy=["0", "0", "1", "1", "1"], follow_up_years=["", "", "1", "2.5", "0"])
    found = incidence.malignancies(some)
    assert describe.value(found, "follow_up_years", "adult", "person_years") == 3.5


def test_a_case_without_a_time_at_risk_leaves_both_sides_of_the_ratio():
    some = five_patients(malignancy=["0", "0", "1", "1", "1"], follow_up_years=["", "", "1", "2.5", ""])
    found = incidence.malignancies(some)
    assert describe.value(found, "follow_up_years", "adult", "observed") == 2
    assert describe.value(found, "follow_up_years", "adult", "missing") == 1


def test_a_malignancy_without_a_site_is_counted_as_unknown():
    patients = five_patients(malignancy=["0", "0", "1", "1", "1"], malignancy_site=["", "", "", "colon", "breast"])
    found = incidence.sites(patients)
    assert found["row"].iloc[-1] == "unknown"
    assert describe.value(found, "unknown", "adult", "n") == 1


def test_no_interval_reaches_below_zero():
    assert incidence.byar(1, 1.0, 0.999999).ci_low == 0
