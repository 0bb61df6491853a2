"""Which convention gives a printed P value: tests of a 2x2 table side by side, and the ones that explain a column.

Tables are laid out as in `nxp2lib.compare`: groups as rows, the finding as columns::

                 finding   no finding
    second group    a           b
    first group     c           d
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from nxp2lib import digits
from nxp2lib.compare import TIE

CONVENTIONS = {
    "fisher": "two-sided Fisher",
    "fisher_doubled": "doubled one-sided Fisher",
    "fisher_blaker": "Blaker's exact test",
    "fisher_one_sided": "one-sided Fisher",
    "fisher_less": "one-sided Fisher, lower",
    "fisher_greater": "one-sided Fisher, upper",
    "mid_p": "two-sided Fisher mid-P",
    "mid_p_doubled": "doubled one-sided mid-P",
    "chi_square": "chi-square",
    "chi_square_yates": "chi-square with Yates's correction",
    "chi_square_n_minus_1": "N-1 chi-square",
    "g_test": "G test",
    "boschloo": "Boschloo's test",
    "barnard": "Barnard's test",
}
CONDITIONAL = tuple(CONVENTIONS)[:8]
ASYMPTOTIC = tuple(CONVENTIONS)[8:12]
UNCONDITIONAL = tuple(CONVENTIONS)[12:]
CELLS = 1 << 16  # so many probabilities are held at once: they stay in the processor's cache


def p_values(tables, conventions: Iterable[str] | None = None) -> pd.DataFrame:
    """Return the P values of 2x2 tables, one row per table and one column per convention.

    ``tables`` holds counts of patients, one table or many: its shape is (2, 2) or (m, 2, 2). ``conventions`` are names
    from ``CONVENTIONS``; left out, all but the slow ``UNCONDITIONAL`` ones. All tables are worked out together.

    >>> p_values([[3, 0], [0, 3]], ["fisher", "fisher_greater", "mid_p", "barnard"]).round(5).to_dict("records")
    [{'fisher': 0.1, 'fisher_greater': 0.05, 'mid_p': 0.05, 'barnard': 0.03125}]

    - ``fisher`` adds up the tables no likelier than the observed one (R's ``fisher.test``); ``fisher_less`` is
      P(X <= a), ``fisher_greater`` P(X >= a), ``fisher_one_sided`` the smaller of the two, ``fisher_doubled`` twice
      that; ``fisher_blaker`` adds up the tables whose smaller tail is no larger (Blaker 2000, Can J Stat 28:783).
    - ``mid_p`` counts the tables *as likely* as the observed one by half (Lancaster 1961, JASA 56:223; Lydersen 2009,
      Stat Med 28:1159); R's ``exact2x2(midp=TRUE)`` refuses this and offers ``mid_p_doubled`` alone.
    - ``chi_square_n_minus_1``: Campbell 2007, Stat Med 26:3661. ``g_test`` has no continuity correction.
    - ``boschloo`` is twice the smaller one-sided test, as SciPy has it; ``barnard`` orders tables by chi-square.

    With a zero margin P is 1, and NaN for the ``ASYMPTOTIC`` ones. Raises ValueError for a count that is negative,
    missing or not whole, another shape, or an unknown convention.
    """
    counts, names = _counts(tables), list(CONDITIONAL + ASYMPTOTIC if conventions is None else conventions)
    for name in names:
        if name not in CONVENTIONS:
            raise ValueError(f"convention: {name!r} is not accepted; accepted: {', '.join(CONVENTIONS)}")
    found = _conditional(counts, [name for name in names if name in CONDITIONAL]) | _asymptotic(counts)
    found |= {name: [_unconditional(name, table) for table in counts] for name in names if name in UNCONDITIONAL}
    return pd.DataFrame({name: _clean(np.array(found[name], dtype=float)) for name in names}, index=range(len(counts)))


def _counts(tables) -> np.ndarray:
    """Return tables as whole numbers of shape (m, 2, 2), or raise ValueError."""
    counts = np.asarray(tables.tolist() if isinstance(tables, pd.Series) else tables, dtype=float)
    counts = counts[np.newaxis] if counts.ndim == 2 else counts
    if counts.shape[1:] != (2, 2):
        raise ValueError(f"tables of shape {np.shape(tables)} are not accepted; accepted: (2, 2) or (m, 2, 2)")
    wrong = ~((counts >= 0) & (counts == np.rint(counts)) & (counts < 2**52)).all(axis=(1, 2))
    if wrong.any():
        found = f"table {wrong.argmax()} is {counts[wrong.argmax()].tolist()}"
        raise ValueError(f"a 2x2 table holds whole counts of patients, none below zero: {found}")
    return counts.astype(np.int64)


class Margins(NamedTuple):
    """All tables with the margins of each observed one, a row each: probabilities, their sums from either end."""

    likelihood: np.ndarray  # zero beyond the last possible table
    lower: np.ndarray
    upper: np.ndarray
    observed: np.ndarray  # place of the observed table in its row

    def here(self, values: np.ndarray) -> np.ndarray:
        """Return one number per row, that of the observed table."""
        return np.take_along_axis(values, self.observed[:, np.newaxis], axis=1)[:, 0]

    def no_larger(self, values: np.ndarray, tie: float = TIE) -> np.ndarray:
        """Add up the tables whose value is no larger than the observed one's; ``tie`` below 1 leaves out the equal."""
        return (self.likelihood * (values <= self.here(values)[:, np.newaxis] * tie)).sum(axis=1)

    def one_sided(self) -> np.ndarray:
        """Return the smaller of the two tails that begin at the observed table."""
        return np.minimum(self.here(self.lower), self.here(self.upper))


_FORMULAS = {
    "fisher": lambda m: m.no_larger(m.likelihood),
    "fisher_doubled": lambda m: 2 * m.one_sided(),
    "fisher_blaker": lambda m: m.no_larger(np.minimum(m.lower, m.upper)),
    "fisher_one_sided": Margins.one_sided,
    "fisher_less": lambda m: m.here(m.lower),
    "fisher_greater": lambda m: m.here(m.upper),
    "mid_p": lambda m: (m.no_larger(m.likelihood) + m.no_larger(m.likelihood, 1 / TIE)) / 2,
    "mid_p_doubled": lambda m: 2 * m.one_sided() - m.here(m.likelihood),
}


def _conditional(counts: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return P values of the Fisher family; tables with about as many alternatives are worked out together."""
    from scipy.special import gammaln

    log_factorial = gammaln(np.arange(counts.sum(axis=(1, 2)).max(initial=0) + 1) + 1.0)
    narrowest = np.minimum(counts.sum(axis=1).min(axis=1), counts.sum(axis=2).min(axis=1))
    widest_first, start = np.argsort(-narrowest, kind="stable"), 0
    found = {name: np.ones(len(counts)) for name in names}
    while names and start < len(counts) and narrowest[widest_first[start]]:
        together = widest_first[start : start + max(1, CELLS // (narrowest[widest_first[start]] + 1))]
        together = together[narrowest[together] > 0]
        margins = _margins(counts[together], log_factorial)
        for name in names:
            found[name][together] = _FORMULAS[name](margins)
        start += len(together)
    return found


def _margins(counts: np.ndarray, log_factorial: np.ndarray) -> Margins:
    a, b, c, d = counts.reshape(-1, 4).T[:, :, np.newaxis]
    fewest, most = np.maximum(0, a - d), np.minimum(a + b, a + c)
    places = fewest + np.arange((most - fewest).max() + 1)
    possible = np.minimum(places, most)  # beyond the last table its cells are repeated, and then given no weight
    cells = (possible, a + b - possible, a + c - possible, d - a + possible)
    log_likelihood = -sum(log_factorial[cell] for cell in cells)
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True)) * (places <= most)
    likelihood /= likelihood.sum(axis=1, keepdims=True)
    upper = likelihood[:, ::-1].cumsum(axis=1)[:, ::-1]
    return Margins(likelihood, likelihood.cumsum(axis=1), upper, (a - fewest)[:, 0])


def _clean(p: np.ndarray) -> np.ndarray:
    """Keep 13 significant digits and at most 1, as `nxp2lib.compare.fisher_p` does: exactly 1/20 is 0.05."""
    power = 10.0 ** (12 - np.floor(np.log10(np.maximum(p, 1e-290))))
    return np.minimum(1.0, np.rint(p * power) / power)


def _asymptotic(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return P values from the chi-square distribution with one degree of freedom; NaN with a zero margin."""
    from scipy.special import erfc, xlogy

    cells = counts.astype(float)
    rows, columns = cells.sum(axis=2, keepdims=True), cells.sum(axis=1, keepdims=True)
    n, difference = cells.sum(axis=(1, 2)), abs(cells[:, 0, 0] * cells[:, 1, 1] - cells[:, 0, 1] * cells[:, 1, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = n / (rows.prod(axis=(1, 2)) * columns.prod(axis=(1, 2)))
        statistics = {
            "chi_square": difference**2 * scale,
            "chi_square_yates": np.maximum(0, difference - n / 2) ** 2 * scale,
            "chi_square_n_minus_1": difference**2 * scale * (n - 1) / n,
            "g_test": 2 * xlogy(cells, cells * n[:, np.newaxis, np.newaxis] / (rows * columns)).sum(axis=(1, 2)),
        }
    return {name: erfc(np.sqrt(np.maximum(0, value) / 2)) for name, value in statistics.items()}


def _unconditional(name: str, table: np.ndarray) -> float:
    """Return the greatest probability, over all frequencies of the finding, of a table no less extreme.

    SciPy's ``barnard_exact`` compares its statistic without tolerance; a table as extreme as the observed one can drop
    out by its last digit, and P was up to 0.05 too small in our trials. Here such tables count, as they do in Fisher's.
    """
    second, first = (int(size) for size in table.sum(axis=1))
    a, c = (grid.ravel() for grid in np.mgrid[: second + 1, : first + 1])
    everything = np.stack([a, second - a, c, first - c], axis=1).reshape(-1, 2, 2)
    sides = ["fisher_less", "fisher_greater"] if name == "boschloo" else ["chi_square"]
    evidence = p_values(everything, sides).fillna(1.0).to_numpy().T.reshape(len(sides), second + 1, first + 1)
    extreme = [p <= p[table[0, 0], table[1, 0]] * TIE for p in evidence]
    return len(sides) * min(_greatest_probability(region) for region in extreme)


def _greatest_probability(region: np.ndarray) -> float:
    """Return the greatest probability of a set of outcomes of two binomial samples with one common frequency.

    The frequency is sin(angle)**2, which makes the peaks about equally wide; each peak of a grid is then zoomed into.
    """
    from scipy.stats import binom

    def probability(angle: np.ndarray) -> np.ndarray:
        chance = np.sin(np.atleast_2d(angle))[..., np.newaxis] ** 2
        second, first = (binom.pmf(np.arange(size), size - 1, chance) for size in region.shape)
        return ((second @ region) * first).sum(axis=-1)

    grid, step = np.linspace(0, np.pi / 2, 257, retstep=True)
    value = np.pad(probability(grid)[0], 1)
    peaks = grid[(value[1:-1] >= value[:-2]) & (value[1:-1] >= value[2:])]
    for _ in range(4):
        near = np.clip(peaks[:, np.newaxis] + step * np.linspace(-1, 1, 17), 0, np.pi / 2)
        heights, step = probability(near), step / 8
        peaks = near[np.arange(len(near)), heights.argmax(axis=1)]
    return float(heights.max())


def search(table, printed: str, conventions: Iterable[str] = tuple(CONVENTIONS)) -> pd.DataFrame:
    """Return what each convention makes of one table, and how that matches the printed P value.

    Columns: ``convention``, ``label``, ``p_value`` and ``match`` (see `nxp2lib.digits.match`). For 13 men of 36
    patients against 13 of 40, 0.464 is printed:

    >>> found = search([[13, 23], [13, 27]], "0.464")
    >>> found.loc[found["match"] != "", "label"].tolist()
    ['one-sided Fisher', 'one-sided Fisher, upper']
    """
    p = p_values(table, conventions).iloc[0]
    matches = [digits.match(printed, value) for value in p]
    found = {"convention": p.index, "label": p.index.map(CONVENTIONS), "p_value": p.to_numpy(), "match": matches}
    return pd.DataFrame(found)


def _column(tables, printed, conventions) -> tuple[pd.Series, pd.DataFrame, pd.DataFrame]:
    """Return printed P values that are not blank, each convention's P value for their tables, and whether it fits."""
    counts, printed = _counts(tables), pd.Series(printed, dtype=object)
    if len(counts) != len(printed):
        raise ValueError(f"{len(counts)} tables and {len(printed)} printed P values do not belong together")
    there = ~_blank(printed)
    printed, p = printed[there], p_values(counts[there], conventions).set_axis(printed.index[there])
    fits = {name: [digits.match(*pair) == digits.ROUNDED for pair in zip(printed, p[name], strict=True)] for name in p}
    return printed, p, pd.DataFrame(fits, index=p.index, dtype=bool)


def _blank(printed: pd.Series) -> np.ndarray:
    return np.array([pd.isna(text) or not str(text).strip() for text in printed], dtype=bool)


def explain(tables, printed: Sequence[str], conventions: Iterable[str] | None = None) -> pd.DataFrame:
    """Return which one convention explains most of a column of printed P values, the best first.

    A row's digits have probability (1 - e)[they match] + e u: e is the share of rows that are printed otherwise,
    fitted by maximum likelihood; u is the probability of these digits when any P is as likely as any other (0.01 for
    two decimals). Columns: ``convention, label, matched, rows, log_likelihood, share_otherwise``. Rounding twice is no
    match, and blank rows are left out. ``conventions`` as in `p_values`.

    >>> explain([[[3, 0], [0, 3]], [[2, 1], [1, 2]]], ["0.10", "1.00"], ["chi_square", "fisher"])["label"].tolist()
    ['two-sided Fisher', 'chi-square']
    """
    printed, _, fits = _column(tables, printed, conventions)
    chance, found = np.array([digits.chance(text) for text in printed]), []
    for name in (name for name in CONVENTIONS if name in fits):
        fit = fits[name].to_numpy()
        share = _share_otherwise(fit, chance)
        log_likelihood = float(np.log((1 - share) * fit + share * chance).sum())
        found.append((name, CONVENTIONS[name], int(fit.sum()), len(fit), log_likelihood, share))
    columns = ["convention", "label", "matched", "rows", "log_likelihood", "share_otherwise"]
    found = pd.DataFrame(found, columns=columns)
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


def _first_that_fits(fits: pd.DataFrame) -> list[str | None]:
    return [next((name for name, fit in zip(fits, row, strict=True) if fit), None) for row in fits.to_numpy()]


def fewest(tables, printed: Sequence[str], conventions: Iterable[str] | None = None) -> pd.Series:
    """Return, for each row, the convention that gives its printed P value, out of as few conventions as possible.

    They are the smallest set that gives every row which any convention gives; of several, the one whose members have
    the greatest log likelihoods in `explain`, added up, then the first in ``CONVENTIONS``. A row that several members
    give takes the first of them; None where none does. The index is that of ``printed``, or counts from 0.

    >>> fewest([[[3, 0], [0, 3]], [[2, 1], [1, 2]], [[2, 1], [1, 2]]], ["0.10", "1.00", "0.03"]).tolist()
    ['fisher', 'fisher', None]
    """
    printed = pd.Series(printed, dtype=object)
    _, _, fits = _column(tables, printed, conventions)
    given = {name: frozenset(np.flatnonzero(fits[name])) for name in CONVENTIONS if name in fits}
    likelihood = explain(tables, printed, conventions).set_index("convention")["log_likelihood"]
    wanted, sets = frozenset().union(*given.values()), []
    for size in range(len(given) + 1):
        sets = sets or [s for s in combinations(given, size) if frozenset().union(*map(given.get, s)) == wanted]
    best = max(sets, key=lambda chosen: round(likelihood[list(chosen)].sum(), 9))
    chosen = np.full(len(printed), None)
    chosen[~_blank(printed)] = _first_that_fits(fits[list(best)])
    return pd.Series(chosen, index=printed.index, dtype=object, name="convention")
