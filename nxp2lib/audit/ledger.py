"""Audit the two-group tables of any paper: one row of a ledger per printed comparison, one verdict per row.

A ledger is a CSV file. A row of counts holds patients with a finding, sizes or percentages of groups A and B; a row of
numbers holds means with standard deviations, or medians with quartiles or a range. Cells are read as printed
(`nxp2lib.audit.cells`); a cell that cannot be read leaves its own row undetermined, and no other.
"""

import csv
import io
import re
import unicodedata
from collections import Counter, defaultdict
from contextlib import suppress
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from nxp2lib import dictionary, digits, paths
from nxp2lib.audit import conventions, ledger_row, verdicts
from nxp2lib.audit.cells import is_blank
from nxp2lib.audit.conventions import LABELS, POLICY, QUICK, USUAL, Practice, PValues
from nxp2lib.audit.ledger_row import Comparison
from nxp2lib.audit.verdicts import UNDETERMINED, Finding

COLUMNS = (
    "table", "row", "group_a_label", "a_count", "a_n", "a_pct", "a_kind", "a_center", "a_lo", "a_hi",
    "group_b_label", "b_count", "b_n", "b_pct", "b_kind", "b_center", "b_lo", "b_hi", "p_printed", "test_printed",
    "legend_printed",
)  # fmt: skip
COPIED = ["table", "row", "p_printed"]
NUMBERS = ["p_value", "attainable_below", "attainable_above", "p_least", "p_greatest", "chance"]
TRIED = (*QUICK, POLICY)
ONE_SIDED = conventions.FAMILIES["fisher_one_sided"]
STATED = ["test_printed", "legend_printed"]
SHOWN = [f"{side}_{name}" for side in "ab" for name in ("count", "n", "pct", "center")] + ["p_printed"]
STATES = Finding(UNDETERMINED, "states the test of the other rows of its table, and no number")
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
    ``attainable_below``, ``attainable_above``, ``p_least``, ``p_greatest``, ``chance`` and ``reason``, one line, as in
    `nxp2lib.audit.verdicts.Finding`.

    The convention expected is the one that ``test_printed`` names, in the row or in a row of the same ``table`` that
    holds nothing else (there too ``legend_printed``, what stars stand for: ``* P < 0.05``); or else the one that the
    rows of that table follow (`conventions.standard`); or else Fisher's. A test that is named but not known here makes
    no row inconsistent. A blank size is that of the other rows of the table, where these have one. Raises LedgerError
    where a column is missing that every ledger needs.

    >>> one = {"a_count": ["13"], "a_n": ["36"], "b_count": ["13"], "b_n": ["40"], "p_printed": ["0.464"]}
    >>> audit(pd.DataFrame(one)).loc[0, ["verdict", "conventions"]].tolist()
    ['reproduced under another convention', 'one-sided Fisher']
    """
    rows, first, stating = looked_at(ledger)
    compared = {place: one for place, one in enumerate(first) if isinstance(one, Comparison)}
    known = PValues()
    known.of([table for one in compared.values() for table in one.tables], TRIED)
    practices = _practices([row["table"] for row in rows], compared, known)
    for place, one in compared.items():
        first[place] = STATES if place in stating else ledger_row.judge(one, practices[place], known)
    found = pd.DataFrame(first, index=ledger.index, columns=Finding._fields)
    found[NUMBERS] = found[NUMBERS].astype(float)
    found["conventions"] = found["conventions"].map("; ".join)
    copied = ledger.reindex(columns=COPIED).astype(object).fillna("").map(str)
    return pd.concat([copied, found[["verdict", "conventions", *NUMBERS, "reason"]]], axis=1)


def looked_at(ledger: pd.DataFrame) -> tuple[list[dict[str, str]], list[Comparison | Finding], set[int]]:
    """Return the rows of a ledger with what their table says of all of them, what each compares, and which only state.

    The last are the places, from 0, of rows that hold nothing but the test of their table.
    """
    texts = _checked(ledger).reindex(columns=list(COLUMNS)).astype(object).fillna("").map(str)
    rows = [row | {"file_row": place} for place, row in zip(texts.index, texts.to_dict("records"), strict=True)]
    stating = _completed(rows)
    return rows, [ledger_row.first_look(row) for row in rows], stating


def _completed(rows: list[dict[str, str]]) -> set[int]:
    """Fill in the test and the sizes that a table says elsewhere; return the rows that only state a test."""
    stating: set[int] = set()
    stated: dict[tuple[str, str], str] = {}
    sizes: dict[tuple[str, str], set[str]] = {}
    for place, row in enumerate(rows):
        if any(row[name] for name in STATED) and all(is_blank(row[name]) for name in SHOWN):
            stating.add(place)
            stated |= {(row["table"], name): row[name] for name in STATED if row[name]}
        for name in ("a_n", "b_n"):
            if not is_blank(row[name]):
                sizes.setdefault((row["table"], name), set()).add(row[name])
    for row in rows:
        row |= {name: stated.get((row["table"], name), "") for name in STATED if is_blank(row[name])}
        for side in "ab":
            count, share, size = (is_blank(row[f"{side}_{name}"]) for name in ("count", "pct", "n"))
            same = sizes.get((row["table"], f"{side}_n"), set())
            if size and len(same) == 1 and count != share and not re.search(r"/|of|%|\(", row[f"{side}_count"]):
                row[f"{side}_n"] = next(iter(same))
    return stating


def _practices(names: list[str], compared: dict[int, Comparison], known: PValues) -> dict[int, Practice]:
    """Return for each row of counts what is known of how the P values of its table were made."""
    found, places = {}, defaultdict(list)
    for place, one in compared.items():
        if one.named:
            accepted = conventions.family(one.named, one.two_sided)
            found[place] = Practice(tuple(one.named), accepted, stated=True)
        elif one.other:
            found[place] = Practice()
        else:
            places[names[place]].append(place)
    for here in places.values():
        found |= _inferred(here, compared, known)
    loose = {names[place] for place, one in compared.items() if one.is_loose}
    return {place: one._replace(is_loose=names[place] in loose) for place, one in found.items()}


def _inferred(places: list[int], compared: dict[int, Comparison], known: PValues) -> dict[int, Practice]:
    """Return the practice of rows of one table that name no test."""
    shares: dict[int, dict[tuple[str, str], float]] = {}
    for place in places:
        if (printed := compared[place].printed) and (tables := compared[place].tables):
            values = known.of(tables, TRIED)
            ways = {name: [verdicts.fits(printed, p) for p in values[name]] for name in TRIED}
            every = product(TRIED, digits.HABITS)
            shares[place] = {key: sum(key[1] in way for way in ways[key[0]]) / len(tables) for key in every}
    keys = [key for key in product(TRIED, digits.HABITS) if key[0] not in ONE_SIDED]
    columns = {key: np.array([share[key] for share in shares.values()]) for key in keys}
    chance = np.array([digits.chance(str(compared[place].printed)) for place in shares])
    standard = conventions.standard(columns, chance) if shares else None
    expected = standard or "fisher"
    lacking = {place: share for place, share in shares.items() if not any(share[expected, h] for h in digits.HABITS)}
    needed = {
        place: {name for name in TRIED if any(share[name, habit] == 1 for habit in digits.HABITS)}
        for place, share in lacking.items()
    }
    found = {}
    for place in places:
        others = Counter(name for row, names in needed.items() if row != place for name in names)
        giving = [name for name in LABELS if name in needed.get(place, ())]
        preferred = max(giving, key=lambda name: (others[name], USUAL.get(name, 0)), default=None)
        accepted = Practice().accepted
        if compared[place].two_sided:
            accepted = tuple(name for name in accepted if name not in ONE_SIDED)
        found[place] = Practice((expected,), accepted, False, bool(standard), frozenset(others), preferred)
    return found
