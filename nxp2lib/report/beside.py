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
COUNTS = ["published_n", "published_denominator", "n", "denominator"]
NAN = float("nan")


class Difference(NamedTuple):
    """A difference with its confidence interval."""

    difference: float
    ci_low: float
    ci_high: float


def newcombe(second: tuple[int, int], first: tuple[int, int], confidence: float = 0.95) -> Difference:
    """Return the difference of two proportions, second minus first, with Newcombe's hybrid score interval.

    Each argument is (count, denominator). Method 10 of Newcombe 1998 (Statistics in Medicine 17:873): the score limits
    (Wilson 1927) of both proportions, those of R's ``prop.test(n, denominator, correct=FALSE)``, are combined. NaN
    where a denominator is zero. Raises ValueError for a level outside 0 to 1.

    >>> [round(number, 4) for number in newcombe((56, 70), (48, 80))]
    [0.2, 0.0524, 0.3339]
    """
    from scipy.stats import binomtest

    fourfold.check_confidence(confidence)
    if not second[1] or not first[1]:
        return Difference(NAN, NAN, NAN)
    ours, theirs = second[0] / second[1], first[0] / first[1]
    (low, high), (least, most) = (binomtest(*pair).proportion_ci(confidence, "wilson") for pair in (second, first))
    difference = ours - theirs
    below = np.sqrt((ours - low) ** 2 + (most - theirs) ** 2)
    above = np.sqrt((high - ours) ** 2 + (theirs - least) ** 2)
    return Difference(difference, float(difference - below), float(difference + above))


def ratio_of_rates(second: tuple[int, float], first: tuple[int, float], confidence: float = 0.95) -> Difference:
    """Return the ratio of two standardized incidence ratios, second to first, with its exact interval.

    Each argument is (observed, expected). Given all observed cases, those of the second follow a binomial distribution;
    its Clopper-Pearson limits are turned into limits of the ratio, as R's ``poisson.test`` does for two rates. NaN
    where nothing is expected, or nothing was observed in either.

    >>> [round(number, 3) for number in ratio_of_rates((11, 800.0), (23, 3000.0))]
    [1.793, 0.789, 3.83]
    """
    from scipy.stats import binomtest

    fourfold.check_confidence(confidence)
    (ours, expected), (theirs, reference) = second, first
    if not expected > 0 or not reference > 0 or not ours + theirs:
        return Difference(NAN, NAN, NAN)
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
        table, groups = results[result], (findings.TOTAL, *findings.compared(result))
        for row, kind, tested in published.rows(result).itertuples(index=False):
            if kind == "count":
                found += [_percentages(table, (result, row, group), confidence) for group in groups]
            else:
                found += [_number(table, (result, row, group), kind) for group in groups]
            if tested:
                found.append(_number(table, (result, row, "comparison"), "p_value"))
    return pd.DataFrame([*found, _incidence(results["malignancy"], confidence)])


def _percentages(table: pd.DataFrame, place: tuple[str, str, str], confidence: float) -> dict:
    theirs = _published_count(*place)
    ours = tuple(describe.value(table, *place[1:], name) for name in ("n", "denominator"))
    counted = (describe.count(table, *place[1:]), describe.count(table, *place[1:], "denominator"))
    percents = [100 * n / denominator if denominator else NAN for n, denominator in (theirs, counted)]
    apart = [100 * value for value in newcombe(counted, theirs, confidence)]
    return dict(zip([*COLUMNS, *COUNTS], [*place, "percent", *percents, *apart, *theirs, *ours], strict=True))


def _number(table: pd.DataFrame, place: tuple[str, str, str], statistic: str) -> dict:
    result, row, group = place
    printed = published.load(result).query("item == @row and group == @group and statistic == @statistic")["printed"]
    printed = printed.iloc[0] if len(printed) else ""
    number, yours = pd.to_numeric(printed, errors="coerce"), describe.value(table, row, group, statistic)
    difference = yours - number if statistic != "p_value" else NAN
    return dict(zip(COLUMNS, [*place, statistic, number, yours, difference], strict=False)) | {"printed": printed}


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
    counted = describe.count(table, "all_sites", "adult", "observed")
    ratio = ratio_of_rates((counted, ours[1]), (observed, observed / sir), confidence)
    numbers = dict(zip(COLUMNS, ["malignancy", "all_sites", "adult", "sir", sir, ours[2], *ratio], strict=True))
    return numbers | {"published_n": observed, "n": ours[0]}
