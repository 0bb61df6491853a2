"""Values that can be, and are hard to believe: a second look at the chart, never a refusal."""

from contextlib import suppress

import pandas as pd

from nxp2lib import dictionary, findings, paths
from nxp2lib.intake.problems import Problem, within
from nxp2lib.intake.understanding import Table

RULES = paths.PACKAGE / "intake" / "plausibility.csv"
LEAST_SHARED = 8  # filled columns in which two patients have to be equal before they look like one
COMPUTED = {  # columns that a file may hold and that are computed here: what decides them, and from what
    "age_group": ("juvenile", "age_at_onset"),
    "phenotype": ("dermatomyositis", "the rashes"),
    "weakness_extent": ("extended", "distal_weakness"),
    "ana_positive": ("ana_positive", "ana_titer"),
}


def warnings(
    numbers: pd.DataFrame, table: Table, juvenile_below_age: float = findings.JUVENILE_BELOW_AGE
) -> list[Problem]:
    """Return what is accepted and implausible in a file, under the dictionary's names.

    ``numbers`` are those in the table's cells (yes is 1, missing NaN), one row per patient with the file's row numbers
    as index. ``juvenile_below_age`` is in years.
    """
    cells = table.frame
    found = [*_implausible(numbers, cells), *_contradictions(numbers, cells, juvenile_below_age)]
    return within(table.typed, found) + _units(numbers) + _twins(cells, table.typed)


def _implausible(numbers: pd.DataFrame, cells: pd.DataFrame):
    """Yield a column, the patients in whom it is implausible, and what one would expect."""
    known = cells.assign(**numbers).reindex(columns=list(dictionary.columns()))
    for rule in pd.read_csv(RULES).itertuples():
        yield rule.column, known.eval(rule.implausible, engine="python"), rule.expected


def _contradictions(numbers: pd.DataFrame, cells: pd.DataFrame, limit: float):
    """Yield where a typed column that is computed here contradicts what it is computed from."""
    if "age_at_onset" in numbers:
        age = numbers["age_at_onset"]
        numbers = numbers.assign(age_group=(age < limit).map({True: "juvenile", False: "adult"}).where(age.notna()))
    for name, (row, source) in COMPUTED.items():
        with suppress(KeyError):  # it, or what it rests on, is not in the file
            typed, holds = cells[name], findings.holds(row, numbers)
            column, said = dictionary.column(name), f"what is computed from {source}"
            no, yes = ("0", "1") if column.type == "yes_no" else sorted(column.values, key=lambda value: value == row)
            yield name, (typed == yes) & ~holds, f"{no}, {said}"
            yield name, (typed == no) & holds, f"{yes}, {said}"


def _units(numbers: pd.DataFrame) -> list[Problem]:
    middle = numbers.get("max_creatine_kinase", pd.Series(dtype=float)).median()
    expected = "IU/L, in which the median of patients with myositis is far higher; other units have to be converted"
    return [Problem(None, "max_creatine_kinase", f"median {middle:g}", expected)] if middle < 30 else []


def _twins(cells: pd.DataFrame, typed: pd.DataFrame) -> list[Problem]:
    """Find patients under different codes who are equal in everything else that is filled in."""
    names = [
        name for name in cells if name in dictionary.stored() and name not in ("patient_id", "center", "synthetic")
    ]
    if len(names) < LEAST_SHARED or not {"patient_id", "max_creatine_kinase"} <= set(cells):
        return []
    filled = (cells[names] != "").sum(axis=1) >= LEAST_SHARED
    alike = cells[filled & (cells["max_creatine_kinase"] != "") & cells.duplicated(names, keep=False)]
    first = alike.assign(first=alike.index).groupby(names, observed=True)["first"].transform("min")
    return [
        Problem(row, "patient_id", str(typed.at[row, "patient_id"]), f"another patient than row {earlier}")
        for row, earlier in first.items()
        if row != earlier
    ]
