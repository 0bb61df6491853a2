"""What a run is asked for: which notebooks, which settings, which files; a mistake is said in one sentence."""

import ast
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from nxp2lib import dictionary, paths

COHORT_PATH, MAP_PATH, OUTPUT_DIR = "cohort_path", "map_path", "output_dir"  # behind --data, --map and --out
LONGEST = 1000  # characters of a value
FILE = "_path"  # ends the name of every parameter that is an input file
YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
CONVERTERS = {
    "int": (int, "a whole number, such as 18"),
    "float": (lambda text: float(Fraction(text)), "a number, such as 0.95"),  # float itself would take "nan"
    "bool": (lambda text: YES_NO[text.lower()], "true or false"),
    "str": (str, "text"),
}


class RunError(ValueError):
    """A mistake in what was asked for, said in one sentence; nothing has been written."""


class Parameter(NamedTuple):
    """A parameter: its default, the types it takes, and the value's line, first and last byte in the cell, from 0."""

    default: object
    kinds: list[str]
    place: tuple[int, int, int]


@dataclass(frozen=True)
class Notebook:
    """A notebook to run: where it lies, how many cells it has, its parameters, and the values passed to it."""

    path: Path
    cells: int
    parameters: dict[str, Parameter]
    passed: dict[str, object]

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.path.stem

    @property
    def values(self) -> dict[str, object]:
        """The parameters as they will be in the run."""
        return {name: parameter.default for name, parameter in self.parameters.items()} | self.passed


def is_place(name: str) -> bool:
    """Tell whether a parameter names a place on one machine: an input file, or the output folder.

    >>> is_place("map_path"), is_place("output_dir"), is_place("confidence")
    (True, True, False)
    """
    return name.endswith(FILE) or name == OUTPUT_DIR


def choose(names: Iterable[str], folder: Path = paths.NOTEBOOKS) -> list[Path]:
    """Return the notebooks named, in the order given; all of the folder, in name order, where none is named.

    A name is whole, with or without ``.ipynb``, or a number: ``02``. Raises RunError with the nearest one known.
    """
    known = {path.stem: path for path in sorted(folder.glob("*.ipynb")) if not path.name.startswith(".")}
    if not known:
        raise RunError(f"{folder}: there are no notebooks in this folder")
    return list(dict.fromkeys(_match(name, known) for name in (list(names) or known)))


def _match(name: str, known: dict[str, Path]) -> Path:
    stem = Path(name).name.removesuffix(".ipynb")
    number = stem.zfill(2) if stem.isdecimal() else stem
    found = [stem] if stem in known else [other for other in known if other.partition("_")[0] == number]
    if len(found) > 1:
        raise RunError(f"{name}: several notebooks have this number: {', '.join(found)}")
    elsewhere = found and Path(name).name != name and Path(name).resolve() != known[found[0]].resolve()
    if not found and Path(name).suffix and Path(name).is_file():
        raise RunError(f"{name}: not a notebook of this collection; a cohort is given with --data")
    if not found or elsewhere:
        raise RunError(f"{name}: no such notebook{_near(stem, known)}")
    return known[found[0]]


def _near(word: str, known: Iterable[str]) -> str:
    """Ask whether the known word nearest to ``word`` was meant; without a near one, list all."""
    return dictionary.nearest(word, known) or f"; there are: {', '.join(known) or 'none'}"


def locate(path: str | Path) -> Path:
    """Find an input file that a user names, seen from where they stand; raise RunError with the nearest file."""
    try:
        return paths.find(path, here=True)
    except OSError as error:
        given = paths.expanded(path)
        others = [other.name for other in given.parent.glob("*") if other.name != given.name]
        raise RunError(f"{error}{dictionary.nearest(given.name, others)}") from None


def read(path: Path) -> Notebook:
    """Read a notebook's number of cells and its parameters, the assignments in the cell tagged ``parameters``.

    The cell is parsed as Python, since papermill's inspection misses what its pattern does not match: the type of
    ``int | None``, and any line with an equals sign in its comment. Raises RunError for anything but plain values.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        tagged = [cell["source"] for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
        return Notebook(path, len(cells), defined("".join(tagged[0] if tagged else [])), {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise RunError(f"{path.name}: not a notebook of format 4") from None
    except SyntaxError as error:
        raise RunError(f"{path.name}: its parameters cell has to hold plain values ({error.msg})") from None


def defined(source: str) -> dict[str, Parameter]:
    """Return the parameters that a parameters cell defines, by name; raise SyntaxError for one that is no plain value.

    >>> defined("limit: int | None = None  # (years)")
    {'limit': Parameter(default=None, kinds=['int', 'None'], place=(0, 20, 24))}
    """
    found = {}
    for statement in ast.parse(source).body:
        value, typed = getattr(statement, "value", None), isinstance(statement, ast.AnnAssign)
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or value is None:
            continue
        try:
            default = ast.literal_eval(value)
        except ValueError:
            raise SyntaxError(ast.unparse(statement)) from None
        kinds = ast.unparse(statement.annotation).split(" | ") if typed else [type(default).__name__]
        place = value.lineno - 1, value.col_offset, value.end_col_offset
        for name in [statement.target] if typed else statement.targets:
            found[ast.unparse(name)] = Parameter(default, kinds, place)
    return found


def settle(notebooks: list[Notebook], wanted: dict[str, str]) -> list[Notebook]:
    """Pass to each notebook the wanted parameters that it has, converted; raise RunError for a wrong name or value."""
    known = dict.fromkeys(name for notebook in notebooks for name in notebook.parameters)
    for name in wanted:
        if name not in known and name != OUTPUT_DIR:  # executed copies go to the output folder in any case
            raise RunError(f"{name}: none of the chosen notebooks has this parameter{_near(name, known)}")
    return [replace(notebook, passed=_passed(notebook.parameters, wanted)) for notebook in notebooks]


def _passed(parameters: dict[str, Parameter], wanted: dict[str, str]) -> dict[str, object]:
    from nxp2lib import cohort, compare, describe, fourfold, incidence

    limited = {  # each function raises ValueError outside the range
        "juvenile_below_age": cohort.check_age_limit,
        "minimum_group": cohort.check_minimum_group,
        "confidence": fourfold.check_confidence,
        "quantile_method": describe.check_quantile_method,
        "rank_test": compare.check_rank_test,
        "years_at_risk": incidence.check_years_at_risk,
    }
    passed = {name: convert(name, text, parameters[name].kinds) for name, text in wanted.items() if name in parameters}
    for name in limited.keys() & passed.keys():
        try:
            limited[name](passed[name])
        except ValueError as error:
            raise RunError(str(error)) from None
    return passed


def convert(name: str, text: str, kinds: Iterable[str]) -> object:
    """Convert the text given for a parameter to the first of its types that can be typed in.

    Paths become absolute, and an input file has to be there. Raises RunError saying what is accepted.

    >>> convert("confidence", "0.9", ["float"]), convert("limit", "None", ["int", "None"])
    (0.9, None)
    """
    if len(text) > LONGEST or not text.isprintable():
        raise RunError(f"{name}: accepted are at most {LONGEST} characters, without line breaks or control characters")
    if text == "None" and "None" in kinds:
        return None
    if name.endswith(FILE):
        return str(locate(text))
    if name == OUTPUT_DIR:
        return str(paths.expanded(text).absolute())
    nothing = {}.__getitem__, "nothing"
    converter, accepted = next((CONVERTERS[kind] for kind in kinds if kind in CONVERTERS), nothing)
    try:
        return converter(text)
    except (ValueError, KeyError, ArithmeticError):
        raise RunError(f"{name}: {text!r} is not accepted; accepted: {accepted}") from None
