"""Empty forms: what a centre fills in, and that what it fills in is read."""

import csv
import re

import pandas as pd
import pytest
from openpyxl import load_workbook

from nxp2lib import cohort, dictionary, intake
from nxp2lib.intake import checks, forms

FILLED = [
    {"patient_id": "P1", "sex": "female", "age_at_onset": 8, "dysphagia": 1, "muscle_biopsy": 0},
    {"patient_id": "P2", "sex": "male", "age_at_onset": 60, "max_creatine_kinase": 812.5, "ana_titer": 160},
    {"patient_id": "P3", "sex": "male", "age_at_onset": 71, "malignancy": 1, "malignancy_site": "lung"},
]


@pytest.fixture
def workbook(tmp_path):
    forms.write_workbook(tmp_path / "form.xlsx")
    return tmp_path / "form.xlsx"


def test_the_example_row_itself_would_be_accepted(tmp_path):
    row = pd.DataFrame([forms.EXAMPLE]).assign(patient_id="P1")
    assert checks.problems(checks.understood(row)) == []


def test_a_filled_workbook_is_read_without_its_example(workbook):
    book = load_workbook(workbook)
    sheet = book["patients"]
    names = [cell.value for cell in sheet[1]]
    for row, patient in enumerate(FILLED, start=forms.FIRST):
        for name, value in patient.items():
            sheet.cell(row, names.index(name) + 1, value)
    book.move_sheet("patients", offset=2)  # found by its name, wherever it is
    book.save(workbook)
    found = intake.inspect(workbook)
    assert (found.patients, found.problems, found.warnings) == (3, [], [])
    assert "the example row of the form is skipped" in found.read_as
    assert cohort.load(workbook)["patient_id"].tolist() == ["P1", "P2", "P3"]


def test_every_prepared_cell_accepts_what_the_dictionary_accepts(workbook):
    sheet = load_workbook(workbook)["patients"]
    assert sheet.freeze_panes == "B2" and sheet.max_row == forms.FIRST + forms.ROWS - 1
    rules = {str(rule.sqref).partition(":")[0]: rule for rule in sheet.data_validations.dataValidation}
    assert len(rules) == len(dictionary.asked())
    for cell, column in zip(sheet[forms.FIRST], dictionary.asked().values(), strict=True):
        rule = rules[cell.coordinate]
        assert str(rule.sqref).endswith(str(forms.FIRST + forms.ROWS - 1))
        assert column.accepted in rule.error or column.name == "patient_id"
        if column.values:
            assert rule.type == "list" and rule.formula1.strip('"').split(",") == list(column.values)
            assert len(rule.formula1) <= 257  # more, and Excel repairs the file by deleting the list
        elif column.type in ("integer", "number"):
            assert (float(rule.formula1), float(rule.formula2)) == (column.minimum, column.maximum)


def test_each_header_says_what_it_means_and_accepts(workbook):
    for cell, column in zip(load_workbook(workbook)["patients"][1], dictionary.asked().values(), strict=True):
        assert cell.value == column.name
        for text in (column.label, column.meaning, column.accepted):
            assert text in cell.comment.text


def test_the_codebook_has_a_row_for_each_column(workbook):
    rows = list(load_workbook(workbook)["codebook"].iter_rows(values_only=True))
    assert [row[0] for row in rows[1:]] == list(dictionary.asked())


def test_cells_that_need_no_answer_turn_grey(workbook):
    sheet = load_workbook(workbook)["patients"]
    names = [cell.value for cell in sheet[1]]
    grey = {str(area.sqref).rstrip("0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ") for area in sheet.conditional_formatting}
    assert len(sheet.conditional_formatting) == sum(bool(column.applies_when) for column in dictionary.asked().values())
    assert grey == {""} and "microinfarction" in names


def test_a_filled_csv_form_is_read_without_its_example(tmp_path):
    forms.write_csv(tmp_path / "form.csv")
    assert (tmp_path / "form.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (tmp_path / "form.csv").open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dictionary.asked()))
        writer.writerows(FILLED)
    assert cohort.load(tmp_path / "form.csv")["age_at_onset"].tolist() == [8, 60, 71]


@pytest.fixture
def redcap(tmp_path):
    forms.write_redcap(tmp_path / "redcap.csv")
    return pd.read_csv(tmp_path / "redcap.csv", dtype=str, keep_default_na=False)


def test_redcap_gets_its_18_columns_and_the_patients_code_first(redcap):
    assert list(redcap.columns) == forms.REDCAP and len(forms.REDCAP) == 18
    assert redcap.iloc[0]["Variable / Field Name"] == "patient_id"
    assert redcap["Variable / Field Name"].tolist() == list(dictionary.asked())


def test_redcap_would_accept_every_field(redcap):
    names = set(redcap["Variable / Field Name"])
    for _, field in redcap.iterrows():
        assert re.fullmatch("[a-z][a-z0-9_]{0,99}", field["Variable / Field Name"])  # REDCap advises 26, accepts 100
        assert field["Form Name"] == "patients" and field["Field Label"]
        kind, choices = field["Field Type"], field["Choices, Calculations, OR Slider Labels"]
        assert kind in ("text", "yesno", "radio", "dropdown")
        assert bool(choices) == (kind in ("radio", "dropdown"))
        if choices:
            codes = [choice.split(", ", 1)[0] for choice in choices.split(" | ")]
            assert tuple(codes) == dictionary.column(field["Variable / Field Name"]).values
            assert all(re.fullmatch("[a-z0-9_]+", code) for code in codes)
        validation = field["Text Validation Type OR Show Slider Number"]
        assert validation in ("", "integer", "number") and (not validation or kind == "text")
        logic = field["Branching Logic (Show field only if...)"]
        assert not logic or re.fullmatch(r"\[(\w+)\] = '1'", logic)[1] in names


def test_redcap_shows_histology_only_with_a_biopsy_and_each_section_once(redcap):
    logic = redcap.set_index("Variable / Field Name")["Branching Logic (Show field only if...)"]
    assert logic["microinfarction"] == "[muscle_biopsy] = '1'"
    sections = [text for text in redcap["Section Header"] if text]
    assert len(sections) == len(set(sections)) and "Skin manifestations" in sections
