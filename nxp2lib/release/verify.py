"""Check an export by counting: no solver, and nothing of the model that hid the counts, is used."""

import json
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from nxp2lib import cohort, compare, describe, findings, published, table
from nxp2lib.intake import checks
from nxp2lib.release import export, releases
from nxp2lib.release.export import ExportError
from nxp2lib.release.model import BELOW, Shown
from nxp2lib.run import record

MADE = ["cohort", "in_exports_of", "patients"]


class Verified(NamedTuple):
    """What was counted: cohorts, hidden counts, earlier releases (None: their list is not known)."""

    folder: Path
    cohorts: int
    hidden: int
    apart: int
    earlier: int | None

    def __str__(self) -> str:
        said = f"{self.cohorts} made-up cohorts show everything that is shown here"
        said += f", and differ by {self.apart} or more in each of {self.hidden} hidden counts"
        if self.earlier is None:
            return f"{self.folder}: {said}\nWhat earlier exports have shown is not known here, and not checked"
        return f"{self.folder}: {said}; {self.earlier} earlier exports agree with them too"


def check(place: str | Path, listed: str | Path | None = None) -> Verified:
    """Count every made-up cohort of an export again, and compare with everything that the export shows.

    ``place`` is the export, or the folder of its run; ``listed`` the list of releases (None: beside the run's cohort).
    Checked are: the files and their checksums; that pages and documents show what the tables show; that every cohort is
    one that the data dictionary allows, and shows these tables, and those of earlier exports; that each hidden count
    differs in two of them by the minimum at least. Raises ExportError with the first thing that is not so.
    """
    folder = Path(place) / export.FOLDER if (Path(place) / export.FOLDER).is_dir() else Path(place)
    said = _said(folder)
    released, proof = export.read(folder), pd.read_csv(folder / export.PROOF)
    minimum, limit = said["parameters"]["minimum"], said["parameters"]["juvenile_below_age"]
    shown = export.seen(released, limit, minimum)
    hidden = {(row, group) for name in export.SOURCES for row, group, statistic, display in
              released[name][["row", "group", "statistic", "display"]].itertuples(index=False)
              if statistic == "n" and display == export.HIDDEN}  # fmt: skip
    ledger = Path(listed) if listed else releases.beside(folder.parent)
    before = None if ledger is None else releases.read(ledger)[: said["earlier_exports"] or 0]
    cohorts = _cohorts(folder)
    for number, patients in cohorts.items():
        _same_tables(number, patients, said, released, shown, hidden)
        for release in before or []:
            _same_counts(number, patients, releases.shown_by(release))
    _apart(proof, cohorts, said["apart"])
    own = proof[proof["without_patients"].isna() & (proof["patients"] == shown.patients) & (proof["juvenile_below_age"] == limit)]
    public = {key for one in map(releases.shown_by, before or []) for key in one.blocks if one.who(key[1]) == shown.who(key[1])}
    bare = hidden - set(own[["row", "group"]].itertuples(index=False, name=None)) - public
    if bare and not (before is None and said["earlier_exports"]):
        raise ExportError(f"{folder}: nothing proves that {' in '.join(min(bare))} stays hidden")
    apart = int(_least_apart(proof).min()) if len(proof) else 0
    return Verified(folder, len(cohorts), len(hidden), apart, None if before is None else len(before))


def _said(folder: Path) -> dict:
    """Return what ``export.json`` says, after a look at the files: their checksums, and what pages and documents show."""
    try:
        said = json.loads((folder / export.SAID).read_text(encoding="utf-8"))
        expected, minimum = said["sha256"], said["parameters"]["minimum"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ExportError(f"{folder}: no export here: {export.SAID} is missing or not as nxp2 export writes it") from None
    sums = {path.name: record.checksum(path) for path in folder.iterdir() if path.is_file() and path.name != export.SAID}
    if wrong := sorted(name for name in {*sums, *expected} if sums.get(name) != expected.get(name)):
        raise ExportError(f"{folder}: not as it was written: {', '.join(wrong)}")
    with tempfile.TemporaryDirectory() as again:
        for name in export.SOURCES:
            (Path(again) / f"{name}.csv").write_bytes((folder / f"{name}.csv").read_bytes())
        export.write_pages(Path(again), minimum)
        if wrong := sorted(path.name for path in Path(again).iterdir() if record.checksum(path) != sums.get(path.name)):
            raise ExportError(f"{folder}: other numbers than in the tables: {', '.join(wrong)}")
    return said


def _cohorts(folder: Path) -> dict[int, pd.DataFrame]:
    """Return each made-up cohort, one row per patient; raise ExportError for one that the dictionary does not allow."""
    listed = pd.read_csv(folder / export.COHORTS, dtype=str, keep_default_na=False)
    cells = listed.drop(columns=MADE).assign(patient_id=[f"M{place}" for place in range(len(listed))])
    try:
        typed = cohort.prepare(cells, export.COHORTS) if len(cells) else cells
    except cohort.CohortError as error:
        raise ExportError(str(error)) from None
    made = typed.assign(**{name: listed[name].astype(int) for name in MADE})
    return {int(number): one.loc[one.index.repeat(one["patients"])].reset_index(drop=True)
            for number, one in made.groupby("cohort")}  # fmt: skip


def _inside(patients: pd.DataFrame, shown: Shown | int, limit: float) -> pd.DataFrame:
    """Return the patients of an export, grouped by its age limit."""
    return cohort.derive(patients, limit).assign(inside=patients["in_exports_of"] <= shown)


def _same_tables(number: int, patients: pd.DataFrame, said: dict, released: dict, shown: Shown, hidden: set) -> None:
    settings = said["parameters"]
    here = _inside(patients, shown.patients, shown.age_limit)
    here = here[here["inside"]].reset_index(drop=True)
    rows = {name: published.rows(name) for name in findings.TABLES}
    made = {name: describe.summarize(here, rows[name], by, settings.get("quantile_method", "weibull"))
            for name, by in findings.TABLES.items()}  # fmt: skip
    if number == 0:  # tests rest on the counts, which are the same in all
        made = {name: pd.concat([long, compare.compare(here, rows[name], findings.TABLES[name], settings.get("confidence", 0.95))])
                for name, long in made.items()}  # fmt: skip
    made |= {"figure1": describe.phenotypes(here), "text": describe.running_text(here)}
    everything = Shown(shown.age_limit, shown.patients, {**shown.blocks, **dict.fromkeys(hidden, (0, 0, 0))}, shown.numbers)
    for name, long in made.items():
        again = export.masked(table.with_display(long.reset_index(drop=True)), name, everything, hidden)
        expected = released[name] if number == 0 else released[name].query("group != 'comparison'")
        keys = ["row", "group", "statistic"]
        both = expected.set_index(keys)["display"].compare(again.set_index(keys)["display"].reindex(expected.set_index(keys).index))
        if len(both):
            row, group, statistic = both.index[0]
            raise ExportError(f"{name}: {row} in {group}, {statistic}: shown as {both.iloc[0, 0]}, {both.iloc[0, 1]} in cohort {number}")


def _counted(patients: pd.DataFrame, row: str) -> tuple[int, int, int]:
    """Return in how many patients a row holds, does not, and is unknown."""
    name, number, edge = row.partition(BELOW)
    answers = patients[name] < float(edge) if number else findings.holds(row, patients)
    return int((answers == 1).sum()), int((answers == 0).sum()), int(answers.isna().sum())


def _members(patients: pd.DataFrame, group: str) -> pd.Series:
    return patients["inside"] & (findings.holds(group, patients) == 1).fillna(False).astype(bool)


def _same_counts(number: int, patients: pd.DataFrame, shown: Shown) -> None:
    """Raise ExportError where a cohort does not show the counts of an earlier export."""
    here = _inside(patients, shown.patients, shown.age_limit)
    for (row, group), block in shown.blocks.items():
        members = here[_members(here, group)]
        found = (len(members), 0, 0) if row == "patients" else _counted(members, row)
        if found != tuple(block):
            raise ExportError(f"{row} in {group} of an export of {shown.patients} patients: shown as {block}, {found} in cohort {number}")


def _least_apart(proof: pd.DataFrame) -> pd.Series:
    return np.minimum(proof["greatest"] - proof["least"], proof["greatest_without"] - proof["least_without"])


def _apart(proof: pd.DataFrame, cohorts: dict, minimum: int) -> None:
    """Raise ExportError where the counts of the proof are not those of its cohorts, or lie too near."""
    for row in proof[_least_apart(proof) < minimum].itertuples():
        raise ExportError(f"{row.row} in {row.group}: its values lie nearer than {minimum} to one another")
    known: dict = {}
    for one in proof.itertuples():
        for end in ("least", "greatest", "least_without", "greatest_without"):
            number = getattr(one, f"{end}_in")
            found = _block(known, number, cohorts[number], one)[int("without" in end and one.row != "patients")]
            if found != getattr(one, end):
                raise ExportError(f"{one.row} in {one.group}: {end} is {found} in cohort {number}, and not {getattr(one, end)}")


def _block(known: dict, number: int, patients: pd.DataFrame, one) -> tuple[int, int, int]:
    """Return a count of the proof in a cohort; derived tables are kept in ``known``."""
    def grouped(size: float, limit: float) -> pd.DataFrame:
        if (number, size, limit) not in known:
            known[number, size, limit] = _inside(patients, int(size), limit)
        return known[number, size, limit]

    here = grouped(one.patients, one.juvenile_below_age)
    members = _members(here, one.group)
    if not np.isnan(one.without_patients):
        members &= ~_members(grouped(one.without_patients, one.without_below_age), one.group)
    return (int(members.sum()), 0, 0) if one.row == "patients" else _counted(here[members], one.row)
