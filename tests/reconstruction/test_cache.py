"""What is computed once is what would be computed again, whatever happens to the folder that keeps it."""

import errno
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import warm
from budget import budget
from made import random_cohort

from nxp2lib import paths
from nxp2lib.reconstruction import bounds, cache, witnesses

SHARED = os.environ[cache.PLACE]  # of all processes of this test run
calls = []


@cache.kept
def doubled(number: int) -> pd.DataFrame:
    calls.append(number)
    return pd.DataFrame({"number": [number, 2 * number]})


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A cache of one test's own, and nothing computed yet."""
    monkeypatch.setenv(cache.PLACE, str(tmp_path / "cache"))
    calls.clear()
    return tmp_path / "cache"


def test_a_result_is_computed_once_for_the_same_arguments():
    first, again = doubled(3), doubled(number=3)
    pd.testing.assert_frame_equal(first, again)
    assert first is not again and doubled(4)["number"].tolist() == [4, 8]
    assert calls == [3, 4]


def test_what_a_caller_does_to_a_result_is_not_kept():
    for _ in range(2):
        found = doubled(3)
        found["number"] = 0
    assert doubled(3)["number"].tolist() == [3, 6]


@pytest.mark.parametrize(
    ("function", "asked"),
    [
        (bounds.count, ["polymyositis & malignancy"]),
        (bounds.incidence_ratio, [2]),
        *budget([], [(witnesses.block, [1, 2])]),
    ],
)
def test_what_is_kept_is_what_is_computed(function, asked):
    function(*asked)
    kept, computed = function(*asked), function.__wrapped__(*asked)
    if isinstance(computed, list):
        assert all(one.equals(other) for one, other in zip(kept, computed, strict=True))
    else:
        assert kept == computed


def test_another_file_of_code_or_data_is_another_place(tmp_path, monkeypatch):
    before = cache.fingerprint.__wrapped__()
    assert before == cache.fingerprint()
    for name, change in {"DATA": "published/table1.csv", "PACKAGE": "reconstruction/patterns.py"}.items():
        copy = tmp_path / name.lower()
        subprocess.run(["cp", "-r", str(getattr(paths, name)), str(copy)], check=True)
        with monkeypatch.context() as patch:
            patch.setattr(paths, name, copy)
            patch.setattr(paths, "ROOT", tmp_path)
            patch.setattr(paths, "PACKAGE" if name == "DATA" else "DATA", tmp_path / "none")
            same = cache.fingerprint.__wrapped__()
            (copy / change).write_bytes((copy / change).read_bytes().replace(b"1", b"2", 1))
            assert cache.fingerprint.__wrapped__() != same


def test_another_version_of_a_library_is_another_place(monkeypatch):
    monkeypatch.setattr(cache, "version", lambda name: "99" if name == "ortools" else "1")
    assert cache.fingerprint.__wrapped__() != cache.fingerprint()


STALE = """
from nxp2lib import paths
from nxp2lib.reconstruction import bounds, cache
edited = paths.PACKAGE / "reconstruction" / "patterns.py"
edited.write_bytes(edited.read_bytes() + b"# edited")
bounds.incidence_ratio(2)
print(*(one.name for one in cache.folder().iterdir()))
"""


def test_what_ran_before_an_edit_is_not_kept_for_after_it(tmp_path):
    """A kernel goes on with the code that it has imported."""
    for folder in (paths.PACKAGE, paths.DATA):
        shutil.copytree(folder, tmp_path / "copy" / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    ask = {"cwd": tmp_path / "copy", "env": os.environ | {"PYTHONPATH": str(tmp_path / "copy")}, "text": True}
    first = "from nxp2lib.reconstruction import cache; print(cache.fingerprint())"
    before = subprocess.run([sys.executable, "-c", first], check=True, stdout=-1, **ask).stdout
    kept_as = subprocess.run([sys.executable, "-c", STALE], check=True, stdout=-1, **ask).stdout
    after = subprocess.run([sys.executable, "-c", first], check=True, stdout=-1, **ask).stdout
    assert kept_as == before != after


def test_results_of_another_place_are_not_used(monkeypatch):
    doubled(3)
    monkeypatch.setattr(cache, "fingerprint", lambda: "0" * cache.LENGTH)
    doubled(3)
    assert calls == [3, 3]


@pytest.mark.parametrize("content", [b"", b"no pickle", b"\x80\x04K"])
def test_a_broken_file_is_computed_anew_without_a_word(folder, content, capfd):
    doubled(3)
    (kept,) = folder.rglob("output.pkl")
    kept.write_bytes(content)
    assert doubled(3)["number"].tolist() == doubled(3)["number"].tolist() == [3, 6]
    assert capfd.readouterr() == ("", "")


def test_a_folder_that_cannot_be_made_costs_nothing_but_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(cache.PLACE, str(tmp_path / "file" / "cache"))
    assert doubled(3)["number"].tolist() == doubled(3)["number"].tolist() == [3, 6]
    assert calls == [3, 3]


@pytest.mark.filterwarnings("error")
def test_a_full_disk_costs_nothing_but_time(monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("joblib.numpy_pickle.dump", full)
    assert doubled(3)["number"].tolist() == doubled(3)["number"].tolist() == [3, 6]


def test_what_fails_fails_again():
    for _ in range(2):
        with pytest.raises(ValueError, match="is not known"):
            bounds.count("no such finding")


ASK = "from nxp2lib.reconstruction import bounds; print(bounds.count('dysphagia & neck_weakness'))"


def test_processes_that_ask_at_the_same_time_get_the_same(folder):
    asked = [subprocess.Popen([sys.executable, "-c", ASK], stdout=-1, stderr=-1, text=True) for _ in range(3)]
    said = {process.communicate() for process in asked}
    assert said == {(f"{bounds.count('dysphagia & neck_weakness')}\n", "")}


def test_a_process_killed_while_it_writes_leaves_nothing_half(folder):
    write = "import tests_cache_big as big\nprint('ready', flush=True)\nbig.made()"
    (folder.parent / "tests_cache_big.py").write_text(
        "from nxp2lib.reconstruction import cache\n\n@cache.kept\ndef made():\n    return b'x' * 300_000_000\n"
    )
    process = subprocess.Popen([sys.executable, "-c", write], stdout=-1, cwd=folder.parent)
    process.stdout.readline()
    while not list(folder.rglob("output.pkl*")):
        assert process.poll() is None
    process.kill()
    process.wait()
    again = f"{write.rpartition('big.made()')[0]}assert big.made() == b'x' * 300_000_000"
    assert subprocess.run([sys.executable, "-c", again], stdout=-1, cwd=folder.parent, check=False).returncode == 0


def test_clear_takes_away_what_is_kept_and_nothing_else(folder):
    doubled(3)
    (folder / "mine").mkdir()
    (folder / "mine" / "notes.txt").write_text("")
    cache.clear()
    assert [path.name for path in folder.iterdir()] == ["mine"]
    doubled(3)
    assert calls == [3, 3]


def test_nothing_about_a_cohort_is_kept(tmp_path, monkeypatch):
    """Of a centre's own patients the cache learns nothing, whatever the notebooks compute."""
    monkeypatch.setenv(cache.PLACE, SHARED)
    patients = random_cohort(40, seed=4)
    patients["patient_id"] = [f"SECRET{place:04d}" for place in range(len(patients))]
    patients["max_creatine_kinase"] = [str(31_417 + place) for place in range(len(patients))]
    patients.to_csv(tmp_path / "mine.csv", index=False)
    notebooks = ["05_agreement_with_paper", "06_patients_behind_the_tables"]
    warm.execute(tmp_path / "mine.csv", tmp_path / "out", notebooks, number_of_cohorts=1)
    files = [path for path in Path(SHARED).rglob("*") if path.is_file()]
    kept = {path.parts[-3] for path in files if path.name == "output.pkl"}
    assert {"count", "witness", "fisher", "incidence_ratio", "block", "judge", "tables"} <= kept
    told = re.compile(rb"SECRET|(?<![0-9.])31417(?![0-9])")  # the record of a result has its time, with many digits
    assert not [path for path in files if told.search(path.read_bytes())]


def test_the_folder_is_the_users_own_unless_another_one_is_named(monkeypatch, folder):
    assert cache.folder() == folder
    monkeypatch.delenv(cache.PLACE)
    assert cache.folder().name == "nxp2" and Path.home() in cache.folder().parents
