"""The command that runs the notebooks."""

import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from nxp2lib import paths, wording
from nxp2lib.cli import terminal
from nxp2lib.cli.cohorts import MAP_HELP


def run(
    notebook: Annotated[
        list[str] | None, Argument(metavar="NOTEBOOK", help="Name or number, such as 02. Not given: all notebooks.")
    ] = None,
    data: Annotated[
        str | None,
        Option(metavar="FILE", help="Your cohort (.xlsx, .csv, .parquet). Not given: the reconstructed one."),
    ] = None,
    map_file: Annotated[str | None, Option("--map", metavar="FILE", help=MAP_HELP)] = None,
    out: Annotated[str | None, Option(metavar="DIR", help="Results folder. Not given: the project's outputs.")] = None,
    parameter: Annotated[
        list[str] | None,
        Option("-p", metavar="NAME=VALUE", help="Change a setting, such as confidence=0.9; may be repeated."),
    ] = None,
    jobs: Annotated[
        int | None, Option(metavar="N", min=1, help="Notebooks run at the same time. Not given: one per core.")
    ] = None,
    fresh: Annotated[bool, Option("--fresh", help="Run notebooks again although nothing has changed.")] = False,
    timeout: Annotated[
        float | None, Option(metavar="SECONDS", min=1, help="Stop a notebook after so long. Not given: never.")
    ] = None,
    folder: Annotated[Path, Option("--notebooks", hidden=True)] = paths.NOTEBOOKS,
) -> None:
    """Execute the notebooks and save their results."""
    from nxp2lib import run as runner

    given = {}
    for text in parameter or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise terminal.end(f"-p {text}: a setting is given as NAME=VALUE, such as -p confidence=0.9")
        given[name.strip()] = value.strip()
    stopped = "Stopped: notebooks that had finished are saved, the others left nothing."
    with terminal.told("", runner.RunError, stopped=stopped):
        plan = runner.plan(notebook or (), data, map_file, out, given, jobs, folder, fresh, timeout)
    with terminal.told(f"{plan.output}: the run could not be recorded", runner.RunError, status=1, stopped=stopped):
        outcomes = _watch(plan)
        runner.write_manifest(plan, outcomes)
    raise typer.Exit(int(any(outcome.error for outcome in outcomes)))


def _watch(plan) -> list:
    """Execute a plan, with a progress bar on a terminal and one line per notebook anywhere; return the outcomes."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from nxp2lib import run as runner

    console, outcomes, behind, since = Console(), [], {}, time.perf_counter()
    cells = {notebook.name: notebook.cells for notebook in plan.notebooks}
    columns = [BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)]
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with bar, closing(runner.execute(plan)) as messages:
        task = bar.add_task("", total=sum(cells.values()))
        for message in messages:
            ended = isinstance(message, runner.Outcome)
            behind[message.name] = cells[message.name] if ended else message.cells
            if ended:
                outcomes.append(message)
                _say_outcome(console, message, plan)
            running = behind.keys() - {outcome.name for outcome in outcomes}
            bar.update(task, completed=sum(behind.values()), description=terminal.printable(", ".join(sorted(running))))
    _say_summary(plan, outcomes, time.perf_counter() - since)
    return outcomes


def _say_outcome(console, outcome, plan) -> None:
    from rich.text import Text

    width = max(len(notebook.name) for notebook in plan.notebooks)
    line = f"{outcome.name:<{width}}  {outcome.status:<9} {outcome.seconds:6.1f} s"
    more = f"\n    {outcome.error}\n    see {plan.output / 'notebooks' / outcome.name}.ipynb" if outcome.error else ""
    said = Text.assemble((terminal.printable(line), "red" * bool(more)), terminal.printable(more))
    console.print(said, soft_wrap=True)


def _say_summary(plan, outcomes: list, seconds: float) -> None:
    failed = sum(bool(outcome.error) for outcome in outcomes)
    counts = f"{wording.count(len(outcomes), 'notebook')}: {len(outcomes) - failed} ok, {failed} failed"
    unchanged = sum(outcome.unchanged for outcome in outcomes)
    counts += f" ({unchanged} unchanged, not run again; --fresh runs all)" if unchanged else ""
    times = f"{seconds:.1f} s (one after another: {sum(outcome.seconds for outcome in outcomes):.1f} s)"
    terminal.tell(f"{wording.count(plan.patients, 'patient')}; {counts}; {times}")
    terminal.tell(f"Results: {plan.output}")
