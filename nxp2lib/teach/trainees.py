"""Make a class: for every trainee exercise notebooks and a cohort of their own, and the keys for the instructor."""

import ast
import csv
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import redirect_stdout
from copy import deepcopy
from io import StringIO
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
from nbformat.v4.rwbase import split_lines

from nxp2lib import findings, paths
from nxp2lib.reconstruction import witnesses
from nxp2lib.run import parameters
from nxp2lib.teach import exercises, sandbox
from nxp2lib.teach.sandbox import TeachError

INSTRUCTOR = "instructor"
KEY, CLASS, TRAINEES, COHORT = "key.csv", "class.json", "trainees", "cohort.csv"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
KEYS = ["trainee", "notebook", "exercise", "answer", "decimals", "mistakes"]  # the columns of the key
PER_BLOCK = 10  # cohorts drawn together
# Parameters of a trainee's notebooks; five cohorts are enough to see that they differ.
OWN = {parameters.COHORT_PATH: COHORT, parameters.OUTPUT_DIR: "~/nxp2_exercises", "number_of_cohorts": 5}


def names(path: str | Path) -> list[str]:
    """Return the trainees of a list: the column ``trainee`` of a CSV file.

    A name becomes a folder: up to 40 letters, digits, ``-``, ``_``. Raises TeachError with the row, FileNotFoundError.
    """
    try:
        content = paths.find(path, here=True).read_text(encoding="utf-8-sig")
        header, *rows = list(csv.reader(content.splitlines())) or [[]]
    except UnicodeDecodeError:
        raise TeachError(f"{path}: not a CSV file in UTF-8") from None
    header, found = [cell.strip().lower() for cell in header], {}
    if "trainee" not in header:
        raise TeachError(f"{path}: no column trainee; accepted: a CSV file with the header trainee and a name per row")
    for number, row in enumerate(rows, 2):
        name = "".join(row[header.index("trainee") :][:1]).strip()
        said = f"{path}: row {number}, trainee: {name!r} is"
        if not any(cell.strip() for cell in row):
            continue
        if not NAME.fullmatch(name) or name.lower() == INSTRUCTOR:
            accepted = "accepted: up to 40 letters from A to Z, digits, - and _, beginning with a letter or digit"
            raise TeachError(f"{said} not accepted; {accepted}")
        if name.lower() in found:
            raise TeachError(f"{said} already in row {found[name.lower()][0]}")
        found[name.lower()] = (number, name)
    if not found:
        raise TeachError(f"{path}: no trainee")
    return [name for _, name in found.values()]


def write(out: str | Path, trainees: list[str], seed: int | None = None) -> Path:
    """Write a class into a new folder, and return it.

    ``trainees/NAME/`` holds the notebooks without solutions, ``cohort.csv`` and ``answers.json``; ``instructor/``
    the key and the seed, a secret one if not given. Each cohort is drawn from those that the printed numbers allow,
    then resampled within the age groups, so that neighbours' answers differ. Raises TeachError for a folder in use,
    or one that a sandbox shows.
    """
    target = paths.expanded(out).absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise TeachError(f"{out}: not empty; a class needs a new folder")
    sandbox.check_hidden(target)
    seed = secrets.randbits(128) if seed is None else seed
    notebooks = {path.stem: nbformat.read(path, as_version=4) for path in parameters.choose([])}
    keys = []
    for trainee, patients in zip(trainees, resampled(len(trainees), seed), strict=True):
        keys += [(trainee, *row) for row in _write_one(target / TRAINEES / trainee, patients, notebooks)]
    (target / INSTRUCTOR).mkdir(mode=0o700, parents=True)
    key = pd.DataFrame(keys, columns=KEYS, dtype=object)
    key.to_csv(target / INSTRUCTOR / KEY, index=False)
    _save(target / INSTRUCTOR / CLASS, json.dumps({"seed": seed, "trainees": trainees}, indent=1))
    return target


def _write_one(folder: Path, patients: pd.DataFrame, notebooks: dict) -> Iterator[tuple]:
    """Write one trainee's folder; yield the rows of the key: notebook, exercise, answer, its decimals, mistakes."""
    folder.mkdir(parents=True)
    patients.to_csv(folder / COHORT, index=False, lineterminator="\n")
    salt, sealed = secrets.token_hex(8), {}
    for name, notebook in notebooks.items():
        for exercise, solution, mistakes in solved(notebook, folder / COHORT):
            sealed[exercise] = exercises.seal(solution, mistakes, salt)
            clear = exercises.key(solution, mistakes)
            if clear.answer is not None:
                yield name, exercise, clear.answer, clear.decimals, json.dumps(clear.mistakes)
        _save(folder / f"{name}.ipynb", nbformat.writes(exercise_notebook(notebook), split_lines=False))
    _save(folder / exercises.ANSWERS, json.dumps({"salt": salt, "exercises": sealed}, indent=1))


def _save(path: Path, text: str) -> None:
    with paths.replacing(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def resampled(number: int, seed: int) -> Iterator[pd.DataFrame]:
    """Yield cohorts as their files hold them, each resampled from one that keeps the printed numbers."""
    rng = np.random.default_rng([seed, 6])
    for start in range(0, number, PER_BLOCK):
        for drawn in witnesses.block(start // PER_BLOCK, min(PER_BLOCK, number - start), seed):
            young = drawn["age_at_onset"].astype(int) < findings.JUVENILE_BELOW_AGE
            parts = [drawn[group].sample(group.sum(), replace=True, random_state=rng) for group in (young, ~young)]
            mixed = pd.concat(parts).sample(frac=1, random_state=rng).reset_index(drop=True)
            yield mixed.assign(patient_id=[f"T{place:03d}" for place in range(1, len(mixed) + 1)], synthetic="1")


def solved(notebook: nbformat.NotebookNode, file: Path) -> list[tuple]:
    """Return each exercise of a notebook with its solution and mistakes on the patients of a file.

    Runs the imports and the cells tagged ``solution``, each of which stands alone beyond these and the parameters.
    """
    given, imports, *others = (cell for cell in notebook.cells if cell.cell_type == "code")
    asked, scope = [], {name: parameter.default for name, parameter in parameters.defined(given.source).items()}
    scope |= {parameters.COHORT_PATH: str(file), "answer": None}
    with redirect_stdout(StringIO()):
        exec(imports.source, scope)
        scope["check"] = lambda name, answer, solution, mistakes: asked.append((name, solution, mistakes))
        for cell in others:
            if "solution" in cell.metadata.get("tags", []):
                exec(cell.source, scope)
    return asked


def exercise_notebook(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a notebook for trainees: on their own cohort, without outputs, its solutions replaced by a check.

    The source of a cell that is replaced is one text; all others are lists of lines, as they stand in files.
    """
    made = split_lines(deepcopy(notebook))
    for cell, source in zip(made.cells, (cell.source for cell in notebook.cells), strict=True):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            tags = cell.metadata.get("tags", [])
            if "solution" in tags:
                (exercise,) = exercises.checked(ast.parse(source))
                cell.source, cell.metadata = f'check("{exercise}", answer)', {"tags": ["check"]}
            elif "parameters" in tags:
                cell.source = with_own(source)
    return made


def with_own(source: str) -> str:
    """Put a trainee's own values in place of the defaults in a parameters cell; its comments stay.

    >>> with_own('cohort_path: str = "data/cohort.csv"  # the patients')
    'cohort_path: str = "cohort.csv"  # the patients'
    """
    lines = source.encode().splitlines(keepends=True)
    for name, parameter in parameters.defined(source).items():
        if name in OWN:
            line, first, last = parameter.place
            value = json.dumps(OWN[name])  # of a text or a whole number, as Python writes it
            lines[line] = lines[line][:first] + value.encode() + lines[line][last:]
    return b"".join(lines).decode()


def read_key(folder: Path) -> pd.DataFrame:
    """Return the key of a class as text, one row per exercise.

    Columns ``trainee,notebook,exercise,answer,decimals,mistakes``; mistakes are a JSON object of answers by name.
    """
    key = pd.read_csv(folder / INSTRUCTOR / KEY, dtype=str, keep_default_na=False)
    return key.reindex(columns=KEYS, fill_value="{}")  # a class made before mistakes were kept has none
