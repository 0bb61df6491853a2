"""The commands about the paper: audit its numbers, reconstruct patients behind them, bound what is not printed."""

import os
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from nxp2lib import paths, wording
from nxp2lib.cli import terminal


def audit(
    ledger: Annotated[
        str | None, Option(metavar="FILE", help="Another paper's two-group table (.csv). Not given: this paper.")
    ] = None,
    out: Annotated[str | None, Option(metavar="FILE", help="Save every verdict with its reason (.csv).")] = None,
    html: Annotated[str | None, Option(metavar="FILE", help="Save a page about another paper's table (.html).")] = None,
) -> None:
    """Check printed numbers against each other."""
    from nxp2lib.audit.ledger import LedgerError

    target = None if out is None else terminal.output(out, ".csv", option="--out ")
    page = None if html is None else terminal.output(html, ".html", option="--html ")
    if page and ledger is None:
        raise terminal.end("--html needs --ledger FILE: this paper has its pages in the book")
    with terminal.told("", LedgerError):
        _audit_paper(target) if ledger is None else _audit_ledger(ledger, target, page)
    for file in filter(None, (target, page)):
        terminal.tell(f"Wrote {file}")


def _audit_paper(target: Path | None) -> None:
    from nxp2lib import published
    from nxp2lib.audit import paper, verdicts

    typer.echo(f"Of the {published.EDITION}.")
    since = time.perf_counter()
    with terminal.waiting("Checking the paper's numbers ..."):
        judged = paper.judge()
    terminal.write(target, lambda partial: judged.to_csv(partial, index=False, lineterminator="\n"))
    counts = judged["verdict"].value_counts().reindex(verdicts.VERDICTS, fill_value=0)
    for verdict in (verdicts.INCONSISTENT, verdicts.UNDETERMINED, verdicts.OTHER_CONVENTION):
        shown = judged.loc[judged["verdict"] == verdict, ["id", "printed", "reason"]]
        typer.echo(f"\n{verdict}")
        terminal.say_table(("number", "printed", "reason"), shown.itertuples(index=False))
    typer.echo("\ncannot all be true (drop any one of a line, and its others can)")
    for proof in paper.proofs(judged):
        typer.echo(f"- {proof}")
    typer.echo("\n" + "; ".join(f"{n} {verdict}" for verdict, n in counts.items()))
    bound = f"{counts.sum()} of {len(judged)} printed numbers bound to a verdict"
    typer.echo(f"{bound}, {counts[verdicts.EXTERNAL]} of them external, in {time.perf_counter() - since:.1f} s")


def _audit_ledger(ledger: str, target: Path | None, page: Path | None) -> None:
    from nxp2lib.audit import ledger as other_paper
    from nxp2lib.audit import whole
    from nxp2lib.report import letter

    printed, place = other_paper.read(ledger), paths.expanded(ledger)
    for option, file in (("--out", target), ("--html", page)):
        if file and file.exists() and file.samefile(place):
            raise terminal.end(f"{option} {file.name}: this would overwrite the ledger")
    with terminal.waiting(f"Checking {wording.count(len(printed), 'row')} ..."):
        judged = other_paper.audit(printed)
    terminal.write(target, lambda partial: other_paper.write(judged, printed, partial))
    terminal.write(page, lambda partial: letter.write(printed, judged, whole.explain(printed), place.name, partial))
    shown = judged.assign(file_row=judged.index.astype(str))[["file_row", "row", "p_printed", "verdict", "reason"]]
    shown[["row", "p_printed"]] = shown[["row", "p_printed"]].map(lambda text: text[:40] + "…" * (len(text) > 40))
    terminal.say_table(("file row", "row", "P", "verdict", "reason"), shown.itertuples(index=False))
    counts = judged["verdict"].value_counts()
    typer.echo(f"{wording.count(len(judged), 'row')}: " + ", ".join(f"{n} {verdict}" for verdict, n in counts.items()))
    if said := letter.predicted(judged):
        typer.echo(said)


def reconstruct(
    seed: Annotated[
        int | None, Option(metavar="N", min=0, help="Each number gives other patients. Not given: those in data.")
    ] = None,
    out: Annotated[str | None, Option(metavar="DIR", help="Folder for the files. Not given: data.")] = None,
    count: Annotated[
        int | None,
        Option(metavar="N", min=1, help="Write so many different cohorts, and a Parquet file of all, to --out."),
    ] = None,
    jobs: Annotated[
        int | None, Option(metavar="N", min=1, help="Processes for --count. Not given: one per core.")
    ] = None,
) -> None:
    """Write synthetic patients behind the tables."""
    from nxp2lib.reconstruction import Infeasible, archive
    from nxp2lib.reconstruction import reconstruct as builder

    since = time.perf_counter()
    if out is None and (count, seed) != (None, None):
        raise terminal.end(f"{'--seed' if count is None else '--count'} needs --out DIR, a folder for the cohorts")
    folder = paths.DATA if out is None else terminal.output(out, option="--out ")
    seed = builder.SEED if seed is None else seed
    failed = (Infeasible, RuntimeError)  # NotReached, a cohort that breaks a fact, a process that was killed
    stopped = "Stopped: finished cohorts are kept; run the same command to continue." if count else ""
    with terminal.told(f"{folder}: files cannot be written there", archive.Occupied, failed=failed, stopped=stopped):
        if count is None:
            said = " and ".join(map(str, builder.write(seed, folder)))
        else:
            _write_cohorts(count, seed, folder, jobs or os.cpu_count() or 1)
            checked = f"each checked against {wording.count(len(archive.about_patients()), 'printed number')}"
            said = f"{wording.count(count, 'synthetic cohort')} to {folder}, {checked},"
    terminal.tell(f"Wrote {said} in {time.perf_counter() - since:.1f} s")


def _write_cohorts(count: int, seed: int, folder: Path, jobs: int) -> None:
    """Write many cohorts, with a progress bar on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    from nxp2lib.reconstruction import archive

    console, columns = Console(), [BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with bar, closing(archive.write(count, seed, folder, jobs)) as progress:
        task = bar.add_task("", total=count)
        for ready in progress:
            bar.update(task, completed=ready)


def bounds(
    question: Annotated[
        str | None, Argument(metavar="QUESTION", help="Names joined by &, ~ for not. Not given: a table of questions.")
    ] = None,
    out: Annotated[
        str | None, Option(metavar="DIR", help="Write synthetic patients for each end of the bounds there.")
    ] = None,
    seed: Annotated[int | None, Option(metavar="N", min=0, help="Each number gives other patients.")] = None,
) -> None:
    """Say how many patients can be what the paper does not print."""
    from nxp2lib.reconstruction import NotReached
    from nxp2lib.reconstruction import bounds as limits
    from nxp2lib.reconstruction import reconstruct as builder

    if question is None:
        rows = [(row.question, str(row.least), str(row.greatest)) for row in limits.crosses().itertuples()]
        terminal.say_table(("question", "least", "greatest"), rows)
        return
    with terminal.told(f"{out}: files cannot be written there", ValueError, failed=(NotReached,)):
        least, greatest = limits.count(question)
        patients = wording.count(greatest, "patient")
        terminal.tell(f"{question}: {least} to {patients}, over all cohorts that keep the printed numbers")
        for end in ("least", "greatest") if out else ():
            target = terminal.output(out, option="--out ") / f"synthetic_{end}.csv"
            builder.save(limits.witness(question, end, builder.SEED if seed is None else seed), target)
            terminal.tell(f"Wrote {target}")


def cache(
    action: Annotated[str | None, Argument(metavar="[clear]", help="Take everything away that is kept there.")] = None,
) -> None:
    """Say where results are kept that follow from the paper alone."""
    from nxp2lib.reconstruction import cache as results

    if action not in (None, "clear"):
        raise terminal.end(f"cache {action}: not accepted; accepted: clear, or nothing")
    if action:
        results.clear()
    kept = [path.stat().st_size for place in results.places() for path in place.rglob("*") if path.is_file()]
    terminal.tell(f"{results.folder()}: {wording.count(len(kept), 'file')}, {sum(kept) / 1e6:.1f} MB")


def book(
    folder: Annotated[str, Argument(metavar="DIR", help="Folder of a finished run.")] = terminal.OUTPUTS,
    out: Annotated[str, Option(metavar="DIR", help="Folder of the book; by default book/ in that of the run.")] = "",
) -> None:
    """Make a book of pages from a finished run."""
    from nxp2lib.report import book as maker

    place, waiting = paths.expanded(folder).absolute(), terminal.waiting("Making the book ...")
    with terminal.told(f"{out or place}: the book cannot be written", ValueError), waiting:
        page = maker.write(place, out)
    terminal.tell(f"Open {page}")
