"""A page of queries: what a data manager takes to the charts, every question with its rows."""

from pathlib import Path

from markupsafe import Markup

from nxp2lib.intake import Inspection, Problem
from nxp2lib.intake.problems import FILE
from nxp2lib.report import pages

INSIDE = "This page shows values of patients. It stays inside the centre."
MOST_ROWS = 40  # row numbers named per query
MOST_QUERIES = 2000


def write(found: Inspection, path: str | Path) -> None:
    """Write the queries about a cohort file as one HTML page without outside parts; everything typed is escaped."""
    Path(path).write_text(page(found), encoding="utf-8", newline="\n")


def page(found: Inspection) -> str:
    """Return the page: counts, problems, warnings, and how each column was understood."""
    patients = "" if found.patients is None else f"{found.patients:,} patients; "
    counts = f"{patients}{len(found.problems):,} problems to mend, {len(found.warnings):,} values to look at again."
    parts = [pages.paragraphs(INSIDE, kind="note"), pages.paragraphs(f"{found.read_as}. {counts}")]
    parts.append(pages.heading("Problems: the file cannot be used before these are mended"))
    parts.append(_queries(found.problems, "Accepted") if found.problems else pages.paragraphs("None."))
    if found.warnings:
        parts.append(pages.heading("Warnings: accepted, but hard to believe"))
        parts.append(_queries(found.warnings, "Expected"))
    if found.columns:
        rows = [(one.header, one.column or "not used", one.how, one.values or "as typed") for one in found.columns]
        parts.append(pages.heading("How the columns were understood"))
        parts.append(pages.table(("In the file", "Read as", "Why", "Values"), rows))
    if found.absent:
        parts.append(pages.paragraphs("Not in the file, so unknown for everyone: " + ", ".join(found.absent) + "."))
    return pages.page(f"Queries about {found.name}", Markup("\n").join(parts), "One line per question, for the charts.")


def _queries(problems: list[Problem], accepted: str) -> Markup:
    """Lay out equal questions as one, with the rows that they concern."""
    grouped: dict[tuple[str, str, str], list[int | None]] = {}
    for problem in problems:
        grouped.setdefault((problem.column, problem.value, problem.accepted), []).append(problem.row)
    rows = [
        (number, "file" if column == FILE else column, value or "(blank)", said, _rows(places), "")
        for number, ((column, value, said), places) in enumerate(grouped.items(), start=1)
    ]
    table = pages.table(("No.", "Column", "Value", accepted, "File rows", "Answer"), rows[:MOST_QUERIES])
    if len(rows) <= MOST_QUERIES:
        return table
    more = f"{len(rows) - MOST_QUERIES:,} more queries are not shown; mend these first, then look again."
    return table + pages.paragraphs(more)


def _rows(places: list[int | None]) -> str:
    named = [str(place) for place in places if place]
    more = f" and {len(named) - MOST_ROWS:,} more" if len(named) > MOST_ROWS else ""
    return ", ".join(named[:MOST_ROWS]) + more
