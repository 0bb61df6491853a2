"""Write what may leave a centre: aggregates of a finished run, without small counts and what would reveal them."""

import json
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from nxp2lib import __version__, describe, dictionary, digits, findings, formats, published, table
from nxp2lib.release import disclosure, releases
from nxp2lib.release.disclosure import Certificate, Watched
from nxp2lib.release.model import Block, Exposed, Key, Shown
from nxp2lib.report import pages
from nxp2lib.run import record

FOLDER, SAID, PROOF, COHORTS = "export", "export.json", "proof.csv", "certificates.csv"
HIDDEN = "hidden"  # stands in place of every number that is not shown
MARK = "\N{BULLET}"
SOURCES = ["table1", "table2", "figure1", "text"]  # not the incidence: what is expected follows from each age and sex
GROUPS = {table: ["total", *findings.compared(table)] for table in findings.TABLES}
EVERYBODY = ("figure1", "polymyositis")  # a phenotype among patients of that phenotype: true of all, so left out
COUNTED = ["n", "denominator", "missing", "percent"]
# Of values: each needs so many times the minimum, since it has so many parts of the patients on one side or the other.
PARTS = {"mean": 1, "median": 2, "q1": 4, "q3": 4}
STAYS = ["minimum", "maximum", "u", "p_exact", "p_holm", "shift", "superiority"]
TOGETHER = "together with earlier exports of these, or almost these, patients it would tell what has to stay hidden"
CELLS = {"count": "{n}/{denominator} ({percent})", "mean": "{mean}", "median": "{median} ({q1}\N{EN DASH}{q3})"}


class ExportError(ValueError):
    """An export that cannot be made, said in one sentence; nothing has been written."""


class Report(NamedTuple):
    """What an export shows and hides: counts of blocks, and how far the values of a hidden one lie apart at least.

    ``earlier`` is how many releases it was protected together with, None where their list is not known; ``left_out``
    the numbers of which no proof was found that they tell little enough.
    """

    folder: Path
    minimum: int
    shown: int
    small: int
    further: int
    apart: int | None
    earlier: int | None
    left_out: list[str]

    def __str__(self) -> str:
        hidden = f"{self.small} counts below {self.minimum} hidden, {self.further} more to protect them"
        proof = f"; every hidden count can still differ by {self.apart} or more" if self.apart else ""
        lines = [f"{self.shown} counts shown, {hidden}{proof}"]
        if self.left_out:
            lines.append(f"Not all of these could be shown: {', '.join(map(dictionary.label, self.left_out))}")
        if self.earlier:
            lines.append(f"Protected together with earlier exports of these, or almost these, patients: {self.earlier}")
        if self.earlier is None:
            lines.append("No list of earlier exports is known: what they and this one tell together is not protected")
        return "\n".join([*lines, f"Wrote {self.folder}"])


def write(run: str | Path, minimum: int = 8, listed: str | Path | None = None) -> Report:
    """Write the folder ``export`` into the folder of a finished run, whole or not at all.

    ``minimum`` is the least count that is shown, 2 or more. ``listed`` is the list of earlier releases, with which this
    one is protected and to which it is added; None: beside the run's cohort. Before the folder appears, its files are
    read back, and every hidden count is shown to be as open as asked. Raises ExportError for an unfinished run, or an
    exposed count.
    """
    if minimum < 2:
        raise ExportError(f"a minimum of {minimum} hides nothing; accepted: 2 or more")
    run = Path(run)
    results, parameters = read(run / "results"), {"minimum": minimum, **settings(run)}
    ledger = Path(listed) if listed else releases.beside(run)
    everything = seen(results, parameters["juvenile_below_age"], minimum)
    if everything.patients < minimum:
        raise ExportError(f"{everything.patients} patients, and the minimum is {minimum}: there is nothing to show")
    before = releases.read(ledger) if ledger else []
    again = [place for place, one in enumerate(before) if one["parameters"] == parameters]
    for place in [*again, len(before)]:  # the same once more is no further export
        earlier = [releases.shown_by(one) for one in before[:place]]
        apart = min([minimum, *(one["apart"] for one in before[:place])])
        now, small, further = _protected(everything, earlier, minimum, apart)
        blocks_ = {key: block for key, block in now.blocks.items() if key not in small | further}
        if place < len(before) and releases.shown_by(before[place]).blocks == blocks_:
            break
    target, partial = run / FOLDER, run / f".{FOLDER}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        for name in SOURCES:
            released = masked(results[name], name, now, small | further)
            released.to_csv(partial / f"{name}.csv", index=False, lineterminator="\n")
        shown = seen(read(partial), now.age_limit, minimum)
        found, cohorts = _proved(shown, small | further, earlier, apart)
        left_out = sorted({row for row, *_ in everything.numbers.keys() - now.numbers.keys()})
        report = Report(target, minimum, len(shown.blocks), len(small), len(further), apart if found else None,
                        None if ledger is None else len(earlier), left_out)  # fmt: skip
        said = {"nxp2lib": __version__, "parameters": parameters, "patients": now.patients}
        said |= {"apart": apart, "earlier_exports": report.earlier}
        listed_proof(found).to_csv(partial / PROOF, index=False, lineterminator="\n")
        cohorts.to_csv(partial / COHORTS, index=False, lineterminator="\n")
        write_pages(partial, minimum)
        said["sha256"] = {path.name: record.checksum(path) for path in sorted(partial.iterdir())}
        (partial / SAID).write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
        if ledger:
            releases.add(ledger, said, shown)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return report


def settings(run: Path) -> dict[str, Any]:
    """Return the parameters that the results of a run rest on, files and folders left out.

    Raises ExportError where the notebooks ran with different ones, or the results have changed since.
    """
    notebooks = record.earlier(run).get("notebooks", {})
    found: dict[str, Any] = {}
    for name, entry in notebooks.items():
        if not {f"results/{source}.csv" for source in SOURCES} & entry.get("left", {}).keys():
            continue
        if not record.still_there(entry, run):
            raise ExportError(f"{run}: not as {name} left it; run the notebooks again")
        for parameter, value in entry["parameters"].items():
            if parameter.endswith(("_path", "_dir")):
                continue
            if found.setdefault(parameter, value) != value:
                raise ExportError(f"{run}: {parameter} is {found[parameter]} in some notebooks and {value} in {name}; "
                                  "run all notebooks with the same")  # fmt: skip
    return {"juvenile_below_age": findings.JUVENILE_BELOW_AGE} | found


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the long tables of a run or an export; raise ExportError where one is missing."""
    if missing := [f"{folder.name}/{name}.csv" for name in SOURCES if not (folder / f"{name}.csv").is_file()]:
        raise ExportError(f"{folder.parent}: no finished run here: {missing[0]} is missing; run all notebooks first")
    return {name: pd.read_csv(folder / f"{name}.csv", dtype={"display": str}) for name in SOURCES}


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
    rounded = Decimal(f"{Decimal(str(value)):.2g}")
    half = Decimal(5).scaleb(rounded.adjusted() - 2)
    return float(rounded - (half / 10 if rounded.scaleb(-rounded.adjusted()) == 1 else half)), float(rounded + half)


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


def _protected(everything: Shown, earlier: list[Shown], minimum: int, apart: int) -> tuple[Shown, set[Key], set[Key]]:
    """Return what can be shown of everything, and the blocks to hide, small ones and others.

    Means and quartiles of which nobody can prove that they tell little enough are left out.
    """
    now = everything
    while True:
        try:
            return now, *disclosure.protect(now, earlier, minimum, apart)
        except disclosure.Unproved as error:
            if not now.numbers:
                raise ExportError(f"{TOGETHER}; nothing is written" if earlier else disclosure.FAULT) from None
            now = replace(now, numbers=_fewer(now.numbers, str(error)))
        except Exposed as error:
            raise ExportError(str(error)) from None


def _fewer(numbers: dict, row: str) -> dict:
    """Leave out the quartiles of the groups of a row (nameless: of all), or those of everybody, or medians, or all."""
    at_stake = [place for place in numbers if row in ("", place[0])]
    quartiles = [place for place in at_stake if place[2] in ("q1", "q3")]
    parts = [place for place in quartiles if place[1] != findings.TOTAL]
    medians = [place for place in at_stake if place[2] == "median"]
    out = parts or quartiles or medians or at_stake
    return {place: ends for place, ends in numbers.items() if place not in out}


def _proved(shown: Shown, hidden: set[Key], earlier: list[Shown], apart: int):
    try:
        if hidden & shown.blocks.keys():
            raise Exposed(disclosure.FAULT)
        return disclosure.certificates(shown, hidden, earlier, apart)
    except Exposed as error:
        raise ExportError(str(error) or disclosure.FAULT) from None


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
            display = f"{Decimal(f'{Decimal(str(value)):.2g}'):f}" if pd.notna(value) else display
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
        "Counts are n/N (%) of the N patients in whom the item is known. Quartiles are rounded to two digits.",
    )
    return formats.Table(table.TITLES[name], header, formats.sectioned(lines), notes)


def listed_proof(found: dict[Watched, Certificate]) -> pd.DataFrame:
    """Return certificates as a table: which count, of which export and without which, and what the cohorts show."""
    columns = ["row", "group", "patients", "juvenile_below_age", "without_patients", "without_below_age"]
    rows = [(*one.key, one.export.patients, one.export.age_limit,
             *((one.without.patients, one.without.age_limit) if one.without else ("", "")), *limits)
            for one, limits in found.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=[*columns, *Certificate._fields])


def write_pages(folder: Path, minimum: int) -> None:
    """Write the tables and the page of an export from what its files show, and from nothing else."""
    released = read(folder)
    laid_out = [displayed(released[name], name, minimum) for name in GROUPS]
    for name, one in zip(GROUPS, laid_out, strict=True):
        (folder / f"{name}.html").write_text(formats.to_page(one), encoding="utf-8")
        formats.write_docx(one, folder / f"{name}.docx")
    counts = pd.concat(released.values()).query("statistic == 'n'").drop_duplicates(["row", "group"])
    hidden = int((counts["display"] == HIDDEN).sum())
    text = pages.render("release/templates/export.html", minimum=minimum, hidden=hidden, shown=len(counts) - hidden,
                        tables=[Markup(formats.to_html(one, inline=False)) for one in laid_out])  # fmt: skip
    (folder / "index.html").write_text(text, encoding="utf-8", newline="\n")
