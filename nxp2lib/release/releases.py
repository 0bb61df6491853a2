"""What exports of the same patients have shown: a list beside the cohort, without anything about a patient."""

import json
import os
from pathlib import Path
from typing import Any

from nxp2lib import findings, paths
from nxp2lib.release.model import Block, Shown
from nxp2lib.run import record

NAME = "releases.json"


class ReleasesError(ValueError):
    """A list of releases that cannot be read or written, said in one sentence."""


def beside(run: Path) -> Path | None:
    """Return where the list of releases belongs: beside the cohort of a run; None where that is not known any more."""
    cohort = record.earlier(run).get("cohort")
    place = Path(os.path.normpath(run / cohort)) if cohort else None
    return place.with_name(NAME) if place and place.is_file() else None


def read(path: Path) -> list[dict[str, Any]]:
    """Return the releases of a list, the earliest first; none where there is no file yet.

    Raises ReleasesError for a file that is not such a list.
    """
    if not path.exists():
        return []
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        for release in found:
            shown, _ = shown_by(release), int(release["parameters"]["minimum"])
            if strange := {row for row, _ in shown.blocks} - findings.names():
                raise ReleasesError(f"{path}: what is not known any more cannot be protected: {', '.join(strange)}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, ReleasesError):
            raise
        raise ReleasesError(f"{path}: this is not a list of releases, as nxp2 export writes it") from None
    return found


def shown_by(release: dict[str, Any]) -> Shown:
    """Return what a release shows."""
    blocks = {(row, group): Block(*counts) for row, group, *counts in release["blocks"]}
    numbers = {(row, group, statistic): (low, high) for row, group, statistic, low, high in release["numbers"]}
    return Shown(float(release["parameters"]["juvenile_below_age"]), int(release["patients"]), blocks, numbers)


def add(path: Path, said: dict[str, Any], shown: Shown) -> None:
    """Add a release to a list, once: ``said`` is what its ``export.json`` says.

    Raises ReleasesError where the file cannot be written.
    """
    release = said | {
        "blocks": [[*key, *block] for key, block in shown.blocks.items()],
        "numbers": [[*place, *ends] for place, ends in shown.numbers.items()],
    }
    before = read(path)
    if release in before:
        return
    try:
        with paths.replacing(path) as partial:
            lines = (json.dumps(one, ensure_ascii=False) for one in [*before, release])
            partial.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    except OSError as error:
        reason = f"{path}: cannot be written ({error.strerror}); --releases FILE names another place"
        raise ReleasesError(reason) from None
