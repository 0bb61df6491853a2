"""A first draft of a map: what headers and codes may mean, each guess with its reason, for a person to correct.

A guess rests on a known name or a spelling almost like one, never on a digit: codes mean what a centre says.
"""

import re
from collections import Counter
from difflib import SequenceMatcher
from pathlib import Path

import yaml

from nxp2lib import dictionary, paths
from nxp2lib.intake import checks, identifiers, reading, understanding
from nxp2lib.intake.column_map import ColumnMap
from nxp2lib.intake.numerals import plain
from nxp2lib.intake.understanding import Table

KNOWN = yaml.load((paths.PACKAGE / "intake" / "synonyms.yml").read_text(encoding="utf-8"), yaml.BaseLoader)
ALIKE, SHORTEST, MOST = 0.85, 5, 50  # least likeness of two words, and letters of both; codes listed per column
Guess = tuple[str, str, str]  # what is typed, what it may mean ("": left to a person), and why, or what is accepted


def draft(path: str | Path) -> str:
    """Return the text of a first map of a cohort file. Raises CohortError for a file that cannot be read."""
    first = checks.understood(raw := reading.read(path).frame)
    unknown = [one.header for one in first.columns if one.how == "not known"]
    dropped = tuple(header for header in unknown if identifiers.header(header))
    columns = _headers([header for header in unknown if header not in dropped], first)
    table = checks.understood(raw, ColumnMap({typed: meant for typed, meant, _ in columns if meant}, drop=dropped))
    lines = [KNOWN["opening"], "columns:", *_lines("  ", columns), "values:"]
    for name, codes in ((name, _codes(name, table)) for name in table.frame if dictionary.column(name).values):
        lines += [f"  {'' if any(meant for _, meant, _ in codes) else '# '}{name}:"] * bool(codes) + _lines(
            "    ", codes
        )
    return "\n".join([*lines, "drop:", *(f"  - {_key(header)}  # may say who a patient is" for header in dropped), ""])


def _headers(headers: list[str], table: Table) -> list[Guess]:
    """Guess columns that the file still lacks; what two headers may be is neither."""
    free = [name for name in dictionary.asked() if name not in table.headers]
    known = {name: column for name, (column, _) in understanding.names().items() if column in free}
    known |= {plain(word): column for column in free for word in KNOWN["headers"].get(column, [])}
    guesses = [(header, *_guess(header, known)) for header in headers]
    once = {column for column, times in Counter(meant for _, meant, _ in guesses).items() if column and times == 1}
    accepted = f"accepted: {', '.join(name for name in free if name not in once)}; or leave it out under drop"
    return [one if one[1] in once else (one[0], "", accepted) for one in guesses]


def _codes(name: str, table: Table) -> list[Guess]:
    """Guess what the texts of a column with a list of values mean; names of categories are listed too if known."""
    column, found, named = dictionary.column(name), [], dictionary.column(name).type == "category"
    known = understanding.meanings(column) if named else understanding.YES_NO if column.type == "yes_no" else {}
    read = dict(zip(table.typed[name].astype(str), table.frame[name].astype(str), strict=True))
    for text, meant in read.items():
        if (named and meant and plain(text) != plain(meant)) or text in table.doubts[name] or not column.accepts(meant):
            found.append((text, *_guess(text, known)))
    return [(text, meant, why or f"accepted: {column.accepted}") for text, meant, why in found[:MOST]]


def _guess(text: str, known: dict[str, str]) -> tuple[str, str]:
    """Guess what a text means, and say why: a known name, or the only meaning of all spelled almost alike."""
    words = plain(text).split("_")
    if meant := known.get("_".join(words)):
        return meant, "a known name of it"
    parts = {name: name.split("_") for name in known}
    near = [name for name in known if len(parts[name]) == len(words) and all(map(_alike, words, parts[name]))]
    if len({known[name] for name in near}) != 1 or re.search(r"\d", text) or not set(words).isdisjoint(KNOWN["others"]):
        return "", ""
    return known[near[0]], f"spelled almost as {near[0].replace('_', ' ')}"


def _alike(a: str, b: str) -> bool:
    return a == b or (min(len(a), len(b)) >= SHORTEST and SequenceMatcher(None, a, b).ratio() >= ALIKE)


def _lines(indent: str, guesses: list[Guess]) -> list[str]:
    return [f"{indent}{'' if meant else '# '}{_key(typed)}: {meant}  # {why}" for typed, meant, why in guesses]


def _key(text: str) -> str:
    """Write a text as a key of YAML, in quotation marks where it needs them."""
    simple = re.fullmatch(r"\w(?:[\w ()/.'-]*[\w.)'])?", text) and text.isprintable()
    return text if simple else yaml.dump(text, default_style='"', allow_unicode=True, width=10**6).strip()
