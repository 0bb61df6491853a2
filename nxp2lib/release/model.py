"""All cohorts that agree with what an export shows: the view of somebody who has it and the data dictionary.

Patients are alike but for their answers, so a cohort is a table of counts: of cells (the age class, and the halves that
tables are divided by), and of patterns of answers within a cell, for each set of columns that a definition or a rule
ties together. Such tables can always be joined to patients, by pairing them within a cell.
So the counts are exactly those of the cohorts that the data dictionary allows. What a name means, and what a patient
can be, is read from `nxp2lib.findings` and the dictionary alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, pairwise, product
from math import ceil, floor
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from nxp2lib import describe, dictionary, findings

Key = tuple[str, str]  # a row and a group; the row "patients" is the group itself
AGE = "age_at_onset"
BELOW = " below "
SOLVED, IMPOSSIBLE = 0, 2  # what SciPy says of HiGHS
HALVES = findings.HALVES[1:]  # those that do not rest on an age limit


class Block(NamedTuple):
    """How many patients have a finding, have it not, and are unknown; of a group, only its size is there."""

    yes: int
    no: int
    unknown: int


@dataclass(frozen=True, eq=False)
class Shown:
    """What an export shows: age limit, number of patients, counts; means and quartiles, each as least and greatest.

    ``numbers`` are by row, group and statistic; the number of values they rest on is their ``denominator``.
    """

    age_limit: float
    patients: int
    blocks: dict[Key, Block]
    numbers: dict[tuple[str, str, str], tuple[float, float]]

    def edges(self, row: str) -> list[float]:
        """Return the ends of all that is printed of a number."""
        printed = (ends for place, ends in self.numbers.items() if place[0] == row and place[2] != "denominator")
        return sorted(set(chain(*printed)))


class Table(NamedTuple):
    """Counts of patterns: the variables, what they are divided by, and of each its cell and its pattern."""

    variables: np.ndarray
    axes: list[str]
    patients: pd.DataFrame


class Equation(NamedTuple):
    """Variables and their coefficients, and between which two numbers their sum lies."""

    variables: np.ndarray
    coefficients: np.ndarray
    least: float
    greatest: float


def equation(variables, least: float, greatest: float, coefficients=1.0) -> Equation:
    """Return an equation; one coefficient stands for all."""
    variables = np.asarray(variables, dtype=int)
    return Equation(variables, np.broadcast_to(np.asarray(coefficients, dtype=float), variables.shape), least, greatest)


class Exposed(ValueError):
    """A hidden count that can be narrowed down further than asked, or counts that no cohort has."""


def columns(name: str) -> set[str]:
    """Return the stored columns that a name rests on.

    >>> sorted(columns("other_rash"))
    ['any_rash', 'gottron_sign_or_papules', 'heliotrope_rash']
    """
    if name in findings.definitions():
        _, parts, among = findings.definitions()[name]
        return set().union(*map(columns, filter(None, (*parts, among))))
    return {findings.column_of(name)} - {findings.TOTAL}


def tied(names: Iterable[str]) -> list[list[str]]:
    """Divide the columns of names into those that definitions, rules and conditions tie together; age is left out.

    >>> tied(["female", "pain_or_weakness", "distal_weakness"])
    [['distal_weakness', 'muscle_weakness', 'myalgia'], ['sex']]
    """
    known = set().union(*map(columns, names))
    ties = [columns(name) for name in names] + [set(rule) for rule in findings.RULES if known & set(rule)]
    ties += [{name, findings.applies(name)} - {findings.TOTAL} for name in known]
    together: list[set[str]] = []
    for tie in (tie - {AGE} for tie in ties):
        joined = tie.union(*(one for one in together if one & tie))
        together = [*(one for one in together if not one & tie), joined]
    return sorted(sorted(one) for one in together if one)


def patterns(together: list[str]) -> pd.DataFrame:
    """Return every set of answers to some columns that one patient can have; missing: unknown."""
    answers = [[*_values(name), *([] if dictionary.column(name).required == "yes" else [None])] for name in together]
    found = pd.DataFrame(list(product(*answers)), columns=together)
    for name in together:
        kind = dictionary.column(name).type
        found[name] = found[name].astype({"yes_no": "boolean", "integer": "Int64"}.get(kind, object))
    allowed = np.ones(len(found), dtype=bool)
    for finding, general in findings.RULES:
        if {finding, general} <= set(together):
            allowed &= ~(_told(found[finding]) == 1) | (_told(found[general]) != 0)
    for name in together:
        if (needed := findings.applies(name)) != findings.TOTAL:
            allowed &= found[name].isna().to_numpy() | (_told(found[needed]) == 1)
    return found[allowed].reset_index(drop=True)


def _values(name: str) -> list:
    column = dictionary.column(name)
    if column.type == "yes_no":
        return [True, False]
    return [int(value) for value in column.values] if column.type == "integer" else list(column.values)


def _told(answers: pd.Series) -> np.ndarray:
    """Return 1 where something holds, 0 where it does not, -1 where that is unknown."""
    return answers.astype("Int8").fillna(-1).to_numpy(dtype=int)


class Cohorts:
    """Every cohort that has the size, the means and the quartiles of an export: whole numbers in linear equations.

    What its blocks show is added by whoever asks, with `equal`. ``asked`` are the rows and groups that can be asked
    about.

    Of means and quartiles a cohort keeps a little more than what is printed, for any method of quartiles: so each
    cohort is one, but a few are missing.
    """

    def __init__(self, asked: Iterable[Key], shown: Shown):
        self.shown = shown
        self.asked = {*asked, *shown.blocks, *(place[:2] for place in shown.numbers)}
        rows = {"male", *(row for row, _ in self.asked), *chain(*findings.HALVES)}  # of each patient the sex is known
        self.names = sorted(rows & findings.names() - {"patients"})
        self.trunk = self._cells()
        self.width = len(self.trunk)
        self.tables: list[Table] = []
        self.answers: dict[str, tuple[Table, np.ndarray]] = {}
        self.equations: list[Equation] = []
        self._add_table(pd.DataFrame(index=[0]), [name for name in self.names if columns(name) <= {AGE}])
        for together in tied(self.names):
            self._add_table(patterns(together), [name for name in self.names if columns(name) & set(together)])
        for row in sorted({AGE, *(row for row, *_ in shown.numbers)}):
            self._add_values(row)
        self.equations += self.equal(("patients", findings.TOTAL), Block(shown.patients, 0, 0))
        for row, group in dict.fromkeys(place[:2] for place in shown.numbers):
            self._hold_numbers(row, group)

    def _cells(self) -> pd.DataFrame:
        """Return every kind of patient by what tables are divided by: age class, halves."""
        halves = {first: (1, 0, -1) for first, _ in HALVES}
        axes = {"age_from": sorted({0, ceil(self.shown.age_limit)}), **halves}
        return pd.DataFrame(list(product(*axes.values())), columns=list(axes))

    def equal(self, key: Key, block: Block) -> list[Equation]:
        """Return what it means that a block is shown."""
        return [equation(variables, true, true) for variables, true in zip(self.counts(key), block, strict=True)]

    def _hold(self, variables, least: float, greatest: float, coefficients=1.0) -> None:
        self.equations.append(equation(variables, least, greatest, coefficients))

    def _add_table(self, states: pd.DataFrame, names: list[str], row: str = "") -> None:
        """Add a count of each pattern in each kind of cell that its names, or a number, are asked in, and that it fits.

        Patterns with the same answers are one.
        """
        groups = {group for name, group in self.asked if name in {*names, row}}
        halves = [first for first, second in HALVES if groups & {first, second} or columns(first) <= set(states)]
        axes = ["age_from", *halves]
        patients = self._fitting(states, axes)
        young = patients["age_from"] < self.shown.age_limit
        known = patients.assign(age_group=np.where(young, "juvenile", "adult"))
        answers = {name: _told(findings.holds(name, known)) for name in names}
        once = np.ones(len(patients), dtype=bool)
        if names:
            alike = pd.concat([patients[axes], pd.DataFrame(dict(enumerate(answers.values())))], axis=1)
            once = ~alike.duplicated().to_numpy()
        table = Table(self.width + np.arange(once.sum()), axes, patients[once].reset_index(drop=True))
        self.width += len(table.variables)
        self.tables.append(table)
        self.answers |= {name: (table, told[once]) for name, told in answers.items()}
        self._tie(table)

    def _fitting(self, states: pd.DataFrame, axes: list[str]) -> pd.DataFrame:
        """Return each pattern in each cell that it can be in: a pattern may tell the phenotype, or an age its class."""
        cells = self.trunk[axes].drop_duplicates(ignore_index=True)
        cell, state = np.indices((len(cells), len(states))).reshape(2, -1)
        parts = [part.iloc[places].reset_index(drop=True) for part, places in ((cells, cell), (states, state))]
        patients = pd.concat(parts, axis=1)
        fits = np.ones(len(patients), dtype=bool)
        for first, _ in HALVES:
            if columns(first) <= set(states):
                fits &= patients[first] == _told(findings.holds(first, patients))
        if AGE in states:
            fits &= self._class_of(patients[AGE]) == patients["age_from"]
        return patients[fits].reset_index(drop=True)

    def _tie(self, table: Table) -> None:
        """Let a table have as many patients in each of its cells as the trunk has."""
        trunk = self.trunk.groupby(table.axes).indices
        for place, inside in table.patients.groupby(table.axes).indices.items():
            parts = [*table.variables[inside], *trunk.pop(place)]
            self._hold(parts, 0, 0, [1] * len(inside) + [-1] * (len(parts) - len(inside)))
        for nobody in trunk.values():
            self._hold(nobody, 0, 0)

    def _class_of(self, ages: pd.Series) -> np.ndarray:
        """Return the least age of the class of each age."""
        ends = np.unique(self.trunk["age_from"])
        return ends[np.searchsorted(ends, ages.to_numpy(dtype=float), side="right") - 1]

    def _add_values(self, row: str) -> None:
        """Add counts of the values of a number: all whole ones, or some on each side of every printed number."""
        column = dictionary.column(row)
        edges = self.shown.edges(row)
        low, high = column.minimum or 0, column.maximum or 0
        if column.type == "integer":
            known = list(range(int(low), int(high) + 1))
        else:
            between = {(one + other) / 2 for one, other in pairwise(edges)}
            known = sorted(value for value in {low, high} | between if low <= value <= high)
        self._add_table(pd.DataFrame({row: [*known, *([] if column.required == "yes" else [np.nan])]}), [], row)
        values = self.tables[-1].patients[row].to_numpy(dtype=float)
        for edge in edges:
            self.answers[below(row, edge)] = self.tables[-1], np.where(np.isnan(values), -1, values < edge)

    def _hold_numbers(self, row: str, group: str) -> None:
        """Hold the mean, the median and the quartiles of a group to what is printed of them."""
        table = next(table for table in self.tables if row in table.patients)
        values = table.patients[row].to_numpy(dtype=float)
        inside = self._members(table.patients, group) & ~np.isnan(values)
        variables, values = table.variables[inside], values[inside]
        n, _ = self.shown.numbers[row, group, "denominator"]
        self._hold(variables, n, n)
        for (name, part, statistic), (low, high) in self.shown.numbers.items():
            if (name, part) != (row, group):
                continue
            if statistic == "mean":  # of whole numbers: their sum is one, and below the upper end
                least, beyond = (ceil(round(end * n, 6)) for end in (low, high))
                self._hold(variables, least, beyond - 1, values)
            elif statistic in describe.QUARTERS:  # every accepted method puts it between these two of the sorted values
                place = n * describe.QUARTERS[statistic] / 4
                self._hold(variables[values < low], 0, max(floor(place), 1) - 1)
                self._hold(variables[values < high], min(ceil(place) + 1, n), n)

    def _members(self, patients: pd.DataFrame, group: str) -> np.ndarray:
        """Tell of each kind of patients whether they are in a group."""
        if group == findings.TOTAL:
            return np.ones(len(patients), dtype=bool)
        if group in findings.HALVES[0]:
            return (patients["age_from"] < self.shown.age_limit).to_numpy() == (group == "juvenile")
        first = next(first for first, second in HALVES if group in (first, second))
        return (patients[first] == int(group == first)).to_numpy()

    def counts(self, key: Key) -> list[np.ndarray]:
        """Return the variables whose sums are the counts of a block: with the finding, without, unknown."""
        row, group = key
        if row == "patients":
            table, told = Table(np.arange(len(self.trunk)), list(self.trunk), self.trunk), np.ones(len(self.trunk))
        else:
            table, told = self.answers[row]
        inside = self._members(table.patients, group)
        return [table.variables[inside & (told == answer)] for answer in (1, 0, -1)]

    def find(
        self,
        objective: np.ndarray,
        more: Iterable[Equation] = (),
        like: np.ndarray | None = None,
        kept: np.ndarray | None = None,
    ) -> np.ndarray | None:
        """Return the counts of a cohort for which the sum of some coefficients is greatest; None where there is none.

        ``objective`` has a coefficient for each variable, and for each further one, 0 or 1, of ``more`` equations. The
        cohort is ``like`` another one in the variables that are ``kept``.
        """
        equations = [*self.equations, *more]
        places = np.repeat(np.arange(len(equations)), [len(one.variables) for one in equations])
        entries = [np.concatenate([one[part] for one in equations]) for part in (0, 1)]
        matrix = csr_array((entries[1], (places, entries[0])), shape=(len(equations), len(objective)))
        least, greatest = np.array([(one.least, one.greatest) for one in equations], dtype=float).T
        fewest, most = np.zeros(len(objective)), np.ones(len(objective))
        most[: self.width] = self.shown.patients
        if like is not None:
            fewest[kept] = most[kept] = like[kept]
        limits = LinearConstraint(matrix, least, greatest)
        whole, bounds = np.ones(len(most)), Bounds(fewest, most)
        found = milp(-objective, integrality=whole, bounds=bounds, constraints=limits, options={"mip_rel_gap": 0})
        counts = found.x
        if found.status not in (SOLVED, IMPOSSIBLE) and len(objective) == self.width:  # HiGHS gives up now and then
            counts = _found_otherwise(objective, equations, fewest, most)
        if counts is None:
            return None
        counts = np.round(counts)
        sums = matrix @ counts
        if (sums < least - 1e-6).any() or (sums > greatest + 1e-6).any():
            raise Exposed("the solver's counts do not agree with what is shown, so nothing is proved or written")
        return counts

    def patients(self, counts: np.ndarray) -> pd.DataFrame:
        """Return a cohort as patterns: how many ``patients``, and their answers, as files hold them.

        Within a cell patterns meet in their order: nothing says who goes with whom.
        """
        found = self.trunk.loc[np.repeat(self.trunk.index, counts[: len(self.trunk)].astype(int))]
        for table in self.tables:
            found = found.sort_values(table.axes, kind="stable", ignore_index=True)
            rows = np.repeat(table.patients.index, counts[table.variables].astype(int))
            dealt = table.patients.loc[rows].sort_values(table.axes, kind="stable", ignore_index=True)
            found = found.assign(**dealt.drop(columns=list(self.trunk), errors="ignore"))
        answers = found.drop(columns=list(self.trunk))
        answers = answers.astype(dict.fromkeys(answers.select_dtypes("boolean"), "Int64")).astype(object)
        patterns = answers.where(answers.notna(), "").astype(str).replace(r"\.0$", "", regex=True)
        return patterns.groupby(list(patterns), sort=False).size().rename("patients").reset_index()


def _found_otherwise(objective, equations: list[Equation], fewest, most) -> np.ndarray | None:
    """Solve the same with CP-SAT, which knows whole numbers only."""
    from ortools.sat.python import cp_model

    model, solver = cp_model.CpModel(), cp_model.CpSolver()
    counts = [model.new_int_var(int(low), int(high), "") for low, high in zip(fewest, most, strict=True)]
    for variables, coefficients, least, greatest in equations:
        total = cp_model.LinearExpr.weighted_sum([counts[at] for at in variables], coefficients.astype(int).tolist())
        model.add_linear_constraint(total, ceil(least), floor(greatest))
    model.maximize(cp_model.LinearExpr.weighted_sum(counts, objective.astype(int).tolist()))
    solver.parameters.num_workers = 1
    if solver.solve(model) != cp_model.OPTIMAL:
        return None
    return np.array([solver.value(count) for count in counts], dtype=float)


def below(row: str, edge: float) -> str:
    """Return the name of: a number lies below an edge."""
    return f"{row}{BELOW}{edge:.12g}"
