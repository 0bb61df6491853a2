"""What a run is to do: everything that a user can get wrong is checked before the first notebook starts."""

import errno
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nxp2lib import paths
from nxp2lib.run import parameters, record
from nxp2lib.run.parameters import COHORT_PATH, FILE, MAP_PATH, OUTPUT_DIR, Notebook, RunError

OPTIONS = {COHORT_PATH: "--data", MAP_PATH: "--map", OUTPUT_DIR: "--out"}


@dataclass(frozen=True)
class Plan:
    """Everything that a run needs, checked beforehand.

    ``called`` are the names of the inputs in the manifest, ``checksums`` theirs at that time, ``cohort_sum`` the
    cohort's among them; ``fingerprints`` sum them up per notebook. ``kept`` are the records of notebooks that need not
    run, since nothing has changed, or were not chosen. ``timeout`` is in seconds per notebook.
    """

    notebooks: list[Notebook]
    patients: int
    cohort_sum: str
    output: Path
    jobs: int
    started: datetime
    called: dict[Path, str]
    checksums: dict[str, str]
    fingerprints: dict[str, str]
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
    ``timeout`` seconds is stopped (None: never).

    Raises RunError for anything unknown, unreadable, out of range or not writable.
    """
    started = datetime.now().astimezone()
    wanted = _wanted(given or {}, {COHORT_PATH: data, MAP_PATH: map_file, OUTPUT_DIR: out})
    notebooks = parameters.settle([parameters.read(path) for path in parameters.choose(names, folder)], wanted)
    patients_file = parameters.locate(wanted.get(COHORT_PATH, paths.COHORT))
    patients = _count_patients(patients_file, wanted.get(MAP_PATH, ""))
    passed = [notebook.passed[name] for notebook in notebooks for name in notebook.passed if name.endswith(FILE)]
    shared = record.project()
    called = record.called([patients_file, *map(Path, filter(None, passed)), *(one.path for one in notebooks)])
    checksums = {name: record.checksum(path) for path, name in called.items()} | shared
    cohort_sum = checksums[called[patients_file]]
    output = paths.expanded(wanted.get(OUTPUT_DIR, paths.output_folder("outputs"))).absolute()
    earlier = record.earlier(output)
    if earlier and earlier.get("cohort_sha256") != cohort_sum:
        if len(notebooks) < len(parameters.choose([], folder)):
            said = "holds results of another cohort; run all notebooks, or choose another folder with --out"
            raise RunError(f"{output}: {said}")
        earlier = {}
    fingerprints = {notebook.name: record.fingerprint(notebook, shared | record.versions()) for notebook in notebooks}
    _make_writable(output, folder)
    kept = {
        name: entry
        for name, entry in earlier.get("notebooks", {}).items()
        if name not in fingerprints or (not fresh and _unchanged(entry, fingerprints[name], output))
    }
    jobs = jobs or os.cpu_count() or 1
    return Plan(
        notebooks, patients, cohort_sum, output, jobs, started, called, checksums, fingerprints, kept, timeout
    )


def _wanted(given: dict[str, str], options: dict[str, object]) -> dict[str, str]:
    """Return all parameters that were asked for, with the text given for each."""
    options = {name: str(value) for name, value in options.items() if value is not None}
    for name in [name for name in options if name in given]:
        raise RunError(f"{OPTIONS[name]} and -p {name} mean the same; give one of them")
    return given | options


def _count_patients(file: Path, map_path: str) -> int:
    """Load a cohort once, so that what is wrong with it is said before anything runs."""
    from nxp2lib import cohort

    try:
        return len(cohort.load(file, map_path=map_path))
    except (OSError, cohort.CohortError) as error:
        raise RunError(str(error)) from None


def _unchanged(entry: dict, fingerprint: str, output: Path) -> bool:
    """Tell whether an earlier run rests on the same inputs, went well, and left what is still there."""
    same = entry.get("status") == "ok" and entry.get("fingerprint") == fingerprint
    return same and record.still_there(entry, output)


def _make_writable(output: Path, sources: Path) -> None:
    """Create the output folder, or raise RunError where results cannot or must not go there."""
    copies = output / "notebooks"
    inputs = [sources, paths.DATA, paths.NOTEBOOKS, paths.PACKAGE]
    if any(copies.resolve().is_relative_to(place.resolve()) for place in inputs):
        raise RunError(f"{output}: results do not go among the project's own files; choose another folder")
    for name in ("notebooks", "results", "tables", "figures"):
        if (output / name).is_symlink():
            raise RunError(f"{output / name}: is a link to another place; remove it, or choose another folder")
    try:
        copies.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=copies):
            pass
        if (output / record.MANIFEST).is_dir():
            raise IsADirectoryError(errno.EISDIR, f"{record.MANIFEST} is a folder")
    except OSError as error:
        raise RunError(f"{output}: results cannot be written there ({error.strerror or error})") from None
