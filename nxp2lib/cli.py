"""The command line ``nxp2``: run the notebooks, validate a cohort file, audit printed numbers, reconstruct patients.

Exit status: 0 all is well; 1 a notebook failed or a file has problems; 2 what is asked for cannot be done; 130 stopped.
Whatever takes long to import is imported inside the commands, so that ``--help`` answers at once.
"""

import os
import signal
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

import nxp2lib
from nxp2lib import paths

app = typer.Typer(
    help="Re-execute the analysis of anti-NXP2 antibody-positive myositis, on its own cohort or on yours.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # it would print patients' data
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop as cleanly as after Ctrl-C
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # letters that an old terminal cannot show
    app(prog_name="nxp2")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nxp2 {nxp2lib.__version__}")
        raise typer.Exit


@app.callback()
def _general(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command(epilog="Example: nxp2 run --data my_patients.xlsx -p juvenile_below_age=16")
def run(
    notebook: Annotated[
        list[str] | None,
        typer.Argument(metavar="NOTEBOOK", help="Name or number, such as 02. Not given: all notebooks."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help="Your cohort (.xlsx or .csv). Not given: the reconstructed one.")
    ] = None,
    out: Annotated[str | None, typer.Option(metavar="DIR", help="Folder for the results. Not given: outputs.")] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME=VALUE", help="Change a setting, such as confidence=0.9; may be repeated."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Notebooks run at the same time. Not given: one per core.")
    ] = None,
    folder: Annotated[Path, typer.Option("--notebooks", hidden=True)] = paths.NOTEBOOKS,
) -> None:
    """Execute the notebooks and save their results."""
    from nxp2lib import run as runner

    given = dict(_pair(text) for text in parameter or [])
    try:
        plan = runner.plan(notebook or (), data, out, given, jobs, folder)
        outcomes = _watch(plan)
        runner.write_manifest(plan, outcomes)
    except runner.RunError as error:
        raise _end(str(error)) from None
    except OSError as error:
        raise _end(f"{plan.output}: the run could not be recorded ({error.strerror or error})", 1) from None
    except KeyboardInterrupt:
        raise _end("Stopped: notebooks that had finished are saved, the others left nothing.", 130) from None
    raise typer.Exit(int(any(outcome.error for outcome in outcomes)))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise _end(f"-p {text}: a setting is given as NAME=VALUE, such as -p confidence=0.9")
    return name.strip(), value.strip()


def _end(message: str, status: int = 2) -> typer.Exit:
    """Print why the command ends; raise what is returned."""
    typer.echo(_printable(message), err=True)
    return typer.Exit(status)


def _printable(text: str) -> str:
    """Spell out characters that would move a terminal's cursor or hide text, but for line ends."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def _watch(plan) -> list:
    """Execute a plan, with a progress bar on a terminal and one line per notebook anywhere; return the outcomes."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from nxp2lib import run as runner

    console, outcomes, since = Console(), [], time.perf_counter()
    cells = {notebook.name: notebook.cells for notebook in plan.notebooks}
    behind = {}
    columns = [BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)]
    with (
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
        closing(runner.execute(plan)) as messages,
    ):
        task = bar.add_task("", total=sum(cells.values()))
        for message in messages:
            ended = isinstance(message, runner.Outcome)
            behind[message.name] = cells[message.name] if ended else message.cells
            if ended:
                outcomes.append(message)
                _say_outcome(console, message, plan)
            running = behind.keys() - {outcome.name for outcome in outcomes}
            bar.update(task, completed=sum(behind.values()), description=_printable(", ".join(sorted(running))))
    _say_summary(console, plan, outcomes, time.perf_counter() - since)
    return outcomes


def _say(console, text: str, style: str = "") -> None:
    from rich.text import Text

    console.print(Text(_printable(text), style=style), soft_wrap=True)


def _say_outcome(console, outcome, plan) -> None:
    width = max(len(notebook.name) for notebook in plan.notebooks)
    _say(console, f"{outcome.name:<{width}}  {outcome.status:<6} {outcome.seconds:6.1f} s", "red" * bool(outcome.error))
    if outcome.error:
        _say(console, f"    {outcome.error}")
        _say(console, f"    see {plan.output / 'notebooks' / outcome.name}.ipynb")


def _say_summary(console, plan, outcomes: list, seconds: float) -> None:
    failed = sum(bool(outcome.error) for outcome in outcomes)
    counts = f"{_count(len(outcomes), 'notebook')}: {len(outcomes) - failed} ok, {failed} failed"
    together = sum(outcome.seconds for outcome in outcomes)
    times = f"{seconds:.1f} s (one after another: {together:.1f} s)"
    _say(console, f"{_count(plan.patients, 'patient')}; {counts}; {times}")
    _say(console, f"Results: {plan.output}")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


@app.command(epilog="Example: nxp2 validate my_patients.xlsx")
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
        raise _end(str(error)) from None
    if as_json:
        import json

        listed = [problem.as_dict() for problem in problems]
        typer.echo(json.dumps({"file": file, "patients": patients, "problems": listed}, indent=2))
    elif problems:
        _say_problems(file, problems)
    else:
        lacking = f"; not in the file: {', '.join(absent)}" if absent else ""
        typer.echo(_printable(f"{file}: {_count(patients, 'patient')}, no problems{lacking}"))
    raise typer.Exit(int(bool(problems)))


def _say_problems(file: str, problems: list) -> None:
    """Print every problem in full."""
    rows = [(str(p.row or ""), p.column, p.value, p.accepted) for p in problems]
    _say_table(("row", "column", "value", "accepted"), rows)
    typer.echo(_printable(f"{file}: {_count(len(problems), 'problem')}"))


def _say_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print rows: as a table on a terminal, as aligned lines elsewhere."""
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows, console = [tuple(map(_printable, row)) for row in rows], Console()
    if console.is_terminal:
        table = Table(box=box.SIMPLE_HEAD)
        for name in header:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)
    else:
        widths = [max(map(cell_len, cells)) for cells in zip(header, *rows, strict=True)]
        for row in [header, *rows]:
            padded = [cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
            typer.echo("  ".join(padded).rstrip())


@app.command(epilog="Example: nxp2 audit --ledger another_paper.csv --out verdicts.csv")
def audit(
    ledger: Annotated[
        str | None, typer.Option(metavar="FILE", help="Another paper's two-group table (.csv). Not given: this paper.")
    ] = None,
    out: Annotated[str | None, typer.Option(metavar="FILE", help="Save every verdict with its reason (.csv).")] = None,
) -> None:
    """Check printed numbers against each other."""
    from nxp2lib.ledger import LedgerError

    try:
        _audit_paper(out) if ledger is None else _audit_ledger(ledger, out)
    except LedgerError as error:
        raise _end(str(error)) from None


def _audit_paper(out: str | None) -> None:
    from nxp2lib import audit as auditor
    from nxp2lib import verdicts

    since, target = time.perf_counter(), _free(out)
    with _waiting("Checking the paper's numbers ..."):
        judged = auditor.paper()
    if target:
        _write(target, lambda partial: judged.to_csv(partial, index=False, lineterminator="\n", encoding="utf-8"))
    counts = judged["verdict"].value_counts().reindex(verdicts.VERDICTS, fill_value=0)
    for verdict in (verdicts.INCONSISTENT, verdicts.UNDETERMINED, verdicts.OTHER_CONVENTION):
        shown = judged[judged["verdict"] == verdict]
        typer.echo(f"\n{verdict}")
        _say_table(("number", "printed", "reason"), list(shown[["id", "printed", "reason"]].itertuples(index=False)))
    typer.echo("\ncannot all be true (drop any one of a line, and its others can)")
    for proof in auditor.proofs(judged):
        typer.echo(f"- {proof}")
    typer.echo("\n" + "; ".join(f"{n} {verdict}" for verdict, n in counts.items()))
    bound = f"{counts.sum()} of {len(judged)} printed numbers bound to a verdict"
    typer.echo(f"{bound}, {counts[verdicts.EXTERNAL]} of them external, in {time.perf_counter() - since:.1f} s")
    if target:
        typer.echo(_printable(f"Wrote {target}"))


def _audit_ledger(ledger: str, out: str | None) -> None:
    from nxp2lib import ledger as other_paper

    target = _free(out)
    printed = other_paper.read(ledger)
    if target and target.exists() and target.samefile(paths.find(ledger)):
        raise _end(f"--out {out}: this would overwrite the ledger")
    with _waiting(f"Checking {_count(len(printed), 'row')} ..."):
        judged = other_paper.audit(printed)
    if target:
        _write(target, lambda partial: other_paper.write(judged, printed, partial))
    shown = judged.assign(file_row=judged.index.astype(str))[["file_row", "row", "p_printed", "verdict", "reason"]]
    shown[["row", "p_printed"]] = shown[["row", "p_printed"]].map(lambda text: text[:40] + "…" * (len(text) > 40))
    _say_table(("file row", "row", "P", "verdict", "reason"), list(shown.itertuples(index=False)))
    counts = judged["verdict"].value_counts()
    typer.echo(f"{_count(len(judged), 'row')}: " + ", ".join(f"{n} {verdict}" for verdict, n in counts.items()))
    if target:
        typer.echo(_printable(f"Wrote {target}"))


def _waiting(text: str):
    """Show on a terminal that work goes on."""
    from rich.console import Console

    return Console(stderr=True).status(text)


def _write(target: Path, write) -> None:
    """Write a file whole or not at all, or end the command."""
    try:
        with paths.replacing(target) as partial:
            write(partial)
    except OSError as error:
        raise _end(f"{target}: the file cannot be written ({error.strerror or error})") from None


def _free(out: str | None) -> Path | None:
    """Return where a CSV file is to be written, None for nowhere; end the command for a name that cannot be."""
    if out is None:
        return None
    target = paths.expanded(out).absolute()
    if target.suffix.lower() != ".csv":
        raise _end(f"--out {out}: accepted is the name of a .csv file")
    if target.is_dir():
        raise _end(f"--out {out}: this is a folder; accepted is the name of a .csv file")
    return target


@app.command(epilog="Example: nxp2 reconstruct --seed 2 --out another_cohort")
def reconstruct(
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Each number gives other patients. Not given: those in data.")
    ] = None,
    out: Annotated[str | None, typer.Option(metavar="DIR", help="Folder for the files. Not given: data.")] = None,
    count: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Write so many different cohorts, and a Parquet file of all, to --out."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes for --count. Not given: one per core.")
    ] = None,
) -> None:
    """Write synthetic patients behind the tables."""
    from nxp2lib import reconstruct as builder
    from nxp2lib.constraints import Infeasible, NotReached

    since = time.perf_counter()
    if count is not None and out is None:
        raise _end("--count needs --out DIR, a folder for the cohorts")
    folder = paths.expanded(out).absolute() if out else paths.DATA
    seed = builder.SEED if seed is None else seed
    try:
        if count is None:
            said = f"Wrote {' and '.join(map(str, builder.write(seed, folder)))}"
        else:
            said = _write_cohorts(count, seed, folder, jobs or os.cpu_count() or 1)
    except (Infeasible, NotReached) as error:
        raise _end(str(error), 1) from None
    except OSError as error:
        raise _end(f"{folder}: files cannot be written there ({error.strerror or error})") from None
    typer.echo(_printable(f"{said} in {time.perf_counter() - since:.1f} s"))


def _write_cohorts(count: int, seed: int, folder: Path, jobs: int) -> str:
    """Write many cohorts, with a progress bar on a terminal; return what was written."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    from nxp2lib import archive

    console = Console()
    columns = [BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    try:
        with (
            Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
            closing(archive.write(count, seed, folder, jobs)) as progress,
        ):
            task = bar.add_task("", total=count)
            for ready in progress:
                bar.update(task, completed=ready)
    except archive.Occupied as error:
        raise _end(str(error)) from None
    except RuntimeError as error:  # NotReached, a cohort that breaks a fact, a process that was killed
        raise _end(str(error), 1) from None
    except KeyboardInterrupt:
        raise _end("Stopped: finished cohorts are kept; run the same command to continue.", 130) from None
    checked = f"each checked against {len(archive.about_patients())} printed numbers"
    return f"Wrote {_count(count, 'synthetic cohort')} to {folder}, {checked},"


@app.command(epilog='Example: nxp2 bounds "distal_weakness & ~malignancy" --out witnesses')
def bounds(
    question: Annotated[
        str | None,
        typer.Argument(metavar="QUESTION", help="Names joined by &, ~ for not. Not given: a table of questions."),
    ] = None,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Write synthetic patients for each end of the bounds there.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Each number gives other patients.")] = None,
) -> None:
    """Say how many patients can be what the paper does not print."""
    from nxp2lib import bounds as limits
    from nxp2lib import reconstruct as builder
    from nxp2lib.constraints import NotReached

    if question is None:
        rows = [(row.question, str(row.least), str(row.greatest)) for row in limits.crosses().itertuples()]
        _say_table(("question", "least", "greatest"), rows)
        return
    try:
        least, greatest = limits.count(question)
        said = f"{question}: {least} to {greatest} patients, over all cohorts that keep the printed numbers"
        typer.echo(_printable(said))
        for end in ("least", "greatest") if out else ():
            target = paths.expanded(out).absolute() / f"synthetic_{end}.csv"
            patients = limits.witness(question, end, builder.SEED if seed is None else seed)
            builder.save(patients, target)
            typer.echo(_printable(f"Wrote {target}"))
    except ValueError as error:
        raise _end(str(error)) from None
    except NotReached as error:
        raise _end(str(error), 1) from None
    except OSError as error:
        raise _end(f"{out}: files cannot be written there ({error.strerror or error})") from None
