"""Commands for teaching: make a class, grade it."""

from typing import Annotated

import typer

from nxp2lib.cli import terminal


def teach(
    trainees: Annotated[str, typer.Option(metavar="LIST.csv", help="Names, one per row, under the header trainee.")],
    out: Annotated[str, typer.Option(metavar="DIR", help="New folder of the class.")] = "class",
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Draw the same cohorts again.")] = None,
) -> None:
    """Make exercises and cohorts for trainees."""
    from nxp2lib.teach import trainees as maker

    try:
        listed = maker.names(trainees)
        with terminal.waiting(f"Making notebooks and cohorts for {terminal.count(len(listed), 'trainee')} ..."):
            folder = maker.write(out, listed, seed)
    except (ValueError, FileNotFoundError) as error:
        raise terminal.end(str(error)) from None
    except OSError as error:
        raise terminal.end(f"{out}: the class cannot be written ({error.strerror or error})") from None
    said = f"{terminal.count(len(listed), 'trainee')}: {folder / maker.TRAINEES}, one folder each"
    typer.echo(terminal.printable(f"{said}\nKeys: {folder / maker.INSTRUCTOR}, to be kept from trainees"))


def grade(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder of the class, with returned notebooks.")],
    jobs: Annotated[int, typer.Option(metavar="N", min=1, help="Notebooks at the same time.")] = 2,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=1, help="Longest time of a notebook.")] = 120,
    memory: Annotated[int, typer.Option(metavar="MB", min=4096, help="Most memory of a notebook.")] = 8192,
) -> None:
    """Grade the notebooks that trainees return."""
    from nxp2lib.teach import grade as grader

    try:
        with terminal.waiting("Executing the returned notebooks ..."):
            graded = grader.write(folder, jobs, timeout, memory)
    except ValueError as error:
        raise terminal.end(str(error)) from None
    except OSError as error:
        raise terminal.end(f"{folder}: cannot be graded ({error.strerror or error})") from None
    totals = graded.groupby("trainee", sort=False)[["points", "of"]].sum()
    terminal.say_table(("trainee", "points", "of"), [(name, *map(str, row)) for name, row in totals.iterrows()])
    typer.echo(terminal.printable(f"Reasons: {folder}/instructor/{grader.GRADES}"))
