"""Empty forms for a centre's own patients, made from the data dictionary: Excel, CSV and REDCap."""

import csv
from itertools import pairwise
from pathlib import Path

import yaml
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from nxp2lib import dictionary, paths
from nxp2lib.dictionary import Column
from nxp2lib.intake import workbook
from nxp2lib.intake.numerals import plain

TEXTS = yaml.load((paths.PACKAGE / "intake" / "forms.yml").read_text(encoding="utf-8"), yaml.BaseLoader)
EXAMPLE, REDCAP = TEXTS["example"], list(TEXTS["redcap"])
OWN = "ECECEC"  # colour of a centre's own sections
ROWS = 200  # prepared rows of the workbook
FIRST = 3  # the first row for patients: below the header and the example
LAST = FIRST + ROWS - 1


def write_csv(path: str | Path) -> None:
    """Write the header and the example row as CSV, with the byte order mark that Excel needs."""
    names = list(dictionary.asked())
    _write_rows([names, [EXAMPLE.get(name, "") for name in names]], path, "utf-8-sig")


def write_redcap(path: str | Path) -> None:
    """Write a REDCap data dictionary: 18 columns, one row per field, the patient's code first.

    Codes are the dictionary's own values, so that raw exports need no translation; ``applies_when`` becomes
    branching logic, and ranges become validation.
    """
    sections = [column.section for column in dictionary.asked().values()]
    headings = ["", *("" if after == before else after for before, after in pairwise(sections))]
    _write_rows([REDCAP, *map(_field, dictionary.asked().values(), headings)], path, "utf-8")


def _write_rows(rows: list[list[str]], path: str | Path, encoding: str) -> None:
    with paths.replacing(path) as partial, partial.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)


def _field(column: Column, section: str) -> list[str]:
    listed = "radio" if column.type == "category" and len(column.values) <= 5 else "dropdown"
    kind = "yesno" if column.type == "yes_no" else listed if column.values else "text"
    ranged = kind == "text" and column.type != "text"
    known = {
        "section": section,
        "kind": kind,
        "choices": " | ".join(f"{plain(value)}, {value.capitalize()}" for value in column.values if kind == listed),
        "unit": f" ({column.unit})" if column.unit else "",
        "validation": column.type if ranged else "",
        "least": f"{column.minimum:g}" if ranged else "",
        "greatest": f"{column.maximum:.0f}" if ranged else "",
        "branching": f"[{column.applies_when}] = '1'" if column.applies_when else "",
        "needed": "y" if column.required == "yes" else "",
    }
    return [text.format(column=column, **known) for text in TEXTS["redcap"].values()]


# Excel


def write_workbook(path: str | Path) -> None:
    """Write a workbook: the sheet to fill in (lists, ranges, comments, an example), instructions, the codebook."""
    book = Workbook()
    _patients(book.active)
    _instructions(book.create_sheet("read me"))
    _codebook(book.create_sheet("codebook"))
    with paths.replacing(path) as partial:
        book.save(partial)


def _lay_out(sheet) -> None:
    """Keep the header in sight, on the screen and on every printed page, and print all columns on one."""
    sheet.freeze_panes, sheet.print_title_rows = "B2", "1:1"
    sheet.page_setup.orientation, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = "landscape", 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _patients(sheet) -> None:
    _lay_out(sheet)
    sheet.title = workbook.SHEET
    sheet.row_dimensions[1].height = 24
    for place, column in enumerate(dictionary.asked().values(), start=1):
        letter, text = get_column_letter(place), column.type in ("text", "category")
        header = sheet.cell(1, place, column.name)
        header.font = Font(bold=True, color="9C0006" if column.required == "yes" else "1F2A36")
        header.fill = PatternFill("solid", fgColor=TEXTS["colours"].get(column.section, OWN))
        header.alignment = Alignment(vertical="center")
        header.border = Border(bottom=Side(style="thin", color="808080"))
        header.comment = Comment(_comment(column), "nxp2", width=320, height=150)
        example = sheet.cell(2, place, EXAMPLE.get(column.name, ""))
        example.value = example.value if text or not example.value else float(example.value)
        example.font = Font(italic=True, color="7F7F7F")
        sheet.column_dimensions[letter].width = max(11, len(column.name) + 2)
        for row in range(2, LAST + 1):
            sheet.cell(row, place).number_format = "@" if text else "General" if column.type == "number" else "0"
        sheet.add_data_validation(_validation(column, letter))
        _grey_out(sheet, column, letter)


def _comment(column: Column) -> str:
    needed = "Needed for every patient." if column.required == "yes" else "Blank: unknown."
    only = f"\nOnly where {column.applies_when} is 1." if column.applies_when else ""
    return f"{column.label}\n{column.meaning}.\nAccepted: {column.accepted}.\n{needed}{only}"


def _validation(column: Column, letter: str) -> DataValidation:
    first, accepted = f"{letter}{FIRST}", column.accepted
    if column.name == "patient_id":
        rule = {"type": "custom", "formula1": f"COUNTIF(${letter}:${letter},{first})=1"}
        accepted = "a code that no other patient has"
    elif column.values:
        rule = {"type": "list", "formula1": f'"{",".join(column.values)}"'}
    elif column.type == "text":
        rule = {"type": "textLength", "operator": "lessThanOrEqual", "formula1": "60"}
    else:
        rule = {"type": "whole" if column.type == "integer" else "decimal", "operator": "between"}
        rule |= {"formula1": f"{column.minimum:g}", "formula2": f"{column.maximum:.0f}"}
    title, said = column.label[:32], f"{accepted[0].upper()}{accepted[1:]}"
    rule |= {"errorTitle": title, "error": f"Accepted: {accepted}."[:255], "promptTitle": title, "prompt": said[:255]}
    shown = dict.fromkeys(["allow_blank", "showErrorMessage", "showInputMessage"], True)
    return DataValidation(**rule, **shown, sqref=f"{first}:{letter}{LAST}")


def _grey_out(sheet, column: Column, letter: str) -> None:
    """Grey the cells that need no answer, since the column that they depend on is not 1."""
    if column.applies_when:
        needed = get_column_letter(list(dictionary.asked()).index(column.applies_when) + 1)
        filled = f'AND($A{FIRST}<>"",${needed}{FIRST}<>1)'
        grey = FormulaRule(formula=[filled], fill=PatternFill("solid", bgColor="D0D0D0"))
        sheet.conditional_formatting.add(f"{letter}{FIRST}:{letter}{LAST}", grey)


def _instructions(sheet) -> None:
    sheet.column_dimensions["A"].width = 85
    sheet["A1"] = "How to fill in the sheet patients"
    sheet["A1"].font = Font(bold=True, size=14)
    for row, text in enumerate(TEXTS["instructions"], start=3):
        sheet.cell(row, 1, text).alignment = Alignment(wrap_text=True, vertical="top")
        sheet.row_dimensions[row].height = 32


def _codebook(sheet) -> None:
    sheet.append(list(TEXTS["codebook"]))
    for column in dictionary.asked().values():
        needed = "yes" if column.required == "yes" else "no"
        only = f"{column.applies_when} is 1" if column.applies_when else ""
        known = [column.name, column.label, column.section, column.unit, column.accepted, needed, only, column.meaning]
        sheet.append(known)
    for letter, width in zip("ABCDEFGH", TEXTS["codebook"].values(), strict=True):
        sheet.column_dimensions[letter].width = int(width)
    for cell in (cell for row in sheet.iter_rows() for cell in row):
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="D9E1EA")
    _lay_out(sheet)
