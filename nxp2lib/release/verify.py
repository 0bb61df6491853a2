"""Check an export by counting: no solver, and nothing of the model that hid the counts, is used."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nxp2lib import cohort, compare, describe, findings, published, table
from nxp2lib.release import export, releases
from nxp2lib.release.export import ExportError
from nxp2lib.release.model import BELOW, Block, Key, Shown
from nxp2lib.run import record

MADE = ["cohort", "in_exports_of", "patients"]  # what a row of the certificates holds beside answers
ENDS = ["least", "greatest", "least_without", "greatest_without"]
PLACE = ["row", "group", "statistic"]


class Verified(NamedTuple):
    """What was counted: cohorts, hidden counts, and earlier exports (None: what they have shown is not known)."""

    folder: Path
    cohorts: int
    hidden: int
    apart: int
    earlier: int | None

    def __str__(self) -> str:
        said = f"{self.folder}: {self.cohorts} made-up cohorts show everything that is shown here"
        said += f", and differ by {self.apart} or more in each of {self.hidden} hidden counts"
        if self.earlier is None:
            return f"{said}\nWhat earlier exports have shown is not known here, and not checked"
        more = f"\nEach of them also shows what earlier exports have shown: {self.earlier}"
        return said + more if self.earlier else said


def check(place: str | Path, listed: str | Path | None = None) -> Verified:
    """Count every made-up cohort of an export again, and compare with everything that the export shows.

    ``place`` is the export, or the folder of its run; ``listed`` the list of releases (None: beside the run's cohort).
    Checked are: the files and their checksums; that pages and documents show what the tables show; that every cohort is
    one that the data dictionary allows, and shows these tables, and those of earlier exports; that each hidden count
    differs in two of them by as much as the export says. Raises ExportError with the first thing that is not so.
    """
    folder = Path(place) / export.FOLDER if (Path(place) / export.FOLDER).is_dir() else Path(place)
    said = _said(folder)
    released = export.read(folder)
    shown = export.seen(released, said["parameters"]["juvenile_below_age"], said["parameters"]["minimum"])
    counts = pd.concat(released.values()).query("statistic == 'n' and display == @export.HIDDEN")
    hidden = set(counts[["row", "group"]].itertuples(index=False, name=None))
    ledger = Path(listed) if listed else releases.beside(folder.parent)
    before = None if ledger is None else releases.read(ledger)[: said["earlier_exports"] or 0]
    earlier = [releases.shown_by(one) for one in before or []]
    cohorts = _cohorts(folder)
    for number, patients in cohorts.items():
        _same_tables(number, patients, said["parameters"], released, shown, hidden)
        for one in earlier:
            _same_counts(number, patients, one)
    proof = pd.read_csv(folder / export.PROOF)
    _far_apart(proof, cohorts, said["apart"])
    known = {(row, one.who(group)) for one in earlier for row, group in one.blocks}
    bare = hidden - _proved(proof, shown) - {key for key in hidden if (key[0], shown.who(key[1])) in known}
    if bare and not (before is None and said["earlier_exports"]):
        raise ExportError(f"{folder}: nothing proves that {' in '.join(min(bare))} stays hidden")
    return Verified(folder, len(cohorts), len(hidden), said["apart"], None if before is None else len(before))


def _said(folder: Path) -> dict[str, Any]:
    """Return what ``export.json`` says, after a look at the files: checksums, and what pages and documents show."""
    try:
        said = json.loads((folder / export.SAID).read_text(encoding="utf-8"))
        expected, minimum = said["sha256"], said["parameters"]["minimum"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ExportError(f"{folder}: no export here that nxp2 export has written ({export.SAID})") from None
    others = [path for path in folder.iterdir() if path.name != export.SAID]
    sums = {path.name: record.checksum(path) if path.is_file() else "a folder" for path in others}
    if wrong := sorted(name for name in {*sums, *expected} if sums.get(name) != expected.get(name)):
        raise ExportError(f"{folder}: not as it was written: {', '.join(wrong)}")
    with tempfile.TemporaryDirectory() as name:
        again = Path(name)
        for source in export.SOURCES:
            (again / f"{source}.csv").write_bytes((folder / f"{source}.csv").read_bytes())
        export.write_pages(again, minimum)
        if wrong := sorted(path.name for path in again.iterdir() if record.checksum(path) != sums.get(path.name)):
            raise ExportError(f"{folder}: other numbers than in the tables: {', '.join(wrong)}")
    return said


def _cohorts(folder: Path) -> dict[int, pd.DataFrame]:
    """Return each made-up cohort, one row per patient; raise ExportError for one that the dictionary does not allow."""
    listed = pd.read_csv(folder / export.COHORTS, dtype=str, keep_default_na=False)
    if listed.empty:
        return {}
    cells = listed.drop(columns=MADE).assign(patient_id=[f"M{place}" for place in range(len(listed))])
    try:
        patterns = cohort.prepare(cells, export.COHORTS)
    except cohort.CohortError as error:
        raise ExportError(str(error)) from None
    patterns = patterns.assign(**{name: listed[name].astype(int) for name in MADE})
    parts = patterns.groupby("cohort")
    return {int(str(number)): part.loc[part.index.repeat(part["patients"])].reset_index(drop=True)
            for number, part in parts}  # fmt: skip


def _of_export(patients: pd.DataFrame, size: float, age_limit: float) -> pd.DataFrame:
    """Return the patients of an export, grouped by its age limit, with the rows they had."""
    return cohort.derive(patients[patients["in_exports_of"] <= size], age_limit)


def _same_tables(number: int, patients: pd.DataFrame, settings: dict, released: dict, shown: Shown, hidden: set):
    """Raise ExportError where a cohort, described as any other, does not give the tables of the export."""
    here = _of_export(patients, shown.patients, shown.age_limit).reset_index(drop=True)
    made = {"figure1": describe.phenotypes(here), "text": describe.running_text(here)}
    for name, by in findings.TABLES.items():
        rows = published.rows(name)
        described = describe.summarize(here, rows, by, settings.get("quantile_method", "weibull"))
        # Tests rest on the counts, which are the same in all cohorts.
        tests = [] if number else [compare.compare(here, rows, by, settings.get("confidence", 0.95))]
        made[name] = pd.concat([described, *tests], ignore_index=True)
    everything = replace(shown, blocks=shown.blocks | dict.fromkeys(hidden, Block(0, 0, 0)))
    for name, long in made.items():
        again = export.masked(table.with_display(long), name, everything, hidden).set_index(PLACE)["display"]
        expected = released[name].set_index(PLACE)["display"]
        if number:
            expected = expected.drop("comparison", level="group", errors="ignore")
        for place in expected[expected != again.reindex(expected.index)].index:
            said = f"shown as {expected[place]}, and {again.get(place, 'not there')} in cohort {number}"
            raise ExportError(f"{name}: {' / '.join(place)}: {said}")


def _counted(patients: pd.DataFrame, members: pd.Series, row: str) -> tuple[int, int, int]:
    """Return in how many members a row holds, does not, and is unknown; of the row ``patients``, how many they are."""
    if row == "patients":
        return int(members.sum()), 0, 0
    name, number, edge = row.partition(BELOW)
    answers = (patients[name] < float(edge) if number else findings.holds(row, patients))[members]
    return int((answers == 1).sum()), int((answers == 0).sum()), int(answers.isna().sum())


def _members(patients: pd.DataFrame, group: str) -> pd.Series:
    return (findings.holds(group, patients) == 1).fillna(False).astype(bool)


def _same_counts(number: int, patients: pd.DataFrame, shown: Shown) -> None:
    """Raise ExportError where a cohort does not show the counts of an earlier export."""
    here = _of_export(patients, shown.patients, shown.age_limit)
    for (row, group), block in shown.blocks.items():
        found = _counted(here, _members(here, group), row)
        if found != tuple(block):
            said = f"shown as {tuple(block)}, and {found} in cohort {number}"
            raise ExportError(f"{row} in {group} of an earlier export of {shown.patients} patients: {said}")


def _far_apart(proof: pd.DataFrame, cohorts: dict[int, pd.DataFrame], apart: int) -> None:
    """Raise ExportError where the counts of the proof are not those of its cohorts, or lie nearer than said."""
    near = np.minimum(proof["greatest"] - proof["least"], proof["greatest_without"] - proof["least_without"]) < apart
    for one in proof[near].itertuples():
        raise ExportError(f"{one.row} in {one.group}: its values lie nearer to one another than {apart}")

    @cache
    def grouped(number: int, size: float, age_limit: float) -> pd.DataFrame:
        return _of_export(cohorts[number], size, age_limit)

    for one in proof.itertuples():
        for side, end in enumerate(ENDS):
            number = getattr(one, f"{end}_in")
            here = grouped(number, one.patients, one.juvenile_below_age)
            members = _members(here, one.group)
            if one.without_patients == one.without_patients:  # not blank
                other = grouped(number, one.without_patients, one.without_below_age)
                members &= ~_members(other, one.group).reindex(here.index, fill_value=False)
            found = _counted(here, members, one.row)[side // 2 if one.row != "patients" else 0]
            if found != getattr(one, end):
                said = f"{end} is {found} in cohort {number}, and not {getattr(one, end)}"
                raise ExportError(f"{one.row} in {one.group}: {said}")


def _proved(proof: pd.DataFrame, shown: Shown) -> set[Key]:
    """Return the counts of an export itself that a proof is about."""
    places: Iterator = proof[proof["without_patients"].isna()].itertuples()
    exports = ((one, Shown(one.juvenile_below_age, one.patients, {}, {})) for one in places)
    return {(one.row, one.group) for one, other in exports if other.who(one.group) == shown.who(one.group)}
