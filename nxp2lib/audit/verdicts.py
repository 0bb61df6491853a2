"""The verdict on one printed number, with a reason that can be checked by hand.

Each function takes what is printed, as a string with its digits, and the numbers that it should follow from.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import isnan, nan, prod
from typing import NamedTuple

from nxp2lib import digits, fourfold
from nxp2lib.audit import attainable, conventions, summaries
from nxp2lib.audit.conventions import LABELS, Practice
from nxp2lib.reconstruction.puzzle import Infeasible, NotReached

REPRODUCED, OTHER_CONVENTION = "reproduced", "reproduced under another convention"
CONSISTENT, UNDETERMINED, INCONSISTENT, EXTERNAL = "consistent", "undetermined", "inconsistent", "external"
VERDICTS = (REPRODUCED, OTHER_CONVENTION, CONSISTENT, UNDETERMINED, INCONSISTENT, EXTERNAL)
UNKNOWN = Practice()
LIKELY = 0.2  # probability of a match by chance from which on it explains nothing
UNSUPPORTED = "; no other row needs the first, so that this may be a match by chance"
SEARCHED, NAMED = 4_000, 20_000  # outcomes of two groups up to which the slow tests are tried, unasked and asked for
LISTED = 1_000  # patients with a finding up to which attainable P values are listed; of more, they lie close
UNITS = 10**13  # of the last printed digit in the largest number: the solver knows whole numbers of 64 bits
STUDENT, WELCH, RANKS = "student", "welch", "mann_whitney"
T_TESTS = {STUDENT: "Student's t test", WELCH: "Welch's t test"}


class Finding(NamedTuple):
    """What is found about one printed number: a ``verdict`` of ``VERDICTS``, and why.

    ``conventions`` are all that give the printed digits, the one that decided first. ``conflict`` holds the ids of
    numbers that cannot all be true. Of a P value: ``p_value`` under the convention expected, ``attainable_below`` and
    ``attainable_above``, the values at or beside the printed one that it can give with these margins (up to ``LISTED``
    findings); ``p_least`` and ``p_greatest``, what printed means or medians allow. ``chance``: the probability that an
    unrelated number would be explained by another convention as well. NaN for what is not known.
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
    chance: float = nan


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
    decimals = digits.decimals(printed)
    exact = Decimal(100 * number) / denominator
    rounded = digits.round_half_up(exact, decimals)
    shown = f"{number}/{denominator} is {digits.round_half_up(exact, decimals + 1):f} %, which rounds to {rounded:f}"
    habit = next(iter(digits.habits(printed, exact)), "")
    if habit == digits.ROUNDED:
        return Finding(REPRODUCED, shown)
    if habit:
        return Finding(OTHER_CONVENTION, f"{shown}; {_by_habit(habit, exact, printed)}", (habit,))
    return Finding(INCONSISTENT, f"{shown}; {_nearest_percentages(printed, denominator)}")


def _by_habit(habit: str, value: float | Decimal, printed: str) -> str:
    """Say how a habit of rounding other than the usual one makes a value what is printed."""
    if habit == digits.ROUNDED_TWICE:
        return f"rounded to {digits.round_half_up(value, digits.decimals(printed) + 1):f} first, then to {printed}"
    return f"{habit}{' after the printed decimals' * (habit == digits.CUT_OFF)} it is {printed}"


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
    printed: str, tables: Sequence, practice: Practice = UNKNOWN, known: conventions.PValues | None = None
) -> Finding:
    """Judge a printed P value by all 2x2 tables that the printed counts allow, laid out as in `nxp2lib.compare`.

    ``practice`` says how the P values of the same table were made, as far as that is known; ``known`` keeps what has
    been worked out. A test that is not the one expected explains a P value where it is a usual one, where other rows
    need it, or, in a table that follows no test, where few other P values would have been explained as well; never
    where another test is stated.

    >>> p_value("0.464", [[[13, 23], [13, 27]]]).reason.partition(";")[0]
    'one-sided Fisher of 13/36 against 13/40 is 0.4640'
    >>> p_value("0.15", [[[40, 7], [28, 1]]]).reason.partition("; an")[0]
    'two-sided Fisher of 40/47 against 28/29 is 0.1448; rounded to 0.145 first, then to 0.15'
    """
    return _Judged(printed, tables, practice, known or conventions.PValues()).found()


class _Judged:
    """One printed P value, the tables that fit, and which conventions give it in which of them."""

    def __init__(self, printed: str, tables: Sequence, practice: Practice, known: conventions.PValues):
        self.printed, self.tables, self.practice, self.known = printed, tables, practice, known
        self.outcomes = len(tables) * prod(max(sum(table[side]) for table in tables) + 1 for side in (0, 1))
        wanted = [*practice.expected, *practice.accepted, *(conventions.QUICK if practice.stated else ())]
        self._try([name for name in wanted if name in practice.expected or name not in fourfold.UNCONDITIONAL])
        if self.outcomes <= SEARCHED and not any(self._fitness(name)[0] for name in self.fits):
            self._try([*self.values, *practice.accepted])
        self.expected = max(practice.expected, key=self._fitness)

    def _fitness(self, name: str) -> tuple[int, int]:
        """Return in how many tables a convention gives the printed digits: rounded, and by any habit."""
        return sum(digits.ROUNDED in one for one in self.fits[name]), sum(map(bool, self.fits[name]))

    def _try(self, names: Sequence[str]) -> None:
        if self.outcomes > NAMED:
            names = [name for name in names if name not in fourfold.UNCONDITIONAL]
        self.values = self.known.of(self.tables, names)
        self.fits = {name: [fits(self.printed, p) for p in values] for name, values in self.values.items()}
        self.fits |= {name: [()] for name in self.practice.expected if name not in self.fits}

    def found(self) -> Finding:
        """Return the finding, with P values beside the printed one where one table alone fits."""
        label = LABELS[self.expected]
        if self.expected not in self.values:
            return Finding(UNDETERMINED, f"{label} of groups this large is not computed here")
        verdict, reason, labels = self._said()
        likely = nan
        if verdict not in (REPRODUCED, CONSISTENT):
            others = [name for name in self.values if name not in self.practice.expected]
            likely = conventions.chance(self.printed, self.tables[0], self.expected, others, self.known)
        if verdict == OTHER_CONVENTION and self.printed[0].isdigit():
            reason += f"; an unrelated P value would be explained as well with probability {likely:.2g}"
        if len(self.tables) > 1:
            return Finding(verdict, reason, labels, chance=likely)
        near = _nearest(self.printed, self.tables[0], self.expected)
        said = _nearest_in_words([digits.computed(p, self.printed) for p in near if not isnan(p)])
        said = said if verdict == INCONSISTENT and not self._giving() else ""
        return Finding(verdict, reason + said, labels, (), self.values[self.expected][0], *near, chance=likely)

    def _giving(self, every: bool = True) -> list[str]:
        """Return the conventions that give the printed digits in each table that fits, or in some, the best first."""
        practice, enough = self.practice, all if every else any
        giving = [name for name, fit in self.fits.items() if enough(digits.ROUNDED in one for one in fit)]
        order = [self.expected, practice.preferred, *sorted(practice.supported), *conventions.USUAL]
        return sorted(giving, key=lambda name: order.index(name) if name in order else len(order))

    def _said(self) -> tuple[str, str, tuple[str, ...]]:
        """Return verdict, reason and the labels of the conventions that give the printed digits."""
        everywhere, somewhere = self._giving(), self._giving(every=False)
        labels = tuple(LABELS[name] for name in everywhere)
        if self.expected in everywhere and len(self.tables) > 1:
            said = f"{LABELS[self.expected]} of each of the {len(self.tables)} tables that fit"
            return REPRODUCED, f"{said} prints {self.printed}", labels
        if self.expected in everywhere:
            return REPRODUCED, f"{self._computed(self.expected)}, {_as_printed(self.printed)}", labels
        if self.expected in somewhere:
            return CONSISTENT, f"{LABELS[self.expected]} prints {self.printed} for {self._where(self.expected)}", labels
        if found := self._by_habit([self.expected], labels):
            return found
        own, accepted = self._computed(self.expected), set(self.practice.accepted)
        if inside := [name for name in everywhere if name in accepted]:
            verdict, but = (OTHER_CONVENTION, "") if self._explains(inside[0]) else (UNDETERMINED, UNSUPPORTED)
            own = own.replace(f" of {_against(self.tables[0])} ", " ")
            return verdict, f"{self._computed(inside[0])}; {own}{but}", labels
        if everywhere:
            stated = " or ".join(LABELS[name] for name in self.practice.expected)
            other = f"{self._computed(everywhere[0])}, but {stated} is stated"
            return INCONSISTENT, f"{own}, not {self.printed}; {other}", labels
        usual = () if self.practice.stated or self.practice.wins else conventions.USUAL
        if found := self._by_habit([*usual, *sorted(self.practice.supported)], ()):
            return found
        tried = (*self.practice.expected, *conventions.USUAL, "fisher_one_sided")
        partly = [name for name in tried if any(self.fits.get(name, ()))]
        if some := [name for name in (*somewhere, *partly) if name in (*accepted, *self.practice.expected)]:
            said = f"{own}; {LABELS[some[0]]} prints {self.printed} for {self._where(some[0])}: no reproduction"
            return UNDETERMINED, said, ()
        if all(isnan(p) for p in self.values[self.expected]):
            return UNDETERMINED, f"{own}: it has no P value", ()
        return INCONSISTENT, f"{own}, not {self.printed}", ()

    def _by_habit(self, names: Iterable[str], labels: tuple[str, ...]) -> tuple[str, str, tuple[str, ...]] | None:
        """Return the finding where a convention gives the printed digits by another habit of rounding."""
        for name in (name for name in names if name in self.fits):
            if habits := set(self.fits[name][0]).intersection(*self.fits[name]):
                habit = next(one for one in digits.HABITS if one in habits)
                then = _by_habit(habit, self.values[name][0], self.printed)
                named = () if name == self.expected else (LABELS[name],)
                return OTHER_CONVENTION, f"{self._computed(name)}; {then}", (habit, *named, *labels)
        return None

    def _explains(self, name: str) -> bool:
        """Tell whether a test that is not expected, and gives the printed digits, is more than a match by chance."""
        practice = self.practice
        if practice.stated or name in practice.supported or name in conventions.USUAL:
            return True
        others = [one for one in self.values if one not in practice.expected]
        likely = conventions.chance(self.printed, self.tables[0], self.expected, others, self.known)
        return not practice.wins and likely <= LIKELY

    def _computed(self, name: str) -> str:
        """Say what a convention gives in the tables that fit."""
        values, many = self.values[name], len(self.tables)
        ends = dict.fromkeys(digits.computed(p, self.printed) for p in (min(values), max(values)))
        groups = _against(self.tables[0]) if many == 1 else f"the {many} tables that fit"
        return f"{LABELS[name]} of {groups} is {' to '.join(ends)}"

    def _where(self, name: str) -> str:
        """Say in which of several tables a convention gives the printed digits."""
        pairs = zip(self.tables, self.fits[name], strict=True)
        found = [(table, fit) for table, fit in pairs if fit]
        which = [_against(table) for table, fit in found if digits.ROUNDED in fit] or [
            f"{_against(table)} ({fit[0]})" for table, fit in found
        ]
        shown = " or ".join([*which[:3], *([f"{len(which) - 3} more"] if len(which) > 3 else [])])
        return shown if len(self.tables) == 1 else f"{shown}, of {len(self.tables)} tables that fit"


def fits(printed: str, value: float) -> tuple[str, ...]:
    """Return how a P value gives the printed one, as `digits.ways` does, without a look at what lies far away."""
    far = printed[0].isdigit() and abs(value - float(printed)) > 2 * 10.0 ** -digits.decimals(printed)
    return () if far else digits.ways(printed, value)


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
    if _may_be_printed(printed, least, greatest):
        return Finding(UNDETERMINED, between, **bounds)
    return Finding(INCONSISTENT, f"{between}, not {printed}", **bounds)


def t_test(
    printed: str | None, second: summaries.MeanSD, first: summaries.MeanSD, named: Sequence[str] = ()
) -> Finding:
    """Judge a printed P value by means and standard deviations, which are rounded themselves.

    ``named`` are names of ``T_TESTS``, or ``mann_whitney``. Without one, Student's and Welch's test are expected, and
    what neither gives is undetermined as long as a rank test can give it: means and standard deviations bound that one
    only where they lie far apart.

    >>> t_test("0.02", summaries.MeanSD(10, "5.0", "1.0"), summaries.MeanSD(10, "6.2", "1.1")).reason
    "Student's t test is 0.0200, which rounds to 0.02"
    """
    found = summaries.t_test(second, first)
    spans = {STUDENT: found[:3], WELCH: found[3:]}
    ranks = summaries.rank_test_of_means(second, first) if RANKS in named or not named else ()
    tests = [name for name in named if name in T_TESTS] or ([] if named else [STUDENT, WELCH])
    expected = next((name for name in tests if printed and _gives(printed, spans[name][0])), (tests or [STUDENT])[0])
    face, least, greatest = spans[expected]
    bounds = {"p_value": face, "p_least": least, "p_greatest": greatest}
    if not tests:
        bounds = dict(zip(["p_least", "p_greatest"], ranks, strict=True))
    if printed is None:
        return Finding(UNDETERMINED, "no P value is printed", **bounds)
    shown = {name: f"{label} is {digits.computed(spans[name][0], printed)}" for name, label in T_TESTS.items()}
    if tests and _gives(printed, face):
        giving = sorted((n for n in spans if _gives(printed, spans[n][0])), key=lambda n: n != expected)
        labels = tuple(T_TESTS[name] for name in giving)
        return Finding(REPRODUCED, f"{shown[expected]}, {_as_printed(printed)}", labels, **bounds)
    ends = {name: [digits.computed(end, printed) for end in spans[name][1:]] for name in tests}
    said = " and ".join(f"{T_TESTS[name]} from {low} to {high}" for name, (low, high) in ends.items())
    said = f"the printed digits allow {said}" if said else ""
    if able := [name for name in tests if digits.may_be_printed(printed, *spans[name][1:])]:
        return Finding(CONSISTENT, said, tuple(T_TESTS[name] for name in able), **bounds)
    if tests == [STUDENT] and named and _gives(printed, spans[WELCH][0]):  # "t test" may be either
        return Finding(OTHER_CONVENTION, f"{shown[WELCH]}; {shown[STUDENT]}", (T_TESTS[WELCH],), **bounds)
    between = f"a Mann-Whitney P between {ranks[0]:.2g} and {ranks[1]:.2g}" if ranks else ""
    for name in tests:
        if _may_be_printed(printed, *spans[name][1:]):
            habit = digits.match(printed, spans[name][0])
            then = _by_habit(habit, spans[name][0], printed) if habit else f"{said}: rounded up, or cut off"
            verdict = OTHER_CONVENTION if habit else UNDETERMINED
            return Finding(verdict, f"{shown[name]}; {then}", (habit,) if habit else (), **bounds)
    if ranks and _may_be_printed(printed, *ranks):
        said = f"{said}, not {printed}; they allow {between} too" if said else f"the printed digits allow {between}"
        return Finding(UNDETERMINED, said, **bounds)
    said = f"{said} and {between}" if said and between else said or f"the printed digits allow {between}"
    other = [name for name in spans if named and name not in tests and _gives(printed, spans[name][0])]
    but = f"; {shown[other[0]]}, but is not stated" if other else ""
    return Finding(INCONSISTENT, f"{said}, not {printed}{but}", **bounds)


def _may_be_printed(printed: str, least: float, greatest: float) -> bool:
    """Tell whether a P value between two bounds can be printed like this by any habit of rounding."""
    if not printed[0].isdigit():
        return digits.may_be_printed(printed, least, greatest)
    unit = 10.0 ** -digits.decimals(printed)
    return least < float(printed) + unit and greatest >= float(printed) - 0.56 * unit


def _gives(printed: str, p: float) -> bool:
    return digits.match(printed, p) == digits.ROUNDED


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
