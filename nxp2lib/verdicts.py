"""The verdict on one printed number, with a reason that can be checked by hand.

Each function takes what is printed, as a string with its digits, and the numbers that it should follow from.
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache

from nxp2lib import attainable, conventions, incidence, published, summaries
from nxp2lib.constraints import Infeasible

REPRODUCED, OTHER_CONVENTION = "reproduced", "reproduced under another convention"
CONSISTENT, UNDETERMINED, INCONSISTENT, EXTERNAL = "consistent", "undetermined", "inconsistent", "external"
VERDICTS = (REPRODUCED, OTHER_CONVENTION, CONSISTENT, UNDETERMINED, INCONSISTENT, EXTERNAL)


@dataclass(frozen=True)
class Finding:
    """What is found about one printed number; ``conflict`` holds the ids of numbers that cannot all be true."""

    verdict: str
    reason: str
    convention: str = ""
    conflict: tuple[str, ...] = ()


def percentage(printed: str, number: int, denominator: int) -> Finding:
    """Judge a printed percentage of patients by its count and denominator.

    >>> percentage("55.2", 16, 29).reason
    '16/29 is 55.17 %, which rounds to 55.2'
    >>> percentage("62.0", 18, 29).reason
    '18/29 is 62.07 %, which rounds to 62.1; cut off after the printed decimals it is 62.0'
    >>> percentage("15.8", 4, 29).reason
    '4/29 is 13.79 %, which rounds to 13.8; no whole number of 29 is 15.8 %: 4 are 13.8, 5 are 17.2'

    Raises ValueError unless the count lies between 0 and a denominator of at least 1.
    """
    if not 0 <= number <= denominator or not denominator:
        raise ValueError(f"{number}/{denominator} is not accepted; accepted: some of at least one patient")
    target, decimals = Decimal(printed), _decimals(printed)
    exact = Decimal(100 * number) / denominator
    rounded = published.round_half_up(exact, decimals)
    closer = published.round_half_up(exact, decimals + 1)
    shown = f"{number}/{denominator} is {closer:f} %, which rounds to {rounded:f}"
    if rounded == target:
        return Finding(REPRODUCED, shown)
    if exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_DOWN) == target:
        return Finding(OTHER_CONVENTION, f"{shown}; cut off after the printed decimals it is {printed}", "cut off")
    if published.round_half_up(published.round_half_up(exact, decimals + 1), decimals) == target:
        return Finding(OTHER_CONVENTION, f"{shown}; rounded twice it is {printed}", "rounded twice")
    return Finding(INCONSISTENT, f"{shown}; {_nearest_percentages(printed, denominator)}")


def _nearest_percentages(printed: str, denominator: int) -> str:
    """Say which counts of a denominator give a printed percentage, or else what the counts beside it give."""
    if fitting := attainable.counts(printed, denominator):
        several = f"{fitting[0]} to {fitting[-1]}" if len(fitting) > 3 else " or ".join(map(str, fitting))
        return f"{printed} % would be {several} of {denominator}"
    below = int(Decimal(printed) * denominator / 100)
    beside = [number for number in (below, below + 1) if 0 <= number <= denominator]
    exact = {number: Decimal(100 * number) / denominator for number in beside}
    near = ", ".join(f"{n} are {published.round_half_up(percent, _decimals(printed))}" for n, percent in exact.items())
    return f"no whole number of {denominator} is {printed} %: {near}"


def p_value(printed: str, table, standard: str = "fisher", preferred: str | None = None) -> Finding:
    """Judge the printed P value of a 2x2 table, laid out as in `nxp2lib.compare`.

    ``standard`` is the convention expected; ``preferred`` is named first where that one does not give the printed
    digits and several others do. Both are names of `nxp2lib.conventions.CONVENTIONS`.

    >>> p_value("0.464", [[13, 23], [13, 27]]).reason
    'one-sided Fisher of 13/36 against 13/40 is 0.4640; two-sided Fisher is 0.8110'
    >>> p_value("0.15", [[40, 7], [28, 1]]).reason
    'two-sided Fisher of 40/47 against 28/29 is 0.1448; rounded to 0.145 first, then to 0.15'
    """
    (a, b), (c, d) = table
    found = conventions.search(table, printed).set_index("convention")
    value, matched = found.loc[standard, "p_value"], found.loc[standard, "match"]
    groups = f"of {a}/{a + b} against {c}/{c + d}"
    computed = f"{conventions.CONVENTIONS[standard]} {groups} is {digits(value, printed)}"
    if matched == "rounded":
        return Finding(REPRODUCED, f"{computed}, {as_printed(printed)}")
    if matched:
        once = published.round_half_up(float(value), _decimals(printed) + 1)
        return Finding(OTHER_CONVENTION, f"{computed}; rounded to {once} first, then to {printed}", matched)
    others = found[found["match"] == "rounded"]
    if len(others):
        name = preferred if preferred in others.index else others.index[0]
        label = conventions.CONVENTIONS[name]
        shown = f"{label} {groups} is {digits(others.loc[name, 'p_value'], printed)}"
        return Finding(OTHER_CONVENTION, f"{shown}; {computed.replace(f' {groups}', '')}", label)
    return Finding(INCONSISTENT, f"{computed}, not {printed}{_nearest_p_values(printed, table)}")


def _nearest_p_values(printed: str, table) -> str:
    """Say which values beside a printed P the two-sided Fisher test can take with the margins of a table."""
    if not printed[0].isdigit():
        return ""
    (a, b), (c, d) = table
    near = attainable.nearest(attainable.p_values(a + b, c + d, a + c), float(printed))
    return nearest_in_words([digits(p, printed) for p in near if p is not None])


def nearest_in_words(near: list[str]) -> str:
    """Say which attainable values lie beside a printed one, as the end of a sentence.

    >>> nearest_in_words(["0.0240", "0.0504"]), nearest_in_words(["3e-06"])
    ('; with these margins it can be 0.0240 and 0.0504, nothing between', '; with these margins the nearest is 3e-06')
    """
    if len(set(near)) == 1:
        return f"; with these margins the nearest is {near[0]}"
    return f"; with these margins it can be {' and '.join(near)}, nothing between"


def star(printed: str, table, standard: str = "fisher", beside: str = "") -> Finding:
    """Judge the stars beside a P value; ``beside`` is what the same cell prints.

    >>> star("*", [[40, 7], [28, 1]], beside="0.15").reason
    '* stands for <0.05, but two-sided Fisher is 0.1448; the same cell prints 0.15'
    """
    limit, value = published.STARS[printed], conventions.p_values(table, [standard]).iloc[0, 0]
    computed = f"{conventions.CONVENTIONS[standard]} is {digits(value, limit)}"
    if published.agrees(limit, value):
        return Finding(REPRODUCED, f"{printed} stands for {limit}, and {computed}")
    also = f"; the same cell prints {beside}" if beside else ""
    return Finding(INCONSISTENT, f"{printed} stands for {limit}, but {computed}{also}")


def rank_test(printed: str, second: summaries.Summary, first: summaries.Summary) -> Finding:
    """Judge the printed P value of a Mann-Whitney U test by the quartiles of the two groups.

    Quartiles bound P without settling it: `undetermined` where the printed one lies within the bounds, under any
    definition of the quartiles. The bounds are safe: no data lie outside, but not every P inside need occur.
    `inconsistent` as well where no data have these quartiles.

    >>> apart = summaries.Summary(9, "30", "20", "40"), summaries.Summary(9, "5", "3", "7")
    >>> rank_test("0.50", *apart).verdict, rank_test("0.002", *apart).verdict
    ('inconsistent', 'undetermined')
    """
    try:
        least, greatest = rank_test_bounds(second, first)
    except Infeasible as error:
        return Finding(INCONSISTENT, str(error))
    between = f"what is printed of the two groups keeps a Mann-Whitney P between {least:.2g} and {greatest:.2g}"
    if may_be_printed(printed, least, greatest):
        return Finding(UNDETERMINED, between)
    return Finding(INCONSISTENT, f"{between}, not {printed}")


@lru_cache
def rank_test_bounds(second: summaries.Summary, first: summaries.Summary) -> tuple[float, float]:
    """Return the least and greatest P value under any definition of the quartiles; raise Infeasible without data."""
    bounds = summaries.rank_test_any(second, first)
    if bounds["p_least"].isna().all():
        summaries.rank_test(second, first)  # raises Infeasible, and says why
    return bounds["p_least"].min(), bounds["p_greatest"].max()


def t_test(printed: str, second: summaries.MeanSD, first: summaries.MeanSD) -> Finding:
    """Judge the printed P value of a t test by means and standard deviations, which are rounded themselves.

    >>> t_test("0.02", summaries.MeanSD(10, "5.0", "1.0"), summaries.MeanSD(10, "6.2", "1.1")).reason
    "Student's t test is 0.0200, which rounds to 0.02"
    """
    bounds = summaries.t_test(second, first)
    tests = [("Student's t test", *bounds[:3]), ("Welch's t test", *bounds[3:])]
    for name, face, _, _ in tests:
        if conventions.match(printed, face) == "rounded":
            return Finding(REPRODUCED, f"{name} is {digits(face, printed)}, {as_printed(printed)}", name)
    spans = [f"{name} from {digits(least, printed)} to {digits(most, printed)}" for name, _, least, most in tests]
    spans = f"the printed digits allow {' and '.join(spans)}"
    fitting = [name for name, _, least, most in tests if may_be_printed(printed, least, most)]
    if fitting:
        return Finding(CONSISTENT, spans, fitting[0])
    return Finding(INCONSISTENT, f"{spans}, not {printed}")


def incidence_ratio(printed: str, observed: int, expected: tuple[float, float]) -> Finding:
    """Judge a printed standardized incidence ratio by its observed count.

    ``expected`` holds the least and greatest number of cases expected when every patient contributes one person-year.

    >>> incidence_ratio("22.4", 8, (0.2, 0.8)).reason
    '8 / 22.4 is 0.356 to 0.358 expected; one person-year each expects 0.200 to 0.800: 0.45 to 1.79 person-years each'
    """
    found = incidence.back_solve(observed, printed, expected)
    shown = (
        f"{observed} / {printed} is {found.expected_low:.3f} to {found.expected_high:.3f} expected; one person-year "
        f"each expects {expected[0]:.3f} to {expected[1]:.3f}: {found.years_low:.2f} to {found.years_high:.2f} "
        "person-years each"
    )
    fits = found.years_low <= 1 <= found.years_high
    return Finding(CONSISTENT if fits else UNDETERMINED, shown + ("" if fits else ", which the paper does not print"))


def may_be_printed(printed: str, least: float, greatest: float) -> bool:
    """Tell whether some P value between two bounds, both included, is printed like this.

    >>> may_be_printed("0.05", 0.01, 0.047), may_be_printed("<0.01", 0.02, 0.5), may_be_printed("NS", 0.02, 0.5)
    (True, False, True)
    """
    if not printed[0].isdigit():
        return any(conventions.match(printed, p) for p in (least, greatest))
    half = Decimal(5).scaleb(-_decimals(printed) - 1)
    return least < float(Decimal(printed) + half) and greatest >= float(Decimal(printed) - half)


def digits(p: float, printed: str) -> str:
    """Show a P value with at least four decimals and one more than printed, never as zero unless it is.

    >>> digits(0.46404, "0.464"), digits(0.00000123, "0.04"), digits(float("nan"), "0.04")
    ('0.4640', '1e-06', 'undefined')
    """
    decimals = max(4, _decimals(printed) + 1)
    if p != p:
        return "undefined"
    return f"{p:.{decimals}f}" if p == 0 or p >= 10**-decimals else f"{p:.1g}"


def as_printed(printed: str) -> str:
    """Say that a value is printed like this.

    >>> as_printed("0.04"), as_printed("<0.01")
    ('which rounds to 0.04', 'in line with <0.01')
    """
    return f"which rounds to {printed}" if printed[0].isdigit() else f"in line with {printed}"


def _decimals(printed: str) -> int:
    return len(printed.partition(".")[2])
