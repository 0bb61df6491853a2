"""Two-group tests against R, against hand counts, and against what must hold for any data."""

import math
import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from golden.read import by_name, cases
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats
from test_describe import five_patients

from nxp2lib import cohort, compare, describe, findings, fourfold, paths, published

counts = st.integers(0, 25)
tables = st.tuples(counts, counts, counts, counts).map(lambda x: [[x[0], x[1]], [x[2], x[3]]])
samples = st.lists(st.integers(0, 20), min_size=1, max_size=15)


@pytest.mark.parametrize("case", cases("fisher"), ids=by_name)
def test_fisher_agrees_with_r(case):
    for level, ci_low in case["ci_low"].items():
        found = fourfold.fisher(case["input"], level)
        assert found.p_value == pytest.approx(case["p_value"], rel=1e-9)
        assert found.odds_ratio == pytest.approx(case["odds_ratio"], rel=1e-6, nan_ok=True)
        assert [found.ci_low, found.ci_high] == pytest.approx([ci_low, case["ci_high"][level]], rel=1e-8, abs=2e-9)


def test_the_interval_is_not_the_central_one_that_can_contradict_its_own_p_value():
    [central] = cases("fisher_central")
    found = fourfold.fisher(central["input"])
    assert found.p_value < 0.05
    assert found.ci_high < 1 < central["central_high"][0.95]


@pytest.mark.parametrize("case", cases("fisher_five_percent"), ids=by_name)
def test_a_p_value_of_exactly_one_in_twenty_is_not_below_it_and_the_interval_reaches_one(case):
    found = fourfold.fisher(case["input"])
    assert found.p_value == case["p_value"] == 0.05
    assert found.ci_low <= 1 <= found.ci_high


@pytest.mark.parametrize("case", cases("fisher_rxc"), ids=by_name)
def test_the_r_by_c_test_agrees_with_r(case):
    assert compare.fisher_exact_rxc(case["input"]).p_value == pytest.approx(case["p_value"], rel=1e-9)


@pytest.mark.parametrize("case", cases("mann_whitney"), ids=by_name)
def test_mann_whitney_agrees_with_r(case):
    found = compare.mann_whitney(*case["input"])
    assert found.u == case["statistic"]
    all_equal = math.isnan(case["p_value"])
    assert found.p_value == pytest.approx(1 if all_equal else case["p_value"], rel=1e-9)
    if not math.isnan(case["exact_p_value"]):  # R's wilcox.test has none with ties
        assert found.p_exact == pytest.approx(case["exact_p_value"], rel=1e-9)
    assert found.shift == pytest.approx(case["shift"], rel=1e-9)


@pytest.mark.parametrize("case", cases("holm"), ids=by_name)
def test_holm_agrees_with_r(case):
    [p_values] = case["input"]
    found = compare.holm(pd.Series(p_values, dtype=float))
    assert found.tolist() == pytest.approx(list(case["adjusted"].values()), nan_ok=True)


@given(tables)
def test_fisher_agrees_with_scipy(table):
    assert fourfold.fisher_p(table) == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-6)


@given(tables)
def test_swapping_the_groups_turns_the_odds_ratio_upside_down_and_keeps_p(table):
    one, other = fourfold.fisher(table), fourfold.fisher(table[::-1])
    assert other.p_value == pytest.approx(one.p_value)
    if one.odds_ratio not in (0, math.inf) and not math.isnan(one.odds_ratio):
        assert other.odds_ratio * one.odds_ratio == pytest.approx(1, rel=1e-6)
    if one.ci_low > 0:
        assert other.ci_high == pytest.approx(1 / one.ci_low, rel=1e-6)


@settings(max_examples=300)
@given(tables, st.sampled_from([0.9, 0.95, 0.99]))
@example([[5, 19], [12, 12]], 0.95)  # the limit is exactly 1
def test_the_interval_holds_the_estimate_and_excludes_one_only_with_a_small_p(table, confidence):
    found = fourfold.fisher(table, confidence)
    if math.isnan(found.odds_ratio):
        assert (found.p_value, found.ci_low, found.ci_high) == (1, 0, math.inf)
        return
    assert found.ci_low <= found.odds_ratio <= found.ci_high
    if not found.ci_low <= 1 <= found.ci_high:
        assert found.p_value < 1 - confidence + 1e-9


@pytest.mark.parametrize("case", cases("fisher_gap"), ids=by_name)
def test_where_the_unrejected_odds_ratios_leave_a_gap_the_interval_spans_it(case):
    found = fourfold.fisher(case["input"])
    assert found.p_value == pytest.approx(case["p_value"], rel=1e-9)
    assert found.p_value < 0.05
    interval = [case["ci_low"][0.95], case["ci_high"][0.95]]
    assert [found.ci_low, found.ci_high] == pytest.approx(interval, rel=1e-8, abs=2e-9)


@given(tables.filter(lambda table: sum(map(sum, table)) <= 55))
def test_up_to_55_patients_the_interval_excludes_one_exactly_when_p_is_below_five_percent(table):
    found = fourfold.fisher(table)
    assert (found.p_value < 0.05) == (not found.ci_low <= 1 <= found.ci_high)


@given(st.lists(st.lists(st.integers(0, 4), min_size=2, max_size=3), min_size=2, max_size=3).filter(
    lambda rows: len({len(row) for row in rows}) == 1 and sum(map(sum, rows)) > 0))  # fmt: skip
def test_the_r_by_c_test_does_not_depend_on_orientation(rows):
    table = np.array(rows)
    assert compare.fisher_exact_rxc(table).p_value == pytest.approx(compare.fisher_exact_rxc(table.T).p_value, rel=1e-6)


@given(tables.filter(lambda table: sum(map(sum, table)) > 0))
def test_the_r_by_c_test_of_two_rows_and_columns_is_fishers(table):
    assert compare.fisher_exact_rxc(table).p_value == pytest.approx(fourfold.fisher_p(table), rel=1e-5)


@given(samples, samples)
def test_swapping_the_samples_mirrors_the_rank_test(second, first):
    one, other = compare.mann_whitney(second, first), compare.mann_whitney(first, second)
    assert other.p_value == pytest.approx(one.p_value)
    assert other.shift == pytest.approx(-one.shift)
    assert other.superiority + one.superiority == pytest.approx(1)


@given(samples, samples)
def test_the_rank_test_sees_ranks_only(second, first):
    stretched = compare.mann_whitney([x**3 for x in second], [x**3 for x in first])
    assert stretched.p_value == pytest.approx(compare.mann_whitney(second, first).p_value)


few_values = st.lists(st.integers(0, 6), min_size=1, max_size=6)


@given(few_values, few_values)
def test_the_exact_rank_test_counts_every_way_to_divide_the_patients(second, first):
    ranks = stats.rankdata([*second, *first])
    away = [abs(sum(drawn) - len(second) * ranks.mean()) for drawn in combinations(ranks, len(second))]
    observed = abs(ranks[: len(second)].sum() - len(second) * ranks.mean())
    expected = np.mean([distance > observed - 1e-9 for distance in away])
    assert compare.mann_whitney(second, first).p_exact == pytest.approx(expected)


def test_each_rank_test_gives_the_p_value_that_it_names():
    """Three against three, apart: one star by the approximation, none by the exact test."""
    few = {name: compare.mann_whitney([4, 5, 6], [1, 2, 3], name) for name in compare.RANK_TESTS}
    assert {name: round(test.p_value, 4) for name, test in few.items()} == {"auto": 0.1, "exact": 0.1, "spss": 0.0495}
    assert len({test[2:] for test in few.values()}) == 1  # both stay beside the one that is shown
    with pytest.raises(ValueError, match="rank_test: 'r' is not accepted; accepted: auto, exact, spss"):
        compare.mann_whitney([1], [2], "r")


@pytest.mark.parametrize(("size", "exact"), [(compare.SMALL_GROUP, True), (compare.SMALL_GROUP + 1, False)])
def test_the_exact_test_is_shown_where_the_smaller_group_is_small(size, exact):
    many, few = range(0, 90, 3), range(1, 3 * size, 3)
    for second, first in [(many, few), (few, many)]:
        found = compare.mann_whitney(list(second), list(first), "auto")
        assert found.p_value == (found.p_exact if exact else found.p_approximate)
        assert found.p_exact != found.p_approximate


def test_where_the_exact_test_ends_is_said_as_it_is():
    for file in (paths.ROOT / "README.md", paths.NOTEBOOKS / "03_distal_weakness.ipynb"):
        assert f"has up to {compare.SMALL_GROUP} patients" in file.read_text(encoding="utf-8")


def test_beyond_a_small_group_the_two_rank_tests_hardly_differ():
    rng, size = np.random.default_rng(3), compare.SMALL_GROUP + 1

    def apart(size: int) -> float:
        pairs = [(rng.normal(shift, size=size), rng.normal(size=size)) for shift in rng.uniform(0, 1.5, 60)]
        found = [compare.mann_whitney(*pair) for pair in pairs]
        return max(abs(test.p_exact - test.p_approximate) for test in found if 0.01 < test.p_exact < 0.1)

    assert apart(size) < 0.0035 < apart(8)


def test_of_too_many_patients_the_approximation_is_shown_also_where_the_exact_test_is_asked_for(monkeypatch):
    monkeypatch.setattr(compare, "MOST_EXACT", 3 * 6 - 1)
    found = compare.mann_whitney([4, 5, 6], [1, 2, 3], "exact")
    assert math.isnan(found.p_exact) and found.p_value == found.p_approximate == pytest.approx(0.0495, abs=1e-4)


def test_the_largest_exact_rank_test_agrees_with_scipy():
    rng = np.random.default_rng(4)
    second, first = rng.normal(0.3, size=70), rng.normal(size=70)
    assert len(second) * 140 <= compare.MOST_EXACT
    expected = stats.mannwhitneyu(second, first, method="exact").pvalue
    assert compare.mann_whitney(second, first).p_exact == pytest.approx(expected, rel=1e-9)


def test_missing_values_do_not_change_the_rank_test():
    assert compare.mann_whitney([1, 5, None, 7], [2, 3, math.nan]) == compare.mann_whitney([1, 5, 7], [2, 3])


def test_equal_values_everywhere_give_a_rank_test_p_of_one():
    assert compare.mann_whitney([4, 4, 4], [4, 4]).p_value == 1


def test_the_rank_test_of_an_empty_sample_is_missing():
    assert all(math.isnan(number) for number in compare.mann_whitney([], [1, 2]))


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="none below zero"):
        fourfold.fisher([[3, -1], [2, 4]])


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.5])
def test_a_confidence_outside_zero_to_one_is_refused(confidence):
    with pytest.raises(ValueError, match=r"confidence: .* is not accepted"):
        fourfold.fisher([[1, 2], [3, 4]], confidence)


def test_the_later_group_stands_on_top_and_unknown_answers_are_left_out():
    patients = five_patients()
    assert fourfold.two_by_two(patients["myalgia"], patients["age_group"]).tolist() == [[2, 0], [1, 1]]


ROWS = pd.DataFrame(
    {
        "row": ["myalgia", "age_at_onset", "max_creatine_kinase"],
        "kind": ["count", "mean", "median"],
        "tested": [True, False, True],
    }
)


def test_only_tested_rows_are_compared_each_with_its_test():
    found = compare.compare(five_patients(), ROWS, "age_group")
    assert set(found["row"]) == {"myalgia", "max_creatine_kinase"}
    assert describe.value(found, "max_creatine_kinase", "comparison", "shift") == 250
    assert describe.value(found, "myalgia", "comparison", "p_value") == pytest.approx(1)


def test_a_comparison_with_an_empty_group_is_missing_not_one():
    found = compare.compare(five_patients(age_at_onset=["4"] * 5), ROWS, "age_group")
    assert found["value"].isna().all()


@pytest.mark.parametrize("kind", ["whole", "tied", "continuous", "tenths"])
def test_the_shift_is_the_median_of_all_differences(kind, monkeypatch):
    rng = np.random.default_rng(1)
    draw = {
        "whole": lambda n: np.round(rng.lognormal(7, 1, n)),
        "tied": lambda n: rng.integers(0, 6, n).astype(float),
        "continuous": lambda n: rng.normal(size=n),
        "tenths": lambda n: rng.integers(0, 50, n) / 10,
    }[kind]
    for few in (1, 5, 50, 10**6):
        monkeypatch.setattr(compare, "FEW", few)
        for _ in range(100):
            second, first = draw(rng.integers(1, 30)), draw(rng.integers(1, 30))
            expected = np.median(np.subtract.outer(second, first))
            assert compare.median_difference(second, first) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_intervals_of_large_tables_are_those_of_a_search_through_all_of_them(monkeypatch):
    rng = np.random.default_rng(2)
    tables = [rng.integers(1, 900, (2, 2)).tolist() for _ in range(25)] + [[[3, 800], [900, 2]], [[700, 1], [0, 650]]]
    quick = [fourfold.fisher(table, level) for table in tables for level in (0.9, 0.99)]
    monkeypatch.setattr(fourfold, "MOST_TABLES", 10**9)
    assert quick == [pytest.approx(fourfold.fisher(table, level)) for table in tables for level in (0.9, 0.99)]


def test_a_table_cut_to_its_probable_part_gives_the_same_interval(monkeypatch):
    table = [[4000, 3000], [2500, 2000]]
    whole = fourfold.fisher(table)
    monkeypatch.setattr(fourfold, "MOST_TABLES", 500)
    assert fourfold.fisher(table) == pytest.approx(whole, rel=1e-10)


def test_a_large_table_has_an_interval_that_its_own_test_just_does_not_reject():
    table = [[200_000, 500_000], [100_000, 200_000]]
    found = fourfold.fisher(table)
    log_odds = np.log(np.divide(*table[0]) / np.divide(*table[1]))
    error = np.sqrt((1 / np.array(table)).sum())
    assert np.log([found.ci_low, found.ci_high]) == pytest.approx(
        [log_odds - 1.96 * error, log_odds + 1.96 * error], abs=2e-5
    )
    assert found.p_value == 0


def test_few_tables_of_many_patients_are_listed():
    """It is the number of tables that takes time: 419 patients have 81 tables at most, and were refused."""
    found = compare.fisher_exact_rxc([[200, 203], [3, 5], [1, 7]])
    assert found.standard_error == 0 and found.p_value == pytest.approx(0.114, abs=0.002)


def test_of_too_many_tables_some_are_drawn_and_the_standard_error_says_so(monkeypatch):
    table = [[12, 8, 4], [6, 9, 5], [3, 4, 9]]
    listed = compare.fisher_exact_rxc(table)
    monkeypatch.setattr(compare, "MOST_LISTED", 10)
    drawn = compare.fisher_exact_rxc(table)
    assert listed.standard_error == 0 < drawn.standard_error and drawn == compare.fisher_exact_rxc(table)
    assert abs(drawn.p_value - listed.p_value) < 4 * drawn.standard_error
    monkeypatch.undo()
    spread = compare.fisher_exact_rxc(np.full((3, 4), 40))
    assert spread.p_value > 0.99 and 0 <= spread.standard_error < 0.001
    assert all(math.isnan(number) for number in compare.fisher_exact_rxc([[0, 0], [0, 0]]))


# Which rank test


@pytest.mark.parametrize("name", findings.TABLES)
def test_the_cohort_of_the_paper_keeps_its_rank_test_by_default(name):
    place = "max_creatine_kinase", "comparison", "p_value"
    rows, by = published.rows(name), findings.TABLES[name]
    values = {test: describe.value(compare.compare(cohort.load(), rows, by, rank_test=test), *place)
              for test in compare.RANK_TESTS}  # fmt: skip
    assert values["auto"] == values["spss"] != values["exact"]


def test_the_adjustment_for_many_tests_takes_the_p_value_that_is_shown():
    rows = pd.DataFrame({"row": ["max_creatine_kinase"], "kind": ["median"], "tested": [True]})
    levels = five_patients(age_at_onset=["4", "5", "40", "50", "60"])
    for test, p in [("auto", 0.2), ("exact", 0.2), ("spss", 0.0833)]:
        found = compare.compare(levels, rows, "age_group", rank_test=test).set_index("statistic")["value"]
        assert found["p_value"] == found["p_holm"] == pytest.approx(p, abs=1e-4)
        assert [found["p_exact"], found["p_approximate"]] == pytest.approx([0.2, 0.0833], abs=1e-4)


def test_an_unknown_rank_test_is_refused_before_anything_is_compared():
    rows = pd.DataFrame({"row": ["myalgia"], "kind": ["count"], "tested": [True]})
    with pytest.raises(ValueError, match="rank_test: 'asymptotic' is not accepted"):
        compare.compare(five_patients(), rows, "age_group", rank_test="asymptotic")


# Many tests


def adjusted(patients: pd.DataFrame, name: str) -> pd.DataFrame:
    found = compare.compare(patients, published.rows(name), findings.TABLES[name])
    return found.pivot(index="row", columns="statistic", values="value")[["p_value", "p_holm"]]


def test_opposites_count_as_one_test_wherever_tests_are_counted():
    """The phenotypes are one question: Table 1 has 20 tests in the table, in the notebook and in the adjustment."""
    patients = cohort.load()
    found = adjusted(patients, "table1")
    listed = compare.tests(patients, found.index)
    assert len(found) == 21 and sorted(set(found.index) - set(listed)) == ["polymyositis"]
    assert found.loc["polymyositis", "p_holm"] == found.loc["dermatomyositis", "p_holm"]
    assert found.loc[listed, "p_holm"].tolist() == compare.holm(found.loc[listed, "p_value"]).tolist()
    assert found.loc["polymyositis", "p_holm"] == pytest.approx(20 * found.loc["polymyositis", "p_value"])


def test_a_row_with_one_answer_in_everybody_makes_no_other_row_worse():
    patients = cohort.load()
    constant = cohort.derive(patients.assign(dysphagia=True))
    before, after = adjusted(patients, "table2"), adjusted(constant, "table2")
    assert after.loc["dysphagia"].tolist() == [1, 1]
    assert before.loc["neck_weakness", "p_holm"] == pytest.approx(7 * before.loc["neck_weakness", "p_value"])
    assert after.loc["neck_weakness", "p_holm"] == pytest.approx(6 * after.loc["neck_weakness", "p_value"])


@pytest.mark.parametrize("name", ["02_juvenile_vs_adult", "03_distal_weakness"])
def test_both_notebooks_show_adjusted_p_values_in_the_same_words(name):
    text = (paths.NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8")
    assert "Many rows, many tests" in text and "compare.tests(patients, rows.loc" in text
    assert re.search(r": P = 0\.\d+, adjusted 0\.\d+", text) and " after adjustment" in text
