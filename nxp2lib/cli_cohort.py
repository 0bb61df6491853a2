"""The commands about your own patients: validate a cohort file."""

from typing import Annotated

import typer

from nxp2lib import terminal


def validate(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A cohort, one patient per row (.xlsx or .csv).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for other programs.")] = False,
) -> None:
    """List every problem in a cohort file."""
    from nxp2lib import cohort, dictionary
    from nxp2lib import run as runner

    patients, absent = None, []
    try:
        raw = cohort.read(runner.locate(file))
        patients, problems = len(raw), cohort.problems(raw)
        absent = [name for name in dictionary.stored() if name not in raw.columns]
    except cohort.CohortError as error:
        problems = error.problems
    except runner.RunError as error:
        raise terminal.end(str(error)) from None
    if as_json:
        import json

        listed = [problem.as_dict() for problem in problems]
        typer.echo(json.dumps({"file": file, "patients": patients, "problems": listed}, indent=2))
    elif problems:
        _say_problems(file, problems)
    else:
        lacking = f"; not in the file: {', '.join(absent)}" if absent else ""
        typer.echo(terminal.printable(f"{file}: {terminal.count(patients, 'patient')}, no problems{lacking}"))
    raise typer.Exit(int(bool(problems)))


def _say_problems(file: str, problems: list) -> None:
    """Print every problem in full."""
    rows = [(str(p.row or ""), p.column, p.value, p.accepted) for p in problems]
    terminal.say_table(("row", "column", "value", "accepted"), rows)
    typer.echo(terminal.printable(f"{file}: {terminal.count(len(problems), 'problem')}"))
