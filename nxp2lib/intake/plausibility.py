"""Values that can be, and are hard to believe: a second look at the chart, never a refusal."""

from contextlib import suppress

import pandas as pd

from nxp2lib import dictionary, findings, paths
from nxp2lib.intake.problems import Problem, within
from nxp2lib.intake.understanding import Table

RULES = paths.PACKAGE / "intake" / "plausibility.csv"
LEAST_SHARED = 8  # filled columns in which two patients have to be equal before they look like one


def warnings(numbers: pd.DataFrame, table: Table) -> list[Problem]:
    """Return what is accepted and implausible in a file, under the dictionary's names.

    ``numbers`` are those in the table's cells (yes is 1, missing NaN), one row per patient with the file's row numbers
    as index.
    """
    implausible = within(table.typed, _implausible(numbers, table.frame))
    return implausible + _units(numbers) + _twins(table.frame, table.typed)


def _implausible(numbers: pd.DataFrame, cells: pd.DataFrame):
    """Yield a column, the patients in whom it is implausible, and what one would expect."""
    known = cells.assign(**numbers).reindex(columns=list(dictionary.columns()))
    age = known["age_at_onset"]
    known["computed_juvenile"] = (age < findings.JUVENILE_BELOW_AGE).where(age.notna())
    for name in ("dermatomyositis", "extended", "ana_positive"):
        known[f"computed_{name}"] = float("nan")
        with suppress(KeyError):  # what it rests on is not in the file
            known[f"computed_{name}"] = findings.holds(name, numbers)
    for rule in pd.read_csv(RULES).itertuples():
        yield rule.column, known.eval(rule.implausible, engine="python"), rule.expected


def _units(numbers: pd.DataFrame) -> list[Problem]:
    middle = numbers.get("max_creatine_kinase", pd.Series(dtype=float)).median()
    expected = "IU/L, in which the median of patients with myositis is far higher; other units have to be converted"
    return [Problem(None, "max_creatine_kinase", f"median {middle:g}", expected)] if middle < 30 else []


def _twins(cells: pd.DataFrame, typed: pd.DataFrame) -> list[Problem]:
    """Find patients under different codes who are equal in everything else that is filled in."""
    shared = dictionary.stored().keys() - {"patient_id", "center", "synthetic"}
    names = [name for name in cells if name in shared]
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
