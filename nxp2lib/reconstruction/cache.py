"""What follows from the printed numbers and the code alone: computed once, and kept in a folder of the user.

Nothing about a cohort is kept. What other code, data or libraries computed is not used.
"""

import hashlib
import logging
import os
import platform
import shutil
import warnings
from collections.abc import Callable
from functools import cache, wraps
from importlib.metadata import version
from pathlib import Path

from nxp2lib import paths

PLACE = "NXP2_CACHE"  # the environment variable that names another folder
LENGTH = 24  # of a fingerprint
LIBRARIES = ["joblib", "numpy", "ortools", "pandas", "scipy"]


def folder() -> Path:
    """Return the folder that keeps results: what ``NXP2_CACHE`` names, or one in the user's folder for such files."""
    import platformdirs

    return Path(os.environ.get(PLACE) or platformdirs.user_cache_path("nxp2", appauthor=False)).absolute()


@cache
def fingerprint() -> str:
    """Return a checksum of what every result rests on beside its arguments: code, data, and versions of libraries."""
    found = hashlib.sha256(" ".join([platform.python_version(), *map(version, LIBRARIES)]).encode())
    for path in sorted([*paths.PACKAGE.rglob("*"), *paths.DATA.rglob("*.csv")]):
        if path.is_file() and "__pycache__" not in path.parts:
            found.update(f"{path.relative_to(paths.ROOT)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return found.hexdigest()[:LENGTH]


def place() -> Path:
    """Return the folder in `folder` that holds what this code computed."""
    return folder() / fingerprint()


def places() -> list[Path]:
    """Return the folders that hold what this and other versions of the code computed."""
    return sorted(folder().glob("[0-9a-f]" * LENGTH))


def clear() -> None:
    """Take away everything that is kept, also by other versions, and nothing else that lies there."""
    for old in places():
        shutil.rmtree(old, ignore_errors=True)


fingerprint()  # of the files as they are imported; what is edited later is not what runs here


def kept(function: Callable) -> Callable:
    """Let a function recall what it returned for the same arguments, in this process or another one.

    Its result has to follow from its arguments, the printed numbers and the code. Where the folder cannot be read or
    written, or holds a broken file, the result is computed anew.
    """

    @wraps(function)
    def recalled(*args, **settings):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Unable to cache to disk")
            try:
                return _recalling(function, place())(*args, **settings)
            except OSError:
                return function(*args, **settings)

    return recalled


@cache
def _recalling(function: Callable, where: Path) -> Callable:
    """Return a function with the memory of one place; joblib writes its files whole or not at all."""
    from joblib import Memory

    logging.getLogger("joblib").disabled = True  # it tells of files that cannot be read
    return Memory(where, verbose=0).cache(function)
