"""Files that were read wrong without a word, or refused for no reason: what `nxp2 validate` says of each now."""

import io
import json
import zipfile

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.chart import BarChart
from openpyxl.styles import Font
from typer.testing import CliRunner

from nxp2lib import cli, cohort

NAMES = "patient_id,sex,age_at_onset"
PATIENTS = [["p1", "female", 58], ["p2", "male", 7]]
EITHER = "before three digits a point or comma can stand for thousands or decimals: 10250, or 10.25"
BOUND = "a map says which, `values: {ana_titer: {'≥1:1280': 1280}}`"


def column(name: str, *values: str, mark: str = ",") -> str:
    """A CSV file with a further column, in whose rows, from row 2 on, the values stand."""
    rows = [f'p{row},female,{20 + 3 * row},"{value}"'.replace(",", mark, 3) for row, value in enumerate(values)]
    return "\n".join([f"{NAMES},{name}".replace(",", mark), *rows]) + "\n"


def ages(*values: str) -> str:
    return "\n".join([NAMES, *(f"p{row},female,{value}" for row, value in enumerate(values))]) + "\n"


def workbook(*further, change=lambda book: None, header=NAMES, **sheets) -> bytes:
    """A workbook of two patients, with a fourth cell in the header and in each of them."""
    book, saved = Workbook(), io.BytesIO()
    for place, row in enumerate([header.split(","), *PATIENTS]):
        book.active.append([*row, *further[place : place + 1]])
    for title, rows in sheets.items():
        for row in [book.create_sheet(title), *rows][1:]:
            book[title].append(row)
    change(book)
    book.save(saved)
    return saved.getvalue()


def hidden(book) -> None:
    book.worksheets[0].sheet_state = "hidden"


def raised(first: str, second: str, **font) -> CellRichText:
    return CellRichText(first, TextBlock(InlineFont(**font), second))


def replaced(content: bytes, name: str, old: str, new: str) -> bytes:
    """The same workbook with another text in one of its parts."""
    saved = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(saved, "w") as after:
        for part in before.namelist():
            text = before.read(part)
            after.writestr(part, text.replace(old.encode(), new.encode()) if part.endswith(name) else text)
    return saved.getvalue()


OLE = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(500) + "EncryptedPackage".encode("utf-16-le")
ADULTS = [NAMES.split(","), ["p3", "male", 60]]
BEHIND = "goes on behind its closing quotation mark"
SHEETS = "patients in one sheet; of several, the visible one called patients is read"

REFUSED = {  # the file, and of the problem row, column, value, and some of the words
    "cut in the middle of a row": (
        f"{NAMES},myalgia,center\np1,female,58,1,A\np2,male,5",
        (3, "age_at_onset", "5", "5 cells in each row, as in the header; this row ends after 3: the file is cut off"),
    ),
    "a row with too few cells": (
        f"{NAMES},myalgia,center\np1,female,58,1,A\np2,male,5\np3,male,7,1,B\n",
        (3, "age_at_onset", "5", "this row ends after 3: a blank cell needs its separator too"),
    ),
    "a hidden first sheet of patients": (
        lambda: workbook(change=hidden, now=ADULTS),
        (None, "(file)", "the sheet 'Sheet' looks like patients, beside 'now'", SHEETS),
    ),
    "a second sheet of patients": (
        lambda: workbook(adults=ADULTS),
        (None, "(file)", "the sheet 'adults' looks like patients, beside 'Sheet'", SHEETS),
    ),
    "merged cells below the header": (
        lambda: workbook("center", "A", None, change=lambda book: book.active.merge_cells("D2:D3")),
        (2, "center", "A", "a value in each cell; D2:D3 is merged"),
    ),
    "a point that is ten thousand": (
        column("max_creatine_kinase", "812", "10.250", "2609"),
        (3, "max_creatine_kinase", "10.250", EITHER),
    ),
    "a point that is ten thousand, as text in Excel": (
        lambda: workbook("max_creatine_kinase", 812, "10.250"),
        (3, "max_creatine_kinase", "10.250", EITHER),
    ),
    "a point that is ten thousand beside a decimal comma": (
        column("max_creatine_kinase", "812,5", "10.250"),
        (3, "max_creatine_kinase", "10.250", EITHER),
    ),
    "a comma beside a decimal comma in another column": (
        column("max_creatine_kinase,follow_up_years", '1,125","3,5'),
        (2, "max_creatine_kinase", "1,125", EITHER),
    ),
    "a comma in a European file where nothing tells": (
        column("max_creatine_kinase", "812", "1,125", mark=";"),
        (3, "max_creatine_kinase", "1,125", EITHER),
    ),
    "a point of full width that is ten thousand": (
        column("max_creatine_kinase", "812", "１０．２５０"),
        (3, "max_creatine_kinase", "１０．２５０", EITHER),
    ),
    "less than one in place of 83": (
        column("max_creatine_kinase", "0,083"),
        (2, "max_creatine_kinase", "0,083", "a number from 1 to 500000 (IU/L)"),
    ),
    "a superscript of Unicode": (ages("7¹"), (2, "age_at_onset", "7¹", "a whole number from 0 to 110 (years)")),
    "a subscript of Unicode": (ages("1₂"), (2, "age_at_onset", "1₂", "a whole number")),
    "a superscript in a word": (ages("7").replace("female", "m²"), (2, "sex", "m²", "male or female")),
    "a digit in a circle": (ages("①"), (2, "age_at_onset", "①", "a whole number")),
    "a superscript of Excel": (
        lambda: workbook("follow_up_years", raised("7", "1", vertAlign="superscript")),
        (2, "follow_up_years", "7^1", "a number from 0 to 100 (years)"),
    ),
    "a digit struck through": (
        lambda: workbook("follow_up_years", raised("7", "8", strike=True)),
        (2, "follow_up_years", "7~8~", "a number"),
    ),
    "a patient struck through": (
        lambda: workbook(change=lambda book: setattr(book.active["C3"], "font", Font(strike=True))),
        (3, "age_at_onset", "~7~", "a whole number"),
    ),
    "a percentage": (
        lambda: workbook("follow_up_years", 0.5, change=lambda book: setattr(book.active["D2"], "number_format", "0%")),
        (2, "follow_up_years", "0.5 shown as 0%", "a number"),
    ),
    "a number shown as a bound": (
        lambda: workbook("ana_titer", 80, change=lambda book: setattr(book.active["D2"], "number_format", '"<"0')),
        (2, "ana_titer", '80 shown as "<"0', "0, 40, 80"),
    ),
    "a titer of at least the second highest": (
        column("ana_titer", "≥1:1280"),
        (2, "ana_titer", "≥1:1280", BOUND),
    ),
    "a titer with a decimal comma": (column("ana_titer", "1,60"), (2, "ana_titer", "1,60", "0, 40, 80")),
    "a titer with a space in it": (column("ana_titer", "8 0"), (2, "ana_titer", "8 0", "0, 40, 80")),
    "a password": (
        lambda: OLE,
        (None, "(file)", "protected by a password", "a file without one (in Excel: File, Info"),
    ),
    "a workbook with a row far away": (
        lambda: replaced(workbook(), "sheet1.xml", '<row r="3"', '<row r="5000000"'),
        (None, "(file)", "row 5,000,000 stands behind row 2", "an Excel workbook"),
    ),
    "two quotation marks that swallow two patients": (
        f'{NAMES},center\np1,female,58,"Tokyo\np2,male,5,Osaka\np3,male,7,"Kyoto\n',
        (None, "(file)", f"in row 2 a cell {BEHIND}", 'a quotation mark inside a cell written twice ("")'),
    ),
    "two quotation marks that swallow a patient": (
        f'{NAMES},center\np1,female,58,"Tokyo\np2,male,5,Osaka"\n',
        (2, "center", "Tokyo\np2,male,5,Osaka", "text in one line; in a CSV file, a quotation mark opened here"),
    ),
    "quotation marks behind a backslash": (
        f'{NAMES},center\np1,female,58,"A \\"B\\""\n',
        (None, "(file)", f"in row 2 a cell {BEHIND}", "written twice"),
    ),
    "Japanese in seven bits": (
        f"{NAMES},center\np1,female,58,東京\n".encode("iso2022_jp"),
        (None, "(file)", "it holds NUL bytes or escape sequences, so it is not text", "a CSV file in UTF-8"),
    ),
}
WARNED = {
    "cut in the last cell, or saved without a line end": (
        f"{NAMES}\np1,female,30\np2,male,5",
        (3, "age_at_onset", "5", "a line end behind the last row; without one the file may be cut off"),
    ),
    "cut behind the last separator": (f"{NAMES},myalgia\np1,female,30,", (2, "myalgia", "", "a line end behind")),
    "a second sheet beside the one called patients": (
        lambda: workbook(patients=ADULTS),
        (None, "(file)", "the sheet 'Sheet' looks like patients, beside 'patients'", SHEETS),
    ),
    "hidden rows": (
        lambda: workbook(change=lambda book: setattr(book.active.row_dimensions[3], "hidden", True)),
        (None, "(file)", "hidden rows: 3", "hidden rows are read like the others"),
    ),
    "the same 9999 in several patients": (
        column("max_creatine_kinase", "9999", "812", "9,999"),
        (4, "max_creatine_kinase", "9,999", "unknown, a map says so, `values: {max_creatine_kinase: {9999: ''}}`"),
    ),
    "the same 99 in several patients": (
        ages("99", "8", "99"),
        (
            2,
            "age_at_onset",
            "99",
            "a value that 2 patients share by chance; if it means unknown, leave the patient out",
        ),
    ),
    "a creatine kinase of 250,000": (
        column("max_creatine_kinase", "812", "2609", "250,000"),
        (4, "max_creatine_kinase", "250,000", "a creatine kinase up to 100,000 IU/L"),
    ),
}
READ = {  # the file, a column of it, and its values
    "a titer that was not done": (
        column("ana_titer", "not done", "not known", "Not Done", "1 : 160", "1/160", "1,280", "<20", "160,0"),
        ("ana_titer", [None, None, None, 160, 160, 1280, 0, 160]),
    ),
    "a titer above the highest": (column("ana_titer", ">1:1280", "≥1:2560", "5120"), ("ana_titer", [2560] * 3)),
    "decimal commas beside whole numbers": (
        column("follow_up_years", "0,083", "2", "1,083"),
        ("follow_up_years", [0.083, 2, 1.083]),
    ),
    "three decimals where other cells have fewer": (
        column("max_creatine_kinase", "812.5", "10.250"),
        ("max_creatine_kinase", [812.5, 10.25]),
    ),
    "three decimals that Excel knows as a number": (
        lambda: workbook("max_creatine_kinase", 2609.125, 812),
        ("max_creatine_kinase", [2609.125, 812]),
    ),
    "spaces and apostrophes between thousands": (
        column("max_creatine_kinase", "1\u00a0250", "1\u2009250", "1\u202f250,5", "1'250", "1 250"),
        ("max_creatine_kinase", [1250, 1250, 1250.5, 1250, 1250]),
    ),
    "yes and no with decimal commas": (column("myalgia", "1,0", "0,0"), ("myalgia", [True, False])),
    "a word in a cell for percentages": (
        lambda: workbook("myalgia", "no", change=lambda book: setattr(book.active["D2"], "number_format", "0%")),
        ("myalgia", [False, None]),
    ),
    "empty sheets behind the patients": (lambda: workbook(Sheet2=[], Sheet3=[]), ("age_at_onset", [58, 7])),
    "an empty form as a second sheet": (lambda: workbook(form=ADULTS[:1]), ("age_at_onset", [58, 7])),
    "a header that ends in a separator": (
        f"{NAMES},\np1,female,58\n  \n,,,\np2,male,7,\n",
        ("age_at_onset", [58, 7]),
    ),
    "a hidden first sheet of lists": (
        lambda: workbook(change=hidden, header="yes,no,maybe", now=ADULTS),
        ("age_at_onset", [60]),
    ),
    "a chart before the patients": (
        lambda: workbook(change=lambda book: book.create_chartsheet("chart", 0).add_chart(BarChart())),
        ("age_at_onset", [58, 7]),
    ),
    "a part of a cell in bold": (
        lambda: workbook("center", raised("Tok", "yo", b=True), "A"),
        ("center", ["Tokyo", "A"]),
    ),
    "merged cells below the table": (
        lambda: workbook(change=lambda book: book.active.merge_cells("A9:C9")),
        ("age_at_onset", [58, 7]),
    ),
}


@pytest.fixture
def validated(tmp_path):
    """Return a function that writes a file and returns its path and what `nxp2 validate --json` says of it."""

    def run(content):
        content = content() if callable(content) else content
        path = tmp_path / ("messy.xlsx" if content[:2] in (b"PK", OLE[:2]) else "messy.csv")
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        done = CliRunner().invoke(cli.app, ["validate", str(path), "--json"])
        said = json.loads(done.stdout)
        assert done.exit_code == int(bool(said["problems"])) and not done.stderr
        return path, said

    return run


def among(found: list[dict], row, column, value, words) -> bool:
    """Tell whether one of the findings has this place and value, and these words."""
    said = [one["accepted"] for one in found if (row, column, value) == (one["row"], one["column"], one["value"])]
    return any(words in one for one in said)


@pytest.mark.parametrize(("content", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_was_read_wrong_in_silence_is_refused_with_its_place_and_the_way_out(validated, content, expected):
    path, said = validated(content)
    assert among(said["problems"], *expected), said["problems"]
    with pytest.raises(cohort.CohortError):
        cohort.load(path)


@pytest.mark.parametrize(("content", "expected"), WARNED.values(), ids=WARNED)
def test_what_may_be_read_wrong_is_warned_of_with_its_place_and_the_way_out(validated, content, expected):
    path, said = validated(content)
    assert among(said["warnings"], *expected), said["warnings"]
    assert not said["problems"] and len(cohort.load(path))


@pytest.mark.parametrize(("content", "expected"), READ.values(), ids=READ)
def test_what_is_written_well_in_another_way_is_read(validated, content, expected):
    path, said = validated(content)
    assert said["problems"] == said["warnings"] == []
    name, values = expected
    read = cohort.load(path)[name].astype(object)
    assert read.where(read.notna(), None).tolist() == values
