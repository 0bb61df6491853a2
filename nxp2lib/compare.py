"""Compare two groups: Fisher's exact test with its matching interval, and the Mann-Whitney U test.

A 2x2 table is laid out with the groups as rows and the finding as columns::

                 finding   no finding
    second group    a           b
    first group     c           d

The second group is the later one in the data dictionary (adult, extended), so an odds ratio above 1 means
that the finding is more frequent in adults than in juveniles, or in extended than in limited weakness.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from nxp2lib import describe

TIE = 1 + 1e-7  # tables this close in probability count as equally likely, as in R's fisher.test
FEW = 1_000_000  # differences that are written down
MOST_LISTED = 400  # patients in an R x C table of which all tables are listed
MOST_TABLES = 20_000  # tables of equal margins that are all looked at for an interval
EXACT_BELOW = 50  # the exact rank test is given for fewer patients per group, as in R's wilcox.test


class Fisher(NamedTuple):
    """Two-sided P value, conditional odds ratio, and the interval that matches the P value."""

    p_value: float
    odds_ratio: float
    ci_low: float
    ci_high: float


class MannWhitney(NamedTuple):
    """U of the second sample, P values (normal approximation, exact), and two measures of effect."""

    u: float
    p_value: float
    p_exact: float
    shift: float
    superiority: float


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


def _likelihoods(table: Sequence[Sequence[int]]) -> tuple[np.ndarray, int]:
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


def fisher_p(table: Sequence[Sequence[int]]) -> float:
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
    return _clean(probability[probability <= probability[observed] * TIE].sum())


def _clean(p: float) -> float:
    """Drop the last digits of a summed probability, so that a P value of exactly 1/20 is 0.05 and not a hair less."""
    return min(1.0, float(f"{p:.13g}"))


def fisher(table: Sequence[Sequence[int]], confidence: float = 0.95) -> Fisher:
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

    right = None
    for joined in range(_first_that_counts(log_weights, observed, alpha), observed, -1):
        tie = (log_weights[observed] - log_weights[joined]) / (joined - observed)
        if p_value(tie, joined + 1) > alpha:
            right = _beyond(tie, joined + 1, p_value, alpha) if right is None else right
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


def _beyond(start: float, joined: int, p_value, alpha: float) -> float:
    """Return a log odds ratio above ``start`` at which the P value has fallen below ``alpha``."""
    step = 1.0
    while p_value(start + step, joined) > alpha:
        step *= 2
    return start + step


def fisher_exact_rxc(table: Sequence[Sequence[int]]) -> float:
    """Return the exact P value of an R x C table (Freeman and Halton 1951), by enumeration.

    Probabilities of all tables with the same margins that are no likelier than the observed one are added up, built
    column by column; nothing is simulated, so the digits never change. For small tables: the work grows quickly with
    the counts.

    >>> round(fisher_exact_rxc([[24, 25], [16, 3], [7, 1]]), 4)
    0.007

    NaN for an empty table, and for one of more than ``MOST_LISTED`` patients, whose tables are too many to list.
    """
    from scipy.special import gammaln

    counts = np.asarray(table, dtype=int)
    if not 0 < counts.sum() <= MOST_LISTED:
        return float("nan")
    log_factorial = gammaln(np.arange(counts.sum() + 1) + 1)
    constant = log_factorial[counts.sum(0)].sum() + log_factorial[counts.sum(1)].sum() - log_factorial[counts.sum()]
    limit = -log_factorial[counts].sum() + constant + np.log(TIE)
    states = {tuple(counts.sum(1)): np.array([constant])}  # rows still to fill -> log probabilities so far
    for total in counts.sum(0):
        grown: dict[tuple[int, ...], list[np.ndarray]] = {}
        for left, logs in states.items():
            for column in _columns(left, total):
                rest = tuple(n - k for n, k in zip(left, column, strict=True))
                grown.setdefault(rest, []).append(logs - log_factorial[list(column)].sum())
        states = {rest: np.concatenate(parts) for rest, parts in grown.items()}
    (logs,) = states.values()
    return _clean(np.exp(logs[logs <= limit]).sum())


def _columns(left: tuple[int, ...], total: int):
    """Yield every way to put ``total`` patients into rows that have room for ``left``."""
    if len(left) == 1:
        if total <= left[0]:
            yield (total,)
        return
    for here in range(min(left[0], total) + 1):
        for rest in _columns(left[1:], total - here):
            yield (here, *rest)


def mann_whitney(second: Sequence[float], first: Sequence[float]) -> MannWhitney:
    """Compare two samples of numbers by their ranks; missing values are left out.

    ``p_value`` is the normal approximation with tie correction and without continuity correction, as SPSS prints it
    and R's ``wilcox.test(exact=FALSE, correct=FALSE)``; ``p_exact`` is given without ties and below 50 patients per
    sample, else NaN. ``shift`` is the Hodges-Lehmann estimate, the median of all differences second minus first;
    ``superiority`` the probability that a patient of the second sample has the higher value (ties count half).

    >>> result = mann_whitney([1.1, 2.2, 3.3, 4.4], [0.5, 0.9, 1.7])
    >>> result.u, round(result.p_exact, 4), round(result.shift, 2), round(result.superiority, 3)
    (11.0, 0.1143, 1.65, 0.917)

    All NaN where a sample is empty. P is 1 where all values are equal (R: NaN).
    """
    from scipy.stats import mannwhitneyu

    second, first = (pd.Series(sample).dropna().to_numpy(dtype=float) for sample in (second, first))
    if not len(second) or not len(first):
        return MannWhitney(*[float("nan")] * 5)
    approximate = mannwhitneyu(second, first, method="asymptotic", use_continuity=False)
    u, pooled = float(approximate.statistic), np.concatenate([second, first])
    p_value = float(approximate.pvalue) if np.ptp(pooled) else 1.0
    exact = len(np.unique(pooled)) == len(pooled) and max(len(second), len(first)) < EXACT_BELOW
    p_exact = float(mannwhitneyu(second, first, method="exact").pvalue) if exact else float("nan")
    return MannWhitney(u, p_value, p_exact, median_difference(second, first), u / (len(second) * len(first)))


def median_difference(second: np.ndarray, first: np.ndarray) -> float:
    """Return the median of all differences between a value of one sample and one of the other (Hodges-Lehmann).

    The differences are not written down: their number below a limit is counted by sorting, the limit is moved until
    few are left around the middle, and those alone are compared. So a million patients take seconds.

    >>> float(median_difference(np.array([1.0, 5.0]), np.array([1.0, 2.0])))
    1.5
    """
    pairs = len(second) * len(first)
    samples = (*np.unique(second, return_counts=True), *np.unique(first, return_counts=True))
    return float(np.mean([_difference_of_rank(*samples, rank) for rank in {(pairs - 1) // 2, pairs // 2}]))


def _difference_of_rank(second, of_second, first, of_first, rank: int) -> float:
    """Return the difference that ``rank`` others precede; samples are sorted values, each once, with their counts."""
    apart = 1e-12 * max(1.0, abs(second).max(), abs(first).max())  # the rounding of a difference is far below
    low, high = second[0] - first[-1] - apart, second[-1] - first[0] + apart
    upto = np.append(0, np.cumsum(of_first))  # patients of the first sample below each of its values
    while high - low > 8 * apart and _window(second, first, low, high)[1].sum() > FEW:
        limit = (low + high) / 2
        above = (of_second * upto[np.searchsorted(first, second - limit)]).sum()
        low, high = (low, limit) if rank < of_second.sum() * upto[-1] - above else (limit, high)
    start, counts = _window(second, first, low - 2 * apart, high + 2 * apart)
    before = (of_second * (upto[-1] - upto[start + counts])).sum()
    rows = np.repeat(np.arange(len(second)), counts)
    places = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(start, counts)
    differences, weights = second[rows] - first[places], of_second[rows] * of_first[places]
    order = np.argsort(differences)
    return float(differences[order][np.searchsorted(before + np.cumsum(weights[order]), rank, side="right")])


def _window(second: np.ndarray, first: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Return where the partners of each second value at a difference from low to high begin, and their number."""
    start = np.searchsorted(first, second - high, side="left")
    return start, np.searchsorted(first, second - low, side="right") - start


def holm(p_values: pd.Series) -> pd.Series:
    """Adjust P values for the number of tests by Holm's step-down method; missing ones stay missing.

    >>> holm(pd.Series([0.01, 0.04, None])).round(3).tolist()
    [0.02, 0.04, nan]
    """
    known = p_values.dropna().sort_values()
    factors = np.arange(len(known), 0, -1)
    adjusted = np.minimum(1, np.maximum.accumulate(known.to_numpy(dtype=float) * factors))
    return pd.Series(adjusted, index=known.index).reindex(p_values.index)


def compare(cohort: pd.DataFrame, rows: pd.DataFrame, by: str, confidence: float = 0.95) -> pd.DataFrame:
    """Test each row of a table between the two groups of ``by``.

    ``rows`` has the columns ``row``, ``kind`` and ``tested``, as `nxp2lib.published.rows` returns them: counts are
    compared with Fisher's exact test, medians with the Mann-Whitney U test, untested rows are left out. The result is
    long, ``row,group,statistic,value``, with the group ``comparison``. Where a group is empty every statistic is NaN.
    """
    check_confidence(confidence)
    found = []
    for row, kind in rows.loc[rows["tested"], ["row", "kind"]].itertuples(index=False):
        test = _compare_counts if kind == "count" else _compare_values
        found.append(((row, "comparison"), test(cohort[row], cohort[by], confidence)))
    adjusted = holm(pd.Series([values["p_value"] for _, values in found], dtype=float))
    for (_, values), p_holm in zip(found, adjusted, strict=True):
        values["p_holm"] = p_holm
    return describe.long(found)


def two_groups(
    cohort: pd.DataFrame,
    rows: pd.DataFrame,
    by: str,
    quantile_method: str = "weibull",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return everything that a table of two groups shows: `describe.summarize` and `compare` put together."""
    described = describe.summarize(cohort, rows, by, quantile_method)
    return pd.concat([described, compare(cohort, rows, by, confidence)], ignore_index=True)


def _compare_counts(finding: pd.Series, group: pd.Series, confidence: float) -> dict[str, float]:
    table = two_by_two(finding, group)
    if 0 in table.sum(axis=1):
        return dict.fromkeys(Fisher._fields, float("nan"))
    return fisher(table, confidence)._asdict()


def _compare_values(values: pd.Series, group: pd.Series, confidence: float) -> dict[str, float]:
    first, second = (values[group == name] for name in group.cat.categories)
    return mann_whitney(second, first)._asdict()


def check_confidence(confidence: float) -> None:
    """Raise ValueError unless ``confidence`` is a level between 0 and 1, such as 0.95."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: {confidence} is not accepted; accepted: a level between 0 and 1, such as 0.95")
