"""What printed summaries of two groups allow a test to say: quartiles and range, or mean and standard deviation.

A printed number stands for every number that rounds to it, half away from zero: 2594 for 2593.5 up to, not including,
2594.5. Many data sets print the same summaries. The functions here return the least and the greatest result of a test
over all of them; a printed P value outside cannot come from the summaries printed beside it.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, pairwise, product
from math import ceil, floor, sqrt
from typing import NamedTuple

import numpy as np

from nxp2lib import digits
from nxp2lib.reconstruction.puzzle import Infeasible, NotReached, Puzzle, new_solver

METHODS = [  # the nine definitions of Hyndman and Fan (1996), in their order
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased"
]  # fmt: skip
PRINTED = r"-?\d+(\.\d+)?"
GRID = 1001  # standard deviations tried between the two ends of a rounding interval
EXACT_BELOW = 50  # patients in each group, as in R's wilcox.test
ROOM = 100  # how far beyond the printed numbers a value may lie, in multiples of their span: never reached


class Summary(NamedTuple):
    """Size of a group and what is printed of its values, as strings with the printed digits; None where nothing is."""

    n: int
    median: str
    q1: str | None = None
    q3: str | None = None
    minimum: str | None = None
    maximum: str | None = None


class RankBounds(NamedTuple):
    """Least and greatest U of the second group, least and greatest P value."""

    u_least: float
    u_greatest: float
    p_least: float
    p_greatest: float


class MeanSD(NamedTuple):
    """Size of a group, and mean and standard deviation as strings with the printed digits."""

    n: int
    mean: str
    sd: str


class TBounds(NamedTuple):
    """P values of Student's and Welch's t test: taking the digits at face value, least and greatest."""

    student: float
    student_least: float
    student_greatest: float
    welch: float
    welch_least: float
    welch_greatest: float


class _Mark(NamedTuple):
    """A printed number: ``least <= below * value[first] + above * value[last] <= most``, all in whole units."""

    first: int  # place among the sorted values, from 0
    last: int
    below: int
    above: int
    least: int
    most: int

    def ends(self) -> tuple[Fraction, Fraction]:
        """Return the least and greatest number, in units, that the printed one can stand for."""
        return Fraction(self.least, self.below + self.above), Fraction(self.most, self.below + self.above)


class _Group(NamedTuple):
    n: int
    marks: tuple[_Mark, ...]


def rank_test(second: Summary, first: Summary, method: str = "weibull") -> RankBounds:
    """Bound the Mann-Whitney U test over all data sets that print these summaries.

    Of three values only the median is printed, 4, and a single value of the other group is 4. U of the three is least
    for 3, 4, 4 (0 + 1/2 + 1/2) and greatest for 4, 4, 5 (1/2 + 1/2 + 1):

    >>> [round(bound, 3) for bound in rank_test(Summary(3, "4"), Summary(1, "4"))]
    [1.0, 2.0, 0.564, 1.0]

    ``method`` is any method of NumPy's ``quantile``. Values are whole multiples of one unit of the last digit printed
    in these summaries; they may be negative where no minimum is printed. Both U are exact: some data sets have them. P
    is computed as `nxp2lib.compare.mann_whitney` does (normal approximation, tie correction), or with the correction
    for continuity, or exactly (R's defaults). Its bounds are safe, not exact: every data set lies within, but the least
    takes the strongest ties together with the U farthest from the middle, and the greatest is 1 as soon as the middle
    lies between the two U.

    Raises Infeasible where no data set prints a summary, ValueError for what is no size, number or method.
    """
    ends = [_rounding(text) for summary in (second, first) for text in summary[1:] if text is not None]
    unit = min(high - low for low, high in ends)
    groups = [_group(summary, method, unit) for summary in (second, first)]
    for name, summary, group in zip(("second", "first"), (second, first), groups, strict=True):
        if not _exists(group):
            printed = ", ".join(f"{key} {value}" for key, value in summary._asdict().items() if value is not None)
            values = f"no whole multiples of {float(unit):g} print these numbers"
            raise Infeasible(f"the {name} group ({printed}): {values} with quantiles by the method {method}")
    greatest = _greatest_u(*groups)
    least = second.n * first.n - _greatest_u(*groups[::-1])
    return RankBounds(least, greatest, *_p_bounds(least, greatest, *groups))


@lru_cache
def rank_test_any(second: Summary, first: Summary) -> tuple[float, float]:
    """Bound the P value of the Mann-Whitney U test under any definition of a quantile.

    >>> [round(bound, 2) for bound in rank_test_any(Summary(2, "1"), Summary(1, "1"))]
    [0.48, 1.0]

    Definitions by which no data set prints the summaries are left out. Raises Infeasible where no other is left, and
    otherwise as `rank_test` does.
    """
    found = []
    for method in METHODS:
        with suppress(Infeasible):
            found.append(rank_test(second, first, method))
    if not found:
        rank_test(second, first)  # raises Infeasible, and says why
    return min(bounds.p_least for bounds in found), max(bounds.p_greatest for bounds in found)


def _number(printed: str) -> Decimal:
    if not (isinstance(printed, str) and re.fullmatch(PRINTED, printed)):
        raise ValueError(f"{printed!r} is no printed number; accepted: digits as a string, such as '2594' or '0.16'")
    return Decimal(printed)


def _rounding(printed: str) -> tuple[Fraction, Fraction]:
    """Return the ends of the interval of numbers that round to the printed digits."""
    _number(printed)
    return tuple(map(Fraction, digits.interval(printed)))


def _group(summary: Summary, method: str, unit: Fraction) -> _Group:
    """Say which places of the sorted values the printed numbers bind."""
    if summary.n < 1:
        raise ValueError(f"n: {summary.n} is not accepted; accepted: one patient or more")
    places = np.quantile(np.arange(summary.n, dtype=float), [0, 0.25, 0.5, 0.75, 1], method=method).tolist()
    printed = [summary.minimum, summary.q1, summary.median, summary.q3, summary.maximum]
    marks = (_mark(place, text, unit) for place, text in zip(places, printed, strict=True) if text is not None)
    return _Group(summary.n, tuple(marks))


def _mark(place: float, printed: str, unit: Fraction) -> _Mark:
    """Bind the values beside a place, such as 6.5, whose weighted average rounds to the printed digits."""
    exact = Fraction(place).limit_denominator(48)
    first, scale = floor(exact), exact.denominator
    above = exact.numerator - first * scale
    low, high = (scale * end / unit for end in _rounding(printed))
    least = ceil(low) if _number(printed) > 0 else floor(low) + 1  # half rounds away from zero
    most = floor(high) if _number(printed) < 0 else ceil(high) - 1
    return _Mark(first, ceil(exact), scale - above, above, least, most)


def _values(model, group: _Group, other: _Group) -> dict:
    """Add to a model the values of a group that the printed numbers bind, by their place."""
    ends = [end for each in (group, other) for mark in each.marks for end in mark.ends()]
    room = ROOM * (ceil(max(ends) - min(ends)) + 2)
    lowest, highest = floor(min(ends)) - room, ceil(max(ends)) + room
    places = sorted({place for mark in group.marks for place in (mark.first, mark.last)})
    values = {place: model.new_int_var(lowest, highest, "") for place in places}
    for before, after in pairwise(values.values()):
        model.add(before <= after)
    for mark in group.marks:
        total = mark.below * values[mark.first] + mark.above * values[mark.last]
        model.add_linear_constraint(total, mark.least, mark.most)
    return values


def _exists(group: _Group) -> bool:
    """Tell whether some sorted values print a group's numbers; marks are taken from the left, each as low as can be."""
    if any(one.last >= other.first for one, other in pairwise(group.marks)):
        return _greatest_u(group, group) is not None  # neighbouring marks share a value
    lowest = None
    for mark in group.marks:
        both = mark.below + mark.above
        start = -(-mark.least // both)
        tried = (last if lowest is None else max(last, lowest) for last in range(start, start + both + 1))
        fitting = (last for last in tried if _partner(mark, last, lowest))
        if (lowest := next(fitting, None)) is None:
            return False
    return True


def _partner(mark: _Mark, last: int, lowest: int | None) -> bool:
    """Tell whether a value from ``lowest`` to ``last`` makes a mark's printed number together with ``last``."""
    if not mark.below:
        return mark.least <= mark.above * last <= mark.most
    first = min(last, (mark.most - mark.above * last) // mark.below)
    return (lowest is None or first >= lowest) and mark.least <= mark.below * first + mark.above * last <= mark.most


@lru_cache(maxsize=1000)
def _greatest_u(upper: _Group, lower: _Group) -> float | None:
    """Return the greatest U of the upper group, None where no values print the summaries.

    U never falls when a value of the upper group rises or one of the lower group falls. So every value that is not
    pinned moves up to the next pinned one (beyond the last: above everything) in the upper group, and down to the one
    before (before the first: below everything) in the lower group. Only the pinned values remain free.
    """
    model = Puzzle().model
    high, low = _values(model, upper, lower), _values(model, lower, upper)
    rising = [(high[place], place - before) for before, place in pairwise([-1, *high])]
    falling = [(low[place], after - place) for place, after in pairwise([*low, lower.n])]
    top, bottom = upper.n - 1 - max(high), min(low)
    twice = 2 * top * lower.n + 2 * (upper.n - top) * bottom
    for (value, many), (other, more) in product(rising, falling):
        for limit in (other, other + 1):  # a tie counts half
            reached = model.new_bool_var("")
            model.add(value >= limit).only_enforce_if(reached)
            twice += many * more * reached
    model.maximize(twice)
    solver = new_solver(cp_model_presolve=False, max_deterministic_time=60)  # ten times as fast so
    status = solver.status_name(solver.solve(model))
    if status not in ("OPTIMAL", "INFEASIBLE"):
        raise NotReached(f"the greatest U was not found in time ({status})")
    return round(solver.objective_value) / 2 if status == "OPTIMAL" else None


def _p_bounds(least: float, greatest: float, second: _Group, first: _Group) -> tuple[float, float]:
    """Return the least P value (farthest U, strongest ties) and the greatest (nearest U, no ties)."""
    middle = second.n * first.n / 2
    farthest, nearest = max(greatest - middle, middle - least), max(0, least - middle, middle - greatest)
    return _rank_p(farthest, nearest, second.n, first.n, _strongest_ties(second, first))


def _rank_p(farthest: float, nearest: float, n: int, m: int, ties: int) -> tuple[float, float]:
    """Return the least and greatest P value of U so far from its middle, by any accepted way to compute it.

    These are the normal approximation, with and without correction for continuity, and, of fewer than `EXACT_BELOW`
    patients in each group, the exact distribution without ties.
    """
    from scipy.stats import norm

    spread = [sqrt(n * m / 12 * (n + m + 1 - tied / ((n + m) * (n + m - 1)))) for tied in (ties, 0)]
    found = float(2 * norm.sf(farthest / spread[0])), float(2 * norm.sf(max(0, nearest - 0.5) / spread[1]))
    if max(n, m) >= EXACT_BELOW:
        return found
    ends = ceil(n * m / 2 + farthest), floor(n * m / 2 + nearest)
    return min(found[0], _exact_p(ends[0], n, m)), max(found[1], _exact_p(ends[1], n, m))


@lru_cache(maxsize=10_000)
def _exact_p(u: int, n: int, m: int) -> float:
    """Return the exact P value of U of ``n`` values against ``m`` others, none of them equal."""
    from scipy.stats import mannwhitneyu

    whole, rest = divmod(u, m)  # so many of the values lie above all others, and one above the rest
    values = [m + 1 + one for one in range(whole)] + [rest + 0.5] * (whole < n) + [-one for one in range(n - whole - 1)]
    return float(mannwhitneyu(values, np.arange(1, m + 1), method="exact").pvalue)


def rank_test_of_means(second: MeanSD, first: MeanSD) -> tuple[float, float]:
    """Bound the P value of the Mann-Whitney U test by means and standard deviations.

    At most v / (v + k * k) of the values of a group with variance v (divided by n) lie k or more above its mean, or
    below it (Cantelli 1928). So, of two means far apart, so many values of the one lie below a limit and so many of the
    other above it, and U is that large at least. The least P value is that of groups without overlap.

    >>> [round(bound, 5) for bound in rank_test_of_means(MeanSD(9, "12", "2"), MeanSD(9, "5", "1"))]
    [4e-05, 0.19025]
    >>> rank_test_of_means(MeanSD(9, "5", "2"), MeanSD(9, "5", "1"))[1]
    1.0
    """
    n, m = second.n, first.n
    (low2, high2), (low1, high1) = _rounding(second.mean), _rounding(first.mean)
    apart = float(max(0, low2 - high1, low1 - high2))
    variances = [float(_rounding(one.sd)[1]) ** 2 * (one.n - 1) / one.n for one in (second, first)]
    middle, nearest = n * m / 2, 0.0
    for near in np.linspace(0, apart, GRID):
        above, below = (
            size - floor(size * variance / (variance + distance**2) + 1e-9) if distance else 0
            for size, variance, distance in zip((n, m), variances, (near, apart - near), strict=True)
        )
        nearest = max(nearest, above * below - middle)
    return _rank_p(middle, nearest, n, m, n**3 - n + m**3 - m)


def _strongest_ties(second: _Group, first: _Group) -> int:
    """Return a sum of t^3 - t that no values exceed, unless all are equal: as many of the longest ties as fit."""
    patients = second.n + first.n
    longest = min(_longest_tie(second) + _longest_tie(first), patients - 1)
    whole, rest = divmod(patients, longest)
    return whole * (longest**3 - longest) + rest**3 - rest  # the greatest, as the cube is convex


def _longest_tie(group: _Group) -> int:
    """Return how many neighbouring places can hold one value: never two printed numbers that differ."""
    pairs = [(one, other) for one, other in combinations(group.marks, 2) if one.ends()[1] < other.ends()[0]]
    apart = [(one.first, max(one.last, other.last)) for one, other in pairs]
    starts = [0, *(start + 1 for start, _ in apart)]
    return max(min([end for begin, end in apart if begin >= start], default=group.n) - start for start in starts)


def t_test(second: MeanSD, first: MeanSD) -> TBounds:
    """Test two printed means by Student's and Welch's t test, and bound the P values over the rounding.

    Two patients per group, means 3 and 1, variances 1 and 1: t is 2 with two degrees of freedom, P = 1 - sqrt(2/3):

    >>> [round(p, 3) for p in t_test(MeanSD(2, "3", "1"), MeanSD(2, "1", "1"))]
    [0.184, 0.027, 0.574, 0.184, 0.027, 0.574]

    Each number may lie anywhere in its rounding interval, ends included, a standard deviation not below 0. P falls as
    the difference grows, and Student's P rises with either standard deviation: its bounds are exact. Welch's may fall,
    since the degrees of freedom change; but these stay while both standard deviations change in proportion, and P then
    rises. So its extremes lie where one of the two is at an end; there ``GRID`` values of the other are tried.

    P is 1 where the means are equal, and 0 where they differ and nothing varies. Raises ValueError for fewer than two
    patients, a standard deviation below 0, or what is no number.
    """
    if min(second.n, first.n) < 2 or min(_number(second.sd), _number(first.sd)) < 0:
        raise ValueError(f"{second}, {first}: accepted are two patients or more, and no standard deviation below 0")
    sizes, face = (second.n, first.n), [float(_number(group.sd)) for group in (second, first)]
    difference = float(abs(_number(second.mean) - _number(first.mean)))
    (low2, high2), (low1, high1) = _rounding(second.mean), _rounding(first.mean)
    nearest, farthest = float(max(0, low2 - high1, low1 - high2)), float(max(high2 - low1, high1 - low2))
    low, high = zip(*(_rounding(group.sd) for group in (second, first)), strict=True)
    low, high = np.array(low, dtype=float).clip(0), np.array(high, dtype=float)
    found = []
    for pooled in (True, False):
        least = _t_p(farthest, _edges(low, high, low), sizes, pooled).min()
        greatest = _t_p(nearest, _edges(low, high, high), sizes, pooled).max()
        found += [float(_t_p(difference, face, sizes, pooled)), float(least), float(greatest)]
    return TBounds(*found)


def _edges(low: np.ndarray, high: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return pairs of standard deviations, one row per group, of which one is fixed at ``end``, the other runs."""
    running, fixed = np.linspace(low, high, GRID, axis=1), np.repeat(end[:, None], GRID, axis=1)
    return np.block([[running[:1], fixed[:1]], [fixed[1:], running[1:]]])


def _t_p(difference: float, sds, sizes: tuple[int, int], pooled: bool):
    """Return the P value of Student's t test (variances ``pooled``) or of Welch's."""
    from scipy.stats import t

    (n, m), (one, other) = sizes, np.square(sds)
    if pooled:
        degrees = n + m - 2
        variance = ((n - 1) * one + (m - 1) * other) / degrees * (1 / n + 1 / m)
    else:
        variance = one / n + other / m
        share = np.divide(one / n, variance, out=np.full(np.shape(one), 0.5), where=variance > 0)
        degrees = 1 / (share**2 / (n - 1) + (1 - share) ** 2 / (m - 1))
    if not difference:
        return np.ones(np.shape(variance))
    with np.errstate(divide="ignore"):
        return 2 * t.sf(np.divide(difference, np.sqrt(variance)), degrees)


def pooled_mean(parts: Sequence[tuple[int, str]]) -> tuple[float, float]:
    """Return the least and greatest mean of all patients, given the size and the printed mean of each group.

    >>> [round(mean, 1) for mean in pooled_mean([(29, "8"), (47, "52")])]
    [34.7, 35.7]

    Raises ValueError without groups, for an empty group, or for what is no number.
    """
    if not parts or min(n for n, _ in parts) < 1:
        raise ValueError(f"sizes {[n for n, _ in parts]} are not accepted; accepted: groups of one patient or more")
    ends = zip(*(_rounding(mean) for _, mean in parts), strict=True)
    patients = sum(n for n, _ in parts)
    return tuple(float(sum(n * end for (n, _), end in zip(parts, side, strict=True)) / patients) for side in ends)
