"""What can go wrong while notebooks run: what stays is whole, and the next run completes."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

import pytest
from budget import budget
from filelock import FileLock

from nxp2lib import paths, run
from nxp2lib.run import execution, kernels, parameters, record

KILLS = budget(3, 50)
DEAF = "import re; re.match('(a+)+$', 'a' * 60 + 'b')"  # listens to no interruption
WRITES = """
from nxp2lib import paths
for number in range(20):
    with paths.replacing(paths.output_folder(output_dir) / "results" / f"NAME_{number}.csv") as partial:
        with partial.open("w") as file:
            for line in range(200):
                file.write(f"{line},NAME\\n")
                file.flush()
            file.write("end\\n")
"""


@pytest.fixture
def writers(tmp_path, write_notebook):
    """A folder of two notebooks that each write 20 files slowly enough to be caught in the middle."""
    for name in ("01_first", "02_second"):
        write_notebook(tmp_path / "nb" / f"{name}.ipynb", WRITES.replace("NAME", name), "print('done')")
    return tmp_path / "nb"


@pytest.fixture
def execute(writers, write_cohort, tmp_path):
    """Return a function that plans and executes the two notebooks in this process, and returns status by name."""
    data = write_cohort()

    def execute_(names=(), **options):
        plan = run.plan(names, data=data, out=tmp_path / "out", folder=writers, **options)
        return {m.name: m.status for m in run.execute(plan) if isinstance(m, run.Outcome)}

    return execute_


def whole(out) -> int:
    """Check that no file in a folder is half written, hidden ones aside; return how many there are."""
    files = [path for path in out.rglob("[!.]*") if path.is_file()]
    for path in files:
        if path.suffix == ".csv":
            assert path.read_text().endswith("end\n"), path
        else:
            json.loads(path.read_text(encoding="utf-8"))
    return len(files)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_run_killed_at_any_moment_leaves_whole_files_and_the_next_one_completes(writers, write_cohort, tmp_path):
    rng, out = random.Random(1), tmp_path / "out"
    words = ["run", "--notebooks", writers, "--data", write_cohort(), "--out", out, "-p", "confidence=0.9"]
    command = [sys.executable, "-m", "nxp2lib", *map(str, words)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    for kill in range(KILLS):
        changed = [*command[:-1], f"confidence=0.{90 + kill % 9}"]  # so that there is something to run again
        with subprocess.Popen(changed, **quiet) as process:
            time.sleep(rng.uniform(0.3, 3.5))
            os.killpg(process.pid, signal.SIGKILL)
        whole(out)
        told = record.earlier(out).get("notebooks", {})
        assert all(record.still_there(entry, out) for entry in told.values() if entry["status"] == "ok")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert whole(out) == 2 * 20 + 2 + 1
    assert [path.name for path in out.rglob(".*")] == [execution.LOCK]


def test_only_what_has_changed_is_run_again(execute, writers, tmp_path, write_notebook):
    assert set(execute().values()) == {"ok"}
    assert set(execute().values()) == {"unchanged"}
    source = WRITES.replace("NAME", "02_second")
    write_notebook(writers / "02_second.ipynb", source, "print('changed')")
    assert execute() == {"01_first": "unchanged", "02_second": "ok"}
    (tmp_path / "out" / "results" / "01_first_3.csv").write_text("edited by hand")
    assert execute() == {"01_first": "ok", "02_second": "unchanged"}
    (tmp_path / "out" / "notebooks" / "02_second.ipynb").unlink()
    assert execute(["02"]) == {"02_second": "ok"}
    assert set(execute(fresh=True).values()) == {"ok"}
    assert set(execute(given={"confidence": "0.9"}).values()) == {"ok"}


def test_another_cohort_under_the_same_name_is_run_again(execute, write_cohort):
    execute()
    write_cohort(seed=2)
    assert set(execute().values()) == {"ok"}


def test_a_change_of_the_package_or_of_its_data_is_run_again(execute, monkeypatch):
    execute()
    shared = record.project()
    for name in ("data/data_dictionary.csv", "nxp2lib/compare.py", "data/cancer_incidence_japan.csv"):
        monkeypatch.setattr(record, "project", lambda name=name: shared | {name: "another checksum"})
        assert set(execute().values()) == {"ok"}
    monkeypatch.setattr(record, "versions", lambda: {"pandas": "4"})
    assert set(execute().values()) == {"ok"}


def test_a_failed_notebook_is_run_again(execute, writers, write_notebook):
    write_notebook(writers / "02_second.ipynb", "raise ValueError('no')")
    assert execute() == {"01_first": "ok", "02_second": "failed"}
    assert execute() == {"01_first": "unchanged", "02_second": "failed"}


@pytest.mark.parametrize("hang", budget([DEAF], ["import time; time.sleep(600)", "while True: pass", DEAF]))
def test_a_notebook_that_hangs_is_stopped_and_the_others_go_on(execute, writers, write_notebook, tmp_path, hang):
    write_notebook(writers / "01_first.ipynb", hang)
    since = time.monotonic()
    assert execute(timeout=6) == {"01_first": "failed", "02_second": "ok"}
    assert time.monotonic() - since < 60
    left = json.loads((tmp_path / "out" / "notebooks" / "01_first.ipynb").read_text(encoding="utf-8"))
    (error,) = [output for cell in left["cells"] for output in cell.get("outputs", [])]
    assert (error["ename"], error["evalue"]) == ("TimeoutError", "not finished after 6 s; --timeout allows more")


def test_only_what_lies_in_the_output_folder_counts_as_left_there(tmp_path):
    for name in ("x.csv", "out/y.csv", "out/copy.ipynb", "out/sub/z.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    out = tmp_path / "out"
    wrote = [out / ".." / "x.csv", out / "sub" / ".." / "y.csv", out / "sub" / "z.csv"]
    left, cells = record.left(dict.fromkeys(wrote, 3), out / "copy.ipynb", out)
    assert set(left) == {"y.csv", "copy.ipynb", "sub/z.csv"} and cells == {"y.csv": 3, "sub/z.csv": 3}


def test_an_output_folder_spelt_another_way_keeps_what_was_left_in_it(writers, write_cohort, tmp_path):
    for name in ("sub", "real"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    list(run.execute(run.plan(["01"], data=write_cohort(), out=tmp_path / "sub" / ".." / "link", folder=writers)))
    left = record.earlier(tmp_path / "real")["notebooks"]["01_first"]["left"]
    assert len(left) == 21 and {"notebooks/01_first.ipynb", "results/01_first_1.csv"} <= left.keys()


def test_two_runs_into_one_folder_are_told_in_one_sentence(execute, tmp_path):
    execute()
    with (
        FileLock(tmp_path / "out" / execution.LOCK),
        pytest.raises(parameters.RunError, match="another run is writing there"),
    ):
        execute()
    assert set(execute().values()) == {"unchanged"}


def test_what_a_killed_run_had_begun_is_taken_away(execute, tmp_path):
    begun = tmp_path / "out" / "results" / f".table1.77{paths.PARTIAL}.csv"
    begun.parent.mkdir(parents=True)
    begun.write_text("half a li")
    execute()
    assert not begun.exists()


@pytest.mark.skipif(os.name != "posix", reason="users")
def test_no_temporary_folder_is_taken_away_of_a_live_run_of_another_user_or_of_someone_else(tmp_path, monkeypatch):
    place = tmp_path / "temporary"
    for name in ("nxp2-killed", "nxp2-tests-made-by-hand", "other"):
        (place / name).mkdir(parents=True)
        (place / name / "file").touch()
    for name in ("nxp2-killed", "other"):
        (place / name / execution.HELD).touch()
    (place / "nxp2-link").symlink_to(place / "other")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    with monkeypatch.context() as as_another, execution.temporary() as live:
        as_another.setattr(os, "geteuid", lambda: -1)
        execution._tidy()
        assert (place / "nxp2-killed" / "file").exists()
        as_another.undo()
        execution._tidy()
        assert live.exists()
    assert sorted(path.name for path in place.iterdir()) == ["nxp2-link", "nxp2-tests-made-by-hand", "other"]
    assert (place / "other" / "file").exists()


def test_a_full_disk_is_a_failure_with_its_reason_and_no_half_file(execute, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(kernels, "_leave", full)
    assert set(execute().values()) == {"failed"}
    assert list((tmp_path / "out" / "notebooks").iterdir()) == []
    monkeypatch.undo()
    assert set(execute().values()) == {"ok"}


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="file size limits")
def test_a_notebook_that_meets_a_full_disk_fails_and_leaves_no_half_file(execute, writers, write_notebook, tmp_path):
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))"
    write_notebook(writers / "01_first.ipynb", limit, WRITES.replace("NAME", "01_first"))
    assert execute() == {"01_first": "failed", "02_second": "ok"}
    assert not list((tmp_path / "out" / "results").glob("*01_first*"))
    assert not list((tmp_path / "out" / "results").glob(".*"))


@pytest.mark.parametrize("name", ["notebooks", "results", "tables", "figures"])
def test_a_folder_of_results_that_is_a_link_is_refused(execute, tmp_path, name):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).symlink_to(elsewhere)
    with pytest.raises(parameters.RunError, match="is a link to another place"):
        execute()
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("value", ["0.9\n", "0.9\x00", "0.9\x1b[2J", "9" * 2000])
def test_a_value_that_no_one_types_is_refused_in_one_line(execute, value):
    with pytest.raises(parameters.RunError, match="confidence: accepted are at most") as caught:
        execute(given={"confidence": value})
    assert str(caught.value).isprintable()


def test_results_are_never_led_among_the_projects_own_files(writers, write_cohort, tmp_path):
    data = write_cohort()
    (tmp_path / "link").symlink_to(paths.DATA)
    for out in (tmp_path / "link", paths.ROOT / "outputs" / ".." / "data", writers / "deeper"):
        with pytest.raises(parameters.RunError, match="do not go among the project's own files"):
            run.plan(data=data, out=out, folder=writers)
