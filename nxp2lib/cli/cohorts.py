"""The commands about your own patients: an empty form, the check of a filled one, and what may leave the centre."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from typer import Argument, Option

from nxp2lib import paths, wording
from nxp2lib.cli import terminal

MAP_HELP = "How your headers and codes are to be read (.yml). Not given: as they stand."


def template(
    file: Annotated[str | None, Argument(metavar="FILE", help="Name of the form (.xlsx or .csv).")] = None,
    redcap: Annotated[str | None, Option(metavar="FILE", help="A data dictionary for REDCap to import (.csv).")] = None,
    map_file: Annotated[
        str | None, Option("--map", metavar="FILE", help="A map whose section add names columns of your own (.yml).")
    ] = None,
) -> None:
    """Write an empty form for your patients."""
    from nxp2lib import dictionary
    from nxp2lib.intake import CohortError, column_map, forms

    if (file is None) == (redcap is None):
        raise terminal.end("template: give one file, such as my_patients.xlsx or --redcap dictionary.csv")
    writers = {".csv": forms.write_redcap} if redcap else {".xlsx": forms.write_workbook, ".csv": forms.write_csv}
    target = terminal.output(redcap or file, *writers, new=True)
    with terminal.told("", CohortError, FileNotFoundError):
        dictionary.add(column_map.read(paths.find(map_file, here=True)).added if map_file else ())
    with terminal.told(f"{target}: the form cannot be written"):
        writers[target.suffix.lower()](target)
    terminal.tell(f"Wrote {target}")


def validate(
    file: Annotated[str, Argument(metavar="FILE", help="A cohort, one patient per row (.xlsx, .csv, .parquet).")],
    map_file: Annotated[str | None, Option("--map", metavar="FILE", help=MAP_HELP)] = None,
    suggest: Annotated[str | None, Option("--suggest-map", metavar="FILE", help="Write a guessed map (.yml).")] = None,
    as_json: Annotated[bool, Option("--json", help="Print the result as JSON, for other programs.")] = False,
    html: Annotated[str | None, Option(metavar="FILE", help="Save the queries as a page (.html).")] = None,
) -> None:
    """List every problem in a cohort file."""
    from nxp2lib import intake
    from nxp2lib import run as runner
    from nxp2lib.intake import suggestion
    from nxp2lib.report import queries

    if suggest is not None and map_file is not None:
        raise terminal.end("--suggest-map: the file alone tells what is guessed; leave out --map")
    target = None if html is None else terminal.output(html, ".html", option="--html ")
    new = None if suggest is None else terminal.output(suggest, ".yml", ".yaml", option="--suggest-map ", new=True)
    with terminal.told("", runner.RunError):
        found = intake.inspect(runner.locate(file), runner.locate(map_file) if map_file else "")
        draft = suggestion.draft(runner.locate(file)) if new and found.columns else None
    terminal.write(draft and new, lambda partial: partial.write_text(draft, encoding="utf-8", newline="\n"))
    terminal.write(target, lambda partial: queries.write(found, partial))
    if as_json:
        said = {key: value for key, value in asdict(found).items() if key != "name"}
        typer.echo(json.dumps({"file": file} | said, indent=2))
    else:
        _say_findings(file, found)
        if target:
            terminal.tell(f"Wrote {target}")
        if draft:
            terminal.tell(f"Wrote {new}; look at each line of it, then check the file with --map {suggest}")
    raise typer.Exit(int(bool(found.problems)))


def _say_findings(file: str, found) -> None:
    """Print how the file was read and how its columns were understood, then every problem and warning in full."""
    if found.columns:
        terminal.tell(f"{file}: {found.read_as}")
    if changed := [column for column in found.columns if column.column != column.header or column.values]:
        rows = [(column.header, column.column or "(not used)", column.how, column.values) for column in changed]
        terminal.say_table(("in the file", "read as", "why", "values"), rows)
    if found.absent:
        typer.echo(f"Not in the file, so unknown for everyone: {', '.join(found.absent)}")
    for title, listed, last in [("Problems", found.problems, "accepted"), ("Warnings", found.warnings, "expected")]:
        if listed:
            rows = [(str(p.row or ""), p.column, p.value, p.accepted) for p in listed]
            typer.echo(f"\n{title}")
            terminal.say_table(("row", "column", "value", last), rows)
            typer.echo("")
    patients = "" if found.patients is None else f"{wording.count(found.patients, 'patient')}, "
    counts = [(len(found.problems), "problem"), (len(found.warnings), "warning")]
    said = [wording.count(number, thing) if number else f"no {thing}s" for number, thing in counts]
    terminal.tell(f"{file}: {patients}{', '.join(said)}")


def export(
    folder: Annotated[str, Argument(metavar="DIR", help="Folder of a finished run.")] = terminal.OUTPUTS,
    minimum: Annotated[int, Option(metavar="N", min=2, help="Counts below this number are hidden.")] = 8,
    listed: Annotated[
        str | None,
        Option("--releases", metavar="FILE", help="List of earlier exports. Without: releases.json beside the cohort."),
    ] = None,
    verify: Annotated[bool, Option("--verify", help="Check an export that has been written, by counting.")] = False,
) -> None:
    """Write tables that may leave your centre."""
    from nxp2lib import release

    place = paths.expanded(folder).absolute()
    with terminal.told(f"{place}: the export cannot be {'read' if verify else 'written'}", ValueError):
        if verify:
            terminal.tell(str(release.verify.check(place)))
            return
        waiting = terminal.waiting("Hiding small counts, and proving that they stay hidden ...")
        with waiting, terminal.without_stray_lines():
            report = release.export.write(place, minimum, listed and paths.expanded(listed).absolute())
    terminal.tell(str(report))
