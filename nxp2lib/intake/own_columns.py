"""A centre's own columns: what the section ``add`` of a map says of them."""

import re
from collections.abc import Iterable

from nxp2lib import dictionary, findings
from nxp2lib.dictionary import Column
from nxp2lib.intake.numerals import WORDS, plain, small

SECTION = "Own columns"  # where none is named
TYPES = {"yes/no": "yes_no", "number": "number", "category": "category"}
EXAMPLE = "add: {anti_ro52: {label: Anti-Ro52 antibody, type: yes/no}}"
KEYS = {
    "yes/no": {"label", "type", "section", "meaning"},
    "number": {"label", "type", "section", "meaning", "unit", "minimum", "maximum"},
    "category": {"label", "type", "section", "meaning", "values"},
}
MOST_VALUES = 12
TEXT = re.compile(r"(?!-)[^\x00-\x1f=+@|]{1,80}")  # of labels and values, which go into tables and workbooks


def columns(said: dict[str, dict]) -> tuple[Column, ...]:
    """Return the columns of the section ``add``, each category followed by a column for each of its values.

    ``said`` gives ``label``, ``type`` (``yes/no``, ``number`` or ``category``) and what goes with it, by name. Raises
    ValueError for what is not accepted.
    """
    found = [_column(name, one) for name, one in said.items()]
    found = [column for own in found for column in (own, *_values(own))]
    known = {column.name: column for column in dictionary.columns().values() if not column.own}
    taken = {*known, *findings.names(), findings.TOTAL, "patients"}
    labels = {plain(text): one.name for one in known.values() for text in (one.name, one.label)}
    sections = {column.section.casefold() for column in known.values()}
    for column in found:
        if column.section.casefold() in sections:
            said = f"add: {column.name}: section {column.section!r} is the dictionary's"
            raise ValueError(f"{said}; accepted: one of your own, which stands below the paper's rows")
        if column.name in taken:
            raise ValueError(f"add: {column.name!r} is already a column, a group or a row; accepted: another name")
        if (other := labels.setdefault(plain(column.label), column.name)) != column.name:
            raise ValueError(f"add: {column.name} has the label of {other}; accepted: another label")
        taken.add(column.name)
    return tuple(found)


def _column(name: str, said: dict) -> Column:
    if not re.fullmatch("[a-z][a-z0-9_]{0,39}", name):
        raise ValueError(f"add: {name!r} is no name of a column; accepted: up to 40 small letters, digits and _")
    kind = said.get("type", "")
    if kind not in TYPES:
        raise ValueError(f"add: {name}: type {kind!r} is not accepted; accepted: {', '.join(TYPES)}; {EXAMPLE}")
    for key in said:
        if key not in KEYS[kind]:
            near, accepted = dictionary.nearest(key, KEYS[kind]), ", ".join(sorted(KEYS[kind]))
            raise ValueError(f"add: {name}: {key!r} is not known for {kind}{near}; accepted: {accepted}")
    texts = {key: said.get(key, "") for key in ("label", "section", "meaning", "unit")}
    for key, text in texts.items():
        if not isinstance(text, str) or ((text or key == "label") and not TEXT.fullmatch(text)):
            raise ValueError(f"add: {name}: {key} {text!r} is not accepted; accepted: a short text")
    low, high = (_number(name, key, said) for key in ("minimum", "maximum")) if kind == "number" else (None, None)
    if low is not None and high is not None and not low < high:
        raise ValueError(f"add: {name}: minimum {low:g} is not below maximum {high:g}")
    values = ("0", "1") if kind == "yes/no" else _listed(name, said.get("values")) if kind == "category" else ()
    meaning = texts["meaning"] or f"{texts['label']}, a column of this centre"
    section, unit = texts["section"] or SECTION, texts["unit"]
    return Column(name, texts["label"], section, TYPES[kind], unit, values, low, high, "no", "", meaning, (name,))


def _number(name: str, key: str, said: dict) -> float:
    text = said.get(key, "")
    if not isinstance(text, str) or not dictionary.NUMBER.fullmatch(text):
        raise ValueError(f"add: {name}: {key} {text!r} is not accepted; accepted: a number")
    return float(text)


def _listed(name: str, values: object) -> tuple[str, ...]:
    """Return the values of a category, each of which is read as itself, however it is spelled."""
    listed, read = values if isinstance(values, list) else [], {}
    texts = [value for value in listed if isinstance(value, str) and TEXT.fullmatch(value) and "," not in value]
    if not 2 <= len(texts) <= MOST_VALUES or len(texts) < len(listed):
        accepted = f"2 to {MOST_VALUES} short texts without commas, `values: [one, another]`"
        raise ValueError(f"add: {name}: values {values!r} are not accepted; accepted: {accepted}")
    for text in texts:
        if small(text) in WORDS["blank"]:
            raise ValueError(f"add: {name}: {text!r} would be read as blank; accepted: leave it out, or another word")
        if not plain(text):
            raise ValueError(f"add: {name}: {text!r} has no letter or digit; accepted: another word")
        if (other := read.setdefault(plain(text), text)) is not text:
            raise ValueError(f"add: {name}: {text!r} cannot be told from {other!r}; accepted: other words")
    return tuple(texts)


def _values(column: Column) -> Iterable[Column]:
    """Return for each value of a category whether a patient has it, as a column that is computed."""
    for place, value in enumerate(column.values if column.type == "category" else (), start=1):
        label, own = f"{column.label}: {value}", (column.name, value)
        yield Column(f"{column.name}_{place}", label, column.section, "yes_no", "", ("0", "1"), None, None, "derived",
                     "", f"{column.label} is {value}", own)  # fmt: skip
