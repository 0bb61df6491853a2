"""Which convention gives a printed P value, and which ones explain a column of them.

A convention is a test of `nxp2lib.fourfold`, by its name there; tables are laid out as there.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from nxp2lib import digits, fourfold


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
