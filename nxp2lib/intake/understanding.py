"""Understand a centre's own headers and codes: which column of the data dictionary is meant, which value.

What is understood is said, column by column; what is not stays as typed, and is refused later with its place.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import pandas as pd

from nxp2lib import dictionary
from nxp2lib.dictionary import Column
from nxp2lib.intake import identifiers, reading
from nxp2lib.intake.column_map import ColumnMap
from nxp2lib.intake.problems import HEADER, Problem

BRITISH = {"oed": "ed", "oeso": "eso", "centre": "center", "titre": "titer", "tumour": "tumor", "aem": "em"}
BLANK = {"na", "n/a", "n.a.", "n.a", "nan", "null", "unknown", "not known", "missing", "not available", "not done", "."}
BLANK |= {"不明", "未検", "未検査", "未測定", "未実施", "欠測"}
YES = {"1", "1.0", "yes", "y", "true", "t", "checked", "present", "positive", "はい", "有", "有り", "あり", "陽性"}
NO = {"0", "0.0", "no", "n", "false", "f", "unchecked", "absent", "negative", "いいえ", "無", "無し", "なし", "陰性"}
SEXES = {
    **dict.fromkeys(["m", "man", "boy", "男", "男性", "男児", "男子"], "male"),
    **dict.fromkeys(["f", "woman", "girl", "女", "女性", "女児", "女子"], "female"),
}
NEGATIVE = {"negative", "neg", "neg.", "陰性", "<40", "<1:40", "<40x", "<x40", "<40倍"}
TITER = re.compile(r"(?P<above>[<>]=?|)(?:1:|x)?(?P<titer>[0-9]+)(?:x|倍)?")
UNITS = {
    "years": re.compile(r"(?:years?|yrs?|y|y/?o|y\.o\.?|歳|才)(?: old)?"),
    "IU/L": re.compile(r"i?u/l"),
}
GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")  # 1,125 or 1,125.5
COMMA = re.compile(r"(?P<whole>[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+),(?P<part>[0-9]+)")  # 1125,5 or 1.125,5
REDCAP = re.compile(
    r"redcap_\w+|\w+_timestamp|\w+_complete|complete\?|event name|repeat instrument|repeat instance"
    r"|data access group|survey identifier|survey timestamp"
)
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

    ``typed`` holds the same cells as the file does, and ``headers`` the file's header of each column.
    """

    frame: pd.DataFrame
    typed: pd.DataFrame
    headers: dict[str, str]
    columns: list[Understood]
    problems: list[Problem]


def understand(raw: pd.DataFrame, explained: ColumnMap | None = None) -> Table:
    """Give the columns and values of a file their names and values in the data dictionary.

    ``raw`` holds text as `nxp2lib.intake.reading.read` returns it; ``explained`` is what the centre says of its own
    headers and codes. A derived column, such as ``age_group``, keeps its name: it is compared, never used. Columns that
    nobody knows, that look like identifiers, or that claim the same column of the dictionary are problems.
    """
    explained = explained or ColumnMap()
    raw = raw.astype("category")
    found = [_column(header, set(raw.columns), explained) for header in raw.columns]
    problems = explained.lacking(raw.columns)
    typed, frame, columns = {}, {}, []
    for one in found:
        problem = _refused(one, raw[one.header], typed, explained)
        if problem:
            problems.append(problem)
        elif one.column:
            typed[one.column] = raw[one.header]
            frame[one.column], values = _values(raw[one.header], dictionary.column(one.column), explained)
            one = Understood(one.header, one.column, one.how, values)
        columns.append(one)
    headers = {
        one.column: one.header for one in columns if one.column in typed and typed[one.column].name == one.header
    }
    index = raw.index
    return Table(pd.DataFrame(frame, index=index), pd.DataFrame(typed, index=index), headers, columns, problems)


# Headers


def plain(header: str) -> str:
    """Return what matters of a header: no case, no accents of width, no unit in brackets, American spelling.

    >>> plain("Facial Oedema "), plain("Age at onset (years)"), plain("ＡＮＡ-Titre")
    ('facial_edema', 'age_at_onset', 'ana_titer')
    """
    text = unicodedata.normalize("NFKC", header).casefold()
    text = re.sub(r"\s*[\[(](?:years?|iu/l|u/l|yes/no|y/n)[\])]\s*$", "", text)
    for british, american in BRITISH.items():
        text = text.replace(british, american)
    return "_".join(re.findall(r"[^\W_]+", text))


@lru_cache
def _names() -> dict[str, tuple[str, str]]:
    """Return for each plain header the column that it means, and why."""
    columns = dictionary.columns().values()
    labels = {plain(column.label): (column.name, "the dictionary's label") for column in columns}
    return labels | {column.name: (column.name, "the dictionary's name") for column in columns}


def _column(header: str, everything: set[str], explained: ColumnMap) -> Understood:
    if header in explained.drop:
        return Understood(header, "", "left out by the map")
    if header in explained.columns:
        return Understood(header, explained.columns[header], "named in the map")
    name, how = _names().get(plain(header), ("", ""))
    if REDCAP.fullmatch(header.casefold()) and not name:
        return Understood(header, "", "REDCap's own, not used")
    if not name and plain(header) == "record_id" and "patient_id" not in map(plain, everything):
        name, how = "patient_id", "REDCap's study code"
    if name and dictionary.column(name).is_derived:
        return Understood(header, name, "computed here; compared, not used")
    if not name and explained.others:
        return Understood(header, "", "not known; left out by the map")
    return Understood(header, name, how or "not known")


def _refused(one: Understood, cells: pd.Series, typed: dict, explained: ColumnMap) -> Problem | None:
    if one.how == "not known":
        known = [name for name in dictionary.stored() if name not in typed]
        settle = f"in a map, `drop: [{one.header}]` leaves it out, `columns:` says what it is"
        if identifiers.header(one.header):
            return Problem(HEADER, one.header, one.header, "no column that may say who a patient is; " + settle)
        said = "a column of the data dictionary" + dictionary.nearest(plain(one.header), known)
        return Problem(HEADER, one.header, one.header, f"{said}; {settle}")
    if one.column in typed:
        return Problem(HEADER, one.header, one.header, f"one column for {one.column}, which stands here twice")
    if one.column and one.header not in explained.allow:
        return _identifying(one, cells)
    return None


def _identifying(one: Understood, cells: pd.Series) -> Problem | None:
    settle = f"in a map, `allow: [{one.header}]` says that it is none, `drop: [{one.header}]` leaves it out"
    if one.how == "named in the map" and identifiers.header(one.header):
        return Problem(HEADER, one.header, one.header, "no column that may say who a patient is; " + settle)
    if dictionary.column(one.column).type == "text":
        looks = identifiers.contents(map(str, cells.cat.categories), codes=one.column == "patient_id")
        if looks:
            said = f"study codes that do not say who a patient is; some cells look like {looks}; {settle}"
            return Problem(HEADER, one.header, one.header, said)
    return None


# Values


def _values(cells: pd.Series, column: Column, explained: ColumnMap) -> tuple[pd.Series, str]:
    """Return the cells with the dictionary's values, and what was translated, in words."""
    typed = [str(text) for text in cells.cat.categories]
    own = explained.values.get(column.name, {})
    read = _reader(column, typed)
    meant = [own[text] if text in own else read(text) for text in typed]
    meant = [new if column.accepts(new) else old for old, new in zip(typed, meant, strict=True)]
    changed = [(old, new) for old, new in zip(typed, meant, strict=True) if old != new]
    return reading.renamed(cells, meant), _in_words(changed)


def _in_words(changed: Iterable[tuple[str, str]]) -> str:
    changed = list(changed)
    said = ", ".join(f"{old} read as {new or 'blank'}" for old, new in changed[:SHOWN])
    return said + (f" and {len(changed) - SHOWN:,} more values" if len(changed) > SHOWN else "")


def _reader(column: Column, typed: list[str]) -> Callable[[str], str]:
    """Return the function that translates one typed text of a column; it returns what it does not know unchanged."""
    if column.name == "ana_titer":
        return _titer
    if column.type == "yes_no":
        return _yes_no
    if column.type == "category":
        return lambda text: _category(text, column)
    if column.type == "text":
        return lambda text: "" if column.required == "no" and _small(text) in BLANK else text
    decimal_comma = any(COMMA.fullmatch(text) and not GROUPED.fullmatch(text) for text in map(_small, typed))
    return lambda text: _number(text, column, decimal_comma)


def _small(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _yes_no(text: str) -> str:
    small = _small(text)
    return "" if small in BLANK else "1" if small in YES else "0" if small in NO else text


def _category(text: str, column: Column) -> str:
    small = plain(text)
    if _small(text) in BLANK:
        return ""
    if column.name == "sex":
        small = SEXES.get(small, small)
    return {plain(value): value for value in column.values}.get(small, text)


def _titer(text: str) -> str:
    """Return the reciprocal of a titer; above the dictionary's highest one, that one.

    >>> [_titer(text) for text in ("1:160", "×320", "80倍", "<40", "陰性", "≥1:2560", "5120", "<80", "+")]
    ['160', '320', '80', '0', '0', '2560', '2560', '<80', '+']
    """
    small = _small(text).replace(" ", "").replace("×", "x").replace("≥", ">=").replace("≧", ">=").replace(",", "")
    if small in BLANK:
        return ""
    if small in NEGATIVE:
        return "0"
    found = TITER.fullmatch(small)
    highest = dictionary.column("ana_titer").values[-1]
    if not found or found["above"].startswith("<") or len(found["titer"]) > 9:
        return text
    titer = str(int(found["titer"]))
    if found["above"]:
        return highest if (found["above"] == ">=" and titer == highest) or titer in ("1280", highest) else text
    return highest if int(titer) in (5120, 10240, 20480) else titer


def _number(text: str, column: Column, decimal_comma: bool) -> str:
    small = _small(text)
    if small in BLANK:
        return ""
    unit = UNITS.get(column.unit)
    found = re.fullmatch(r"([-+0-9.,]+) ?([^-+0-9.,].*)", small)
    if found and unit and unit.fullmatch(found[2]):
        small = found[1]
    if decimal_comma:
        if GROUPED.fullmatch(small):
            return text  # 1,125 beside 2609,5: which comma is it?
        comma = COMMA.fullmatch(small)
        small = f"{comma['whole'].replace('.', '')}.{comma['part']}" if comma else small
    elif GROUPED.fullmatch(small):
        small = small.replace(",", "")
    return small if dictionary.NUMBER.fullmatch(small) else text
