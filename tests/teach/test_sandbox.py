"""Returned notebooks that are up to no good reach nothing, change nothing, leave nothing, and cost themselves alone."""

import hashlib
import json
import shutil
import subprocess
import sys
import time

import hostile
import pandas as pd
import pytest
from budget import budget

from nxp2lib import paths
from nxp2lib.teach import grade, sandbox, trainees

WAYS = [*hostile.CELLS, *hostile.PLACES]
SOME = budget(WAYS[2::5], WAYS)  # without those that keep the whole machine busy
NAME, EXERCISE, OTHER = "00_start_here", "share-of-myalgia", "unknown-histology"
NEEDED = "needs bubblewrap (on Debian: apt install bubblewrap)"
isolated = pytest.mark.skipif(shutil.which("bwrap") is None, reason=NEEDED)


def sums(*folders) -> dict[str, str]:
    """Return what lies in folders, by checksum."""
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    files = [path for path in files if "__pycache__" not in path.parts]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def returned(tmp_path_factory):
    """A class in which one trainee answers well and every other one returns a hostile notebook; what grade says."""
    place = tmp_path_factory.mktemp("course")
    folder, outside = trainees.write(place / "class", ["perfect"], seed=3), place / "outside"
    outside.mkdir()
    perfect, key = folder / "trainees" / "perfect", folder / "instructor" / "key.csv"
    for notebook in perfect.glob("0[1-9]*.ipynb"):
        notebook.unlink()
    right = pd.read_csv(key, dtype=str, keep_default_na=False).query("notebook == @NAME")
    pd.concat([right, *(right.assign(trainee=way) for way in SOME)]).to_csv(key, index=False)
    answers = {row.exercise: f"answer = {row.answer!r}" for row in right.itertuples()}
    for way in SOME:
        shutil.copytree(perfect, folder / "trainees" / way)
        notebook = folder / "trainees" / way / f"{NAME}.ipynb"
        if way in hostile.CELLS:
            act = hostile.CELLS[way].replace("KEY", str(key)).replace("CLASS", str(folder))
            answer(notebook, answers | {EXERCISE: act.replace("OUTSIDE", str(outside))})
        else:
            hostile.lay(way, notebook, key)
    answer(perfect / f"{NAME}.ipynb", answers)
    before = sums(perfect, outside, paths.PACKAGE), key.read_bytes()
    command = [sys.executable, "-m", "nxp2lib", "grade", str(folder), "--timeout", "20", "--jobs", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    after = sums(perfect, outside, paths.PACKAGE), key.read_bytes()
    return pd.read_csv(folder / "instructor" / "grades.csv").set_index(["trainee", "exercise"]), before, after


def answer(notebook, sources: dict[str, str]) -> None:
    """Write source code into the answer cells of a notebook."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell, check in zip(content["cells"], content["cells"][1:], strict=False):
        for exercise, source in sources.items():
            if check["source"] == f'check("{exercise}", answer)':
                cell["source"] = source
    notebook.write_text(json.dumps(content), encoding="utf-8")


@isolated
@pytest.mark.parametrize("way", SOME)
def test_a_hostile_notebook_gets_no_point_and_a_reason(returned, way):
    row = returned[0].loc[(way, EXERCISE)]
    assert row["points"] == 0 and "reached" not in row["reason"], row["reason"]


@isolated
def test_everybody_else_gets_what_is_due(returned):
    grades, *_ = returned
    assert (grades.loc["perfect", "points"] == 1).all()
    honest = [way for way in SOME if way in (*hostile.READS, *hostile.CHANGES)]
    assert all(grades.loc[(way, OTHER), "points"] == 1 for way in honest)


@isolated
def test_nothing_outside_is_changed_and_no_process_is_left(returned):
    _, before, after = returned
    assert before == after
    end = time.monotonic() + 60  # the system takes a while to bury what a bomb of processes was
    while (left := running()) and time.monotonic() < end:
        time.sleep(0.2)
    assert not left


def running() -> list[str]:
    """Return the command lines of processes that came out of a sandbox."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [words for words in listed if sandbox.INSIDE in words or words == "sleep 60"]


def test_without_isolation_grading_refuses_and_says_what_to_do(tmp_path, monkeypatch):
    folder = tmp_path / "class"
    (folder / "trainees" / "anna").mkdir(parents=True)
    (folder / "instructor").mkdir()
    (folder / "instructor" / "key.csv").write_text("trainee,notebook,exercise,answer,decimals\n")
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with pytest.raises(trainees.TeachError, match=r"apt install bubblewrap.*--container.*--unprotected"):
        grade.write(folder)
    with pytest.raises(trainees.TeachError, match="accepted is an engine and an image"):
        sandbox.command("podman nxp2")


def test_a_container_is_started_without_network_or_rights(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: f"/usr/bin/{name}")
    words = sandbox.command("podman nxp2")
    assert words[:3] == ["podman", "run", "--rm"] and words[-4:] == ["nxp2", "python", "-m", sandbox.INSIDE]
    assert {"--network=none", "--read-only", "--cap-drop=ALL"} <= set(words)
