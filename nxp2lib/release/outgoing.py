"""The form in which numbers leave a centre: which tables there are, what they show, and how it is laid out."""

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from nxp2lib import describe, dictionary, digits, findings, formats, published, table, wording
from nxp2lib.release import disclosure
from nxp2lib.release.model import Block, Key, Shown
from nxp2lib.report import pages

HIDDEN = "hidden"  # stands in place of every number that is not shown
MARK = "\N{BULLET}"
SOURCES = ["table1", "table2", "figure1", "text"]  # not the incidence: what is expected follows from each age and sex
GROUPS = {table: ["total", *findings.compared(table)] for table in findings.TABLES}
EVERYBODY = ("figure1", "polymyositis")  # a phenotype among patients of that phenotype: true of all, so left out
# What the numbers of a run rest on, beside its patients, and what that is where a run does not say.
SETTINGS = {"juvenile_below_age": findings.JUVENILE_BELOW_AGE, "minimum_group": findings.MINIMUM_GROUP,
            "confidence": 0.95, "quantile_method": "weibull"}  # fmt: skip
COUNTED = ["n", "denominator", "missing", "percent"]
# Of values: each needs so many times the minimum, since it has so many parts of the patients on one side or the other.
PARTS = {"mean": 1, "median": 2, "q1": 4, "q3": 4}
STAYS = ["minimum", "maximum", "u", "p_exact", "p_approximate", "p_holm", "shift", "superiority"]
CELLS = {"count": "{n}/{denominator} ({percent})", "mean": "{mean}", "median": "{median} ({q1}\N{EN DASH}{q3})"}


class ExportError(ValueError):
    """An export that cannot be made or is not what it says, in one sentence; nothing has been written."""


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the long tables of a run or an export; raise ExportError where one is missing."""
    if missing := [f"{folder.name}/{name}.csv" for name in SOURCES if not (folder / f"{name}.csv").is_file()]:
        raise ExportError(f"{folder.parent}: no finished run here: {missing[0]} is missing; run all notebooks first")
    return {name: _of_paper(_long(folder, name), name) for name in SOURCES}


def own(folder: Path) -> list[str]:
    """Return a centre's own columns in a run: what they could tell is not worked out, so they stay inside."""
    tested = {name: _long(folder, name).query("group == 'comparison'")["row"] for name in GROUPS}
    return list(dict.fromkeys(row for name, listed in tested.items() for row in listed if row not in _rows(name)))


def _long(folder: Path, name: str) -> pd.DataFrame:
    """Read a long table; a count that the run did not describe is taken as 0, and so is hidden."""
    read = pd.read_csv(folder / f"{name}.csv", dtype={"display": str})
    kept_back = read["statistic"].isin(COUNTED[:3]) & (read["display"] == table.NOT_COMPUTABLE)
    return read.assign(value=read["value"].mask(kept_back, 0))


def _rows(name: str) -> set[str]:
    return {"patients", *published.rows(name)["row"]}


def _of_paper(long: pd.DataFrame, name: str) -> pd.DataFrame:
    return long[long["row"].isin(_rows(name))].reset_index(drop=True) if name in GROUPS else long


def seen(results: dict[str, pd.DataFrame], age_limit: float, minimum: int) -> Shown:
    """Return what long tables show, or, of a run, could show: counts once each, means and quartiles of enough patients.

    ``results`` holds the tables of ``SOURCES``. A block of the row ``patients`` is the size of a group.
    """
    counts = blocks(results)
    numbers = {}
    for name in GROUPS:
        wide = results[name].pivot(index=["row", "group"], columns="statistic", values="value")
        for (row, group), record_ in wide[wide.get("n").isna() & wide["denominator"].notna()].iterrows():
            known = int(record_["denominator"])
            kept = [one for one in PARTS if pd.notna(record_.get(one)) and known >= PARTS[one] * minimum]
            numbers |= {(row, group, one): _ends(one, record_[one]) for one in kept}
            numbers |= {(row, group, "denominator"): (known, known)} if kept else {}
    everybody = counts.get(disclosure.EVERYBODY)
    return Shown(float(age_limit), everybody.yes if everybody else 0, counts, numbers)


def _ends(statistic: str, value: float) -> tuple[float, float]:
    """Return between which values a mean or a quartile lies, by what is printed of it."""
    if statistic == "mean":
        low, high = digits.interval(str(digits.round_half_up(value, 1)))
        return float(low), float(high)
    rounded = _coarse(value)
    return float(rounded - _step(rounded - 1) / 2), float(rounded + _step(rounded) / 2)


def _coarse(value: float) -> Decimal:
    """Return a median or a quartile as it leaves: two digits, and whole tens at least; half is rounded up."""
    exact = Decimal(str(value))
    return (exact / _step(exact)).quantize(Decimal(1), ROUND_HALF_UP) * _step(exact)


def _step(value: Decimal) -> Decimal:
    return Decimal(10) ** max(value.adjusted() - 1, 1)


def blocks(results: dict[str, pd.DataFrame]) -> dict[Key, Block]:
    """Return every count of a run as blocks, once each: equal ones of several tables are one."""
    found: dict[Key, Block] = {}
    for name, groups in GROUPS.items():
        for group in groups:
            size = describe.value(results[name], "patients", group, "n")
            if pd.notna(size):
                found["patients", group] = Block(int(size), 0, 0)
    for name in SOURCES:
        wide = results[name][results[name]["statistic"].isin(COUNTED)]
        wide = wide.pivot(index=["row", "group"], columns="statistic", values="value")
        for (row, group), record_ in wide.iterrows():
            if row != "patients" and pd.notna(record_.get("n")) and (name, group) != EVERYBODY:
                n, known = int(record_["n"]), int(record_["denominator"])
                found[row, group] = Block(n, known - n, int(record_["missing"]))
    return found


def masked(results: pd.DataFrame, name: str, now: Shown, hidden: set[Key]) -> pd.DataFrame:
    """Return a long table as it may leave the centre: hidden numbers are blank, and displayed as ``hidden``.

    Every number has the digits that are displayed, no more.
    """
    released = []
    for row, group, statistic, value, display in results[[*describe.COLUMNS, "display"]].itertuples(index=False):
        counted = (row, group) in now.blocks or any((row, tested) in now.blocks for tested in GROUPS.get(name, ()))
        if (name, group) == EVERYBODY or statistic in STAYS or (group == "comparison" and not counted):
            continue
        if not counted and statistic == "mean":
            display = str(digits.round_half_up(value, 1)) if pd.notna(value) else display
        elif not counted and statistic in PARTS:
            display = f"{_coarse(value):f}" if pd.notna(value) else display
        known = counted or (row, group, "denominator" if statistic == "missing" else statistic) in now.numbers
        if not known or hidden & _blocks_behind(name, row, group, now):
            display = HIDDEN
        released.append((row, group, statistic, pd.to_numeric(display, errors="coerce"), display))
    return pd.DataFrame(released, columns=[*describe.COLUMNS, "display"])


def _blocks_behind(name: str, row: str, group: str, now: Shown) -> set[Key]:
    """Return the blocks that a number tells of: it is shown only where none of them is hidden."""
    total, *tested = GROUPS.get(name, ["total"])
    if (row, group) in now.blocks:
        return {(row, group), ("patients", total)}
    sizes = {("patients", group) for group in (total, *tested)}
    return sizes | {(row, group) for group in tested if (row, group) in now.blocks}  # of a comparison, or of values


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
        cells = [MARK if cell.startswith(MARK) else cell for cell in cells]
        p = (shown.at[(row, "comparison"), "p_value"] if kind == "count" else MARK) if tested else ""
        lines.append((column.section, (column.label + unit, *cells, p)))
    notes = (
        f"{MARK} Not shown: below {minimum}, or would let such a count, or single patients' values, be worked out.",
        "Counts are n/N (%) of the N patients in whom the item is known. Quartiles are rounded to two digits or tens.",
    )
    return formats.Table(table.TITLES[name], header, formats.sectioned(lines), notes)


def write_pages(folder: Path, minimum: int) -> None:
    """Write the tables and the page of an export from what its files show, and from nothing else."""
    released = read(folder)
    laid_out = [displayed(released[name], name, minimum) for name in GROUPS]
    for name, one in zip(GROUPS, laid_out, strict=True):
        (folder / f"{name}.html").write_text(formats.to_page(one), encoding="utf-8")
        formats.write_docx(one, folder / f"{name}.docx")
    counts = pd.concat(released.values()).query("statistic == 'n'").drop_duplicates(["row", "group"])
    hidden = int((counts["display"] == HIDDEN).sum())
    shown = wording.count(len(counts) - hidden, "count")
    tables = [Markup(formats.to_html(one, inline=False)) for one in laid_out]
    text = pages.render("release/templates/export.html", minimum=minimum, hidden=hidden, shown=shown, tables=tables)
    (folder / "index.html").write_text(text, encoding="utf-8", newline="\n")
