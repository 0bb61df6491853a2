"""What a cohort file holds that the data dictionary does not accept, each with its place; and what else can be said."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from nxp2lib import dictionary, findings, paths
from nxp2lib.dictionary import Column
from nxp2lib.intake import column_map, plausibility, reading, understanding
from nxp2lib.intake.column_map import ColumnMap
from nxp2lib.intake.problems import FILE, HEADER, CohortError, Problem
from nxp2lib.intake.understanding import Table, Understood


@dataclass(frozen=True)
class Inspection:
    """Everything that can be said of a cohort file without using it.

    ``patients`` is None where the file cannot be read; ``columns`` tells how each of its columns was understood,
    ``absent`` which of the dictionary's it lacks. ``problems`` have to be mended, ``warnings`` looked at. ``frame``
    holds the cells under the dictionary's names and values (None where the file cannot be read).
    """

    name: str
    read_as: str
    patients: int | None
    columns: list[Understood]
    absent: list[str]
    problems: list[Problem]
    warnings: list[Problem]
    frame: pd.DataFrame | None


def inspect(
    path: str | Path, map_path: str | Path = "", juvenile_below_age: float = findings.JUVENILE_BELOW_AGE
) -> Inspection:
    """Say everything about a cohort file at once; bad content is never an error.

    Raises FileNotFoundError for a missing file.
    """
    path = paths.find(path)
    try:
        explained = column_map.read(paths.find(map_path)) if map_path else None
        cells = reading.read(path)
    except CohortError as error:
        return Inspection(path.name, "not read", None, [], [], error.problems, [], None)
    raw, skipped = _without_example(cells.frame)
    table = understanding.understand(raw, explained)
    absent = [name for name in dictionary.stored() if name not in table.frame]
    read_as = cells.read_as + ("; the example row of the form is skipped" if skipped else "")
    warned = _as_in_file(plausibility.warnings(numbers(table.frame), table.frame, juvenile_below_age), table)
    return Inspection(path.name, read_as, len(raw), table.columns, absent, problems(table), warned, table.frame)


def understood(raw: pd.DataFrame, explained: ColumnMap | None = None) -> Table:
    """Return a file's patients, without the form's example row, as `nxp2lib.intake.understanding` has them."""
    return understanding.understand(_without_example(raw)[0], explained)


def _without_example(raw: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    """Leave out the form's example row, the first one with this code."""
    if raw.empty or reading.EXAMPLE not in raw.iloc[0].astype(str).tolist()[:2]:
        return raw, False
    return raw.iloc[1:], True


def problems(table: Table) -> list[Problem]:
    """Return everything in a table of text that the dictionary does not accept, in file order.

    Checked in one pass: column names, types, ranges, accepted values, required cells, patients that
    appear twice, and the rules across columns (a rash of any kind implies ``any_rash``, distal weakness implies
    weakness, histology only with a biopsy, a site only with a malignancy).
    """
    found = table.problems + _missing_columns(table)
    if table.frame.shape[0] == 0:
        return [*found, Problem(None, FILE, "no patients", "at least one row below the header")]
    known = table.frame[[name for name in table.frame.columns if name in dictionary.stored()]]
    found += _as_in_file(_cell_problems(known) + _rule_problems(known), table)
    order = {one.header: place for place, one in enumerate(table.columns)}
    order |= {_title(name, header): order[header] for name, header in table.headers.items()}
    return sorted(dict.fromkeys(found), key=lambda p: (p.row or 0, order.get(p.column, -1), p.accepted))


def _missing_columns(table: Table) -> list[Problem]:
    unknown = [one.header for one in table.columns if one.how == "not known"]
    claimed = {one.column for one in table.columns}
    return [
        Problem(HEADER, name, "", "a column of this name" + dictionary.nearest(name, unknown))
        for name, column in dictionary.stored().items()
        if column.required == "yes" and name not in claimed
    ]


def _as_in_file(found: list[Problem], table: Table) -> list[Problem]:
    """Name columns and values as the file does."""
    return [
        replace(
            problem,
            column=_title(problem.column, table.headers.get(problem.column, problem.column)),
            value=str(table.typed.at[problem.row, problem.column]) if problem.row else problem.value,
        )
        for problem in found
    ]


def _title(name: str, header: str) -> str:
    return name if header == name else f"{header} ({name})"


def _cell_problems(cells: pd.DataFrame) -> list[Problem]:
    return [
        Problem(int(row), name, str(cells.at[row, name]), accepted)
        for name in cells.columns
        for passes, accepted in _checks(name)
        for row in cells.index[~passes(cells[name])]
    ]


def _checks(name: str):
    """Yield pairs (vectorized check of a column's cells, what it accepts) for one column of the dictionary."""
    column = dictionary.column(name)
    if column.required == "yes":
        yield lambda cells: cells != "", "a value in every row: " + column.accepted
    if name == "patient_id":
        yield lambda cells: ~cells.duplicated(keep=False) | (cells == ""), "each patient once"
    for accepted, texts in _hints(column):
        yield lambda cells, texts=texts: _each(cells, lambda text: column.accepts(text) or texts(text)), accepted


def _hints(column: Column):
    """Yield what a column accepts, with a test for the texts that this remark does not concern."""
    if column.name == "sex":
        codes = "male or female; codes such as 1 and 2 are explained in a map, `values: {sex: {1: male, 2: female}}`"
        yield codes, lambda text: not text.isdigit()
        yield column.accepted, lambda text: text.isdigit()
    else:
        yield column.accepted, lambda text: False


def _each(cells: pd.Series, accepts: Callable[[str], bool]) -> pd.Series:
    """Ask each different text of a column once; return the answer for every cell."""
    answers = np.array([*(accepts(text) for text in cells.cat.categories), True])
    return pd.Series(answers[cells.cat.codes.to_numpy()], index=cells.index)


def numbers(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers that the cells hold, and categories as they are; what is not accepted is missing."""
    found = {}
    for name in cells.columns:
        column, values = dictionary.column(name), cells[name].cat.categories
        if column.type in ("category", "text"):
            continue
        meant = [float(text) if text and column.accepts(text) else np.nan for text in values]
        found[name] = np.array([*meant, np.nan])[cells[name].cat.codes.to_numpy()]
    return pd.DataFrame(found, index=cells.index)


def _rule_problems(cells: pd.DataFrame) -> list[Problem]:
    known = numbers(cells)
    broken = []
    for finding, general in findings.RULES:
        if {finding, general} <= set(cells.columns):
            wrong = (known[finding] == 1) & (known[general] == 0)
            broken.append((general, wrong, f"1 or blank, since {finding} is 1"))
    for name in cells.columns:
        needed = dictionary.column(name).applies_when
        if needed:
            given = known[needed] == 1 if needed in known else pd.Series(False, index=cells.index)
            broken.append((name, (cells[name] != "") & ~given, f"blank unless {needed} is 1"))
    return [
        Problem(int(row), name, str(cells.at[row, name]), accepted)
        for name, where, accepted in broken
        for row in cells.index[where]
    ]
