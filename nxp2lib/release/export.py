"""Write what may leave a centre: aggregates of a finished run, without small counts and what would reveal them."""

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from markupsafe import Markup

from nxp2lib import __version__, describe, dictionary, findings, formats, published, table
from nxp2lib.release import disclosure
from nxp2lib.release.disclosure import Block, Key, Range
from nxp2lib.report import pages

FOLDER = "export"
HIDDEN = "hidden"  # stands in place of every number that is not shown
MARK = "\N{BULLET}"
SOURCES = ["table1", "table2", "figure1", "text"]  # not the incidence: what is expected follows from each age and sex
GROUPS = {table: ["total", *findings.compared(table)] for table in findings.TABLES}
EVERYBODY = ("figure1", "polymyositis")  # a phenotype among patients of that phenotype: true of all, so left out
COUNTED = ["n", "denominator", "missing", "percent"]
ROUNDED = ["q1", "median", "q3", "shift"]  # to two digits, since they are, or lie between, values of single patients
CELLS = {"count": "{n}/{denominator} ({percent})", "mean": "{mean}", "median": "{median} ({q1}\N{EN DASH}{q3})"}


class ExportError(ValueError):
    """An export that cannot be made, said in one sentence; nothing has been written."""


class Report(NamedTuple):
    """What an export shows and hides: counts of blocks, and the least number of values that a hidden one can have."""

    folder: Path
    minimum: int
    shown: int
    small: int
    further: int
    least_width: int | None

    def __str__(self) -> str:
        hidden = f"{self.small} counts below {self.minimum} hidden, {self.further} more to protect them"
        proof = f"; every hidden count can still take {self.least_width} values or more" if self.least_width else ""
        return f"{self.shown} counts shown, {hidden}{proof}\nWrote {self.folder}"


def write(run: str | Path, minimum: int = 8) -> Report:
    """Write the folder ``export`` into the folder of a finished run, whole or not at all.

    ``minimum`` is the least count that is shown, 2 or more. Before the folder appears, its files are read back, and
    every hidden count is shown to be as open as asked. Raises ExportError for an unfinished run, or an exposed count.
    """
    if minimum < 2:
        raise ExportError(f"a minimum of {minimum} hides nothing; accepted: 2 or more")
    run = Path(run)
    results = _read(run / "results")
    known = blocks(results)
    try:
        small, further = disclosure.protect(known, minimum)
    except disclosure.Exposed as error:
        raise ExportError(str(error)) from None
    target, partial = run / FOLDER, run / f".{FOLDER}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        tables = _write_tables(partial, results, known, small | further, minimum)
        found = proof(partial, small | further, minimum)
        least = min((limits.width for limits in found.values()), default=None)
        report = Report(target, minimum, len(known) - len(small | further), len(small), len(further), least)
        _write_words(partial, report, found, tables)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return report


def _read(folder: Path) -> dict[str, pd.DataFrame]:
    if missing := [f"{folder.name}/{name}.csv" for name in SOURCES if not (folder / f"{name}.csv").is_file()]:
        raise ExportError(f"{folder.parent}: no finished run here: {missing[0]} is missing; run all notebooks first")
    return {name: pd.read_csv(folder / f"{name}.csv", dtype={"display": str}) for name in SOURCES}


def blocks(results: dict[str, pd.DataFrame]) -> dict[Key, Block]:
    """Return every count of a run as blocks, once each: equal ones of several tables are one.

    ``results`` holds the long tables of ``SOURCES``. A block of the row ``patients`` is the size of a group.
    """
    found: dict[Key, Block] = {}
    for name, groups in GROUPS.items():
        for group in groups:
            size = describe.value(results[name], "patients", group, "n")
            if pd.notna(size):
                found["patients", group] = Block(int(size), 0, 0)
    for name in SOURCES:
        wide = results[name][results[name]["statistic"].isin(COUNTED)]
        wide = wide.pivot(index=["row", "group"], columns="statistic", values="value")
        for (row, group), record in wide.iterrows():
            if row != "patients" and pd.notna(record.get("n")) and (name, group) != EVERYBODY:
                n, known = int(record["n"]), int(record["denominator"])
                found[row, group] = Block(n, known - n, int(record["missing"]))
    return found


def _write_tables(folder: Path, results: dict, known: dict, hidden: set[Key], minimum: int) -> list[formats.Table]:
    """Write what is shown of each result, and return the tables laid out."""
    laid_out = []
    for name in SOURCES:
        released = masked(results[name], name, known, hidden, minimum)
        released.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        if name in GROUPS:
            laid_out.append(displayed(released, name, minimum))
            (folder / f"{name}.html").write_text(formats.to_page(laid_out[-1]), encoding="utf-8")
            formats.write_docx(laid_out[-1], folder / f"{name}.docx")
    return laid_out


def masked(results: pd.DataFrame, name: str, known: dict, hidden: set[Key], minimum: int) -> pd.DataFrame:
    """Return a long table as it may leave the centre: hidden numbers are blank, and displayed as ``hidden``."""
    hidden = hidden | _few(results, known, minimum)
    counted = {row for row, _ in known}
    released = []
    for row, group, statistic, value, display in results[[*describe.COLUMNS, "display"]].itertuples(index=False):
        if not _kept(name, row, group, statistic):
            continue
        if hidden & _blocks_behind(name, row, group, statistic, known):
            value = float("nan")
        elif name in GROUPS and row not in counted:
            value = _rounded(value, statistic)
        shown = f"{value:g}" if statistic in [*ROUNDED, "mean", "superiority"] else display
        released.append((row, group, statistic, value, HIDDEN if pd.isna(value) else shown))
    return pd.DataFrame(released, columns=[*describe.COLUMNS, "display"])


def _kept(name: str, row: str, group: str, statistic: str) -> bool:
    """Leave out rows whose mere presence tells something, and statistics of single patients."""
    return (name, group) != EVERYBODY and statistic not in ("minimum", "maximum", "u", "p_exact")


def _few(results: pd.DataFrame, known: dict, minimum: int) -> set[Key]:
    """Return means and medians of fewer than ``minimum`` patients; one that is hidden hides those of all groups."""
    numbers = results[(results["statistic"] == "denominator") & (results["value"] < minimum)]
    rows = {row for row, group in numbers[["row", "group"]].itertuples(index=False) if (row, group) not in known}
    return {(row, group) for row in rows for group in results["group"].unique()}


def _blocks_behind(name: str, row: str, group: str, statistic: str, known: dict) -> set[Key]:
    """Return the blocks that a number tells of: it is shown only where none of them is hidden."""
    total, *tested = GROUPS.get(name, ["total"])
    sizes = {("patients", group) for group in (total, *tested)}
    if (row, group) in known:
        return {(row, group), ("patients", total)} if row == "patients" else {(row, group)}
    counted = {row for row, _ in known}
    if statistic == "p_holm":  # rests on the P values of all rows
        return {(other, group) for other in counted for group in tested}
    if row in counted:  # a comparison
        return sizes | {(row, group) for group in tested}
    return sizes | {(row, group)}  # a mean of a hidden group follows from the others


def _rounded(value: float, statistic: str) -> float:
    """Round what is, or lies close to, the value of a single patient."""
    if pd.isna(value) or statistic in ("denominator", "missing", "p_value", "p_holm"):
        return value
    if statistic in ROUNDED:
        return float(f"{Decimal(str(value)):.2g}")
    return round(value, 1 if statistic == "mean" else 2)


def displayed(released: pd.DataFrame, name: str, minimum: int) -> formats.Table:
    """Lay a released table out as in the paper."""
    marked = released.assign(display=released["display"].replace(HIDDEN, MARK))
    shown = marked.pivot(index=["row", "group"], columns="statistic", values="display")
    sizes = [f"{table.GROUP_LABELS[group]}, n = {shown.at[('patients', group), 'n']}" for group in GROUPS[name]]
    header = ("", *sizes, f"P value, between {table.BETWEEN[findings.TABLES[name]]}")
    lines = []
    for row, kind, tested in published.rows(name).query("row != 'female'").itertuples(index=False):
        column = dictionary.column(row)
        unit = "" if kind == "count" else f", {kind}{' (quartiles)' * (kind == 'median')}, {column.unit}"
        cells = [CELLS[kind].format(**shown.loc[(row, group)]) for group in GROUPS[name]]
        cells = [MARK if MARK in cell else cell for cell in cells]
        p = shown.at[(row, "comparison"), "p_value"] if tested else ""
        lines.append((column.section, (column.label + unit, *cells, p)))
    notes = (
        f"{MARK} Not shown: below {minimum}, or would let such a count be worked out.",
        "Counts are n/N (%) of the N patients in whom the item is known. Quartiles are rounded to two digits.",
    )
    return formats.Table(table.TITLES[name], header, formats.sectioned(lines), notes)


def proof(folder: Path, hidden: set[Key], minimum: int) -> dict[Key, Range]:
    """Read an export as a stranger would, for values of its hidden counts; raise ExportError where one is exposed."""
    shown = blocks(_read(folder))
    found = disclosure.ranges(shown, sorted(hidden), minimum) if hidden else {}
    for (row, group), limits in found.items():
        if (row, group) in shown or limits.width < minimum:
            raise ExportError(f"{row} in {group}: not protected, so nothing is written")
    return found


def _write_words(folder: Path, report: Report, found: dict[Key, Range], tables: list[formats.Table]) -> None:
    listed = [(row, group, *limits, limits.width) for (row, group), limits in found.items()]
    listed = pd.DataFrame(listed, columns=["row", "group", *Range._fields, "width"])
    listed.to_csv(folder / "proof.csv", index=False, lineterminator="\n")
    said = {"minimum": report.minimum, "nxp2lib": __version__, "counts_shown": report.shown}
    (folder / "export.json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    shown = [Markup(formats.to_html(laid_out, inline=False)) for laid_out in tables]
    text = pages.render("release/templates/export.html", report=report, tables=shown)
    (folder / "index.html").write_text(text, encoding="utf-8", newline="\n")
