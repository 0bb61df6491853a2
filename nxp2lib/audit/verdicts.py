"""The verdict on one printed number, with a reason that can be checked by hand.

Each function takes what is printed, as a string with its digits, and the numbers that it should follow from.
"""

from collections.abc import Sequence
from decimal import Decimal
from math import isnan, nan, prod
from typing import NamedTuple

from nxp2lib import digits, fourfold
from nxp2lib.audit import attainable, summaries
from nxp2lib.reconstruction.puzzle import Infeasible, NotReached

REPRODUCED, OTHER_CONVENTION = "reproduced", "reproduced under another convention"
CONSISTENT, UNDETERMINED, INCONSISTENT, EXTERNAL = "consistent", "undetermined", "inconsistent", "external"
VERDICTS = (REPRODUCED, OTHER_CONVENTION, CONSISTENT, UNDETERMINED, INCONSISTENT, EXTERNAL)
QUICK = (*fourfold.CONDITIONAL, *fourfold.ASYMPTOTIC)
SEARCHED, NAMED = 4_000, 20_000  # outcomes of two groups up to which the slow tests are tried, unasked and asked for
LISTED = 1_000  # patients with a finding up to which attainable P values are listed; of more, they lie close
UNITS = 10**13  # of the last printed digit in the largest number: the solver knows whole numbers of 64 bits
STUDENT, WELCH = "student", "welch"
T_TESTS = {STUDENT: "Student's t test", WELCH: "Welch's t test"}


class Finding(NamedTuple):
    """What is found about one printed number: a ``verdict`` of ``VERDICTS``, and why.

    ``conventions`` are all that give the printed digits, the one that decided first. ``conflict`` holds the ids of
    numbers that cannot all be true. Of a P value: ``p_value`` under the convention expected, ``attainable_below`` and
    ``attainable_above``, the values at or beside the printed one that it can give with these margins (up to ``LISTED``
    findings); ``p_least`` and ``p_greatest``, what printed means or medians allow. NaN for what is not known.
    """

    verdict: str
    reason: str
    conventions: tuple[str, ...] = ()
    conflict: tuple[str, ...] = ()
    p_value: float = nan
    attainable_below: float = nan
    attainable_above: float = nan
    p_least: float = nan
    p_greatest: float = nan


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
    target, decimals = Decimal(printed), digits.decimals(printed)
    exact = Decimal(100 * number) / denominator
    rounded = digits.round_half_up(exact, decimals)
    shown = f"{number}/{denominator} is {digits.round_half_up(exact, decimals + 1):f} %, which rounds to {rounded:f}"
    if rounded == target:
        return Finding(REPRODUCED, shown)
    if digits.cut_off(exact, decimals) == target:
        return Finding(OTHER_CONVENTION, f"{shown}; cut off after the printed decimals it is {printed}", ("cut off",))
    if digits.round_twice(exact, decimals) == target:
        return Finding(OTHER_CONVENTION, f"{shown}; rounded twice it is {printed}", (digits.ROUNDED_TWICE,))
    return Finding(INCONSISTENT, f"{shown}; {_nearest_percentages(printed, denominator)}")


def _nearest_percentages(printed: str, denominator: int) -> str:
    """Say which counts of a denominator give a printed percentage, or else what the counts beside it give."""
    if fitting := attainable.counts(printed, denominator):
        several = f"{fitting[0]} to {fitting[-1]}" if len(fitting) > 3 else " or ".join(map(str, fitting))
        return f"{printed} % would be {several} of {denominator}"
    below, decimals = int(Decimal(printed) * denominator / 100), digits.decimals(printed)
    beside = {n: Decimal(100 * n) / denominator for n in (below, below + 1) if 0 <= n <= denominator}
    near = ", ".join(f"{n} are {digits.round_half_up(percent, decimals)}" for n, percent in beside.items())
    return f"no whole number of {denominator} is {printed} %: {near}"


def p_value(
    printed: str, tables: Sequence, expected: Sequence[str] = ("fisher",), preferred: str | None = None
) -> Finding:
    """Judge a printed P value by all 2x2 tables that the printed counts allow, laid out as in `nxp2lib.compare`.

    ``expected`` are the conventions that are named or inferred; ``preferred`` comes first where none of them gives the
    printed digits and several others do. All are names of `nxp2lib.fourfold.CONVENTIONS`.

    >>> p_value("0.464", [[[13, 23], [13, 27]]]).reason
    'one-sided Fisher of 13/36 against 13/40 is 0.4640; two-sided Fisher is 0.8110'
    >>> p_value("0.15", [[[40, 7], [28, 1]]]).reason
    'two-sided Fisher of 40/47 against 28/29 is 0.1448; rounded to 0.145 first, then to 0.15'
    """
    outcomes = len(tables) * prod(max(sum(table[side]) for table in tables) + 1 for side in (0, 1))
    if outcomes > NAMED and set(expected) & set(fourfold.UNCONDITIONAL):
        return Finding(UNDETERMINED, f"{fourfold.CONVENTIONS[expected[0]]} of groups this large is not computed here")
    values, fits = _fits(printed, tables, [*expected, *QUICK])
    if outcomes <= SEARCHED and not any(digits.ROUNDED in fit for fit in fits.values()):
        values, fits = _fits(printed, tables, [*expected, *fourfold.CONVENTIONS])
    name = max(expected, key=lambda name: fits[name].count(digits.ROUNDED))
    giving = [other for other, fit in fits.items() if digits.ROUNDED in fit]
    first = name if name in giving else preferred
    giving.sort(key=lambda other: other != first)
    twice = [digits.ROUNDED_TWICE] if name not in giving and digits.ROUNDED_TWICE in fits[name] else []
    labels = (*twice, *(fourfold.CONVENTIONS[other] for other in giving))
    say = _said_of_one if len(tables) == 1 else _said_of_many
    verdict, reason = say(printed, tables, name, giving[0] if giving else name, values, fits)
    if len(tables) > 1:
        return Finding(verdict, reason, labels)
    near = _nearest(printed, tables[0], name)
    said = _nearest_in_words([digits.computed(p, printed) for p in near if not isnan(p)])
    return Finding(verdict, reason + said * (verdict == INCONSISTENT), labels, (), values[name][0], *near)


def _fits(printed: str, tables: Sequence, names: list[str]) -> tuple[dict[str, list], dict[str, list]]:
    """Return for each convention its P values of the tables, and how each gives the printed digits."""
    values = fourfold.p_values(tables, dict.fromkeys(names)).to_dict("list")
    return values, {name: [digits.match(printed, one) for one in p] for name, p in values.items()}


def _said_of_one(printed: str, tables: Sequence, name: str, giving: str, values: dict, fits: dict) -> tuple[str, str]:
    """Return verdict and reason where one table fits."""
    label, [value], groups = fourfold.CONVENTIONS[name], values[name], f"of {_against(tables[0])}"
    computed = f"{label} {groups} is {digits.computed(value, printed)}"
    if fits[name] == [digits.ROUNDED]:
        return REPRODUCED, f"{computed}, {_as_printed(printed)}"
    if fits[name] == [digits.ROUNDED_TWICE]:
        once = digits.round_half_up(value, digits.decimals(printed) + 1)
        return OTHER_CONVENTION, f"{computed}; rounded to {once} first, then to {printed}"
    if giving != name:
        other = f"{fourfold.CONVENTIONS[giving]} {groups} is {digits.computed(values[giving][0], printed)}"
        return OTHER_CONVENTION, f"{other}; {label} is {digits.computed(value, printed)}"
    if isnan(value):
        return UNDETERMINED, f"{label} {groups} has no P value"
    return INCONSISTENT, f"{computed}, not {printed}"


def _said_of_many(printed: str, tables: Sequence, name: str, giving: str, values: dict, fits: dict) -> tuple[str, str]:
    """Return verdict and reason where several tables fit the printed percentages."""
    label, many = fourfold.CONVENTIONS[name], f"{len(tables)} tables that fit"
    which = [_against(table) for table, fit in zip(tables, fits[giving], strict=True) if fit == digits.ROUNDED]
    shown = " or ".join([*which[:3], *([f"{len(which) - 3} more"] if len(which) > 3 else [])])
    if giving == name and len(which) == len(tables):
        return REPRODUCED, f"{label} of each of the {many} prints {printed}"
    if giving == name and which:
        return CONSISTENT, f"{label} prints {printed} for {shown}, of {many}"
    if which:
        said = f"{fourfold.CONVENTIONS[giving]} prints {printed} for {shown}"
        return OTHER_CONVENTION, f"{said}; {label} for none of the {many}"
    if any(fits[name]):
        return OTHER_CONVENTION, f"{label} rounded twice is {printed} for some of the {many}"
    ends = " to ".join(digits.computed(p, printed) for p in (min(values[name]), max(values[name])))
    return INCONSISTENT, f"{label} of the {many} is {ends}, not {printed}"


def _against(table: Sequence) -> str:
    return " against ".join(f"{found}/{found + others}" for found, others in table)


def _as_printed(printed: str) -> str:
    return f"which rounds to {printed}" if printed[0].isdigit() else f"in line with {printed}"


def _nearest(printed: str, table: Sequence, name: str) -> tuple[float, float]:
    """Return the P values at or beside a printed one that a convention can give with the margins of a table."""
    (a, b), (c, d) = table
    few = min(a + b, a + c) - max(0, a - d) < LISTED
    if not printed[0].isdigit() or not few or name in fourfold.UNCONDITIONAL:
        return nan, nan
    near = attainable.nearest(attainable.p_values(c + d, a + b, a + c, name), printed)
    return tuple(nan if p is None else p for p in near)


def _nearest_in_words(near: list[str]) -> str:
    """Say which attainable values lie beside a printed one, as the end of a sentence; nothing where none is known.

    >>> _nearest_in_words(["0.0240", "0.0504"]), _nearest_in_words(["3e-06"])
    ('; with these margins it can be 0.0240 and 0.0504, nothing between', '; with these margins the nearest is 3e-06')
    """
    if len(set(near)) == 1:
        return f"; with these margins the nearest is {near[0]}"
    return f"; with these margins it can be {' and '.join(near)}, nothing between" if near else ""


def star(printed: str, table: Sequence, standard: str = "fisher", beside: str = "") -> Finding:
    """Judge the stars beside a P value; ``beside`` is what the same cell prints.

    >>> star("*", [[40, 7], [28, 1]], beside="0.15").reason
    '* stands for <0.05, but two-sided Fisher is 0.1448; the same cell prints 0.15'
    """
    limit, value = digits.STARS[printed], fourfold.p_values(table, [standard]).iloc[0, 0]
    computed = f"{fourfold.CONVENTIONS[standard]} is {digits.computed(value, limit)}"
    if digits.agrees(limit, value):
        return Finding(REPRODUCED, f"{printed} stands for {limit}, and {computed}")
    also = f"; the same cell prints {beside}" if beside else ""
    return Finding(INCONSISTENT, f"{printed} stands for {limit}, but {computed}{also}")


def rank_test(printed: str | None, second: summaries.Summary, first: summaries.Summary) -> Finding:
    """Judge the printed P value of a Mann-Whitney U test by the quartiles of the two groups.

    Quartiles bound P without settling it: `undetermined` where the printed one lies within the bounds, under any
    definition of the quartiles. The bounds are safe: no data lie outside, but not every P inside need occur.
    `inconsistent` as well where no data have these quartiles. Without a printed P value the bounds alone are found.

    >>> apart = summaries.Summary(9, "30", "20", "40"), summaries.Summary(9, "5", "3", "7")
    >>> rank_test("0.50", *apart).verdict, rank_test("0.002", *apart).verdict
    ('inconsistent', 'undetermined')
    """
    numbers = [Decimal(text) for text in (*second[1:], *first[1:]) if text is not None]
    unit = min(number.as_tuple().exponent for number in numbers)
    if max(map(abs, numbers)).scaleb(-unit) > UNITS:
        return Finding(UNDETERMINED, "these numbers have too many digits to bound the rank test")
    try:
        least, greatest = summaries.rank_test_any(second, first)
    except Infeasible as error:
        return Finding(INCONSISTENT, str(error))
    except NotReached as error:
        return Finding(UNDETERMINED, str(error))
    bounds = {"p_least": least, "p_greatest": greatest}
    if printed is None:
        return Finding(UNDETERMINED, "no P value is printed", **bounds)
    between = f"what is printed of the two groups keeps a Mann-Whitney P between {least:.2g} and {greatest:.2g}"
    if digits.may_be_printed(printed, least, greatest):
        return Finding(UNDETERMINED, between, **bounds)
    return Finding(INCONSISTENT, f"{between}, not {printed}", **bounds)


def t_test(
    printed: str | None, second: summaries.MeanSD, first: summaries.MeanSD, named: Sequence[str] = ()
) -> Finding:
    """Judge the printed P value of a t test by means and standard deviations, which are rounded themselves.

    ``named`` are names of ``T_TESTS``; without one, Student's and Welch's test are both expected.

    >>> t_test("0.02", summaries.MeanSD(10, "5.0", "1.0"), summaries.MeanSD(10, "6.2", "1.1")).reason
    "Student's t test is 0.0200, which rounds to 0.02"
    """
    found = summaries.t_test(second, first)
    spans = {STUDENT: found[:3], WELCH: found[3:]}
    giving = [name for name in spans if printed and digits.match(printed, spans[name][0]) == digits.ROUNDED]
    expected = named[0] if named else (giving or [STUDENT])[0]
    face, least, greatest = spans[expected]
    bounds = {"p_value": face, "p_least": least, "p_greatest": greatest}
    if printed is None:
        return Finding(UNDETERMINED, "no P value is printed", **bounds)
    shown = {name: f"{label} is {digits.computed(spans[name][0], printed)}" for name, label in T_TESTS.items()}
    if expected in giving:
        verdict, reason = REPRODUCED, f"{shown[expected]}, {_as_printed(printed)}"
    elif giving:
        verdict, reason = OTHER_CONVENTION, f"{shown[giving[0]]}; {shown[expected]}"
    else:
        ends = {name: [digits.computed(end, printed) for end in span[1:]] for name, span in spans.items()}
        allowed = " and ".join(f"{T_TESTS[name]} from {low} to {high}" for name, (low, high) in ends.items())
        giving = [name for name, span in spans.items() if digits.may_be_printed(printed, *span[1:])]
        verdict = CONSISTENT if giving else INCONSISTENT
        reason = f"the printed digits allow {allowed}" + ("" if giving else f", not {printed}")
    labels = tuple(T_TESTS[name] for name in sorted(giving, key=lambda name: name != expected))
    return Finding(verdict, reason, labels, **bounds)


def incidence_ratio(printed: str, observed: int, expected: tuple[float, float]) -> Finding:
    """Judge a printed standardized incidence ratio by its observed count.

    ``expected`` holds the least and greatest number of cases expected when every patient contributes one person-year.

    >>> incidence_ratio("22.4", 8, (0.2, 0.8)).reason
    '8 / 22.4 is 0.356 to 0.358 expected; one person-year each expects 0.200 to 0.800: 0.45 to 1.79 person-years each'
    """
    low, high, fewest, most = attainable.back_solve(observed, printed, expected)
    shown = f"{observed} / {printed} is {low:.3f} to {high:.3f} expected; one person-year each expects "
    shown += f"{expected[0]:.3f} to {expected[1]:.3f}: {fewest:.2f} to {most:.2f} person-years each"
    if fewest <= 1 <= most:
        return Finding(CONSISTENT, shown)
    return Finding(UNDETERMINED, f"{shown}, which the paper does not print")
