"""What a run rests on and what it left, by checksum: ``manifest.json``, and which notebooks need not run again."""

import hashlib
import json
import platform
from collections.abc import Iterable
from importlib.metadata import version
from itertools import chain, count
from pathlib import Path

from nxp2lib import __version__, paths
from nxp2lib.run.parameters import FILE, OUTPUT_DIR, Notebook, locate

MANIFEST = "manifest.json"
LIBRARIES = ["pandas", "numpy", "scipy", "matplotlib", "papermill", "ortools"]


def called(files: Iterable[Path]) -> dict[Path, str]:
    """Return how the manifest calls each file: from the project's folder on, or by its last name alone.

    Of files outside that have one name, the second is called ``NAME (2)`` and so on, without their folders.
    """
    found: dict[Path, str] = {}
    for path in dict.fromkeys(files):
        name = path.name if path.is_absolute() else path.as_posix()
        if path.is_absolute() and path.is_relative_to(paths.ROOT):
            name = path.relative_to(paths.ROOT).as_posix()
        numbered = (f"{name} ({number})" for number in count(2))
        found[path] = next(other for other in chain([name], numbered) if other not in found.values())
    return found


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def project() -> dict[str, str]:
    """Return the SHA-256 of the project's data files and of the package's files, by file."""
    data = [paths.SCREENING, paths.DICTIONARY, paths.RATES, paths.LEFT_OUT, *sorted(paths.PUBLISHED.glob("*.csv"))]
    files = [*data, *(path for path in sorted(paths.PACKAGE.rglob("*")) if "__pycache__" not in path.parts)]
    return {name: checksum(path) for path, name in called(filter(Path.is_file, files)).items()}


def versions() -> dict[str, str]:
    """Return the versions of Python, of this package, and of the libraries that results depend on."""
    known = {"python": platform.python_version(), "nxp2lib": __version__}
    return known | {name: version(name) for name in LIBRARIES}


def values(notebook: Notebook) -> dict[str, object]:
    """Return a notebook's parameters as they will be in its run."""
    return {name: parameter.default for name, parameter in notebook.parameters.items()} | notebook.passed


def fingerprint(notebook: Notebook, known: dict[str, str]) -> str:
    """Return one checksum of all that a notebook's results rest on.

    These are the notebook, its parameters and the content of the files they name, and what is ``known`` already: data,
    sources and versions. The output folder is left out.
    """
    settled = {name: value for name, value in values(notebook).items() if name != OUTPUT_DIR}
    for name, value in settled.items():
        if name.endswith(FILE) and value:
            settled[name] = checksum(locate(value))
    everything = {"notebook": checksum(notebook.path), "parameters": settled, "known": known}
    return hashlib.sha256(json.dumps(everything, sort_keys=True, default=str).encode()).hexdigest()


def earlier(output: Path) -> dict:
    """Return the manifest of an earlier run in this folder; empty where there is none that can be read."""
    try:
        found = json.loads((output / MANIFEST).read_text(encoding="utf-8"))
        return found if isinstance(found, dict) and isinstance(found.get("notebooks"), dict) else {}
    except (OSError, ValueError):
        return {}


def still_there(entry: dict, output: Path) -> bool:
    """Tell whether everything that a notebook left in an earlier run is there, unchanged."""
    left = entry.get("left", {})
    return bool(left) and all(
        (output / name).is_file() and checksum(output / name) == sha for name, sha in left.items()
    )


def left(listed: Path, output: Path) -> dict[str, str]:
    """Return the SHA-256 of the files that a notebook wrote into the output folder, by their place in it.

    ``listed`` holds one path per line, as `nxp2lib.paths.replacing` adds them.
    """
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    written = (Path(line) for line in dict.fromkeys(lines))
    return {
        path.relative_to(output).as_posix(): checksum(path)
        for path in sorted(written)
        if path.is_relative_to(output) and path.is_file()
    }


def write(record: dict, output: Path) -> Path:
    """Write the manifest, whole or not at all. Return its path."""
    with paths.replacing(output / MANIFEST) as partial:
        partial.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return output / MANIFEST


def clean(output: Path) -> None:
    """Take away what runs that were killed had begun to write."""
    folders = [output, *(output / name for name in ("notebooks", "results", "tables", "figures"))]
    for folder in folders:
        for begun in folder.glob(f".*{paths.PARTIAL}*"):
            begun.unlink(missing_ok=True)
