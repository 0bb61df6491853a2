"""Exercises that check themselves: right, or wrong with a hint that speaks to the mistake made, never the answer.

In the collection's notebooks the solution stands in the cell that checks. A trainee's notebook has it taken out, and
the file ``answers.json`` beside it holds scrambled answers instead: of the right one, and of common mistakes.
"""

import ast
import hashlib
import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import yaml

from nxp2lib import digits, paths

ANSWERS = "answers.json"
UNKNOWN = "\N{EN DASH}"  # what tables show where nothing can be computed
ROUNDS = 2_000  # of scrambling; a short answer can still be found by trying, but not by reading
UNNAMED = "Read the question again, and unfold the hint."  # said where no common mistake leads to the answer
TOO_FEW = "too few digits"  # the mistake that every number with decimals can hold
HINTS = yaml.load((paths.PACKAGE / "teach" / "hints.yml").read_text(encoding="utf-8"), yaml.BaseLoader)


class Judged(NamedTuple):
    """What a check says; a notebook keeps the solution, where it was given, beside the words."""

    said: str
    solution: str | None

    def __repr__(self) -> str:
        return self.said

    def _repr_mimebundle_(self, **kinds: object) -> tuple[dict, dict]:
        return {"text/plain": self.said}, {} if self.solution is None else {"text/plain": {"solution": self.solution}}


def check(name: str, answer, solution=None, mistakes: dict | None = None) -> None:
    """Show whether an answer is right, and if not, what may have gone wrong.

    ``solution`` is a text, a whole number, a number written with the decimals that are asked for (``"73.7"``), or a
    limit that the right number is below (``"<0.001"``); ``mistakes`` gives, for names in ``hints.yml``, the answer that
    this mistake leads to. Without a solution both are looked up in ``answers.json`` in the working directory. An
    ``answer`` of None is not judged. Raises FileNotFoundError where there is no such file, KeyError for an exercise
    that it does not hold.
    """
    from IPython.display import display

    shown = None if solution in (None, UNKNOWN) else str(solution)
    display(Judged(f"{name}: {_judgement(name, answer, solution, mistakes)}", shown))


def _judgement(name: str, answer, solution, mistakes: dict | None) -> str:
    if solution is None and mistakes is None:
        kept = json.loads(Path(ANSWERS).read_text(encoding="utf-8"))
        sealed, salt = kept["exercises"][name], kept["salt"]
    else:
        sealed, salt = seal(solution, mistakes or {}, ""), ""
    if sealed["right"] is None:
        return "these patients give no answer"
    if answer is None:
        return "no answer yet"
    given = _scrambled(written(answer, sealed["decimals"], sealed.get("below", False)), salt)
    found = [hint for hint, value in sealed["mistakes"].items() if value == given]
    hints = [HINTS[hint] for hint in found if fits(hint, answer, sealed["decimals"])]
    wrong = f"not yet. {hints[0] if hints else UNNAMED}"
    return "right" if given == sealed["right"] else wrong


def checked(cell: ast.AST) -> list[str]:
    """Return the names of the exercises that a cell checks.

    >>> checked(ast.parse('check("share-of-myalgia", answer)'))
    ['share-of-myalgia']
    """
    calls = [node for node in ast.walk(cell) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check"]
    names = [node.args[0].value for node in calls if node.args and isinstance(node.args[0], ast.Constant)]
    return [name for name in names if isinstance(name, str)]


class Key(NamedTuple):
    """How an exercise is judged: the right answer as it is written, and what common mistakes lead to.

    ``decimals`` is None for words, 0 for a whole number; ``below`` tells that the answer is a limit such as ``<0.001``.
    """

    answer: str | None
    decimals: int | None
    below: bool
    mistakes: dict[str, str]


def key(solution, mistakes: dict) -> Key:
    """Return how an exercise is judged; mistakes that lead to the solution are left out.

    >>> key("73.7", {"everybody": "70.1"})
    Key(answer='73.7', decimals=1, below=False, mistakes={'everybody': '70.1', 'too few digits': '74.0'})
    >>> key("<0.001", {"two-sided": "0.000"}).mistakes
    {}
    """
    if solution is None or solution == UNKNOWN:
        return Key(None, None, False, {})
    below = str(solution).startswith("<")
    decimals = _decimals(str(solution).removeprefix("<"))
    right = written(solution, decimals, below)
    known = {hint: value for hint, value in mistakes.items() if value is not None and HINTS[hint]}
    wrong = {hint: written(value, decimals, below) for hint, value in known.items()}
    if decimals and not below:
        wrong[TOO_FEW] = written(written(right, decimals - 1), decimals)
    return Key(right, decimals, below, {hint: value for hint, value in wrong.items() if value != right})


def fits(hint: str, answer: object, decimals: int | None) -> bool:
    """Tell whether a hint is true of an answer as it was typed: one with all its decimals has not too few.

    >>> fits("too few digits", 0.16, 3), fits("too few digits", "0.160", 3), fits("one-sided", "0.160", 3)
    (True, False, True)
    """
    return hint != TOO_FEW or digits.decimals(str(answer).strip().replace(",", ".")) < (decimals or 0)


def seal(solution, mistakes: dict, salt: str) -> dict:
    """Return how an exercise is judged with its answers scrambled.

    >>> seal("73.7", {}, "salt")["decimals"]
    1
    """
    clear = key(solution, mistakes)
    sealed = {hint: _scrambled(value, salt) for hint, value in clear.mistakes.items()}
    right = clear.answer and _scrambled(clear.answer, salt)
    return {"decimals": clear.decimals, "below": clear.below, "right": right, "mistakes": sealed}


def written(answer, decimals: int | None, below: bool = False) -> str:
    """Write an answer in one way: a number with so many decimals, anything else in lower case.

    Where the right answer is a limit (``below``), every number between 0 and it is written as the limit.

    >>> written(0.15844, 3), written(" 73,7 ", 1), written(" Dysphagia", None), written(True, None)
    ('0.158', '73.7', 'dysphagia', 'true')
    >>> [written(answer, 3, below=True) for answer in ("<0.001", "< 0,001", "0.000", 0.0007, 0.001)]
    ['<0.001', '<0.001', '<0.001', '<0.001', '0.001']
    """
    text = str(answer).strip().lower()
    if decimals is None:
        return text
    try:
        number = Decimal(text.removeprefix("<" * below).removesuffix("%").strip().replace(",", "."))
        limit = Decimal(1).scaleb(-decimals)
        if below and (number == limit if text.startswith("<") else 0 <= number < limit):
            return f"<{limit}"
        return str(digits.round_half_up(number, decimals))
    except InvalidOperation:
        return text


def _decimals(solution: str) -> int | None:
    """How many decimals a solution has: none at all for words, 0 for a whole number."""
    try:
        number = Decimal(solution)
    except InvalidOperation:
        return None
    return digits.decimals(f"{number:f}") if number.is_finite() else None


def _scrambled(text: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", text.encode(), salt.encode(), ROUNDS).hex()[:24]


def planted_percentages(patients: pd.DataFrame) -> pd.DataFrame:
    """Return four lines of counts and percentages of a made-up paper; one percentage belongs to no count of patients.

    Columns ``line`` (A to D), ``patients`` (the denominator), ``percent`` (text, one decimal); each cohort gets others.
    """
    from nxp2lib.audit import attainable

    rng, lines = _rng(patients), []
    sizes, wrong = rng.integers(17, 40, 4), rng.integers(4)
    for place, size in enumerate(sizes):
        possible = attainable.percentages(int(size))
        others = [f"{tenth / 10:.1f}" for tenth in range(100, 900) if f"{tenth / 10:.1f}" not in possible]
        lines.append(("ABCD"[place], int(size), rng.choice(others if place == wrong else possible[2:-2])))
    return pd.DataFrame(lines, columns=["line", "patients", "percent"]).astype({"percent": str})


def planted_means(patients: pd.DataFrame) -> pd.DataFrame:
    """Return three lines of two groups and everybody in a made-up paper; one overall mean age cannot be.

    Columns ``line`` (A to C), ``n_first``, ``mean_first``, ``n_second``, ``mean_second`` and ``mean_all``, means in
    whole years. In the wrong line it lies at least two years from every mean that the rounded group means allow.
    """
    rng, lines = _rng(patients), []
    wrong = rng.integers(3)
    for place in range(3):
        n, m = (int(number) for number in rng.integers(20, 60, 2))
        first, second = int(rng.integers(6, 12)), int(rng.integers(40, 60))
        mean = round((n * first + m * second) / (n + m)) + (int(rng.choice([-3, 3])) if place == wrong else 0)
        lines.append(("ABC"[place], n, first, m, second, mean))
    return pd.DataFrame(lines, columns=["line", "n_first", "mean_first", "n_second", "mean_second", "mean_all"])


def _rng(patients: pd.DataFrame) -> np.random.Generator:
    ages = patients["age_at_onset"].dropna().astype(int)
    return np.random.default_rng([int(ages.sum()), int((ages * np.arange(1, len(ages) + 1)).sum())])
