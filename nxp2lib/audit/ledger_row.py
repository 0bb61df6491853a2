"""One row of a ledger: what its cells allow together, and the verdict on its P value.

Group A is the first row of a 2x2 table, so that reasons read "A against B". A cell that cannot be read, or says
something impossible, ends its own row with that reason.
"""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from itertools import product
from math import isnan, nan
from typing import NamedTuple

from nxp2lib import digits, fourfold, wording
from nxp2lib.audit import attainable, cells, summaries, verdicts
from nxp2lib.audit.conventions import Practice, PValues
from nxp2lib.audit.verdicts import INCONSISTENT, OTHER_CONVENTION, REPRODUCED, UNDETERMINED, VERDICTS, Finding

LARGEST = 1_000_000  # patients in a group
MANY = 400  # tables that fit the same percentages: more are not tried
LONG = 200  # letters: of a large group very many counts may give a percentage, and are not listed
SEVERITY = ("", *VERDICTS)


class Stop(Exception):
    """A row whose verdict is known before its P value is looked at."""

    def __init__(self, reason: str, verdict: str = UNDETERMINED):
        self.found = Finding(verdict, reason)


class Group(NamedTuple):
    """One way to read a group: counts and sizes that are allowed, and what its percentage says; empty: nothing."""

    options: list[tuple[int, int]]
    verdict: str = ""
    said: str = ""
    hidden: str = ""  # the smaller denominator that a percentage fits
    lacks: str = ""
    chance: float = nan  # that an unrelated percentage would fit one
    share: str = ""  # the percentage as printed
    is_spare: bool = False  # to be tried last, and with ``hidden`` only where the table leaves patients out elsewhere


class Reading(NamedTuple):
    """One way to read both groups of a row."""

    groups: tuple[Group, ...]

    @property
    def tables(self) -> list:
        """All 2x2 tables that the printed numbers allow, group A first; none where they are more than ``MANY``."""
        a, b = (group.options for group in self.groups)
        most = MANY * (10 if self.is_spare else 1)
        return [[[x, n - x], [y, m - y]] for (x, n), (y, m) in product(a, b)] if len(a) * len(b) <= most else []

    @property
    def is_spare(self) -> bool:
        """Whether a group is read with patients left out, or rounded otherwise, though nothing in it asks for that."""
        return any(group.is_spare for group in self.groups)

    @property
    def hidden(self) -> tuple[str, ...]:
        """Which smaller denominators the groups are read with."""
        return tuple(dict.fromkeys(group.hidden for group in self.groups if group.hidden))

    @property
    def worst(self) -> str:
        """The verdict on the percentage that is worse off; empty where none is printed."""
        return max((group.verdict for group in self.groups), key=SEVERITY.index)


class Comparison(NamedTuple):
    """What a row of counts compares: its P value, the ways to read its groups, and the tests that it names."""

    printed: str | None
    readings: list[Reading]
    named: list[str]  # conventions
    two_sided: bool  # is said of the test
    other: str  # a test that is named and none of them

    @property
    def tables(self) -> list:
        """The 2x2 tables of the readings that contradict no percentage, or else of all."""
        usual = [one for one in self.readings if not one.is_spare]
        fair = [one for one in usual if one.worst != INCONSISTENT]
        return [table for one in fair or usual for table in one.tables][:MANY]

    @property
    def is_loose(self) -> bool:
        """Whether a percentage beside a count is of fewer patients than the group has, or rounded by another habit."""
        return any(group.verdict == OTHER_CONVENTION for group in self.readings[0].groups)


def first_look(row: dict[str, str]) -> Comparison | Finding:
    """Return what a row of counts compares, or else the row's finding: of means and medians, or of unreadable cells.

    ``row`` holds the cells of a ledger by column, and its ``file_row``.
    """
    try:
        printed = _p_value(row)
        named = _cell(row, "test_printed", cells.named_tests)
        if _is_of_numbers(row):
            return _numbers(row, printed, named)
        known = [name for name in named if name in fourfold.CONVENTIONS]
        other = row["test_printed"] if set(named) - {cells.TWO_SIDED} and not known else ""
        readings = [Reading(groups) for groups in product(_group(row, "a"), _group(row, "b"))]
        return Comparison(printed, readings, known, cells.TWO_SIDED in named, other)
    except Stop as stop:
        return stop.found


def _p_value(row: dict[str, str]) -> str | None:
    """Return the printed P value; stars alone are the limit that the legend gives them, and may not contradict one."""
    marks, legend = cells.stars(row["p_printed"]), cells.legend(row["legend_printed"])
    limit = legend.get(marks, "")
    if limit and row["p_printed"].strip() == marks:
        return limit
    printed = _cell(row, "p_printed", cells.p_value)
    if limit and printed and digits.clash(printed, limit):
        raise Stop(f"{marks} stands for {limit}, beside {printed}", INCONSISTENT)
    return printed


def _cell(row: dict[str, str], column: str, parse: Callable):
    """Return what a function of `nxp2lib.audit.cells` reads in a column; raise Stop where it reads nothing."""
    try:
        return parse(row[column])
    except ValueError as error:
        raise Stop(f"file row {row['file_row']}, column {column}: {error}") from None


def _refused(row: dict[str, str], column: str, accepted: str, verdict: str = UNDETERMINED) -> Stop:
    """Return what stops a row at a cell that says something impossible."""
    return Stop(f"file row {row['file_row']}, column {column}: {row[column]!r} is not accepted; {accepted}", verdict)


def _size(row: dict[str, str], column: str, number: int | None) -> int | None:
    """Return the size of a group, None where it is blank; raise Stop where no group has it."""
    if number is not None and not 1 <= number <= LARGEST:
        raise _refused(row, column, f"accepted: a group of 1 to {LARGEST} patients")
    return number


def _group_size(row: dict[str, str], side: str) -> int | None:
    size = _cell(row, f"{side}_n", cells.count)
    return _size(row, f"{side}_n", size.count if size.of is None else size.of)


def _group(row: dict[str, str], side: str) -> list[Group]:
    """Return the ways to read the cells of a group; of two percentages, the one that is worse off decides."""
    said, size = _cell(row, f"{side}_count", cells.count), _group_size(row, side)
    of = size if said.of is None else _size(row, f"{side}_count", said.of)
    if of is not None and size is not None and of > size:
        raise _refused(row, f"{side}_count", f"the group has {wording.count(size, 'patient')}", INCONSISTENT)
    if None not in (of, said.count) and said.count > of:
        raise _refused(row, f"{side}_count", f"accepted: 0 to {wording.count(of, 'patient')}", INCONSISTENT)
    shares = [share for share in (said.percent, _cell(row, f"{side}_pct", cells.percent)) if share]
    ways = [[one._replace(share=share or "") for one in _allowed(said.count, of, share)] for share in shares or [None]]
    if not ways[0][0].options and not ways[0][0].said:
        lacking = ["count"] * (said.count is None) + ["n"] * (of is None)
        return [Group([], lacks=f"nothing printed gives {' and '.join(f'{side}_{name}' for name in lacking)}")]
    return max(ways, key=lambda groups: SEVERITY.index(groups[0].verdict))


def _allowed(count: int | None, of: int | None, share: str | None) -> list[Group]:
    """Return the ways to read what is printed of count, size and percentage."""
    if count is None:
        return _counts_of(of, share) if of and share else [Group([])]
    if of is None:
        return [_sizes_of(count, share) if share else Group([])]
    return _percentage(count, of, share) if share else [Group([(count, of)])]


def _counts_of(of: int, share: str) -> list[Group]:
    """Return how a percentage of a group can be read: of the group, or else of so many of it, a half at least."""
    if fitting := attainable.counts(share, of):
        found = Group([(count, of) for count in fitting], REPRODUCED, f"{share} % is {_or(fitting)} of {of}")
        around = range(max(0, fitting[0] - 1), min(of, fitting[-1] + 1) + 1)
        every = [(count, of) for count in around if digits.habits(share, digits.percent(count, of))]
        otherwise = found._replace(options=every, said=f"{share} % may be rounded otherwise", is_spare=True)
        return [found, otherwise] if len(every) > len(fitting) else [found]
    below = int(Decimal(share) * of / 100)
    found = {count: verdicts.percentage(share, count, of) for count in (below, below + 1) if count <= of}
    if other := {count: one.reason for count, one in found.items() if one.verdict == OTHER_CONVENTION}:
        return [Group([(count, of) for count in other], OTHER_CONVENTION, "; ".join(other.values()))]
    said = found[below].reason.partition("; ")[2]
    sizes = range(of - 1, max(of // 2, of - MANY), -1)
    if smaller := [(count, n) for n in sizes for count in attainable.counts(share, n)]:
        more = f" or {len(smaller) - 3} more" * (len(smaller) > 3)
        shown = _or([f"{count} of {n}" for count, n in smaller[:3]]) + more
        hidden = f"denominator {_or(sorted({n for _, n in smaller})[:3])}"
        return [Group(smaller, UNDETERMINED, f"{said}; with patients left out it can be {shown}", hidden)]
    return [Group([], INCONSISTENT, said)]


def _sizes_of(count: int, share: str) -> Group:
    least, _ = digits.interval(share)
    if least <= 0:  # of any group large enough
        return Group([])
    patients = f"{wording.count(count, 'patient')} {'is' if count == 1 else 'are'}"
    if fitting := attainable.denominators(count, share, min(LARGEST, int(100 * count / least) + 1)):
        return Group([(count, of) for of in fitting], REPRODUCED, f"{patients} {share} % of {_or(fitting)}")
    return Group([], INCONSISTENT, f"{patients} {share} % of no group")


def _percentage(count: int, of: int, share: str) -> list[Group]:
    """Judge a percentage by its count: it is right as printed, or of fewer patients, or wrong beside a right count."""
    found = verdicts.percentage(share, count, of)
    if found.verdict != INCONSISTENT:
        spare = [(count, n) for n in _denominators(count, share, of) if of / 2 <= n < of]
        as_printed = Group([(count, of)], found.verdict, found.reason)
        said = f"{share} % may be of fewer than {of}"
        fewer = Group(spare, found.verdict, said, "patients left out", is_spare=True)
        return [as_printed, fewer] if spare else [as_printed]
    said = found.reason if len(found.reason) < LONG else found.reason.partition("; ")[0]
    wrong = Group([(count, of)], INCONSISTENT, said)
    every = _denominators(count, share, of)
    if not (smaller := attainable.denominators(count, share, of) or every):
        return [wrong]
    said = f"{share} % is {count} of {_or(smaller)}, not of {of}"
    chance, hidden = _chance(count, of, digits.decimals(share)), f"denominator {_or(smaller)}"
    right = Group([(count, n) for n in smaller], OTHER_CONVENTION, said, hidden, chance=chance)
    spare = right._replace(options=[(count, n) for n in every], is_spare=True)  # by other habits of rounding too
    return [right, wrong, spare] if len(every) > len(smaller) else [right, wrong]


def _denominators(count: int, share: str, of: int) -> list[int]:
    """Return the sizes, up to ``of``, of which a count is printed as this percentage by any habit of rounding.

    None are returned where they are more than could be tried: of a large group, 0 % may be of any part.
    """
    least, most = (Decimal(share) + side for side in (-1, 1))  # wider than any habit of rounding
    low = max(count, 1, int(100 * count / most)) if most else 1
    high = min(of, int(100 * count / least) + 1) if least > 0 else of
    sizes = range(low, high + 1) if high - low < 10 * MANY else range(0)
    return [n for n in sizes if digits.habits(share, digits.percent(count, n))]


def _chance(count: int, of: int, decimals: int) -> float:
    """Return the share of percentages above the right one that fit a smaller denominator, of half the group or more."""
    if not count or of > MANY:
        return 1.0
    fitting = {digits.round_half_up(Decimal(100 * count) / n, decimals) for n in range(max(count, (of + 1) // 2), of)}
    units = (100 - Decimal(100 * count) / of) * 10**decimals
    return float(min(1, len(fitting) / units)) if units else 1.0


def _or(numbers: list) -> str:
    if len(numbers) > 4 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    return " or ".join(filter(None, [", ".join(map(str, numbers[:-1])), str(numbers[-1])]))


def judge(one: Comparison, practice: Practice, known: PValues | None = None) -> Finding:
    """Return the verdict on a row of counts, by the way to read it that explains most.

    The verdict is on the P value, unless a percentage is impossible or there is no P. Of several ways to read a
    percentage the one that explains the P value is preferred, and said.
    """
    usual = [_read(one, reading, practice, known) for reading in one.readings if not reading.is_spare]
    found = min(usual, key=lambda pair: (SEVERITY.index(pair[0].verdict), pair[1]))[0]
    if found.verdict != INCONSISTENT or one.printed is None:
        return found
    tried = [reading for reading in one.readings if reading.is_spare and (practice.is_loose or not reading.hidden)]
    spare = [_read(one, reading, practice, known)[0] for reading in tried]
    return min([found, *spare], key=lambda one: SEVERITY.index(one.verdict))


def _read(one: Comparison, reading: Reading, practice: Practice, known: PValues | None) -> tuple[Finding, int]:
    """Return the finding by one way to read a row, and how bad its P value is then."""
    worst, hidden = reading.worst, reading.hidden
    if one.printed is None:
        said = "; ".join(group.said for group in reading.groups if group.said)
        return Finding(worst or UNDETERMINED, said or "neither a P value nor a percentage is printed", hidden), 0
    odd = [group.said for group in reading.groups if group.verdict not in ("", REPRODUCED) or group.is_spare]
    if worst == INCONSISTENT and not all(group.options for group in reading.groups):
        return Finding(INCONSISTENT, "; ".join(odd)), 0
    found = _tested(one, reading, practice, known)
    verdict = OTHER_CONVENTION if hidden and found.verdict == REPRODUCED else found.verdict
    chances = [group.chance for group in reading.groups if not isnan(group.chance)]
    if hidden and chances:
        found = found._replace(chance=chances[0] * (1 if isnan(found.chance) else found.chance))
    combined = found._replace(
        verdict=INCONSISTENT if worst == INCONSISTENT else verdict,
        conventions=(*hidden, *found.conventions),
        reason="; ".join([*odd, found.reason]),
    )
    return combined, SEVERITY.index(found.verdict)


def _tested(one: Comparison, reading: Reading, practice: Practice, known: PValues | None) -> Finding:
    """Judge the P value; nobody is blamed where a test is named that the counts do not settle."""
    if not (tables := reading.tables):
        lacking = "; ".join(group.lacks for group in reading.groups if group.lacks)
        return Finding(UNDETERMINED, lacking or "too many counts fit the percentages")
    found = verdicts.p_value(str(one.printed), tables, practice, known)
    if not one.other or found.verdict != INCONSISTENT:
        return found
    said = f"these numbers do not settle {one.other[:60]!r}; {found.reason}"
    return found._replace(verdict=UNDETERMINED, reason=said)


def _is_of_numbers(row: dict[str, str]) -> bool:
    """Tell whether a row holds means or medians: a centre, or a kind that is not one of counts."""
    centers = not all(cells.is_blank(row[f"{side}_center"]) for side in "ab")
    with suppress(ValueError):  # a kind that cannot be read is none of counts
        return centers or any(cells.kind(row[f"{side}_kind"]) not in (None, cells.COUNTED) for side in "ab")
    return True


def _numbers(row: dict[str, str], printed: str | None, named: tuple[str, ...]) -> Finding:
    """Judge the P value of a row of numbers by what is printed of the two groups."""
    a, b = (_cell(row, f"{side}_kind", cells.kind) for side in "ab")
    a, b = a or b, b or a
    if a is None or cells.COUNTED in (a, b):
        side = "a" if a in (None, cells.COUNTED) else "b"
        raise _refused(row, f"{side}_kind", f"accepted: {cells.MEAN_SD}, {cells.MEDIAN_IQR}, {cells.MEDIAN_RANGE}")
    if (a == cells.MEAN_SD) != (b == cells.MEAN_SD):
        return Finding(UNDETERMINED, f"{a} against {b}: these numbers do not bound any test")
    named = tuple(name for name in named if name not in (*fourfold.CONVENTIONS, cells.TWO_SIDED))  # those are of counts
    bounded = (*verdicts.T_TESTS, verdicts.RANKS) if a == cells.MEAN_SD else (verdicts.RANKS,)
    fitting = [name for name in named if name in bounded]
    if named and not fitting:
        return Finding(UNDETERMINED, f"{a} against {b}: these numbers do not bound {row['test_printed'][:60]!r}")
    if a == cells.MEAN_SD:
        return verdicts.t_test(printed, _mean(row, "b"), _mean(row, "a"), fitting)
    return verdicts.rank_test(printed, _median(row, "b", b), _median(row, "a", a))


def _summary(row: dict[str, str], side: str, least: int) -> tuple[int, str, str | None, str | None]:
    """Return size, centre and the two ends of a group: from their own columns, or else from the cell of the centre."""
    n = _group_size(row, side)
    if n is None or n < least:
        raise _refused(row, f"{side}_n", f"accepted: a group of {least} to {LARGEST} patients")
    center, low, high = _cell(row, f"{side}_center", cells.summary)
    if center is None:
        raise _refused(row, f"{side}_center", f"accepted: {cells.ACCEPTED_SUMMARY}")
    own = [_cell(row, f"{side}_{end}", cells.number) for end in ("lo", "hi")]
    return (n, center, *own) if any(own) else (n, center, low, high)


def _mean(row: dict[str, str], side: str) -> summaries.MeanSD:
    n, mean, low, high = _summary(row, side, 2)
    sd = low or high
    if low and high and Decimal(low) != Decimal(high):  # mean - SD and mean + SD
        below, above = Decimal(mean) - Decimal(low), Decimal(high) - Decimal(mean)
        decimals = max(map(digits.decimals, (mean, low, high)))
        symmetric = min(below, above) > 0 and abs(above - below) <= Decimal(1).scaleb(-decimals)
        sd = str(digits.round_half_up((below + above) / 2, decimals)) if symmetric else None
    if sd is None or Decimal(sd) < 0:
        raise _refused(row, f"{side}_lo", "accepted: the standard deviation, or mean - SD with mean + SD in the next")
    return summaries.MeanSD(n, mean, sd.removeprefix("-"))


def _median(row: dict[str, str], side: str, kind: str) -> summaries.Summary:
    n, median, low, high = _summary(row, side, 1)
    if (low is None) != (high is None):
        raise _refused(row, f"{side}_{'hi' if high is None else 'lo'}", "accepted: both ends, or neither")
    ends = ("q1", "q3") if kind == cells.MEDIAN_IQR else ("minimum", "maximum")
    return summaries.Summary(n, median, **dict(zip(ends, (low, high), strict=True)))
