"""Where things lie: the project's folders, and files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent
DATA = ROOT / "data"
PUBLISHED = DATA / "published"
LEFT_OUT = DATA / "published_left_out.csv"
NOTEBOOKS = ROOT / "notebooks"
COHORT = DATA / "cohort.csv"
SCREENING = DATA / "screening.csv"
DICTIONARY = DATA / "data_dictionary.csv"
RATES = DATA / "cancer_incidence_japan.csv"
PARTIAL = ".partial"  # in the name of a file that is being written


def expanded(path: str | Path) -> Path:
    """Return a path with ``~`` spelt out, or as it stands where that names no user (Excel's ``~$file.xlsx``).

    >>> expanded("~$cohort.xlsx").name
    '~$cohort.xlsx'
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def find(path: str | Path, here: bool = False) -> Path:
    """Find an input file named by a user.

    A relative path is looked up in the working directory first, then in the project's folder, so that
    a notebook's default ``data/cohort.csv`` works from everywhere; ``here``: in the working directory alone.

    >>> find("data/data_dictionary.csv").name
    'data_dictionary.csv'

    Raises FileNotFoundError naming every place searched.
    """
    given = expanded(path)
    places = dict.fromkeys([given.absolute(), (given if here else ROOT / given).absolute()])
    for place in places:
        if place.is_file():
            return place
        if place.is_dir():
            raise FileNotFoundError(f"{path}: a folder, not a file")
    raise FileNotFoundError(f"{path}: no such file (looked for {' and '.join(map(str, places))})")


def output_folder(path: str | Path) -> Path:
    """Return the folder that takes results; a relative one lies in the project's folder.

    The environment variable ``NXP2_OUTPUT_ROOT`` moves relative folders elsewhere; the tests use it so that
    they never touch the results of a run. The folder is not created here.
    """
    return Path(os.environ.get("NXP2_OUTPUT_ROOT", ROOT)) / expanded(path)


def is_own(place: str | Path) -> bool:
    """Tell whether a place lies among the project's own files, where nothing of a user's is written."""
    return any(Path(place).resolve().is_relative_to(own.resolve()) for own in (DATA, NOTEBOOKS, PACKAGE))


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` and rename it onto ``path`` when the block succeeds.

    A reader, or a run that is killed, sees the old file or the new one, never half of one. The temporary
    name keeps the file's suffix, since writers choose their format by it. Missing folders are created.

    Where the environment variable ``NXP2_WRITTEN`` names a file, the path is added to it: a run sets it to learn what
    a notebook leaves.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}{PARTIAL}{path.suffix}")
    try:
        yield partial
        partial.replace(path)
        if listed := os.environ.get("NXP2_WRITTEN"):
            with Path(listed).open("a", encoding="utf-8") as file:
                file.write(f"{path.absolute()}\n")
    finally:
        partial.unlink(missing_ok=True)
