"""The P value of a row of counts, by all 2x2 tables that its counts, sizes and percentages allow.

Group A is the first row of a table, so that reasons read "A against B".
"""

from decimal import Decimal
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from nxp2lib import attainable, cells, conventions, published, verdicts
from nxp2lib.ledger_row import LARGEST, NAN, Found, cell, refused, size_of
from nxp2lib.verdicts import CONSISTENT, INCONSISTENT, OTHER_CONVENTION, REPRODUCED, UNDETERMINED, VERDICTS

QUICK = (*conventions.CONDITIONAL, *conventions.ASYMPTOTIC)
MANY = 400  # tables that fit the same percentages: more are not tried
SEARCHED, NAMED = 4_000, 20_000  # outcomes of two groups up to which the slow tests are tried, unasked and asked for
LISTED = 1_000  # patients with a finding up to which attainable P values are listed; of more, they lie close
LONG = 200  # letters: of a large group very many counts may give a percentage, and are not listed


class _Group(NamedTuple):
    """Counts and sizes that the printed numbers of a group allow, and what its percentage says; empty: nothing."""

    options: list[tuple[int, int]]
    verdict: str = ""
    said: str = ""
    hidden: str = ""  # the smaller denominator that a percentage fits
    lacks: str = ""


class Comparison(NamedTuple):
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


def comparison(row: dict) -> Comparison:
    printed = cell(row, "p_printed", cells.p_value)
    named = cell(row, "test_printed", cells.named_tests)
    known = [name for name in named if name in conventions.CONVENTIONS]
    other = row["test_printed"] if named and not known else ""
    return Comparison(printed, [_group(row, "a"), _group(row, "b")], known, other)


def _group(row: dict, side: str) -> _Group:
    """Return what the cells of a group allow; of two percentages, the one that is worse off decides."""
    said, size = cell(row, f"{side}_count", cells.count), cell(row, f"{side}_n", cells.count)
    size = size_of(row, f"{side}_n", size.count if size.of is None else size.of)
    of = size if said.of is None else size_of(row, f"{side}_count", said.of)
    if of is not None and size is not None and of > size:
        raise refused(row, f"{side}_count", f"the group has {size} patients", INCONSISTENT)
    if None not in (of, said.count) and said.count > of:
        raise refused(row, f"{side}_count", f"accepted: 0 to {of} patients", INCONSISTENT)
    shares = [share for share in (said.percent, cell(row, f"{side}_pct", cells.percent)) if share]
    groups = [_allowed(said.count, of, share) for share in shares or [None]]
    if not groups[0].options and not groups[0].said:
        lacking = ["count"] * (said.count is None) + ["n"] * (of is None)
        return _Group([], lacks=f"nothing printed gives {' and '.join(f'{side}_{name}' for name in lacking)}")
    return max(groups, key=lambda group: _severity(group.verdict))


def _severity(verdict: str) -> int:
    return VERDICTS.index(verdict) if verdict else -1


def _allowed(count: int | None, of: int | None, share: str | None) -> _Group:
    """Return the counts and sizes that fit what is printed of count, size and percentage."""
    if count is None:
        return _counts(of, share) if of and share else _Group([])
    if of is None:
        return _sizes(count, share) if share else _Group([])
    return _percentage(count, of, share) if share else _Group([(count, of)])


def _counts(of: int, share: str) -> _Group:
    if fitting := attainable.counts(share, of):
        return _Group([(count, of) for count in fitting], REPRODUCED, f"{share} % is {_or(fitting)} of {of}")
    below = int(Decimal(share) * of / 100)
    found = {count: verdicts.percentage(share, count, of) for count in (below, below + 1) if count <= of}
    other = {count: one.reason for count, one in found.items() if one.verdict == OTHER_CONVENTION}
    if other:
        return _Group([(count, of) for count in other], OTHER_CONVENTION, "; ".join(other.values()))
    return _Group([], INCONSISTENT, found[below].reason.partition("; ")[2])


def _sizes(count: int, share: str) -> _Group:
    least = Decimal(share) - Decimal(5).scaleb(Decimal(share).as_tuple().exponent - 1)
    if least <= 0:  # of any group large enough
        return _Group([])
    fitting = attainable.denominators(count, share, min(LARGEST, int(100 * count / least) + 1))
    if not fitting:
        return _Group([], INCONSISTENT, f"{count} patients are {share} % of no group")
    return _Group([(count, of) for of in fitting], REPRODUCED, f"{count} patients are {share} % of {_or(fitting)}")


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


def judge(one: Comparison, standard: str, preferred: str | None) -> Found:
    """Return the verdict on a row of counts: on its P value, unless a percentage is impossible or there is no P."""
    worst = max((group.verdict for group in one.groups), key=_severity)
    lacking = [group.lacks for group in one.groups if group.lacks]
    hidden = "; ".join(dict.fromkeys(group.hidden for group in one.groups if group.hidden))
    if one.printed is None:
        said = [group.said for group in one.groups if group.said]
        return Found(worst or UNDETERMINED, "; ".join(said) or "neither a P value nor a percentage is printed", hidden)
    if one.tables:
        found = _p_value(one, one.named or [standard], preferred)
    else:
        found = Found(UNDETERMINED, "; ".join(lacking) or "too many counts fit the percentages")
    odd = [group.said for group in one.groups if group.verdict in (OTHER_CONVENTION, INCONSISTENT)]
    if not all(group.options for group in one.groups) and worst == INCONSISTENT:
        return Found(INCONSISTENT, "; ".join(odd))
    verdict = OTHER_CONVENTION if hidden and found.verdict == REPRODUCED else found.verdict
    return found._replace(
        verdict=INCONSISTENT if worst == INCONSISTENT else verdict,
        conventions="; ".join(filter(None, [hidden, found.conventions])),
        reason="; ".join([*odd, found.reason]),
    )


def _p_value(one: Comparison, expected: list[str], preferred: str | None) -> Found:
    """Judge a printed P value by all tables that fit what is printed of the two groups."""
    tables, printed = one.tables, one.printed
    outcomes = len(tables) * prod(group.options[-1][1] + 1 for group in one.groups)
    if outcomes > NAMED and set(expected) & set(conventions.UNCONDITIONAL):
        return Found(UNDETERMINED, f"{conventions.CONVENTIONS[expected[0]]} of groups this large is not computed here")
    values, fits = _fits(printed, tables, [*expected, *QUICK])
    if outcomes <= SEARCHED and not any("rounded" in fit for fit in fits.values()):
        values, fits = _fits(printed, tables, [*expected, *conventions.CONVENTIONS])
    name = max(expected, key=lambda name: fits[name].count("rounded"))
    giving = [other for other, fit in fits.items() if "rounded" in fit]
    first = name if name in giving else preferred
    giving.sort(key=lambda other: other != first)
    twice = ["rounded twice"] if name not in giving and "rounded twice" in fits[name] else []
    labels = "; ".join([*twice, *(conventions.CONVENTIONS[other] for other in giving)])
    say = _said_of_one if len(tables) == 1 else _said_of_many
    verdict, reason = say(printed, tables, name, giving[0] if giving else name, values, fits)
    if len(tables) > 1:
        return _softened(one, Found(verdict, reason, labels))
    near = _nearest(printed, tables[0], name)
    if verdict == INCONSISTENT and not np.isnan(near).all():
        reason += verdicts.nearest_in_words([verdicts.digits(p, printed) for p in near if not np.isnan(p)])
    return _softened(one, Found(verdict, reason, labels, values[name][0], *near))


def _softened(one: Comparison, found: Found) -> Found:
    """Return a finding that blames nobody where a test is named that the counts do not settle."""
    if not one.other or found.verdict != INCONSISTENT:
        return found
    reason = f"these numbers do not settle {one.other[:60]!r}; {found.reason}"
    return found._replace(verdict=UNDETERMINED, reason=reason)


def _fits(printed: str, tables: list, names: list[str]) -> tuple[dict[str, list], dict[str, list]]:
    """Return for each convention its P values of the tables, and how each gives the printed digits."""
    values = {name: list(map(float, p)) for name, p in conventions.p_values(tables, dict.fromkeys(names)).items()}
    return values, {name: [conventions.match(printed, one) for one in p] for name, p in values.items()}


def _said_of_one(printed: str, tables: list, name: str, giving: str, values: dict, fits: dict) -> tuple[str, str]:
    """Return verdict and reason where one table fits, in the words of `nxp2lib.verdicts.p_value`."""
    label, [value], groups = conventions.CONVENTIONS[name], values[name], f"of {_against(tables[0])}"
    computed = f"{label} {groups} is {verdicts.digits(value, printed)}"
    if fits[name] == ["rounded"]:
        return REPRODUCED, f"{computed}, {verdicts.as_printed(printed)}"
    if fits[name] == ["rounded twice"]:
        once = published.round_half_up(value, len(printed.partition(".")[2]) + 1)
        return OTHER_CONVENTION, f"{computed}; rounded to {once} first, then to {printed}"
    if giving != name:
        other = f"{conventions.CONVENTIONS[giving]} {groups} is {verdicts.digits(values[giving][0], printed)}"
        return OTHER_CONVENTION, f"{other}; {label} is {verdicts.digits(value, printed)}"
    if np.isnan(value):
        return UNDETERMINED, f"{label} {groups} has no P value"
    return INCONSISTENT, f"{computed}, not {printed}"


def _said_of_many(printed: str, tables: list, name: str, giving: str, values: dict, fits: dict) -> tuple[str, str]:
    """Return verdict and reason where several tables fit the printed percentages."""
    label, many = conventions.CONVENTIONS[name], f"{len(tables)} tables that fit"
    which = [_against(table) for table, fit in zip(tables, fits[giving], strict=True) if fit == "rounded"]
    shown = " or ".join([*which[:3], *([f"{len(which) - 3} more"] if len(which) > 3 else [])])
    if giving == name and len(which) == len(tables):
        return REPRODUCED, f"{label} of each of the {many} prints {printed}"
    if giving == name and which:
        return CONSISTENT, f"{label} prints {printed} for {shown}, of {many}"
    if which:
        said = f"{conventions.CONVENTIONS[giving]} prints {printed} for {shown}"
        return OTHER_CONVENTION, f"{said}; {label} for none of the {many}"
    if any(fits[name]):
        return OTHER_CONVENTION, f"{label} rounded twice is {printed} for some of the {many}"
    ends = " to ".join(verdicts.digits(p, printed) for p in (min(values[name]), max(values[name])))
    return INCONSISTENT, f"{label} of the {many} is {ends}, not {printed}"


def _nearest(printed: str, table: list, name: str) -> tuple[float, float]:
    """Return the P values at or beside a printed one that a convention can give with the margins of a table."""
    (a, b), (c, d) = table
    found = np.arange(max(0, a - d), min(a + b, a + c) + 1)
    if not printed[0].isdigit() or len(found) > LISTED or name in conventions.UNCONDITIONAL:
        return NAN, NAN
    tables = np.stack([found, a + b - found, a + c - found, d - a + found], axis=1).reshape(-1, 2, 2)
    near = attainable.nearest(conventions.p_values(tables, [name])[name].dropna(), printed)
    return tuple(NAN if p is None else p for p in near)


def _against(table: list) -> str:
    return " against ".join(f"{found}/{found + others}" for found, others in table)
