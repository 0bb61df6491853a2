"""Attainable values against hand counts, against enumeration, and on numbers that the paper prints."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nxp2lib import digits, fourfold, published
from nxp2lib.audit import attainable

sizes = st.integers(1, 12)


def test_two_against_two_with_two_findings_give_one_third_or_one():
    assert attainable.p_values(2, 2, 2).tolist() == pytest.approx([1 / 3, 1])


def test_without_findings_nothing_but_one_is_attainable():
    assert attainable.p_values(29, 47, 0).tolist() == [1]
    assert attainable.p_values(29, 47, 76).tolist() == [1]


@given(sizes, sizes, st.data())
def test_attainable_p_values_are_those_of_all_tables(n_first, n_second, data):
    found = data.draw(st.integers(0, n_first + n_second))
    tables = [
        [[x, n_second - x], [found - x, n_first - found + x]]
        for x in range(max(0, found - n_first), min(n_second, found) + 1)
    ]
    by_scipy = {round(stats.fisher_exact(table).pvalue, 10) for table in tables}
    assert attainable.p_values(n_first, n_second, found).round(10).tolist() == sorted(by_scipy)


def test_a_one_sided_p_value_follows_the_second_group_on_top():
    assert attainable.p_values(1, 3, 3, "fisher_less").tolist() == [0.75, 1]  # all three in the first group cannot be


def test_a_test_without_p_value_leaves_its_tables_out():
    assert attainable.p_values(2, 2, 0, "chi_square").tolist() == []


def test_the_all_rashes_p_value_of_table_1_is_not_attainable_with_its_margins():
    below, above = attainable.nearest(attainable.p_values(29, 47, 68), "0.15")
    assert below == pytest.approx(fourfold.fisher_p([[40, 7], [28, 1]]))
    assert digits.agrees("0.15", below) is digits.agrees("0.15", above) is False


def test_beyond_an_end_there_is_no_nearest_value():
    assert attainable.nearest([0.1, 1.0], 0.05) == (None, 0.1)
    assert attainable.nearest([0.1, 0.9], "1.00") == (0.9, None)
    assert attainable.nearest([], 0.5) == (None, None)


def test_percentages_of_three_patients_are_four():
    assert attainable.percentages(3) == ["0.0", "33.3", "66.7", "100.0"]
    assert attainable.percentages(3, decimals=0) == ["0", "33", "67", "100"]


def test_percentages_of_many_patients_are_listed_once():
    assert len(attainable.percentages(3000)) == 1001


def test_polymyositis_in_juveniles_is_printed_in_the_abstract_as_no_count_of_them_gives_it():
    assert published.printed("table1/polymyositis/juvenile/percent", "table1") == "13.8"
    assert published.printed("table1/polymyositis/juvenile/percent", "abstract") == "15.8"
    assert (attainable.counts("13.8", 29), attainable.counts("15.8", 29)) == ([4], [])


def test_a_half_is_rounded_up():
    assert attainable.counts("0.3", 400) == [1]  # 0.25 %
    assert attainable.counts("0.2", 400) == []
    assert attainable.counts("13", 8) == [1]  # 12.5 %


@given(st.integers(1, 400), st.integers(0, 2), st.data())
def test_a_count_is_among_those_of_its_own_percentage(denominator, decimals, data):
    count = data.draw(st.integers(0, denominator))
    percent = str(digits.round_half_up(Fraction(100 * count, denominator).__float__(), decimals))
    found = attainable.counts(percent, denominator)
    assert percent in attainable.percentages(denominator, decimals)
    assert set(found) == {k for k in range(denominator + 1) if half_up(100 * k, denominator, decimals) == percent}
    assert all(denominator in attainable.denominators(k, percent, denominator) for k in found)


def half_up(numerator, denominator, decimals):
    """Round a ratio in whole numbers, and write it with its decimals."""
    scaled = (2 * 10**decimals * numerator + denominator) // (2 * denominator)
    whole, rest = divmod(scaled, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}" if decimals else str(whole)


def test_a_hidden_denominator_is_found():
    assert attainable.denominators(18, "62.0", 76) == []  # printed for 18 of 29, which is 62.1
    assert attainable.denominators(18, "62.1", 76) == [29]
    assert attainable.denominators(5, "50.0", 9) == []


def test_the_mean_of_ages_is_attainable_or_not():
    assert attainable.sums("3.45", 10) == []
    assert attainable.sums("5.19", 28) == []  # the example of Brown and Heathers
    assert attainable.sums("5.18", 28) == [145]


def test_a_negative_mean_rounds_away_from_zero():
    assert attainable.sums("-0.5", 2) == [-1]
    assert attainable.sums("-1", 2) == [-2, -1]  # -0.5 is printed -1, and -1.5 is printed -2


@given(st.integers(-300, 300), st.integers(1, 150), st.integers(0, 3))
def test_a_sum_is_among_those_of_its_own_mean_and_nothing_is_left_out_between(total, n, decimals):
    magnitude = half_up(abs(total), n, decimals)
    mean = magnitude if total >= 0 or not float(magnitude) else f"-{magnitude}"
    found = attainable.sums(mean, n)
    assert total in found and found == list(range(found[0], found[-1] + 1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: attainable.p_values(0, 5, 2), "n_first: 0 is not accepted; accepted: a whole number, 1 or more"),
        (lambda: attainable.p_values(5, 5, 11), "found: 11 is not accepted; accepted: a whole number, 0 to 10"),
        (lambda: attainable.p_values(5, 5, 3, "fischer"), "convention: 'fischer' is not accepted"),
        (lambda: attainable.percentages(0), "denominator: 0 is not accepted"),
        (lambda: attainable.percentages(10, -1), "decimals: -1 is not accepted; accepted: a whole number, 0 or more"),
        (lambda: attainable.counts("13,8", 29), "percent: '13,8' is not accepted; accepted: digits from 0 to 100"),
        (lambda: attainable.counts("100.1", 29), "percent: '100.1' is not accepted"),
        (lambda: attainable.counts("-3.0", 29), "percent: '-3.0' is not accepted"),
        (lambda: attainable.denominators(-1, "15.8", 29), "count: -1 is not accepted"),
        (lambda: attainable.denominators(1, "15.8", 0), "largest: 0 is not accepted"),
        (lambda: attainable.sums("about 3", 29), "mean: 'about 3' is not accepted; accepted: digits, such as 3.45"),
        (lambda: attainable.sums("3.4", 2.5), "n: 2.5 is not accepted"),
        (lambda: attainable.sums("3.", 10), "mean: '3.' is not accepted"),
    ],
)
def test_what_is_no_number_of_patients_or_no_printed_number_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_printed_ratio_works_back_to_the_cases_expected_and_the_time_at_risk():
    found = attainable.back_solve(8, "22.4", (0.2147, 0.7409))
    assert found.expected_low == pytest.approx(8 / 22.45)
    assert found.expected_high == pytest.approx(8 / 22.35)
    assert found.years_low == pytest.approx(found.expected_low / 0.7409)
    assert found.years_high == pytest.approx(found.expected_high / 0.2147)


IMPOSSIBLE = [(0, "22.4", (0.2, 0.8)), (8, "0", (0.2, 0.8)), (8, "2", (0, 0.8))]


@pytest.mark.parametrize("observed, ratio, expected", IMPOSSIBLE)
def test_a_ratio_cannot_be_worked_back_from_nothing(observed, ratio, expected):
    with pytest.raises(ValueError, match="accepted: numbers above zero"):
        attainable.back_solve(observed, ratio, expected)
