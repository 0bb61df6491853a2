"""All notebooks by `nxp2 run`, beside papermill's command notebook by notebook, and the same cells in one process."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nxp2lib import paths

NOTEBOOKS = sorted(paths.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
TESTS = Path(__file__).parents[1] / "tests"


def seconds(*commands: list[str], **environment: str) -> float:
    since = time.perf_counter()
    for command in commands:
        subprocess.run(command, check=True, capture_output=True, env=os.environ | environment)
    return time.perf_counter() - since


def papermill(notebook: Path, folder: Path) -> list[str]:
    given = ["-p", "output_dir", str(folder), "--no-progress-bar", "--cwd", str(paths.ROOT)]
    return [sys.executable, "-m", "papermill", str(notebook), str(folder / notebook.name), *given]


@pytest.mark.parametrize("first", [0, 5], ids=["the whole collection", "the first five on an own cohort"])
def test_runs_beside_papermill_and_one_process(first, tmp_path, capsys):
    listed = NOTEBOOKS[:first] or NOTEBOOKS
    names, cache = [path.stem for path in listed], {"NXP2_CACHE": str(tmp_path / "cache")}
    run = [sys.executable, "-m", "nxp2lib", "run", *names, "--out"]
    empty = seconds([*run, str(tmp_path / "a")], **cache)
    kept = seconds([*run, str(tmp_path / "b")], **cache)
    again = seconds([*run, str(tmp_path / "b")], **cache)
    (tmp_path / "c").mkdir()
    one_by_one = seconds(*(papermill(path, tmp_path / "c") for path in listed), **cache)
    code = f"import warm; from nxp2lib import paths; warm.execute(paths.COHORT, {str(tmp_path / 'd')!r}, {names})"
    path = os.pathsep.join([str(paths.ROOT), str(TESTS)])
    process = seconds([sys.executable, "-c", code], PYTHONPATH=path, MPLBACKEND="agg", **cache)
    with capsys.disabled():
        print(f"\n{len(names)} notebooks: {kept:.1f} s; with an empty cache {empty:.1f} s, unchanged {again:.1f} s")
        print(f"papermill, one by one: {one_by_one:.1f} s, {one_by_one / kept:.1f} times as long")
        print(f"the same cells in one process: {process:.1f} s, a run takes {kept / process:.1f} times as long")
    assert again < kept < one_by_one
