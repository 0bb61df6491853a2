"""A whole table at once: which tests and habits of rounding leave the fewest of its rows not as printed?

Rows of one table share an author. So all choices are tried together: one or two tests for the rows that name none, one
habit of rounding for percentages and one for P values, and for each row which patients were left out of its groups. The
rows that depart from the best choice are those that need an explanation of their own.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations, product
from math import isnan
from typing import NamedTuple

import numpy as np
import pandas as pd

from nxp2lib import digits
from nxp2lib.audit import conventions, ledger
from nxp2lib.audit.conventions import LABELS, PValues
from nxp2lib.audit.ledger_row import MANY, Comparison, Group

HABITS = list(digits.HABITS)


class Whole(NamedTuple):
    """The choice that explains most rows of counts of a table.

    ``rows`` are its rows of counts with a P value or a percentage; ``tests`` are labels, the usual ones first, of rows
    that name none; ``departures`` are the places in the ledger (its index) of rows that are not as printed even so.
    """

    table: str
    rows: int
    tests: tuple[str, ...]
    percentages: str
    p_values: str
    departures: tuple


def explain(printed: pd.DataFrame) -> list[Whole]:
    """Return for each table of a ledger the choice under which the fewest of its rows depart from what is printed.

    All choices are tried. Of several with as few departures the one with fewer and more usual tests, and with half
    rounded up, is taken. Raises LedgerError as `nxp2lib.audit.ledger.audit` does.

    >>> rows = {"a_count": ["13/36 (36.1)", "12/34 (35.2)"], "b_count": ["13/40 (32.5)", "5/40 (12.5)"]}
    >>> explain(pd.DataFrame(rows | {"p_printed": ["0.811", "0.027"]}))[0][1:]
    (2, ('two-sided Fisher',), 'cut off', 'rounded', ())
    """
    rows, first, _ = ledger.looked_at(printed)
    tables: dict[str, dict] = {}
    for place, row, one in zip(printed.index, rows, first, strict=True):
        if isinstance(one, Comparison) and (one.printed or any(group.share for group in _groups(one))):
            tables.setdefault(row["table"], {})[place] = one
    known = PValues()
    return [_best(name, compared, known) for name, compared in tables.items()]


def _groups(one: Comparison) -> Iterator[Group]:
    return (group for reading in one.readings for group in reading.groups)


def _best(name: str, compared: dict, known: PValues) -> Whole:
    """Return the best choice for one table."""
    given = np.stack([_explained(one, known) for one in compared.values()])  # row, percentages, P values, test
    free = [one.printed is not None and not one.named for one in compared.values()]
    useful = [k for k in range(len(ledger.TRIED)) if given[free][..., k].any()] or [0]
    found = []
    for tests in (*combinations(useful, 1), *combinations(useful, 2)):
        kept = given[..., list(tests)].any(axis=-1)
        unusual = -sum(conventions.USUAL.get(ledger.TRIED[k], 0) for k in tests)
        for shares, p_values in product(range(len(HABITS)), repeat=2):
            cost = (int((~kept[:, shares, p_values]).sum()), len(tests), bool(shares) + bool(p_values), unusual)
            found.append((cost, tests, shares, p_values))
    _, tests, shares, p_values = min(found)
    kept = given[:, shares, p_values][:, list(tests)].any(axis=-1)
    departures = tuple(place for place, is_kept in zip(compared, kept, strict=True) if not is_kept)
    ordered = sorted((ledger.TRIED[k] for k in tests), key=lambda test: -conventions.USUAL.get(test, 0))
    labels = tuple(LABELS[test] for test in ordered) if any(free) else ()
    return Whole(name, len(compared), labels, HABITS[shares], HABITS[p_values], departures)


def _explained(one: Comparison, known: PValues) -> np.ndarray:
    """Tell for each habit of percentages, habit of P values and test whether a row can be as it is printed.

    A row that names its test is explained by that one whatever is chosen for the others.
    """
    found = np.zeros((len(HABITS), len(HABITS), len(ledger.TRIED)), dtype=bool)
    for place, habit in enumerate(HABITS):
        tables = _tables(one, habit)
        if not tables or one.printed is None or one.other:
            found[place] = bool(tables)
            continue
        names = conventions.family(one.named, one.two_sided) if one.named else ledger.TRIED
        values = known.of(tables, names)
        for which, rounding in enumerate(HABITS):
            given = [any(_is_printed(one.printed, p, rounding) for p in values[name]) for name in names]
            found[place, which] = any(given) if one.named else given
    return found


def _tables(one: Comparison, habit: str) -> list:
    """Return the 2x2 tables that fit the printed numbers of a row, its percentages rounded by one habit."""
    found = []
    for reading in one.readings:
        pairs = product(*(_fitting(group, habit) for group in reading.groups))
        found += [[[a, n - a], [b, m - b]] for _, ((a, n), (b, m)) in zip(range(MANY), pairs, strict=False)]
    return found[:MANY]


def _fitting(group: Group, habit: str) -> list[tuple[int, int]]:
    share = group.share
    if not share:
        return group.options
    rounded, places = digits.HABITS[habit], digits.decimals(share)
    return [(n, of) for n, of in group.options if rounded(digits.percent(n, of), places) == Decimal(share)]


def _is_printed(printed: str, p: float, habit: str) -> bool:
    if isnan(p) or not printed[0].isdigit():
        return bool(digits.agrees(printed, p))
    places = digits.decimals(printed)
    return abs(p - float(printed)) < 2 * 10.0**-places and digits.HABITS[habit](p, places) == Decimal(printed)
