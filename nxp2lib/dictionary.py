"""The data dictionary: every column of a cohort, its label, type and accepted values."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from nxp2lib import paths

NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]{1,2})?", re.IGNORECASE)


@dataclass(frozen=True)
class Column:
    """One row of ``data/data_dictionary.csv``.

    ``type`` is ``text``, ``category``, ``yes_no``, ``integer`` or ``number``; ``values`` the accepted values as
    written in files (empty: any); ``minimum`` and ``maximum`` the accepted range in ``unit`` (None: open);
    ``required`` is ``yes`` (every row has a value), ``no``, or ``derived`` (computed, never stored in a file);
    ``applies_when`` names the yes/no column without which a value makes no sense (empty: always applies). ``own`` is
    empty but for what a centre has added: the column's name, and of one value of a category that value, too.
    """

    name: str
    label: str
    section: str
    type: str
    unit: str
    values: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    required: str
    applies_when: str
    meaning: str
    own: tuple[str, ...] = ()

    @property
    def is_derived(self) -> bool:
        """Whether the column is computed from others and never stored."""
        return self.required == "derived"

    @property
    def accepted(self) -> str:
        """What a cell may hold, in words, for error messages and forms.

        >>> column("age_at_onset").accepted
        'a whole number from 0 to 110 (years)'
        >>> column("sex").accepted
        'male or female'
        """
        if self.type == "yes_no":
            return "1 (yes), 0 (no) or blank (unknown)"
        if self.values:
            return ", ".join(self.values[:-1]) + f" or {self.values[-1]}"
        if self.type == "text":
            return "text"
        kind = "a whole number" if self.type == "integer" else "a number"
        unit = f" ({self.unit})" if self.unit else ""
        return f"{kind} from {self.minimum:g} to {self.maximum:g}{unit}"

    def accepts(self, text: str) -> bool:
        """Tell whether a cell may hold this text; blank is accepted, since `required` is another question.

        >>> column("age_at_onset").accepts("58"), column("age_at_onset").accepts("580"), column("sex").accepts("m")
        (True, False, False)
        """
        if text == "":
            return True
        if self.type == "text":
            return not text.startswith(("=", "#"))  # a formula, or Excel's error
        if self.type == "category":
            return text in self.values
        if not NUMBER.fullmatch(text):
            return False
        number = float(text)
        if self.values:
            return number in map(float, self.values)
        low, high = self.minimum or 0.0, self.maximum or 0.0
        return low <= number <= high and (self.type == "number" or number == int(number))


def _column(row: dict[str, str]) -> Column:
    known: dict[str, Any] = {key: float(row[key]) if row[key] else None for key in ("minimum", "maximum")}
    return Column(**{**row, **known, "values": tuple(filter(None, row["values"].split("|")))})


_own: dict[str, Column] = {}  # of the cohort that was read last


def add(own: Iterable[Column]) -> None:
    """Let the dictionary hold a centre's own columns, after its own and in place of those added before."""
    _own.clear()
    _own.update({column.name: column for column in own})


def columns() -> dict[str, Column]:
    """Return every column by name, in the dictionary's order (the row order of tables and forms)."""
    return _columns() | _own


@lru_cache
def _columns() -> dict[str, Column]:
    frame = pd.read_csv(paths.DICTIONARY, dtype=str, keep_default_na=False)
    return {row["name"]: _column(row) for row in frame.to_dict("records")}


def stored() -> dict[str, Column]:
    """Return the columns that a cohort file may hold: all but the derived ones."""
    return {name: column for name, column in columns().items() if not column.is_derived}


def asked() -> dict[str, Column]:
    """Return the columns that a centre is asked for: all that are stored, but for the mark of synthetic patients."""
    return {name: column for name, column in stored().items() if name != "synthetic"}


def column(name: str) -> Column:
    """Return one column.

    Raises KeyError naming the nearest column when the dictionary has none of that name.
    """
    try:
        return columns()[name]
    except KeyError:
        raise KeyError(f"{name!r} is not in the data dictionary{nearest(name, columns())}") from None


def label(name: str) -> str:
    """Return the label of a column, for tables and figures.

    >>> label("gottron_sign_or_papules")
    'Gottron sign/papules'
    """
    return column(name).label


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known word nearest to ``word``, or nothing.

    >>> nearest("disphagia", ["myalgia", "dysphagia"])
    "; did you mean 'dysphagia'?"
    >>> nearest("telephone", ["myalgia", "dysphagia"])
    ''
    """
    from difflib import get_close_matches

    found = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]!r}?" if found else ""
