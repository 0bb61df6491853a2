"""Read the reference values from R beside the inputs that they were computed from."""

import csv
import math
from pathlib import Path


def number(text: str) -> int | float:
    """Return a number as R writes it; its NA is NaN here.

    >>> [number(text) for text in "7 0.05 1e-05 Inf NaN NA".split()]
    [7, 0.05, 1e-05, inf, nan, nan]
    """
    try:
        return int(text)
    except ValueError:
        return math.nan if text == "NA" else float(text)


def rows(name: str, chosen: str) -> list[dict]:
    """Return the rows of one set in a file of this folder."""
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["set"] == chosen]


def cases(chosen: str) -> list[dict]:
    """Return each case of a set: its name as ``case``, its rows of numbers as ``input``, and its statistics by name.

    A statistic is a number, or one for each level, probability or place that it is given ``at``.

    >>> cases("quantiles")[1]["type_7"]
    {0.25: 3.75, 0.5: 5.5, 0.75: 7.25}
    """
    found = {}
    for row in rows("inputs.csv", chosen):
        table = [[number(text) for text in part.split()] for part in row["input"].split("/")]
        found[row["case"]] = {"case": row["case"], "input": table}
    for row in rows("golden.csv", chosen):
        case, value = found[row["case"]], number(row["value"])
        if row["at"]:
            case.setdefault(row["statistic"], {})[number(row["at"])] = value
        else:
            case[row["statistic"]] = value
    return list(found.values())


def by_name(case: dict) -> str:
    """Name a case in the tests' output."""
    return case["case"]
