"""Compare two groups row by row: counts by Fisher's exact test, numbers by the Mann-Whitney U test."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from nxp2lib import describe, findings
from nxp2lib.cohort import is_synthetic
from nxp2lib.fourfold import TIE, Fisher, Table, check_confidence, clean, fisher, two_by_two

FEW = 1_000_000  # differences that are written down
MOST_LISTED = 1_000_000  # tables with the margins of an R x C table; where there may be more, some are drawn
DRAWN, SEED = 99_999, 1  # tables, the same every time
RANK_TESTS = ("auto", "exact", "spss")
SMALL_GROUP = 20  # patients of a group up to which U has tables of exact limits (Siegel 1956, Nonparametric Statistics)
MOST_EXACT = 10_000  # patients of the smaller sample times all patients: beyond that rank sums are not counted


class MannWhitney(NamedTuple):
    """U of the second sample, P values (the one asked for, exact, approximate), and two measures of effect."""

    u: float
    p_value: float
    p_exact: float
    p_approximate: float
    shift: float
    superiority: float


class Exact(NamedTuple):
    """A P value, and its standard error where tables were drawn; 0 where all were listed."""

    p_value: float
    standard_error: float = 0.0


def fisher_exact_rxc(table: Table) -> Exact:
    """Return the exact P value of an R x C table (Freeman and Halton 1951).

    Probabilities of all tables with the same margins that are no likelier than the observed one are added up. Where
    they may be more than ``MOST_LISTED``, ``DRAWN`` ones are drawn, the same every time. NaN for an empty table.

    >>> p_value, standard_error = fisher_exact_rxc([[24, 25], [16, 3], [7, 1]])
    >>> round(p_value, 4), standard_error
    (0.007, 0.0)
    """
    from scipy.special import gammaln
    from scipy.stats import MonteCarloMethod, fisher_exact

    counts = np.asarray(table, dtype=int)
    if not counts.sum():
        return Exact(float("nan"), float("nan"))
    counts = counts[np.ix_(counts.any(1), counts.any(0))]
    counts = counts[np.argsort(counts.sum(1))]  # the largest row last: what is left goes there
    if np.prod([np.minimum(counts.sum(1), total)[:-1] + 1.0 for total in np.sort(counts.sum(0))[:-1]]) > MOST_LISTED:
        p = fisher_exact(counts, method=MonteCarloMethod(n_resamples=DRAWN, rng=np.random.default_rng(SEED))).pvalue
        return Exact(float(p), float((p * (1 - p) / DRAWN) ** 0.5))
    log_factorial = gammaln(np.arange(counts.sum() + 1) + 1)
    constant = log_factorial[counts.sum(0)].sum() + log_factorial[counts.sum(1)].sum() - log_factorial[counts.sum()]
    limit = -log_factorial[counts].sum() + constant + np.log(TIE)
    states = {tuple(counts.sum(1)): np.array([constant])}  # rows still to fill -> log probabilities so far
    for total in np.sort(counts.sum(0))[:-1]:
        grown: dict[tuple[int, ...], list[np.ndarray]] = {}
        for left, logs in states.items():
            for column in _columns(left, total):
                rest = tuple(n - k for n, k in zip(left, column, strict=True))
                grown.setdefault(rest, []).append(logs - log_factorial[list(column)].sum())
        states = {rest: np.concatenate(parts) for rest, parts in grown.items()}
    logs = np.concatenate([logs - log_factorial[list(rest)].sum() for rest, logs in states.items()])
    return Exact(clean(np.exp(logs[logs <= limit]).sum()))


def _columns(left: tuple[int, ...], total: int) -> Iterator[tuple[int, ...]]:
    """Yield every way to put ``total`` patients into rows that have room for ``left``."""
    for others in product(*(range(min(room, total) + 1) for room in left[:-1])):
        if 0 <= total - sum(others) <= left[-1]:
            yield (*others, total - sum(others))


def check_rank_test(rank_test: str) -> None:
    """Raise ValueError unless ``rank_test`` is one of ``RANK_TESTS``."""
    if rank_test not in RANK_TESTS:
        raise ValueError(f"rank_test: {rank_test!r} is not accepted; accepted: {', '.join(RANK_TESTS)}")


def mann_whitney(second: Sequence[float], first: Sequence[float], rank_test: str = "spss") -> MannWhitney:
    """Compare two samples of numbers by their ranks; missing values are left out.

    ``p_approximate`` is the normal approximation with tie correction and without continuity correction, as SPSS prints
    it and R's ``wilcox.test(exact=FALSE, correct=FALSE)``; ``p_exact`` the share of all ways to divide the patients
    that bring U at least as far from its mean, ties included, as R's ``coin::wilcox_test(distribution="exact")``; NaN
    where the smaller sample times all patients is above ``MOST_EXACT``. ``p_value`` is the approximate one (``spss``),
    the exact one (``exact``), or (``auto``) the exact one where a sample has up to ``SMALL_GROUP`` patients; the
    approximate one wherever there is no exact one. ``shift`` is the Hodges-Lehmann estimate, the median of all
    differences second minus first; ``superiority`` the probability that a patient of the second sample has the higher
    value (ties count half).

    >>> result = mann_whitney([4.1, 5.2, 6.3], [0.5, 0.9, 1.7], "auto")
    >>> result.u, result.p_value, round(result.p_approximate, 4), round(result.shift, 2), result.superiority
    (9.0, 0.1, 0.0495, 4.3, 1.0)

    All NaN where a sample is empty. P is 1 where all values are equal (R: NaN). Raises ValueError for another test.
    """
    from scipy.stats import rankdata

    check_rank_test(rank_test)
    y, x = (pd.Series(sample).dropna().to_numpy(dtype=float) for sample in (second, first))
    if not len(y) or not len(x):
        return MannWhitney(*[float("nan")] * 6)
    ranks, few, pairs = rankdata(np.concatenate([y, x])), min(len(y), len(x)), len(y) * len(x)
    u = float(ranks[: len(y)].sum() - len(y) * (len(y) + 1) / 2)
    p_approximate = rank_p(y, x)
    p_exact = _exact_p(ranks, few, abs(u - pairs / 2)) if few * len(ranks) <= MOST_EXACT else float("nan")
    exact = rank_test == "exact" or (rank_test == "auto" and few <= SMALL_GROUP)
    p_value = p_exact if exact and not np.isnan(p_exact) else p_approximate
    return MannWhitney(u, p_value, p_exact, p_approximate, median_difference(y, x), u / pairs)


def rank_p(second: np.ndarray, first: np.ndarray) -> float:
    """Return the approximate P value of `mann_whitney` alone, for samples of one or more known values."""
    from scipy.stats import mannwhitneyu

    differ = min(second.min(), first.min()) < max(second.max(), first.max())
    return float(mannwhitneyu(second, first, method="asymptotic", use_continuity=False).pvalue) if differ else 1.0


def _exact_p(ranks: np.ndarray, few: int, distance: float) -> float:
    """Return the chance that U of ``few`` patients drawn from all lies at least so far from its mean.

    Row i, column s of ``ways`` counts the draws of i patients whose doubled ranks, whole numbers, add up to s.
    """
    doubled = np.sort(2 * ranks).astype(int)
    ways = np.zeros((few + 1, doubled[-few:].sum() + 1))
    ways[0, 0] = 1
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, :-rank]
    far = abs(np.arange(ways.shape[1]) - few * (len(ranks) + 1)) >= 2 * distance
    return clean(ways[-1, far].sum() / ways[-1].sum())


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


def _difference_of_rank(
    second: np.ndarray, of_second: np.ndarray, first: np.ndarray, of_first: np.ndarray, rank: int
) -> float:
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
    adjusted = np.minimum(1, np.maximum.accumulate(known.to_numpy(dtype=float) * np.arange(len(known), 0, -1)))
    return pd.Series(adjusted, index=known.index).reindex(p_values.index)


def compare(
    cohort: pd.DataFrame, rows: pd.DataFrame, by: str, confidence: float = 0.95, rank_test: str = "auto"
) -> pd.DataFrame:
    """Test each row of a table between the two groups of ``by``.

    ``rows`` has the columns ``row``, ``kind`` and ``tested``, as `nxp2lib.published.rows` returns them: counts and
    categories are compared with Fisher's exact test, medians with the Mann-Whitney U test (``rank_test`` says which P
    value is ``p_value``: `mann_whitney`), untested rows left out. The result is long, ``row,group,statistic,value``,
    with the group ``comparison``. Where a group is empty every statistic is NaN. ``p_holm`` is ``p_value`` adjusted for
    the number of `tests`; a row that is none has its opposite's, or ``p_value`` itself.
    """
    check_confidence(confidence)
    check_rank_test(rank_test)
    first, second = (cohort[cohort[by] == name] for name in cohort[by].cat.categories)
    found = []
    for row, kind in rows.loc[rows["tested"], ["row", "kind"]].itertuples(index=False):
        test: Fisher | MannWhitney | Exact
        if kind == "category":
            counts = pd.crosstab(cohort[row], cohort[by]).to_numpy()
            test = fisher_exact_rxc(counts) if counts.shape[-1:] == (2,) else Exact(float("nan"), float("nan"))
        elif kind == "count":
            counts = two_by_two(cohort[row], cohort[by])
            test = Fisher(*[float("nan")] * 4) if 0 in counts.sum(axis=1) else fisher(counts, confidence)
        else:
            test = mann_whitney(second[row], first[row], rank_test)
        found.append(((row, "comparison"), test._asdict()))
    raw = pd.Series({row: values["p_value"] for (row, _), values in found}, dtype=float)
    adjusted = holm(raw[tests(cohort, raw.dropna().index)])
    for (row, _), values in found:
        values["p_holm"] = adjusted.get(row, adjusted.get(findings.opposite(row), raw[row]))
    return describe.long(found)


def tests(cohort: pd.DataFrame, rows: Iterable[str]) -> list[str]:
    """Return the rows that count as tests: one of two opposites, and none with one answer in everybody."""
    named = list(rows)
    return [row for row in named if findings.opposite(row) not in named and cohort[row].nunique() > 1]


def two_groups(
    cohort: pd.DataFrame, rows: pd.DataFrame, by: str, quantile_method: str = "weibull", confidence: float = 0.95,
    rank_test: str = "auto",
) -> pd.DataFrame:  # fmt: skip
    """Return everything that a table of two groups shows: `describe.summarize` and `compare` put together."""
    described = describe.summarize(cohort, rows, by, quantile_method)
    results = pd.concat([described, compare(cohort, rows, by, confidence, rank_test)], ignore_index=True)
    # For the footnotes of `table.build`.
    results.attrs |= {"synthetic": is_synthetic(cohort), "kept_back": describe.is_kept_back(cohort, by)}
    return results
