"""Read a cohort, check it against the data dictionary, and derive what the paper derives."""

from pathlib import Path

import pandas as pd

from nxp2lib import dictionary, findings, paths, published, wording
from nxp2lib.intake import checks, column_map, reading
from nxp2lib.intake.column_map import ColumnMap
from nxp2lib.intake.problems import CohortError

INSIDE = "Stays inside the centre."
PATIENTS = "table1/patients/total/n"  # the address of the paper's number of patients
PANDAS_TYPES = {"text": "string", "category": "category", "yes_no": "boolean", "integer": "Int64", "number": "Float64"}


def load(
    path: str | Path = paths.COHORT,
    juvenile_below_age: float = findings.JUVENILE_BELOW_AGE,
    map_path: str | Path = "",
    minimum_group: int = 1,
) -> pd.DataFrame:
    """Read a cohort file, check it, and add the derived columns: one row per patient.

    Yes/no columns become pandas ``boolean``, ages ``Int64``, creatine kinase ``Float64``, categories ``category``;
    blank is missing. Columns of the dictionary that the file lacks are added, all missing, and named in
    ``frame.attrs["absent"]``. ``map_path`` names the file that explains the centre's own headers and codes
    (`nxp2lib.intake.column_map.read`); empty: there is none. ``minimum_group`` is that of `kept_back`.

    >>> patients = load()
    >>> len(patients), patients["age_group"].value_counts().to_dict()
    (76, {'adult': 47, 'juvenile': 29})

    Raises FileNotFoundError for a missing file, CohortError for one that cannot be used, ValueError for few patients.
    """
    path = paths.find(path)
    explained = column_map.read(paths.find(map_path)) if map_path else None
    return kept_back(prepare(reading.read(path).frame, path.name, juvenile_below_age, explained), minimum_group)


def prepare(
    raw: pd.DataFrame,
    name: str = "table",
    juvenile_below_age: float = findings.JUVENILE_BELOW_AGE,
    explained: ColumnMap | None = None,
) -> pd.DataFrame:
    """Understand a table of text, check it, type it and add the derived columns.

    ``name`` stands in error messages. Raises CohortError with every problem found.
    """
    table = checks.understood(raw, explained)
    if found := checks.problems(table):
        raise CohortError(name, found)
    return derive(_typed(table.frame), juvenile_below_age)


def read(path: str | Path) -> pd.DataFrame:
    """Read a cohort file as text cells, as typed: `nxp2lib.intake.reading.read` without its remark."""
    return reading.read(path).frame


def _typed(cells: pd.DataFrame) -> pd.DataFrame:
    cells = cells.reset_index(drop=True)
    numbers, frame = checks.numbers(cells), {}
    for name, column in dictionary.stored().items():
        kind = PANDAS_TYPES[column.type]
        if column.type == "category":
            kind = pd.CategoricalDtype(list(column.values))
        if name not in cells:
            frame[name] = pd.Series(pd.NA, index=cells.index, dtype=kind)
        elif name in numbers:
            frame[name] = numbers[name].astype("Float64").astype(kind)
        else:
            texts = cells[name].cat.remove_categories([""]) if "" in cells[name].cat.categories else cells[name]
            frame[name] = texts.astype(kind)
    frame = pd.DataFrame(frame, index=cells.index)
    frame.attrs["absent"] = [name for name in dictionary.asked() if name not in cells]
    return frame


def derive(frame: pd.DataFrame, juvenile_below_age: float = findings.JUVENILE_BELOW_AGE) -> pd.DataFrame:
    """Add the derived columns of the data dictionary: what `nxp2lib.findings` computes from the stored ones.

    A derived value is missing where what it rests on is missing: with a heliotrope rash the phenotype is
    dermatomyositis even if Gottron's sign is unknown, without one it is unknown. ``juvenile_below_age`` (years):
    onset before this age is juvenile; it is kept in ``frame.attrs``.

    Raises ValueError for an age limit outside 1 to 110 years.
    """
    check_age_limit(juvenile_below_age)
    frame = frame.copy()
    frame.attrs["juvenile_below_age"] = juvenile_below_age
    juvenile = (frame["age_at_onset"] < juvenile_below_age).astype("boolean")
    for name, column in dictionary.columns().items():
        if name == "age_group":
            frame[name] = _grouped(~juvenile, name)
        elif column.is_derived and column.type == "category":
            frame[name] = _grouped(findings.holds(column.values[-1], frame), name)
        elif column.is_derived and column.own:
            frame[name] = findings.equal(frame[column.own[0]], column.own[1])
        elif column.is_derived:
            frame[name] = findings.holds(name, frame)
    return frame


def kept_back(frame: pd.DataFrame, minimum_group: int) -> pd.DataFrame:
    """Return a cohort in which no group of a few patients is described, unless all patients are synthetic.

    A table of one juvenile is that patient, line by line, and so is what all patients differ by from all adults. Where
    a group, or the rest, has fewer than ``minimum_group`` patients, nobody's is known any more: its column is missing,
    and ``frame.attrs["sizes"]`` has the sizes, by column. Raises ValueError for fewer patients in all.
    """
    check_minimum_group(minimum_group)
    frame = frame.copy()
    frame.attrs |= {"minimum_group": minimum_group, "sizes": {}}
    if is_synthetic(frame):
        return frame
    if len(frame) < minimum_group:
        raise ValueError(f"patients: {len(frame)}; accepted: {minimum_group} or more (minimum_group)")
    for name, column in dictionary.columns().items():
        if column.is_derived and column.type == "category":
            sizes = frame[name].value_counts(sort=False, dropna=False)
            if ((sizes > 0) & (sizes < minimum_group)).any():
                frame.attrs["sizes"][name] = {group: int(sizes.get(group, 0)) for group in column.values}
                frame[name] = _grouped(pd.Series(pd.NA, index=frame.index, dtype="boolean"), name)
    return frame


def check_minimum_group(minimum_group: int) -> None:
    """Raise ValueError unless the least number of patients in a group that is described is 1 or more."""
    if minimum_group < 1:
        raise ValueError(f"minimum_group: {minimum_group} is not accepted; accepted: 1 or more (patients)")


def check_age_limit(juvenile_below_age: float) -> None:
    """Raise ValueError unless the age limit between juvenile and adult lies from 1 to 110 years."""
    if not 1 <= juvenile_below_age <= 110:
        raise ValueError(f"juvenile_below_age: {juvenile_below_age} is not accepted; accepted: 1 to 110 (years)")


def _grouped(in_last: pd.Series, name: str) -> pd.Series:
    """Return a column of two groups, from whether each patient is in the last one."""
    codes = in_last.astype("Int8").fillna(-1)
    groups = list(dictionary.column(name).values)
    return pd.Series(pd.Categorical.from_codes(codes, categories=groups), index=in_last.index)


def is_synthetic(frame: pd.DataFrame) -> bool:
    """Tell whether every patient is marked as synthetic."""
    return bool(frame["synthetic"].fillna(False).all())


def is_reconstructed(frame: pd.DataFrame) -> bool:
    """Tell whether these are synthetic patients who keep every printed count that does not contradict another one."""
    if not is_synthetic(frame) or len(frame) != int(published.printed(PATIENTS, "table1")):
        return False
    patients, kept = derive(frame), published.counts()  # groups by the default age limit
    holds = {name: findings.holds(name, patients).fillna(False) for name in {*kept["row"], *kept["group"]}}
    return all((holds[row] & holds[group]).sum() == int(n) for row, group, n in kept.itertuples(index=False))


def provenance(frame: pd.DataFrame) -> str:
    """Say in a few words whose patients these are: reconstructed, made up otherwise, real, or both.

    >>> provenance(load())
    'Reconstructed cohort: 76 synthetic patients who never existed, built from the printed tables.'
    """
    made = int(frame["synthetic"].fillna(False).sum())
    if is_reconstructed(frame):
        return f"Reconstructed cohort: {made} synthetic patients who never existed, built from the printed tables."
    if is_synthetic(frame):
        patients = wording.count(made, "patient")
        return f"Synthetic practice cohort: {patients} who never existed. Do not report it as observed."
    mixed = f"Mixed cohort: {made} of {len(frame)} patients are synthetic. Do not report it as observed."
    said = mixed if made else f"Cohort of {wording.count(len(frame), 'patient')}, none of them marked as synthetic."
    minimum = frame.attrs.get("minimum_group", findings.MINIMUM_GROUP)
    parts = [f"{n} {group}" for sizes in frame.attrs.get("sizes", {}).values() for group, n in sizes.items()]
    if parts:
        said += f" {', '.join(parts)}: not described apart (a group or the rest has fewer than {minimum})."
    elif minimum < findings.MINIMUM_GROUP:
        said += f" Groups of {minimum} or more are described."
    return f"{said} {INSIDE}"


def introduce(frame: pd.DataFrame) -> str:
    """Say whose patients these are and which columns their file lacks, for the top of a notebook."""
    absent = frame.attrs.get("absent", [])
    lacking = f"\nNot in the file, so unknown for everyone: {', '.join(absent)}." if absent else ""
    kept = "\nOf groups that are not described nothing is counted: 0 and – say nothing of them."
    return provenance(frame) + kept * bool(frame.attrs.get("sizes")) + lacking
