"""Which values a statistic can take at all: P values, percentages, means and ratios of so many patients."""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from math import ceil, floor
from typing import NamedTuple

import numpy as np

from nxp2lib import digits
from nxp2lib.audit import conventions


class Solved(NamedTuple):
    """What a printed ratio and its observed count say: cases expected, and years at risk of each patient."""

    expected_low: float
    expected_high: float
    years_low: float
    years_high: float


@lru_cache(maxsize=10_000)
def p_values(n_first: int, n_second: int, found: int, convention: str = "fisher") -> np.ndarray:
    """Return all P values that a 2x2 table of two groups can give, sorted, each once.

    ``n_first`` and ``n_second`` are the patients of each group, ``found`` those of both together with the finding.
    ``convention`` is a name from `nxp2lib.audit.conventions.LABELS`; where it gives no P value the table is left out.
    Raises ValueError for a group without patients, or more findings than patients.

    Three patients in each group and three findings: 3 against 0, 2 against 1, and their mirror images.

    >>> p_values(3, 3, 3)
    array([0.1, 1. ])
    """
    _whole("n_first", n_first, 1)
    _whole("n_second", n_second, 1)
    _whole("found", found, 0, n_first + n_second)
    first = np.arange(max(0, found - n_second), min(n_first, found) + 1)
    second = found - first
    tables = np.stack([second, n_second - second, first, n_first - first], axis=1).reshape(-1, 2, 2)
    return np.unique(conventions.p_values(tables, [convention])[convention].dropna())


def nearest(values: Sequence[float], target: float | str) -> tuple[float | None, float | None]:
    """Return the attainable values at or just below, and at or just above, a printed number; None beyond an end.

    >>> nearest([0.1, 0.4, 1.0], "0.50"), nearest([0.1, 0.4, 1.0], 0.4), nearest([0.1, 0.4, 1.0], "0.04")
    ((0.4, 1.0), (0.4, 0.4), (None, 0.1))
    """
    below = [float(value) for value in values if value <= float(target)]
    above = [float(value) for value in values if value >= float(target)]
    return max(below, default=None), min(above, default=None)


def percentages(denominator: int, decimals: int = 1) -> list[str]:
    """Return all percentages that can be printed for a number of patients, from 0 to 100, rounded half up.

    >>> percentages(8)
    ['0.0', '12.5', '25.0', '37.5', '50.0', '62.5', '75.0', '87.5', '100.0']

    Raises ValueError for a denominator below 1 or negative decimals.
    """
    _whole("denominator", denominator, 1)
    _whole("decimals", decimals, 0)
    return list(dict.fromkeys(str(_percent(count, denominator, decimals)) for count in range(denominator + 1)))


def counts(percent: str, denominator: int) -> list[int]:
    """Return the counts of patients that are printed as this percentage of ``denominator``; none if not attainable.

    >>> counts("13.8", 29), counts("15.8", 29), counts("50", 1)
    ([4], [], [])

    ``percent`` is the digits as printed, from 0 to 100. Raises ValueError for another, or a denominator below 1.
    """
    _whole("denominator", denominator, 1)
    number, decimals = _printed("percent", percent, 100)
    near = [count for count in _near(number / 100, decimals + 2, denominator) if 0 <= count <= denominator]
    return [count for count in near if _percent(count, denominator, decimals) == number]


def denominators(count: int, percent: str, largest: int) -> list[int]:
    """Return the numbers of patients, up to ``largest``, of whom ``count`` are printed as this percentage.

    >>> denominators(4, "15.8", 29), denominators(3, "15.8", 29), denominators(0, "0.0", 3)
    ([], [19], [1, 2, 3])

    Raises ValueError for a percentage outside 0 to 100, a negative count, or ``largest`` below 1.
    """
    _whole("count", count, 0)
    _whole("largest", largest, 1)
    number, decimals = _printed("percent", percent, 100)
    return [n for n in range(max(1, count), largest + 1) if _percent(count, n, decimals) == number]


def sums(mean: str, n: int) -> list[int]:
    """Return the sums of ``n`` whole numbers whose mean is printed like this; none if the mean is not attainable.

    This is the GRIM test (Brown and Heathers 2017, Soc Psychol Personal Sci 8:363).

    >>> sums("3.4", 10), sums("3.45", 10), sums("8", 3)
    ([34], [], [23, 24, 25])

    ``mean`` is the digits as printed. Raises ValueError for anything else, or ``n`` below 1.
    """
    _whole("n", n, 1)
    number, decimals = _printed("mean", mean)
    near = _near(number, decimals, n)
    return [total for total in near if digits.round_half_up(Decimal(total) / n, decimals) == number]


def back_solve(observed: int, sir: str, expected: tuple[float, float]) -> Solved:
    """Work back from a printed standardized incidence ratio to the cases expected and the time at risk.

    The expected cases are observed / ratio, over all ratios that round to the printed digits. ``expected`` holds the
    least and greatest number expected when every patient contributes one person-year, for instance over all ages that a
    paper allows; dividing by it gives the person-years per patient, if rates stay those of the age at onset. Raises
    ValueError for no observed case, a ratio that can be zero, or expected numbers that are not above zero.

    >>> [round(number, 3) for number in back_solve(8, "22.4", (0.2, 0.4))]
    [0.356, 0.358, 0.891, 1.79]
    """
    least, greatest = digits.interval(sir)
    if observed < 1 or least <= 0 or not 0 < expected[0] <= expected[1]:
        said = f"observed {observed}, ratio {sir}, expected {expected}"
        raise ValueError(f"{said} are not accepted; accepted: numbers above zero")
    low, high = observed / float(greatest), observed / float(least)
    return Solved(low, high, low / expected[1], high / expected[0])


def _near(number: Decimal, decimals: int, n: int) -> range:
    """Return the sums of ``n`` whole numbers whose mean may be printed as ``number``, and some on either side."""
    unit = Decimal(1).scaleb(-decimals)
    return range(floor((number - unit) * n) - 1, ceil((number + unit) * n) + 2)


def _percent(count: int, denominator: int, decimals: int) -> Decimal:
    return digits.round_half_up(Decimal(100 * count) / denominator, decimals)


def _printed(name: str, text: str, largest: int | None = None) -> tuple[Decimal, int]:
    """Return a printed number and its decimals, or raise ValueError; with ``largest`` it lies between 0 and that."""
    whole, point, fraction = str(text).removeprefix("" if largest else "-").partition(".")
    plain = (whole + fraction).isascii() and whole.isdigit() and (fraction.isdigit() or not point)
    if not plain or (largest is not None and Decimal(text) > largest):
        accepted = f"digits from 0 to {largest}, such as 15.8" if largest else "digits, such as 3.45"
        raise ValueError(f"{name}: {text!r} is not accepted; accepted: {accepted}")
    return Decimal(text), len(fraction)


def _whole(name: str, number: int, lowest: int, highest: int | None = None) -> None:
    if number != int(number) or number < lowest or (highest is not None and number > highest):
        upwards = f"to {highest}" if highest is not None else "or more"
        raise ValueError(f"{name}: {number} is not accepted; accepted: a whole number, {lowest} {upwards}")
