"""Grade a class: execute what came back, compare its answers with the key, one row of points per exercise."""

import os
from pathlib import Path

import pandas as pd

from nxp2lib import paths
from nxp2lib.teach import exercises, sandbox, trainees

GRADES, TOTALS = "grades.csv", "totals.csv"


def write(
    folder: str | Path,
    jobs: int = 2,
    seconds: float = 120,
    megabytes: int = 8192,
    container: str = "",
    unprotected: bool = False,
) -> pd.DataFrame:
    """Grade every trainee's notebooks of a class, and return ``trainee,notebook,exercise,points,of,reason``.

    Answers are what the variable ``answer`` holds where an exercise is checked, after the cells above it were executed;
    stored outputs, and the outcome of ``check`` itself, play no part. A folder that is a link counts as nothing.
    ``container`` and ``unprotected`` say what isolates a notebook, as in `nxp2lib.teach.sandbox.command`. Writes
    ``instructor/grades.csv`` and ``instructor/totals.csv``. Raises TeachError without a class, or without isolation.
    """
    target = paths.expanded(folder).absolute()
    if not (target / trainees.INSTRUCTOR / trainees.KEY).is_file():
        raise trainees.TeachError(f"{folder}: no class here ({trainees.INSTRUCTOR}/{trainees.KEY} is missing)")
    if os.name != "posix":
        raise trainees.TeachError("grading needs Linux or macOS, where a process can be limited; on Windows use WSL")
    start = sandbox.command(container, unprotected, megabytes)
    if not container and not unprotected:
        sandbox.check_hidden(target)
    key = trainees.read_key(target)
    asked = dict.fromkeys(_notebook(target, row) for row in key.itertuples(index=False))
    returned = [notebook for notebook in asked if os.path.lexists(notebook) and not notebook.parent.is_symlink()]
    found = dict(sandbox.execute(returned, jobs, seconds, megabytes, start))
    graded = [_graded(found.get(_notebook(target, row)), row) for row in key.itertuples(index=False)]
    table = pd.DataFrame(graded, columns=["trainee", "notebook", "exercise", "points", "of", "reason"])
    totals = table.groupby("trainee", sort=False)[["points", "of"]].sum().reset_index()
    for name, content in {GRADES: table, TOTALS: totals}.items():
        with paths.replacing(target / trainees.INSTRUCTOR / name) as partial:
            content.to_csv(partial, index=False, lineterminator="\n")
    return table


def _notebook(target: Path, row) -> Path:
    return target / trainees.TRAINEES / row.trainee / f"{row.notebook}.ipynb"


def _graded(returned: sandbox.Returned | None, row) -> tuple:
    points = 0
    if returned is None:
        reason = "the notebook is missing"
    elif row.exercise not in returned.answers:
        failed = [f"cell {number}: {said}" for number, said in returned.errors.items()]
        reason = returned.ended or "".join(failed[:1]) or "the exercise is missing"
    elif returned.answers[row.exercise] is None:
        reason = "no answer"
    else:
        given = exercises.written(returned.answers[row.exercise], int(row.decimals) if row.decimals else None)
        points = int(given == row.answer)
        reason = "right" if points else f"answered {given}"
    return row.trainee, row.notebook, row.exercise, points, 1, reason
