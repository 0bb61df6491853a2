"""What has to be mended in a cohort file, and the error that says so."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

FILE = "(file)"  # the column of a problem with the file as a whole
HEADER = 1  # the file row of the column names; patients start at row 2
ACCEPTED = "a CSV file (.csv), an Excel workbook (.xlsx) or a Parquet file (.parquet)"
PASSWORD = "protected by a password", "a file without one (in Excel: File, Info, Encrypt with Password, empty it, save)"


@dataclass(frozen=True)
class Problem:
    """One thing in a cohort file that has to be mended or looked at: where, what stands there, what is accepted."""

    row: int | None
    column: str
    value: str
    accepted: str

    def __str__(self) -> str:
        if self.column == FILE:
            return f"cannot be read: {self.value}; accepted: {self.accepted}"
        if not self.value:
            return f"{self.place}: {'is missing' if self.row == HEADER else 'is blank'}; accepted: {self.accepted}"
        return f"{self.place}: {self.value!r} is not accepted; accepted: {self.accepted}"

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return f"row {self.row}, column {self.column}" if self.row else f"column {self.column}"

    @property
    def without_value(self) -> str:
        """The problem in words that may leave the centre: a patient's cell is not repeated, a header is."""
        if self.column == FILE or self.row in (None, HEADER) or not self.value:
            return str(self)
        return f"{self.place}: not accepted; accepted: {self.accepted}"


def within(cells: pd.DataFrame, found: Iterable[tuple[str, pd.Series, str]]) -> list[Problem]:
    """Return a problem for each cell that was found: its column, the patients whose cell it is, what is accepted."""
    return [
        Problem(int(row), name, str(cells.at[row, name]), accepted)
        for name, where, accepted in found
        for row in cells.index[where.fillna(False)]
    ]


class CohortError(ValueError):
    """A cohort file that cannot be used; ``problems`` lists every reason found in one pass.

    Its message ends up in executed notebooks and logs, so it names places and never repeats a patient's cell.
    """

    def __init__(self, name: str, problems: Iterable[Problem]):
        self.name, self.problems = name, list(problems)
        shown = [problem.without_value for problem in self.problems[:5]]
        rest = len(self.problems) - len(shown)
        more = [f"... and {rest} more; `nxp2 validate {name}` lists all, with their values"] if rest else []
        super().__init__("\n".join(f"{name}: {line}" for line in [*shown, *more]))

    def _render_traceback_(self) -> list[str]:
        """Show the reasons alone in a notebook: the reader's file is at fault, not the code above it."""
        return [f"CohortError: {self}"]


def unreadable(path: Path, reason: str, accepted: str = ACCEPTED) -> CohortError:
    """Return the error of a file that cannot be read at all."""
    return CohortError(path.name, [Problem(None, FILE, reason, accepted)])
