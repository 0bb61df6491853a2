"""Commands for teaching: make a class, grade it."""

from typing import Annotated

from typer import Argument, Option

from nxp2lib import wording
from nxp2lib.cli import terminal


def teach(
    trainees: Annotated[str, Option(metavar="LIST.csv", help="Names, one per row, under the header trainee.")],
    out: Annotated[str, Option(metavar="DIR", help="New folder of the class.")] = "class",
    seed: Annotated[int | None, Option(metavar="N", min=0, help="Draw the same cohorts again.")] = None,
) -> None:
    """Make exercises and cohorts for trainees."""
    from nxp2lib.teach import trainees as maker

    with terminal.told(f"{out}: the class cannot be written", ValueError, FileNotFoundError):
        listed = maker.names(trainees)
        number = wording.count(len(listed), "trainee")
        with terminal.waiting(f"Making notebooks and cohorts for {number} ..."):
            folder = maker.write(out, listed, seed)
    terminal.tell(f"{number}: {folder / maker.TRAINEES}, one folder each")
    terminal.tell(f"Keys: {folder / maker.INSTRUCTOR}, to be kept from trainees")


def grade(
    folder: Annotated[str, Argument(metavar="DIR", help="Folder of the class, with returned notebooks.")],
    jobs: Annotated[int, Option(metavar="N", min=1, help="Notebooks at the same time.")] = 2,
    timeout: Annotated[float, Option(metavar="SECONDS", min=1, help="Longest time of a notebook.")] = 120,
    memory: Annotated[int, Option(metavar="MB", min=4096, help="Most memory of a notebook.")] = 8192,
    container: Annotated[str, Option(metavar="ENGINE IMAGE", help="Isolate with a container, not Bubblewrap.")] = "",
    unprotected: Annotated[bool, Option("--unprotected", help="Isolate nothing: trust every notebook.")] = False,
) -> None:
    """Grade the notebooks that trainees return."""
    from nxp2lib.teach import grade as grader

    waiting = terminal.waiting("Executing the returned notebooks ...")
    with terminal.told(f"{folder}: cannot be graded", ValueError), waiting:
        graded = grader.write(folder, jobs, timeout, memory, container, unprotected)
    totals = graded.groupby("trainee", sort=False)[["points", "of"]].sum()
    terminal.say_table(("trainee", "points", "of"), [(name, *map(str, row)) for name, row in totals.iterrows()])
    terminal.tell(f"Reasons: {folder}/instructor/{grader.GRADES}")
    terminal.tell(f"To hand out: {folder}/{grader.FEEDBACK}, one page each")
