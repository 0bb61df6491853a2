"""What a centre says, once and in a file, of its own headers and codes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from nxp2lib import dictionary
from nxp2lib.dictionary import Column
from nxp2lib.intake import own_columns
from nxp2lib.intake.problems import FILE, HEADER, CohortError, Problem

OTHERS = "others"
LARGEST = 1_000_000  # bytes
COLUMNS, VALUES = "columns: {header in your file: column}", "values: {column: {your code: value}}"
EXAMPLE = f"{COLUMNS}, {VALUES}, drop: [header], allow: [header], {own_columns.EXAMPLE}"
KEYS = ("columns", "values", "drop", "allow", "add")


@dataclass(frozen=True)
class ColumnMap:
    """The file of ``--map``: headers by column of the dictionary, codes by column, columns to drop or to allow.

    ``others`` drops every column that is not known; ``allow`` names headers that look like identifiers and are none;
    ``added`` are the centre's own columns.
    """

    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    others: bool = False
    added: tuple[Column, ...] = ()

    def lacking(self, headers: Iterable[str]) -> list[Problem]:
        """Return a problem for each header of the map that a file does not have."""
        known, said = list(headers), "a header of the file, as in the map"
        return [
            Problem(HEADER, header, "", said + dictionary.nearest(header, known))
            for header in dict.fromkeys([*self.columns, *self.drop, *self.allow])
            if header not in known
        ]


def read(path: str | Path) -> ColumnMap:
    """Read a map, a YAML file with the keys ``columns``, ``values``, ``drop``, ``allow`` and ``add``, all optional.

    Everything in it is taken as text (``yes`` is no truth value, ``1`` no number); tags and references are refused.

    Raises CohortError naming what is not accepted.
    """
    path = Path(path)
    try:
        said = _plain(_document(path), set())
        if not isinstance(said, dict):
            raise ValueError(f"accepted is {EXAMPLE}")
        for key in (key for key in said if key not in KEYS):
            raise ValueError(f"the key {key!r} is not known{dictionary.nearest(key, KEYS)}; accepted: {EXAMPLE}")
        return _checked(*(said.get(key) for key in KEYS))
    except ValueError as error:
        raise CohortError(path.name, [Problem(None, FILE, str(error), "a map (.yml)")]) from None


def _document(path: Path) -> yaml.Node | None:
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


def _plain(node: yaml.Node | None, seen: set[int]) -> object:
    """Turn a node into text, lists and dictionaries of text."""
    if node is None:
        return {}
    line = f"line {node.start_mark.line + 1}"
    if id(node) in seen:
        raise ValueError(f"{line}: references (& and *) are not accepted")
    if node.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"):
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


def _checked(columns: object, values: object, drop: object, allow: object, add: object) -> ColumnMap:
    columns, values = _text_to(str, columns, COLUMNS), _text_to(dict, values, VALUES)
    added = own_columns.columns(_text_to(dict, add, own_columns.EXAMPLE))
    stored = {name: column for name, column in dictionary.stored().items() if not column.own}
    stored |= {column.name: column for column in added if not column.is_derived}
    for codes in values.values():
        _text_to(str, codes, VALUES)
    for name in [*columns.values(), *values]:
        if name not in stored:
            raise ValueError(f"{name!r} is not a column of the data dictionary{dictionary.nearest(name, stored)}")
    for name, codes in values.items():
        for code, value in codes.items():
            if not stored[name].accepts(value):
                raise ValueError(f"{name}: {code!r} cannot mean {value!r}; accepted: {stored[name].accepted}")
    drop, allow = _listed(drop, "drop"), _listed(allow, "allow")
    return ColumnMap(columns, values, tuple(one for one in drop if one != OTHERS), allow, OTHERS in drop, added)


def _text_to(kind: type, found: object, accepted: str) -> dict:
    found = found or {}
    if not isinstance(found, dict) or not all(isinstance(value, kind) for value in found.values()):
        raise ValueError(f"accepted is {accepted}")
    return found


def _listed(found: object, key: str) -> tuple[str, ...]:
    found = [found] if isinstance(found, str) and found else found or []
    if not isinstance(found, list) or not all(isinstance(header, str) for header in found):
        raise ValueError(f"accepted is {key}: [header, another header]")
    return tuple(found)
