"""Check an export by counting: no solver, and no equation of the model that hid the counts, is used."""

import io
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import chain
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from nxp2lib import cohort, compare, describe, dictionary, findings, published, table
from nxp2lib.release import disclosure, outgoing
from nxp2lib.release.model import AGE, BELOW, Block, Key, Shown, tied
from nxp2lib.release.outgoing import ExportError
from nxp2lib.run import record
from nxp2lib.wording import count

FOLDER, SAID, PROOF, COHORTS = "export", "export.json", "proof.csv", "certificates.csv"
FILES = {*(f"{name}.csv" for name in outgoing.SOURCES), PROOF, COHORTS,
         *(f"{name}.{ending}" for name in outgoing.GROUPS for ending in ("html", "docx")), "index.html"}  # fmt: skip
MADE = ["cohort", "patients"]  # what a row of the certificates holds beside answers
SIDES = ("", "_without")  # of a count: patients with a finding, and without
MALFORMED = (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError)
Cohorts = list[pd.DataFrame]  # one row per patient


class Verified(NamedTuple):
    """What was counted: made-up cohorts, and hidden counts that differ in them by ``minimum`` or more."""

    folder: Path
    cohorts: int
    hidden: int
    minimum: int

    def __str__(self) -> str:
        said = f"everything that is shown here stands in {count(self.cohorts, 'made-up cohort')}"
        proof = f", which differ by {self.minimum} or more in each of {count(self.hidden, 'hidden count')}"
        return f"{self.folder}: {said}{proof if self.hidden else ''}"


def check(place: str | Path) -> Verified:
    """Count every made-up cohort of an export again, and compare with everything that the export shows.

    ``place`` is the export, or the folder of its run. Checked are: that there are the files of an export and no more,
    with the checksums it says; that pages and documents show what the tables show; that every cohort is one that the
    data dictionary allows, and gives these tables, to the last digit; that no small count is shown; that each hidden
    count, and how many lie below each mean and quartile, differs in two cohorts by the minimum at least. Raises
    ExportError with the first thing that is not so.
    """
    folder = Path(place) / FOLDER if (Path(place) / FOLDER).is_dir() else Path(place)
    with _in_one_sentence(folder):
        parameters, patients = _said(folder)
        minimum = parameters["minimum"]
        released = outgoing.read(folder)
        shown = outgoing.seen(released, parameters["juvenile_below_age"], minimum)
        counts = pd.concat(released.values()).query("statistic == 'n' and display == @outgoing.HIDDEN")
        hidden = set(counts[["row", "group"]].itertuples(index=False, name=None))
        if small := disclosure.small(shown.blocks, minimum):
            raise ExportError(f"{folder}: {' in '.join(min(small))} is shown, and below {minimum}")
        if shown.patients != patients:
            raise ExportError(f"{folder}: {count(shown.patients, 'patient')} in the tables, and {patients} in {SAID}")
        cohorts = read_cohorts(folder, shown, hidden)
        for number, made in enumerate(cohorts):
            _same_tables(folder, number, made, parameters, shown, hidden)
        proof = listed(cohorts, shown, hidden)
        _far_apart(proof, minimum)
        if _written(proof) != (folder / PROOF).read_bytes():
            raise ExportError(f"{folder}: {PROOF} does not say what its cohorts show")
        return Verified(folder, len(cohorts), len(hidden), minimum)


@contextmanager
def _in_one_sentence(folder: Path) -> Iterator[None]:
    try:
        yield
    except ExportError:
        raise
    except MALFORMED as error:
        raise ExportError(f"{folder}: not as nxp2 export writes it ({type(error).__name__})") from error


def _said(folder: Path) -> tuple[dict, int]:
    """Return the parameters and the patients of ``export.json``, after a look at the files and what pages show."""
    try:
        text = (folder / SAID).read_text(encoding="utf-8")
        said = json.loads(text)
        _, parameters, patients, sums = (said[key] for key in ("nxp2lib", "parameters", "patients", "sha256"))
        as_written = len(said) == 4 and _said_in(said) == text and re.fullmatch(r"[0-9.]{1,20}", said["nxp2lib"])
        as_written = as_written and type(patients) is int and _accepted(parameters) and sums.keys() == FILES
    except MALFORMED:
        as_written = False
    if not as_written:
        raise ExportError(f"{folder}: no export here that nxp2 export has written ({SAID})")
    found = {path.name: record.checksum(path) if path.is_file() else "" for path in folder.iterdir()}
    if wrong := sorted(name for name in {*found, *sums} - {SAID} if found.get(name) != sums.get(name)):
        raise ExportError(f"{folder}: not as it was written: {', '.join(wrong)}")
    with tempfile.TemporaryDirectory() as name:
        again = Path(name)
        for source in outgoing.SOURCES:
            (again / f"{source}.csv").write_bytes((folder / f"{source}.csv").read_bytes())
        outgoing.write_pages(again, parameters["minimum"])
        if wrong := sorted(path.name for path in again.iterdir() if record.checksum(path) != sums[path.name]):
            raise ExportError(f"{folder}: other numbers than in the tables: {', '.join(wrong)}")
    return parameters, patients


def write_said(folder: Path, said: dict) -> None:
    """Write ``export.json``."""
    (folder / SAID).write_text(_said_in(said), encoding="utf-8", newline="\n")


def _said_in(said: dict) -> str:
    return json.dumps(said, indent=2) + "\n"


def _accepted(parameters: object) -> bool:
    """Tell whether parameters are those of an export, no more, and can be what a run was made with."""
    if not isinstance(parameters, dict) or tuple(parameters) != ("minimum", *outgoing.SETTINGS):
        return False
    minimum, age, group, confidence, method = parameters.values()
    numbers = {type(minimum), type(group)} == {int} and {type(age), type(confidence)} <= {int, float}
    inside = numbers and minimum >= 2 and group >= 1 and 0 < age < 200 and 0 < confidence < 1
    return inside and method in describe.QUANTILE_METHODS


def read_cohorts(folder: Path, shown: Shown, hidden: set[Key]) -> Cohorts:
    """Return the made-up cohorts of an export; raise ExportError for one that the dictionary does not allow.

    Each has as many patients as the export, and what its rows rest on, nothing else.
    """
    cells = pd.read_csv(folder / COHORTS, dtype=str, keep_default_na=False)
    rows = {row for row, *_ in [*shown.blocks, *hidden, *shown.numbers]} - {"patients"}
    known = set(chain({AGE}, *tied({"male", *rows, *chain(*findings.HALVES)})))
    whole = all(cells[name].str.fullmatch(r"[0-9]{1,7}").all() for name in MADE if name in cells)
    if set(cells) != {*known, *MADE} or not whole:
        raise ExportError(f"{folder}: {COHORTS} does not hold what the tables rest on, or more")
    made = cells[MADE].astype(int)
    if set(made["cohort"]) != set(range(max(made["cohort"].nunique(), 1))):
        raise ExportError(f"{folder}: no cohort shows that this can be, in {COHORTS}")
    if (wrong := made.groupby("cohort")["patients"].sum().loc[lambda sums: sums != shown.patients]).size:
        patients = count(wrong.iloc[0], "patient")
        raise ExportError(f"{patients} in cohort {wrong.index[0]}, and {shown.patients} in the export")
    try:
        named = [f"M{place}" for place in range(len(cells))]
        patients = cohort.prepare(cells.drop(columns=MADE).assign(patient_id=named), COHORTS, shown.age_limit)
    except cohort.CohortError as error:
        raise ExportError(str(error)) from None
    return [patients.loc[part.index.repeat(part["patients"])].reset_index(drop=True)
            for _, part in made.groupby("cohort")]  # fmt: skip


def _same_tables(folder: Path, number: int, made: pd.DataFrame, parameters: dict, shown: Shown, hidden: set) -> None:
    """Raise ExportError where a cohort, described as any other, does not give the tables of the export."""
    again = {"figure1": describe.phenotypes(made), "text": describe.running_text(made)}
    for name, by in findings.TABLES.items():
        rows = published.rows(name)
        described = describe.summarize(made, rows, by, parameters["quantile_method"])
        # Tests rest on the counts, which are the same in all cohorts.
        tests = [] if number else [compare.compare(made, rows, by, parameters["confidence"])]
        again[name] = pd.concat([described, *tests], ignore_index=True)
    everything = replace(shown, blocks=shown.blocks | dict.fromkeys(hidden, Block(0, 0, 0)))
    for name, long in again.items():
        expected = _written(outgoing.masked(table.with_display(long), name, everything, hidden)).decode().splitlines()
        found = (folder / f"{name}.csv").read_bytes().decode().splitlines()
        if number:
            found = [line for line in found if line.split(",")[1] != "comparison"]
        if wrong := [pair for pair in zip(found, expected, strict=False) if len(set(pair)) > 1]:
            raise ExportError(f"{name}: shown as {wrong[0][0]}, and in cohort {number} as {wrong[0][1]}")
        if len(found) != len(expected):
            raise ExportError(f"{name}: {count(len(found), 'row')} shown, and {len(expected)} in cohort {number}")


def _written(rows: pd.DataFrame) -> bytes:
    text = io.StringIO()
    rows.to_csv(text, index=False, lineterminator="\n")
    return text.getvalue().encode()


def write_proof(folder: Path, shown: Shown, hidden: set[Key]) -> None:
    """Write what can be counted in the certificates of an export: `listed`."""
    (folder / PROOF).write_bytes(_written(listed(read_cohorts(folder, shown, hidden), shown, hidden)))


def listed(cohorts: Cohorts, shown: Shown, hidden: set[Key]) -> pd.DataFrame:
    """Return between which numbers each hidden count lies, and how many lie below a mean or a quartile.

    Columns: row, group; for patients with the finding, and without, the least and the greatest number in the cohorts,
    and in which of them it is so.
    """
    keys = [*sorted(hidden), *(key for key in disclosure.edges(shown) if _is_open(*key, shown.age_limit))]
    counted = np.array([_counted(made, keys) for made in cohorts])
    rows = []
    for place, key in enumerate(keys):
        found = counted[:, place, : disclosure.sides(key)]
        line: dict[str, object] = dict(zip(("row", "group"), key, strict=True))
        for side, values in zip(SIDES, found.T, strict=False):
            for end, cohort_ in (("least", values.argmin()), ("greatest", values.argmax())):
                line |= {f"{end}{side}": values[cohort_], f"{end}{side}_in": cohort_}
        rows.append(line)
    names = [f"{end}{side}{where}" for side in SIDES for end in ("least", "greatest") for where in ("", "_in")]
    return pd.DataFrame(rows, columns=["row", "group", *names]).astype(dict.fromkeys(names, "Int64"))


def _is_open(row: str, group: str, age_limit: float) -> bool:
    """Tell whether values of a group can lie below a number and not below: an age of its class, or any value at all."""
    name, _, edge = row.partition(BELOW)
    low, high = dictionary.column(name).minimum or 0, dictionary.column(name).maximum or 0
    if name == AGE and group == "juvenile":
        high = ceil(age_limit) - 1
    elif name == AGE and group == "adult":
        low = ceil(age_limit)
    return low < float(edge) <= high


def _counted(patients: pd.DataFrame, keys: list[Key]) -> list[tuple[int, int]]:
    """Return in how many members of each group its row holds, and does not; of ``patients``, how many they are."""

    @cache
    def told(name: str) -> np.ndarray:
        return findings.holds(name, patients).astype("Int8").fillna(-1).to_numpy()

    found = []
    for row, group in keys:
        name, number, edge = row.partition(BELOW)
        values = patients[name].to_numpy(dtype=float, na_value=np.nan) if number else np.empty(0)
        answers = np.where(np.isnan(values), -1, values < float(edge)) if number else told(row)
        members = answers[told(group) == 1]
        found.append((int((members == 1).sum()), int((members == 0).sum())))
    return found


def _far_apart(proof: pd.DataFrame, minimum: int) -> None:
    """Raise ExportError where a hidden count is nearly known.

    How many lie below a number may be known, where it is nowhere small.
    """
    for side in SIDES:
        least, greatest = proof[f"least{side}"], proof[f"greatest{side}"]
        many = proof["row"].str.contains(BELOW, regex=False) & (least >= minimum)
        for one in proof[(greatest - least < minimum).fillna(False) & ~many.fillna(False)].itertuples():
            raise ExportError(f"{one.row} in {one.group}: its values lie nearer to one another than {minimum}")
