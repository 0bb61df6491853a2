"""The printed numbers as constraints on counts of patients: what each says about how many there are of which kind.

Both models of the patients share it: one unknown per patient (`nxp2lib.reconstruction.reconstruct`) and one unknown per
pattern of findings (`nxp2lib.reconstruction.patterns`). They differ in what a count is; what a printed number demands
of it is said here, once.
"""

from decimal import Decimal
from functools import lru_cache
from itertools import product
from operator import gt, lt

import numpy as np
import pandas as pd

from nxp2lib import findings, incidence, paths
from nxp2lib.reconstruction.puzzle import Puzzle

SEXES = ("male", "female")
LIMIT = findings.JUVENILE_BELOW_AGE
AGES = {"total": range(111), "juvenile": range(LIMIT), "adult": range(LIMIT, 111)}
CASE = 100_000_000  # the solver knows whole numbers only: one expected cancer


class Counts(Puzzle):
    """A model of patients in which each printed number demands something of counts.

    A subclass provides ``count(row, group)`` and a largest number of patients, ``size``.
    """

    def add_ages(self) -> None:
        """Add the number of patients of each sex and age."""
        self.number = {who: self.model.new_int_var(0, self.size, "") for who in product(SEXES, AGES["total"])}
        for sex, group in product(SEXES, ("juvenile", "adult")):
            self.model.add(sum(self.number[sex, age] for age in AGES[group]) == self.count(sex, group))

    def keep(self, fact) -> None:
        """Turn one fact into constraints, by its statistic."""
        row, group, statistic = fact.row, fact.group, fact.statistic
        if unknown := {row, group} - {*findings.names(), findings.TOTAL, "age_at_onset"}:
            raise KeyError(f"{fact.expression}: no definition is known for {' and '.join(sorted(unknown))}")
        if statistic in ("n", "observed"):
            self.rounds_to(self.count(row, group), 1, fact)
        elif statistic == "denominator":
            self.rounds_to(self.count(findings.applies(row), group), 1, fact)
        elif statistic == "percent":
            whole = self.count("total", "total") if row == "patients" else self.count(findings.applies(row), group)
            self.rounds_to(100 * self.count(row, group), whole, fact)
        elif statistic == "mean":
            self.rounds_to(self.over_ages(group, lambda sex, age: age), self.count("total", group), fact)
        elif statistic in ("minimum", "maximum"):
            limit, beyond = Decimal(fact.printed), gt if statistic == "maximum" else lt
            self.demand(self.over_ages(group, lambda sex, age: int(age == limit)) >= 1, fact)
            self.demand(self.over_ages(group, lambda sex, age: int(beyond(age, limit))) == 0, fact)
        elif statistic == "sir":
            self.rounds_to(CASE * self.count(row, group), self.expected(group), fact)
        else:
            raise KeyError(f"{fact.expression}: no constraint is known for {statistic!r}")

    def over_ages(self, group: str, value):
        """Return the sum over an age group of a value that depends on sex and age."""
        return sum(number * value(*who) for who, number in self.number.items() if who[1] in AGES[group])

    def expected(self, group: str, years: float = 1.0):
        """Return the cancers expected in an age group in some years; `CASE` is one."""
        cases = expected_cases(years)
        return self.over_ages(group, lambda *who: cases[who])

    def ages(self, solver) -> dict[tuple[str, int], int]:
        """Return how many patients are of each sex and age in a solution."""
        return {who: solver.value(number) for who, number in self.number.items()}


@lru_cache
def implications() -> list[tuple[str, str]]:
    """Return what holds for each patient: the first finding never occurs without the second.

    Beyond the rules for every cohort, ``implications.csv`` has what follows from the text or is plausible.
    """
    special = pd.read_csv(paths.PACKAGE / "reconstruction" / "implications.csv").itertuples(index=False, name=None)
    histology = [(name, findings.applies(name)) for name in findings.yes_no()]
    return [*findings.RULES, *special, *histology]


def expected_cases(years: float = 1.0) -> dict[tuple[str, int], int]:
    """Return the cancers expected in some years from each age on, by sex, as a whole number: `CASE` is one.

    ``years`` is the time at risk; it may reach into the next age groups of the reference rates.

    >>> cases = expected_cases()
    >>> expected_cases(2)["male", 50] == 2 * cases["male", 50], expected_cases(2)["male", 54] > 2 * cases["male", 54]
    (True, True)
    """
    found = {}
    for sex, bands in incidence.rates().groupby("sex"):
        lower, upper, rate = (bands[name].to_numpy() for name in ("age_lower", "age_upper", "rate"))
        for age in AGES["total"]:
            inside = (np.minimum(age + years, upper + 1) - np.maximum(age, lower)).clip(min=0)
            found[sex, age] = round(CASE * float(inside @ rate))
    return found
