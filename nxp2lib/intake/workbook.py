"""Read the patients of an Excel workbook as text: from the right sheet, and nothing that looks other than it is."""

import re
import warnings
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.cell.rich_text import CellRichText
from openpyxl.utils import range_boundaries
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

from nxp2lib.intake import numerals
from nxp2lib.intake.problems import FILE, HEADER, PASSWORD, CohortError, Problem, unreadable

SHEET = "patients"  # the sheet of the form; of other workbooks, the first visible one is read
SHARED = 3  # headers in common that make another sheet look like patients
LARGEST, MOST_ROWS = 100_000_000, 1_048_576  # bytes when unpacked, about 100,000 patients; rows of Excel's sheets
OLE, ENCRYPTED = bytes.fromhex("D0CF11E0A1B11AE1"), "EncryptedPackage".encode("utf-16-le")


class _Parser(WorkSheetParser):
    """Give the value that was saved with a formula, and the formula where none was."""

    def parse_cell(self, element):
        cell = super().parse_cell(element)
        if cell["value"] is None and element.find(FORMULA_TAG) is not None:
            cell["value"] = f"={element.findtext(FORMULA_TAG) or ''}"
        return cell


def read(path: Path) -> tuple[str, list[list[str]], list[Problem]]:
    """Return the name of the sheet that is read, its rows up to their last filled cell, and what has to be looked at.

    What is set high or struck through is marked (``7^1``, ``~7~``), and so is what is shown as a percentage or a bound:
    it is refused as a number. Raises CohortError where the workbook cannot be read, or not as it is meant.
    """
    _check(path)
    with ExitStack() as opened:
        opened.enter_context(warnings.catch_warnings(action="ignore"))  # of openpyxl, on what it leaves out
        book = load_workbook(path, data_only=True, read_only=True, rich_text=True)
        opened.callback(book.close)
        sheet, doubts = _patients(path, book.worksheets)
        source, settings = sheet._get_source(), (book.epoch, book._date_formats, book._timedelta_formats)
        parser = _Parser(opened.enter_context(source), sheet._shared_strings, True, *settings, rich_text=True)
        style = cache(lambda kind, number: _style(ReadOnlyCell(sheet, 1, 1, None, kind, number)))
        rows = _rows(path, parser, style)
    if merged := _merged(parser, rows):
        raise CohortError(path.name, merged)
    return sheet.title, rows, doubts + _hidden(parser, rows)


def _check(path: Path) -> None:
    """Refuse what is no workbook, and one that would fill the memory: zipfile unpacks no more than it is told."""
    content = path.read_bytes()
    if content.startswith(OLE) and ENCRYPTED in content:
        raise unreadable(path, *PASSWORD)
    if not zipfile.is_zipfile(path):
        raise unreadable(path, "not an Excel workbook")
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > LARGEST:
        raise unreadable(path, f"{unpacked / 1e6:,.0f} MB when unpacked", "a workbook below 100 MB, or a CSV file")


def _patients(path: Path, sheets: list) -> tuple:
    """Return the sheet to read, and a problem for each other one that looks like patients."""
    headers = {}
    for sheet in sheets:
        sheet.reset_dimensions()  # some programs write wrong ones
        header, *patients = [*sheet.iter_rows(max_row=2, values_only=True)] or [()]
        headers[sheet.title] = {str(name) for name in header if name and any(map(any, patients))}
    visible = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
    chosen = next((sheet for sheet in visible if sheet.title.lower() == SHEET), visible[0])
    said = f"patients in one sheet; of several, the visible one called {SHEET} is read"
    others = [
        Problem(None, FILE, f"the sheet {title!r} looks like patients, beside {chosen.title!r}", said)
        for title, names in headers.items()
        if title != chosen.title and len(names & headers[chosen.title]) >= SHARED
    ]
    if others and chosen.title.lower() != SHEET:
        raise CohortError(path.name, others)
    return chosen, others


def _rows(path: Path, parser: WorkSheetParser, style: Callable[[str, int], str]) -> list[list[str]]:
    rows: list[list[str]] = []
    for number, cells in parser.parse():
        if not len(rows) < number <= MOST_ROWS:
            raise unreadable(path, f"row {number:,} stands behind row {len(rows):,}")
        filled = {one["column"]: _text(one["value"]) for one in cells}
        styles = {one["column"]: style(one["data_type"], one["style_id"]) for one in cells if filled[one["column"]]}
        rows += [[] for _ in range(number - len(rows))]
        rows[-1] = [styles.get(place, "").format(filled.get(place)) for place in range(1, max(styles, default=0) + 1)]
    return rows


def _text(value: object) -> str:
    if not isinstance(value, CellRichText):
        return numerals.written(value)
    return "".join(part if isinstance(part, str) else _marked(part.text, part.font) for part in value)


def _marked(text: str, font) -> str:
    text = f"~{text}~" if font.strike else text
    return f"^{text}" if font.vertAlign in ("superscript", "subscript") else text


def _style(cell: ReadOnlyCell) -> str:
    """Return a pattern for a cell's text that says when it is not shown as it is."""
    shown = re.sub(r"\[[^]]*\]|[{}]", "", cell.number_format if cell.data_type == "n" else "")
    return _marked("{}", cell.font) + (f" shown as {shown}" if re.search("[%<>≥≤]", shown) else "")


def _merged(parser: WorkSheetParser, rows: list[list[str]]) -> list[Problem]:
    """Return a problem for each filled group of merged cells below the header; all but its first cell are blank."""
    found = []
    for merged in parser.merged_cells.mergeCell if parser.merged_cells else ():
        left, top, _, bottom = range_boundaries(merged.ref)
        value = "".join(rows[top - 1][left - 1 : left]) if top <= len(rows) else ""
        if value and bottom > HEADER:
            said = f"a value in each cell; {merged.ref} is merged, so that all but its first one are blank"
            found.append(Problem(top, "".join(rows[0][left - 1 : left]), value, said))
    return found


def _hidden(parser: WorkSheetParser, rows: list[list[str]]) -> list[Problem]:
    hidden = [row for row, said in parser.row_dimensions.items() if said.get("hidden") == "1" and rows[int(row) - 1]]
    said = "all patients in sight; hidden rows are read like the others"
    return [Problem(None, FILE, f"hidden rows: {', '.join(hidden)}", said)] if hidden else []
