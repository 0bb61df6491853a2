"""Bounds from printed summaries against every data set that prints them, against SciPy, and against the paper."""

import math
from decimal import Decimal
from fractions import Fraction
from itertools import chain, combinations_with_replacement

import numpy as np
import pytest
from budget import budget
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nxp2lib import compare, digits, published
from nxp2lib.audit import summaries
from nxp2lib.audit.summaries import MeanSD, Summary
from nxp2lib.reconstruction.puzzle import Infeasible

BRUTE_FORCED = ["weibull", "linear", "hazen", "inverted_cdf", "median_unbiased", "averaged_inverted_cdf", "nearest"]
NUMBERS = ["minimum", "q1", "median", "q3", "maximum"]


def rounded(number: float) -> str:
    """Round half away from zero, first removing what binary fractions add: 12ths and 16ths are exact here."""
    exact = Fraction(float(number)).limit_denominator(1000)
    return str(digits.round_half_up(Decimal(exact.numerator) / Decimal(exact.denominator), 0))


def summary(values, method: str, shown=NUMBERS) -> Summary:
    quartiles = np.quantile(values, [0.25, 0.5, 0.75], method=method)
    numbers = dict(zip(NUMBERS, [min(values), *quartiles, max(values)], strict=True))
    return Summary(len(values), **{name: rounded(numbers[name]) for name in shown})


def every_group(printed: Summary, method: str, lowest: int, highest: int) -> np.ndarray:
    """Enumerate all groups of whole numbers in a range, and keep those that print the summary."""
    values = np.array(list(combinations_with_replacement(range(lowest, highest + 1), printed.n)), dtype=float)
    quartiles = np.quantile(values, [0.25, 0.5, 0.75], axis=1, method=method)
    keeps = np.full(len(values), True)
    for name, numbers in zip(NUMBERS, [values[:, 0], *quartiles, values[:, -1]], strict=True):
        if getattr(printed, name) is not None:
            keeps &= np.sign(numbers) * np.floor(np.abs(numbers) + 0.5 + 1e-9) == int(getattr(printed, name))
    return values[keeps]


def every_u(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    pairs = [np.sign(np.subtract.outer(x, y)) + 1 for x in second.T for y in first.T]
    return sum(pairs) / 2


@pytest.mark.parametrize("method", BRUTE_FORCED)
@pytest.mark.parametrize("shown", [NUMBERS, NUMBERS[1:4], NUMBERS[2:3]], ids=["range", "quartiles", "median"])
def test_least_and_greatest_u_are_those_of_all_data_sets_enumerated(method, shown):
    patients, highest, reach = {5: (5, 5, 2), 3: (4, 3, 12), 1: (3, 3, 5)}[len(shown)]
    rng = np.random.default_rng(1)
    for _ in range(8):
        second, first = (
            summary(rng.integers(-1, highest, rng.integers(1, patients + 1)), method, shown) for _ in range(2)
        )
        groups = [every_group(printed, method, -1 - reach, highest + reach) for printed in (second, first)]
        enumerated, found = every_u(*groups), summaries.rank_test(second, first, method)
        assert (found.u_least, found.u_greatest) == (enumerated.min(), enumerated.max()), (second, first)


samples = st.lists(st.integers(-5, 12) | st.integers(0, 8000), min_size=4, max_size=30)


@settings(max_examples=budget(50, 150))
@given(samples, samples, st.sampled_from([*summaries.METHODS, "nearest"]), st.sampled_from([NUMBERS, NUMBERS[1:4]]))
def test_u_and_p_of_the_patients_lie_within_the_bounds_of_their_summaries(second, first, method, shown):
    bounds = summaries.rank_test(summary(second, method, shown), summary(first, method, shown), method)
    truth = compare.mann_whitney(second, first)
    assert bounds.u_least <= truth.u <= bounds.u_greatest
    assert bounds.p_least * (1 - 1e-9) <= truth.p_value <= bounds.p_greatest * (1 + 1e-9)


@settings(max_examples=30)
@given(samples, samples)
def test_swapping_the_groups_mirrors_the_bounds(second, first):
    second, first = summary(second, "weibull"), summary(first, "weibull")
    one, other = summaries.rank_test(second, first), summaries.rank_test(first, second)
    assert one.u_least == second.n * first.n - other.u_greatest
    assert (one.p_least, one.p_greatest) == pytest.approx((other.p_least, other.p_greatest))


def test_groups_of_which_every_value_is_printed_have_one_u():
    found = summaries.rank_test(Summary(3, "5", minimum="2", maximum="9"), Summary(2, "4", minimum="3", maximum="5"))
    assert (found.u_least, found.u_greatest) == (3.5, 3.5)  # 2 beats none, 5 beats 3 and ties with 5, 9 beats both


def test_groups_that_do_not_overlap_have_one_u_and_a_p_between_no_ties_and_the_strongest():
    second, first = Summary(4, "20", minimum="10", maximum="30"), Summary(4, "5", minimum="0", maximum="9")
    found = summaries.rank_test(second, first)
    assert (found.u_least, found.u_greatest) == (16, 16)
    corrected = stats.mannwhitneyu([10, 19, 21, 30], [0, 4, 6, 9], method="asymptotic").pvalue
    assert found.p_greatest == pytest.approx(corrected), "with the correction for continuity P is greatest"
    assert found.p_least < compare.mann_whitney([10, 20, 20, 30], [0, 5, 5, 9]).p_value < found.p_greatest
    assert found.p_least < stats.mannwhitneyu([10, 19, 21, 30], [0, 4, 6, 9], method="exact").pvalue < found.p_greatest


def test_printed_tenths_give_the_bounds_of_whole_numbers_ten_times_as_large():
    whole = summaries.rank_test(Summary(5, "31", "24", "38"), Summary(6, "27", "20", "40"))
    assert summaries.rank_test(Summary(5, "3.1", "2.4", "3.8"), Summary(6, "2.7", "2.0", "4.0")) == whole


@pytest.mark.parametrize("least, greatest, median", [("0", "1", "1"), ("-1", "0", "-1")])
def test_half_is_printed_as_one_away_from_zero(least, greatest, median):
    halves, other = Summary(2, median, minimum=least, maximum=greatest), Summary(1, "0")
    assert summaries.rank_test(halves, other, "linear").u_least == 1 + float(median) / 2
    with pytest.raises(Infeasible, match=r"the second group .*median 0"):
        summaries.rank_test(halves._replace(median="0"), other, "linear")


IMPOSSIBLE = [
    (Summary(9, "5", "6", "8"), "weibull", "median 5"),
    (Summary(2, "5", "1", "5"), "inverted_cdf", "q1 1"),
    (Summary(1, "5", minimum="4", maximum="6"), "linear", "maximum 6"),
]


@pytest.mark.parametrize("printed, method, named", IMPOSSIBLE)
def test_a_summary_that_no_data_set_prints_is_named(printed, method, named):
    possible = Summary(5, "10")
    with pytest.raises(Infeasible, match=f"the second group .*{named}.*{method}"):
        summaries.rank_test(printed, possible, method)
    with pytest.raises(Infeasible, match=f"the first group .*{named}.*{method}"):
        summaries.rank_test(possible, printed, method)


def test_a_definition_that_cannot_be_is_left_out_and_the_others_are_not():
    groups = Summary(2, "5", "1", "9"), Summary(3, "4")
    with pytest.raises(Infeasible):
        summaries.rank_test(*groups, "inverted_cdf")  # the lower of two values would be 1 and 5
    least, greatest = summaries.rank_test_any(*groups)
    hazen = summaries.rank_test(*groups, "hazen")
    assert least <= hazen.p_least <= hazen.p_greatest <= greatest


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"second": Summary(0, "5")}, "n: 0 is not accepted"),
        ({"second": Summary(3, "5 IU/L")}, "'5 IU/L' is no printed number"),
        ({"second": Summary(3, 5)}, "5 is no printed number"),
        ({"method": "spss"}, "spss"),
    ],
)
def test_what_is_no_size_number_step_or_method_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        summaries.rank_test(**{"second": Summary(3, "4"), "first": Summary(3, "5"), **arguments})


def creatine_kinase(table: str, group: str) -> Summary:
    shown = {
        name: published.printed(f"{table}/max_creatine_kinase/{group}/{name}", table) for name in ["q1", "median", "q3"]
    }
    return Summary(int(published.printed(f"{table}/patients/{group}/n", table)), **shown)


PAPER = [("table1", "adult", "juvenile", ["1.00"]), ("table2", "extended", "limited", ["0.141", "0.79"])]


@pytest.mark.parametrize("table, second, first, p_values", PAPER)
def test_the_quartiles_of_the_paper_allow_each_p_value_printed_for_them(table, second, first, p_values):
    for method in summaries.METHODS:
        found = summaries.rank_test(creatine_kinase(table, second), creatine_kinase(table, first), method)
        for p_value in p_values:
            assert found.p_least < float(p_value) - 0.005
            assert found.p_greatest >= float(p_value)


def test_the_bounds_of_the_paper_are_far_apart():
    adults, juveniles = creatine_kinase("table1", "adult"), creatine_kinase("table1", "juvenile")
    assert summaries.rank_test(adults, juveniles)[:2] == (528, 1087)
    extended, limited = creatine_kinase("table2", "extended"), creatine_kinase("table2", "limited")
    assert summaries.rank_test(extended, limited)[:2] == (288, 871)


def repeat(counts: dict[int, int]) -> list[int]:
    return [value for value, patients in counts.items() for _ in range(patients)]


def test_the_least_and_greatest_u_of_the_paper_are_those_of_patients_who_print_its_quartiles():
    low_juveniles = repeat({0: 6, 953: 1, 954: 7, 2594: 7, 3964: 1, 7339: 7})
    high_adults = repeat({1322: 12, 2624: 12, 7340: 12, 20_000: 11})
    high_juveniles = repeat({584: 7, 1323: 1, 2594: 7, 2625: 7, 8678: 1, 20_000: 6})
    low_adults = repeat({0: 11, 1322: 12, 2624: 12, 7340: 12})
    for adults, juveniles, u in [(low_adults, high_juveniles, 528), (high_adults, low_juveniles, 1087)]:
        assert summary(adults, "weibull", NUMBERS[1:4]) == creatine_kinase("table1", "adult")
        assert summary(juveniles, "weibull", NUMBERS[1:4]) == creatine_kinase("table1", "juvenile")
        assert compare.mann_whitney(adults, juveniles).u == u


spreads = st.integers(1, 40).map(lambda tenths: str(Decimal(tenths) / 10))
moments = st.builds(MeanSD, st.integers(2, 60), st.integers(0, 30).map(str), spreads | st.integers(0, 5).map(str))


def by_scipy(second: MeanSD, first: MeanSD, welch: bool, means=None, sds=None) -> float:
    means = means or (float(second.mean), float(first.mean))
    sds = sds or (float(second.sd), float(first.sd))
    return stats.ttest_ind_from_stats(means[0], sds[0], second.n, means[1], sds[1], first.n, equal_var=not welch).pvalue


def test_face_value_is_the_hand_formula():
    second, first = MeanSD(47, "52", "14.2"), MeanSD(29, "48", "9.7")
    a, b = 14.2**2 / 47, 9.7**2 / 29
    degrees = (a + b) ** 2 / (a**2 / 46 + b**2 / 28)
    pooled = (46 * 14.2**2 + 28 * 9.7**2) / 74
    found = summaries.t_test(second, first)
    assert found.welch == pytest.approx(2 * stats.t.sf(4 / math.sqrt(a + b), degrees))
    assert found.student == pytest.approx(2 * stats.t.sf(4 / math.sqrt(pooled * (1 / 47 + 1 / 29)), 74))
    assert [found.student, found.welch] == pytest.approx([0.1859, 0.1493], abs=5e-5)


@given(moments.filter(lambda group: float(group.sd) > 0), moments)
def test_face_value_is_scipys(second, first):
    found = summaries.t_test(second, first)
    assert found.student == pytest.approx(by_scipy(second, first, welch=False))
    assert found.welch == pytest.approx(by_scipy(second, first, welch=True))


def within(printed: str, share: float) -> float:
    low, high = summaries._rounding(printed)
    return float(low + (high - low) * Fraction(share))


@settings(max_examples=300)
@given(moments, moments, st.tuples(*[st.floats(0, 1)] * 4))
def test_no_numbers_that_round_to_the_printed_ones_leave_the_bounds(second, first, shares):
    bounds = summaries.t_test(second, first)
    means = [within(text, share) for text, share in zip((second.mean, first.mean), shares[:2], strict=True)]
    sds = [max(1e-9, within(text, share)) for text, share in zip((second.sd, first.sd), shares[2:], strict=True)]
    student, welch = (by_scipy(second, first, welch, means, sds) for welch in (False, True))
    assert bounds.student_least * (1 - 1e-9) <= student <= bounds.student_greatest * (1 + 1e-9)
    assert bounds.welch_least * (1 - 1e-5) <= welch <= bounds.welch_greatest * (1 + 1e-5)


def test_welchs_least_p_can_lie_between_the_corners():
    second, first = MeanSD(3, "5", "1"), MeanSD(5, "0", "1")
    corners = [by_scipy(second, first, True, (5.5, -0.5), (a, b)) for a in (0.5, 1.5) for b in (0.5, 1.5)]
    between = by_scipy(second, first, True, (5.5, -0.5), (0.5, 0.85))
    assert summaries.t_test(second, first).welch_least <= between < 0.5 * min(corners)


def test_means_that_may_be_equal_allow_a_p_of_one():
    found = summaries.t_test(MeanSD(10, "5", "2"), MeanSD(12, "6", "2"))
    assert (found.student_greatest, found.welch_greatest) == (1, 1)
    assert found.student < 1


def test_groups_in_which_nothing_varies_differ_surely_or_not_at_all():
    constant = MeanSD(5, "3", "0")
    assert summaries.t_test(constant, constant)[0] == 1
    found = summaries.t_test(constant, MeanSD(5, "4.0", "0"))
    assert (found.student, found.student_least, found.welch, found.welch_least) == (0, 0, 0, 0)
    assert 0 < found.welch_greatest < 1  # the first standard deviation may be up to 0.5


@pytest.mark.parametrize("group", [MeanSD(1, "3", "1"), MeanSD(5, "3", "-1")])
def test_a_group_of_one_or_a_negative_standard_deviation_is_refused(group):
    with pytest.raises(ValueError, match="two patients or more, and no standard deviation below 0"):
        summaries.t_test(group, MeanSD(5, "3", "1"))


def test_the_mean_of_all_patients_in_the_paper_does_not_follow_from_its_groups():
    parts = [(29, published.printed("table1/age_at_onset/juvenile/mean", "table1"))]
    parts += [(47, published.printed("table1/age_at_onset/adult/mean", "table1"))]
    least, greatest = summaries.pooled_mean(parts)
    assert [least, greatest] == pytest.approx([(29 * 7.5 + 47 * 51.5) / 76, (29 * 8.5 + 47 * 52.5) / 76])
    assert greatest < float(published.printed("table1/age_at_onset/total/mean", "table1")) - 0.5


@given(st.lists(samples, min_size=1, max_size=4))
def test_the_mean_of_all_patients_lies_within_the_bounds_of_their_groups(groups):
    least, greatest = summaries.pooled_mean([(len(group), f"{np.mean(group):.0f}") for group in groups])
    assert least - 1e-9 <= np.mean([*chain(*groups)]) <= greatest + 1e-9


@pytest.mark.parametrize("parts", [[], [(3, "5"), (0, "4")]])
def test_a_mean_of_nobody_is_refused(parts):
    with pytest.raises(ValueError, match="groups of one patient or more"):
        summaries.pooled_mean(parts)
