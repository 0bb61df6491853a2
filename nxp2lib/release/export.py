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
SOURCES = ["table1", "table2", "figure1", "text", "malignancy"]
GROUPS = {table: ["total", *findings.compared(table)] for table in findings.TABLES}
COUNTED = ["n", "denominator", "missing", "percent"]
ROUNDED = ["q1", "median", "q3", "shift"]  # to two digits, since they are, or lie between, values of single patients
SAID = [
    "Aggregates only. Least and greatest values and the sites of malignancies are left out, quartiles are rounded to "
    "two digits, and no figure or notebook of the run is included.",
    "Every count below the minimum is hidden, zero included, and so is every finding that fewer than the minimum lack; "
    "with them go percentages, P values and estimates that rest on them, and further counts that would let them be "
    "worked out by subtraction, across all tables. One mark stands for all of these.",
    "proof.csv lists for each hidden count two values that agree with everything shown here and with the definitions "
    "of the data dictionary; the true count can be either, or lie between or beyond.",
    "How many patients are unknown is shown: it tells of the file, not of a patient.",
    "This does not protect against a second export of almost the same patients: whoever has both can subtract. Nor "
    "does it replace the look of somebody who knows how rare the findings are at your centre.",
]


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
    every hidden count is shown to be as open as asked.

    Raises ExportError where the folder holds no finished run, or a hidden count cannot be protected.
    """
    if minimum < 2:
        raise ExportError(f"a minimum of {minimum} hides nothing; accepted: 2 or more")
    run = Path(run)
    results = _results(run)
    known = blocks(results)
    try:
        small, further = disclosure.protect(known, minimum)
    except disclosure.Exposed as error:
        raise ExportError(str(error)) from None
    target, partial = run / FOLDER, run / f".{FOLDER}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _write_all(partial, results, known, small | further, minimum)
        found = proof(partial, small | further, minimum)
        report = _report(target, known, small, further, found, minimum)
        _write_words(partial, report, found)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return report


def _results(run: Path) -> dict[str, pd.DataFrame]:
    missing = [name for name in SOURCES if not (run / "results" / f"{name}.csv").is_file()]
    if missing:
        said = f"no finished run here: results/{missing[0]}.csv is missing; run all notebooks first"
        raise ExportError(f"{run}: {said}")
    return {name: _read(run / "results" / f"{name}.csv") for name in SOURCES}


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"display": str})


# Counts


def blocks(results: dict[str, pd.DataFrame]) -> dict[Key, Block]:
    """Return every count of a run as blocks, once each: equal ones of several tables are one.

    ``results`` holds the long tables of ``SOURCES``. A block of the row ``patients`` is the size of a group.
    """
    found: dict[Key, Block] = {}
    for name in ("table1", "table2"):
        for group in GROUPS[name]:
            size = describe.value(results[name], "patients", group, "n")
            if pd.notna(size):
                found["patients", group] = Block(int(size), 0, 0)
    for name in SOURCES[:4]:
        wide = results[name][results[name]["statistic"].isin(COUNTED)]
        wide = wide.pivot(index=["row", "group"], columns="statistic", values="value")
        for (row, group), record in wide.iterrows():
            if row != "patients" and pd.notna(record.get("n")) and _listed(name, row, group):
                n, known = int(record["n"]), int(record["denominator"])
                found[row, group] = Block(n, known - n, int(record["missing"]))
    return found


def _listed(name: str, row: str, group: str) -> bool:
    """Leave out what is true of everybody in a group: phenotypes among patients of one phenotype."""
    return not (name == "figure1" and group == "polymyositis")


# Files


def _write_all(folder: Path, results: dict[str, pd.DataFrame], known: dict, hidden: set[Key], minimum: int) -> None:
    for name in SOURCES:
        released = masked(results[name], name, known, hidden, minimum)
        released.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        if name in GROUPS:
            shown = displayed(released, name, minimum)
            (folder / f"{name}.html").write_text(formats.to_page(shown), encoding="utf-8")
            formats.write_docx(shown, folder / f"{name}.docx")


def masked(results: pd.DataFrame, name: str, known: dict, hidden: set[Key], minimum: int) -> pd.DataFrame:
    """Return a long table as it may leave the centre: hidden numbers are blank, and displayed as ``hidden``."""
    kept = [record for record in results.to_dict("records") if _kept(record, name)]
    hidden = hidden | _few(results, known, minimum)
    whole = {row for row, group in known if not {(row, g) for g in _tested_groups(name)} & hidden}
    released = []
    for record in kept:
        value = _released(record, name, known, hidden, whole)
        released.append({**record, "value": value, "display": HIDDEN if pd.isna(value) else record["display"]})
    frame = pd.DataFrame(released, columns=["row", "group", "statistic", "value", "display"])
    rounded = frame["statistic"].isin([*ROUNDED, "mean", "superiority"]) & frame["value"].notna()
    frame.loc[rounded, "display"] = [f"{value:g}" for value in frame.loc[rounded, "value"]]
    return frame


def _kept(record: dict, name: str) -> bool:
    """Leave out rows whose mere presence tells something, and statistics of single patients."""
    if name == "malignancy":
        return record["row"] == "all_sites" or record["row"].startswith("years_at_risk")
    if not _listed(name, record["row"], record["group"]):
        return False
    return record["statistic"] not in ("minimum", "maximum", "u", "p_exact")


def _tested_groups(name: str) -> list[str]:
    return GROUPS.get(name, ["total"])[1:]


def _few(results: pd.DataFrame, known: dict, minimum: int) -> set[Key]:
    """Return means and medians of fewer than ``minimum`` patients; one that is hidden hides those of all groups."""
    numbers = results[(results["statistic"] == "denominator") & (results["value"] < minimum)]
    rows = {row for row, group in numbers[["row", "group"]].itertuples(index=False) if (row, group) not in known}
    return {(row, group) for row in rows for group in results["group"].unique()}


def _released(record: dict, name: str, known: dict, hidden: set[Key], whole: set[str]) -> float:
    row, group, statistic, value = (record[key] for key in ("row", "group", "statistic", "value"))
    nothing = float("nan")
    if name == "malignancy":
        return nothing if ("malignancy", "adult") in hidden or ("patients", "adult") in hidden else value
    counted = (row, group) in known
    if counted and group != "comparison":
        return nothing if (row, group) in hidden or (row == "patients" and ("patients", "total") in hidden) else value
    sizes = [("patients", g) for g in GROUPS.get(name, ["total"])]
    if group == "comparison":
        if statistic == "p_holm":  # rests on the P values of all rows
            return nothing if hidden & {(r, g) for r, _ in known for g in _tested_groups(name)} else value
        if row in {r for r, _ in known}:
            return value if row in whole and not hidden & set(sizes) else nothing
    if (row, group) in hidden or hidden & set(sizes):  # a mean of a hidden group follows from the others
        return nothing
    return _rounded(value, statistic)


def _rounded(value: float, statistic: str) -> float:
    """Round what is, or lies close to, the value of a single patient."""
    if pd.isna(value) or statistic in ("denominator", "missing", "p_value"):
        return value
    if statistic in ROUNDED:
        return float(f"{Decimal(str(value)):.2g}")
    return round(value, 1 if statistic == "mean" else 2)


def displayed(released: pd.DataFrame, name: str, minimum: int) -> formats.Table:
    """Lay a released table out as in the paper."""
    shown = released.set_index(["row", "group", "statistic"])["display"].to_dict()
    groups = GROUPS[name]
    by = findings.TABLES[name]
    header = ["", *(f"{table.GROUP_LABELS[group]}, n = {_mark(shown['patients', group, 'n'])}" for group in groups)]
    lines = []
    for row, kind, tested in published.rows(name).query("row != 'female'").itertuples(index=False):
        column = dictionary.column(row)
        p = _mark(shown.get((row, "comparison", "p_value"), "")) if tested else ""
        unit = "" if kind == "count" else f", {kind}{' (quartiles)' * (kind == 'median')}, {column.unit}"
        cells = (column.label + unit, *(_cell(shown, row, group, kind) for group in groups), p)
        lines.append((column.section, cells))
    notes = (
        f"{MARK} Not shown: below {minimum}, or would let such a count be worked out.",
        "Counts are n/N (%) of the N patients in whom the item is known. Quartiles are rounded to two digits.",
    )
    header = (*header, f"P value, between {table.BETWEEN[by]}")
    return formats.Table(table.TITLES[name], header, formats.sectioned(lines), notes)


def _mark(text: str) -> str:
    return MARK if text == HIDDEN else text


def _cell(shown: dict, row: str, group: str, kind: str) -> str:
    names = {"count": ["n"], "mean": ["mean"], "median": ["median", "q1", "q3"]}[kind]
    texts = [shown[row, group, name] for name in names]
    if HIDDEN in texts:
        return MARK
    if kind == "count":
        return f"{texts[0]}/{shown[row, group, 'denominator']} ({shown[row, group, 'percent']})"
    return texts[0] if kind == "mean" else f"{texts[0]} ({texts[1]}\N{EN DASH}{texts[2]})"


# Proof


def proof(folder: Path, hidden: set[Key], minimum: int) -> dict[Key, Range]:
    """Read an export as a stranger would, and return for each hidden count values that agree with all it shows.

    Raises ExportError where one of them is not as open as asked.
    """
    shown = blocks({name: _read(folder / f"{name}.csv") for name in SOURCES})
    found = disclosure.ranges(shown, sorted(hidden), minimum) if hidden else {}
    for (row, group), limits in found.items():
        if (row, group) in shown or limits.width < minimum:
            raise ExportError(f"{row} in {group}: not protected, so nothing is written")
    return found


def _report(target: Path, known: dict, small: set, further: set, found: dict, minimum: int) -> Report:
    least = min((limits.width for limits in found.values()), default=None)
    return Report(target, minimum, len(known) - len(small | further), len(small), len(further), least)


def _write_words(folder: Path, report: Report, found: dict[Key, Range]) -> None:
    listed = [(row, group, *limits, limits.width) for (row, group), limits in found.items()]
    header = ("row", "group", "least", "greatest", "least_without", "greatest_without", "width")
    pd.DataFrame(listed, columns=header).to_csv(folder / "proof.csv", index=False, lineterminator="\n")
    said = {"minimum": report.minimum, "nxp2lib": __version__, "counts_shown": report.shown}
    (folder / "export.json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    (folder / "index.html").write_text(_index(folder, report), encoding="utf-8", newline="\n")


def _index(folder: Path, report: Report) -> str:
    hidden = report.small + report.further
    lead = f"{report.shown} counts shown, {hidden} hidden; none below {report.minimum} is shown."
    parts = [pages.paragraphs(*SAID)]
    for name in GROUPS:
        shown = displayed(_read(folder / f"{name}.csv"), name, report.minimum)
        parts.append(Markup(formats.to_html(shown, inline=False)))
    return pages.page("What may leave the centre", Markup("\n").join(parts), lead)
