"""What a run rests on and what it left, by checksum: ``manifest.json``, and which notebooks need not run again."""

import hashlib
import json
import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from itertools import chain, count
from pathlib import Path

from nxp2lib import __version__, paths
from nxp2lib.run.parameters import OUTPUT_DIR, Notebook, is_place

MANIFEST = "manifest.json"
FOLDERS = ["notebooks", "results", "tables", "figures"]  # of what a run leaves
LIBRARIES = ["pandas", "numpy", "scipy", "matplotlib", "papermill", "ortools"]


def called(files: Iterable[Path]) -> dict[Path, str]:
    """Return how the manifest calls each file: its place in the project, or its name alone, a second ``NAME (2)``."""
    found: dict[Path, str] = {}
    for path in dict.fromkeys(files):
        known = path.relative_to(paths.ROOT) if path.is_relative_to(paths.ROOT) else path
        name = known.name if known.is_absolute() else known.as_posix()
        numbered = (f"{name} ({number})" for number in count(2))
        found[path] = next(other for other in chain([name], numbered) if other not in found.values())
    return found


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def way(folder: Path, file: Path) -> str | None:
    """Return where a file lies, seen from a folder; None where no way leads there (another drive on Windows)."""
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:
        return None


def project() -> dict[str, str]:
    """Return the SHA-256 of the project's data files and of the package's files, by file."""
    data = [paths.SCREENING, paths.DICTIONARY, paths.RATES, paths.LEFT_OUT, *sorted(paths.PUBLISHED.glob("*.csv"))]
    files = [*data, *(path for path in sorted(paths.PACKAGE.rglob("*")) if "__pycache__" not in path.parts)]
    return {name: checksum(path) for path, name in called(filter(Path.is_file, files)).items()}


def versions() -> dict[str, str]:
    """Return the versions of Python, of this package, and of the libraries that results depend on."""
    return {"python": platform.python_version(), "nxp2lib": __version__} | {name: version(name) for name in LIBRARIES}


def entry(notebook: Notebook, names: dict[Path, str], known: dict[str, str]) -> dict[str, object]:
    """Return what the manifest says of a notebook beforehand: its parameters, files by their names; its fingerprint.

    The fingerprint is one checksum of all that its results rest on: the notebook, its parameters and the content of the
    files they name, and what is ``known`` already: data, sources and versions. The output folder is left out.
    """
    told, settled = notebook.values, notebook.values
    for name, value in notebook.values.items():
        if value and is_place(name):
            told[name] = (called([Path(value)]) | names)[Path(value)]
            settled[name] = checksum(paths.find(value)) if name != OUTPUT_DIR else ""
    everything = {"notebook": checksum(notebook.path), "parameters": settled, "known": known}
    fingerprint = hashlib.sha256(json.dumps(everything, sort_keys=True, default=str).encode()).hexdigest()
    return {"parameters": told, "fingerprint": fingerprint}


def earlier(output: Path) -> dict:
    """Return the manifest of an earlier run in this folder; empty where there is none that can be read."""
    try:
        found = json.loads((output / MANIFEST).read_text(encoding="utf-8"))
        return found if isinstance(found, dict) and isinstance(found.get("notebooks"), dict) else {}
    except (OSError, ValueError):
        return {}


def is_unchanged(entry: dict, planned: dict, output: Path) -> bool:
    """Tell whether an earlier run rests on the same inputs, went well, and left what is still there."""
    same = entry.get("status") == "ok" and entry.get("fingerprint") == planned["fingerprint"]
    return same and still_there(entry, output)


def still_there(entry: dict, output: Path) -> bool:
    """Tell whether everything that a notebook left in an earlier run is there, unchanged."""
    left = {output / name: sha for name, sha in entry.get("left", {}).items()}
    return bool(left) and all(path.is_file() and checksum(path) == sha for path, sha in left.items())


def left(cells: dict[Path, int], copy: Path, output: Path) -> tuple[dict[str, str], dict[str, int]]:
    """Return the SHA-256 of what a notebook left in the output folder, by its place in it; and the cell that wrote it.

    ``cells`` are the files that its cells wrote, each with the last cell to do so; ``copy`` is the executed notebook.
    """
    cells, copy, output = {path.resolve(): cell for path, cell in cells.items()}, copy.resolve(), output.resolve()
    there = [path for path in [*cells, copy] if path.is_relative_to(output) and path.is_file()]
    names = {path: path.relative_to(output).as_posix() for path in there}
    sums = {names[path]: checksum(path) for path in sorted(there)}
    return sums, {name: cells[path] for path, name in names.items() if path in cells}


def write(record: dict, output: Path) -> Path:
    """Write the manifest, whole or not at all. Return its path."""
    with paths.replacing(output / MANIFEST) as partial:
        partial.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return output / MANIFEST


def clean(output: Path) -> None:
    """Take away what runs that were killed had begun to write."""
    for folder in [output, *(output / name for name in FOLDERS)]:
        for begun in folder.glob(f".*{paths.PARTIAL}*"):
            begun.unlink(missing_ok=True)
