"""Ledgers of other papers: how a file is read, what each row's verdict is, and how the result is written."""

import csv
from contextlib import suppress

import pandas as pd
import pytest
from budget import budget
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nxp2lib import findings, fourfold, published
from nxp2lib.audit import ledger, summaries, verdicts
from nxp2lib.audit.verdicts import CONSISTENT, INCONSISTENT, OTHER_CONVENTION, REPRODUCED, UNDETERMINED

HEADER = "table,row,a_count,a_n,b_count,b_n,p_printed"
ROW = "1,male,12,29,14,47,0.33"
HALVES = {"table1": ("juvenile", "adult"), "table2": ("limited", "extended")}
NUMBERS = {"a_n": "10", "a_kind": "mean(SD)", "a_center": "5.0", "a_lo": "1.0",
           "b_n": "40", "b_kind": "mean(SD)", "b_center": "6.2", "b_lo": "1.1"}  # fmt: skip


@pytest.fixture
def file(tmp_path):
    def write(*lines, encoding="utf-8", end="\n"):
        path = tmp_path / "ledger.csv"
        path.write_bytes(end.join([*lines, ""]).encode(encoding))
        return path

    return write


def refusal(path) -> str:
    with pytest.raises(ledger.LedgerError) as caught:
        ledger.read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def judged(p: str = "", a: str = "", b: str = "", **cells) -> pd.Series:
    """Return what is found of one row, in file row 7."""
    row = {"a_count": a, "b_count": b, "p_printed": p, **cells}
    return ledger.audit(pd.DataFrame([row], index=[7])).loc[7]


# Reading


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_encodings_and_line_ends_do_not_matter(file, mark, encoding, end):
    read = ledger.read(file(*(line.replace(",", mark).replace("male", "Besançon") for line in (HEADER, ROW)),
                            encoding=encoding, end=end))  # fmt: skip
    cells = ROW.replace("male", "Besançon").split(",")
    assert read.loc[2].to_dict() == dict(zip(HEADER.split(","), cells, strict=True))


def test_rows_keep_their_place_in_the_file_and_blank_ones_are_left_out(file):
    assert ledger.read(file(HEADER, ROW, "", ",,,,,,", ROW)).index.tolist() == [2, 5]


def test_columns_are_known_in_any_order_whatever_their_case_and_spaces_and_others_are_kept(file):
    read = ledger.read(file(" P Printed ,B COUNT,a-count,Remark", "0.04,12/34, 5/40 ,see text"))
    assert read.loc[2].to_dict() == {"p_printed": "0.04", "b_count": "12/34", "a_count": "5/40", "Remark": "see text"}


def test_short_rows_and_empty_columns_at_the_end_do_no_harm(file):
    read = ledger.read(file(HEADER + ",,", ROW + ",,", "1,female"))
    assert read.loc[3, "p_printed"] == "" and read.columns.tolist() == HEADER.split(",")


def test_a_short_ledger_does_not_shorten_what_others_may_read(file):
    before = csv.field_size_limit()
    ledger.read(file(HEADER, ROW))
    assert csv.field_size_limit() >= before


def test_a_cell_may_hold_the_separator_in_quotation_marks(file):
    assert ledger.read(file(HEADER, '1,"male, ""all""","1,125",2250,14,47,0.33')).loc[2, "a_count"] == "1,125"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([""], "ledger.csv: the file is empty"),
        (["", " , ,"], "ledger.csv: the file is empty"),
        (["\u3000,\u3000", '""'], "ledger.csv: the file is empty"),
        ([HEADER], "ledger.csv: the file has no rows below its header"),
        ([HEADER, ROW, ROW + ",x"], "ledger.csv: file row 3 has 8 cells, the header 7; a separator inside a cell needs "
                                    "quotation marks"),
        ([HEADER + ",A count", ROW + ",1"],
         "ledger.csv: the column a_count is there twice; accepted: each column once"),
        ([HEADER + ",x,x", ROW + ",1,1"], "ledger.csv: the column x is there twice; accepted: each column once"),
        (["a_count,b_count,p_print", "1,2,3"],
         "ledger.csv: a column p_printed is missing; did you mean 'p_print'?"),
        (["a_count,b_coutn,p_printed", "1,2,3"],
         "ledger.csv: a column b_count or b_pct or b_center is missing; did you mean 'b_coutn'?"),
        ([HEADER, '1,"male'], "ledger.csv: after line 1: a quotation mark is never closed"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_ledger_is_told_in_one_sentence(file, lines, said):
    assert refusal(file(*lines)) == said


def test_a_missing_file_a_folder_and_a_workbook_are_told(tmp_path):
    assert refusal("nowhere.csv").startswith("nowhere.csv: no such file")
    assert refusal(tmp_path).endswith("a folder, not a file")
    (tmp_path / "ledger.csv").write_bytes(b"PK\3\4\0\0")
    assert refusal(tmp_path / "ledger.csv").startswith("ledger.csv: this is no text; accepted: CSV")
    (tmp_path / "ledger.csv").write_bytes(b"a_count\x81")
    assert "neither in UTF-8 nor in Windows-1252" in refusal(tmp_path / "ledger.csv")


@settings(max_examples=budget(40, 200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | st.text().map(str.encode) | st.text("a_countbp,;\"\n\r\t' 01").map(str.encode))
def test_any_bytes_are_read_or_refused(tmp_path, content):
    path = tmp_path / "ledger.csv"
    path.write_bytes(content)
    with suppress(ledger.LedgerError):
        ledger.read(path)


# The paper's own tables


def paper_ledger() -> pd.DataFrame:
    """Write Tables 1 and 2 as a ledger: counts with percentages, and medians with quartiles, as printed."""
    rows = []
    for place, (a, b) in HALVES.items():
        digits = published.load(place)
        digits = digits[digits["statistic"] != "p_mark"].set_index(["item", "group", "statistic"])["printed"]
        for item in published.rows(place).query("tested")["row"]:
            row = {"table": place, "row": item, "p_printed": digits[item, "comparison", "p_value"]}
            for side, group in (("a", a), ("b", b)):
                known = findings.applies(item) == "total"  # else the patients with a biopsy, not printed by group
                row |= {f"{side}_n": digits["patients", group, "n"] if known else ""}
                names = {"count": "n", "pct": "percent", "center": "median", "lo": "q1", "hi": "q3"}
                row |= {f"{side}_{name}": digits.get((item, group, kind), "") for name, kind in names.items()}
                row[f"{side}_kind"] = "median(IQR)" if row[f"{side}_center"] else ""
            rows.append(row)
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def paper():
    return ledger.audit(paper_ledger()).set_index(["table", "row"])


def test_every_p_value_of_table_1_is_reproduced_but_one_rounded_twice(paper):
    found = paper.loc["table1"]
    others = found.loc[found["verdict"] != REPRODUCED, "verdict"].to_dict()
    assert others == {"any_rash": OTHER_CONVENTION, "max_creatine_kinase": UNDETERMINED}
    assert found.loc["any_rash", "conventions"].startswith("rounded twice")
    assert len(found) == 21


def test_three_p_values_of_table_2_are_one_sided(paper):
    found = paper.loc["table2"]
    one_sided = found.index[found["conventions"].str.startswith("one-sided Fisher")]
    assert one_sided.tolist() == ["male", "dysphagia", "ana_positive"]
    assert (found.loc[one_sided, "verdict"] == OTHER_CONVENTION).all()
    others = found.drop(one_sided)["verdict"].to_dict()
    assert others == dict.fromkeys(["neck_weakness", "perifascicular_atrophy", "microinfarction"], REPRODUCED) | {
        "max_creatine_kinase": UNDETERMINED
    }


def test_a_percentage_that_is_cut_off_is_said_beside_a_p_value_that_is_reproduced(paper):
    found = paper.loc[("table1", "periungual_erythema")]
    assert found["verdict"] == REPRODUCED
    assert found["reason"].startswith("18/29 is 62.07 %, which rounds to 62.1; cut off after the printed decimals")


def test_a_group_size_that_is_not_printed_follows_from_count_and_percentage(paper):
    assert "of 15/32 against 16/32" in paper.loc[("table2", "perifascicular_atrophy"), "reason"]


# Counts


def test_a_p_value_is_set_beside_those_that_its_margins_allow():
    found = judged("0.03", "12/34", "5/40")
    assert found["verdict"] == REPRODUCED and found["reason"].endswith("is 0.0272, which rounds to 0.03")
    assert found["p_value"] == found["attainable_below"] == fourfold.fisher_p([[12, 22], [5, 35]])
    everything = [fourfold.fisher_p([[a, 34 - a], [17 - a, 23 + a]]) for a in range(18)]
    assert found["attainable_above"] == min(p for p in everything if p > 0.03)


def test_a_p_value_that_nothing_gives_is_inconsistent():
    found = judged("0.045", "12/34", "5/40")
    assert (found["verdict"], found["conventions"]) == (INCONSISTENT, "")
    assert found["reason"] == (
        "two-sided Fisher of 12/34 against 5/40 is 0.0272, not 0.045; "
        "with these margins it can be 0.0272 and 0.0515, nothing between"
    )


@pytest.mark.parametrize("cells", [{"a": "12/34 (35.3)"}, {"a": "35.3%", "a_n": "34"}, {"a_n": "34", "a_pct": "35.3"},
                                   {"a": "12", "a_pct": "35.3"}, {"a": "12", "a_n": "n=34"}])  # fmt: skip
def test_count_size_and_percentage_complete_one_another(cells):
    found = judged("0.03", b="5/40", **cells)
    assert found["verdict"] == REPRODUCED and "of 12/34 against 5/40" in found["reason"]


def test_several_counts_that_fit_a_percentage_give_a_verdict_together():
    """35 % of 200 is 69 (34.5 rounds up) or 70, not 71 (35.5 rounds to 36)."""
    cells = {"a_pct": "35", "a_n": "200", "b": "100/200"}
    both = judged("0.00", **cells)
    assert both["verdict"] == REPRODUCED and "each of the 2 tables" in both["reason"] and pd.isna(both["p_value"])
    one = judged("0.003", **cells)
    assert one["verdict"] == CONSISTENT and "prints 0.003 for 70/200 against 100/200, of 2 tables" in one["reason"]
    other = judged("0.0080", **cells, test_printed="chi-square")
    assert other["verdict"] == INCONSISTENT and "chi-square of the 2 tables that fit is 0.00" in other["reason"]
    none = judged("0.5", **cells)
    assert none["verdict"] == INCONSISTENT and "of the 2 tables that fit is 0.00" in none["reason"]


def test_a_percentage_of_fewer_patients_is_told_and_used():
    found = judged("0.07", "6/20 (35.3%)", "5/40")
    assert (found["verdict"], found["conventions"].split("; ")[0]) == (OTHER_CONVENTION, "denominator 17")
    assert found["reason"].startswith("35.3 % is 6 of 17, not of 20; two-sided Fisher of 6/17 against 5/40 is 0.0677")
    assert judged("0.50", "6/20 (35.3%)", "5/40")["verdict"] == INCONSISTENT


def test_an_impossible_percentage_is_inconsistent_whatever_p_says_and_both_are_told():
    found = judged("0.03", "12/34 (38.1)", "5/40")
    assert found["verdict"] == INCONSISTENT
    assert "no whole number of 34 is 38.1 %: 12 are 35.3, 13 are 38.2; two-sided Fisher" in found["reason"]
    assert judged("0.03", a_pct="15.8", a_n="29", b="5/40")["reason"].startswith("no whole number of 29 is 15.8 %")
    assert judged("0.03", a="7", a_pct="14.7", b="5/40")["reason"] == "7 patients are 14.7 % of no group"
    assert judged("0.03", a="1", a_pct="77.7", b="5/40")["reason"] == "1 patient is 77.7 % of no group"


@pytest.mark.parametrize(
    ("a", "verdict"),
    [("16/29 (55.2)", REPRODUCED), ("18/29 (62.0)", OTHER_CONVENTION), ("6/20 (35.3)", OTHER_CONVENTION),
     ("18/29 (63.0)", INCONSISTENT), ("18/29", UNDETERMINED)],
)  # fmt: skip
def test_without_a_p_value_the_percentages_are_judged_alone(a, verdict):
    assert judged("–", a, "7/47")["verdict"] == verdict


@pytest.mark.parametrize(
    ("cells", "verdict", "reason"),
    [
        ({"a": "twelve"}, UNDETERMINED, "file row 7, column a_count: 'twelve' is not accepted; accepted: 12, 12/34, "),
        ({"a": "1", "a_n": "0"}, UNDETERMINED, "file row 7, column a_n: '0' is not accepted; accepted: a group of 1"),
        ({"a": "1/0"}, UNDETERMINED, "file row 7, column a_count: '1/0' is not accepted; accepted: a group of 1 to "),
        ({"a": "30", "a_n": "29"}, INCONSISTENT, "file row 7, column a_count: '30' is not accepted; accepted: 0 to 29"),
        ({"a": "3/40", "a_n": "29"}, INCONSISTENT, "file row 7, column a_count: '3/40' is not accepted; the group has"),
        ({"a": "3"}, UNDETERMINED, "nothing printed gives a_n"),
        ({"a_pct": "30"}, UNDETERMINED, "nothing printed gives a_count and a_n"),
        ({"a": "1/2", "p": "often"}, UNDETERMINED, "file row 7, column p_printed: 'often' is not accepted; accepted: "),
        ({"a_pct": "50", "a_n": "90000", "b": "50%", "b_n": "90000"}, UNDETERMINED, "too many counts fit the percent"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_judged_is_named_with_its_cell(cells, verdict, reason):
    found = judged(**{"p": "0.03", "b": "5/40"} | cells)
    assert found["verdict"] == verdict and found["reason"].startswith(reason)


def test_of_several_other_conventions_the_first_is_named_where_the_table_prefers_none():
    found = judged("0.002", "6/20 (35.3%)", "1/40")
    assert found["verdict"] == OTHER_CONVENTION
    assert found["conventions"].split("; ")[:3] == ["denominator 17", "two-sided Fisher", "Blaker's exact test"]


def test_a_reason_does_not_list_hundreds_of_counts():
    found = judged("0.02", "4000/5000 (0 %)", "1/40")
    assert found["verdict"] == INCONSISTENT and len(found["reason"]) < 400


def test_a_cell_that_cannot_be_read_leaves_the_other_rows_alone():
    rows = [{"a_count": a, "b_count": "5/40", "p_printed": "0.03"} for a in ("12/34", "twelve", "12/34")]
    assert ledger.audit(pd.DataFrame(rows))["verdict"].tolist() == [REPRODUCED, UNDETERMINED, REPRODUCED]


# The convention expected


@pytest.mark.parametrize(
    ("test", "name"),
    [("Fisher", "fisher"), ("χ²", "chi_square"), ("chi2, Yates", "chi_square_yates"), ("mid-P", "mid_p"),
     ("N-1 chi-square", "chi_square_n_minus_1"), ("G test", "g_test"), ("one-sided Fisher", "fisher_one_sided"),
     ("Barnard", "barnard"), ("Boschloo", "boschloo")],
)  # fmt: skip
def test_the_test_named_is_the_one_expected(test, name):
    p = fourfold.p_values([[12, 22], [5, 35]], [name]).loc[0, name]
    found = judged(f"{p:.5f}", "12/34", "5/40", test_printed=test)
    assert (found["verdict"], found["p_value"]) == (REPRODUCED, p)
    assert found["conventions"].split("; ")[0] == fourfold.CONVENTIONS[name]


def test_either_of_two_tests_that_are_named_will_do():
    for p in ("0.0272", "0.0202"):
        assert judged(p, "12/34", "5/40", test_printed="chi-square or Fisher's exact test")["verdict"] == REPRODUCED


def test_a_test_that_these_counts_do_not_settle_makes_no_row_inconsistent():
    found = judged("0.5", "12/34", "5/40", test_printed="log-rank")
    assert found["verdict"] == UNDETERMINED and found["reason"].startswith("these numbers do not settle 'log-rank'; ")


def test_without_a_name_most_rows_of_the_same_table_decide():
    groups = [(12, 5), (20, 11), (9, 3), (17, 12)]
    tables = [[[a, 34 - a], [b, 40 - b]] for a, b in groups]
    rows = [{"table": name, "a_count": f"{a}/34", "b_count": f"{b}/40", "p_printed": f"{p:.4f}"}
            for name in ("chi_square", "fisher")
            for (a, b), p in zip(groups, fourfold.p_values(tables, [name])[name], strict=True)]  # fmt: skip
    assert (ledger.audit(pd.DataFrame(rows))["verdict"] == REPRODUCED).all()
    alone = ledger.audit(pd.DataFrame(rows[:1]))
    assert alone["verdict"].tolist() == [OTHER_CONVENTION], "one row establishes no convention"


# Numbers


def test_means_and_standard_deviations_are_read_in_every_form():
    forms = [{"a_center": "5.0 ± 1.0", "a_lo": ""}, {"a_lo": "", "a_hi": "1.0"}, {"a_hi": "1.0"},
             {"a_lo": "4.0", "a_hi": "6.0"}, {"a_center": "5,0 (1,0)", "a_lo": ""}]  # fmt: skip
    found = [judged("0.0033", **NUMBERS | form) for form in [{}, *forms]]
    expected = summaries.t_test(summaries.MeanSD(40, "6.2", "1.1"), summaries.MeanSD(10, "5.0", "1.0"))
    for one in found:
        assert (one["p_value"], one["p_least"], one["p_greatest"]) == expected[:3]


def test_a_t_test_that_is_not_the_one_named_is_told():
    bounds = summaries.t_test(summaries.MeanSD(40, "6.2", "1.1"), summaries.MeanSD(10, "5.0", "1.0"))
    student, welch = f"{bounds.student:.4f}", f"{bounds.welch:.4f}"
    assert student != welch
    found = judged(student, **NUMBERS, test_printed="Welch's t-test")
    assert (found["verdict"], found["p_value"]) == (CONSISTENT, bounds.welch), "the rounding of means allows it"
    found = judged("0.000001", **NUMBERS, test_printed="Welch")
    assert found["verdict"] == INCONSISTENT
    assert judged(welch, **NUMBERS, test_printed="Welch")["verdict"] == REPRODUCED
    assert judged(welch, **NUMBERS)["verdict"] == REPRODUCED
    assert judged(f"{bounds.student_least:.6f}", **NUMBERS)["verdict"] == CONSISTENT
    assert judged("0.5", **NUMBERS)["verdict"] == UNDETERMINED, "a rank test may give it"
    assert judged("0.5", **NUMBERS, test_printed="t test")["verdict"] == INCONSISTENT


def test_quartiles_and_ranges_bound_the_rank_test():
    cells = {"a_n": "9", "a_center": "30 (20–40)", "b_n": "9", "b_center": "5", "b_lo": "3", "b_hi": "7"}
    quartiles = judged("0.002", **cells, a_kind="Median [IQR]")
    assert quartiles["verdict"] == UNDETERMINED and quartiles["p_least"] < 0.002 < quartiles["p_greatest"]
    apart = judged("0.002", **cells, a_kind="median (range)", test_printed="Mann-Whitney U")
    assert apart["verdict"] == INCONSISTENT and apart["p_greatest"] < 0.0005, "20 to 40 never meet 3 to 7"


def test_quartiles_that_no_values_have_are_inconsistent():
    found = judged("0.5", a_n="9", a_kind="median(IQR)", a_center="30 (40-20)", b_n="9", b_center="5 (3-7)")
    assert found["verdict"] == INCONSISTENT
    assert found["reason"].startswith("the first group (n 9, median 30, q1 40, q3 20): no whole multiples of 1 print ")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"test_printed": "Mann-Whitney"}, "the printed digits allow a Mann-Whitney P between 2.6e-12 and 1"),
        ({"test_printed": "log-rank"}, "mean(SD) against mean(SD): these numbers do not bound 'log-rank'"),
        ({"a_kind": "median(IQR)"}, "median(IQR) against mean(SD): these numbers do not bound any test"),
        ({"a_kind": "mean (SE)"}, "file row 7, column a_kind: 'mean (SE)' is not accepted; accepted: mean(SD), median"),
        ({"a_kind": "", "b_kind": ""}, "file row 7, column a_kind: '' is not accepted; accepted: mean(SD), median"),
        ({"a_lo": ""}, "file row 7, column a_lo: '' is not accepted; accepted: the standard deviation, or mean - SD"),
        ({"a_lo": "4.0", "a_hi": "9.0"}, "file row 7, column a_lo: '4.0' is not accepted; accepted: the standard "),
        ({"a_lo": "-1"}, "file row 7, column a_lo: '-1' is not accepted; accepted: the standard deviation"),
        ({"a_n": "1"}, "file row 7, column a_n: '1' is not accepted; accepted: a group of 2 to "),
        ({"a_center": "-"}, "file row 7, column a_center: '-' is not accepted; accepted: 2609, "),
        ({"p": ""}, "no P value is printed"),
        ({"a_kind": "median(IQR)", "b_kind": "", "a_center": "999999999999999", "a_lo": "", "b_center": "0.0000001",
          "b_lo": ""}, "these numbers have too many digits to bound the rank test"),
    ],
)  # fmt: skip
def test_numbers_that_bound_no_test_leave_the_row_undetermined(cells, reason):
    found = judged(**{"p": "0.03"} | NUMBERS | cells)
    assert found["verdict"] == UNDETERMINED and found["reason"].startswith(reason)


def test_counts_and_numbers_may_stand_in_one_file(file):
    header = "row,a_count,a_n,b_count,b_n,p_printed,kind,a_kind,a_center,b_center"
    rows = ["rash,12,34,5,40,0.03,,n (%),,", "age,,10,,10,0.02,,mean (SD),5.0 (1.0),6.2 (1.1)"]
    read = ledger.read(file(header, *rows))
    assert ledger.audit(read)["verdict"].tolist() == [REPRODUCED, REPRODUCED]


# Anything at all

SCRAPS = ["12", "12/34", "35.3%", "<0.001**", "NS", "–", "0,04", "1 125", "5.0 ± 1.2", "2609 (1125–6972)", "999999999",
          "0", "-3", "1e-4", "100%", "Fisher", "Welch", "Mann-Whitney", "median(IQR)", "mean(SD)", "n (%)"]  # fmt: skip
CELLS = st.text(max_size=12) | st.sampled_from(SCRAPS) | st.text("0123456789.,/%()–±<> ", max_size=8)


@pytest.mark.parametrize("column", ledger.COLUMNS)
@settings(max_examples=budget(4, 40), suppress_health_check=list(HealthCheck))
@given(texts=st.lists(CELLS, min_size=50, max_size=50))
def test_arbitrary_cells_in_each_column_give_one_verdict_per_row(column, texts):
    counted = {"a_count": "3", "a_n": "9", "b_count": "1", "b_n": "8", "p_printed": "0.58"}
    counted |= {"p_printed": ""} if column.endswith(("row", "label")) else {}  # columns that nothing is read from
    usual = NUMBERS | {"p_printed": "0.03"} if column.endswith(("kind", "center", "lo", "hi")) else counted
    found = ledger.audit(pd.DataFrame([usual | {column: text} for text in texts]))
    assert found.columns.tolist() == [*ledger.COPIED, "verdict", "conventions", *ledger.NUMBERS, "reason"]
    assert found["verdict"].isin(verdicts.VERDICTS).all() and len(found) == 50
    assert found["reason"].str.len().between(1, 600).all() and not found["reason"].str.contains("\n").any()


@settings(max_examples=budget(10, 100), suppress_health_check=list(HealthCheck))
@given(rows=st.lists(st.fixed_dictionaries(dict.fromkeys(ledger.COLUMNS, CELLS)), min_size=1, max_size=5))
def test_rows_of_arbitrary_cells_give_one_verdict_each(rows):
    assert ledger.audit(pd.DataFrame(rows))["verdict"].isin(verdicts.VERDICTS).all()


# Writing


def test_what_is_written_holds_the_ledger_and_the_findings_and_is_read_again(file, tmp_path):
    read = ledger.read(file(HEADER + ",Remark", ROW + ",=1+1", "1,female,–,29,33/47,47,-,-0.5", "1,x,+,@a,-x,,,"))
    found = ledger.audit(read)
    ledger.write(found, read, tmp_path / "new" / "audited.csv")
    written = (tmp_path / "new" / "audited.csv").read_bytes()
    assert written.startswith(b"\xef\xbb\xbf") and b'"\'=1+1"' in written and b'"\'-","-0.5"' in written
    again = ledger.read(tmp_path / "new" / "audited.csv")
    assert again[read.columns].equals(read)
    assert again["verdict"].tolist() == found["verdict"].tolist()
    assert float(again.loc[2, "p_value"]) == pytest.approx(found.loc[2, "p_value"], rel=1e-5)
    ledger.write(ledger.audit(again), again, tmp_path / "twice.csv")
    assert (tmp_path / "twice.csv").read_bytes() == written, "an audit of an audit changes nothing"


@settings(max_examples=budget(20, 100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text("=+-@'\t\r\n\",; 1.a–", max_size=6), min_size=1, max_size=5))
def test_no_text_that_is_written_begins_like_a_formula(tmp_path, texts):
    rows = pd.DataFrame({"a_count": "1", "b_count": "1", "p_printed": "1", "remark": [text.strip() for text in texts]})
    ledger.write(ledger.audit(rows), rows, tmp_path / "audited.csv")
    written = pd.read_csv(tmp_path / "audited.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig")
    for cell in written["remark"]:
        assert not cell.startswith(tuple("=@\t\r")) and (cell[:1] not in ("+", "-") or cell[1:2] in "1.")
    again = ledger.read(tmp_path / "audited.csv")["remark"].tolist()
    assert again == [text.strip().removeprefix("'" if text.strip()[1:2] in tuple("=+-@\t\r") else "") for text in texts]


def test_a_file_that_cannot_be_written_leaves_the_old_one(file, tmp_path, monkeypatch):
    read = ledger.read(file(HEADER, ROW))
    found = ledger.audit(read)
    ledger.write(found, read, tmp_path / "audited.csv")
    before = (tmp_path / "audited.csv").read_bytes()
    monkeypatch.setattr(pd.DataFrame, "to_csv", lambda *args, **settings: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ledger.write(found, read, tmp_path / "audited.csv")
    assert (tmp_path / "audited.csv").read_bytes() == before and len(list(tmp_path.iterdir())) == 2
