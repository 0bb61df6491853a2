"""Test a 2x2 table: Fisher's exact test with its matching interval, and all other tests that papers use beside it.

A 2x2 (fourfold) table is laid out with the groups as rows and the finding as columns::

                 finding   no finding
    second group    a           b
    first group     c           d

The second group is the later one in the data dictionary (adult, extended), so an odds ratio above 1 means
that the finding is more frequent in adults than in juveniles, or in extended than in limited weakness.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

Table = Sequence[Sequence[int]] | np.ndarray  # [[a, b], [c, d]]
TIE = 1 + 1e-7  # tables this close in probability count as equally likely, as in R's fisher.test
MOST_TABLES = 20_000  # tables of equal margins that are all looked at for an interval
CELLS = 1 << 16  # so many probabilities are held at once: they stay in the processor's cache
CONVENTIONS = {
    "fisher": "two-sided Fisher", "fisher_doubled": "doubled one-sided Fisher", "fisher_blaker": "Blaker's exact test",
    "fisher_one_sided": "one-sided Fisher", "fisher_less": "one-sided Fisher, lower",
    "fisher_greater": "one-sided Fisher, upper",
    "mid_p": "two-sided Fisher mid-P", "mid_p_doubled": "doubled one-sided mid-P",
    "chi_square": "chi-square", "chi_square_yates": "chi-square with Yates's correction",
    "chi_square_n_minus_1": "N-1 chi-square", "g_test": "G test",
    "boschloo": "Boschloo's test", "barnard": "Barnard's test",
}  # fmt: skip
CONDITIONAL, ASYMPTOTIC, UNCONDITIONAL = (tuple(CONVENTIONS)[a:b] for a, b in ((0, 8), (8, 12), (12, 14)))


class Fisher(NamedTuple):
    """Two-sided P value, conditional odds ratio, and the interval that matches the P value."""

    p_value: float
    odds_ratio: float
    ci_low: float
    ci_high: float


def two_by_two(finding: pd.Series, group: pd.Series) -> np.ndarray:
    """Count a yes/no finding in two groups, leaving out patients in whom either is unknown.

    ``group`` is categorical with two values, the first one being the reference. Returns ``[[a, b], [c, d]]``.

    >>> sex = pd.Series(pd.Categorical(["male", "female", "female"], categories=["male", "female"]))
    >>> two_by_two(pd.Series([True, True, False], dtype="boolean"), sex)
    array([[1, 1],
           [1, 0]])
    """
    first, second = group.cat.categories
    counts = [[int((finding[group == name] == answer).sum()) for answer in (True, False)] for name in (second, first)]
    return np.array(counts)


def _likelihoods(table: Table) -> tuple[np.ndarray, int]:
    """Return log probabilities, at odds ratio 1, of every table with these margins, and the observed one's place."""
    from scipy.stats import hypergeom

    (a, b), (c, d) = table
    if min(a, b, c, d) < 0:
        raise ValueError(f"a 2x2 table holds counts of patients, none below zero: {[[a, b], [c, d]]}")
    lowest, highest = max(0, a - d), min(a + b, a + c)
    support = np.arange(lowest, highest + 1)
    return hypergeom.logpmf(support, a + b + c + d, a + b, a + c), a - lowest


def _probabilities(log_weights: np.ndarray, log_odds_ratio: float) -> np.ndarray:
    """Return the probability of each table with these margins under an odds ratio (Fisher's noncentral law)."""
    tilted = log_weights + log_odds_ratio * np.arange(len(log_weights))
    likelihood = np.exp(tilted - tilted.max())
    return likelihood / likelihood.sum()


def fisher_p(table: Table) -> float:
    """Return the two-sided P value of Fisher's exact test.

    The probabilities of all tables with the same margins that are no likelier than the observed one are added up;
    R's ``fisher.test`` and SPSS do the same.

    >>> round(fisher_p([[23, 24], [4, 25]]), 4)
    0.0027

    1 where a margin is zero, since no other table is possible. Raises ValueError for a negative count.
    """
    log_weights, observed = _likelihoods(table)
    if len(log_weights) == 1:
        return 1.0
    probability = _probabilities(log_weights, 0.0)
    return clean(probability[probability <= probability[observed] * TIE].sum())


def clean(p: float) -> float:
    """Drop the last digits of a summed probability, so that a P value of exactly 1/20 is 0.05 and not a hair less."""
    return min(1.0, float(f"{p:.13g}"))


def fisher(table: Table, confidence: float = 0.95) -> Fisher:
    """Test a 2x2 table and estimate its odds ratio.

    The odds ratio is the conditional maximum likelihood estimate. Its interval holds the odds ratios that the *same*
    two-sided test does not reject, as R's ``exact2x2(tsmethod="minlike")`` reports it (Fay 2010, Biostatistics 11:373).
    An interval that excludes 1 therefore means P < 1 - confidence. The converse holds up to 55 patients (95 %), but for
    rare larger tables the odds ratios not rejected leave a gap around 1; the limits are then the outermost of them.

    >>> result = fisher([[23, 24], [4, 25]])
    >>> [round(number, 2) for number in result]
    [0.0, 5.85, 1.78, 21.0]

    With a zero margin the odds ratio is NaN and the interval goes from 0 to infinity. ``confidence`` lies between
    0 and 1. Raises ValueError for another value or a negative count.
    """
    check_confidence(confidence)
    log_weights, observed = _likelihoods(table)
    if len(log_weights) == 1:
        return Fisher(1.0, float("nan"), 0.0, float("inf"))
    from scipy.stats.contingency import odds_ratio

    estimate = float(odds_ratio(np.asarray(table), kind="conditional").statistic)
    log_weights, observed = _probable(log_weights, observed)
    alpha = (1 - confidence) * (1 - 1e-12)  # an odds ratio whose P value is exactly 1 - confidence is not rejected
    high = _upper_limit(log_weights, observed, alpha)
    low = -_upper_limit(log_weights[::-1], len(log_weights) - 1 - observed, alpha)
    low, high = (0.0 if abs(limit) < 1e-12 else limit for limit in (low, high))  # two tables that tie at exactly 1
    return Fisher(fisher_p(table), estimate, float(np.exp(low)), float(np.exp(high)))


def _probable(log_weights: np.ndarray, observed: int) -> tuple[np.ndarray, int]:
    """Leave out tables so far from the observed one that no odds ratio in the interval makes both of them likely.

    The standard deviation of a cell is at most a quarter of the square root of all patients, and of the number of
    tables; 100 of them on each side are kept.
    """
    if len(log_weights) <= MOST_TABLES:
        return log_weights, observed
    reach = int(MOST_TABLES / 2 + 100 * len(log_weights) ** 0.5)
    first = max(0, observed - reach)
    return log_weights[first : observed + reach + 1], observed - first


def _upper_limit(log_weights: np.ndarray, observed: int, alpha: float) -> float:
    """Return the greatest log odds ratio that the two-sided test at level ``alpha`` does not reject.

    As the odds ratio falls from infinity, tables above the observed one join the sum of "no likelier" tables one by
    one, the highest first, each where its probability ties with the observed table's. Between two ties the complement
    of the sum is the probability of a run of tables, which has a single peak (Karlin 1968, variation diminishing), so
    the sum crosses ``alpha`` at most once where it starts above and ends below.
    """
    from scipy.optimize import brentq

    highest = len(log_weights) - 1
    if observed == highest:
        return float("inf")

    def p_value(log_odds_ratio: float, first_joined: int) -> float:
        probability = _probabilities(log_weights, log_odds_ratio)
        return float(probability[: observed + 1].sum() + probability[first_joined:].sum())

    right = float("inf")
    for joined in range(_first_that_counts(log_weights, observed, alpha), observed, -1):
        tie = (log_weights[observed] - log_weights[joined]) / (joined - observed)
        if p_value(tie, joined + 1) > alpha:
            right = _beyond(tie, joined + 1, p_value, alpha) if right == float("inf") else right
            return brentq(lambda x, j=joined + 1: p_value(x, j) - alpha, tie, right, xtol=1e-13)
        if p_value(tie, joined) >= alpha:
            return tie
        right = tie
    return right


def _first_that_counts(log_weights: np.ndarray, observed: int, alpha: float) -> int:
    """Return a table to begin with: those above it join where the P value is still below half of ``alpha``.

    Of few tables it is the highest one. Of many, the sum of probabilities below the observed table, which falls as the
    odds ratio grows, is cut in halves.
    """
    low, high = observed, len(log_weights) - 1
    if high - low <= MOST_TABLES // 100:
        return high
    while high - low > 1:
        joined = (low + high) // 2
        tie = (log_weights[observed] - log_weights[joined]) / (joined - observed)
        probability = _probabilities(log_weights, tie)
        small = probability[: observed + 1].sum() + probability[joined:].sum() < alpha / 2
        low, high = (low, joined) if small else (joined, high)
    return high


def _beyond(start: float, joined: int, p_value: Callable[[float, int], float], alpha: float) -> float:
    """Return a log odds ratio above ``start`` at which the P value has fallen below ``alpha``."""
    step = 1.0
    while p_value(start + step, joined) > alpha:
        step *= 2
    return start + step


def check_confidence(confidence: float) -> None:
    """Raise ValueError unless ``confidence`` is a level between 0 and 1, such as 0.95."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: {confidence} is not accepted; accepted: a level between 0 and 1, such as 0.95")


# All tests side by side


def p_values(tables: ArrayLike | pd.Series, conventions: Iterable[str] | None = None) -> pd.DataFrame:
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
    counts, names = whole_counts(tables), list(CONDITIONAL + ASYMPTOTIC if conventions is None else conventions)
    for name in names:
        if name not in CONVENTIONS:
            raise ValueError(f"convention: {name!r} is not accepted; accepted: {', '.join(CONVENTIONS)}")
    found = _conditional(counts, [name for name in names if name in CONDITIONAL]) | _asymptotic(counts)
    found |= {name: np.array([_unconditional(name, one) for one in counts]) for name in names if name in UNCONDITIONAL}
    cleaned = {name: _cleaned(np.array(found[name], dtype=float)) for name in names}
    return pd.DataFrame(cleaned, index=range(len(counts)))


def whole_counts(tables: ArrayLike | pd.Series) -> np.ndarray:
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


def _cleaned(p: np.ndarray) -> np.ndarray:
    """Keep 13 significant digits and at most 1, as `fisher_p` does: exactly 1/20 is 0.05."""
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
    evidence = _evidence(name, *(int(size) for size in table.sum(axis=1)))
    extreme = [p <= p[table[0, 0], table[1, 0]] * TIE for p in evidence]
    return len(evidence) * min(_greatest_probability(region) for region in extreme)


@lru_cache(maxsize=8)  # of large groups one holds megabytes
def _evidence(name: str, second: int, first: int) -> np.ndarray:
    """Return the P values by which tables of two groups are ordered, by the findings in each, for each side."""
    a, c = (grid.ravel() for grid in np.mgrid[: second + 1, : first + 1])
    everything = np.stack([a, second - a, c, first - c], axis=1).reshape(-1, 2, 2)
    sides = ["fisher_less", "fisher_greater"] if name == "boschloo" else ["chi_square"]
    return p_values(everything, sides).fillna(1.0).to_numpy().T.reshape(len(sides), second + 1, first + 1)


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
