"""Make a class: for every trainee exercise notebooks and a cohort of their own, and the keys for the instructor."""

import csv
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from nxp2lib import findings, paths
from nxp2lib.reconstruction import witnesses
from nxp2lib.teach import exercises

INSTRUCTOR = "instructor"
KEY, CLASS, TRAINEES = "key.csv", "class.json", "trainees"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
PER_BLOCK = 10  # cohorts drawn together
OWN = {  # parameters of a trainee's notebooks
    '"data/cohort.csv"': '"cohort.csv"',
    '"outputs"': '"~/nxp2_exercises"',
    "number_of_cohorts: int = 50": "number_of_cohorts: int = 5",  # enough to see that they differ
}


class TeachError(ValueError):
    """A class that cannot be made or graded, said in one sentence."""


def names(path: str | Path) -> list[str]:
    """Return the trainees of a list: the column ``trainee`` of a CSV file, or its only column.

    A name becomes a folder, so letters, digits, ``-`` and ``_`` are accepted, up to 40 of them. Raises TeachError that
    names the row, FileNotFoundError where there is no such file.
    """
    file = paths.find(path)
    try:
        rows = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines()))
    except UnicodeDecodeError:
        raise TeachError(f"{path}: not a CSV file in UTF-8") from None
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if "trainee" not in header:
        raise TeachError(f"{path}: no column trainee; accepted: a CSV file with the header trainee and a name per row")
    place, found = header.index("trainee"), {}
    for number, row in enumerate(rows[1:], 2):
        name = row[place].strip() if len(row) > place else ""
        if not any(cell.strip() for cell in row):
            continue
        if not NAME.fullmatch(name) or name.lower() == INSTRUCTOR:
            accepted = "accepted: up to 40 letters, digits, - and _, beginning with a letter or digit"
            raise TeachError(f"{path}: row {number}, trainee: {name!r} is not accepted; {accepted}")
        if name.lower() in found:
            raise TeachError(f"{path}: row {number}, trainee: {name!r} is already in row {found[name.lower()][0]}")
        found[name.lower()] = (number, name)
    if not found:
        raise TeachError(f"{path}: no trainee")
    return [name for _, name in found.values()]


def write(out: str | Path, trainees: list[str], seed: int | None = None) -> Path:
    """Write a class into a new folder, and return it.

    ``trainees/NAME/`` holds the notebooks without solutions, ``cohort.csv`` and ``answers.json``; ``instructor/``
    the key and the seed. Each cohort is drawn from those that the printed numbers allow and then resampled with
    replacement within the age groups, so that answers differ between neighbours. Without a seed a secret one is drawn.
    Raises TeachError where the folder is not empty.
    """
    target = paths.expanded(out).absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise TeachError(f"{out}: not empty; a class needs a new folder")
    seed = secrets.randbits(32) if seed is None else seed
    notebooks = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in _sources()}
    keys = []
    for trainee, patients in zip(trainees, resampled(len(trainees), seed), strict=True):
        folder = target / TRAINEES / trainee
        folder.mkdir(parents=True)
        patients.to_csv(folder / "cohort.csv", index=False, lineterminator="\n")
        salt, sealed = secrets.token_hex(8), {}
        for name, notebook in notebooks.items():
            for exercise, solution, mistakes in solved(notebook, folder / "cohort.csv"):
                sealed[exercise] = exercises.seal(solution, mistakes, salt)
                if sealed[exercise]["right"] is not None:
                    right = exercises.written(solution, sealed[exercise]["decimals"])
                    keys.append((trainee, name.removesuffix(".ipynb"), exercise, right, sealed[exercise]["decimals"]))
            _save(folder / name, exercise_notebook(notebook))
        _save(folder / exercises.ANSWERS, {"salt": salt, "exercises": sealed})
    instructor = target / INSTRUCTOR
    instructor.mkdir()
    header = ["trainee", "notebook", "exercise", "answer", "decimals"]
    pd.DataFrame(keys, columns=header).astype({"decimals": "Int64"}).to_csv(instructor / KEY, index=False)
    _save(instructor / CLASS, {"seed": seed, "trainees": trainees})
    return target


def _sources() -> list[Path]:
    return sorted(paths.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def _save(path: Path, content: dict) -> None:
    with paths.replacing(path) as partial:
        partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def resampled(number: int, seed: int) -> Iterator[pd.DataFrame]:
    """Yield cohorts as their files hold them, each resampled from one that keeps the printed numbers."""
    rng = np.random.default_rng([seed, 6])
    for start in range(0, number, PER_BLOCK):
        for drawn in witnesses.block(start // PER_BLOCK, min(PER_BLOCK, number - start), seed):
            young = drawn["age_at_onset"].astype(int) < findings.JUVENILE_BELOW_AGE
            parts = [drawn[group].sample(group.sum(), replace=True, random_state=rng) for group in (young, ~young)]
            mixed = pd.concat(parts).sample(frac=1, random_state=rng).reset_index(drop=True)
            mixed["patient_id"] = [f"T{place:03d}" for place in range(1, len(mixed) + 1)]
            yield mixed.assign(synthetic="1")


def solved(notebook: dict, file: Path) -> Iterator[tuple]:
    """Yield each exercise of a notebook with its solution and mistakes on the patients of a file.

    Runs the parameters, the imports, and the cells tagged ``solution``, each of which stands alone beyond these.
    """
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    asked = []
    scope = {"answer": None}
    exec(_source(code[0]), scope)
    scope["cohort_path"] = str(file)
    with redirect_stdout(StringIO()):
        exec(_source(code[1]), scope)
        scope["check"] = lambda name, answer, solution, mistakes: asked.append((name, solution, mistakes))
        for cell in code:
            if "solution" in cell["metadata"].get("tags", []):
                exec(_source(cell), scope)
    yield from asked


def _source(cell: dict) -> str:
    return "".join(cell["source"])


CHECKED = re.compile(r'^check\("([\w-]+)", answer, solution, mistakes\)$', flags=re.MULTILINE)


def exercise_notebook(notebook: dict) -> dict:
    """Return a notebook for trainees: on their own cohort, without outputs, its solutions replaced by a check."""
    cells = []
    for cell in notebook["cells"]:
        cell = json.loads(json.dumps(cell))
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
            tags = cell["metadata"].get("tags", [])
            if "solution" in tags:
                cell["source"] = f'check("{CHECKED.search(_source(cell))[1]}", answer)'
                cell["metadata"] = {"tags": ["check"]}
            elif "parameters" in tags:
                given = _source(cell)
                for default, own in OWN.items():
                    given = given.replace(default, own)
                cell["source"] = given
        cells.append(cell)
    return {**notebook, "cells": cells}


def read_key(folder: Path) -> pd.DataFrame:
    """Return the key of a class: ``trainee,notebook,exercise,answer,decimals``, one row per exercise."""
    types = {"trainee": str, "notebook": str, "exercise": str, "answer": str, "decimals": "Int64"}
    return pd.read_csv(folder / INSTRUCTOR / KEY, dtype=types, keep_default_na=False, na_values={"decimals": [""]})
