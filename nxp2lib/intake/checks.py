"""What a cohort file holds that the data dictionary does not accept, each with its place; and what else can be said."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from nxp2lib import dictionary, findings, paths
from nxp2lib.dictionary import Column
from nxp2lib.intake import column_map, plausibility, reading, understanding
from nxp2lib.intake.column_map import ColumnMap
from nxp2lib.intake.problems import FILE, HEADER, CohortError, Problem, within
from nxp2lib.intake.understanding import Table, Understood


@dataclass(frozen=True)
class Inspection:
    """Everything that can be said of a cohort file without using it.

    ``patients`` is None where the file cannot be read; ``columns`` tells how each of its columns was understood,
    ``absent`` which that a centre is asked for it lacks. ``problems`` have to be mended, ``warnings`` looked at.
    """

    name: str
    read_as: str
    patients: int | None
    columns: list[Understood]
    absent: list[str]
    problems: list[Problem]
    warnings: list[Problem]


def inspect(path: str | Path, map_path: str | Path = "") -> Inspection:
    """Say everything about a cohort file at once; bad content is never an error.

    Raises FileNotFoundError for a missing file.
    """
    path = paths.find(path)
    try:
        explained = column_map.read(paths.find(map_path)) if map_path else None
        raw, read_as, doubts = reading.read(path)
    except CohortError as error:
        return Inspection(path.name, "not read", None, [], [], error.problems, [])
    table = understood(raw, explained)
    absent = [name for name in dictionary.asked() if name not in table.frame]
    read_as += "; the example row of the form is skipped" if len(table.frame) < len(raw) else ""
    warned = _in_file(table, plausibility.warnings(numbers(table.frame), table), doubts)
    return Inspection(path.name, read_as, len(table.frame), table.columns, absent, problems(table), warned)


def understood(raw: pd.DataFrame, explained: ColumnMap | None = None) -> Table:
    """Return a file's patients as `nxp2lib.intake.understanding` has them.

    The form's example row, the first one with this code, is left out.
    """
    example = not raw.empty and reading.EXAMPLE in raw.iloc[0].astype(str).tolist()[:2]
    return understanding.understand(raw.iloc[1:] if example else raw, explained)


def problems(table: Table) -> list[Problem]:
    """Return everything in a table of text that the dictionary does not accept, in file order.

    Checked in one pass: column names, types, ranges, accepted values, required cells, patients that
    appear twice, and the rules across columns (a rash of any kind implies ``any_rash``, distal weakness implies
    weakness, histology only with a biopsy, a site only with a malignancy).
    """
    others = table.problems + _missing_columns(table)
    if len(table.frame) == 0:
        return [*others, Problem(None, FILE, "no patients", "at least one row below the header")]
    known = table.frame[[name for name in table.frame if name in dictionary.stored()]]
    return _in_file(table, within(table.typed, [*_refused(known, table), *_broken(known)]), others)


def _missing_columns(table: Table) -> list[Problem]:
    unknown = [one.header for one in table.columns if one.how == "not known"]
    claimed = {one.column for one in table.columns}
    return [
        Problem(HEADER, name, "", "a column of this name" + dictionary.nearest(name, unknown))
        for name, column in dictionary.stored().items()
        if column.required == "yes" and name not in claimed
    ]


def _in_file(table: Table, found: list[Problem], others: Iterable[Problem] = ()) -> list[Problem]:
    """Name the columns of what was found as the file does; return it and the others in the order of the file."""
    titles = {name: name if name == header else f"{header} ({name})" for name, header in table.headers.items()}
    places = {one.header: place for place, one in enumerate(table.columns)}
    places |= {titles[name]: places[header] for name, header in table.headers.items()}
    named = [*others, *(replace(one, column=titles[one.column]) for one in found)]
    return sorted(dict.fromkeys(named), key=lambda one: (one.row or 0, places.get(one.column, -1), one.accepted))


def _refused(cells: pd.DataFrame, table: Table):
    """Yield a column, the patients whose cell in it is not accepted, and what is."""
    for name, texts in cells.items():
        column = dictionary.column(name)
        if column.required == "yes":
            yield name, texts == "", "a value in every row: " + column.accepted
        if name == "patient_id":
            yield name, texts.duplicated(keep=False) & (texts != ""), "each patient once"
        said = _each(table.typed[name], table.doubts[name].get, blank=None)
        for doubt in dict.fromkeys(table.doubts[name].values()):
            yield name, said == doubt, doubt
        yield name, ~_each(texts, column.accepts, blank=True) & said.isna(), column.accepted


def _broken(cells: pd.DataFrame):
    """Yield a column, the patients in whom it breaks a rule across columns, and what would keep it."""
    known = numbers(cells).reindex(columns=list(dictionary.columns()))
    for finding, general in findings.RULES:
        yield general, (known[finding] == 1) & (known[general] == 0), f"1 or blank, since {finding} is 1"
    for name, texts in cells.items():
        if needed := dictionary.column(name).applies_when:
            yield name, (texts != "") & (known[needed] != 1), f"blank unless {needed} is 1"


def _each(cells: pd.Series, answer: Callable[[str], object], blank: object) -> pd.Series:
    """Ask each different text of a column once; return the answer for every cell."""
    answers = np.array([*map(answer, cells.cat.categories), blank])
    return pd.Series(answers[cells.cat.codes.to_numpy()], index=cells.index)


def numbers(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers that the cells hold; what is not accepted is missing, categories and texts are left out."""
    typed = [column for column in map(dictionary.column, cells) if column.type not in ("category", "text")]
    found = {one.name: _each(cells[one.name], partial(_number, one), blank=np.nan) for one in typed}
    return pd.DataFrame(found, index=cells.index)


def _number(column: Column, text: str) -> float:
    return float(text) if text and column.accepts(text) else np.nan
