"""Which convention gives a printed P value, and which ones explain a column of them.

A convention is a test of `nxp2lib.fourfold`, by its name there, or `POLICY`; tables are laid out as there.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from nxp2lib import digits, fourfold

POLICY = "chi_square_or_fisher"
LABELS = fourfold.CONVENTIONS | {POLICY: "chi-square, or two-sided Fisher where fewer than 5 are expected"}
QUICK = (*(name for name in fourfold.CONDITIONAL if name not in ("fisher_less", "fisher_greater")),
         *fourfold.ASYMPTOTIC)  # fmt: skip
# How often papers use a test, roughly: what is expected before a table has been read; all others share the rest.
USUAL = {"fisher": 0.4, "chi_square": 0.3, POLICY: 0.1, "chi_square_yates": 0.1}
OTHERWISE = 0.1  # share of rows that are taken to be printed otherwise than the table's standard gives them
ROUNDED = 0.9  # share of tables that are taken to be rounded as usual
SURE = 0.9  # probability from which on a table is taken to follow one convention
NEAR = 2  # patients by which each count of a neighbouring table may differ
FAMILIES = {
    "fisher": ("fisher", "fisher_doubled", "fisher_blaker", "fisher_one_sided"),
    "fisher_one_sided": ("fisher_one_sided", "fisher_less", "fisher_greater"),
    "chi_square": ("chi_square", "chi_square_yates", "chi_square_n_minus_1"),
    "mid_p": ("mid_p", "mid_p_doubled"),
}


class Practice(NamedTuple):
    """How the P values of a table were made, as far as that is stated or can be inferred.

    ``expected`` are the conventions that a row should follow; ``accepted`` those that may explain it otherwise, where
    ``stated`` only variants of the test that is named. ``wins``: the table follows ``expected``. ``supported`` are
    conventions that other rows need; ``preferred`` comes first of several that give the same digits. ``is_loose``:
    some row's percentages are of fewer patients than the group has, or are not rounded half up.
    """

    expected: tuple[str, ...] = ("fisher",)
    accepted: tuple[str, ...] = tuple(dict.fromkeys([*QUICK, *fourfold.UNCONDITIONAL]))
    stated: bool = False
    wins: bool = False
    supported: frozenset[str] = frozenset()
    preferred: str | None = None
    is_loose: bool = False


class PValues:
    """P values of 2x2 tables, each worked out once; those that are asked for together, together."""

    def __init__(self) -> None:
        self.known: dict[tuple, dict[str, float]] = {}

    def of(self, tables: Sequence, names: Iterable[str]) -> dict[str, list[float]]:
        """Return the P value of each table by convention; NaN where there is none."""
        names = list(dict.fromkeys(names))
        keys = [(*map(int, table[0]), *map(int, table[1])) for table in tables]
        lacking = list(dict.fromkeys(key for key in keys if not self.known.get(key, {}).keys() >= set(names)))
        if lacking:
            found = p_values(np.array(lacking).reshape(-1, 2, 2), names)
            for key, *values in zip(lacking, *(found[name].tolist() for name in names), strict=True):
                self.known.setdefault(key, {}).update(zip(names, values, strict=True))
        return {name: [self.known[key][name] for key in keys] for name in names}


def p_values(tables, conventions: Iterable[str]) -> pd.DataFrame:
    """Return the P values of 2x2 tables by convention, as `nxp2lib.fourfold.p_values` does, by ``POLICY`` as well.

    >>> p_values([[[9, 1], [2, 8]], [[20, 30], [30, 20]]], [POLICY])[POLICY].round(4).tolist()
    [0.0055, 0.0455]
    """
    names = list(conventions)
    if POLICY not in names:
        return fourfold.p_values(tables, names)
    found = fourfold.p_values(tables, dict.fromkeys([*(n for n in names if n != POLICY), "fisher", "chi_square"]))
    counts = fourfold.whole_counts(tables).astype(float)
    expected = counts.sum(axis=2, keepdims=True) * counts.sum(axis=1, keepdims=True)
    few = (expected < 5 * counts.sum(axis=(1, 2), keepdims=True)).any(axis=(1, 2))
    return found.assign(**{POLICY: found["chi_square"].mask(few, found["fisher"])})[names]


def family(named: Sequence[str], two_sided: bool = False) -> tuple[str, ...]:
    """Return the variants of tests that are named: chi-square may be corrected, Fisher's test one-sided unless said.

    >>> family(["fisher"], two_sided=True), family(["barnard"])
    (('fisher', 'fisher_doubled', 'fisher_blaker'), ('barnard',))
    """
    variants = dict.fromkeys(one for name in named for one in FAMILIES.get(name, (name,)))
    return tuple(one for one in variants if not (two_sided and one in FAMILIES["fisher_one_sided"]))


def standard(fits: dict[tuple[str, str], np.ndarray], chance: np.ndarray) -> str | None:
    """Return the convention that a table's rows follow, None where none wins.

    ``fits`` holds for each convention and habit of rounding, row by row, the share of the tables that fit in which they
    give the printed digits; ``chance`` the probability of these digits of an unrelated P value. Both are weighed by
    likelihood and by how usual they are. The winner gives two rows at least, and more than half of all, and is
    ``SURE``, counted together with those that give the same rows.

    >>> many, few, chance = np.array([1.0, 1, 1, 0]), np.array([1.0, 1, 0, 0]), np.full(4, 0.001)
    >>> standard({("fisher", "rounded"): few, ("g_test", "rounded"): many}, chance)
    'g_test'
    >>> standard({("fisher", "rounded"): few}, chance) is None
    True
    """
    rest, other = (1 - sum(USUAL.values())) / len(LABELS), (1 - ROUNDED) / (len(digits.HABITS) - 1)
    prior = {(name, habit): USUAL.get(name, rest) * (ROUNDED if habit == digits.ROUNDED else other)
             for name, habit in fits}  # fmt: skip
    keys = [key for key in fits if (fits[key] > 0).sum() > max(1, len(chance) / 2)]
    if not keys:
        return None
    weight = {key: np.log((1 - OTHERWISE) * fits[key] + OTHERWISE * chance).sum() + np.log(prior[key]) for key in fits}
    best = max(keys, key=lambda key: (round(weight[key], 9), prior[key]))
    alike = [key for key in fits if (fits[key] == fits[best]).all()]
    name = max(alike, key=lambda key: prior[key])[0]
    highest = max(weight.values())
    share = {key: np.exp(value - highest) for key, value in weight.items()}
    sure = sum(value for key, value in share.items() if key in alike or key[0] == name)
    return name if sure >= SURE * sum(share.values()) else None


def chance(printed: str, table: Sequence, expected: str, others: Iterable[str], known: PValues) -> float:
    """Return the probability that a P value that has nothing to do with a table is given by one of other conventions.

    Of two guesses the greater one: any P from 0 to 1 is as likely as any other, or P is that of a table in which each
    count differs by up to ``NEAR`` patients. What ``expected`` gives does not count, but for its other habits of
    rounding. Of a limit such as ``<0.01`` it is 1 where one of the others gives it, for it says little else.

    >>> round(chance("0.05", [[12, 22], [5, 35]], "fisher", ["chi_square", "mid_p"], PValues()), 2)
    0.12
    """
    others = list(others)
    values = known.of([table], [expected, *others])
    own = values[expected][0]
    if not printed[0].isdigit():
        return float(any(digits.match(printed, values[name][0]) for name in others)) * digits.chance(printed)
    places = digits.decimals(printed)
    given = {digits.round_half_up(p, places) for name in others if (p := values[name][0]) == p}
    given |= {rounded(own, places) for rounded in digits.HABITS.values() if own == own}
    given -= {digits.round_half_up(own, places)} if own == own else set()
    near = known.of(_neighbours(table), [expected])[expected]
    alike = [p == p and digits.round_half_up(p, places) in given for p in near]
    return max(min(1.0, len(given) / 10**places), sum(alike) / max(1, len(alike)))


def _neighbours(table: Sequence) -> list:
    """Return the other tables of the same groups in which counts differ by up to ``NEAR``."""
    (a, b), (c, d) = table
    found = [(x, y) for x in range(a - NEAR, a + NEAR + 1) for y in range(c - NEAR, c + NEAR + 1) if (x, y) != (a, c)]
    return [[[x, a + b - x], [y, c + d - y]] for x, y in found if 0 <= x <= a + b and 0 <= y <= c + d]


def _column(tables, printed: pd.Series, conventions) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return which printed P values are not blank, and which of these each convention gives (as in ``CONVENTIONS``)."""
    counts = fourfold.whole_counts(tables)
    if len(counts) != len(printed):
        raise ValueError(f"{len(counts)} tables and {len(printed)} printed P values do not belong together")
    there = np.array([not pd.isna(text) and str(text).strip() != "" for text in printed], dtype=bool)
    p = fourfold.p_values(counts[there], conventions)
    match = {name: [digits.match(*pair) for pair in zip(printed[there], p[name], strict=True)] for name in p}
    fits = {name: np.array([how == digits.ROUNDED for how in found], dtype=bool) for name, found in match.items()}
    return there, {name: fits[name] for name in fourfold.CONVENTIONS if name in fits}


def explain(tables, printed: Sequence[str], conventions: Iterable[str] | None = None) -> pd.DataFrame:
    """Return which one convention explains most of a column of printed P values, the best first.

    A row's digits have probability (1 - e)[they match] + e u: e is the share of rows that are printed otherwise,
    fitted by maximum likelihood; u is the probability of these digits when any P is as likely as any other (0.01 for
    two decimals). Columns: ``convention, label, matched, rows, log_likelihood, share_otherwise``. Rounding twice is no
    match, and blank rows are left out. ``conventions`` as in `p_values`.

    >>> explain([[[3, 0], [0, 3]], [[2, 1], [1, 2]]], ["0.10", "1.00"], ["chi_square", "fisher"])["label"].tolist()
    ['two-sided Fisher', 'chi-square']
    """
    printed, found = pd.Series(printed, dtype=object), []
    there, fits = _column(tables, printed, conventions)
    chance = np.array([digits.chance(text) for text in printed[there]])
    for name, fit in fits.items():
        share = _share_otherwise(fit, chance)
        log_likelihood = float(np.log((1 - share) * fit + share * chance).sum())
        found.append((name, fourfold.CONVENTIONS[name], int(fit.sum()), len(fit), log_likelihood, share))
    found = pd.DataFrame(found, columns=["convention", "label", "matched", "rows", "log_likelihood", "share_otherwise"])
    return found.sort_values("log_likelihood", ascending=False, kind="stable", ignore_index=True)


def _share_otherwise(fit: np.ndarray, chance: np.ndarray) -> float:
    """Return the share e at which the likelihood of `explain` is greatest; NaN without rows."""
    from scipy.optimize import brentq

    missed, rest = int((~fit).sum()), 1 - chance[fit]

    def slope(share: float) -> float:
        return missed / share - (rest / (1 - share * rest)).sum()

    if missed in (0, len(fit)) or slope(1.0) >= 0:
        return float(missed > 0) if len(fit) else float("nan")
    return float(brentq(slope, missed / len(fit), 1.0, xtol=1e-12))


def fewest(tables, printed: Sequence[str], conventions: Iterable[str] | None = None) -> pd.Series:
    """Return, for each row, the convention that gives its printed P value, out of as few conventions as possible.

    They are the smallest set that gives every row which any convention gives; of several, the one whose members have
    the greatest log likelihoods in `explain`, added up, then the first in ``CONVENTIONS``. A row that several members
    give takes the first of them; None where none does. The index is that of ``printed``, or counts from 0.

    >>> fewest([[[3, 0], [0, 3]], [[2, 1], [1, 2]], [[2, 1], [1, 2]]], ["0.10", "1.00", "0.03"]).tolist()
    ['fisher', 'fisher', None]
    """
    printed = pd.Series(printed, dtype=object)
    there, fits = _column(tables, printed, conventions)
    given = {name: frozenset(np.flatnonzero(fit)) for name, fit in fits.items()}
    likelihood = explain(tables, printed, conventions).set_index("convention")["log_likelihood"]
    wanted, sets = frozenset().union(*given.values()), []
    for size in range(len(given) + 1):
        sets = sets or [s for s in combinations(given, size) if frozenset().union(*map(given.get, s)) == wanted]
    best = max(sets, key=lambda chosen: round(likelihood[list(chosen)].sum(), 9))
    chosen = np.full(len(printed), None)
    for name in reversed(best):
        chosen[np.flatnonzero(there)[fits[name]]] = name
    return pd.Series(chosen, index=printed.index, dtype=object, name="convention")
