"""What tables show."""

import pandas as pd
import pytest
from made import random_cohort
from test_describe import five_patients

from nxp2lib import cohort, compare, describe, formats, published, table

ROWS = pd.DataFrame(
    {
        "row": ["male", "age_at_onset", "myalgia", "max_creatine_kinase"],
        "kind": ["count", "mean", "count", "median"],
        "tested": [True, False, True, True],
    }
)


def built(patients, rows=ROWS, by="age_group", **options) -> formats.Table:
    results = compare.two_groups(patients, rows, by)
    return table.build(results, rows, by, "Title", **options)


def row(shown: formats.Table, label: str) -> tuple[str, ...]:
    return next(cells for cells in shown.body if cells[0].startswith(label))


@pytest.mark.parametrize(
    ("n", "of", "text"), [(1, 80, "1.3"), (9, 80, "11.3"), (18, 29, "62.1"), (1, 16, "6.3"), (0, 5, "0.0")]
)
def test_percentages_round_half_up_in_decimal(n, of, text):
    assert table.percentage(n, of) == text


@pytest.mark.parametrize(("value", "text"), [(0.0005, "<0.001"), (0.00104, "0.001"), (1.0, "1.000"), (0.0494, "0.049")])
def test_p_values_have_three_decimals(value, text):
    assert table.p_value(value) == text


def test_cells_show_what_the_five_patients_have():
    shown = built(five_patients())
    assert row(shown, "Male/female") == ("Male/female, n/n", "2/3", "1/1", "1/2", "1.000†")
    assert row(shown, "Age at onset")[1:4] == ("39 (0–84)", "8 (0–14)", "60 (40–84)")
    assert row(shown, "Maximum creatine kinase")[1] == "300 (150–450)"


def test_a_cell_with_unknown_answers_shows_its_denominator():
    assert row(built(five_patients()), "Myalgia")[1:4] == ("3/4 (75.0)", "1 (50.0)", "2/2 (100.0)")


def test_a_footnote_explains_every_mark_that_is_used_and_no_other():
    shown = built(five_patients(), note="Whose patients.")
    assert shown.footnotes[0] == "Whose patients."
    assert any(note.startswith("†") for note in shown.footnotes)
    assert any(note.startswith("n/N") for note in shown.footnotes)
    assert not any(note.startswith(("*", "–")) for note in shown.footnotes)


def test_the_exact_rank_test_has_a_mark_of_its_own_where_it_is_shown():
    """Two against three: the table shows 0.2 without a star, and the approximation only where it is asked for."""
    patients, rows = five_patients(), ROWS[ROWS["kind"] == "median"]
    said = {"auto": ("0.200¶", "¶ Mann-Whitney U test, exact, ties included."),
            "spss": ("0.083‡", "‡ Mann-Whitney U test, normal approximation with tie correction.")}  # fmt: skip
    for test, (cell, note) in said.items():
        results = compare.two_groups(patients, rows, "age_group", rank_test=test)
        shown = table.build(results, rows, "age_group", "Title", show_holm=True)
        assert row(shown, "Maximum creatine kinase")[4:] == (cell, cell)
        assert [line for line in shown.footnotes if line[0] in "†‡§¶"] == [note]
    assert r"0.200\P{}" in formats.to_latex(built(patients, rows))


def test_the_rank_test_that_cannot_be_counted_keeps_the_mark_of_the_approximation(monkeypatch):
    monkeypatch.setattr(compare, "MOST_EXACT", 1)
    assert row(built(five_patients()), "Maximum creatine kinase")[4] == "0.083‡"


NEITHER = "of neither group: to which they belong is unknown."


@pytest.mark.parametrize(("distal", "said"), [("1", []), ("", [f"The total has 1 patient {NEITHER}"])])
def test_a_table_says_how_many_patients_belong_to_neither_group(distal, said):
    patients = five_patients(distal_weakness=["1", "1", "0", "0", distal], muscle_weakness=["1"] * 5)
    shown = built(patients, by="weakness_extent", note="Whose patients.")
    assert [note for note in shown.footnotes if NEITHER in note] == said
    assert not any(NEITHER in note for note in built(patients).footnotes)


@pytest.mark.parametrize(("unknown", "few"), [(2, 0), (6, 3)])
def test_where_groups_are_kept_back_the_sizes_told_say_the_same(unknown, few):
    patients = random_cohort(40, seed=5).assign(synthetic="").rename(index=lambda place: place + 2)
    patients["distal_weakness"] = [""] * unknown + ["1"] * few + ["0"] * (40 - unknown - few)
    patients = cohort.kept_back(cohort.prepare(patients), 5)
    assert describe.is_kept_back(patients, "weakness_extent")
    shown = built(patients, by="weakness_extent")
    total, *parts = (int(cell.rpartition("\N{NO-BREAK SPACE}")[2]) for cell in shown.header[1:4])
    assert total - sum(parts) == unknown
    assert [note for note in shown.footnotes if NEITHER in note] == [f"The total has {unknown} patients {NEITHER}"]


INSIDE = "Where one patient is youngest or oldest, ranges end with five-year classes"


def test_a_table_with_the_range_or_quartiles_of_patients_who_exist_says_what_these_tell():
    (note,) = [note for note in built(five_patients()).footnotes if note.startswith(INSIDE)]
    assert note == f"{INSIDE}; quartiles can be one's value."
    mixed = five_patients(synthetic=["1", "1", "1", "1", ""])
    assert any(note.startswith(INSIDE) for note in built(mixed, ROWS[ROWS["kind"] == "median"]).footnotes)


def test_a_table_of_counts_or_of_synthetic_patients_says_nothing_of_ranges():
    unknown = five_patients(max_creatine_kinase=[""] * 5)
    for patients, rows in [
        (five_patients(synthetic=["1"] * 5), ROWS),
        (cohort.load(), ROWS),
        (five_patients(), ROWS[ROWS["kind"] == "count"]),
        (unknown, ROWS[ROWS["row"] != "age_at_onset"]),
    ]:
        assert not any(note.startswith(INSIDE) for note in built(patients, rows).footnotes)


def test_an_empty_group_shows_a_dash_and_says_why():
    shown = built(five_patients(age_at_onset=["4"] * 5))
    assert row(shown, "Myalgia")[3:] == ("–", "–")
    assert any(note.startswith("– Not computable") for note in shown.footnotes)


def test_holm_adjusted_values_stand_beside_the_raw_ones_on_request():
    assert "Holm" not in " ".join(built(five_patients()).header)
    assert built(five_patients(), show_holm=True).header[-1] == "P value, Holm-adjusted"


def test_table_1_has_the_sections_and_rows_of_the_paper_in_its_order():
    rows = published.rows("table1")
    shown = built(cohort.load(), rows)
    sections = [cells[0] for cells in shown.body if len(cells) == 1]
    assert sections == [
        "Characteristics",
        "Clinical diagnosis",
        "Skin manifestations",
        "Muscular symptoms",
        "Complications",
        "Laboratory data",
        "Muscle histology",
    ]
    assert len(shown.body) - len(sections) == len(rows) - 1  # male and female share a row


def test_saved_results_keep_full_precision_beside_their_display(tmp_path):
    patients = five_patients()
    table.save_results(describe.summarize(patients, ROWS, "age_group"), "five", tmp_path)
    saved = pd.read_csv(tmp_path / "results" / "five.csv", dtype={"display": str})
    assert saved.columns.tolist() == ["row", "group", "statistic", "value", "display"]
    male = saved.query("row == 'male' and group == 'adult' and statistic == 'percent'").iloc[0]
    assert male["value"] == pytest.approx(100 / 3)
    assert male["display"] == "33.3"


@pytest.mark.parametrize(
    ("value", "text"), [(0.0496, "0.0496"), (0.04998, "0.04998"), (0.00996, "0.00996"), (0.05, "0.050")]
)
def test_a_p_value_never_rounds_to_the_other_side_of_a_star(value, text):
    assert table.p_value(value) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.17, 0.9996, "(0.17 to 0.9996)"),
        (1.004, 3, "(1.004 to 3.00)"),
        (1.0000000000000002, 3, "(1.00 to 3.00)"),
        (0, float("inf"), "(0.00 to ∞)"),
        (0.00214, 0.0998, "(0.0021 to 0.10)"),
        (float("nan"), float("nan"), "(– to –)"),
    ],
)
def test_a_limit_never_rounds_to_one_from_beside_it(low, high, text):
    assert table.estimate(0.5, low, high) == f"0.50 {text}"


def test_an_odds_ratio_below_one_hundredth_keeps_two_digits_wherever_it_is_shown():
    assert table.estimate(0.0051, 0.0002, 0.0312) == "0.0051 (0.00020 to 0.03)"
    rows = [("myalgia", "comparison", name, 0.00468) for name in ("odds_ratio", "ci_low", "superiority")]
    shown = table.with_display(pd.DataFrame(rows, columns=describe.COLUMNS))
    assert shown["display"].tolist() == ["0.0047", "0.0047", "0.00"]
