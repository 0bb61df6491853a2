"""One row of a ledger: its cells by column, and what is found of it."""

from typing import NamedTuple

from nxp2lib.verdicts import UNDETERMINED

LARGEST = 1_000_000  # patients in a group
NAN = float("nan")


class Found(NamedTuple):
    """What the audit finds of one row; for the meaning of each see `nxp2lib.ledger.audit`."""

    verdict: str
    reason: str
    conventions: str = ""
    p_value: float = NAN
    attainable_below: float | None = NAN
    attainable_above: float | None = NAN
    p_least: float = NAN
    p_greatest: float = NAN


class Stop(Exception):
    """A row whose verdict is known before its P value is looked at."""

    def __init__(self, reason: str, verdict: str = UNDETERMINED):
        self.found = Found(verdict, reason)


def cell(row: dict, column: str, parse):
    """Return what a function of `nxp2lib.cells` reads in a column; raise Stop where it reads nothing."""
    try:
        return parse(row[column])
    except ValueError as error:
        raise Stop(f"file row {row['file_row']}, column {column}: {error}") from None


def refused(row: dict, column: str, accepted: str, verdict: str = UNDETERMINED) -> Stop:
    """Return what stops a row at a cell that says something impossible."""
    return Stop(f"file row {row['file_row']}, column {column}: {row[column]!r} is not accepted; {accepted}", verdict)


def size_of(row: dict, column: str, number: int | None) -> int | None:
    """Return the size of a group, None where it is blank; raise Stop where no group has it."""
    if number is not None and not 1 <= number <= LARGEST:
        raise refused(row, column, f"accepted: a group of 1 to {LARGEST} patients")
    return number
