"""One row of a ledger: what its cells allow together, and the verdict on its P value.

Group A is the first row of a 2x2 table, so that reasons read "A against B". A cell that cannot be read, or says
something impossible, ends its own row with that reason.
"""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from itertools import product
from typing import NamedTuple

from nxp2lib import digits, fourfold, wording
from nxp2lib.audit import attainable, cells, summaries, verdicts
from nxp2lib.audit.verdicts import INCONSISTENT, OTHER_CONVENTION, REPRODUCED, UNDETERMINED, VERDICTS, Finding

LARGEST = 1_000_000  # patients in a group
MANY = 400  # tables that fit the same percentages: more are not tried
LONG = 200  # letters: of a large group very many counts may give a percentage, and are not listed
SEVERITY = ("", *VERDICTS)


class Stop(Exception):
    """A row whose verdict is known before its P value is looked at."""

    def __init__(self, reason: str, verdict: str = UNDETERMINED):
        self.found = Finding(verdict, reason)


class _Group(NamedTuple):
    """Counts and sizes that the printed numbers of a group allow, and what its percentage says; empty: nothing."""

    options: list[tuple[int, int]]
    verdict: str = ""
    said: str = ""
    hidden: str = ""  # the smaller denominator that a percentage fits
    lacks: str = ""


class Comparison(NamedTuple):
    """What a row of counts compares: its P value, its two groups, and the tests that it names."""

    printed: str | None
    groups: list[_Group]
    named: list[str]  # conventions
    other: str  # a test that is named and none of them

    @property
    def tables(self) -> list:
        """All 2x2 tables that the printed numbers allow, group A first; none where they are more than ``MANY``."""
        a, b = (group.options for group in self.groups)
        return [[[x, n - x], [y, m - y]] for (x, n), (y, m) in product(a, b)] if len(a) * len(b) <= MANY else []

    @property
    def is_settled(self) -> bool:
        """Whether one table alone fits, and nothing speaks against it."""
        printed_sizes = not any(group.hidden or group.verdict == INCONSISTENT for group in self.groups)
        return self.printed is not None and len(self.tables) == 1 and printed_sizes


def first_look(row: dict[str, str]) -> Comparison | Finding:
    """Return what a row of counts compares, or else the row's finding: of means and medians, or of unreadable cells.

    ``row`` holds the cells of a ledger by column, and its ``file_row``.
    """
    try:
        printed = _cell(row, "p_printed", cells.p_value)
        named = _cell(row, "test_printed", cells.named_tests)
        if _is_of_numbers(row):
            return _numbers(row, printed, named)
        known = [name for name in named if name in fourfold.CONVENTIONS]
        other = row["test_printed"] if named and not known else ""
        return Comparison(printed, [_group(row, "a"), _group(row, "b")], known, other)
    except Stop as stop:
        return stop.found


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


def _group(row: dict[str, str], side: str) -> _Group:
    """Return what the cells of a group allow; of two percentages, the one that is worse off decides."""
    said, size = _cell(row, f"{side}_count", cells.count), _group_size(row, side)
    of = size if said.of is None else _size(row, f"{side}_count", said.of)
    if of is not None and size is not None and of > size:
        raise _refused(row, f"{side}_count", f"the group has {wording.count(size, 'patient')}", INCONSISTENT)
    if None not in (of, said.count) and said.count > of:
        raise _refused(row, f"{side}_count", f"accepted: 0 to {wording.count(of, 'patient')}", INCONSISTENT)
    shares = [share for share in (said.percent, _cell(row, f"{side}_pct", cells.percent)) if share]
    groups = [_allowed(said.count, of, share) for share in shares or [None]]
    if not groups[0].options and not groups[0].said:
        lacking = ["count"] * (said.count is None) + ["n"] * (of is None)
        return _Group([], lacks=f"nothing printed gives {' and '.join(f'{side}_{name}' for name in lacking)}")
    return max(groups, key=lambda group: SEVERITY.index(group.verdict))


def _allowed(count: int | None, of: int | None, share: str | None) -> _Group:
    """Return the counts and sizes that fit what is printed of count, size and percentage."""
    if count is None:
        return _counts_of(of, share) if of and share else _Group([])
    if of is None:
        return _sizes_of(count, share) if share else _Group([])
    return _percentage(count, of, share) if share else _Group([(count, of)])


def _counts_of(of: int, share: str) -> _Group:
    if fitting := attainable.counts(share, of):
        return _Group([(count, of) for count in fitting], REPRODUCED, f"{share} % is {_or(fitting)} of {of}")
    below = int(Decimal(share) * of / 100)
    found = {count: verdicts.percentage(share, count, of) for count in (below, below + 1) if count <= of}
    if other := {count: one.reason for count, one in found.items() if one.verdict == OTHER_CONVENTION}:
        return _Group([(count, of) for count in other], OTHER_CONVENTION, "; ".join(other.values()))
    return _Group([], INCONSISTENT, found[below].reason.partition("; ")[2])


def _sizes_of(count: int, share: str) -> _Group:
    least, _ = digits.interval(share)
    if least <= 0:  # of any group large enough
        return _Group([])
    patients = f"{wording.count(count, 'patient')} {'is' if count == 1 else 'are'}"
    if fitting := attainable.denominators(count, share, min(LARGEST, int(100 * count / least) + 1)):
        return _Group([(count, of) for of in fitting], REPRODUCED, f"{patients} {share} % of {_or(fitting)}")
    return _Group([], INCONSISTENT, f"{patients} {share} % of no group")


def _percentage(count: int, of: int, share: str) -> _Group:
    """Judge a percentage by its count; one that fits a smaller denominator is taken to leave patients out."""
    found = verdicts.percentage(share, count, of)
    if found.verdict != INCONSISTENT:
        return _Group([(count, of)], found.verdict, found.reason)
    smaller = attainable.denominators(count, share, of)
    if not smaller:
        said = found.reason if len(found.reason) < LONG else found.reason.partition("; ")[0]
        return _Group([(count, of)], INCONSISTENT, said)
    said = f"{share} % is {count} of {_or(smaller)}, not of {of}"
    return _Group([(count, n) for n in smaller], OTHER_CONVENTION, said, f"denominator {_or(smaller)}")


def _or(numbers: list[int]) -> str:
    if len(numbers) > 4 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    return " or ".join(filter(None, [", ".join(map(str, numbers[:-1])), str(numbers[-1])]))


def judge(one: Comparison, standard: str, preferred: str | None) -> Finding:
    """Return the verdict on a row of counts: on its P value, unless a percentage is impossible or there is no P."""
    worst = max((group.verdict for group in one.groups), key=SEVERITY.index)
    hidden = tuple(dict.fromkeys(group.hidden for group in one.groups if group.hidden))
    if one.printed is None:
        said = "; ".join(group.said for group in one.groups if group.said)
        return Finding(worst or UNDETERMINED, said or "neither a P value nor a percentage is printed", hidden)
    odd = [group.said for group in one.groups if group.verdict in (OTHER_CONVENTION, INCONSISTENT)]
    if worst == INCONSISTENT and not all(group.options for group in one.groups):
        return Finding(INCONSISTENT, "; ".join(odd))
    found = _tested(one, standard, preferred)
    verdict = OTHER_CONVENTION if hidden and found.verdict == REPRODUCED else found.verdict
    return found._replace(
        verdict=INCONSISTENT if worst == INCONSISTENT else verdict,
        conventions=(*hidden, *found.conventions),
        reason="; ".join([*odd, found.reason]),
    )


def _tested(one: Comparison, standard: str, preferred: str | None) -> Finding:
    """Judge the P value; nobody is blamed where a test is named that the counts do not settle."""
    if not one.tables:
        lacking = "; ".join(group.lacks for group in one.groups if group.lacks)
        return Finding(UNDETERMINED, lacking or "too many counts fit the percentages")
    found = verdicts.p_value(one.printed, one.tables, one.named or [standard], preferred)
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
    fitting = [name for name in named if (name in verdicts.T_TESTS if a == cells.MEAN_SD else name == "mann_whitney")]
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
