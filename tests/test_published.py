"""The registry of printed numbers: complete, well formed, and true to itself."""

import re

import pandas as pd
import pytest

from nxp2lib import dictionary, digits, paths, published
from nxp2lib.report import recomputed

GROUPS = {"total", "juvenile", "adult", "limited", "extended", "polymyositis", "dermatomyositis", "comparison"}
STATISTICS = {
    *("n", "denominator", "percent", "missing", "mean", "minimum", "maximum", "q1", "median", "q3"),
    *("p_value", "odds_ratio", "ci_low", "ci_high", "observed", "expected", "person_years", "sir"),
}
EXTRA_ROWS = {
    "flow": {"screened", "anti_nxp2", "anti_sae", "anti_tif1_beta", "no_antibody"},
    "table1": {"patients"},
    "table2": {"patients"},
    "figure1": {"other_rash", "no_rash"},
    "text": {
        *("normal_creatine_kinase", "no_muscular_symptom", "ana_titer_below_80"),
        *(f"ana_titer_{titer}" for titer in (80, 160, 320, 640, 1280, 2560)),
    },
    "malignancy": {"all_sites", *dictionary.column("malignancy_site").values},
}

# Counted by reading the paper, one entry for each paragraph, without looking at the registry. A number in words counts;
# the number of a reference, a table or a figure, a digit inside a name (NXP2, SAE 1/2, Tween 20, H29-111) and an
# ordinal ("second largest") do not. A word of rounding about this paper's patients ("half") is one number for each
# finding of which it is said. A range is two numbers, 1 × 10^7 one, a titer such as 1:80 one when it is a threshold and
# none when it only names the patients that are counted. The figure's legend prints none; what it shows is derived.
TEXT_COUNTS = {
    "abstract": {"methods": 2, "results": 14},
    "introduction": {"first paragraph": 3, "second paragraph": 0},
    "methods": {"patients": 8, "immunoprecipitation": 13, "statistics": 2},
    "results": {
        "patients and skin": 22,
        "muscles, biopsies, creatine kinase": 19,
        "lung disease and malignancy": 8,
        "antinuclear antibody": 9,
        "juveniles and adults: skin": 20,
        "juveniles and adults: muscles": 3,
        "juveniles and adults: complications": 18,
        "extent of weakness": 16,
    },
    "figure1": {"A": 8, "B": 4, "C": 4},
    "discussion": {
        "phenotype": 3,
        "other antibodies": 18,
        "calcinosis and edema": 6,
        "muscles": 3,
        "juveniles and adults": 2,
        "antinuclear antibody": 2,
        "limitations": 0,
    },
}

# Counted on the printed tables, one entry for each printed row, in printed order. Three counts with three percentages
# and a P value are 7; "Male/Female" is 7, of which the P value is kept with `male`; `ana_positive` has the >1:40 of its
# label, `perifascicular_atrophy` the 64 of the heading above it. `patients` has the two thresholds of the footnote.
# The stars are counted in MARKS.
TABLE_COUNTS = {
    "table1": {
        "patients": 3 + 2,
        "male": 4,
        "female": 3,
        "age_at_onset": 9,
        "polymyositis": 7,
        "dermatomyositis": 7,
        "any_rash": 7,
        "heliotrope_rash": 7,
        "gottron_sign_or_papules": 7,
        "facial_edema": 7,
        "periungual_erythema": 7,
        "subcutaneous_calcinosis": 7,
        "subcutaneous_edema": 7,
        "myalgia": 7,
        "muscle_weakness": 7,
        "distal_weakness": 7,
        "neck_weakness": 7,
        "dysphagia": 7,
        "interstitial_lung_disease": 7,
        "malignancy": 7,
        "max_creatine_kinase": 10,
        "ana_positive": 8,
        "perifascicular_atrophy": 8,
        "microinfarction": 7,
    },
    "table2": {
        "patients": 3 + 2,
        "male": 4,
        "female": 3,
        "neck_weakness": 7,
        "dysphagia": 7,
        "max_creatine_kinase": 10,
        "ana_positive": 8,
        "perifascicular_atrophy": 8,
        "microinfarction": 7,
    },
}
MARKS = {
    "table1": {"dermatomyositis": "**", "any_rash": "*", "heliotrope_rash": "**", "periungual_erythema": "*"},
    "table2": {"neck_weakness": "*", "microinfarction": "*"},
}
GROUPS_OF = {"table1": ("juvenile", "adult"), "table2": ("limited", "extended")}
HISTOLOGY = {"perifascicular_atrophy", "microinfarction"}


def numbers(place: str) -> pd.DataFrame:
    """The rows of one place without the stars."""
    registry = published.load(place, derived=True)
    return registry[registry["statistic"] != "p_mark"]


def cells(table: str, statistic: str) -> dict[tuple[str, str], str]:
    """Printed digits of one table by row and group."""
    registry = numbers(table)
    registry = registry[registry["statistic"] == statistic]
    return {(row, group): text for row, group, text in registry[["item", "group", "printed"]].itertuples(index=False)}


def fault(expression: str) -> str | None:
    """What is wrong with an address, or None."""
    found = re.match(published.ADDRESS, expression)
    if found is None:
        return "not an address"
    result, row, group, statistic = found.groups()
    if result not in EXTRA_ROWS or group not in GROUPS or statistic not in STATISTICS:
        return "unknown result, group or statistic"
    return None if row in dictionary.columns() or row in EXTRA_ROWS[result] else f"unknown row {row}"


def test_every_file_has_the_same_columns_and_names_its_own_place():
    for place in published.PLACES:
        file = pd.read_csv(paths.PUBLISHED / f"{place}.csv", dtype=str, keep_default_na=False)
        assert file.columns.tolist() == published.COLUMNS
        assert set(file["place"]) == {place}


def test_ids_are_unique_over_all_places():
    ids = published.load()["id"]
    assert ids[ids.duplicated()].tolist() == []


def test_an_id_is_made_of_place_item_group_and_statistic():
    registry = published.load()
    made = registry["place"] + "." + registry["item"] + "." + registry["group"] + "." + registry["statistic"]
    assert registry["id"].str.replace(r"\.\d+$", "", regex=True).tolist() == made.tolist()


def test_no_cell_but_the_note_is_empty():
    assert not (published.load().drop(columns="note") == "").any(axis=None)


def test_every_expression_is_external_stated_or_a_known_address():
    expressions = set(published.load()["expression"]) - {"external", "stated"}
    assert {expression: fault(expression) for expression in expressions if fault(expression)} == {}


@pytest.mark.parametrize(
    "expression",
    ["table1/heliotrope/total/n", "table3/myalgia/total/n", "table1/myalgia/all/n", "table1/myalgia/total", "outside"],
)
def test_a_wrong_address_is_found(expression):
    assert fault(expression) is not None


def test_an_address_says_the_same_as_item_group_and_statistic():
    registry = published.load()
    parts = registry["expression"].str.extract(published.ADDRESS)
    addressed = parts["row"].notna() & (registry["statistic"] != "p_mark")
    stated = registry.loc[addressed, ["item", "group", "statistic"]].to_numpy()
    assert stated.tolist() == parts.loc[addressed, ["row", "group", "statistic"]].to_numpy().tolist()


def test_a_table_and_the_figure_address_their_own_results():
    for place in ("table1", "table2", "figure1"):
        addresses = set(published.load(place, derived=True)["expression"]) - {"stated"}
        assert {address.split("/")[0] for address in addresses} == {place}


def test_printed_numbers_are_digits_with_at_most_a_sign_before_them():
    registry = published.load()
    texts = registry.loc[(registry["statistic"] != "p_mark") & (registry["origin"] != "word"), "printed"]
    assert texts[~texts.str.fullmatch(r"[<>]?\d+(\.\d+)?(e\d+)?")].tolist() == []


def test_words_of_rounding_have_an_origin_of_their_own_and_every_one_of_them():
    registry = published.load()
    words = registry[registry["origin"] == "word"]
    assert words["printed"].tolist() == ["almost half"] * 3 + ["half"]
    assert words["item"].tolist() == ["dysphagia", "neck_weakness", "distal_weakness", "ana_titer_below_80"]
    assert published.printed("table1/dysphagia/total/percent") == "43.4", "a word is no second print of the digits"


def test_numbers_of_the_figure_are_derived_and_no_printed_ones():
    registry = published.load(derived=True)
    derived = registry[registry["origin"] == "derived"]
    assert set(derived["place"]) == {"figure1"} == set(registry["place"]) - set(published.load()["place"])
    assert set(registry["origin"]) == {"printed", "word", "derived"}
    quantity = ["item", "group", "statistic", "printed"]
    said = published.load().query("place in ['table1', 'results']")[quantity]
    assert len(derived[quantity].merge(said.drop_duplicates())) == len(derived) == 16


def test_stars_stand_only_where_the_tables_print_them_and_point_to_the_p_value():
    registry = published.load()
    marks = registry[registry["statistic"] == "p_mark"]
    for table, expected in MARKS.items():
        here = marks[marks["place"] == table]
        assert dict(zip(here["item"], here["printed"], strict=True)) == expected
        assert here["expression"].tolist() == [f"{table}/{row}/comparison/p_value" for row in expected]
    assert set(marks["place"]) == set(MARKS)


@pytest.mark.parametrize("place", TEXT_COUNTS)
def test_no_number_of_the_text_is_left_out(place):
    assert len(numbers(place)) == sum(TEXT_COUNTS[place].values())


@pytest.mark.parametrize("table", TABLE_COUNTS)
def test_no_number_of_a_table_row_is_left_out(table):
    assert numbers(table)["item"].value_counts().to_dict() == TABLE_COUNTS[table]


def test_every_place_was_counted():
    assert {*TEXT_COUNTS, *TABLE_COUNTS} == set(published.PLACES)


@pytest.mark.parametrize("table", TABLE_COUNTS)
def test_the_rows_of_a_table_stand_in_printed_order(table):
    assert published.rows(table)["row"].tolist() == [row for row in TABLE_COUNTS[table] if row != "patients"]


def test_rows_tell_counts_means_and_medians_apart_and_which_are_tested():
    rows = published.rows("table1").set_index("row")
    assert rows.loc[["age_at_onset", "max_creatine_kinase", "myalgia"], "kind"].tolist() == ["mean", "median", "count"]
    assert rows.index[~rows["tested"]].tolist() == ["female", "age_at_onset"]


@pytest.mark.parametrize("table", TABLE_COUNTS)
def test_every_percentage_of_a_table_has_its_count(table):
    assert set(cells(table, "percent")) <= set(cells(table, "n"))


@pytest.mark.parametrize("table", TABLE_COUNTS)
def test_the_percentages_of_a_table_follow_from_its_counts_but_for_one(table):
    counts, differing = cells(table, "n"), []
    for (row, group), text in cells(table, "percent").items():
        if row in HISTOLOGY:
            continue
        percent = 100 * int(counts[row, group]) / int(counts["patients", group])
        if not digits.agrees(text, percent):
            differing.append((row, group, text))
    assert differing == ([("periungual_erythema", "juvenile", "62.0")] if table == "table1" else [])


@pytest.mark.parametrize(("table", "biopsies"), [("table1", (24, 40)), ("table2", (32, 32))])
def test_the_percentages_of_histology_follow_from_64_biopsies(table, biopsies):
    counts, percents = cells(table, "n"), cells(table, "percent")
    first, second = GROUPS_OF[table]
    sizes = {"total": 64, first: biopsies[0], second: biopsies[1]}
    for row in HISTOLOGY:
        for group, size in sizes.items():
            assert digits.agrees(percents[row, group], 100 * int(counts[row, group]) / size)


@pytest.mark.parametrize("table", TABLE_COUNTS)
def test_the_two_groups_of_a_table_add_up_to_the_total(table):
    counts = {cell: int(text) for cell, text in cells(table, "n").items()}
    first, second = GROUPS_OF[table]
    for row in {row for row, _ in counts}:
        assert counts[row, first] + counts[row, second] == counts[row, "total"], row


def test_men_and_women_and_the_two_phenotypes_add_up_to_all_patients():
    counts = {cell: int(text) for cell, text in cells("table1", "n").items()}
    for group in ("total", "juvenile", "adult"):
        assert counts["male", group] + counts["female", group] == counts["patients", group]
        assert counts["polymyositis", group] + counts["dermatomyositis", group] == counts["patients", group]


def test_what_table_and_text_print_differently_is_noted():
    registry = published.load()
    registry = registry[registry["expression"].str.contains("/") & (registry["statistic"] != "p_mark")]
    registry = registry[registry["origin"] != "word"]
    for address, rows in registry.groupby("expression"):
        if rows["printed"].str.lstrip("<").astype(float).nunique() > 1:
            assert (rows["note"] != "").any(), address


def test_the_printed_digits_of_an_address_are_found():
    assert published.printed("table1/heliotrope_rash/juvenile/n", place="table1") == "16"
    assert published.printed("table1/microinfarction/adult/percent") == "10.0"


def test_stars_are_no_second_printing_of_a_p_value():
    assert published.printed("table1/heliotrope_rash/comparison/p_value", place="table1") == "<0.01"


def test_an_address_printed_in_two_ways_raises_unless_the_place_is_named():
    with pytest.raises(KeyError, match=r"printed 2 different times: \['156', '162'\]"):
        published.printed("flow/screened/total/n")
    assert published.printed("flow/screened/total/n", place="methods") == "156"


def test_an_address_that_is_not_printed_raises():
    with pytest.raises(KeyError, match="printed 0 different times"):
        published.printed("table1/myalgia/total/median")


def test_a_count_among_nobody_is_not_compared_as_a_zero():
    address = ("heliotrope_rash", "juvenile")
    found = [(*address, "n", 0), (*address, "denominator", 0), (*address, "percent", float("nan"))]
    compared = recomputed.agreement({"table1": pd.DataFrame(found, columns=["row", "group", "statistic", "value"])})
    assert set(compared["agreement"]) == {"not recomputed"}


def test_an_infinite_value_agrees_with_no_printed_number():
    assert digits.agrees("3.5", float("inf")) is False
    assert digits.agrees("<0.05", float("inf")) is False


@pytest.mark.parametrize("printed, value", [(">0.05", 0.05), ("<0.3", 0.3), ("<0.05", 0.05)])
def test_a_value_at_the_limit_lies_on_neither_side(printed, value):
    assert digits.agrees(printed, value) is False
