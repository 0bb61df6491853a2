"""Grade a class: execute what came back, compare its answers with the key, one row of points per exercise."""

import json
import os
from pathlib import Path

import pandas as pd

from nxp2lib import paths
from nxp2lib.report import pages
from nxp2lib.teach import exercises, sandbox, trainees

GRADES, TOTALS, FEEDBACK = "grades.csv", "totals.csv", "feedback"
ANSWERED = "answered"  # how the reason for a wrong answer begins
COLUMNS = ["trainee", "notebook", "exercise", "points", "of", "reason", "mistake"]


def write(
    folder: str | Path,
    jobs: int = 2,
    seconds: float = 120,
    megabytes: int = 8192,
    container: str = "",
    unprotected: bool = False,
) -> pd.DataFrame:
    """Grade every trainee's notebooks of a class, and return one row per trainee and exercise.

    Columns ``trainee,notebook,exercise,points,of,reason,mistake``; the last names the common mistake that the answer
    holds, as in ``hints.yml``, empty where there is none.

    Answers are what the variable ``answer`` holds where an exercise is checked, after the cells above it that it can
    rest on were executed (`nxp2lib.teach.needed`); stored outputs, and the outcome of ``check`` itself, play no part. A
    folder that is a link counts as nothing. ``container`` and ``unprotected`` say what isolates a notebook, as in
    `nxp2lib.teach.sandbox.command`. Writes ``instructor/grades.csv``, ``instructor/totals.csv`` and
    ``feedback/NAME.html`` for each trainee, which holds no answer of the key. Raises TeachError without a class, or
    without isolation.
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
    table = pd.DataFrame(graded, columns=COLUMNS)
    totals = table.groupby("trainee", sort=False)[["points", "of"]].sum().reset_index()
    for name, content in {GRADES: table, TOTALS: totals}.items():
        with paths.replacing(target / trainees.INSTRUCTOR / name) as partial:
            content.to_csv(partial, index=False, lineterminator="\n")
    (target / FEEDBACK).mkdir(exist_ok=True)
    for trainee, rows in table.groupby("trainee", sort=False):
        with paths.replacing(target / FEEDBACK / f"{trainee}.html") as partial:
            partial.write_text(feedback(str(trainee), rows), encoding="utf-8")
    return table


def feedback(trainee: str, graded: pd.DataFrame) -> str:
    """Return the page for one trainee: each exercise with what was answered, and the hint that fits, never the answer.

    ``graded`` holds the trainee's rows as `write` returns them.
    """
    rows: list[tuple] = []
    for notebook, found in graded.groupby("notebook", sort=False):
        rows.append((f"{_plain(str(notebook))}: {found['points'].sum()} of {found['of'].sum()}",))
        numbered = enumerate(found.itertuples(), start=1)
        rows += [(f"Exercise {number}: {_plain(str(row.exercise))}", _said(row)) for number, row in numbered]
    points, of = graded[["points", "of"]].sum()
    return pages.render("teach/templates/feedback.html", trainee=trainee, points=points, of=of, rows=rows)


def _plain(name: str) -> str:
    """Return a name of notebooks and exercises as words.

    >>> _plain("00_start_here"), _plain("share-of-myalgia")
    ('00 start here', 'share of myalgia')
    """
    return name.replace("_", " ").replace("-", " ")


def _said(row) -> str:
    if row.points or not row.reason.startswith(ANSWERED):
        return row.reason
    return f"{row.reason}: not yet. {exercises.HINTS.get(row.mistake, exercises.UNNAMED)}"


def _notebook(target: Path, row) -> Path:
    return target / trainees.TRAINEES / row.trainee / f"{row.notebook}.ipynb"


def _graded(returned: sandbox.Returned | None, row) -> tuple:
    points, mistake = 0, ""
    if returned is None:
        reason = "the notebook is missing"
    elif row.exercise not in returned.answers:
        failed = [f"cell {number}: {said}" for number, said in returned.errors.items()]
        reason = returned.ended or "".join(failed[:1]) or "the exercise is missing"
    elif returned.answers[row.exercise] is None:
        reason = "no answer"
    else:
        decimals = int(row.decimals) if row.decimals else None
        given = exercises.written(returned.answers[row.exercise], decimals, row.answer.startswith("<"))
        points = int(given == row.answer)
        answer, mistakes = returned.answers[row.exercise], json.loads(row.mistakes).items()
        named = [hint for hint, value in mistakes if value == given and exercises.fits(hint, answer, decimals)]
        reason, mistake = ("right", "") if points else (f"{ANSWERED} {given}", "".join(named[:1]))
    return row.trainee, row.notebook, row.exercise, points, 1, reason, mistake
