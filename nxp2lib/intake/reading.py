"""Read a cohort file as text cells, whatever program wrote it: CSV, Excel or Parquet.

Cells come as pandas categories of text: each different value of a column is kept once, so that a million patients fit
into memory and a value is looked at once, however often it stands there.
"""

import csv
import io
import re
import stat
import warnings
import zipfile
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from nxp2lib.intake.problems import FILE, HEADER, CohortError, Problem

ACCEPTED = "a CSV file (.csv), an Excel workbook (.xlsx) or a Parquet file (.parquet)"
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
SHEET = "patients"  # the sheet of the form; of other workbooks, the first one is read
EXAMPLE = "EXAMPLE"  # the patient_id of the form's example row
LONGEST_HEADER, MOST_COLUMNS = 100, 1000
LARGEST_WORKBOOK = 500_000_000  # bytes after decompression, about a million rows of numbers
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]+")
# What letters with accents turn into when read as Shift-JIS: one character behind a letter, half-width or private ones.
ACCENTS = re.compile("(?<=[A-Za-z])[\u4e00-\u9fff](?![\u3040-\u30ff\u4e00-\u9fff])|[\uff61-\uff9f\ue000-\uf8ff]")


class Cells(NamedTuple):
    """A file's cells, one row per patient, and in words how they were read."""

    frame: pd.DataFrame
    read_as: str


def read(path: str | Path) -> Cells:
    """Read a file; the columns are its headers, the index ``file_row`` its row numbers, blank is ``""``.

    The separator and the encoding of a CSV file are found out; of a workbook the sheet ``patients``, or the first one,
    is read. Cells stay as typed but for outer spaces. Excel's errors (``#N/A``) and formulas whose value was never
    saved come back as they stand, so that they are refused rather than taken for blank.

    Raises CohortError where the file is not a table that can be read.
    """
    path = Path(path)
    readers = {".xlsx": _workbook, ".parquet": _parquet, ".csv": _csv, ".tsv": _csv, ".txt": _csv}
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _unreadable(path, "not a regular file")
        if path.suffix.lower() not in readers:
            raise _unreadable(path, f"a {path.suffix or 'nameless'} file")
        return readers[path.suffix.lower()](path)
    except (CohortError, FileNotFoundError):
        raise
    except PermissionError:
        raise _unreadable(path, "no permission to read it (is it open in another program?)") from None
    except Exception:  # a damaged file fails in zlib, in XML, in openpyxl or in pyarrow, each in its own way
        raise _unreadable(path, "damaged, or not what its name says") from None


def _unreadable(path: Path, reason: str, accepted: str = ACCEPTED) -> CohortError:
    return CohortError(path.name, [Problem(None, FILE, reason, accepted)])


# CSV


def _csv(path: Path) -> Cells:
    content = path.read_bytes()
    if not content.strip():
        raise _unreadable(path, "the file is empty")
    encoding, called = _encoding(path, content)
    if b"\0" in content and not encoding.startswith("utf-16"):
        raise _unreadable(path, "it holds NUL bytes, so it is not text", "a CSV file in UTF-8")
    first = content[:1_000_000].decode(encoding, errors="ignore").lstrip("\ufeff")
    separator = max(SEPARATORS, key=first.splitlines()[0].count)
    names = _header(path, next(csv.reader(io.StringIO(first, newline=""), delimiter=separator)))
    frame = _parsed(path, io.BytesIO(content), encoding, separator)
    return Cells(_cleaned(frame, names), f"CSV file in {called}, separated by {SEPARATORS[separator]}")


def _encoding(path: Path, content: bytes) -> tuple[str, str]:
    """Return Python's and the common name of the encoding; bytes that are not UTF-8 have to make sense as Japanese."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16", "UTF-16"
    with suppress(UnicodeDecodeError):
        content.decode("utf-8-sig")
        return "utf-8-sig", "UTF-8"
    with suppress(UnicodeDecodeError):
        text = content.decode("cp932")
        if 2 * len(ACCENTS.findall(text)) <= len(JAPANESE.findall(text)):
            return "cp932", "Shift-JIS"
    accepted = "a CSV file in UTF-8 (in Excel: save as 'CSV UTF-8'), or .xlsx"
    raise _unreadable(path, "neither in UTF-8 nor in Shift-JIS", accepted)


def _parsed(path: Path, content: io.BytesIO, encoding: str, separator: str) -> pd.DataFrame:
    plain = {"header": None, "skip_blank_lines": False, "dtype": "category", "keep_default_na": False}
    try:
        with warnings.catch_warnings(action="ignore", category=pd.errors.DtypeWarning):
            frame = pd.read_csv(content, encoding=encoding, sep=separator, **plain)
    except pd.errors.ParserError as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if not found:
            raise _unreadable(path, "a quotation mark is opened and never closed") from None
        said = "row {1} has {2} cells, the header {0}; a separator inside a cell needs quotation marks around it"
        raise _unreadable(path, said.format(*found.groups())) from None
    return frame.iloc[1:]


# Excel


def _workbook(path: Path) -> Cells:
    from openpyxl import load_workbook

    _check_zip(path)
    with warnings.catch_warnings(action="ignore"):  # of openpyxl, on what it leaves out
        books = [load_workbook(path, data_only=only, read_only=True) for only in (True, False)]
        name = next((name for name in books[0].sheetnames if name.lower() == SHEET), books[0].sheetnames[0])
        for book in books:
            book[name].reset_dimensions()  # some programs write wrong ones
        saved, written = (book[name].iter_rows(values_only=True) for book in books)
        rows = [_excel_row(*pair) for pair in zip(saved, written, strict=True)]
        for book in books:
            book.close()
    if not any(rows):
        raise _unreadable(path, "the sheet is empty")
    names = _header(path, rows[0])
    columns = list(zip_longest(*rows, fillvalue=""))
    names += [""] * (len(columns) - len(names))
    frame = pd.DataFrame({place: cells[1:] for place, cells in enumerate(columns)}, dtype=object)
    return Cells(_cleaned(frame, names), f"Excel workbook, sheet {name}")


def _excel_row(saved: tuple, written: tuple) -> list[str]:
    """Return the cells of a row up to the last one that is filled."""
    cells = [_excel_text(formula if value is None else value) for value, formula in zip(saved, written, strict=True)]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _check_zip(path: Path) -> None:
    """Refuse what is no workbook, and one that would fill the memory when unpacked."""
    if not zipfile.is_zipfile(path):
        raise _unreadable(path, "not an Excel workbook")
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        if "[Content_Types].xml" not in archive.namelist():
            raise _unreadable(path, "not an Excel workbook")
    if unpacked > LARGEST_WORKBOOK:
        raise _unreadable(path, f"{unpacked / 1e6:,.0f} MB when unpacked", "a workbook below 500 MB, or a CSV file")


def _excel_text(value: object) -> str:
    """Return an Excel cell as a person reads it: no ``.0`` behind whole numbers, no time behind a date."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).removesuffix(" 00:00:00")


# Parquet


def _parquet(path: Path) -> Cells:
    import pyarrow
    from pyarrow import parquet

    table = parquet.read_table(path)
    if nested := [field.name for field in table.schema if pyarrow.types.is_nested(field.type)]:
        raise _unreadable(path, f"the column {nested[0][:LONGEST_HEADER]!r} holds lists", "one value in each cell")
    names = _header(path, table.column_names)
    cells = {}
    for place in range(len(names)):
        values = table.column(place).to_pandas().astype("category")
        texts = [_excel_text(int(value) if isinstance(value, bool) else value) for value in values.cat.categories]
        cells[place] = renamed(values, texts)
    return Cells(_cleaned(pd.DataFrame(cells), names), "Parquet file")


# All


def _header(path: Path, cells: list) -> list[str]:
    """Check the row of column names, and return it without outer spaces."""
    names = [str(cell or "").strip() for cell in cells]
    if not any(names):
        raise _unreadable(path, "the first row is blank", "the names of the columns in the first row")
    if len(names) > MOST_COLUMNS:
        raise _unreadable(path, f"{len(names):,} columns", f"at most {MOST_COLUMNS:,} columns")
    for place, name in enumerate(names, start=1):
        if len(name) > LONGEST_HEADER:
            said = f"the name of column {place} has {len(name)} characters"
            raise _unreadable(path, said, f"names of at most {LONGEST_HEADER} characters")
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise CohortError(path.name, [Problem(HEADER, name, name, "each column once") for name in twice])
    return names


def _cleaned(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Strip the cells, number the rows as in the file, and leave out blank rows and columns.

    Columns without a name that hold something are named by their place.
    """
    frame = frame.set_axis(range(len(names)), axis=1).astype("category")
    frame = frame.apply(lambda cells: renamed(cells, [str(text).strip() for text in cells.cat.categories]))
    kept = [place for place, name in enumerate(names) if name or (frame[place] != "").any()]
    titles = [names[place] or f"(blank, column {place + 1})" for place in kept]
    frame = frame[kept].set_axis(titles, axis=1)
    frame.index = pd.RangeIndex(HEADER + 1, HEADER + 1 + len(frame), name="file_row")
    filled = (frame != "").any(axis=1)
    return frame if filled.all() else frame[filled]


def renamed(cells: pd.Series, texts: list[str]) -> pd.Series:
    """Put other texts in place of a column's different values; those that become equal are one value, and NaN is ""."""
    codes, values = pd.factorize(pd.Index([*texts, ""], dtype=object))
    codes = codes[cells.cat.codes.to_numpy()]  # NaN has the code -1, which stands for the last one
    return pd.Series(pd.Categorical.from_codes(codes, categories=values), index=cells.index)
