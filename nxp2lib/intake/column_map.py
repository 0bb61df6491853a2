"""What a centre says, once and in a file, of its own headers and codes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nxp2lib import dictionary
from nxp2lib.intake.problems import FILE, HEADER, CohortError, Problem

OTHERS = "others"
LARGEST = 1_000_000  # bytes
EXAMPLE = (
    "columns: {header in your file: column}, values: {column: {your code: value}}, drop: [header], allow: [header]"
)


@dataclass(frozen=True)
class ColumnMap:
    """The file of ``--map``: headers by column of the dictionary, codes by column, columns to drop or to allow.

    ``others`` drops every column that is not known; ``allow`` names headers that look like identifiers and are none.
    """

    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    others: bool = False

    def lacking(self, headers: Iterable[str]) -> list[Problem]:
        """Return a problem for each header of the map that a file does not have."""
        known = list(headers)
        named = dict.fromkeys([*self.columns, *self.drop, *self.allow])
        said = "a header of the file, as in the map"
        return [
            Problem(HEADER, header, "", said + dictionary.nearest(header, known))
            for header in named
            if header not in known
        ]


def read(path: str | Path) -> ColumnMap:
    """Read a map, a YAML file with the keys ``columns``, ``values``, ``drop`` and ``allow``, each of them optional.

    Everything in it is taken as text (``yes`` is no truth value, ``1`` no number); tags and references are refused.

    Raises CohortError naming what is not accepted.
    """
    path = Path(path)
    try:
        said = _plain(_document(path))
        if not isinstance(said, dict):
            raise ValueError(f"accepted is {EXAMPLE}")
        for key in said:
            if key not in ("columns", "values", "drop", "allow"):
                keys = ["columns", "values", "drop", "allow"]
                raise ValueError(f"the key {key!r} is not known{dictionary.nearest(key, keys)}; accepted: {EXAMPLE}")
        return _checked(said)
    except ValueError as error:
        raise CohortError(path.name, [Problem(None, FILE, str(error), "a map (.yml)")]) from None


def _document(path: Path):
    import yaml

    content = path.read_bytes()
    if len(content) > LARGEST:
        raise ValueError(f"{len(content):,} bytes are too many for a map")
    try:
        return yaml.compose(content.decode("utf-8-sig"), Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f"line {place.line + 1} " if place else ""
        raise ValueError(f"{line}is not YAML; accepted is {EXAMPLE}") from None
    except UnicodeDecodeError:
        raise ValueError("it is not in UTF-8") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _plain(node, seen: set[int] | None = None) -> object:
    """Turn a node into text, lists and dictionaries of text."""
    seen = set() if seen is None else seen
    if node is None:
        return {}
    line = f"line {node.start_mark.line + 1}"
    if id(node) in seen:
        raise ValueError(f"{line}: references (& and *) are not accepted")
    if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.rpartition(":")[2] not in ("str", "seq", "map"):
        raise ValueError(f"{line}: tags (!) are not accepted")
    seen.add(id(node))
    if node.id == "scalar":
        return node.value.strip()
    if node.id == "sequence":
        return [_plain(item, seen) for item in node.value]
    found = {}
    for key, value in node.value:
        name = _plain(key, seen)
        if not isinstance(name, str) or name in found:
            raise ValueError(f"line {key.start_mark.line + 1}: {name!r} stands there twice, or is no text")
        found[name] = _plain(value, seen)
    return found


def _checked(said: dict) -> ColumnMap:
    columns, values = (said.get(key) or {} for key in ("columns", "values"))
    _text_to(columns, str, "columns: {header in your file: column}")
    _text_to(values, dict, "values: {column: {your code: value}}")
    for codes in values.values():
        _text_to(codes, str, "values: {column: {your code: value}}")
    stored = dictionary.stored()
    for name in [*columns.values(), *values]:
        if name not in stored:
            raise ValueError(f"{name!r} is not a column of the data dictionary{dictionary.nearest(name, stored)}")
    for name, codes in values.items():
        for code, value in codes.items():
            if not stored[name].accepts(value):
                raise ValueError(f"{name}: {code!r} cannot mean {value!r}; accepted: {stored[name].accepted}")
    drop, allow = (_listed(said.get(key) or [], key) for key in ("drop", "allow"))
    kept = tuple(header for header in drop if header != OTHERS)
    return ColumnMap(columns, values, kept, allow, others=OTHERS in drop)


def _text_to(found: object, kind: type, accepted: str) -> None:
    if not isinstance(found, dict) or not all(isinstance(value, kind) for value in found.values()):
        raise ValueError(f"accepted is {accepted}")


def _listed(found: object, key: str) -> tuple[str, ...]:
    found = [found] if isinstance(found, str) else found
    if not isinstance(found, list) or not all(isinstance(header, str) for header in found):
        raise ValueError(f"accepted is {key}: [header, another header]")
    return tuple(found)
