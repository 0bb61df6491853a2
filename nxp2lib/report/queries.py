"""A page of queries: what a data manager takes to the charts, every question with its rows."""

from pathlib import Path

from nxp2lib import wording
from nxp2lib.intake import Inspection, Problem
from nxp2lib.intake.problems import FILE
from nxp2lib.report import pages

MOST_ROWS = 40  # row numbers named per query
MOST_QUERIES = 2000


def write(found: Inspection, path: str | Path) -> None:
    """Write problems, warnings and how each column was understood as one HTML page; everything typed is escaped."""
    columns = [(one.header, one.column or "not used", one.how, one.values or "as typed") for one in found.columns]
    listed = {"problems": _queries(found.problems), "warnings": _queries(found.warnings), "columns": columns}
    text = pages.render("report/templates/queries.html", found=found, most=MOST_QUERIES, count=wording.count, **listed)
    Path(path).write_text(text, encoding="utf-8", newline="\n")


def _queries(problems: list[Problem]) -> list[tuple]:
    """Return equal questions as one, with the rows that they concern."""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for one in problems:
        grouped.setdefault((one.column, one.value, one.accepted), []).extend([str(one.row)] if one.row else [])
    listed = []
    for number, ((column, value, said), places) in enumerate(grouped.items(), start=1):
        more = f" and {len(places) - MOST_ROWS:,} more" if len(places) > MOST_ROWS else ""
        rows = ", ".join(places[:MOST_ROWS]) + more
        listed.append((number, "file" if column == FILE else column, value or "(blank)", said, rows, ""))
    return listed
