"""Write what may leave a centre: aggregates of a finished run, without small counts and what would reveal them."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from nxp2lib import __version__, dictionary, findings
from nxp2lib.release import disclosure, outgoing, releases, verify
from nxp2lib.release.model import Exposed, Key, Shown
from nxp2lib.release.outgoing import ExportError
from nxp2lib.run import record
from nxp2lib.wording import count

OTHERS = ("an earlier export was of other patients, answers or settings, and whoever has both could subtract one from "
          "the other; nothing is written. For patients whom no earlier export was about, --releases FILE names another "
          "list")  # fmt: skip


class Report(NamedTuple):
    """What an export shows and hides: counts of blocks.

    ``earlier`` is the minimum of the first export of these patients, None where no list of exports is known;
    ``left_out`` the numbers of which no proof was found that they tell little enough; ``own`` a centre's own
    columns, which stay inside.
    """

    folder: Path
    minimum: int
    shown: int
    small: int
    further: int
    earlier: int | None
    left_out: list[str]
    own: list[str]

    def __str__(self) -> str:
        hidden = f"{count(self.small, 'count')} below {self.minimum} hidden, {self.further} more to protect them"
        proof = f"; every hidden count can still differ by {self.minimum} or more" if self.small else ""
        lines = [f"{count(self.shown, 'count')} shown, {hidden}{proof}"]
        if self.left_out:
            lines.append(f"Not all of these could be shown: {', '.join(map(dictionary.label, self.left_out))}")
        if self.own:
            lines.append(f"Your own columns stay inside: {', '.join(self.own)}")
        if self.earlier is None:
            lines.append("No list of earlier exports is known: what they and this one tell together is not protected")
        elif self.earlier < self.minimum:
            lines.append(f"An earlier export shows all of this and more, with a minimum of {self.earlier}")
        return "\n".join([*lines, f"Wrote {self.folder}"])


def write(run: str | Path, minimum: int = 8, listed: str | Path | None = None) -> Report:
    """Write the folder ``export`` into the folder of a finished run, whole or not at all.

    ``minimum`` is the least count that is shown, 2 or more. ``listed`` is the list of earlier exports, to which this
    one is added; None: beside the run's cohort. What the first of them did not show, this one does not show either.
    Before the folder appears, it is read back and verified. Raises ExportError for an unfinished run, an exposed count,
    or where an earlier export was of other patients, answers or settings.
    """
    if minimum < 2:
        raise ExportError(f"a minimum of {minimum} hides nothing; accepted: 2 or more")
    run = Path(run)
    results, own = outgoing.read(run / "results"), outgoing.own(run / "results")
    parameters = {"minimum": minimum, **settings(run)}
    ledger = Path(listed) if listed else releases.beside(run)
    everything = outgoing.seen(results, parameters["juvenile_below_age"], minimum)
    if everything.patients < minimum:
        raise ExportError(f"{count(everything.patients, 'patient')}, and the minimum is {minimum}: nothing to show")
    before = releases.read(ledger) if ledger else []
    now, small, further = _protected(*_limited(everything, parameters, before), minimum)
    target, partial = run / verify.FOLDER, run / f".{verify.FOLDER}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        for name in outgoing.SOURCES:
            released = outgoing.masked(results[name], name, now, small | further)
            released.to_csv(partial / f"{name}.csv", index=False, lineterminator="\n")
        shown = outgoing.seen(outgoing.read(partial), now.age_limit, minimum)
        _prove(partial, shown, small | further, minimum)
        outgoing.write_pages(partial, minimum)
        said = {"nxp2lib": __version__, "parameters": parameters, "patients": now.patients}
        said["sha256"] = {path.name: record.checksum(path) for path in sorted(partial.iterdir())}
        verify.write_said(partial, said)
        verify.check(partial)
        if ledger:
            releases.add(ledger, said, shown)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    earlier = before[0]["parameters"]["minimum"] if before else minimum
    left_out = sorted({row for row, *_ in everything.numbers.keys() - now.numbers.keys()})
    counts = (len(shown.blocks), len(small), len(further))
    return Report(target, minimum, *counts, earlier if ledger else None, left_out, own)


def settings(run: Path) -> dict[str, Any]:
    """Return the settings that the results of a run rest on.

    Raises ExportError where the notebooks ran with different ones, or the results have changed since.
    """
    found: dict[str, Any] = {}
    for name, entry in record.earlier(run).get("notebooks", {}).items():
        if not {f"results/{source}.csv" for source in outgoing.SOURCES} & entry.get("left", {}).keys():
            continue
        if not record.still_there(entry, run):
            raise ExportError(f"{run}: not as {name} left it; run the notebooks again")
        for parameter, value in entry["parameters"].items():
            if parameter in outgoing.SETTINGS and found.setdefault(parameter, value) != value:
                raise ExportError(f"{run}: {parameter} is {found[parameter]} in some notebooks and {value} in {name}; "
                                  "run all notebooks with the same")  # fmt: skip
    return outgoing.SETTINGS | found


def _limited(everything: Shown, parameters: dict, before: list[dict[str, Any]]) -> tuple[Shown, set[Key]]:
    """Return what may be shown beside earlier exports, and the blocks to hide since the first of them did.

    All later ones show a part of what the first shows. Raises ExportError where that shows anything else than this one
    would, or has a greater minimum.
    """
    if not before:
        return everything, set()
    first, shown = before[0], releases.shown_by(before[0])
    if (least := first["parameters"]["minimum"]) > parameters["minimum"]:
        raise ExportError(f"an earlier export of these patients had a minimum of {least}; accepted: {least} or more")
    alike = first["parameters"] | {"minimum": parameters["minimum"]} == parameters
    alike &= shown.blocks.items() <= everything.blocks.items() and shown.patients == everything.patients
    both = everything.numbers.keys() & shown.numbers.keys()
    if not alike or any(everything.numbers[place] != shown.numbers[place] for place in both):
        raise ExportError(OTHERS)
    numbers = _whole({place: everything.numbers[place] for place in both})
    return replace(everything, numbers=numbers), everything.blocks.keys() - shown.blocks.keys()


def _protected(everything: Shown, kept: set[Key], minimum: int) -> tuple[Shown, set[Key], set[Key]]:
    """Return what can be shown of everything, and the blocks to hide, small ones and others.

    Means and quartiles of which nobody can prove that they tell little enough are left out.
    """
    now = everything
    while True:
        try:
            return now, *disclosure.protect(now, minimum, kept)
        except disclosure.Unproved as error:
            if not now.numbers:
                raise ExportError(disclosure.FAULT) from None
            now = replace(now, numbers=_fewer(now.numbers, str(error)))
        except Exposed as error:
            raise ExportError(str(error)) from None


def _fewer(numbers: dict, row: str) -> dict:
    """Leave out the quartiles of the groups of a row (nameless: of all), or those of everybody, or medians, or all."""
    at_stake = [place for place in numbers if row in ("", place[0])]
    quartiles = [place for place in at_stake if place[2] in ("q1", "q3")]
    parts = [place for place in quartiles if place[1] != findings.TOTAL]
    medians = [place for place in at_stake if place[2] == "median"]
    out = parts or quartiles or medians or at_stake
    return _whole({place: ends for place, ends in numbers.items() if place not in out})


def _whole(numbers: dict) -> dict:
    """Leave out how many values there are where nothing of them is shown."""
    kept = {place[:2] for place in numbers if place[2] in outgoing.PARTS}
    return {place: ends for place, ends in numbers.items() if place[:2] in kept}


def _prove(folder: Path, shown: Shown, hidden: set[Key], minimum: int) -> None:
    """Write certificates, and what can be counted in them, into the folder of an export."""
    try:
        if hidden & shown.blocks.keys():
            raise Exposed(disclosure.FAULT)
        cohorts = disclosure.certificates(shown, hidden, minimum)
    except Exposed as error:
        raise ExportError(str(error) or disclosure.FAULT) from None
    cohorts.to_csv(folder / verify.COHORTS, index=False, lineterminator="\n")
    verify.write_proof(folder, shown, hidden)
