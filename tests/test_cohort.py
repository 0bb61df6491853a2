"""Reading and checking cohort files: what is accepted, what is refused, and in which words."""

from contextlib import suppress
from datetime import datetime
from functools import lru_cache

import pandas as pd
import pytest
from budget import budget
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made import problems, random_cohort
from test_describe import five_patients

from nxp2lib import cohort, describe, dictionary, intake, paths
from nxp2lib.reconstruction import witnesses
from nxp2lib.teach import trainees

HEADER = "patient_id,sex,age_at_onset"
ROWS = ["a,female,30", "b,male,4"]


@pytest.fixture
def file(tmp_path):
    def write(*lines, name="cohort.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
        return path

    return write


def refusal(path) -> str:
    """Load a file that has to be refused; return its problems, values included, as `nxp2 validate` shows them."""
    with pytest.raises(cohort.CohortError) as caught:
        cohort.load(path)
    return "\n".join(f"{path.name}: {problem}" for problem in caught.value.problems)


def test_a_small_file_is_read_typed_and_derived(file):
    patients = cohort.load(file(HEADER + ",myalgia,max_creatine_kinase", "a,female,30,1,812.5", "b,male,4,,"))
    assert patients["age_group"].tolist() == ["adult", "juvenile"]
    assert patients["myalgia"].tolist() == [True, pd.NA]
    assert patients["max_creatine_kinase"].tolist() == [812.5, pd.NA]
    assert "dysphagia" in patients.attrs["absent"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_does_not_matter(file, encoding):
    assert len(cohort.load(file(HEADER, *ROWS, encoding=encoding))) == 2


def test_excel_is_read_like_csv(tmp_path):
    path = tmp_path / "cohort.xlsx"
    columns = {"patient_id": ["a", "b"], "sex": ["female", "male"], "age_at_onset": [30, 4], "myalgia": [1, None]}
    pd.DataFrame(columns).to_excel(path, index=False)
    assert cohort.load(path)["age_at_onset"].tolist() == [30, 4]
    assert cohort.load(path)["myalgia"].tolist() == [True, pd.NA]


def test_spaces_around_a_value_and_blank_lines_do_not_matter(file):
    assert len(cohort.load(file(HEADER, " a , female ,30", ",,", "b,male,4"))) == 2


def test_a_missing_file_names_where_it_was_looked_for():
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv: no such file"):
        cohort.load("nowhere.csv")


def test_a_refused_value_names_file_row_column_value_and_what_is_accepted(file):
    assert refusal(file(HEADER, "a,female,30", "b,fem,4")) == (
        "cohort.csv: row 3, column sex: 'fem' is not accepted; accepted: male or female"
    )


def test_the_error_itself_names_the_place_and_never_a_patients_value(file):
    with pytest.raises(cohort.CohortError) as caught:
        cohort.load(file(HEADER, "a,female,30", "Yamada,secret,4"))
    assert str(caught.value) == "cohort.csv: row 3, column sex: not accepted; accepted: male or female"


@pytest.mark.parametrize(
    ("column", "value", "accepted"),
    [
        ("age_at_onset", "200", "a whole number from 0 to 110 (years)"),
        ("age_at_onset", "4.5", "a whole number from 0 to 110 (years)"),
        ("age_at_onset", "nan", "a value in every row: a whole number from 0 to 110 (years)"),
        ("age_at_onset", "", "a value in every row: a whole number from 0 to 110 (years)"),
        ("sex", "", "a value in every row: male or female"),
        ("myalgia", "2", "1 (yes), 0 (no) or blank (unknown)"),
        ("myalgia", "maybe", "1 (yes), 0 (no) or blank (unknown)"),
        ("ana_titer", "100", "0, 40, 80, 160, 320, 640, 1280 or 2560"),
        ("max_creatine_kinase", "inf", "a number from 1 to 500000 (IU/L)"),
        ("max_creatine_kinase", "1,20,0", "a number from 1 to 500000 (IU/L)"),
    ],
)
def test_values_outside_the_dictionary_are_refused(column, value, accepted):
    raw = pd.DataFrame({"patient_id": ["a"], "sex": ["male"], "age_at_onset": ["40"]}).assign(**{column: value})
    raw.index = pd.RangeIndex(2, 3)
    assert problems(raw) == [intake.Problem(2, column, value, accepted)]


def test_whole_numbers_written_with_a_decimal_point_are_accepted(file):
    patients = cohort.load(file(HEADER + ",myalgia", "a,female,30.0,1.0"))
    assert patients["age_at_onset"].tolist() == [30]
    assert patients["myalgia"].tolist() == [True]


@pytest.mark.parametrize(
    ("columns", "column", "accepted"),
    [
        ({"heliotrope_rash": "1", "any_rash": "0"}, "any_rash", "1 or blank, since heliotrope_rash is 1"),
        ({"facial_edema": "1", "any_rash": "0"}, "any_rash", "1 or blank, since facial_edema is 1"),
        ({"distal_weakness": "1", "muscle_weakness": "0"}, "muscle_weakness", "1 or blank, since distal_weakness is 1"),
        ({"microinfarction": "0", "muscle_biopsy": "0"}, "microinfarction", "blank unless muscle_biopsy is 1"),
        ({"microinfarction": "1"}, "microinfarction", "blank unless muscle_biopsy is 1"),
        ({"malignancy_site": "colon", "malignancy": "0"}, "malignancy_site", "blank unless malignancy is 1"),
    ],
)
def test_columns_that_contradict_each_other_are_refused(columns, column, accepted):
    raw = pd.DataFrame({"patient_id": ["a"], "sex": ["male"], "age_at_onset": ["40"]}).assign(**columns)
    raw.index = pd.RangeIndex(2, 3)
    assert [(p.column, p.accepted) for p in problems(raw)] == [(column, accepted)]


def test_every_problem_is_reported_in_one_pass_in_file_order(file):
    text = file(HEADER + ",myalgia", "a,female,30,7", "a,x,400,1")
    found = problems(cohort.read(text))
    assert [(p.row, p.column) for p in found] == [
        (2, "patient_id"),
        (2, "myalgia"),
        (3, "patient_id"),
        (3, "sex"),
        (3, "age_at_onset"),
    ]


def test_a_misspelt_column_is_refused_with_the_nearest_name(file):
    assert "did you mean 'dysphagia'?" in refusal(file(HEADER + ",disphagia", "a,female,30,1"))


def test_a_missing_required_column_names_the_nearest_header(file):
    assert "column age_at_onset: is missing; accepted: a column of this name; did you mean 'age_onset'?" in refusal(
        file("patient_id,sex,age_onset", *ROWS)
    )


def test_a_derived_column_in_a_file_is_compared_and_not_used(file):
    path = file(HEADER + ",age_group,heliotrope_rash", "a,female,40,juvenile,", "b,male,4,juvenile,")
    assert cohort.load(path)["age_group"].tolist() == ["adult", "juvenile"]
    found = intake.inspect(path)
    assert not found.problems
    expected = "adult, what is computed from age_at_onset"
    assert found.warnings == [intake.Problem(2, "age_group", "juvenile", expected)]


def test_a_column_that_stands_twice_is_refused(file):
    assert "column sex: 'sex' is not accepted; accepted: each column once" in refusal(
        file(HEADER + ",sex", "a,male,3,male")
    )


def test_a_header_without_patients_is_refused(file):
    assert "at least one row below the header" in refusal(file(HEADER))


def test_an_empty_file_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "empty.csv"
    path.write_bytes(b"")
    assert refusal(path).startswith("empty.csv: cannot be read: ")


@pytest.mark.parametrize("name", ["cohort.xlsx", "cohort.csv"])
def test_bytes_that_are_no_table_are_refused_in_one_sentence(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(bytes(range(256)) * 20)
    assert "\n" not in refusal(path)
    assert "accepted: a CSV file" in refusal(path)


def test_more_than_five_problems_are_summed_up(file):
    with pytest.raises(cohort.CohortError) as caught:
        cohort.load(file(HEADER, *(f"p{i},x,30" for i in range(9))))
    text = str(caught.value)
    assert text.count("\n") == 5
    assert "and 4 more; `nxp2 validate cohort.csv` lists all" in text


def test_a_notebook_shows_the_reasons_and_no_traceback(file):
    with pytest.raises(cohort.CohortError) as caught:
        cohort.load(file(HEADER, "a,x,30"))
    assert caught.value._render_traceback_() == [f"CohortError: {caught.value}"]


def test_a_phenotype_is_unknown_only_where_both_signs_leave_it_open():
    signs = {"heliotrope_rash": ["1", "0", "", "0", ""], "gottron_sign_or_papules": ["", "1", "", "0", "0"]}
    patients = five_patients(**signs, any_rash=["1", "1", "", "0", ""])
    assert patients["phenotype"].astype(object).where(patients["phenotype"].notna(), None).tolist() == [
        "dermatomyositis",
        "dermatomyositis",
        None,
        "polymyositis",
        None,
    ]


def test_the_age_limit_moves_patients_between_the_groups():
    frame = five_patients()
    assert cohort.derive(frame, 13)["age_group"].tolist()[1] == "juvenile"
    assert cohort.derive(frame, 12)["age_group"].tolist()[1] == "adult"


def test_without_a_limit_given_the_eighteenth_birthday_makes_an_adult(file):
    patients = cohort.load(file(HEADER, "a,female,17", "b,male,18"))
    assert patients["age_group"].tolist() == ["juvenile", "adult"]


@pytest.mark.parametrize("limit", [0, 180, -3])
def test_an_age_limit_outside_human_life_is_refused(limit):
    with pytest.raises(ValueError, match="juvenile_below_age"):
        cohort.derive(five_patients(), limit)


def test_a_titer_of_40_is_not_positive_and_80_is():
    assert five_patients()["ana_positive"].tolist() == [False, False, True, True, pd.NA]


@lru_cache
def made_up(kind: str) -> pd.DataFrame:
    """Return 76 synthetic patients: the stored ones, others who keep the printed numbers, or resampled or random."""
    if kind == "stored":
        return cohort.load()
    drawn = {"drawn": lambda: next(witnesses.cohorts(1, 5)), "a class copy": lambda: next(trainees.resampled(1, 3)),
             "random": lambda: random_cohort(76, seed=4).assign(synthetic="1")}[kind]()  # fmt: skip
    return cohort.prepare(drawn.astype("string").fillna(""))


@pytest.mark.parametrize("limit", [18, 16])
@pytest.mark.parametrize("kind", budget(["stored", "a class copy"], ["stored", "drawn", "a class copy", "random"]))
def test_reconstructed_is_who_keeps_the_printed_counts_and_nobody_else(kind, limit):
    """Seventy-six synthetic patients are not enough: a class copy was introduced as built from the printed tables."""
    said = cohort.provenance(cohort.derive(made_up(kind), limit))
    reconstructed = "Reconstructed cohort: 76 synthetic patients who never existed, built from the printed tables."
    practice = "Synthetic practice cohort: 76 patients who never existed. Do not report it as observed."
    assert said == (reconstructed if kind in ("stored", "drawn") else practice)


def test_one_other_answer_makes_another_cohort():
    patients = cohort.load()
    patients.loc[patients.index[0], "dysphagia"] = ~patients["dysphagia"].iloc[0]
    assert not cohort.is_reconstructed(patients) and cohort.is_reconstructed(cohort.load())


def test_provenance_tells_synthetic_mixed_and_other_cohorts_apart():
    assert cohort.provenance(five_patients(synthetic=["1"] * 5)).startswith("Synthetic practice cohort: 5 patients who")
    assert cohort.provenance(five_patients(synthetic=["1", "", "", "0", "0"])).startswith("Mixed cohort: 1 of 5")
    own = "Cohort of 5 patients, none of them marked as synthetic. Stays inside the centre."
    assert cohort.provenance(five_patients()) == own
    assert cohort.provenance(five_patients().head(1)).startswith("Cohort of 1 patient, none of them")


@pytest.mark.parametrize(("young", "shown"), [(0, True), (1, False), (4, False), (5, True)])
def test_a_small_group_of_real_patients_is_described_only_together_with_the_other(young, shown):
    """One juvenile's table is that juvenile, and so is all patients less all adults."""
    ages = ["9"] * young + ["40"] * (30 - young)
    patients = cohort.prepare(random_cohort(30, seed=2).assign(synthetic="0", age_at_onset=ages, distal_weakness="1",
                                                               muscle_weakness="1", heliotrope_rash="1"))  # fmt: skip
    found = cohort.kept_back(patients, 5)
    assert found["age_group"].notna().all() == shown and found["age_group"].isna().all() != shown
    assert describe.sizes(found, "age_group") == {"total": 30, "juvenile": young, "adult": 30 - young}
    assert (f"{young} juvenile, {30 - young} adult: not described apart" in cohort.provenance(found)) != shown
    assert found["weakness_extent"].notna().all() and found["phenotype"].notna().all()
    assert cohort.kept_back(patients, 1)["age_group"].notna().all()
    synthetic = cohort.derive(patients.assign(synthetic=True))
    assert cohort.kept_back(synthetic, 5)["age_group"].notna().all()


def test_those_who_belong_to_no_group_are_a_small_group_too():
    """All patients less both groups are two people whose weakness nobody described."""
    frame = random_cohort(40, seed=2).assign(synthetic="0")
    frame["distal_weakness"] = [""] * 2 + ["0"] * 19 + ["1"] * 19
    frame["muscle_weakness"] = "1"
    patients = cohort.prepare(frame)
    assert cohort.kept_back(patients, 5)["weakness_extent"].isna().all()
    assert cohort.kept_back(patients, 2)["weakness_extent"].notna().sum() == 38


def test_who_describes_smaller_groups_does_so_knowingly_and_the_page_says_it(write_cohort):
    file = write_cohort(patients=4, seed=2)
    with pytest.raises(ValueError, match=r"patients: 4; accepted: 5 or more \(minimum_group\)"):
        cohort.load(file, minimum_group=5)
    said = cohort.provenance(cohort.load(file, minimum_group=1))
    assert "Groups of 1 or more are described." in said and said.endswith("Stays inside the centre.")
    with pytest.raises(ValueError, match="minimum_group: 0 is not accepted; accepted: 1 or more"):
        cohort.load(file, minimum_group=0)


def test_the_default_cohort_has_no_problem():
    assert problems(cohort.read(paths.COHORT)) == []


def test_every_column_of_the_dictionary_is_complete():
    for column in dictionary.columns().values():
        assert column.label
        assert column.section
        assert column.meaning
        assert column.type in cohort.PANDAS_TYPES
        assert column.required in ("yes", "no", "derived")
        assert column.applies_when == "" or dictionary.column(column.applies_when).type == "yes_no"
        if column.type in ("integer", "number") and not column.values:
            assert column.minimum < column.maximum
            assert column.unit


def test_an_unknown_column_name_is_an_error_that_names_the_nearest():
    with pytest.raises(KeyError, match="did you mean 'myalgia'"):
        dictionary.column("mialgia")


@pytest.mark.parametrize("mark", [";", "\t"])
def test_other_separators_are_understood(file, mark):
    assert len(cohort.load(file(*(line.replace(",", mark) for line in [HEADER, *ROWS])))) == 2


def test_a_blank_required_cell_is_called_blank(file):
    assert refusal(file(HEADER, "a,,30")).startswith(
        "cohort.csv: row 2, column sex: is blank; accepted: a value in every row"
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 3000), byte=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_workbook_is_read_or_refused_but_never_a_traceback(tmp_path, place, byte, cut):
    path = tmp_path / "cohort.xlsx"
    if not path.exists():
        pd.DataFrame({"patient_id": ["a"], "sex": ["male"], "age_at_onset": [30]}).to_excel(path, index=False)
    whole = path.read_bytes()
    place %= len(whole)
    damaged = tmp_path / "damaged.xlsx"
    damaged.write_bytes(whole[:place] if cut else whole[:place] + bytes([byte]) + whole[place + 1 :])
    with suppress(cohort.CohortError):
        cohort.load(damaged)


@pytest.fixture
def workbook(tmp_path):
    """A workbook of one patient; arguments are cells of further columns, in their file form."""

    def write(**cells):
        from openpyxl import Workbook

        book = Workbook()
        row = {"patient_id": "a", "sex": "male", "age_at_onset": 30, **cells}
        book.active.append(list(row))
        book.active.append(list(row.values()))
        book.create_sheet("notes").append(["not read"])
        book.save(tmp_path / "cohort.xlsx")
        return tmp_path / "cohort.xlsx"

    return write


@pytest.mark.parametrize("cell", ["#N/A", "#DIV/0!", "=1+1"])
@pytest.mark.parametrize("column", ["heliotrope_rash", "max_creatine_kinase", "center"])
def test_an_excel_error_or_an_unsaved_formula_is_refused_not_taken_for_blank(workbook, column, cell):
    assert f"row 2, column {column}: {cell!r} is not accepted" in refusal(workbook(**{column: cell}))


def test_an_excel_date_is_shown_as_a_person_reads_it(workbook):
    assert "'2013-05-02' is not accepted" in refusal(workbook(age_at_onset=datetime(2013, 5, 2)))


def test_excel_numbers_are_read_as_typed_and_other_sheets_are_left_alone(workbook):
    patients = cohort.load(workbook(max_creatine_kinase=812.5, ana_titer=160.0))
    assert patients.loc[0, ["max_creatine_kinase", "ana_titer"]].tolist() == [812.5, 160]


def test_cells_below_a_blank_header_are_named_by_their_place(file):
    assert "column (blank, column 4): " in refusal(file(HEADER + ",", "a,female,30,x"))


def test_a_row_with_too_many_cells_is_named(file):
    assert "row 3 has 4 cells, the header 3; a separator inside a cell needs quotation marks" in refusal(
        file(HEADER, "a,female,30", "b,male,2,5")
    )


def test_another_encoding_is_told_with_the_way_out(file):
    assert "a CSV file in UTF-8 (in Excel: save as 'CSV UTF-8'), or .xlsx" in refusal(
        file(HEADER + ",center", "a,female,30,Besançon", encoding="latin-1")
    )


def test_a_folder_is_called_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="a folder, not a file"):
        cohort.load(tmp_path)


def test_an_upper_case_header_is_understood(file):
    assert cohort.load(file(HEADER + ",DYSPHAGIA", "a,female,30,1"))["dysphagia"].tolist() == [True]
