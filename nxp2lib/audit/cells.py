"""What one cell of a printed table says, however it is written: P values, counts, percentages, centres and spreads.

Every function takes the text of a cell, returns digits as strings (printed decimals count, trailing zeros too), None
for a blank, and raises ValueError for anything else, saying what is accepted. Spaces, dashes and wide characters are
read as the plain ones; footnote marks (``*``, ``†``, superscripts, an attached ``a`` to ``c``) are dropped.

Of a lone comma before exactly three digits: it marks thousands (``1,125``) unless the part before is 0 or longer than
three digits; in a P value or a percentage, where thousands make no sense, it is always the decimal comma.
"""

import re
import unicodedata
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache, wraps
from typing import NamedTuple

import pandas as pd

from nxp2lib import paths

BLANKS = {"na", "n/a", "n.a.", "n.a", "n/a.", "nan", "nr", "n.r.", "not available", "not applicable", "not reported"}
NOT_SIGNIFICANT = re.compile(r"n\.? ?s\.?|(?:not|non)[ -]?significant", re.I)
DECIMALS, DIGITS, COUNT_DIGITS, LONGEST = 20, 15, 9, 60  # no more are read; the last: characters of a number
PLAIN = str.maketrans({
    **dict.fromkeys("‐‑‒–—―−⁃˗➖", "-"), **dict.fromkeys("≤≦⩽", "<"), **dict.fromkeys("≥≧⩾", ">"),
    **dict.fromkeys("×✕✖", "x"), **dict.fromkeys("’‘ʼ`´", "'"), "∕": "/",
})  # fmt: skip
FOOTNOTE = re.compile(r"(?<=[0-9%)\]])(?:[a-c](?:,[a-c])*| ?[\[(][a-c](?:,[a-c])*[\])]| ?[\[(]?n\.?s\.?[\])]?)$", re.I)
NUMBER = re.compile(  # digits, then what is grouped by spaces, by commas, by points, and a decimal point or comma
    r"(?P<whole>[0-9]+|[1-9][0-9]{0,2}(?:[ '][0-9]{3})+)(?:[.,](?P<part>[0-9]+))?|[.,](?P<only>[0-9]+)"
    r"|(?P<commas>[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.(?P<point>[0-9]+))?"
    r"|(?P<points>[1-9][0-9]{0,2}(?:\.[0-9]{3})+)(?:,(?P<comma>[0-9]+))?"
)
POWER = re.compile(  # 1.2 x 10^-4, 1.2 x 10-4, 10^-4 (but not 10-4, which is a range), 1.2e-4
    r"(?:(.+?) ?[x*·⋅∙] ?)?10 ?\^ ?([-+]?[0-9]{1,3})|(.+?) ?[x*·⋅∙] ?10 ?(-[0-9]{1,3})|(.+)e([-+]?[0-9]{1,3})", re.I
)
MEAN_SD, MEDIAN_IQR, MEDIAN_RANGE, COUNTED = "mean(SD)", "median(IQR)", "median(range)", "count"
TWO_SIDED = "two_sided"
STARRED = re.compile(r"[* ]*$")
LEGEND = re.compile(r"(\*+)[ :=,]*p?[ -]*(?:values?)? *<=? *(0?[.,][0-9]{1,10})", re.I)
WORDS = paths.PACKAGE / "audit" / "words.csv"  # how kinds and tests are named; of a family, the first that is found
ACCEPTED_SUMMARY = "2609, 2609 (1125-6972), 5.0 ± 1.2, 5.0 (1.2)"


class Count(NamedTuple):
    """A count of patients, of how many, and the percentage as printed; None for what the cell does not say."""

    count: int | None = None
    of: int | None = None
    percent: str | None = None


class Center(NamedTuple):
    """A mean or median and what stands beside it: a lone spread as ``low``, or both ends; None for what is absent."""

    center: str | None = None
    low: str | None = None
    high: str | None = None


def is_blank(text: str) -> bool:
    """Tell whether a cell says nothing: empty, dashes or points only, ``NA`` and its like.

    >>> [is_blank(text) for text in ("", " – ", "n.a.", "0", "*", "#N/A")]
    [True, True, True, False, False, False]
    """
    plain = _clean(text)
    return plain.casefold() in BLANKS or not plain.strip("-. ()[]%")


def _reader(accepted: str, blank=None):
    """Let a function that reads cells return ``blank`` for one that says nothing, and tell what it refuses."""

    def of_cells(read):
        @wraps(read)
        def of_any_cell(text: str):
            try:
                return blank if is_blank(text) else read(text)
            except ValueError:
                shown = text if len(text) <= 60 else text[:57] + "..."
                raise ValueError(f"{shown!r} is not accepted; accepted: {accepted}") from None

        return of_any_cell

    return of_cells


@_reader("0.03, .03, 0,03, <0.001, >0.05, 1.2e-4, NS or blank; from 0 to 1, at most 20 decimals")
def p_value(text: str) -> str | None:
    """Return a P value, or a limit (``<``, ``>``) other than 0 and 1, as `nxp2lib.digits.match` reads it.

    >>> [p_value(text) for text in ("P=.03", "< 0,001**", "≤0.05", "n.s.", "1.20 × 10−4", "–")]
    ['0.03', '<0.001', '<0.05', 'NS', '0.000120', None]
    """
    plain = re.sub(r"^p(?:[ -]?value)? ?(?=[-=:<>.,0-9n])", "", _clean(text), flags=re.I)
    plain = plain.removeprefix("=").removeprefix(":").strip()
    if NOT_SIGNIFICANT.fullmatch(plain):
        return "NS"
    sign, digits = (plain[0], plain[1:].removeprefix("=").strip()) if plain[:1] in ("<", ">") else ("", plain)
    digits = _digits(digits, DECIMALS + 1, thousands=False)
    if not 0 <= Decimal(digits) <= 1 or (sign and Decimal(digits) in (0, 1)):
        raise ValueError(text)
    return sign + digits.removeprefix("-")


def stars(text: str) -> str:
    """Return the stars at the end of a P value's cell.

    >>> stars("0.03 **"), stars("*"), stars("0.5")
    ('**', '*', '')
    """
    return STARRED.search("".join(map(_plain, text)))[0].replace(" ", "")


def legend(text: str) -> dict[str, str]:
    """Return what a legend says that stars stand for.

    >>> legend("* P < 0.05, ** p<.01; ***: p ≤ 0.001"), legend("–")
    ({'*': '<0.05', '**': '<0.01', '***': '<0.001'}, {})
    """
    plain = "".join(map(_plain, text))
    return {marks: f"<{_digits(limit, DECIMALS)}" for marks, limit in LEGEND.findall(plain)}


@_reader("12, 12/34, 12 of 34, 12 (35.3%), 12/34 (35.3), 35.3 % or blank", Count())
def count(text: str) -> Count:
    """Return what a cell says of a count.

    >>> [tuple(count(text)) for text in ("12 of 34 (35.3 %)†", "1 125", "35,3%", "NA")]
    [(12, 34, '35.3'), (1125, None, None), (None, None, '35.3'), (None, None, None)]
    """
    fraction, share = _fraction_and_share(_clean(text))
    parts = re.split(r" ?/ ?| (?:out )?of ", re.sub("^n ?= ?", "", fraction, flags=re.I))
    if len(parts) > 2:
        raise ValueError(text)
    return Count(*([] if is_blank(fraction) else map(_whole, parts)))._replace(percent=percent(share))


@_reader("35.3, 35,3, 35.3 % or blank; from 0 to 100, at most 20 decimals")
def percent(text: str) -> str | None:
    """Return the digits of a percentage.

    >>> percent("35.30 %"), percent("(35,3)"), percent("-")
    ('35.30', '35.3', None)
    """
    digits = _digits(_bare(_clean(text)).removesuffix("%").strip(), DECIMALS + 3, thousands=False)
    if not 0 <= Decimal(digits) <= 100 or len(digits.partition(".")[2]) > DECIMALS:
        raise ValueError(text)
    return digits.removeprefix("-")


@_reader("2609, -0.5, 1,125, 1.234,5 or blank; at most 15 digits")
def number(text: str) -> str | None:
    """Return the decimal digits of a number, with a minus sign where there is one.

    >>> [number(text) for text in ("2 609", "1,125", "0,125", "1.234,50", "−0.5", "n/a")]
    ['2609', '1125', '0.125', '1234.50', '-0.5', None]
    """
    return _digits(_clean(text), DIGITS)


@_reader(f"{ACCEPTED_SUMMARY} or blank", Center())
def summary(text: str) -> Center:
    """Return a centre and the spread that the same cell may hold.

    >>> [tuple(summary(text)) for text in ("2609 (1,125–6,972)", "5.0 ± 1.2", "−1 [−2.5 to 0,5]", "5,0")]
    [('2609', '1125', '6972'), ('5.0', '1.2', None), ('-1', '-2.5', '0.5'), ('5.0', None, None)]
    """
    plain = re.sub(r"\+ ?/? ?-", "±", _clean(text))
    bracketed = re.fullmatch(r"([^()\[\]±]+)[\[(](?:(?:IQR|range|SD)\b[ :,=]*)?([^()\[\]±]*)[\])]", plain, re.I)
    center, spread = bracketed.groups() if bracketed else (plain.partition("±")[0], plain.partition("±")[2])
    return Center(_digits(center.strip(), DIGITS), *([] if is_blank(spread) else _ends(spread.strip())))


@_reader(f"{MEAN_SD}, {MEDIAN_IQR}, {MEDIAN_RANGE} or blank")
def kind(text: str) -> str | None:
    """Return how a number of a group is summarised: ``mean(SD)``, ``median(IQR)``, ``median(range)`` or ``count``.

    >>> kind("Mean ± SD"), kind("Median [Q1–Q3]"), kind("median (min-max)"), kind("n (%)"), kind("")
    ('mean(SD)', 'median(IQR)', 'median(range)', 'count', None)

    Raises ValueError for anything else, such as a mean with its standard error.
    """
    if found := _named("kind", text):
        return found
    raise ValueError(text)


def named_tests(text: str) -> tuple[str, ...]:
    """Return the tests that a cell names: conventions of counts, ``mann_whitney``, ``student`` and ``welch``.

    A test that is none of these is ``other``, one that is called two-sided also ``two_sided``; of a blank, nothing.

    >>> named_tests("χ² or Fisher’s exact test"), named_tests("chi-square, Yates-corrected"), named_tests("log-rank")
    (('fisher', 'chi_square'), ('chi_square_yates',), ('other',))
    """
    if is_blank(text):
        return ()
    found = tuple(name for family in _words() if family != "kind" and (name := _named(family, text)))
    return ("other",) if not found or "other" in found else found


@lru_cache
def _words() -> dict[str, dict[str, str]]:
    """Return the patterns by which each kind or test of a family is known, in their order."""
    families = pd.read_csv(WORDS, index_col="name").groupby("family", sort=False)["pattern"]
    return {name: patterns.to_dict() for name, patterns in families}


def _named(family: str, text: str) -> str | None:
    """Return the first of a family that is named, in whatever capitals; superscripts stay (χ²)."""
    lower = " ".join(unicodedata.normalize("NFKC", text[:200]).casefold().translate(PLAIN).split())
    return next((name for name, pattern in _words()[family].items() if re.search(pattern, lower)), None)


def _clean(text: str) -> str:
    """Return a cell in plain characters, single spaces, without footnote marks at either end."""
    text = re.sub("([x×·⋅∙*] ?)10([⁺⁻]?[⁰¹²³⁴-⁹]+)|(?<![0-9.,])10(⁻[⁰¹²³⁴-⁹]+)", _power, text)
    plain = " ".join("".join(map(_plain, text)).split())
    plain = re.sub(r"(?<=[0-9])[·⋅∙‧](?=[0-9])(?![0-9]*(?:\^|-))", ".", plain)  # the Lancet's decimal point
    bare = FOOTNOTE.sub("", plain.rstrip(" *†‡§¶‖#,;").lstrip(" *†‡§¶‖")).rstrip(" *†‡§¶‖#,;")
    return bare or plain


def _power(found: re.Match) -> str:
    times, exponent, alone = found.groups()
    return f"{times or ''}10^{unicodedata.normalize('NFKC', exponent or alone).replace('−', '-')}"


def _plain(letter: str) -> str:
    """Return the plain form of a character: none for a footnote mark or what has no width.

    Compatibility forms that hide digits (``½`` would become ``1⁄2``) stay as they are, and are refused later.
    """
    kind = unicodedata.decomposition(letter).partition(">")[0]
    if kind in ("<super", "<sub", "<circle") or unicodedata.category(letter) == "Cf":
        return ""
    normal = unicodedata.normalize("NFKC", letter)
    if kind in ("<fraction", "<compat", "<square") and any(part.isdigit() for part in normal):
        return letter
    return normal.translate(PLAIN)


def _digits(plain: str, most: int, thousands: bool = True) -> str:
    """Return a number in decimal digits; raise ValueError for what is none, or has more than ``most`` digits."""
    if len(plain) > LONGEST:
        raise ValueError(plain)
    if power := POWER.fullmatch(plain):
        mantissa, exponent = power[1] or power[3] or power[5] or "1", power[2] or power[4] or power[6]
        return _with_exponent(mantissa, int(exponent), most, thousands)
    minus, body = plain.startswith("-"), plain.removeprefix("-" if plain.startswith("-") else "+").lstrip(" ")
    if thousands and re.fullmatch("[1-9][0-9]{0,2},[0-9]{3}", body):
        body = body.replace(",", "")
    if not (found := NUMBER.fullmatch(body)):
        raise ValueError(plain)
    whole = re.sub("[ ',.]", "", found["whole"] or found["commas"] or found["points"] or "0").lstrip("0") or "0"
    part = found["part"] or found["only"] or found["point"] or found["comma"] or ""
    if len(whole + part) > most:
        raise ValueError(plain)
    return "-" * minus + whole + (f".{part}" if part else "")


def _with_exponent(mantissa: str, exponent: int, most: int, thousands: bool) -> str:
    """Spell a number out, unless that would print last digits that its writer did not (1.2e3 is no 1200)."""
    if POWER.fullmatch(mantissa):
        raise ValueError(mantissa)
    value = Decimal(_digits(mantissa, most, thousands)).scaleb(exponent)
    if value.as_tuple().exponent > 0 or sum(map(str.isdigit, f"{value:f}")) > most:
        raise ValueError(mantissa)
    return f"{value:f}"


def _fraction_and_share(plain: str) -> tuple[str, str]:
    """Divide the text of a count into ``12/34`` and ``35.3 %``, either of them perhaps empty."""
    if bracketed := re.fullmatch(r"([^()\[\]]+?) ?[\[(]([^()\[\]]*)[\])]", plain):
        outside, inside = bracketed.groups()
        return (inside, outside) if outside.endswith("%") or re.search("/|of", inside) else (outside, inside)
    plain = _bare(plain)
    if not plain.endswith("%"):
        return plain, ""
    with suppress(ValueError):
        _digits(plain.removesuffix("%").strip(), DECIMALS, thousands=False)
        return "", plain
    fraction, _, share = plain.removesuffix("%").strip().rpartition(" ")
    return fraction.rstrip(",;"), f"{share}%"


def _whole(text: str) -> int:
    digits = _digits(text, COUNT_DIGITS)
    if digits.startswith("-") or digits.partition(".")[2].strip("0"):
        raise ValueError(text)
    return int(Decimal(digits))


def _bare(plain: str) -> str:
    """Take brackets off that enclose the whole text."""
    enclosed = re.fullmatch(r"[\[(]([^()\[\]]*)[\])]", plain)
    return enclosed[1].strip() if enclosed else plain


def _ends(spread: str) -> list[str]:
    """Return one number, or two that a range is printed with; raise ValueError where it is neither."""
    with suppress(ValueError):
        return [_digits(spread, DIGITS)]
    for mark in (" to ", "to", ";", " - ", r"(?<=[0-9])\s?-\s?(?=[-+.,0-9])", ", ", ",", "/", r"\.\."):
        with suppress(ValueError):
            return [_digits(part.strip(), DIGITS) for part in re.split(mark, spread, maxsplit=1)]
    raise ValueError(spread)
