"""Understand a centre's own headers and codes: which column of the data dictionary is meant, which value.

What is understood is said, column by column; what is not stays as typed, and is refused later with its place.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import pandas as pd

from nxp2lib import dictionary, wording
from nxp2lib.dictionary import Column
from nxp2lib.intake import identifiers, numerals, reading
from nxp2lib.intake.column_map import ColumnMap
from nxp2lib.intake.numerals import WORDS, plain
from nxp2lib.intake.problems import HEADER, Problem

YES_NO = {word: value for value, words in WORDS["yes_no"].items() for word in words}
CODES = "codes such as 1 and 2 are explained in a map, `values: {sex: {1: male, 2: female}}`"
ONE_LINE = "text in one line; in a CSV file, a quotation mark opened here may be closed some rows below"
SHOWN = 6  # translated values named per column


@dataclass(frozen=True)
class Understood:
    """How one column of a file was understood: ``column`` of the dictionary ("": not used), why, and which values."""

    header: str
    column: str
    how: str
    values: str = ""


class Table(NamedTuple):
    """A file's patients under the dictionary's names and values, how they were understood, and what could not be.

    ``typed`` holds the same cells as the file does, ``headers`` the file's header of each column, and ``doubts`` for
    each column the texts that can mean more than one value, with what is accepted instead.
    """

    frame: pd.DataFrame
    typed: pd.DataFrame
    headers: dict[str, str]
    columns: list[Understood]
    problems: list[Problem]
    doubts: dict[str, dict[str, str]]


def understand(raw: pd.DataFrame, explained: ColumnMap | None = None) -> Table:
    """Give the columns and values of a file their names and values in the data dictionary.

    ``raw`` holds text as `nxp2lib.intake.reading.read` returns it; ``explained`` is what the centre says of its own
    headers and codes. A derived column, such as ``age_group``, keeps its name: it is compared, never used. Columns that
    nobody knows, that look like identifiers, or that claim the same column of the dictionary are problems.
    """
    explained, raw = explained or ColumnMap(), raw.astype("category")
    dictionary.add(explained.added)
    problems, typed, columns = explained.lacking(raw.columns), {}, []
    for header in raw.columns:
        one = _column(header, raw.columns, explained)
        cells = raw[header].cat.remove_unused_categories()  # of the header and the example row
        if refused := _refused(one, cells, typed, explained):
            problems.append(Problem(HEADER, header, header, refused))
        elif one.column:
            typed[one.column] = cells
        columns.append(one)
    headers = {name: cells.name for name, cells in typed.items()}
    seen, frame, values, doubts = _decimal_signs(typed, raw.attrs.get("separator", "")), {}, {}, {}
    for name, cells in typed.items():
        said = dictionary.column(name), explained.values.get(name, {}), seen.get(name, set())
        frame[name], values[cells.name], doubts[name] = _values(cells, *said)
    columns = [replace(one, values=values.get(one.header, "")) for one in columns]
    frame, typed = (pd.DataFrame(cells, index=raw.index) for cells in (frame, typed))
    return Table(frame, typed, headers, columns, problems, doubts)


# Headers


def names() -> dict[str, tuple[str, str]]:
    """Return for each plain header the column that it means, and why."""
    return _names(tuple(dictionary.columns().values()))


@lru_cache
def _names(columns: tuple[Column, ...]) -> dict[str, tuple[str, str]]:
    labels = {plain(column.label): (column.name, "the dictionary's label") for column in columns}
    return labels | {column.name: (column.name, "the dictionary's name") for column in columns}


def _column(header: str, everything: Iterable[str], explained: ColumnMap) -> Understood:
    name, how = names().get(plain(header), ("", "not known"))
    if header in explained.drop:
        name, how = "", "left out by the map"
    elif header in explained.columns:
        name, how = explained.columns[header], "named in the map"
    elif name:
        how = "computed here; compared, not used" if dictionary.column(name).is_derived else how
    elif re.fullmatch("|".join(WORDS["redcap"]), header.casefold()):
        how = "REDCap's own, not used"
    elif plain(header) == "record_id" and "patient_id" not in map(plain, everything):
        name, how = "patient_id", "REDCap's study code"
    elif explained.others:
        how = "not known; left out by the map"
    return Understood(header, name, how)


def _refused(one: Understood, cells: pd.Series, typed: dict, explained: ColumnMap) -> str:
    """Say why a column cannot be taken, where it cannot."""
    identifies = "no column that may say who a patient is" if identifiers.header(one.header) else ""
    dropped = f"`drop: [{one.header}]` leaves it out"
    if one.how == "not known":
        near = dictionary.nearest(plain(one.header), [name for name in dictionary.stored() if name not in typed])
        said = identifies or f"a column of the data dictionary{near}"
        return f"{said}; in a map, {dropped}, `columns:` says what it is"
    if one.column in typed:
        return f"one column for {one.column}, which stands here twice"
    said = identifies if one.how == "named in the map" else ""
    if one.column and not said and dictionary.column(one.column).type == "text":
        looks = identifiers.contents(map(str, cells.cat.categories), codes=one.column == "patient_id")
        said = f"study codes that do not say who a patient is; some cells look like {looks}" if looks else ""
    if not said or one.header in explained.allow:
        return ""
    return f"{said}; in a map, `allow: [{one.header}]` says that it is none, {dropped}"


# Values


@lru_cache
def meanings(column: Column) -> dict[str, str]:
    """Return for each plain word of a column of categories the value that it means."""
    words = {} if column.own else WORDS.get(column.name, {})
    known = {plain(word): value for value, listed in words.items() for word in listed}
    for site, organs in WORDS["organs"].items() if column.name == "malignancy_site" else ():
        known |= {plain(form.format(organ)): site for organ in organs for form in WORDS["cancer"]}
    return known | {plain(value): value for value in column.values}


def _decimal_signs(typed: dict[str, pd.Series], separator: str) -> dict[str, set[str]]:
    """Return for each column of numbers the decimal signs seen for certain: points in it, commas anywhere in the file.

    In a file separated by semicolons, where no number tells, it is a comma: such files are European.
    """
    numbers = [column for column in map(dictionary.column, typed) if column.maximum]
    seen = {one.name: numerals.certain(map(str, typed[one.name].cat.categories), one) for one in numbers}
    everywhere = set().union(*seen.values()) or ({","} if separator == ";" else set())
    return {name: signs | everywhere & {","} for name, signs in seen.items()}


def _values(cells: pd.Series, column: Column, own: dict[str, str], seen: set[str]) -> tuple[pd.Series, str, dict]:
    """Return the cells with the dictionary's values, what was translated, in words, and what can mean several."""
    typed, doubts, meant = [str(text) for text in cells.cat.categories], {}, []
    for text in typed:
        try:
            new = own[text] if text in own else _meant(text, column, seen)
        except numerals.Doubt as doubt:
            new, doubts[text] = text, str(doubt)
        meant.append(new if column.accepts(new) else text)
    changed = [f"{old} read as {new or 'blank'}" for old, new in zip(typed, meant, strict=True) if old != new]
    more = f" and {wording.count(len(changed) - SHOWN, 'more value')}" if len(changed) > SHOWN else ""
    return reading.renamed(cells, meant), ", ".join(changed[:SHOWN]) + more, doubts


def _meant(text: str, column: Column, seen: set[str]) -> str:
    """Translate one typed text; what is not known comes back unchanged.

    Raises `numerals.Doubt` for what can mean more than one value.
    """
    small = numerals.small(text)
    if small in WORDS["blank"] and column.name != "patient_id":
        return ""
    if column.name == "ana_titer":
        return numerals.titer(text, column)
    if column.type == "yes_no":
        return YES_NO.get(small, text)
    if column.type == "text" and re.search(r"[\r\n]", text):
        raise numerals.Doubt(ONE_LINE)
    if column.name == "sex" and text.isdecimal():
        raise numerals.Doubt(f"{column.accepted}; {CODES}")
    if column.type == "category":
        return meanings(column).get(plain(text), text)
    return text if column.type == "text" else numerals.number(text, column, seen)
