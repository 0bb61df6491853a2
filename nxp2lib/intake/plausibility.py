"""Values that can be, and are hard to believe: a second look at the chart, never a refusal."""

from contextlib import suppress
from itertools import product

import pandas as pd

from nxp2lib import dictionary, findings, paths
from nxp2lib.intake.problems import Problem, within
from nxp2lib.intake.understanding import Table

RULES = paths.PACKAGE / "intake" / "plausibility.csv"
UNKNOWN, NEAR = (99, 99.9, 999, 9999, 99999), 5  # codes, and how near other values show that one is none
LEAST_SHARED = 8  # filled columns in which two patients have to be equal before they look like one


def warnings(numbers: pd.DataFrame, table: Table) -> list[Problem]:
    """Return what is accepted and implausible in a file, under the dictionary's names.

    ``numbers`` are those in the table's cells (yes is 1, missing NaN), one row per patient with the file's row numbers
    as index.
    """
    implausible = within(table.typed, _implausible(numbers, table.frame))
    codes = within(table.typed, _codes(numbers))
    return implausible + _units(numbers) + codes + _twins(table.frame, table.typed)


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


def _codes(numbers: pd.DataFrame):
    """Yield a column, the patients in whom it is the same 99 or 9999, and what to do where that means unknown.

    It does not where as many patients have other values near by.
    """
    for name, code in product((name for name in numbers if dictionary.column(name).maximum), UNKNOWN):
        same, near = numbers[name] == code, numbers[name].between(code - NEAR, code + NEAR)
        if same.sum() > max(1, near.sum() - same.sum()):
            told = f"a map says so, `values: {{{name}: {{{code}: ''}}}}`"
            told = "leave the patient out" if dictionary.column(name).required == "yes" else told
            yield name, same, f"a value that {same.sum()} patients share by chance; if it means unknown, {told}"


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
