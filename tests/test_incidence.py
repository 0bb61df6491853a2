"""The incidence ratio against R, against hand sums, and against what must hold for any cohort."""

import math
import re

import pandas as pd
import pytest
from budget import budget
from golden.read import by_name, cases
from hypothesis import given, settings
from hypothesis import strategies as st
from test_describe import five_patients

from nxp2lib import cohort, describe, incidence, paths


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


def with_times(malignancy, when, followed):
    """The five patients, the last three of whom are adults, with what is given of these."""
    children = ["", ""]
    return five_patients(
        malignancy=["0", "0", *malignancy],
        malignancy_years_from_onset=[*children, *when],
        follow_up_years=[*children, *followed],
    )


def test_only_malignancies_inside_the_time_that_is_counted_enter_the_ratio():
    """The first came before onset, the second within its follow-up, the third after the end of its own."""
    found = incidence.malignancies(with_times(["1", "1", "1"], ["-2", "1.5", "4"], ["5", "2", "2"]))

    def at(row, statistic):
        return describe.value(found, row, "adult", statistic)

    assert [at(row, "observed") for row in ("all_sites", *incidence.WINDOWS)] == [3, 0, 2, 2, 1]
    assert at("follow_up_years", "person_years") == 5 + 2 + 2
    assert at("around_onset_3", "person_years") == (3 + 3) + (3 + 2) + (3 + 2)
    assert at("around_onset_1", "person_years") == 3 * (1 + 1)
    # The woman of 40 spends three years in the class below hers and three in her own; the man of 61 two below 60.
    rate = incidence.rates().set_index(["sex", "age_lower"])["rate"]
    youngest = 3 * rate["female", 35] + 3 * rate["female", 40]
    others = 2 * rate["male", 55] + 3 * rate["male", 60] + 3 * rate["female", 75] + 2 * rate["female", 80]
    assert at("around_onset_3", "expected") == pytest.approx(youngest + others)


def test_a_malignancy_without_a_time_is_neither_in_nor_out():
    found = incidence.malignancies(with_times(["1", "1", "0"], ["0.5", "", ""], ["2", "2", ""]))
    known, most = (
        {name: describe.value(found, row, "adult", name) for name in ("observed", "person_years", "missing")}
        for row in ("follow_up_years", "follow_up_years_most")
    )
    assert known == {"observed": 1, "person_years": 2, "missing": 2}
    assert most == {"observed": 2, "person_years": 4, "missing": 1}


@pytest.mark.parametrize(
    ("when", "followed", "is_there"),
    [
        (["", ""], ["2", "2"], False),  # no malignancy has a time
        (["1", "1"], ["", ""], False),  # nobody is followed
        (["1", ""], ["", "2"], False),  # the one with a time is not followed
        (["1", ""], ["2", ""], True),
    ],
)
def test_windows_take_a_malignancy_with_a_time_and_a_follow_up(when, followed, is_there):
    rows = set(incidence.malignancies(with_times(["1", "1", "0"], [*when, ""], [*followed, ""]))["row"])
    assert (set(incidence.WINDOWS) <= rows) == is_there == bool(set(incidence.WINDOWS) & rows)


def test_a_follow_up_without_any_malignancy_needs_no_times():
    found = incidence.malignancies(with_times(["0", "0", "0"], ["", "", ""], ["2", "0", "2"]))
    assert describe.value(found, "follow_up_years", "adult", "observed") == 0
    assert describe.value(found, "follow_up_years", "adult", "person_years") == 4
    assert describe.value(found, "around_onset_1", "adult", "person_years") == 2 + 1 + 2


numbers_of_years = st.floats(0, 40).map(lambda number: round(number, 2))
answers, times = st.none() | st.booleans(), st.none() | st.floats(-9, 9)
adult = st.tuples(st.integers(18, 90), answers, times, st.none() | numbers_of_years)


@given(st.lists(adult, min_size=1, max_size=12), numbers_of_years)
@settings(max_examples=budget(25, 300))
def test_windows_hold_what_a_count_of_patient_by_patient_finds(adults, width):
    names = ["age_at_onset", "malignancy", "malignancy_years_from_onset", "follow_up_years"]
    frame = pd.DataFrame(adults, columns=names).assign(sex="female").astype({"malignancy": "boolean"})
    known_cancer = frame["malignancy"].fillna(False)
    frame["malignancy_years_from_onset"] = frame["malignancy_years_from_onset"].where(known_cancer)
    frame = frame.astype({"malignancy_years_from_onset": "Float64", "follow_up_years": "Float64"})
    found = incidence.around_onset(frame, width, width)
    inside, undated, time = 0, 0, 0.0
    for age, malignancy, when, followed in adults:
        end = min(width, followed or 0)
        if followed is not None and malignancy is not None and width + end > 0:
            time += min(width, age) + end  # nobody is at risk before birth
            undated += malignancy and when is None
            inside += malignancy and when is not None and -width <= when <= end
    assert found[""]["observed"] == inside
    assert found["_most"]["observed"] == inside + undated
    assert found["_most"]["person_years"] == pytest.approx(time)
    assert found[""]["missing"] == found["_most"]["missing"] + undated


def test_a_malignancy_without_a_site_is_counted_as_unknown():
    patients = five_patients(malignancy=["0", "0", "1", "1", "1"], malignancy_site=["", "", "", "colon", "breast"])
    found = incidence.sites(patients)
    assert found["row"].iloc[-1] == "unknown"
    assert describe.value(found, "unknown", "adult", "n") == 1


def test_no_interval_reaches_below_zero():
    assert incidence.byar(1, 1.0, 0.999999).ci_low == 0


def test_what_is_said_of_ages_in_whole_years_is_what_half_a_year_more_changes():
    adults = cohort.load().query("age_group == 'adult'")

    def expected(more: float, years: int) -> float:
        return incidence.person_years(adults["age_at_onset"] + more, adults["sex"], years)["expected"].sum()

    notebook = (paths.NOTEBOOKS / "04_malignancy.ipynb").read_text(encoding="utf-8")
    for years, said in [(1, "in one year"), (5, "in five")]:
        more = f"{100 * (expected(0.5, years) / expected(0, years) - 1):.1f} % more"
        for text in (notebook, incidence.person_years.__doc__):
            assert re.search(rf"{more} (expected cases )?{said}", text), more
    assert f"everybody half a year older: {expected(0.5, 1):.3f}" in notebook
