"""A page of queries: what a data manager takes to the charts, every question with its rows."""

from pathlib import Path

from nxp2lib.intake import Inspection, Problem
from nxp2lib.intake.problems import FILE
from nxp2lib.report import pages

MOST_ROWS = 40  # row numbers named per query
MOST_QUERIES = 2000


def write(found: Inspection, path: str | Path) -> None:
    """Write problems, warnings and how each column was understood as one HTML page; everything typed is escaped."""
    columns = [(one.header, one.column or "not used", one.how, one.values or "as typed") for one in found.columns]
    listed = {"problems": _queries(found.problems), "warnings": _queries(found.warnings), "columns": columns}
    text = pages.render("report/templates/queries.html", found=found, most=MOST_QUERIES, **listed)
    Path(path).write_text(text, encoding="utf-8", newline="\n")


def _queries(problems: list[Problem]) -> list[tuple]:
    """Return equal questions as one, with the rows that they concern."""
    grouped: dict[tuple[str, str, str], list[int | None]] = {}
    for problem in problems:
        grouped.setdefault((problem.column, problem.value, problem.accepted), []).append(problem.row)
    return [
        (number, "file" if column == FILE else column, value or "(blank)", said, _rows(places), "")
        for number, ((column, value, said), places) in enumerate(grouped.items(), start=1)
    ]


def _rows(places: list[int | None]) -> str:
    named = [str(place) for place in places if place]
    more = f" and {len(named) - MOST_ROWS:,} more" if len(named) > MOST_ROWS else ""
    return ", ".join(named[:MOST_ROWS]) + more
