"""Empty forms for a centre's own patients, made from the data dictionary: Excel, CSV and REDCap."""

import csv
from pathlib import Path

from nxp2lib import dictionary, paths
from nxp2lib.dictionary import Column
from nxp2lib.intake import reading

ROWS = 200  # prepared rows of the workbook
FIRST = 3  # the first row for patients: below the header and the example
COLOURS = {  # of the header cells, by section
    "Identification": "D9E1EA", "Characteristics": "DDEBF7", "Skin manifestations": "FCE4D6",
    "Muscular symptoms": "E2EFDA", "Complications": "FFF2CC", "Laboratory data": "EDE7F6",
    "Muscle histology": "F8DFE8", "Follow-up": "E0F2F1",
}  # fmt: skip
EXAMPLE = {
    "patient_id": reading.EXAMPLE, "center": "A", "sex": "female", "age_at_onset": "52", "any_rash": "1",
    "heliotrope_rash": "0", "gottron_sign_or_papules": "1", "facial_edema": "0", "periungual_erythema": "1",
    "subcutaneous_calcinosis": "0", "subcutaneous_edema": "0", "myalgia": "1", "muscle_weakness": "1",
    "distal_weakness": "0", "neck_weakness": "1", "dysphagia": "0", "interstitial_lung_disease": "0",
    "malignancy": "1", "malignancy_site": "stomach", "max_creatine_kinase": "2609", "creatine_kinase_elevated": "1",
    "ana_titer": "160", "muscle_biopsy": "1", "perifascicular_atrophy": "1", "microinfarction": "",
    "follow_up_years": "3.5",
}  # fmt: skip
INSTRUCTIONS = [
    "One row per patient, from row 3 on. Row 2 is an example; it is skipped, whether you delete it or not.",
    "Use a study code of your own as patient_id: no name, no birth date, no record number.",
    "patient_id, sex and age_at_onset are needed. Everything else may stay blank: blank means unknown, never no.",
    "1 is yes, 0 is no. Point at a column's name to see what it means and accepts; the sheet codebook lists all.",
    "Grey cells need no answer for this patient, such as histology without a biopsy.",
    "Save as an Excel workbook, then: nxp2 validate FILE.xlsx",
]
REDCAP = [
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
    "Text Validation Min", "Text Validation Max", "Identifier?",
    "Branching Logic (Show field only if...)", "Required Field?", "Custom Alignment",
    "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?", "Field Annotation",
]  # fmt: skip


def columns() -> list[Column]:
    """Return the columns that a form asks for: all that are stored, but for the mark of synthetic patients."""
    return [column for name, column in dictionary.stored().items() if name != "synthetic"]


def write_csv(path: str | Path) -> None:
    """Write the header and the example row as CSV, with the byte order mark that Excel needs."""
    rows = [[column.name for column in columns()], [EXAMPLE[column.name] for column in columns()]]
    _write_rows(rows, path, "utf-8-sig")


def write_redcap(path: str | Path) -> None:
    """Write a REDCap data dictionary: 18 columns, one row per field, the patient's code first.

    Codes are the dictionary's own values, so that raw exports need no translation; ``applies_when`` becomes
    branching logic, and ranges become validation.
    """
    sections = [""] + [column.section for column in columns()]
    rows = [
        _field(column, column.section if column.section != before else "")
        for column, before in zip(columns(), sections, strict=False)
    ]
    _write_rows([REDCAP, *([row.get(name, "") for name in REDCAP] for row in rows)], path, "utf-8")


def _write_rows(rows: list[list[str]], path: str | Path, encoding: str) -> None:
    with paths.replacing(path) as partial, partial.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)


def _field(column: Column, section: str) -> dict[str, str]:
    choices = " | ".join(f"{value}, {value.capitalize()}" for value in column.values)
    kinds = {"yes_no": ("yesno", ""), "category": ("dropdown" if len(column.values) > 5 else "radio", choices)}
    kind, choices = kinds.get(column.type, ("dropdown", choices) if column.values else ("text", ""))
    ranged = kind == "text" and column.type != "text"
    return {
        "Variable / Field Name": column.name,
        "Form Name": "patients",
        "Section Header": "" if column.name == "patient_id" else section,
        "Field Type": kind,
        "Field Label": column.label,
        "Choices, Calculations, OR Slider Labels": choices,
        "Field Note": column.meaning + (f" ({column.unit})" if column.unit else ""),
        "Text Validation Type OR Show Slider Number": column.type if ranged else "",
        "Text Validation Min": f"{column.minimum:g}" if ranged else "",
        "Text Validation Max": f"{column.maximum:.0f}" if ranged else "",
        "Branching Logic (Show field only if...)": f"[{column.applies_when}] = '1'" if column.applies_when else "",
        "Required Field?": "y" if column.required == "yes" else "",
    }


# Excel


def write_workbook(path: str | Path) -> None:
    """Write a workbook: the sheet to fill in (lists, ranges, comments, an example), instructions, the codebook."""
    from openpyxl import Workbook

    book = Workbook()
    _patients(book.active)
    _instructions(book.create_sheet("read me"))
    _codebook(book.create_sheet("codebook"))
    with paths.replacing(path) as partial:
        book.save(partial)


def _patients(sheet) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter

    sheet.title = reading.SHEET
    sheet.freeze_panes = "B2"
    sheet.page_setup.orientation, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = "landscape", 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"
    sheet.row_dimensions[1].height = 24
    line = Side(style="thin", color="808080")
    for place, column in enumerate(columns(), start=1):
        letter = get_column_letter(place)
        header = sheet.cell(1, place, column.name)
        header.font = Font(bold=True, color="9C0006" if column.required == "yes" else "1F2A36")
        header.fill = PatternFill("solid", fgColor=COLOURS[column.section])
        header.alignment = Alignment(vertical="center")
        header.border = Border(bottom=line)
        header.comment = Comment(_comment(column), "nxp2", width=320, height=150)
        example = sheet.cell(2, place, _typed(EXAMPLE[column.name], column))
        example.font = Font(italic=True, color="7F7F7F")
        sheet.column_dimensions[letter].width = max(11, len(column.name) + 2)
        for row in range(2, FIRST + ROWS):
            sheet.cell(row, place).number_format = _format(column)
        sheet.add_data_validation(_validation(column, letter))
        _grey_out(sheet, column, letter)


def _comment(column: Column) -> str:
    lines = [column.label, column.meaning + ".", f"Accepted: {column.accepted}."]
    lines.append("Needed for every patient." if column.required == "yes" else "Blank: unknown.")
    if column.applies_when:
        lines.append(f"Only where {column.applies_when} is 1.")
    return "\n".join(lines)


def _typed(text: str, column: Column) -> str | float:
    return text if column.type in ("text", "category") or not text else float(text)


def _format(column: Column) -> str:
    return "@" if column.type in ("text", "category") else "0" if column.type != "number" else "General"


def _validation(column: Column, letter: str):
    from openpyxl.worksheet.datavalidation import DataValidation

    place = f"{letter}{FIRST}"
    if column.name == "patient_id":
        rule = DataValidation("custom", formula1=f"COUNTIF(${letter}:${letter},{place})=1")
    elif column.values:
        rule = DataValidation("list", formula1=f'"{",".join(column.values)}"')
    elif column.type == "text":
        rule = DataValidation("textLength", operator="lessThanOrEqual", formula1="60")
    else:
        kind = "whole" if column.type == "integer" else "decimal"
        low, high = f"{column.minimum:g}", f"{column.maximum:.0f}"
        rule = DataValidation(kind, operator="between", formula1=low, formula2=high)
    rule.allow_blank = True
    rule.showErrorMessage = rule.showInputMessage = True
    accepted = "a code that no other patient has" if column.name == "patient_id" else column.accepted
    rule.errorTitle, rule.error = column.label[:32], f"Accepted: {accepted}."[:255]
    rule.promptTitle, rule.prompt = column.label[:32], f"{accepted[0].upper()}{accepted[1:]}"[:255]
    rule.add(f"{place}:{letter}{FIRST + ROWS - 1}")
    return rule


def _grey_out(sheet, column: Column, letter: str) -> None:
    """Grey the cells that need no answer, since the column that they depend on is not 1."""
    if not column.applies_when:
        return
    from openpyxl.formatting.rule import FormulaRule
    from openpyxl.styles import PatternFill
    from openpyxl.utils import get_column_letter

    names = [other.name for other in columns()]
    needed = get_column_letter(names.index(column.applies_when) + 1)
    filled = f'AND($A{FIRST}<>"",${needed}{FIRST}<>1)'
    grey = PatternFill("solid", bgColor="D0D0D0")
    area = f"{letter}{FIRST}:{letter}{FIRST + ROWS - 1}"
    sheet.conditional_formatting.add(area, FormulaRule(formula=[filled], fill=grey))


def _instructions(sheet) -> None:
    from openpyxl.styles import Alignment, Font

    sheet.column_dimensions["A"].width = 85
    sheet["A1"] = "How to fill in the sheet patients"
    sheet["A1"].font = Font(bold=True, size=14)
    for row, text in enumerate(INSTRUCTIONS, start=3):
        sheet.cell(row, 1, text).alignment = Alignment(wrap_text=True, vertical="top")
        sheet.row_dimensions[row].height = 32


def _codebook(sheet) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill

    header = ("Column", "Label", "Section", "Unit", "Accepted", "Needed", "Only where", "Meaning")
    sheet.append(header)
    for column in columns():
        needed, only = "yes" if column.required == "yes" else "no", column.applies_when
        only = f"{only} is 1" if only else ""
        known = (column.label, column.section, column.unit, column.accepted, needed, only, column.meaning)
        sheet.append((column.name, *known))
    for letter, width in zip("ABCDEFGH", (27, 34, 21, 11, 40, 9, 20, 60), strict=True):
        sheet.column_dimensions[letter].width = width
    for row in sheet.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="D9E1EA")
    sheet.freeze_panes = "B2"
    sheet.page_setup.orientation, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = "landscape", 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"
