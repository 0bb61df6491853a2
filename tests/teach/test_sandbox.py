"""Returned notebooks that are up to no good reach nothing, change nothing, leave nothing, and cost themselves alone."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import hostile
import pandas as pd
import pytest
from budget import budget

from nxp2lib import paths
from nxp2lib.teach import grade, inside, sandbox, trainees

WAYS = [*hostile.CELLS, *hostile.PLACES]
FEW = ["open", "shell", "sysctl", "keyring", "traces", "fills_memory", "writes_key", "outside", "daemon", "exits",
       "surrogates", "pipe", "link_to_key", "link_to_a_neighbour"]  # none that has to be waited for
SOME = budget(FEW, WAYS)
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
            act = hostile.CELLS[way].replace("KEYCTL", str(hostile.KEYCTL))
            act = act.replace("KEY", str(key)).replace("CLASS", str(folder))
            answer(notebook, answers | {EXERCISE: act.replace("OUTSIDE", str(outside))})
        else:
            hostile.lay(way, notebook, key)
    answer(perfect / f"{NAME}.ipynb", answers)
    before = sums(perfect, outside, paths.PACKAGE), key.read_bytes()
    hostile.keep_in_keyring(b"share-of-myalgia")
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
    assert row["reason"] == "stopped after 20 s" or way not in ("loops", "deaf", "half_and_waits")


@isolated
def test_everybody_else_gets_what_is_due(returned):
    grades, *_ = returned
    assert (grades.loc["perfect", "points"] == 1).all()
    honest = [way for way in SOME if way in (*hostile.READS, *hostile.CHANGES)]
    lost = {way: grades.loc[(way, OTHER), "reason"] for way in honest if not grades.loc[(way, OTHER), "points"]}
    assert not lost


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
    return [words for words in listed if sandbox.INSIDE in words or words in ("sleep 61.7", "sleep 607")]


def test_who_ran_out_of_time_beside_others_is_executed_once_more_alone(monkeypatch):
    """Whoever keeps the machine busy costs no neighbour anything."""
    calls = []

    def busy(notebook, seconds, *_):
        calls.append(notebook)
        late = notebook == "loops" or calls.count(notebook) == 1
        return sandbox.Returned({}, {}, f"stopped after {seconds:g} s" if late else "")

    monkeypatch.setattr(sandbox, "_one", busy)
    found = dict(sandbox.execute(["slow", "loops"], 2, 20, 8192, []))
    assert {name: one.ended for name, one in found.items()} == {"slow": "", "loops": "stopped after 20 s"}
    assert sorted(calls) == ["loops", "loops", "slow", "slow"]


ANSWERS = '{"answers": {"a": %s}, "errors": {}, "ended": ""}'
FORGED = {
    "no number": ANSWERS % "NaN", "no end": ANSWERS % "-Infinity", "many digits": ANSWERS % ("9" * 5000),
    "digits": ANSWERS % ("9" * 300), "deep": ANSWERS % ("[" * 100_000), "a list": ANSWERS % "[1]",
    "no answers": '{"answers": 7, "errors": {}, "ended": ""}', "no errors": '{"answers": {}, "errors": 1, "ended": ""}',
    "a formula": '{"answers": {}, "errors": {}, "ended": "=1+1"}', "more": ANSWERS[:-1] % 1 + ', "points": 1}',
    "a cell": '{"answers": {}, "errors": {"=1": "x"}, "ended": ""}', "a text": '"answers"', "no text": "\udcff",
}  # fmt: skip


@pytest.mark.parametrize("what", FORGED)
def test_what_has_not_the_form_of_answers_is_none(what):
    heard = sandbox._heard(FORGED[what].encode(errors="surrogateescape"))
    assert heard == sandbox.Returned({}, {}, sandbox.NO_ANSWER)


def test_what_is_heard_does_nothing_to_a_terminal_or_a_file():
    said = {"answers": {"a": "\ud800\x1b[2J\n,=1+1" + "x" * 999}, "errors": {"3": "\r\0筋"}, "ended": ""}
    heard = sandbox._heard(json.dumps(said).encode())
    assert len(heard.answers["a"]) == 200 and heard.errors == {3: "\ufffd\ufffd筋"}
    assert heard.answers["a"].startswith("\ufffd\ufffd[2J\ufffd,=1+1x") and heard.answers["a"].encode()


ANY = [(float("nan"), "nan"), (10**5000, "?"), (-3.5, -3.5), ("x" * 999, "x" * 200), ([1], "?"), (True, True)]


@pytest.mark.parametrize(("answer", "sent"), ANY, ids=map(str, range(len(ANY))))
def test_an_honest_answer_of_any_kind_costs_no_other(answer, sent):
    assert inside.plain(answer, 200) == sent and json.dumps(sent, allow_nan=False)


@isolated
@pytest.mark.parametrize("place", [paths.DATA, paths.NOTEBOOKS / "course", Path(sys.prefix), Path("/usr/share")])
def test_no_class_lies_where_a_notebook_can_read(place, tmp_path):
    """The key would be in the sandbox."""
    (tmp_path / "link").symlink_to(place)
    for folder in (place / "class", tmp_path / "link" / "class"):
        with pytest.raises(trainees.TeachError, match=r"every returned notebook can read .*; a class needs"):
            trainees.write(folder, ["anna"])
        assert not folder.exists()
    with pytest.raises(trainees.TeachError, match="every returned notebook can read"):
        sandbox.check_hidden(place)


def test_a_class_has_a_secret_that_nobody_can_try_and_is_closed_to_other_users(tmp_path, monkeypatch):
    bits = []
    monkeypatch.setattr(trainees.secrets, "randbits", lambda number: bits.append(number) or 3)
    monkeypatch.setattr(trainees, "resampled", lambda *_: [])
    made = trainees.write(tmp_path / "class", [])
    assert bits == [128] and (made / "instructor").stat().st_mode & 0o777 == 0o700


def test_without_isolation_grading_refuses_and_says_what_to_do(tmp_path, monkeypatch):
    folder = tmp_path / "class"
    (folder / "trainees" / "anna").mkdir(parents=True)
    (folder / "instructor").mkdir()
    (folder / "instructor" / "key.csv").write_text("trainee,notebook,exercise,answer,decimals,mistakes\n")
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with pytest.raises(trainees.TeachError, match=r"apt install bubblewrap.*--container.*--unprotected"):
        grade.write(folder)
    with pytest.raises(trainees.TeachError, match="accepted is an engine and an image"):
        sandbox.command("podman nxp2")


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_bubblewrap_that_may_make_no_namespaces_is_told_before_anything_runs(tmp_path, monkeypatch):
    broken = script(tmp_path / "bwrap", "echo 'bwrap: No permissions to create new namespace' >&2; exit 1")
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: broken)
    with pytest.raises(trainees.TeachError, match=r"does not work here \(bwrap: No permissions .*--unprotected"):
        sandbox.command()


def test_a_container_is_started_without_network_or_rights_and_removed_by_its_name(tmp_path, monkeypatch):
    """An engine's command that is killed leaves its container running."""
    engine = script(tmp_path / "podman", f'echo "$@" >> {tmp_path}/said; [ "$1" = rm ] || sleep 60')
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: engine)
    start = sandbox.command("podman nxp2", megabytes=4096)
    assert start[0] == engine and start[-4:] == ["nxp2", "python", "-m", sandbox.INSIDE]
    assert {"--network=none", "--read-only", "--cap-drop=ALL", "--memory=4096m"} <= set(start)
    for name in ("cohort.csv", "answers.json", "a.ipynb"):
        (tmp_path / name).write_text("{}")
    ((_, found),) = sandbox.execute([tmp_path / "a.ipynb"], 1, 1, 4096, start)
    assert found.ended == "stopped after 1 s"
    ran, removed = (tmp_path / "said").read_text().splitlines()
    name = ran.split()[2]
    assert ran.startswith("run --name nxp2-") and removed == f"rm --force {name}"
