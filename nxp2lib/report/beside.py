"""Set the published cohort beside another one: differences with intervals, number by number.

A difference is the other cohort's number minus the published one. Published numbers are taken from the registry as
they are printed; nothing is known of the published patients beyond them.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from nxp2lib import describe, findings, fourfold, published
from nxp2lib.audit import attainable

COLUMNS = ["result", "row", "group", "statistic", "published", "yours", "difference", "ci_low", "ci_high"]


class Difference(NamedTuple):
    """A difference with its confidence interval."""

    difference: float
    ci_low: float
    ci_high: float


def wilson(n: int, denominator: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the score interval of a proportion (Wilson 1927), from 0 to 1, without continuity correction.

    R's ``prop.test(n, denominator, correct=FALSE)`` agrees.

    >>> [round(limit, 4) for limit in wilson(4, 29)]
    [0.055, 0.3056]

    NaN where the denominator is zero. Raises ValueError for a level outside 0 to 1.
    """
    from scipy.stats import binomtest

    fourfold.check_confidence(confidence)
    if not denominator:
        return float("nan"), float("nan")
    low, high = binomtest(n, denominator).proportion_ci(confidence, method="wilson")
    return float(low), float(high)


def newcombe(second: tuple[int, int], first: tuple[int, int], confidence: float = 0.95) -> Difference:
    """Return the difference of two proportions, second minus first, with Newcombe's hybrid score interval.

    Each argument is (count, denominator). Method 10 of Newcombe 1998 (Statistics in Medicine 17:873): the Wilson
    limits of both proportions are combined.

    >>> [round(number, 4) for number in newcombe((56, 70), (48, 80))]
    [0.2, 0.0524, 0.3339]

    NaN where a denominator is zero.
    """
    if not second[1] or not first[1]:
        return Difference(*[float("nan")] * 3)
    ours, theirs = second[0] / second[1], first[0] / first[1]
    (low, high), (least, most) = wilson(*second, confidence), wilson(*first, confidence)
    difference = ours - theirs
    below = np.sqrt((ours - low) ** 2 + (most - theirs) ** 2)
    above = np.sqrt((high - ours) ** 2 + (theirs - least) ** 2)
    return Difference(difference, float(difference - below), float(difference + above))


def ratio_of_rates(second: tuple[int, float], first: tuple[int, float], confidence: float = 0.95) -> Difference:
    """Return the ratio of two standardized incidence ratios, second to first, with its exact interval.

    Each argument is (observed, expected). Given all observed cases, those of the second follow a binomial distribution;
    its Clopper-Pearson limits are turned into limits of the ratio, as R's ``poisson.test`` does for two rates.

    >>> [round(number, 3) for number in ratio_of_rates((11, 800.0), (23, 3000.0))]
    [1.793, 0.789, 3.83]

    NaN where nothing is expected, or nothing was observed in either.
    """
    from scipy.stats import binomtest

    fourfold.check_confidence(confidence)
    (ours, expected), (theirs, reference) = second, first
    if not expected > 0 or not reference > 0 or not ours + theirs:
        return Difference(*[float("nan")] * 3)
    low, high = binomtest(ours, ours + theirs).proportion_ci(confidence, method="exact")

    def odds(share: float) -> float:
        return float(reference / expected * share / (1 - share)) if share < 1 else float("inf")

    return Difference(odds(ours / (ours + theirs)), odds(low), odds(high))


def compare_cohorts(results: dict[str, pd.DataFrame], confidence: float = 0.95) -> pd.DataFrame:
    """Set every printed number of Tables 1 and 2 beside the one computed, with differences.

    ``results`` holds the long tables ``table1``, ``table2`` and ``malignancy`` of a cohort. Returns one row per
    printed quantity with ``COLUMNS``: for counts ``n`` and ``denominator`` of both in addition (``published_n`` ...),
    values in percent and the difference in percentage points with its interval; for means, medians and the incidence
    ratio the numbers as they are. Means, medians and P values have a difference without an interval, since what their
    spread rests on is not printed; the incidence ratio has the ratio of both in place of a difference.
    """
    found = []
    for result in findings.TABLES:
        for row, kind, tested in published.rows(result).itertuples(index=False):
            for group in (findings.TOTAL, *findings.compared(result)):
                found.append(_row(results[result], result, row, kind, group, confidence))
            if tested:
                found.append(_plain(results[result], result, row, "comparison", "p_value"))
    found.append(_incidence(results["malignancy"], confidence))
    return pd.DataFrame([row for row in found if row])


def _row(table: pd.DataFrame, result: str, row: str, kind: str, group: str, confidence: float) -> dict:
    if kind != "count":
        return _plain(table, result, row, group, kind)
    theirs = _published_count(result, row, group)
    ours = tuple(int(describe.value(table, row, group, name)) for name in ("n", "denominator"))
    difference = newcombe(ours, theirs, confidence)
    return {
        **_address(result, row, group, "percent"),
        **{"published": 100 * theirs[0] / theirs[1], "yours": 100 * ours[0] / ours[1] if ours[1] else float("nan")},
        **{name: 100 * value for name, value in difference._asdict().items()},
        **dict(zip(["published_n", "published_denominator", "n", "denominator"], (*theirs, *ours), strict=True)),
    }


def _plain(table: pd.DataFrame, result: str, row: str, group: str, statistic: str) -> dict:
    printed = published.load(result).query("item == @row and group == @group and statistic == @statistic")["printed"]
    number = pd.to_numeric(printed.iloc[0], errors="coerce") if len(printed) else float("nan")
    yours = describe.value(table, row, group, statistic)
    difference = yours - number if statistic != "p_value" else float("nan")
    known = {"published": number, "yours": yours, "difference": difference}
    return {**_address(result, row, group, statistic), **known, "printed": printed.iloc[0] if len(printed) else ""}


def _address(result: str, row: str, group: str, statistic: str) -> dict:
    return {"result": result, "row": row, "group": group, "statistic": statistic}


def _published_count(result: str, row: str, group: str) -> tuple[int, int]:
    """Return a printed count and how many it is of: as its percentage says where not everyone was known."""
    registry = published.load(result).set_index(["item", "group", "statistic"])["printed"]
    n, size = int(registry[row, group, "n"]), int(registry["patients", group, "n"])
    percent = registry.get((row, group, "percent"), "")
    possible = attainable.denominators(n, percent, largest=size) if n and percent else []
    return n, size if size in possible or not possible else max(possible)


def _incidence(table: pd.DataFrame, confidence: float) -> dict:
    observed = int(published.printed("table1/malignancy/adult/n", "table1"))
    sir = float(published.printed("malignancy/all_sites/adult/sir", "results"))
    ours = [describe.value(table, "all_sites", "adult", name) for name in ("observed", "expected", "sir")]
    ratio = ratio_of_rates((int(ours[0]), ours[1]), (observed, observed / sir), confidence)
    return {
        **_address("malignancy", "all_sites", "adult", "sir"),
        **{"published": sir, "yours": ours[2]},
        **ratio._asdict(),
        **{"published_n": observed, "n": int(ours[0])},
    }
