"""Read a cohort, check it against the data dictionary, and derive what the paper derives."""

import re
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from nxp2lib import dictionary, paths

RASHES = ["heliotrope_rash", "gottron_sign_or_papules", "facial_edema", "periungual_erythema"]
# A "yes" in the first column contradicts a "no" in the second.
IMPLIES = [*((rash, "any_rash") for rash in RASHES), ("distal_weakness", "muscle_weakness")]
PANDAS_TYPES = {
    "text": "string",
    "category": "category",
    "yes_no": "boolean",
    "integer": "Int64",
    "number": "Float64",
}
SEPARATORS = {";": "semicolons", "\t": "tabs"}
FILE = "(file)"  # the column of a problem with the file as a whole
HEADER = 1  # the file row of the column names; patients start at row 2


@dataclass(frozen=True)
class Problem:
    """One thing in a cohort file that has to be mended: where, what stands there, what is accepted."""

    row: int | None
    column: str
    value: str
    accepted: str

    def __str__(self) -> str:
        if self.column == FILE:
            return f"cannot be read: {self.value}; accepted: {self.accepted}"
        place = f"row {self.row}, column {self.column}" if self.row else f"column {self.column}"
        if not self.value:
            return f"{place}: {'is missing' if self.row == HEADER else 'is blank'}; accepted: {self.accepted}"
        return f"{place}: {self.value!r} is not accepted; accepted: {self.accepted}"

    def as_dict(self) -> dict:
        """Return the four fields as a dictionary, for JSON."""
        return asdict(self)


class CohortError(ValueError):
    """A cohort file that cannot be used; ``problems`` lists every reason found in one pass."""

    def __init__(self, name: str, problems: Iterable[Problem]):
        self.problems = list(problems)
        shown = [str(problem) for problem in self.problems[:5]]
        rest = len(self.problems) - len(shown)
        more = [f"... and {rest} more; `nxp2 validate {name}` lists all"] if rest else []
        super().__init__("\n".join(f"{name}: {line}" for line in [*shown, *more]))

    def _render_traceback_(self) -> list[str]:
        """Show the reasons alone in a notebook: the reader's file is at fault, not the code above it."""
        return [f"CohortError: {self}"]


def load(path: str | Path = paths.COHORT, juvenile_below_age: float = 18) -> pd.DataFrame:
    """Read a cohort file, check it, and add the derived columns: one row per patient.

    Yes/no columns become pandas ``boolean``, ages ``Int64``, creatine kinase ``Float64``, categories ``category``;
    blank is missing. Columns of the dictionary that the file lacks are added, all missing, and named in
    ``frame.attrs["absent"]``.

    >>> patients = load()
    >>> len(patients), patients["age_group"].value_counts().to_dict()
    (76, {'adult': 47, 'juvenile': 29})

    Raises FileNotFoundError for a missing file and CohortError for one that cannot be read or used.
    """
    path = paths.find(path)
    return prepare(read(path), path.name, juvenile_below_age)


def prepare(raw: pd.DataFrame, name: str = "table", juvenile_below_age: float = 18) -> pd.DataFrame:
    """Check a table read by `read`, type it and add the derived columns; ``name`` stands in error messages.

    Raises CohortError with every problem found.
    """
    found = problems(raw)
    if found:
        raise CohortError(name, found)
    return derive(_typed(raw), juvenile_below_age)


def read(path: str | Path) -> pd.DataFrame:
    """Read a CSV (UTF-8) file or the first sheet of an Excel workbook as text; blank is ``""``.

    Cells stay as typed but for outer spaces. Excel's errors (``#N/A``) and formulas whose value was never saved come
    back as they stand, so that they are refused rather than taken for blank.

    Raises CohortError where the file is not a table of that kind.
    """
    path = Path(path)
    try:
        cells = _excel_cells(path) if path.suffix.lower() == ".xlsx" else _csv_cells(path)
    except UnicodeDecodeError:
        raise _unreadable(path, "not in UTF-8 (in Excel: save as 'CSV UTF-8' or .xlsx)") from None
    except pd.errors.ParserError as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        said = "row {1} has {2} cells, the rows above {0}; a comma inside a cell needs quotation marks"
        raise _unreadable(path, said.format(*found.groups()) if found else "not a table with commas") from None
    except pd.errors.EmptyDataError:
        raise _unreadable(path, "the file is empty") from None
    except PermissionError:
        raise _unreadable(path, "no permission to read it (is it open in another program?)") from None
    except Exception:  # a damaged workbook fails in zlib, in XML or in openpyxl, each in its own way
        raise _unreadable(path, "not an Excel workbook" if path.suffix.lower() == ".xlsx" else "not a table") from None
    return _with_header(path, cells.fillna("").map(str.strip))


def _csv_cells(path: Path) -> pd.DataFrame:
    options = {"dtype": str, "keep_default_na": False, "header": None, "skip_blank_lines": False}
    return pd.read_csv(path, encoding="utf-8-sig", **options)


def _excel_cells(path: Path) -> pd.DataFrame:
    from openpyxl import load_workbook

    with warnings.catch_warnings(action="ignore"):  # of openpyxl, on what it leaves out
        saved, written = (
            list(load_workbook(path, data_only=only).worksheets[0].iter_rows(values_only=True))
            for only in (True, False)
        )
    rows = [
        [_excel_text(formula if value is None else value) for value, formula in zip(*pair, strict=True)]
        for pair in zip(saved, written, strict=True)
    ]
    return pd.DataFrame(rows, dtype=object)


def _excel_text(value: object) -> str:
    """Return an Excel cell as a person reads it: no ``.0`` behind whole numbers, no time behind a date."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).removesuffix(" 00:00:00")


def _unreadable(path: Path, reason: str) -> CohortError:
    return CohortError(path.name, [Problem(None, FILE, reason, "a CSV file in UTF-8 or an Excel workbook (.xlsx)")])


def _with_header(path: Path, cells: pd.DataFrame) -> pd.DataFrame:
    if cells.empty:
        raise _unreadable(path, "the file is empty")
    header = cells.iloc[0]
    for mark, name in SEPARATORS.items():
        if len(header) == 1 and mark in header[0]:
            raise _unreadable(path, f"its columns are separated by {name}, not by commas")
    filled = (cells.iloc[1:] != "").any()
    header = header.where((header != "") | ~filled, [f"(blank, column {place})" for place in range(1, len(header) + 1)])
    twice = header[header.duplicated() & (header != "")]
    if len(twice):
        accepted = "each column once"
        raise CohortError(path.name, [Problem(HEADER, name, name, accepted) for name in twice.unique()])
    frame = cells.iloc[1:].set_axis(header.tolist(), axis=1)
    frame.index = pd.RangeIndex(HEADER + 1, HEADER + 1 + len(frame), name="file_row")
    frame = frame.loc[:, [name for name in header if name]]
    return frame[(frame != "").any(axis=1)]


def problems(raw: pd.DataFrame) -> list[Problem]:
    """Return everything in a table read by `read` that the dictionary does not accept, in file order.

    Checked in one pass: column names, types, ranges, accepted values, required cells, patients that
    appear twice, and the rules across columns (a rash of any kind implies ``any_rash``, distal weakness implies
    weakness, histology only with a biopsy, a site only with a malignancy).
    """
    found = _header_problems(raw)
    if raw.empty:
        return [*found, Problem(None, FILE, "no patients", "at least one row below the header")]
    known = raw[[name for name in raw.columns if name in dictionary.stored()]]
    found += _cell_problems(known) + _rule_problems(known)
    order = {name: place for place, name in enumerate(raw.columns)}
    return sorted(set(found), key=lambda p: (p.row or 0, order.get(p.column, -1), p.accepted))


def _header_problems(raw: pd.DataFrame) -> list[Problem]:
    stored = dictionary.stored()
    unknown = [name for name in raw.columns if name not in stored]
    absent = [name for name in stored if name not in raw.columns]
    found = []
    for name in unknown:
        computed = name in dictionary.columns()
        hint = "nothing: it is computed" if computed else "a column of the data dictionary"
        found.append(Problem(HEADER, name, name, hint + ("" if computed else dictionary.nearest(name, absent))))
    for name in absent:
        if stored[name].required == "yes":
            found.append(Problem(HEADER, name, "", "a column of this name" + dictionary.nearest(name, unknown)))
    return found


def _cell_problems(raw: pd.DataFrame) -> list[Problem]:
    import pandera.pandas as pandera

    schema = pandera.DataFrameSchema(
        {
            name: pandera.Column(
                str, [pandera.Check(accepts, error=said) for accepts, said in _checks(dictionary.column(name))]
            )
            for name in raw.columns
        }
    )
    try:
        schema.validate(raw, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
        return [
            Problem(int(case.index), case.column, case.failure_case, case.check)
            for case in cases.itertuples(index=False)
        ]
    return []


def _checks(column: dictionary.Column):
    """Yield pairs (vectorized check of a text column, what it accepts) for one column of the dictionary."""
    optional = column.required == "no"
    yield lambda cells: optional | (cells != ""), "a value in every row: " + column.accepted
    if column.name == "patient_id":
        yield lambda cells: ~cells.duplicated(keep=False) | (cells == ""), "each patient once"
    yield lambda cells: (cells == "") | _accepted(cells, column), column.accepted


def _accepted(cells: pd.Series, column: dictionary.Column) -> pd.Series:
    if column.type == "text":
        return ~cells.str.startswith(("=", "#"))  # a formula, or Excel's error
    if column.type == "category":
        return cells.isin(column.values)
    numbers = pd.to_numeric(cells.where(cells.str.match(r"[-+]?[0-9.]"), None), errors="coerce")
    if column.values:
        return numbers.isin([float(value) for value in column.values])
    whole = numbers % 1 == 0 if column.type == "integer" else True
    return numbers.between(column.minimum, column.maximum) & whole


def _rule_problems(raw: pd.DataFrame) -> list[Problem]:
    yes = {name: pd.to_numeric(raw[name], errors="coerce") == 1 for name in raw.columns}
    no = {name: pd.to_numeric(raw[name], errors="coerce") == 0 for name in raw.columns}
    broken = []
    for finding, general in IMPLIES:
        if {finding, general} <= set(raw.columns):
            broken.append((general, yes[finding] & no[general], f"1 or blank, since {finding} is 1"))
    for name in raw.columns:
        needed = dictionary.column(name).applies_when
        if needed:
            given = yes.get(needed, pd.Series(False, index=raw.index))
            broken.append((name, (raw[name] != "") & ~given, f"blank unless {needed} is 1"))
    return [
        Problem(int(row), name, raw.at[row, name], accepted)
        for name, where, accepted in broken
        for row in raw.index[where]
    ]


def _typed(raw: pd.DataFrame) -> pd.DataFrame:
    frame = pd.DataFrame(index=pd.RangeIndex(len(raw)))
    for name, column in dictionary.stored().items():
        cells = raw[name].reset_index(drop=True) if name in raw else pd.Series("", index=frame.index)
        cells = cells.mask(cells == "", None)
        if column.type == "category":
            frame[name] = pd.Categorical(cells, categories=column.values)
        elif column.type == "text":
            frame[name] = cells.astype("string")
        else:
            frame[name] = pd.to_numeric(cells).astype("Float64").astype(PANDAS_TYPES[column.type])
    frame.attrs["absent"] = [name for name in dictionary.stored() if name not in raw]
    return frame


def derive(frame: pd.DataFrame, juvenile_below_age: float = 18) -> pd.DataFrame:
    """Add the derived columns: age group, phenotype, extent of weakness, positive antinuclear antibody.

    A derived value is missing where what it rests on is missing: with a heliotrope rash the phenotype is
    dermatomyositis even if Gottron's sign is unknown, without one it is unknown. ``juvenile_below_age`` (years):
    onset before this age is juvenile.

    Raises ValueError for an age limit outside 1 to 110 years.
    """
    check_age_limit(juvenile_below_age)
    frame = frame.copy()
    dermatomyositis = frame["heliotrope_rash"] | frame["gottron_sign_or_papules"]
    frame["male"] = (frame["sex"] == "male").astype("boolean")
    frame["female"] = ~frame["male"]
    frame["age_group"] = _named(frame["age_at_onset"] < juvenile_below_age, "age_group", yes="juvenile")
    frame["phenotype"] = _named(dermatomyositis, "phenotype", yes="dermatomyositis")
    frame["polymyositis"] = ~dermatomyositis
    frame["dermatomyositis"] = dermatomyositis
    frame["weakness_extent"] = _named(frame["distal_weakness"], "weakness_extent", yes="extended")
    frame["ana_positive"] = (frame["ana_titer"] > 40).astype("boolean")
    return frame


def check_age_limit(juvenile_below_age: float) -> None:
    """Raise ValueError unless the age limit between juvenile and adult lies from 1 to 110 years."""
    if not 1 <= juvenile_below_age <= 110:
        raise ValueError(f"juvenile_below_age: {juvenile_below_age} is not accepted; accepted: 1 to 110 (years)")


def _named(condition: pd.Series, name: str, yes: str) -> pd.Series:
    values = dictionary.column(name).values
    other = next(value for value in values if value != yes)
    named = condition.astype("boolean").map({True: yes, False: other}).astype(object)
    return pd.Series(pd.Categorical(named.where(named.notna(), None), categories=values), index=condition.index)


def provenance(frame: pd.DataFrame) -> str:
    """Say in one sentence whose patients these are: reconstructed, real, or both.

    >>> provenance(load())
    'Reconstructed cohort: 76 synthetic patients who never existed, built from the printed tables.'
    """
    synthetic = int(frame["synthetic"].fillna(False).sum())
    if synthetic == len(frame):
        return f"Reconstructed cohort: {synthetic} synthetic patients who never existed, built from the printed tables."
    if synthetic:
        return f"Mixed cohort: {synthetic} of {len(frame)} patients are synthetic. Do not report it as observed."
    return f"Cohort of {len(frame)} patients, none of them marked as synthetic."


def introduce(frame: pd.DataFrame) -> str:
    """Say whose patients these are and which columns their file lacks, for the top of a notebook."""
    absent = frame.attrs.get("absent", [])
    lacking = f"\nNot in the file, so unknown for everyone: {', '.join(absent)}." if absent else ""
    return provenance(frame) + lacking
