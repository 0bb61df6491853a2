import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from budget import LONG, budget

from nxp2lib import paths
from nxp2lib.reconstruction import archive, facts, reconstruct, witnesses

SEED = 3


@pytest.fixture(scope="module")
def pair():
    """The first two cohorts of two blocks, drawn once; blocks of two make the tests quick."""
    return {place: witnesses.block(place, 2, SEED) for place in (0, 1)}


@pytest.fixture
def drawn(monkeypatch, pair):
    """Draw in this process, in blocks of two; list the blocks that were drawn."""
    calls = []

    def block(place, number, seed, known):
        calls.append((place, number))
        return pair[place][:number]

    monkeypatch.setattr(witnesses, "BLOCK", 2)
    monkeypatch.setattr(witnesses, "block", block)
    monkeypatch.setattr(archive, "_pool", lambda jobs, stop: ThreadPoolExecutor(1))
    return calls


def write(folder, number=3, **options):
    return list(archive.write(number, options.pop("seed", SEED), folder, **options))


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def without(expression, printed):
    known = facts.kept()
    known.loc[known["expression"] == expression, "printed"] = printed
    return known


# Files


def test_each_cohort_is_a_file_and_one_table_holds_them_all(drawn, tmp_path):
    assert write(tmp_path) == [2, 3]
    assert list(contents(tmp_path)) == [
        *("synthetic.json", "synthetic_0001.csv", "synthetic_0002.csv", "synthetic_0003.csv"),
        "synthetic_cohorts.parquet",
    ]
    table = pd.read_parquet(tmp_path / "synthetic_cohorts.parquet")
    assert table.columns[0] == "cohort" and (table["synthetic"] == 1).all()
    for number, patients in table.groupby("cohort"):
        file = pd.read_csv(tmp_path / f"synthetic_{number:04d}.csv")
        same = patients.drop(columns="cohort").reset_index(drop=True)
        pd.testing.assert_frame_equal(same, file, check_dtype=False)


def test_the_table_says_that_it_is_synthetic_and_of_which_seed(drawn, tmp_path):
    from pyarrow import parquet

    write(tmp_path)
    schema = parquet.read_schema(tmp_path / "synthetic_cohorts.parquet")
    assert schema.metadata[b"synthetic"] == b"1" and schema.metadata[b"seed"] == b"3"
    assert {str(schema.field(name).type) for name in ("malignancy", "microinfarction")} == {"int8"}


def test_the_folder_says_what_it_holds(drawn, tmp_path):
    write(tmp_path)
    record = json.loads((tmp_path / "synthetic.json").read_text(encoding="utf-8"))
    assert (record["seed"], record["cohorts"]) == (SEED, 3) and re.fullmatch("[0-9a-f]{64}", record["facts_sha256"])


@pytest.mark.skipif(not LONG, reason="twenty seconds: make test-long")
def test_this_process_and_one_and_two_others_write_the_same_bytes(drawn, monkeypatch, tmp_path):
    write(tmp_path / "this")
    monkeypatch.undo()
    monkeypatch.setattr(witnesses, "BLOCK", 2)
    for jobs in (1, 2):
        write(tmp_path / str(jobs), jobs=jobs)
        assert contents(tmp_path / str(jobs)) == contents(tmp_path / "this")


def test_files_hold_the_cohorts_that_are_drawn(drawn, pair, tmp_path):
    write(tmp_path)
    reconstruct.save(pair[1][0], tmp_path / "expected.csv")
    assert (tmp_path / "synthetic_0003.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()


def test_no_cohort_at_all_cannot_be_asked_for(tmp_path):
    with pytest.raises(ValueError, match="number: 0 is not accepted; accepted: 1 or more"):
        write(tmp_path, 0)
    assert contents(tmp_path) == {}


# Going on


def test_only_blocks_with_missing_files_are_drawn_again(drawn, tmp_path):
    write(tmp_path, 4)
    before = contents(tmp_path)
    for name in ("synthetic_0004.csv", "synthetic_cohorts.parquet"):
        (tmp_path / name).unlink()
    drawn.clear()
    assert write(tmp_path, 4) == [2, 4]
    assert drawn == [(1, 2)] and contents(tmp_path) == before


def test_a_run_stopped_after_its_first_block_leaves_whole_files_and_goes_on(drawn, tmp_path):
    progress = archive.write(4, SEED, tmp_path)
    assert next(progress) == 2
    progress.close()
    names = list(contents(tmp_path))
    assert names[:3] == ["synthetic.json", "synthetic_0001.csv", "synthetic_0002.csv"]
    assert "synthetic_cohorts.parquet" not in names and not any("partial" in name for name in names)
    write(tmp_path, 4)
    assert drawn.count((0, 2)) == 1


def test_more_cohorts_are_added_to_those_there(drawn, tmp_path):
    write(tmp_path, 2)
    first = contents(tmp_path)["synthetic_0001.csv"]
    drawn.clear()
    write(tmp_path, 4)
    assert drawn == [(1, 2)] and contents(tmp_path)["synthetic_0001.csv"] == first
    assert pd.read_parquet(tmp_path / "synthetic_cohorts.parquet")["cohort"].nunique() == 4


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("how", budget(["SIGKILL"], ["SIGKILL", "SIGINT", "SIGTERM"]))
def test_a_run_stopped_in_the_middle_leaves_whole_cohorts_and_no_process(how, tmp_path):
    asked = ["reconstruct", "--count", "500", "--jobs", "2", "--out", tmp_path / "out"]
    command = [sys.executable, "-m", "nxp2lib", *map(str, asked)]
    settings = {"stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, **settings) as process:
        wait_for(lambda: (tmp_path / "out" / "synthetic_0001.csv").exists())
        (os.kill if how == "SIGKILL" else os.killpg)(process.pid, getattr(signal, how))
        _, said = process.communicate(timeout=60)
    wait_for(lambda: not living(process.pid))
    for file in (tmp_path / "out").glob("synthetic_*.csv"):
        assert archive.broken(pd.read_csv(file)) == []
    if how != "SIGKILL":
        assert not [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]
        assert process.returncode == 130
        assert said == "Stopped: finished cohorts are kept; run the same command to continue.\n"


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def living(session):
    """Return the processes of a session that still run."""
    listed = subprocess.run(["ps", "-eo", "sess=,stat=,args="], capture_output=True, text=True).stdout
    found = [line.split(maxsplit=2) for line in listed.splitlines()]
    return [line for line in found if line[0] == str(session) and "Z" not in line[1]]


# Folders with something else


@pytest.mark.parametrize(
    "other, holds",
    [
        ({"seed": 4}, "holds 3 synthetic cohorts of seed 3; ask for that seed"),
        ({"number": 2}, "holds 3 synthetic cohorts of seed 3; ask for that seed and as many or more"),
        ({"known": without("table1/dysphagia/total/n", "99")}, "that keep other printed numbers"),
    ],
    ids=["another seed", "fewer cohorts", "other printed numbers"],
)
def test_a_folder_with_other_cohorts_is_named_and_stays_as_it_is(drawn, tmp_path, other, holds):
    write(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(archive.Occupied, match=f"{re.escape(str(tmp_path))}: .*{holds}"):
        write(tmp_path, **other)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "name, text", [("synthetic_0001.csv", "mine"), ("synthetic.json", "{}"), ("synthetic.json", "")]
)
def test_cohorts_of_unknown_origin_are_not_overwritten(drawn, tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(archive.Occupied, match=r"holds synthetic cohorts, but no synthetic\.json of theirs"):
        write(tmp_path)
    assert contents(tmp_path) == {name: text.encode()}


# The check


@pytest.fixture
def patients():
    return pd.read_csv(paths.COHORT)


def test_the_reconstructed_cohort_keeps_every_printed_number(patients):
    assert archive.broken(patients) == []


def test_a_cohort_can_be_checked_before_it_is_written(pair):
    assert archive.broken(pair[0][0]) == []


@pytest.mark.parametrize(
    "row, value, expected",
    [
        ("dysphagia", 1, "table1/dysphagia/total/n"),
        ("age_at_onset", 99, "table1/age_at_onset/adult/maximum"),
        ("max_creatine_kinase", 24_999, "table1/max_creatine_kinase/total/q3"),
        ("malignancy", 1, "malignancy/all_sites/adult/sir"),
        ("malignancy_site", "stomach", "malignancy/stomach/adult/n"),
        ("ana_titer", 2560, "text/ana_titer_2560/total/n"),
        ("sex", "female", "table1/male/total/n"),
    ],
)
def test_a_changed_column_breaks_the_numbers_that_depend_on_it(patients, row, value, expected):
    wrong = archive.broken(patients.assign(**{row: value}))
    assert expected in wrong
    assert {"table1/myalgia/total/n", "table2/neck_weakness/extended/n"}.isdisjoint(wrong)


def test_two_values_exchanged_between_groups_break_the_rank_test(patients):
    juvenile = patients["age_at_onset"] < 18
    lowest, highest = (
        patients[juvenile]["max_creatine_kinase"].idxmin(),
        patients[~juvenile]["max_creatine_kinase"].idxmax(),
    )
    level = patients["max_creatine_kinase"].copy()
    level[[lowest, highest]] = level[[highest, lowest]].to_numpy()
    assert "table1/max_creatine_kinase/comparison/p_value" in archive.broken(patients.assign(max_creatine_kinase=level))


def test_every_fact_is_broken_when_nobody_is_juvenile_or_adult(patients):
    wrong = archive.broken(patients.assign(age_at_onset=50))
    assert {"table1/patients/juvenile/n", "table1/max_creatine_kinase/juvenile/median"} <= set(wrong)
    assert "table1/max_creatine_kinase/comparison/p_value" in wrong


def test_a_written_cohort_that_breaks_a_number_is_named_with_it(drawn, tmp_path):
    write(tmp_path)
    file = tmp_path / "synthetic_0002.csv"
    pd.read_csv(file).assign(dysphagia=1).to_csv(file, index=False)
    with pytest.raises(RuntimeError, match=r"synthetic_0002\.csv: does not keep .*table1/dysphagia/total/n"):
        write(tmp_path)


@pytest.mark.parametrize("text", ["", "patient_id\nS01\n"])
def test_a_file_that_is_no_cohort_is_named(drawn, tmp_path, text):
    write(tmp_path)
    (tmp_path / "synthetic_0001.csv").write_text(text, encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"synthetic_0001\.csv: cannot be read back"):
        write(tmp_path)


def test_the_default_cohort_keeps_every_fact_that_the_many_keep():
    assert archive.broken(pd.read_csv(paths.COHORT)) == []
