"""Audit the two-group tables of any paper: one row of a ledger per printed comparison, one verdict per row.

A ledger is a CSV file. A row of counts holds patients with a finding, sizes or percentages of groups A and B; a row of
numbers holds means with standard deviations, or medians with quartiles or a range. Cells are read as printed
(`nxp2lib.audit.cells`); a cell that cannot be read leaves its own row undetermined, and no other.
"""

import csv
import io
import re
import unicodedata
from contextlib import suppress
from pathlib import Path

import pandas as pd

from nxp2lib import dictionary, paths
from nxp2lib.audit import conventions, ledger_row
from nxp2lib.audit.ledger_row import Comparison
from nxp2lib.audit.verdicts import QUICK, Finding

COLUMNS = (
    "table", "row", "group_a_label", "a_count", "a_n", "a_pct", "a_kind", "a_center", "a_lo", "a_hi",
    "group_b_label", "b_count", "b_n", "b_pct", "b_kind", "b_center", "b_lo", "b_hi", "p_printed", "test_printed",
)  # fmt: skip
COPIED = ["table", "row", "p_printed"]
NUMBERS = ["p_value", "attainable_below", "attainable_above", "p_least", "p_greatest"]
TWO_SIDED = [name for name in QUICK if name not in ("fisher_one_sided", "fisher_less", "fisher_greater")]
FORMULA = tuple("=+-@\t\r")  # a spreadsheet takes what begins like this for a formula
ESCAPED = re.compile("^'(?=[-=+@\t\r])")  # the mark that keeps it from doing so


class LedgerError(ValueError):
    """A ledger that cannot be used; the message says why in one sentence."""


def read(path: str | Path) -> pd.DataFrame:
    """Read a ledger: all cells text, one row per comparison, under its row in the file (the header is row 1).

    UTF-8 or Windows-1252; commas, semicolons or tabs. The ``COLUMNS`` are known in any order, whatever their capitals,
    spaces and hyphens; others are kept and ignored. Rows without any cell are left out, outer spaces too.

    Raises LedgerError where that fails, naming the file row or the column.
    """
    try:
        place = paths.find(path, here=True)
        raw = place.read_bytes()
    except (OSError, ValueError) as error:
        raise LedgerError(str(error)) from None
    try:
        return _checked(_table(_decoded(raw)))
    except LedgerError as error:
        raise LedgerError(f"{place.name}: {error}") from None


def _decoded(raw: bytes) -> str:
    if b"\0" in raw:
        raise LedgerError("this is no text; accepted: CSV (in Excel: save as 'CSV UTF-8')")
    for encoding in ("utf-8-sig", "cp1252"):
        with suppress(UnicodeDecodeError):
            return raw.decode(encoding)
    raise LedgerError("this is text neither in UTF-8 nor in Windows-1252 (in Excel: save as 'CSV UTF-8')")


def _table(text: str) -> pd.DataFrame:
    headers = {mark: next(_records(text, mark), (0, []))[1] for mark in ",;\t"}
    mark = max(headers, key=lambda mark: (sum(_plain(name) in COLUMNS for name in headers[mark]), len(headers[mark])))
    records = dict(_records(text, mark, strict=True))
    if not any(re.sub('[,;"]', "", cell).strip() for cells_of in records.values() for cell in cells_of):
        raise LedgerError("the file is empty")
    header = records.pop(min(records))
    if not records:
        raise LedgerError("the file has no rows below its header")
    for number, cells_of in records.items():
        if len(cells_of) > len(header):
            said = f"file row {number} has {len(cells_of)} cells, the header {len(header)}"
            raise LedgerError(f"{said}; a separator inside a cell needs quotation marks")
    named = [name or f"(blank, column {place})" for place, name in enumerate(header, start=1)]
    names = [_plain(name) if _plain(name) in COLUMNS else name for name in named]
    filled = [row + [""] * (len(header) - len(row)) for row in records.values()]
    ledger = pd.DataFrame(filled, columns=names, index=pd.Index(records, name="file_row"), dtype=str)
    ledger.attrs["separator"] = mark
    return ledger


def _records(text: str, mark: str, strict: bool = False):
    """Yield file row and cells of every row that is not blank; cells end with the last that is not, but in a header."""
    # A cell as long as the file is read, and its row judged like any other; the limit holds for the whole process.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True, strict=strict)
    try:
        for number, row in enumerate(rows, start=1):
            row = [ESCAPED.sub("", cell.strip()) for cell in row]
            while row and not row[-1]:
                row.pop()
            if row:
                yield number, row
    except csv.Error as error:
        if strict:
            said = str(error).replace("unexpected end of data", "a quotation mark is never closed")
            raise LedgerError(f"after line {rows.line_num - 1}: {said}") from None


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", unicodedata.normalize("NFKC", name).casefold()).strip("_")


def _checked(ledger: pd.DataFrame) -> pd.DataFrame:
    """Return a ledger whose columns suffice, or raise LedgerError."""
    twice = ledger.columns[ledger.columns.duplicated()]
    if len(twice):
        raise LedgerError(f"the column {twice[0]} is there twice; accepted: each column once")
    spare = [str(name).lower() for name in ledger.columns if name not in COLUMNS]
    for wanted in (["p_printed"], *([f"{side}_{name}" for name in ("count", "pct", "center")] for side in "ab")):
        if not set(wanted) & set(ledger.columns):
            near = next(filter(None, (dictionary.nearest(name, spare) for name in wanted)), "")
            raise LedgerError(f"a column {' or '.join(wanted)} is missing{near}")
    return ledger


def write(audited: pd.DataFrame, ledger: pd.DataFrame, path: str | Path) -> None:
    """Write a ledger with what `audit` found of it beside its own columns, as CSV that Excel opens (UTF-8, marked).

    Separated as the ledger was, with decimal commas beside semicolons, and six significant digits. Text that a
    spreadsheet would take for a formula gets an apostrophe in front, which `read` takes off again. Columns of an
    earlier audit are replaced. The file appears whole or not at all.
    """
    mark = ledger.attrs.get("separator", ",")
    found = audited.drop(columns=COPIED)
    own = ledger.drop(columns=[name for name in found if name in ledger])
    both = pd.concat([own.reset_index(drop=True), found.reset_index(drop=True)], axis=1)
    both = both.astype(object).map(_harmless).rename(columns=_harmless)
    both[NUMBERS] = both[NUMBERS].map(lambda value: float(f"{value:.6g}")).astype(float)
    with paths.replacing(path) as partial_file:
        layout = {"sep": mark, "decimal": "," if mark == ";" else ".", "quoting": csv.QUOTE_NONNUMERIC}
        both.to_csv(partial_file, index=False, encoding="utf-8-sig", **layout)


def _harmless(cell):
    text = isinstance(cell, str) and cell.startswith(FORMULA)
    return f"'{cell}" if text and not re.fullmatch(r"[-+]?(\d[\d.,]*|[.,]\d+)", cell, re.ASCII) else cell


def audit(ledger: pd.DataFrame) -> pd.DataFrame:
    """Judge every printed P value of a ledger, one row each, under the ledger's own index.

    Columns: ``table, row, p_printed`` as in the ledger; ``verdict``, ``conventions`` (joined by ``;``), ``p_value``,
    ``attainable_below``, ``attainable_above``, ``p_least``, ``p_greatest`` and ``reason``, one line, as in
    `nxp2lib.audit.verdicts.Finding`.

    The convention expected is the one that ``test_printed`` names; or else the two-sided one that explains most of the
    rows of the same ``table`` that name none, if it explains two or more; or else Fisher's. A test that is named but
    not known here makes no row inconsistent. Raises LedgerError where a column is missing that every ledger needs.

    >>> one = {"a_count": ["13"], "a_n": ["36"], "b_count": ["13"], "b_n": ["40"], "p_printed": ["0.464"]}
    >>> audit(pd.DataFrame(one)).loc[0, ["verdict", "conventions"]].tolist()
    ['reproduced under another convention', 'one-sided Fisher; one-sided Fisher, upper']
    """
    texts = _checked(ledger).reindex(columns=list(COLUMNS)).astype(object).fillna("").map(str)
    rows = [row | {"file_row": place} for place, row in zip(texts.index, texts.to_dict("records"), strict=True)]
    first = [ledger_row.first_look(row) for row in rows]
    standard, preferred = _expected([row["table"] for row in rows], first)
    for place, (row, one) in enumerate(zip(rows, first, strict=True)):
        if isinstance(one, Comparison):
            first[place] = ledger_row.judge(one, standard.get(row["table"], "fisher"), preferred.get(place))
    found = pd.DataFrame(first, index=ledger.index, columns=Finding._fields)
    found[NUMBERS] = found[NUMBERS].astype(float)
    found["conventions"] = found["conventions"].map("; ".join)
    return pd.concat([texts[COPIED], found[["verdict", "conventions", *NUMBERS, "reason"]]], axis=1)


def _expected(names: list[str], read: list) -> tuple[dict[str, str], dict[int, str]]:
    """Return the convention expected of each table, and for each row the one preferred among several others."""
    settled = [place for place, one in enumerate(read) if isinstance(one, Comparison) and one.is_settled]
    standard, preferred = {}, {}
    for name in dict.fromkeys(names[place] for place in settled):
        places = [place for place in settled if names[place] == name]
        tables, printed = [read[place].tables[0] for place in places], [read[place].printed for place in places]
        preferred |= conventions.fewest(tables, pd.Series(printed, index=places)).to_dict()
        free = [place for place in places if not (read[place].named or read[place].other)]
        if len(free) > 1:
            tables, printed = zip(*((read[place].tables[0], read[place].printed) for place in free), strict=True)
            best = conventions.explain(tables, printed, TWO_SIDED).iloc[0]
            standard[name] = best["convention"] if best["matched"] > 1 else "fisher"
    return standard, preferred
