"""Nobody is excused by chance, and nobody accused by convention."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nxp2lib import digits, fourfold
from nxp2lib.audit import conventions, ledger, ledger_row, summaries, verdicts, whole
from nxp2lib.audit.conventions import Practice
from nxp2lib.audit.summaries import MeanSD, Summary
from nxp2lib.audit.verdicts import CONSISTENT, INCONSISTENT, OTHER_CONVENTION, REPRODUCED, UNDETERMINED


def judged(*rows: dict[str, str]) -> pd.DataFrame:
    return ledger.audit(pd.DataFrame([{"p_printed": "", "table": "1"} | row for row in rows]).fillna(""))


def counts(a: str, b: str, p: str, **more: str) -> dict[str, str]:
    return {"a_count": a, "b_count": b, "p_printed": p} | more


def column(convention: str, pairs, decimals: int = 3) -> list[dict[str, str]]:
    """Rows whose P values are those of one convention."""
    tables = [[[a, n - a], [b, m - b]] for (a, n), (b, m) in pairs]
    p = conventions.p_values(tables, [convention])[convention]
    said = [str(digits.round_half_up(float(value), decimals)) for value in p]
    return [counts(f"{a}/{n}", f"{b}/{m}", p) for ((a, n), (b, m)), p in zip(pairs, said, strict=True)]


PAIRS = [((12, 34), (5, 40)), ((20, 34), (11, 40)), ((9, 34), (3, 40)), ((17, 34), (12, 40)), ((15, 34), (21, 40)),
         ((8, 34), (19, 40)), ((30, 34), (22, 40)), ((13, 34), (9, 40))]  # fmt: skip


# Nobody excused


@pytest.mark.parametrize("test", ["", "two-tailed Fisher", "Fisher's exact test"])
def test_a_one_sided_test_against_what_was_seen_explains_nothing(test):
    (found,) = judged(counts("20/30", "2/30", "1.000", test_printed=test)).itertuples()
    assert found.verdict == INCONSISTENT and "one-sided" not in found.reason and "2e-06" in found.reason


def test_two_sided_excludes_a_one_sided_test_and_fishers_test_alone_does_not():
    p = f"{fourfold.p_values([[13, 23], [13, 27]], ['fisher_one_sided']).iloc[0, 0]:.3f}"
    verdict = [judged(counts("13/36", "13/40", p, test_printed=test)).loc[0, "verdict"]
               for test in ("Fisher's exact test", "two-sided Fisher", "Fisher (2-tailed)", "chi-square")]  # fmt: skip
    assert verdict == [OTHER_CONVENTION, INCONSISTENT, INCONSISTENT, INCONSISTENT]


def test_a_stated_test_binds_and_the_other_is_named_as_a_discrepancy():
    found = judged(counts("12/34", "5/40", "0.027", test_printed="chi-square")).loc[0]
    assert found["verdict"] == INCONSISTENT
    assert found["reason"] == (
        "chi-square of 12/34 against 5/40 is 0.0202, not 0.027; "
        "two-sided Fisher of 12/34 against 5/40 is 0.0272, but chi-square is stated"
    )
    yates = f"{fourfold.p_values([[12, 22], [5, 35]], ['chi_square_yates']).iloc[0, 0]:.4f}"
    found = judged(counts("12/34", "5/40", yates, test_printed="chi-square")).loc[0]
    assert found["verdict"] == OTHER_CONVENTION, "a corrected chi-square test is one"


def test_a_row_that_holds_nothing_but_a_test_states_it_for_its_table():
    row, stated = counts("12/34", "5/40", "0.027"), {"row": "Methods", "test_printed": "chi-square"}
    found = judged(row, stated, row | {"table": "2"})
    assert found["verdict"].tolist() == [INCONSISTENT, UNDETERMINED, REPRODUCED]
    assert found.loc[1, "reason"].startswith("states the test of the other rows")


def test_an_unusual_test_in_one_row_explains_nothing_where_the_table_follows_another():
    p = f"{fourfold.p_values([[12, 22], [5, 35]], ['g_test']).iloc[0, 0]:.3f}"
    odd = counts("12/34", "5/40", p)
    found = judged(*column("fisher", PAIRS), odd)
    assert (found["verdict"][:-1] == REPRODUCED).all()
    assert found["verdict"].iloc[-1] == UNDETERMINED and "no other row needs the first" in found["reason"].iloc[-1]
    several = judged(*column("fisher", PAIRS), odd, *column("g_test", [((14, 34), (6, 40))]))
    assert (several["verdict"][-2:] == OTHER_CONVENTION).all(), "two rows that need it support each other"


def test_a_one_sided_test_that_is_cut_off_and_that_no_other_row_needs_is_neither_excused_nor_accused():
    """34/59 against 8/25: 0.0284 one-sided, in a table that follows the two-sided test."""
    found = judged(*column("fisher", PAIRS), counts("34/59", "8/25", "0.02")).iloc[-1]
    assert found["verdict"] == UNDETERMINED
    assert found["reason"].endswith("one-sided Fisher prints 0.02 for 34/59 against 8/25 (cut off): no reproduction")


def test_every_match_carries_how_likely_it_is_by_chance():
    found = judged(*column("fisher", PAIRS), *column("chi_square", [((14, 34), (6, 40))])).iloc[-1]
    assert found["verdict"] == OTHER_CONVENTION and 0 < found["chance"] < 0.2
    assert found["reason"].endswith(f"explained as well with probability {found['chance']:.2g}")
    assert judged(*column("fisher", PAIRS))["chance"].isna().all()


def test_as_many_wrong_p_values_match_by_chance_as_is_predicted():
    """P values of counts that differ by one or two, judged by the right ones."""
    rng, practice, known = np.random.default_rng(5), Practice(accepted=conventions.QUICK), conventions.PValues()
    predicted = matched = 0
    for decimals in (2, 3):
        for _ in range(150):
            n, m = rng.integers(20, 80, 2)
            a, b = rng.binomial(n, rng.uniform(0.1, 0.6)), rng.binomial(m, rng.uniform(0.1, 0.6))
            other = [[min(n, a + rng.integers(1, 3)), 0], [max(0, b - rng.integers(0, 3)), 0]]
            other[0][1], other[1][1] = n - other[0][0], m - other[1][0]
            printed = f"{fourfold.fisher_p(other):.{decimals}f}"
            found = verdicts.p_value(printed, [[[a, n - a], [b, m - b]]], practice, known)
            if found.verdict != REPRODUCED:
                predicted += found.chance
                matched += bool(found.conventions)
    assert 0.5 * predicted < matched < 2 * predicted and matched > 5


def test_a_match_that_many_p_values_would_make_explains_nothing():
    """One-sided Fisher is 0.2476: of a third of all P values with one decimal some test or other would do the same."""
    found = judged(counts("4/20", "2/24", "0.2")).loc[0]
    assert found["verdict"] == UNDETERMINED and found["chance"] > 0.2
    assert judged(counts("4/20", "2/24", "0.248")).loc[0, "verdict"] == OTHER_CONVENTION


def test_of_two_tests_that_give_as_many_rows_none_is_the_standard():
    one, other = np.array([1.0, 1, 1, 0]), np.array([0, 1.0, 1, 1])
    fits = {("fisher", digits.ROUNDED): one, ("chi_square", digits.ROUNDED): other}
    assert conventions.standard(fits, np.full(4, 0.001)) is None
    assert conventions.standard(dict(list(fits.items())[:1]), np.full(4, 0.001)) == "fisher"


def test_a_test_that_gives_some_of_the_tables_that_fit_is_no_reproduction():
    cells = {"a_pct": "35", "a_n": "200", "b_count": "100/200"}
    usual = judged(cells | {"p_printed": "0.003"}).loc[0]
    assert usual["verdict"] == CONSISTENT
    for name in ("g_test", "mid_p"):
        p = fourfold.p_values([[[69, 131], [100, 100]], [[70, 130], [100, 100]]], [name])[name]
        found = judged(cells | {"p_printed": f"{p[0]:.6f}"}).loc[0]
        assert found["verdict"] == UNDETERMINED and "no reproduction" in found["reason"], name


@pytest.mark.parametrize(
    ("printed", "number", "of", "habit"),
    [("62.0", 18, 29, "cut off"), ("17", 1649, 10_000, "rounded twice"), ("62", 5, 8, "half rounded to even")],
)
def test_habits_of_rounding_are_named_of_percentages(printed, number, of, habit):
    found = verdicts.percentage(printed, number, of)
    assert (found.verdict, found.conventions) == (OTHER_CONVENTION, (habit,))


@pytest.mark.parametrize(("printed", "habit"), [("0.144", "cut off"), ("0.15", "rounded twice")])
def test_habits_of_rounding_are_named_of_p_values_too(printed, habit):
    found = verdicts.p_value(printed, [[[40, 7], [28, 1]]])
    assert (found.verdict, found.conventions[0]) == (OTHER_CONVENTION, habit)
    assert digits.match("0.062", 0.0625) == "half rounded to even"


# Nobody accused


def test_means_without_a_named_test_may_have_been_compared_by_ranks():
    rng = np.random.default_rng(2)
    for _ in range(32):
        a, b = rng.lognormal(1, 0.9, rng.integers(8, 40)), rng.lognormal(1.4, 0.9, rng.integers(8, 40))
        cells = {f"{side}_{name}": text for side, values in (("a", a), ("b", b)) for name, text in
                 {"n": str(len(values)), "kind": "mean(SD)", "center": f"{values.mean():.1f}",
                  "lo": f"{values.std(ddof=1):.1f}"}.items()}  # fmt: skip
        p = f"{stats.mannwhitneyu(b, a, method='asymptotic').pvalue:.3f}"
        assert judged(cells | {"p_printed": p}).loc[0, "verdict"] != INCONSISTENT
        assert judged(cells | {"p_printed": p, "test_printed": "Mann-Whitney"}).loc[0, "verdict"] == UNDETERMINED


def test_means_far_apart_exclude_a_large_p_by_any_test():
    far = {"a_n": "30", "a_kind": "mean(SD)", "a_center": "5.0", "a_lo": "1.0",
           "b_n": "30", "b_kind": "mean(SD)", "b_center": "15.0", "b_lo": "1.0"}  # fmt: skip
    for test in ("", "Mann-Whitney", "t-test"):
        assert judged(far | {"p_printed": "0.40", "test_printed": test}).loc[0, "verdict"] == INCONSISTENT, test
    assert judged(far | {"p_printed": "<0.001"}).loc[0, "verdict"] == REPRODUCED


def test_no_values_leave_the_bounds_that_means_set_to_the_rank_test():
    rng = np.random.default_rng(3)
    for _ in range(200):
        samples = [rng.normal(shift, rng.uniform(0.5, 3), rng.integers(3, 12)) for shift in (0, rng.uniform(0, 8))]
        samples = [np.round(sample ** rng.choice([1, 3]), 1) for sample in samples]
        printed = [MeanSD(len(s), f"{s.mean():.1f}", f"{s.std(ddof=1):.1f}") for s in samples]
        least, greatest = summaries.rank_test_of_means(*printed)
        ways = [{"method": "asymptotic", "use_continuity": use} for use in (True, False)]
        if len(np.unique(np.concatenate(samples))) == sum(map(len, samples)):
            ways.append({"method": "exact"})
        for way in ways:
            assert least - 1e-12 <= stats.mannwhitneyu(*samples, **way).pvalue <= greatest + 1e-12


@pytest.mark.parametrize(
    ("n", "printed"), [(5, "0.012"), (5, "0.008"), (5, "0.009"), (3, "0.1"), (3, "0.08"), (3, "0.05")]
)
def test_exact_and_corrected_rank_tests_are_accepted(n, printed):
    apart = Summary(n, "30", minimum="20", maximum="40"), Summary(n, "5", minimum="3", maximum="7")
    assert verdicts.rank_test(printed, *apart).verdict == UNDETERMINED
    assert verdicts.rank_test("0.4", *apart).verdict == INCONSISTENT


def test_two_rows_of_twelve_are_no_standard():
    """Two P values that only a G test gives, among ten that nothing gives: none of the twelve is judged by it."""
    wrong = [counts(f"{a}/{n}", f"{b}/{m}", "0.777") for (a, n), (b, m) in PAIRS[:6]]
    wrong += [counts(f"{a}/{n}", f"{b}/{m}", "0.666") for (a, n), (b, m) in PAIRS[:4]]
    found = judged(*column("g_test", PAIRS[:2]), *wrong)
    assert not (found["verdict"] == REPRODUCED).any()
    assert found["reason"].iloc[-1].startswith("two-sided Fisher of ")


@pytest.mark.parametrize("name", ["chi_square", "chi_square_yates", "mid_p", "g_test", conventions.POLICY])
def test_a_table_that_follows_a_test_throughout_is_judged_by_it(name):
    pairs = [*PAIRS, ((1, 12), (7, 15)), ((2, 12), (9, 15))] if name == conventions.POLICY else PAIRS
    found = judged(*column(name, pairs))
    assert (found["verdict"] == REPRODUCED).all()
    wrong = judged(*column(name, pairs), counts("14/34", "6/40", "0.300")).iloc[-1]
    assert wrong["verdict"] == INCONSISTENT and wrong["reason"].startswith(conventions.LABELS[name])


def test_of_a_wrong_percentage_the_way_to_read_it_that_explains_p_is_said():
    rows = column("fisher", PAIRS)
    as_printed = judged(*rows, counts("6/20 (35.3%)", "5/40", "0.155")).iloc[-1]
    fewer = judged(*rows, counts("6/20 (35.3%)", "5/40", "0.068")).iloc[-1]
    assert fewer["verdict"] == OTHER_CONVENTION and fewer["reason"].startswith("35.3 % is 6 of 17, not of 20; ")
    assert as_printed["verdict"] == INCONSISTENT
    assert as_printed["reason"].startswith("6/20 is 30.00 %, which rounds to 30.0; ")
    assert "two-sided Fisher of 6/20 against 5/40 is 0.1553, which rounds to 0.155" in as_printed["reason"]


def test_of_a_large_group_no_smaller_one_is_looked_for_that_could_not_be_tried():
    """0 of a million took seconds for each row: half a million denominators fit, and none of their tables was tried."""
    assert len(ledger_row._denominators(0, "0.0", 40)) == 40
    assert ledger_row._denominators(0, "0.0", 1_000_000) == ledger_row._denominators(12, "0.0", 900_000) == []
    assert judged(counts("12/900000 (0.0)", "5/5000", "0.04")).loc[0, "verdict"] == INCONSISTENT


def test_a_percentage_of_no_whole_number_proposes_the_denominator_that_fits():
    found = judged({"a_pct": "74", "a_n": "20", "b_count": "10/40", "p_printed": "<0.001"}).loc[0]
    assert found["verdict"] == OTHER_CONVENTION and "denominator 19" in found["conventions"]
    said = "no whole number of 20 is 74 %: 14 are 70, 15 are 75; with patients left out it can be 14 of 19"
    assert said in found["reason"]
    alone = judged({"a_pct": "74", "a_n": "20", "b_count": "10/40"}).loc[0]
    assert alone["verdict"] == UNDETERMINED and "14 of 19" in alone["reason"]


def test_a_size_that_the_other_rows_have_is_that_of_a_row_without_one():
    whole = [row | {"a_n": "34", "b_n": "40"} for row in column("fisher", PAIRS[:3])]
    found = judged(*whole, {"a_count": "13", "b_pct": "22.5%", "p_printed": "0.202"}).iloc[-1]
    assert found["verdict"] == REPRODUCED and "of 13/34 against 9/40" in found["reason"]


# The whole table


def test_a_whole_table_is_explained_by_the_tests_and_habits_that_leave_the_fewest_rows():
    rows = [*column("mid_p", PAIRS[:4]), *column("chi_square", PAIRS[4:])]
    for number, row in enumerate(rows):
        n, of = map(int, row["a_count"].split("/"))
        row["a_count"] += f" ({digits.cut_off(digits.percent(n, of), 1)})"
        row["row"] = f"row {number}"
    rows[2]["p_printed"] = "0.777"
    (found,) = whole.explain(pd.DataFrame([{"table": "1"} | row for row in rows]))
    labels = {conventions.LABELS[name] for name in ("mid_p", "chi_square")}
    assert (set(found.tests), found.percentages, found.p_values) == (labels, "cut off", "rounded")
    assert (found.rows, found.departures) == (8, (2,))


def test_patients_who_are_left_out_of_a_row_explain_it_only_together_with_its_p_value():
    odd = [counts("6/20 (35.3%)", "5/40", p) for p in ("0.068", "0.155")]
    both = [*column("fisher", PAIRS), *odd]
    (found,) = whole.explain(pd.DataFrame(both))
    assert found.departures == (9,), "35.3 % are 6 of 17, whose P value is another"


def test_no_choice_leaves_fewer_rows_than_the_one_that_is_named():
    """Against a search of its own, one row and one choice at a time."""
    rng, names = np.random.default_rng(4), ["fisher", "chi_square", "chi_square_yates", "mid_p"]
    rows = []
    for _ in range(8):
        a, b, name = rng.integers(2, 18), rng.integers(2, 18), names[rng.integers(4)]
        p = fourfold.p_values([[[a, 20 - a], [b, 20 - b]]], [name]).iloc[0, 0]
        rows.append(counts(f"{a}/20", f"{b}/20", f"{p:.3f}"))
    (found,) = whole.explain(pd.DataFrame(rows))
    given = []
    for row in rows:
        (a, _), (b, _) = (map(int, row[f"{side}_count"].split("/")) for side in "ab")
        every = conventions.p_values([[[a, 20 - a], [b, 20 - b]]], ledger.TRIED)
        given.append({name for name in every if f"{every[name][0]:.3f}" == row["p_printed"]})
    fewest = min(sum(not names & set(pair) for names in given) for pair in combinations(ledger.TRIED, 2))
    assert len(found.departures) <= fewest


# Stars


LEGEND = "* P < 0.05, ** P < 0.01, *** P < 0.001"


def test_stars_are_read_by_their_legend():
    row = counts("20/34", "11/40", "", legend_printed=LEGEND)
    verdict = [judged(row | {"p_printed": p}).loc[0, "verdict"] for p in ("*", "**", "***", "0.009**", "0.009 *")]
    assert verdict == [REPRODUCED, REPRODUCED, INCONSISTENT, REPRODUCED, REPRODUCED]
    found = judged(row | {"p_printed": "0.03**"}).loc[0]
    assert (found["verdict"], found["reason"]) == (INCONSISTENT, "** stands for <0.01, beside 0.03")
    assert judged(row | {"p_printed": "0.009**", "legend_printed": ""}).loc[0, "verdict"] == REPRODUCED
    assert judged(row | {"p_printed": "**", "legend_printed": ""}).loc[0, "verdict"] == UNDETERMINED


def test_a_legend_of_the_table_holds_for_its_rows():
    stated = {"row": "Legend", "legend_printed": LEGEND}
    assert judged(stated, counts("20/34", "11/40", "**"))["verdict"].tolist() == [UNDETERMINED, REPRODUCED]


def test_a_statement_about_counts_does_not_bind_means():
    numbers = {"a_n": "10", "a_kind": "mean(SD)", "a_center": "5.0", "a_lo": "1.0",
               "b_n": "40", "b_kind": "mean(SD)", "b_center": "6.2", "b_lo": "1.1", "p_printed": "0.003"}  # fmt: skip
    found = judged({"test_printed": "Fisher's exact test"}, numbers)
    assert found.loc[1, "verdict"] == REPRODUCED
