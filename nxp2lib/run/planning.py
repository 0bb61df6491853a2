"""What a run is to do: everything that a user can get wrong is checked before the first notebook starts."""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from nxp2lib import paths
from nxp2lib.run import parameters, record
from nxp2lib.run.parameters import COHORT_PATH, FILE, MAP_PATH, OUTPUT_DIR, Notebook, RunError

OPTIONS = {COHORT_PATH: "--data", MAP_PATH: "--map", OUTPUT_DIR: "--out"}


@dataclass(frozen=True)
class Plan:
    """Everything that a run needs, checked beforehand.

    ``manifest`` holds what can be said of the run beforehand, with the checksum of every input; ``entries`` the same of
    each notebook: its parameters, and a fingerprint of all that it rests on. ``kept`` are the records of notebooks that
    need not run, since nothing has changed, or were not chosen. ``timeout`` is in seconds per notebook.
    """

    notebooks: list[Notebook]
    patients: int
    output: Path
    jobs: int
    started: datetime
    manifest: dict[str, object]
    entries: dict[str, dict]
    kept: dict[str, dict]
    timeout: float | None


def plan(
    names: Iterable[str] = (),
    data: str | Path | None = None,
    map_file: str | Path | None = None,
    out: str | Path | None = None,
    given: dict[str, str] | None = None,
    jobs: int | None = None,
    folder: Path = paths.NOTEBOOKS,
    fresh: bool = False,
    timeout: float | None = None,
) -> Plan:
    """Check what is asked for, load the cohort once, and, when all is well, create the output folder.

    ``names`` are notebooks of ``folder`` (none: all); ``data``, ``map_file`` and ``out`` are the parameters
    ``cohort_path``, ``map_path`` and ``output_dir``; ``given`` maps further parameters to their values as text;
    ``jobs`` is the number of notebooks run at once (None: one per processor core). A notebook of which nothing has
    changed since it last ran into this folder is not run again, unless ``fresh``; one that takes longer than
    ``timeout`` seconds is stopped (None: never). Raises RunError for what is unknown, out of range or not accessible.
    """
    started = datetime.now().astimezone()
    wanted = _wanted(given or {}, {COHORT_PATH: data, MAP_PATH: map_file, OUTPUT_DIR: out})
    notebooks = parameters.settle([parameters.read(path) for path in parameters.choose(names, folder)], wanted)
    patients_file = parameters.locate(wanted.get(COHORT_PATH, paths.COHORT))
    patients = _count_patients(patients_file, wanted.get(MAP_PATH, ""), notebooks)
    passed = [notebook.passed[name] for notebook in notebooks for name in notebook.passed if name.endswith(FILE)]
    shared, versions = record.project(), record.versions()
    called = record.called([patients_file, *map(Path, filter(None, passed)), *(one.path for one in notebooks)])
    checksums = {name: record.checksum(path) for path, name in called.items()} | shared
    output = paths.expanded(wanted.get(OUTPUT_DIR, paths.output_folder("outputs"))).absolute()
    manifest = {
        "started": started.isoformat(timespec="seconds"),
        "finished": None,
        "seconds": 0.0,
        "patients": patients,
        "cohort": record.way(output, patients_file),
        "cohort_sha256": checksums[called[patients_file]],
        "notebooks": {},
        "versions": versions,
        "sha256": checksums,
    }
    earlier = record.earlier(output)
    if earlier and earlier.get("cohort_sha256") != manifest["cohort_sha256"]:
        if len(notebooks) < len(parameters.choose([], folder)):
            said = "holds results of another cohort; run all notebooks, or choose another folder with --out"
            raise RunError(f"{output}: {said}")
        earlier = {}
    entries = {one.name: record.entry(one, called, shared | versions) for one in notebooks}
    _make_writable(output, folder)
    kept = {
        name: entry
        for name, entry in earlier.get("notebooks", {}).items()
        if name not in entries or (not fresh and record.is_unchanged(entry, entries[name], output))
    }
    return Plan(notebooks, patients, output, jobs or os.cpu_count() or 1, started, manifest, entries, kept, timeout)


def _wanted(given: dict[str, str], options: dict[str, object]) -> dict[str, str]:
    """Return all parameters that were asked for, with the text given for each."""
    options = {name: str(value) for name, value in options.items() if value is not None}
    if twice := [name for name in options if name in given]:
        raise RunError(f"{OPTIONS[twice[0]]} and -p {twice[0]} mean the same; give one of them")
    return given | options


def _count_patients(file: Path, map_path: str, notebooks: list[Notebook]) -> int:
    """Load a cohort once, so that what is wrong with it is said before anything runs."""
    from nxp2lib import cohort

    least = [one.values["minimum_group"] for one in notebooks if "minimum_group" in one.values]
    try:
        return len(cohort.load(file, map_path=map_path, minimum_group=cast(int, min(least, default=1))))
    except (OSError, ValueError) as error:
        raise RunError(str(error)) from None


def _make_writable(output: Path, sources: Path) -> None:
    """Create the output folder, or raise RunError where results cannot or must not go there."""
    copies = output / "notebooks"
    if paths.is_own(copies) or copies.resolve().is_relative_to(sources.resolve()):
        raise RunError(f"{output}: results do not go among the project's own files; choose another folder")
    try:
        for name in record.FOLDERS:
            if (output / name).is_symlink():
                raise RunError(f"{output / name}: is a link to another place; remove it, or choose another folder")
        copies.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=copies):
            pass
        if (output / record.MANIFEST).is_dir():
            raise IsADirectoryError(f"{record.MANIFEST} is a folder")
    except OSError as error:
        raise RunError(f"{output}: results cannot be written there ({error.strerror or error})") from None
