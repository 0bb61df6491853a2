"""The command line ``nxp2``: all commands, and what they have in common.

Exit status: 0 all is well; 1 a notebook failed or a file has problems; 2 what is asked for cannot be done; 130 stopped.
Whatever takes long to import is imported inside the commands, so that ``--help`` answers at once.
"""

import signal
import sys
from typing import Annotated

import typer
from typer import Option

import nxp2lib
from nxp2lib.cli import classes, cohorts, papers, runs, terminal

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
    # The grammar of international addresses, which jsonschema would compile for a second: no notebook has any.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # letters that an old terminal cannot show
            stream.write, stream.flush = map(terminal.taken(stream), (stream.write, stream.flush))
    app(prog_name="nxp2")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nxp2 {nxp2lib.__version__}")
        raise typer.Exit


@app.callback()
def _general(
    version: Annotated[
        bool, Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


for command, example in {
    runs.run: "run --data my_patients.xlsx -p juvenile_below_age=16",
    cohorts.template: "template my_patients.xlsx",
    cohorts.validate: "validate my_patients.xlsx --map map.yml --html queries.html",
    cohorts.export: "export my_results --minimum 8",
    papers.book: "book my_results --out my_book",
    classes.teach: "teach --trainees names.csv --out class",
    classes.grade: "grade class",
    papers.audit: "audit --ledger another_paper.csv --out verdicts.csv",
    papers.reconstruct: "reconstruct --seed 2 --out another_cohort",
    papers.bounds: 'bounds "distal_weakness & ~malignancy" --out witnesses',
    papers.cache: "cache clear",
}.items():
    app.command(epilog=f"Example: nxp2 {example}")(command)
