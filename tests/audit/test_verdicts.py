"""The verdict on one printed number, by numbers that can be redone by hand."""

import pytest

from nxp2lib import digits, fourfold
from nxp2lib.audit import verdicts
from nxp2lib.audit.conventions import Practice
from nxp2lib.audit.summaries import MeanSD, Summary

RASH, SEX, INFARCTION = [[40, 7], [28, 1]], [[13, 23], [13, 27]], [[9, 23], [2, 30]]


@pytest.mark.parametrize(
    "printed, number, denominator, verdict, convention",
    [
        ("55.2", 16, 29, "reproduced", []),
        ("0", 0, 29, "reproduced", []),
        ("6.3", 2, 32, "reproduced", []),  # 6.25 rounds half up
        ("62.0", 18, 29, "reproduced under another convention", ["cut off"]),
        ("17", 1649, 10_000, "reproduced under another convention", ["rounded twice"]),  # 16.49, then 16.5, then 17
        ("33.4", 1, 3, "inconsistent", []),
    ],
)
def test_a_percentage_by_its_count(printed, number, denominator, verdict, convention):
    found = verdicts.percentage(printed, number, denominator)
    assert (found.verdict, *found.conventions[:1]) == (verdict, *convention)


def test_a_percentage_that_another_count_would_give_names_it():
    assert "59.6 % would be 28 of 47" in verdicts.percentage("59.6", 29, 47).reason


def test_a_percentage_that_no_count_gives_names_its_neighbours():
    reason = verdicts.percentage("15.8", 4, 29).reason
    assert "no whole number of 29 is 15.8 %: 4 are 13.8, 5 are 17.2" in reason


@pytest.mark.parametrize("number, denominator", [(5, 4), (-1, 4), (0, 0)])
def test_a_count_outside_its_denominator_is_refused(number, denominator):
    with pytest.raises(ValueError, match=f"{number}/{denominator} is not accepted"):
        verdicts.percentage("10", number, denominator)


@pytest.mark.parametrize(
    "printed, table, verdict, convention",
    [
        ("0.811", SEX, "reproduced", ["two-sided Fisher"]),
        ("NS", SEX, "reproduced", ["two-sided Fisher"]),
        (">0.05", SEX, "reproduced", ["two-sided Fisher"]),
        ("0.464", SEX, "reproduced under another convention", ["one-sided Fisher"]),
        ("0.15", RASH, "reproduced under another convention", ["rounded twice"]),
        ("0.14", RASH, "reproduced", ["two-sided Fisher"]),
        ("0.04", INFARCTION, "reproduced", ["two-sided Fisher"]),
        ("0.141", RASH, "inconsistent", []),
        ("<0.01", INFARCTION, "inconsistent", []),
    ],
)
def test_a_p_value_by_its_table(printed, table, verdict, convention):
    found = verdicts.p_value(printed, [table])
    assert (found.verdict, *found.conventions[:1]) == (verdict, *convention)


def test_a_p_value_between_two_attainable_ones_names_both():
    reason = verdicts.p_value("0.03", [[[27, 20], [23, 6]]]).reason
    assert "with these margins it can be 0.0240 and 0.0504, nothing between" in reason


def test_the_preferred_convention_is_named_first_where_several_fit():
    table, printed = [[14, 22], [19, 21]], "0.30"
    assert verdicts.p_value(printed, [table]).conventions[0] == "one-sided Fisher"
    named = Practice(preferred="mid_p_doubled")
    p = f"{fourfold.p_values([table], ['mid_p_doubled']).iloc[0, 0]:.4f}"
    assert verdicts.p_value(p, [table], named).conventions[0] == "doubled one-sided mid-P"


def test_a_star_beside_a_p_value_that_it_contradicts():
    found = verdicts.star("*", RASH, beside="0.15")
    assert found.verdict == "inconsistent"
    assert verdicts.star("*", INFARCTION).verdict == "reproduced"
    assert verdicts.star("**", INFARCTION).verdict == "inconsistent"


def test_quartiles_far_apart_exclude_a_large_p_value():
    low, high = Summary(9, "5", "3", "7"), Summary(9, "30", "20", "40")
    assert verdicts.rank_test("0.50", high, low).verdict == "inconsistent"
    assert verdicts.rank_test("<0.05", high, low).verdict == "undetermined"
    assert verdicts.rank_test("NS", high, low).verdict == "undetermined"
    apart = Summary(9, "30", "20", "40", "15", "50"), Summary(9, "5", "3", "7", "1", "9")
    assert verdicts.rank_test("NS", *apart).verdict == "inconsistent"


@pytest.mark.parametrize(
    "printed, verdict, convention",
    [
        ("0.02", "reproduced", ["Student's t test"]),
        ("0.018", "consistent", ["Student's t test"]),
        ("0.40", "inconsistent", []),
    ],
)
def test_a_t_test_within_the_rounding_of_means_and_standard_deviations(printed, verdict, convention):
    found = verdicts.t_test(printed, MeanSD(10, "5.0", "1.0"), MeanSD(10, "6.2", "1.1"), ["student"])
    assert (found.verdict, *found.conventions[:1]) == (verdict, *convention)


def test_an_incidence_ratio_that_needs_longer_time_at_risk_is_undetermined():
    assert verdicts.incidence_ratio("22.4", 8, (0.21, 0.74)).verdict == "consistent"
    found = verdicts.incidence_ratio("2.24", 8, (0.21, 0.74))
    assert found.verdict == "undetermined"
    assert "4.82 to 17.04 person-years each, which the paper does not print" in found.reason


@pytest.mark.parametrize(
    "printed, least, greatest, expected",
    [
        ("0.05", 0.01, 0.0449, False),
        ("0.05", 0.01, 0.045, True),
        ("0.05", 0.055, 0.9, False),
        ("<0.01", 0.0099, 0.5, True),
        ("<0.01", 0.01, 0.5, False),
        (">0.05", 0.01, 0.05, False),
        ("NS", 0.01, 0.05, True),
    ],
)
def test_whether_some_p_value_between_bounds_is_printed_like_this(printed, least, greatest, expected):
    assert digits.may_be_printed(printed, least, greatest) is expected


def test_quartiles_that_no_data_have_are_inconsistent_whatever_the_p_value():
    found = verdicts.rank_test("0.5", Summary(9, "5", "6", "8"), Summary(9, "30", "20", "40"))
    assert found.verdict == "inconsistent"
    assert "the second group (n 9, median 5, q1 6, q3 8)" in found.reason


def test_a_percentage_of_many_patients_names_a_range_of_counts():
    assert "7 % would be 65 to 74 of 1000" in verdicts.percentage("7", 900, 1000).reason
