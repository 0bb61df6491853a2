"""How a number, a titer or a word is read (the rules: ``docs/own_cohort.md``); what can be two is never guessed."""

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from numbers import Real

import yaml

from nxp2lib import dictionary, paths
from nxp2lib.dictionary import Column

WORDS = yaml.load((paths.PACKAGE / "intake" / "words.yml").read_text(encoding="utf-8"), yaml.BaseLoader)
TITERS = {word: value for value, words in WORDS["ana_titer"].items() for word in words}
NUMBER = r"[-+]?(?:[0-9]+|[1-9][0-9]{{0,2}}([{} '’])[0-9]{{3}}(?:\1[0-9]{{3}})*)(?:[{}][0-9]+)?"
NUMBERS = {sign: re.compile(NUMBER.format(thousands, sign)) for thousands, sign in (",.", ".,")}  # by decimal sign
TITER = re.compile(r"([<>]=?|) ?(?:1 ?[:/] ?|x ?|)([0-9]{1,9}|[1-9][0-9]{0,2}[., ][0-9]{3}) ?(?:x|倍|)")
BOUNDS = str.maketrans({"×": "x", "≥": ">=", "≧": ">=", "≤": "<=", "≦": "<="})
EITHER = "before three digits a point or comma can stand for thousands or decimals: 10250, or 10.25"
BOUND = "a bound can be several of them: a map says which, `values: {ana_titer: {'≥1:1280': 1280}}`"


class Doubt(ValueError):
    """A text that can mean more than one value; the message says how to write either."""


def small(text: str) -> str:
    """Return a text in small letters of ordinary width, with single spaces; digits set high or low stay what they are.

    >>> small("５８  Years"), small("7¹")
    ('58 years', '7¹')
    """
    raised = any(unicodedata.category(one) == "No" for one in text)  # such as ¹, ₂, ½, ①
    return " ".join((text if raised else unicodedata.normalize("NFKC", text)).casefold().split())


def plain(header: str) -> str:
    """Return what matters of a header or a word: no case, no accents of width, no unit in brackets, American spelling.

    >>> plain("Facial Oedema "), plain("Age at onset (years)"), plain("ＡＮＡ-Titre")
    ('facial_edema', 'age_at_onset', 'ana_titer')
    """
    text = unicodedata.normalize("NFKC", header).casefold()
    text = re.sub(r"\s*[\[(](?:years?|iu/l|u/l|yes/no|y/n)[\])]\s*$", "", text)
    for british, american in WORDS["spelling"].items():
        text = text.replace(british, american)
    return "_".join(re.findall(r"[^\W_]+", text))


def written(value: object) -> str:
    """Return a typed value as a person reads it: no ``.0`` behind whole numbers, no time behind a date.

    Three decimals, which could be thousands if they were typed as text, get a fourth one.
    """
    if isinstance(value, Decimal | Real) and not isinstance(value, int):
        text = str(int(value)) if float(value).is_integer() else str(value)
        return text + "0" if re.fullmatch(r"-?[0-9]{1,3}\.[0-9]{3}", text) else text
    return "" if value is None else str(value).removesuffix(" 00:00:00")


def _readings(text: str, column: Column) -> dict[str, str]:
    """Return what a text can mean, by the decimal sign that it would have; no thousands where a column ends below."""
    plain = re.sub(f" ?(?:{WORDS['units'].get(column.unit, '')})$", "", small(text)).replace("\N{MINUS SIGN}", "-")
    found = {".": plain} if dictionary.NUMBER.fullmatch(plain) else {}
    for sign, pattern in NUMBERS.items():
        if pattern.fullmatch(plain):
            found[sign] = re.sub(f"[^-+0-9{sign}]", "", plain).replace(sign, ".")
    few = (column.maximum or 0) < 1000
    return {sign: number for sign, number in found.items() if not few or column.accepts(number)}


def certain(texts: Iterable[str], column: Column) -> set[str]:
    """Return the decimal signs of which a column's numbers leave no doubt.

    >>> [certain([text], dictionary.column("max_creatine_kinase")) for text in ("2609", "1,125", "2609,5", "1,125.5")]
    [set(), set(), {','}, {'.'}]
    """
    found = (_readings(text, column) for text in map(small, texts) if "." in text or "," in text)
    return {sign for readings in found if len(readings) == 1 for sign in readings}


def number(text: str, column: Column, seen: set[str]) -> str:
    """Return a number with a decimal point and nothing else; what is none comes back unchanged.

    ``seen`` holds a point if the column has a certain decimal one, and a comma if any column of the file has. Raises
    Doubt where a sign can stand for thousands or decimals, and nothing else tells.
    """
    found = _readings(text, column)
    if len(set(found.values())) == 2 and ("," in seen or ("." in found["."] and "." not in seen)):
        raise Doubt(f"{column.accepted}; {EITHER}")
    return found.get(".") or found.get(",") or text


def titer(text: str, column: Column) -> str:
    """Return the reciprocal of a titer; above the highest one, that one. Raises Doubt for other bounds.

    >>> [titer(text, dictionary.column("ana_titer")) for text in ("1:160", "80倍", "<40", "陰性", "≥1:2560", "+")]
    ['160', '80', '0', '0', '2560', '+']
    """
    plain = small(text).translate(BOUNDS)
    if not (found := TITER.fullmatch(plain)):
        return TITERS.get(plain) or number(text, column, set())
    said = found[1] + str(int(re.sub("[., ]", "", found[2])))
    if found[1] and said not in TITERS:
        raise Doubt(f"{column.accepted}; {BOUND}")
    return TITERS.get(said, said)
