"""Read a cohort file as text cells, whatever program wrote it: CSV, Excel or Parquet.

Cells come as pandas categories of text: each different value of a column is kept once, so that a million patients fit
into memory and a value is looked at once, however often it stands there.
"""

import csv
import io
import re
import stat
import warnings
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from nxp2lib.intake import numerals
from nxp2lib.intake.problems import ACCEPTED, FILE, HEADER, PASSWORD, CohortError, Problem, unreadable

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
EXAMPLE = "EXAMPLE"  # the patient_id of the form's example row
LONGEST_HEADER, MOST_COLUMNS = 100, 1000
LINE_END = "a line end behind the last row; without one the file may be cut off, and this value with it"
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]+")
# What letters with accents turn into when read as Shift-JIS: one character behind a letter, half-width or private ones.
ACCENTS = re.compile("(?<=[A-Za-z])[\u4e00-\u9fff](?![\u3040-\u30ff\u4e00-\u9fff])|[\uff61-\uff9f\ue000-\uf8ff]")


class Cells(NamedTuple):
    """A file's cells, one row per patient, in words how they were read, and what has to be looked at."""

    frame: pd.DataFrame
    read_as: str
    doubts: list[Problem]


def read(path: str | Path) -> Cells:
    """Read a file; the columns are its headers, the index ``file_row`` its row numbers, blank is ``""``.

    The separator and the encoding of a CSV file are found out; of a workbook the sheet ``patients``, or the first
    visible one, is read. Cells stay as typed but for outer spaces. Excel's errors (``#N/A``) and formulas whose value
    was never saved come back as they stand, so that they are refused rather than taken for blank.

    Raises CohortError where the file is not a table that can be read.
    """
    path = Path(path)
    readers = {".xlsx": _workbook, ".parquet": _parquet, ".csv": _csv, ".tsv": _csv, ".txt": _csv}
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise unreadable(path, "not a regular file")
        if path.suffix.lower() not in readers:
            raise unreadable(path, f"a {path.suffix or 'nameless'} file")
        return readers[path.suffix.lower()](path)
    except (CohortError, FileNotFoundError):
        raise
    except PermissionError:
        raise unreadable(path, "no permission to read it (is it open in another program?)") from None
    except Exception as error:  # a damaged file fails in zlib, in XML, in openpyxl or in pyarrow, each in its own way
        damaged = "damaged, or not what its name says", ACCEPTED
        raise unreadable(path, *(PASSWORD if "encrypted" in str(error) else damaged)) from None


# CSV


def _csv(path: Path) -> Cells:
    content = path.read_bytes()
    if not content.strip():
        raise unreadable(path, "the file is empty")
    text, called = _decoded(path, content)
    if re.search("\0|\x1b[$(]", text):
        raise unreadable(path, "it holds NUL bytes or escape sequences, so it is not text", "a CSV file in UTF-8")
    separator = max(SEPARATORS, key=text[:1_000_000].splitlines()[0].count)
    names, doubts = _whole(path, text, separator)
    plain = {"header": None, "skip_blank_lines": False, "dtype": "category", "keep_default_na": False}
    with warnings.catch_warnings(action="ignore", category=pd.errors.DtypeWarning):
        frame = pd.read_csv(io.StringIO(text), sep=separator, **plain).iloc[1:]
    cells = _cleaned(frame, names)
    cells.attrs["separator"] = separator
    return Cells(cells, f"CSV file in {called}, separated by {SEPARATORS[separator]}", doubts)


def _decoded(path: Path, content: bytes) -> tuple[str, str]:
    """Return the text and the common name of its encoding; bytes that are not UTF-8 have to make sense as Japanese."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16"), "UTF-16"
    with suppress(UnicodeDecodeError):
        return content.decode("utf-8-sig").lstrip("\ufeff"), "UTF-8"
    with suppress(UnicodeDecodeError):
        text = content.decode("cp932")
        if 2 * len(ACCENTS.findall(text)) <= len(JAPANESE.findall(text)):
            return text, "Shift-JIS"
    accepted = "a CSV file in UTF-8 (in Excel: save as 'CSV UTF-8'), or .xlsx"
    raise unreadable(path, "neither in UTF-8 nor in Shift-JIS", accepted)


def _whole(path: Path, text: str, separator: str) -> tuple[list[str], list[Problem]]:
    """Return the header of a file of which each row has as many cells, and what may be cut off."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    cut, uneven, number, row = not text.endswith(("\n", "\r")), [], 0, []
    try:
        names, number = _header(path, next(rows)), HEADER
        needed = max(place for place, name in enumerate(names, start=1) if name)
        for number, row in enumerate(rows, start=HEADER + 1):
            if not needed <= len(row) <= len(names) and any(map(str.strip, row)):
                uneven.append((number, row))
    except csv.Error as error:
        if "after" not in str(error):
            raise unreadable(path, "a quotation mark is opened and never closed") from None
        said = f"in row {number + 1} a cell goes on behind its closing quotation mark"
        raise unreadable(path, said, 'a quotation mark inside a cell written twice ("")') from None
    if uneven:
        raise CohortError(path.name, [_uneven(*one, names, cut and one[0] == number) for one in uneven])
    return names, [Problem(number, names[-1], row[-1], LINE_END)] if cut and any(row) else []


def _uneven(number: int, row: list[str], names: list[str], cut: bool) -> Problem:
    if len(row) > len(names):
        said = f"row {number} has {len(row)} cells, the header {len(names)}"
        return Problem(None, FILE, f"{said}; a separator inside a cell needs quotation marks around it", ACCEPTED)
    said = "the file is cut off here; save it again" if cut else "a blank cell needs its separator too"
    accepted = f"{len(names)} cells in each row, as in the header; this row ends after {len(row)}: {said}"
    return Problem(number, names[len(row) - 1], row[-1], accepted)


# Excel


def _workbook(path: Path) -> Cells:
    from nxp2lib.intake import workbook

    sheet, rows, doubts = workbook.read(path)
    if not any(rows):
        raise unreadable(path, f"the sheet {sheet!r} is empty")
    names = _header(path, rows[0] + [""] * (max(map(len, rows)) - len(rows[0])))
    frame = pd.DataFrame(dict(enumerate(zip_longest(*rows[1:], [""] * len(names), fillvalue=""))), dtype=object)
    return Cells(_cleaned(frame.iloc[:-1], names), f"Excel workbook, sheet {sheet}", doubts)


# Parquet


def _parquet(path: Path) -> Cells:
    import pyarrow
    from pyarrow import parquet

    table = parquet.read_table(path)
    if nested := [field.name for field in table.schema if pyarrow.types.is_nested(field.type)]:
        raise unreadable(path, f"the column {nested[0][:LONGEST_HEADER]!r} holds lists", "one value in each cell")
    names = _header(path, table.column_names)
    cells = {}
    for place in range(len(names)):
        values = table.column(place).to_pandas().astype("category")
        texts = [numerals.written(int(value) if isinstance(value, bool) else value) for value in values.cat.categories]
        cells[place] = renamed(values, texts)
    return Cells(_cleaned(pd.DataFrame(cells), names), "Parquet file", [])


# All


def _header(path: Path, cells: list) -> list[str]:
    """Check the row of column names, and return it without outer spaces."""
    names = [str(cell or "").strip() for cell in cells]
    if not any(names):
        raise unreadable(path, "the first row is blank", "the names of the columns in the first row")
    if len(names) > MOST_COLUMNS:
        raise unreadable(path, f"{len(names):,} columns", f"at most {MOST_COLUMNS:,} columns")
    for place, name in enumerate(names, start=1):
        if len(name) > LONGEST_HEADER:
            said = f"the name of column {place} has {len(name)} characters"
            raise unreadable(path, said, f"names of at most {LONGEST_HEADER} characters")
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
