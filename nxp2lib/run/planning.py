"""What a run is to do: everything that a user can get wrong is checked before the first notebook starts."""

import errno
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nxp2lib import paths
from nxp2lib.run import record
from nxp2lib.run.parameters import (
    COHORT_PATH,
    FILE,
    MAP_PATH,
    OUTPUT_DIR,
    Notebook,
    RunError,
    choose,
    locate,
    read,
    settle,
)  # fmt: skip


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
    from nxp2lib import cohort

    started = datetime.now().astimezone()
    options = {COHORT_PATH: data, MAP_PATH: map_file, OUTPUT_DIR: out}
    for name, option in [(COHORT_PATH, "--data"), (MAP_PATH, "--map"), (OUTPUT_DIR, "--out")]:
        if options[name] is not None and name in (given or {}):
            raise RunError(f"{option} and -p {name} mean the same; give one of them")
    wanted = dict(given or {}) | {name: str(value) for name, value in options.items() if value is not None}
    notebooks = settle([read(path) for path in choose(names, folder)], wanted)
    patients_file = locate(wanted.get(COHORT_PATH, paths.COHORT))
    try:
        patients = len(cohort.load(patients_file, map_path=wanted.get(MAP_PATH, "")))
    except (OSError, cohort.CohortError) as error:
        raise RunError(str(error)) from None
    files = [value for notebook in notebooks for name, value in notebook.passed.items() if name.endswith(FILE)]
    inputs = [patients_file, *map(Path, filter(None, files)), *(notebook.path for notebook in notebooks)]
    shared = record.project()
    called = record.called(inputs)
    checksums = {name: record.checksum(path) for path, name in called.items()} | shared
    cohort_sum = checksums[called[patients_file]]
    output = paths.expanded(wanted.get(OUTPUT_DIR, paths.output_folder("outputs"))).absolute()
    earlier = record.earlier(output)
    other = bool(earlier) and earlier.get("cohort_sha256") != cohort_sum
    if other and len(notebooks) < len(choose([], folder)):
        raise RunError(
            f"{output}: holds results of another cohort; run all notebooks, or choose another folder with --out"
        )
    fingerprints = {notebook.name: record.fingerprint(notebook, shared | record.versions()) for notebook in notebooks}
    _make_writable(output, folder)
    kept = {} if other else {
        name: entry for name, entry in earlier.get("notebooks", {}).items()
        if name not in fingerprints or (not fresh and _unchanged(entry, fingerprints[name], output))
    }  # fmt: skip
    jobs = jobs or os.cpu_count() or 1
    return Plan(
        notebooks, patients, cohort_sum, output, jobs, started, called, checksums, fingerprints, kept, timeout
    )


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
