"""Exercises that check themselves: right, or wrong with a hint that speaks to the mistake made, never the answer.

In the collection's notebooks the solution stands in the cell that checks. A trainee's notebook has it taken out, and
the file ``answers.json`` beside it holds scrambled answers instead: of the right one, and of common mistakes.
"""

import ast
import hashlib
import json
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from nxp2lib import digits, paths

ANSWERS = "answers.json"
UNKNOWN = "\N{EN DASH}"  # what tables show where nothing can be computed
ROUNDS = 2_000  # of scrambling; a short answer can still be found by trying, but not by reading
HINTS = yaml.load((paths.PACKAGE / "teach" / "hints.yml").read_text(encoding="utf-8"), yaml.BaseLoader)


def check(name: str, answer, solution=None, mistakes: dict | None = None) -> None:
    """Print whether an answer is right, and if not, what may have gone wrong.

    ``solution`` is a text, a whole number, or a number written with the decimals that are asked for (``"73.7"``);
    ``mistakes`` gives, for names in ``hints.yml``, the answer that this mistake leads to. Without a solution both are
    looked up in ``answers.json`` in the working directory. An ``answer`` of None is not judged. Raises
    FileNotFoundError where there is no such file, KeyError for an exercise that it does not hold.
    """
    if solution is None and mistakes is None:
        kept = json.loads(Path(ANSWERS).read_text(encoding="utf-8"))
        sealed, salt = kept["exercises"][name], kept["salt"]
    else:
        sealed, salt = seal(solution, mistakes or {}, ""), ""
    if sealed["right"] is None:
        print(f"{name}: these patients give no answer")
    elif answer is None:
        print(f"{name}: no answer yet")
    else:
        given = _scrambled(written(answer, sealed["decimals"]), salt)
        hints = [HINTS[hint] for hint, value in sealed["mistakes"].items() if value == given]
        wrong = f"not yet. {hints[0] if hints else 'Read the question again, and unfold the hint.'}"
        print(f"{name}: {'right' if given == sealed['right'] else wrong}")


def checked(cell: ast.AST) -> list[str]:
    """Return the names of the exercises that a cell checks.

    >>> checked(ast.parse('check("share-of-myalgia", answer)'))
    ['share-of-myalgia']
    """
    calls = [node for node in ast.walk(cell) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check"]
    names = [node.args[0].value for node in calls if node.args and isinstance(node.args[0], ast.Constant)]
    return [name for name in names if isinstance(name, str)]


def seal(solution, mistakes: dict, salt: str) -> dict:
    """Return a solution and its mistakes scrambled; mistakes that lead to the solution are left out.

    >>> seal("73.7", {}, "salt")["decimals"]
    1
    """
    solution = None if solution == UNKNOWN else solution
    decimals = _decimals(solution)
    right = None if solution is None else written(solution, decimals)
    wrong = {hint: written(value, decimals) for hint, value in mistakes.items() if value is not None and HINTS[hint]}
    if decimals:
        wrong["too few digits"] = written(written(right, decimals - 1), decimals)
    sealed = {hint: _scrambled(value, salt) for hint, value in wrong.items() if value != right}
    return {"decimals": decimals, "right": right and _scrambled(right, salt), "mistakes": sealed}


def written(answer, decimals: int | None) -> str:
    """Write an answer in one way: a number with so many decimals, anything else in lower case.

    >>> written(0.15844, 3), written(" 73,7 ", 1), written(" Dysphagia", None), written(True, None)
    ('0.158', '73.7', 'dysphagia', 'true')
    """
    text = str(answer).strip().lower()
    if decimals is None:
        return text
    try:
        number = Decimal(text.removesuffix("%").strip().replace(",", "."))
        return str(digits.round_half_up(number, decimals))
    except InvalidOperation:
        return text


def _decimals(solution) -> int | None:
    """How many decimals a solution has: none at all for words, 0 for a whole number."""
    with suppress(InvalidOperation):
        number = Decimal(str(solution))
        return digits.decimals(f"{number:f}") if number.is_finite() else None
    return None


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
