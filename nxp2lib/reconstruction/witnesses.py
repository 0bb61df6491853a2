"""Many cohorts that keep the printed numbers: different patients behind the same tables.

Cohorts are drawn in blocks. The solver fixes the tables of a block: how many patients have each pattern of findings
that the paper relates to one another, pulled towards random ages and random values of crosses that it leaves open. The
patients of a block are then dealt from these tables: findings that nothing relates meet at random, ages and creatine
kinase are drawn anew. So dealing is quick, and blocks differ from one another as far as the printed numbers allow.

The cohorts are not a random sample of all that are allowed: nobody knows how likely each is. They show a range.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd

from nxp2lib import findings, published
from nxp2lib.reconstruction import cache, counts, creatine_kinase, facts, reconstruct
from nxp2lib.reconstruction.patterns import TRUNK, Patterns
from nxp2lib.reconstruction.reconstruct import SEED

BLOCK = 10  # cohorts dealt from the same tables
CLASSES = ["juvenile", "distal_weakness", "creatine_kinase_elevated", "male"]  # what creatine kinase depends on
SETTINGS = 4  # of the patients with normal creatine kinase: for each, values are found once
CROSS, AGE, SETTING = 10, 30, 1000  # how strongly tables are pulled towards what is drawn


def cohorts(number: int, seed: int = SEED, known: pd.DataFrame | None = None) -> Iterator[pd.DataFrame]:
    """Yield different synthetic cohorts, as cohort files hold them, that keep all ``known`` facts.

    ``known`` has the columns of `nxp2lib.reconstruction.facts.kept` (the default). The same seed yields the same
    cohorts, and more of them begin with the same ones. Raises ValueError for less than one cohort, Infeasible where the
    facts contradict one another, NotReached where a P value is not met.

    >>> first, second = cohorts(2)
    >>> len(first), first.equals(second)
    (76, False)
    """
    if number < 1:
        raise ValueError(f"number of cohorts: {number} is not accepted; accepted: 1 or more")
    for first in range(0, number, BLOCK):
        yield from block(first // BLOCK, min(BLOCK, number - first), seed, known)


@cache.kept
def block(place: int, number: int, seed: int = SEED, known: pd.DataFrame | None = None) -> list[pd.DataFrame]:
    """Return the first cohorts of one block; blocks do not depend on one another. Arguments as in `cohorts`."""
    known = facts.kept() if known is None else known
    rng = np.random.default_rng([seed, place])
    model = Patterns(known[known["statistic"] != "p_value"])
    solver = _tables(model, known, rng, _setting(seed, place % SETTINGS))
    ages = model.ages(solver)
    found, values = [], None
    for _ in range(number):
        holds = model.deal(solver, rng).sort_values(CLASSES, kind="stable", ignore_index=True)
        patients = reconstruct.as_patients(holds, ages, rng)
        values = _start(known, patients, seed) if values is None else values
        values = creatine_kinase.redraw(known, patients, values, rng)
        found.append(reconstruct.named(patients, values, rng))
    return found


def _setting(seed: int, place: int) -> dict[tuple[bool, bool, bool], int]:
    """Draw of how many patients with normal creatine kinase are of which age group, extent of weakness and sex."""
    rng = np.random.default_rng([seed, place, SETTINGS])
    kinds, drawn = list(product((False, True), repeat=2)), {}
    for group in ("juvenile", "adult"):
        normal = int(published.printed(f"text/normal_creatine_kinase/{group}/n"))
        numbers = rng.multinomial(normal, [1 / len(kinds)] * len(kinds))
        drawn |= {(group == "juvenile", *kind): int(n) for kind, n in zip(kinds, numbers, strict=True)}
    return drawn


def _start(known: pd.DataFrame, patients: pd.DataFrame, seed: int) -> np.ndarray:
    """Return values of creatine kinase for patients in the order of their classes: the same for the same classes."""
    young = patients["age_at_onset"] < findings.JUVENILE_BELOW_AGE
    sex = patients["sex"].mask(patients["creatine_kinase_elevated"] == 1, counts.SEXES[0])
    classes = patients[["distal_weakness", "creatine_kinase_elevated"]].astype(int).assign(sex=sex)
    classes["age_at_onset"] = np.where(young, 0, findings.JUVENILE_BELOW_AGE)
    return _values(known[known["row"] == "max_creatine_kinase"], classes, seed)


@cache.kept
def _values(known: pd.DataFrame, classes: pd.DataFrame, seed: int) -> np.ndarray:
    """Find values for a setting of classes; they depend on nothing else."""
    return creatine_kinase.draw(known, classes, np.random.default_rng([seed, len(classes)]))


def _tables(model: Patterns, known: pd.DataFrame, rng, setting):
    """Return a solver that holds the tables of a block, pulled towards random ages and crosses."""
    model.count_all(dict.fromkeys(CLASSES, True))  # so that all cohorts of a block have as many of each class
    pulls = [({one: True, other: True}, int(rng.integers(0, 40)), CROSS) for one, other in _pairs(rng)]
    trios = [map(str, rng.choice(TRUNK, 3, replace=False)) for _ in range(6)]  # whose crosses the paper leaves open
    pulls += [({name: bool(rng.integers(2)) for name in trio}, int(rng.integers(0, 30)), CROSS) for trio in trios]
    pulls += [
        ({"juvenile": young, "distal_weakness": weak, "male": male, "creatine_kinase_elevated": False}, n, SETTING)
        for (young, weak, male), n in setting.items()
    ]
    apart = []
    for wanted, target, weight in pulls:
        off = model.model.new_int_var(0, model.size, "")
        model.model.add_abs_equality(off, model.count_all(wanted) - target)
        apart.append(weight * off)
    model.model.minimize(sum(apart) + AGE * reconstruct.off_drawn_ages(model, known, rng))
    return model.solve(int(rng.integers(2**31)))


def _pairs(rng) -> list[tuple[str, str]]:
    """Pair the findings outside the trunk at random; creatine kinase is classed apart."""
    free = [name for name in findings.yes_no() if name not in (*TRUNK, "creatine_kinase_elevated", "muscle_biopsy")]
    free = [name for name in free if findings.applies(name) != "muscle_biopsy"] + ["microinfarction", "ana_positive"]
    mixed = [str(name) for name in rng.permutation(free)]
    return list(zip(mixed[::2], mixed[1::2], strict=False))
