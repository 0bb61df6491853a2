"""Read a cohort, check it against the data dictionary, and derive what the paper derives."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from nxp2lib import column_map, dictionary, findings, paths, plausibility, published, reading, understanding
from nxp2lib.column_map import ColumnMap
from nxp2lib.dictionary import Column
from nxp2lib.problem import FILE, HEADER, CohortError, Problem
from nxp2lib.understanding import Table, Understood

PATIENTS = "table1/patients/total/n"  # the address of the paper's number of patients
PANDAS_TYPES = {
    "text": "string",
    "category": "category",
    "yes_no": "boolean",
    "integer": "Int64",
    "number": "Float64",
}


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


def load(
    path: str | Path = paths.COHORT,
    juvenile_below_age: float = findings.JUVENILE_BELOW_AGE,
    map_path: str | Path = "",
) -> pd.DataFrame:
    """Read a cohort file, check it, and add the derived columns: one row per patient.

    Yes/no columns become pandas ``boolean``, ages ``Int64``, creatine kinase ``Float64``, categories ``category``;
    blank is missing. Columns of the dictionary that the file lacks are added, all missing, and named in
    ``frame.attrs["absent"]``. ``map_path`` names the file that explains the centre's own headers and codes
    (`nxp2lib.column_map.read`); empty: there is none.

    >>> patients = load()
    >>> len(patients), patients["age_group"].value_counts().to_dict()
    (76, {'adult': 47, 'juvenile': 29})

    Raises FileNotFoundError for a missing file and CohortError for one that cannot be read or used.
    """
    path = paths.find(path)
    explained = column_map.read(paths.find(map_path)) if map_path else None
    return prepare(reading.read(path).frame, path.name, juvenile_below_age, explained)


def prepare(
    raw: pd.DataFrame,
    name: str = "table",
    juvenile_below_age: float = findings.JUVENILE_BELOW_AGE,
    explained: ColumnMap | None = None,
) -> pd.DataFrame:
    """Understand a table of text, check it, type it and add the derived columns.

    ``name`` stands in error messages. Raises CohortError with every problem found.
    """
    table = understanding.understand(_without_example(raw)[0], explained)
    found = _problems(table)
    if found:
        raise CohortError(name, found)
    return derive(_typed(table.frame), juvenile_below_age)


def read(path: str | Path) -> pd.DataFrame:
    """Read a cohort file as text cells, as typed: `nxp2lib.reading.read` without its remark."""
    return reading.read(path).frame


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
    warned = _as_in_file(plausibility.warnings(_known(table.frame), table.frame, juvenile_below_age), table)
    problems = _problems(table)
    return Inspection(path.name, read_as, len(raw), table.columns, absent, problems, warned, table.frame)


def _without_example(raw: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    """Leave out the form's example row, the first one with this code."""
    if raw.empty or reading.EXAMPLE not in raw.iloc[0].astype(str).tolist()[:2]:
        return raw, False
    return raw.iloc[1:], True


def problems(raw: pd.DataFrame) -> list[Problem]:
    """Return everything in a table of text that the dictionary does not accept, in file order.

    Checked in one pass: column names, types, ranges, accepted values, required cells, patients that
    appear twice, and the rules across columns (a rash of any kind implies ``any_rash``, distal weakness implies
    weakness, histology only with a biopsy, a site only with a malignancy).
    """
    return _problems(understanding.understand(raw))


def _problems(table: Table) -> list[Problem]:
    found = table.problems + _missing_columns(table)
    if table.frame.shape[0] == 0:
        return [*found, Problem(None, FILE, "no patients", "at least one row below the header")]
    known = table.frame[[name for name in table.frame.columns if name in dictionary.stored()]]
    found += _as_in_file(_cell_problems(known) + _rule_problems(known), table)
    order = {one.header: place for place, one in enumerate(table.columns)}
    order |= {_title(name, header): order[header] for name, header in table.headers.items()}
    return sorted(set(found), key=lambda p: (p.row or 0, order.get(p.column, -1), p.accepted))


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


def _known(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers that the cells hold, and categories as they are; what is not accepted is missing."""
    found = {}
    for name in cells.columns:
        column, values = dictionary.column(name), cells[name].cat.categories
        if column.type in ("category", "text"):
            continue
        numbers = [float(text) if text and column.accepts(text) else np.nan for text in values]
        found[name] = np.array([*numbers, np.nan])[cells[name].cat.codes.to_numpy()]
    return pd.DataFrame(found, index=cells.index)


def _rule_problems(cells: pd.DataFrame) -> list[Problem]:
    numbers = _known(cells)
    broken = []
    for finding, general in findings.RULES:
        if {finding, general} <= set(cells.columns):
            wrong = (numbers[finding] == 1) & (numbers[general] == 0)
            broken.append((general, wrong, f"1 or blank, since {finding} is 1"))
    for name in cells.columns:
        needed = dictionary.column(name).applies_when
        if needed:
            given = numbers[needed] == 1 if needed in numbers else pd.Series(False, index=cells.index)
            broken.append((name, (cells[name] != "") & ~given, f"blank unless {needed} is 1"))
    return [
        Problem(int(row), name, str(cells.at[row, name]), accepted)
        for name, where, accepted in broken
        for row in cells.index[where]
    ]


def _typed(cells: pd.DataFrame) -> pd.DataFrame:
    numbers, frame = _known(cells).reset_index(drop=True), {}
    cells = cells.reset_index(drop=True)
    for name, column in dictionary.stored().items():
        kind = PANDAS_TYPES[column.type]
        if column.type == "category":
            kind = pd.CategoricalDtype(list(column.values))
        if name not in cells:
            frame[name] = pd.Series(pd.NA, index=cells.index, dtype=kind)
        elif name in numbers:
            frame[name] = numbers[name].astype("Float64").astype(kind)
        else:
            texts = cells[name].cat.remove_categories([""]) if "" in cells[name].cat.categories else cells[name]
            frame[name] = texts.astype(kind)
    frame = pd.DataFrame(frame, index=cells.index)
    frame.attrs["absent"] = [name for name in dictionary.stored() if name not in cells]
    return frame


def derive(frame: pd.DataFrame, juvenile_below_age: float = findings.JUVENILE_BELOW_AGE) -> pd.DataFrame:
    """Add the derived columns of the data dictionary: what `nxp2lib.findings` computes from the stored ones.

    A derived value is missing where what it rests on is missing: with a heliotrope rash the phenotype is
    dermatomyositis even if Gottron's sign is unknown, without one it is unknown. ``juvenile_below_age`` (years):
    onset before this age is juvenile; it is kept in ``frame.attrs``.

    Raises ValueError for an age limit outside 1 to 110 years.
    """
    check_age_limit(juvenile_below_age)
    frame = frame.copy()
    frame.attrs["juvenile_below_age"] = juvenile_below_age
    juvenile = (frame["age_at_onset"] < juvenile_below_age).astype("boolean")
    for name, column in dictionary.columns().items():
        if name == "age_group":
            frame[name] = _grouped(~juvenile, name)
        elif column.is_derived and column.type == "category":
            frame[name] = _grouped(findings.holds(column.values[-1], frame), name)
        elif column.is_derived:
            frame[name] = findings.holds(name, frame)
    return frame


def check_age_limit(juvenile_below_age: float) -> None:
    """Raise ValueError unless the age limit between juvenile and adult lies from 1 to 110 years."""
    if not 1 <= juvenile_below_age <= 110:
        raise ValueError(f"juvenile_below_age: {juvenile_below_age} is not accepted; accepted: 1 to 110 (years)")


def _grouped(in_last: pd.Series, name: str) -> pd.Series:
    """Return a column of two groups, from whether each patient is in the last one."""
    first, last = findings.groups(name)
    named = in_last.map({True: last, False: first}).astype(object)
    return pd.Series(pd.Categorical(named.where(named.notna(), None), categories=[first, last]), index=in_last.index)


def is_reconstructed(frame: pd.DataFrame) -> bool:
    """Tell whether these are synthetic patients, as many as the paper's."""
    return bool(frame["synthetic"].fillna(False).all()) and len(frame) == int(published.printed(PATIENTS, "table1"))


def provenance(frame: pd.DataFrame) -> str:
    """Say in one sentence whose patients these are: reconstructed, real, or both.

    >>> provenance(load())
    'Reconstructed cohort: 76 synthetic patients who never existed, built from the printed tables.'
    """
    synthetic = int(frame["synthetic"].fillna(False).sum())
    if is_reconstructed(frame):
        return f"Reconstructed cohort: {synthetic} synthetic patients who never existed, built from the printed tables."
    if synthetic == len(frame):
        return f"Synthetic cohort: {synthetic} made-up patients who never existed. Do not report it as observed."
    if synthetic:
        return f"Mixed cohort: {synthetic} of {len(frame)} patients are synthetic. Do not report it as observed."
    return f"Cohort of {len(frame)} patients, none of them marked as synthetic."


def introduce(frame: pd.DataFrame) -> str:
    """Say whose patients these are and which columns their file lacks, for the top of a notebook."""
    absent = frame.attrs.get("absent", [])
    lacking = f"\nNot in the file, so unknown for everyone: {', '.join(absent)}." if absent else ""
    return provenance(frame) + lacking
