"""Conventions for P values against R, against SciPy, against hand counts, and on the columns that the paper prints."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from golden.read import by_name, cases
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from nxp2lib import digits, fourfold, published
from nxp2lib.audit import conventions

counts = st.integers(0, 40)
tables = st.tuples(counts, counts, counts, counts).map(lambda x: [[x[0], x[1]], [x[2], x[3]]])
small = st.tuples(*[st.integers(0, 9)] * 4).map(lambda x: [[x[0], x[1]], [x[2], x[3]]])
filled = tables.filter(lambda table: 0 not in np.sum(table, axis=0) and 0 not in np.sum(table, axis=1))
THREE_OF_THREE = [[3, 0], [0, 3]]  # of 20 ways to choose three of six, one; 2 against 1 is chosen in nine
TWO_OF_THREE = [[2, 1], [1, 2]]

GOLDEN = cases("conventions")
# Of 17 and 18 patients: without 5 and 12 findings, the mirror image, SciPy's Barnard is 0.0325.
DROPS = [[12, 5], [6, 12]]
LARGE = [[150, 90], [70, 110]]


def p_value(name, table):
    return fourfold.p_values(table, [name])[name].iloc[0]


def printed_table(place, groups, sizes, biopsies):
    """The 2x2 tables of one printed table, the second group on top, and the P values printed for them."""
    listed = published.load(place)
    rows = {name: row.set_index("item")["printed"] for name, row in listed.groupby("expression")}
    found, printed = [], {}
    for item in published.rows(place).query("kind == 'count' and tested")["row"]:
        histology = item in ("perifascicular_atrophy", "microinfarction")
        numbers = [int(rows[f"{place}/{item}/{group}/n"].iloc[0]) for group in groups]
        of = biopsies if histology else sizes
        found.append([[numbers[1], of[1] - numbers[1]], [numbers[0], of[0] - numbers[0]]])
        printed[item] = rows[f"{place}/{item}/comparison/p_value"].iloc[0]
    return np.array(found), pd.Series(printed)


TABLE1 = printed_table("table1", ("juvenile", "adult"), (29, 47), (24, 40))
TABLE2 = printed_table("table2", ("limited", "extended"), (40, 36), (32, 32))


@pytest.mark.parametrize("case", GOLDEN, ids=by_name)
def test_p_values_agree_with_r(case):
    found = fourfold.p_values(case["input"]).iloc[0]
    assert found.index.tolist() == [*fourfold.CONDITIONAL, *fourfold.ASYMPTOTIC]
    assert found.tolist() == pytest.approx([case[name] for name in found.index], rel=1e-9)


def test_many_tables_at_once_give_what_each_gives_alone():
    several = np.array([case["input"] for case in GOLDEN])
    together = fourfold.p_values(several)
    expected = np.array([[case[name] for name in together] for case in GOLDEN])
    assert together.to_numpy() == pytest.approx(expected, rel=1e-9)
    assert fourfold.p_values(several[::-1]).to_numpy() == pytest.approx(together.to_numpy()[::-1], rel=1e-12)


def test_the_tables_may_be_worked_out_in_small_lots(monkeypatch):
    several = np.random.default_rng(5).integers(0, 30, (200, 2, 2))
    at_once = fourfold.p_values(several)
    monkeypatch.setattr(fourfold, "CELLS", 50)
    pd.testing.assert_frame_equal(fourfold.p_values(several), at_once, rtol=1e-12)


@given(st.lists(tables, min_size=1, max_size=8))
def test_the_fisher_family_agrees_with_scipy(several):
    found = fourfold.p_values(several)
    for table, row in zip(several, found.to_dict("records"), strict=True):
        less, greater = (stats.fisher_exact(table, alternative=side).pvalue for side in ("less", "greater"))
        assert row["fisher"] == pytest.approx(fourfold.fisher_p(table), rel=1e-9)
        assert row["fisher"] == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-9)
        assert row["fisher_less"] == pytest.approx(less, rel=1e-9)
        assert row["fisher_greater"] == pytest.approx(greater, rel=1e-9)
        assert row["fisher_one_sided"] == pytest.approx(min(less, greater), rel=1e-9)
        assert row["fisher_doubled"] == pytest.approx(min(1, 2 * min(less, greater)), rel=1e-9)


@given(filled)
def test_the_chi_square_family_agrees_with_scipy(table):
    found = fourfold.p_values(table, fourfold.ASYMPTOTIC).iloc[0]
    n, chi_square = np.sum(table), stats.chi2_contingency(table, correction=False)
    assert found["chi_square"] == pytest.approx(chi_square.pvalue, rel=1e-9)
    assert found["chi_square_yates"] == pytest.approx(stats.chi2_contingency(table).pvalue, rel=1e-9)
    assert found["chi_square_n_minus_1"] == pytest.approx(stats.chi2.sf(chi_square.statistic * (n - 1) / n, 1))
    g_test = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").pvalue
    assert found["g_test"] == pytest.approx(g_test, rel=1e-6)  # near 1, G loses digits by cancellation


@given(small)
def test_the_fisher_family_agrees_with_exact_fractions(table):
    (a, b), (c, d) = table
    low, high = max(0, a - d), min(a + b, a + c)
    ways = [math.comb(a + b, s) * math.comb(c + d, a + c - s) for s in range(low, high + 1)]
    here = ways[a - low]
    tails = [min(sum(ways[: s + 1]), sum(ways[s:])) for s in range(len(ways))]
    exact = {
        "fisher": sum(way for way in ways if way <= here),
        "fisher_blaker": sum(way for way, tail in zip(ways, tails, strict=True) if tail <= tails[a - low]),
        "mid_p": Fraction(sum(way for way in ways if way < here) + sum(way for way in ways if way <= here), 2),
        "mid_p_doubled": 2 * tails[a - low] - here,
    }
    if low == high:
        exact["mid_p"] = sum(ways)
    found = fourfold.p_values(table, exact).iloc[0].to_dict()
    assert found == pytest.approx({name: float(Fraction(way) / sum(ways)) for name, way in exact.items()}, rel=1e-12)


def test_three_of_three_against_none_is_one_table_in_twenty():
    found = fourfold.p_values(THREE_OF_THREE).iloc[0].to_dict()
    assert (found["fisher"], found["fisher_doubled"], found["fisher_blaker"]) == (0.1, 0.1, 0.1)
    assert (found["fisher_less"], found["fisher_greater"], found["fisher_one_sided"]) == (1, 0.05, 0.05)
    assert (found["mid_p"], found["mid_p_doubled"]) == (0.05, 0.05)


def test_mid_p_takes_half_of_every_table_as_likely_as_the_observed_one():
    assert p_value("mid_p", TWO_OF_THREE) == 0.55  # 1/20 at each end and half of 9/20 twice
    assert p_value("mid_p", [[1, 0], [1, 2]]) == 0.5  # two tables, equally likely


@pytest.mark.parametrize("case", cases("fisher_five_percent"), ids=by_name)
def test_a_p_value_of_exactly_one_in_twenty_is_not_below_it(case):
    assert p_value("fisher", case["input"]) == 0.05 == fourfold.fisher_p(case["input"])


@pytest.mark.parametrize("table", [[[0, 0], [5, 7]], [[0, 5], [0, 7]], [[0, 0], [0, 0]]], ids=str)
def test_with_a_zero_margin_exact_tests_give_one_and_chi_square_nothing(table):
    found = fourfold.p_values(table, fourfold.CONVENTIONS).iloc[0]
    assert found[[*fourfold.CONDITIONAL, *fourfold.UNCONDITIONAL]].tolist() == [1.0] * 10
    assert found[list(fourfold.ASYMPTOTIC)].isna().all()


def test_counts_of_millions_do_not_overflow():
    found = fourfold.p_values([[3, 2_000_000], [9, 2_000_000]]).iloc[0]
    assert found["fisher"] == pytest.approx(stats.fisher_exact([[3, 2_000_000], [9, 2_000_000]]).pvalue, rel=1e-6)
    assert found["chi_square"] == pytest.approx(stats.chi2.sf(12 * 0.25, 1), rel=1e-4)


@settings(max_examples=25)
@given(filled)
def test_boschloo_agrees_with_scipy_whose_groups_are_columns(table):
    assert p_value("boschloo", table) == pytest.approx(stats.boschloo_exact(np.transpose(table)).pvalue, abs=1e-6)


@settings(max_examples=25)
@given(filled)
def test_barnard_is_never_below_scipy_which_drops_equally_extreme_tables_by_their_last_digit(table):
    assert p_value("barnard", table) >= stats.barnard_exact(np.transpose(table)).pvalue - 1e-6


@pytest.mark.parametrize("case", [case for case in GOLDEN if case["input"] not in (DROPS, LARGE)], ids=by_name)
def test_barnard_agrees_with_scipy_where_that_drops_nothing(case):
    table = case["input"]
    assert p_value("barnard", table) == pytest.approx(stats.barnard_exact(np.transpose(table)).pvalue, abs=1e-6)


@settings(max_examples=25)
@example([[12, 5], [6, 12]])
@given(small)
def test_barnard_agrees_with_tables_ordered_in_whole_numbers(table):
    (a, b), (c, d) = table
    second, first, n = a + b, c + d, a + b + c + d

    def distance(x, y):
        with_finding = x + y
        spread = with_finding * (n - with_finding)
        return Fraction((x * (first - y) - y * (second - x)) ** 2, spread) if spread else 0

    chances = np.linspace(0, 1, 20_001)
    extreme = [(x, y) for x in range(second + 1) for y in range(first + 1) if distance(x, y) >= distance(a, c)]
    one, other = (stats.binom.pmf(np.arange(size + 1)[:, np.newaxis], size, chances) for size in (second, first))
    greatest = sum(one[x] * other[y] for x, y in extreme).max()
    assert p_value("barnard", table) == pytest.approx(greatest, abs=2e-6)
    assert p_value("barnard", table) >= greatest - 1e-11


def test_two_of_two_against_none_of_two_is_one_table_in_eight_at_a_frequency_of_one_half():
    assert p_value("barnard", [[2, 0], [0, 2]]) == pytest.approx(1 / 8, rel=1e-12)
    assert p_value("boschloo", [[2, 0], [0, 2]]) == pytest.approx(1 / 8, rel=1e-12)


def test_no_tables_give_no_rows():
    assert fourfold.p_values(np.empty((0, 2, 2)), fourfold.CONVENTIONS).shape == (0, 14)


def test_every_convention_belongs_to_one_family():
    families = fourfold.CONDITIONAL + fourfold.ASYMPTOTIC + fourfold.UNCONDITIONAL
    assert families == tuple(fourfold.CONVENTIONS)


@pytest.mark.parametrize("wrong", [[[3, -1], [2, 4]], [[3, 1.5], [2, 4]], [[3, None], [2, 4]]], ids=str)
def test_a_count_that_is_none_is_refused_with_its_table(wrong):
    with pytest.raises(ValueError, match="whole counts of patients, none below zero: table 1 is"):
        fourfold.p_values([THREE_OF_THREE, wrong])


def test_a_table_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"shape \(1, 2, 3\) are not accepted; accepted: \(2, 2\)"):
        fourfold.p_values([[[1, 2, 3], [4, 5, 6]]])


def test_an_unknown_convention_is_refused_and_the_known_ones_named():
    with pytest.raises(ValueError, match="'fischer' is not accepted; accepted: fisher, fisher_doubled"):
        fourfold.p_values(THREE_OF_THREE, ["fischer"])


@pytest.mark.parametrize(
    ("printed", "value", "expected"),
    [
        ("0.04", 0.0449, "rounded"),
        ("0.04", 0.035, "rounded"),
        ("0.04", 0.03499, "rounded twice"),
        ("0.04", 0.0344, ""),
        ("0.05", 0.0449, "rounded twice"),
        ("0.05", 0.0444, ""),
        ("0.145", 0.1448, "rounded"),
        ("0.000", 0.0004, "rounded"),
        ("0.000", 0.0006, "cut off"),
        ("1.00", 0.995, "rounded"),
        ("1.00", 0.9949, "rounded twice"),
        ("1", 0.5, "rounded"),
        ("<0.01", 0.0099, "rounded"),
        ("<0.01", 0.01, ""),
        (">0.05", 0.05, ""),
        ("NS", 0.05, "rounded"),
        ("NS", 0.0499, ""),
        ("*", 0.03, "rounded"),
        ("0.04", math.nan, ""),
        ("NS", math.nan, ""),
    ],
)
def test_a_printed_p_value_is_matched_as_it_is_printed(printed, value, expected):
    assert digits.match(printed, value) == expected


@pytest.mark.parametrize("printed", ["", "1.2", "-0.1", "p=0.04", "0,04", "<", "<0", "nan", "1e-3"])
def test_anything_else_printed_is_refused(printed):
    with pytest.raises(ValueError, match=r"printed P value: .* is not accepted; accepted: 0\.04, 1\.00, <0\.01"):
        digits.match(printed, 0.04)


def test_each_convention_gives_a_printed_p_value_or_does_not():
    found = fourfold.p_values(THREE_OF_THREE, fourfold.CONVENTIONS).iloc[0]
    assert found.index.tolist() == list(fourfold.CONVENTIONS)
    assert [name for name, p in found.items() if digits.match("0.05", p) == "rounded"] == [
        "fisher_one_sided", "fisher_greater", "mid_p", "mid_p_doubled"]  # fmt: skip


def test_two_sided_fisher_explains_table_1_but_for_one_row():
    found = conventions.explain(*TABLE1, fourfold.CONVENTIONS)
    assert found.loc[0, ["convention", "matched", "rows"]].tolist() == ["fisher", 19, 20]
    assert found["log_likelihood"].is_monotonic_decreasing
    assert found.loc[0, "share_otherwise"] == pytest.approx(0.05, abs=0.001)


def test_the_odd_row_of_table_1_is_rounded_twice():
    found = conventions.fewest(*TABLE1)
    assert found[found.isna()].index.tolist() == ["any_rash"]
    assert set(found.dropna()) == {"fisher"}
    rows = dict(zip(TABLE1[1].index, TABLE1[0], strict=True))
    assert digits.match("0.15", p_value("fisher", rows["any_rash"])) == "rounded twice"


def test_table_2_takes_two_conventions():
    assert TABLE2[1].to_dict() == {
        "male": "0.464",
        "neck_weakness": "0.01",
        "dysphagia": "0.30",
        "ana_positive": "0.141",
        "perifascicular_atrophy": "1.00",
        "microinfarction": "0.04",
    }
    assert conventions.fewest(*TABLE2).to_dict() == {
        "male": "fisher_one_sided",
        "neck_weakness": "fisher",
        "dysphagia": "fisher_one_sided",
        "ana_positive": "fisher_one_sided",
        "perifascicular_atrophy": "fisher",
        "microinfarction": "fisher",
    }


def test_likelihood_and_share_are_those_counted_by_hand():
    found = conventions.explain([THREE_OF_THREE, TWO_OF_THREE], ["0.10", "0.33"], ["fisher"]).iloc[0]
    # one row of two matches: the slope 1 / e - 0.99 / (1 - 0.99 e) is zero at e = 1 / 1.98
    assert found["share_otherwise"] == pytest.approx(1 / 1.98)
    assert found["log_likelihood"] == pytest.approx(math.log(1 - 0.99 / 1.98) + math.log(0.01 / 1.98))
    assert found["matched"] == 1


def test_where_all_rows_match_or_none_the_share_is_zero_or_one():
    both = [THREE_OF_THREE, TWO_OF_THREE]
    all_match = conventions.explain(both, ["0.10", "1.00"], ["fisher"]).iloc[0]
    assert (all_match["share_otherwise"], all_match["log_likelihood"]) == (0, 0)
    none_match = conventions.explain(both, ["0.20", "<0.01"], ["fisher"]).iloc[0]
    assert (none_match["share_otherwise"], none_match["log_likelihood"]) == (1, pytest.approx(2 * math.log(0.01)))


@pytest.mark.parametrize(
    ("printed", "chance"),
    [("0.04", 0.01), ("0.464", 0.001), ("1.00", 0.005), ("0.00", 0.005), ("<0.01", 0.01), (">0.2", 0.8), ("NS", 0.95)],
)
def test_the_chance_of_printing_like_this_is_the_width_of_what_rounds_to_it(printed, chance):
    found = conventions.explain([[[0, 0], [4, 5]]], [printed], ["chi_square"])  # no P value, so nothing matches
    assert found.loc[0, "log_likelihood"] == pytest.approx(math.log(chance))


def test_a_row_that_matches_by_chance_alone_leaves_the_share_at_one():
    found = conventions.explain([TWO_OF_THREE] * 2, ["NS", "0.20"], ["fisher"]).iloc[0]
    assert (found["matched"], found["share_otherwise"]) == (1, 1)


def test_conventions_that_explain_equally_much_keep_their_order():
    found = conventions.explain([THREE_OF_THREE], ["0.10"], ["fisher_blaker", "fisher_doubled", "fisher"])
    assert found["convention"].tolist() == ["fisher", "fisher_doubled", "fisher_blaker"]
    assert conventions.fewest([THREE_OF_THREE], ["0.10"], ["fisher_blaker", "fisher"]).tolist() == ["fisher"]


def test_blank_rows_are_left_out_and_keep_their_place():
    printed = pd.Series(["", "0.10", None, math.nan], index=["w", "x", "y", "z"])
    several = [THREE_OF_THREE] * 4
    assert conventions.explain(several, printed, ["fisher"]).loc[0, "rows"] == 1
    assert conventions.fewest(several, printed).to_dict() == {"w": None, "x": "fisher", "y": None, "z": None}


def test_a_column_of_blanks_is_explained_by_nothing():
    found = conventions.explain([THREE_OF_THREE], [""], ["fisher"]).iloc[0]
    assert (found["rows"], found["matched"]) == (0, 0)
    assert math.isnan(found["share_otherwise"])
    assert conventions.fewest([THREE_OF_THREE], [""]).tolist() == [None]


def test_where_no_convention_gives_what_is_printed_fewest_names_none():
    assert conventions.fewest([THREE_OF_THREE], ["0.77"]).tolist() == [None]


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="1 tables and 2 printed P values do not belong together"):
        conventions.explain([THREE_OF_THREE], ["0.10", "0.20"])
