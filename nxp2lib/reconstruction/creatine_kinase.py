"""Creatine kinase of reconstructed patients: the printed quartiles and rank tests, in values that look drawn.

A constraint solver finds values with the printed quartiles; seeded random moves make them look drawn rather than chosen
and reach the printed P values of the rank tests, while every quartile stays as printed.
"""

from itertools import permutations
from math import erfc

import numpy as np
import pandas as pd

from nxp2lib import describe, digits, findings
from nxp2lib.reconstruction.puzzle import NotReached, Puzzle

REFERENCE_INTERVAL = {"male": (59, 248), "female": (41, 153)}  # creatine kinase in IU/L, Japan (JCCLS)
ELEVATED = (300, 25_000)  # IU/L, clearly above both intervals; the paper prints no maximum
STARTS, ROUNDS, MOVES, FREE_MOVES = 8, 4, 15_000, 3_000  # of the search for the printed P values
SHIFTS = (0.0005, 0.005, 0.05, 0.5, 3)  # spreads, on a scale of logarithms, of a value that is shifted
REDRAW = 120  # moves from one reconstructed cohort to another
SLACK = 0.002  # by how much, on average, a move may lead away from them


def draw(known: pd.DataFrame, patients: pd.DataFrame, rng) -> np.ndarray:
    """Return one value (IU/L) per patient; together they keep the printed quartiles and P values.

    ``known`` has the columns of `nxp2lib.reconstruction.facts.kept`; ``patients`` their sex, age at onset
    (years), distal weakness and whether creatine kinase is elevated; ``rng`` is a seeded NumPy generator.

    Raises Infeasible where no values have the printed quartiles, NotReached where the P values are not met.
    """
    quartiles, tests, limits = _asked(known, patients)
    for _ in range(STARTS):
        values = _look_drawn(_with_quartiles(quartiles, limits, rng), limits, quartiles, tests, rng)
        if values is not None:
            return values
    raise NotReached(f"no values with the printed P values were found in {STARTS * ROUNDS * MOVES} moves")


def redraw(known: pd.DataFrame, patients: pd.DataFrame, values: np.ndarray, rng, moves: int = REDRAW) -> np.ndarray:
    """Return other values for the same patients, reached by random moves that keep quartiles and P values throughout.

    ``values`` are those of `draw`; the other arguments are its as well.
    """
    quartiles, tests, limits = _asked(known, patients)
    groups = _by_group(quartiles)
    for _ in range(moves):
        moved, whom = _move(values, limits, rng)
        if len(set(moved.tolist())) == len(values) and _stay(groups, moved, whom):
            ranks = moved.argsort().argsort() + 1
            values = values if any(test.distance(ranks) for test in tests) else moved
    return values


def _asked(known: pd.DataFrame, patients: pd.DataFrame):
    """Return the printed quartiles and rank tests, and for each patient the least and greatest value."""
    known = known[known["row"] == "max_creatine_kinase"]
    juvenile = patients["age_at_onset"].to_numpy() < findings.JUVENILE_BELOW_AGE
    extended = patients["distal_weakness"].to_numpy(dtype=int) == 1
    members = {"juvenile": juvenile, "adult": ~juvenile, "extended": extended, "limited": ~extended}
    members["total"] = np.full(len(patients), True)
    printed = known[known["statistic"].isin(describe.QUARTERS)].drop_duplicates(["group", "statistic", "printed"])
    quartiles = [_Quartile(fact, members) for fact in printed.itertuples()]
    tests = [_RankTest(fact, members) for fact in known[known["statistic"] == "p_value"].itertuples()]
    who = zip(patients["creatine_kinase_elevated"], patients["sex"], strict=True)
    return quartiles, tests, np.array([ELEVATED if elevated else REFERENCE_INTERVAL[sex] for elevated, sex in who])


class _Quartile:
    """A printed quartile: SPSS's weighted average at (n + 1) p of the sorted values of a group."""

    def __init__(self, fact, members: dict[str, np.ndarray]):
        self.fact, self.inside = fact, members[fact.group].tolist()
        self.member, self.printed = np.flatnonzero(self.inside), int(fact.printed)
        self.place, self.quarter = divmod((len(self.member) + 1) * describe.QUARTERS[fact.statistic], 4)

    def four_times(self, below, above):
        """Return four times the quartile, a whole number, from the values on its two sides."""
        return (4 - self.quarter) * below + self.quarter * above

    def holds(self, ranked: list[int]) -> bool:
        """Tell whether the quartile of the group's sorted values rounds to the printed one."""
        return -2 <= self.four_times(*ranked[self.place - 1 : self.place + 1]) - 4 * self.printed < 2


class _RankTest:
    """A printed P value of the Mann-Whitney U test: normal approximation without continuity correction.

    Quick, since it is asked thousands of times; without the tie correction, since no two patients keep the same value.
    """

    def __init__(self, fact, members: dict[str, np.ndarray]):
        self.printed, self.unit = fact.printed, 10.0 ** -digits.decimals(fact.printed)
        self.first, second = (members[group] for group in findings.compared(fact.result))
        n, m = int(self.first.sum()), int(second.sum())
        self.middle, self.spread = n * (n + m + 1) / 2, (n * m * (n + m + 1) / 12) ** 0.5

    def distance(self, ranks: np.ndarray) -> float:
        """Return how far the P value lies from the printed one; 0 where it rounds to it."""
        p = erfc(abs(ranks[self.first].sum() - self.middle) / self.spread / 2**0.5)
        apart = abs(p - float(self.printed))
        return 0.0 if apart < self.unit and digits.agrees(self.printed, p) else apart


def _with_quartiles(quartiles: list[_Quartile], limits, rng) -> np.ndarray:
    """Return values within their limits that have the printed quartiles; raise Infeasible where there are none."""
    puzzle = Puzzle()
    values = [puzzle.model.new_int_var(int(low), int(high), "") for low, high in limits]
    close = puzzle.model.new_bool_var("values on the two sides of a quartile lie close together")
    sides = {}  # by group and place, since two facts may look at the same place
    for quartile in quartiles:
        where = (quartile.fact.group, quartile.place)
        if where not in sides:
            sides[where] = puzzle.neighbours([values[i] for i in quartile.member], quartile.place, ELEVATED[1])
        below, above = sides[where]
        puzzle.rounds_to(quartile.four_times(below, above), 4, quartile.fact)
        if quartile.quarter:
            puzzle.model.add(above - below <= int(quartile.fact.printed) // 10).only_enforce_if(close)
    for (group, place), (other, later) in permutations(sides, 2):
        if group == other and place < later:
            puzzle.model.add(sides[group, place][1] <= sides[other, later][0])  # implied, and found much faster
    puzzle.model.maximize(close)
    solver = puzzle.solve(int(rng.integers(2**31)), given=", findings being as drawn")
    return np.array([solver.value(value) for value in values])


def _look_drawn(values, limits, quartiles, tests, rng) -> np.ndarray | None:
    """Move values at random until all differ and have the printed P values, while every quartile stays.

    A round begins with free moves, which forget where the values came from; then moves lead towards the P values.
    Returns None when no round ends there.
    """
    groups, apart, distinct = _by_group(quartiles), np.inf, len(set(values.tolist()))
    for move in range(ROUNDS * MOVES):
        moved, whom = _move(values, limits, rng)
        different = len(set(moved.tolist()))
        if different < distinct or not _stay(groups, moved, whom):
            continue
        free = move % MOVES < FREE_MOVES
        ranks = None if free else moved.argsort().argsort() + 1
        distance = np.inf if free else sum(test.distance(ranks) for test in tests)
        if free or distance <= apart + rng.exponential(SLACK):
            values, apart, distinct = moved, distance, different
        if apart == 0 and distinct == len(values):
            return values
    return None


def _by_group(quartiles: list[_Quartile]) -> list[list[_Quartile]]:
    names = dict.fromkeys(quartile.fact.group for quartile in quartiles)
    return [[quartile for quartile in quartiles if quartile.fact.group == name] for name in names]


def _stay(groups: list[list[_Quartile]], moved: np.ndarray, whom: tuple[int, ...]) -> bool:
    """Tell whether quartiles that held stay: only where a group has one of those who moved, its values are others."""
    for group in groups:
        if sum(group[0].inside[one] for one in whom) == 1:
            ranked = np.sort(moved[group[0].member]).tolist()
            if not all(quartile.holds(ranked) for quartile in group):
                return False
    return True


def _move(values, limits, rng) -> tuple[np.ndarray, tuple[int, ...]]:
    """Swap two patients' values, or shift one by a little or a lot, unless that breaks a limit; return also whose."""
    moved = values.copy()
    one, other = whom = tuple(rng.integers(0, len(values), 2).tolist())
    if rng.random() < 0.5:
        moved[one], moved[other] = values[other], values[one]
    else:
        moved[one], whom = round(values[one] * np.exp(rng.normal(0, SHIFTS[rng.integers(len(SHIFTS))]))), (one,)
    inside = all(limits[who][0] <= moved[who] <= limits[who][1] for who in whom)
    return (moved, whom) if inside else (values, ())
