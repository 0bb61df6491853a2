import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import nbformat
import pytest

from nxp2lib import paths, run
from nxp2lib.run import kernels, parameters
from nxp2lib.run import record as record_of

SLEEP = "import time; time.sleep(1.5)"
FOREVER = "import time; time.sleep(60)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_notebook):
    """A folder of small notebooks, one for each way to end."""
    folder = tmp_path_factory.mktemp("project") / "notebooks"
    write_notebook(folder / "01_sleeps.ipynb", SLEEP)
    write_notebook(folder / "02_sleeps_too.ipynb", SLEEP)
    write_notebook(folder / "03_fails.ipynb", "'before'", "1 / 0", "'after'")
    write_notebook(folder / "04_dies.ipynb", "import os; os._exit(3)")
    write_notebook(folder / "05_fails_on_purpose.ipynb", "1 / 0", "print('went on')", tags={0: "raises-exception"})
    settings = "import sys, pathlib; print(sys.executable, pathlib.Path.cwd(), cohort_path, confidence, sep='\\n')"
    write_notebook(folder / "06_tells.ipynb", settings, "print(__import__('os').environ['IPYTHONDIR'])")
    write_notebook(folder / "07_no_parameters.ipynb", "'no confidence here'", parameters="nothing = 1")
    return folder


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory):
    """One run of all of them: plan, messages, seconds, and the manifest's path."""
    place = tmp_path_factory.mktemp("run")
    data = place / "patients.csv"
    data.write_text("patient_id,sex,age_at_onset\nP-one,male,3\nP-two,female,40\n", encoding="utf-8")
    plan = run.plan(data=data, out=place / "out", given={"confidence": "0.9"}, jobs=2, folder=folder)
    since = time.perf_counter()
    messages = list(run.execute(plan))
    seconds = time.perf_counter() - since
    manifest = run.write_manifest(plan, outcomes_of(messages).values())
    return plan, messages, seconds, manifest


def outcomes_of(messages):
    return {message.name: message for message in messages if isinstance(message, run.Outcome)}


def outputs_of(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [output for cell in cells for output in cell.get("outputs", [])]


def printed_by(path):
    return "".join("".join(output["text"]) for output in outputs_of(path) if output["output_type"] == "stream")


def refused(match, folder, **asked):
    with pytest.raises(parameters.RunError, match=match) as caught:
        run.plan(folder=folder, **asked)
    assert "\n" not in str(caught.value)


# Running


def test_notebooks_run_side_by_side(finished):
    _, messages, seconds, _ = finished
    assert seconds < 0.9 * sum(outcome.seconds for outcome in outcomes_of(messages).values())


def test_every_notebook_has_one_outcome_and_the_others_go_on_after_a_failure(finished):
    outcomes = outcomes_of(finished[1])
    assert {name: outcome.status for name, outcome in outcomes.items()} == {
        "01_sleeps": "ok",
        "02_sleeps_too": "ok",
        "03_fails": "failed",
        "04_dies": "failed",
        "05_fails_on_purpose": "ok",
        "06_tells": "ok",
        "07_no_parameters": "ok",
    }


def test_the_error_is_the_failing_cells_own_line(finished):
    assert outcomes_of(finished[1])["03_fails"].error == "ZeroDivisionError: division by zero"


def test_a_failed_notebook_leaves_its_copy_with_the_failing_cell(finished):
    copy = finished[0].output / "notebooks" / "03_fails.ipynb"
    assert [output.get("ename") for output in outputs_of(copy)] == [None, "ZeroDivisionError"]
    assert "An Exception was encountered" in copy.read_text(encoding="utf-8")


def test_a_kernel_that_dies_is_a_failure_and_its_cell_says_so(finished):
    plan, messages, _, _ = finished
    assert outcomes_of(messages)["04_dies"].error == "DeadKernelError: " + kernels.DIED
    assert outputs_of(plan.output / "notebooks" / "04_dies.ipynb")[-1]["ename"] == "DeadKernelError"


def test_a_cell_that_is_meant_to_fail_is_no_failure(finished):
    copy = finished[0].output / "notebooks" / "05_fails_on_purpose.ipynb"
    assert printed_by(copy) == "went on\n"
    assert "An Exception was encountered" not in copy.read_text(encoding="utf-8")


def test_kernels_run_this_python_in_the_notebooks_folder_with_the_given_values(finished, folder):
    told = printed_by(finished[0].output / "notebooks" / "06_tells.ipynb").splitlines()
    python, place, cohort, confidence, settings = told
    assert Path(python) == Path(sys.executable)
    assert Path(place) == folder.resolve()
    assert Path(cohort).is_absolute() and Path(cohort).name == "patients.csv"
    assert confidence == "0.9"
    assert Path(settings).name.startswith("nxp2-")


def test_the_temporary_folder_of_the_kernels_is_gone(finished):
    told = printed_by(finished[0].output / "notebooks" / "06_tells.ipynb").splitlines()
    assert not Path(told[-1]).exists()


def test_a_parameter_goes_only_to_notebooks_that_have_it(finished):
    passed = {notebook.name: set(notebook.passed) for notebook in finished[0].notebooks}
    assert passed["06_tells"] == {"cohort_path", "output_dir", "confidence"}
    assert passed["07_no_parameters"] == set()


def test_progress_counts_the_cells_of_each_notebook(finished):
    seen = [message.cells for message in finished[1] if message.name == "03_fails" and not hasattr(message, "error")]
    assert seen == [0, 1, 2, 3, 4]


def test_executed_copies_are_whole_and_alone(finished):
    plan = finished[0]
    left = sorted(path.name for path in (plan.output / "notebooks").iterdir())
    assert left == [notebook.path.name for notebook in plan.notebooks]


def test_executed_copies_call_files_by_their_names_and_name_no_folder(finished, folder):
    copies = finished[0].output / "notebooks"
    copy = json.loads((copies / "01_sleeps.ipynb").read_text(encoding="utf-8"))
    told = {"cohort_path": "patients.csv", "output_dir": "out", "confidence": 0.9}
    assert copy["metadata"]["papermill"]["parameters"] == told
    (injected,) = [cell for cell in copy["cells"] if "injected-parameters" in cell["metadata"]["tags"]]
    lines = "".join(injected["source"]).splitlines()[1:]
    assert sorted(lines) == [f"{name} = {json.dumps(told[name])}" for name in sorted(told)]
    for name in ("01_sleeps", "03_fails", "04_dies"):
        text = (copies / f"{name}.ipynb").read_text(encoding="utf-8")
        assert not re.search(r"(?<![~\w.])/(?:tmp|home|root|work|usr|Users)\b", text), name


def test_an_error_in_an_executed_copy_names_no_folder_of_the_project(write_notebook, write_cohort, tmp_path):
    failing = "from nxp2lib import paths; paths.find('no such file')"
    source = write_notebook(tmp_path / "nb" / "01_looks.ipynb", failing)
    list(run.execute(run.plan(data=write_cohort(), out=tmp_path / "out", folder=source.parent)))
    text = (tmp_path / "out" / "notebooks" / source.name).read_text(encoding="utf-8")
    assert "nxp2lib/paths.py" in text and "no such file" in text
    assert str(paths.ROOT) not in text and sys.prefix not in text


def test_without_data_and_out_a_notebook_keeps_its_own_defaults(folder, write_cohort, monkeypatch):
    monkeypatch.setattr(paths, "COHORT", write_cohort())
    plan = run.plan(["06"], folder=folder)
    assert plan.notebooks[0].passed == {}
    assert plan.output == Path(os.environ["NXP2_OUTPUT_ROOT"]) / "outputs"


def test_a_kernel_installed_under_the_same_name_is_not_used(folder, write_cohort, tmp_path, monkeypatch):
    other = tmp_path / "kernels" / "python3"
    other.mkdir(parents=True)
    command = {"argv": ["no_such_python", "{connection_file}"], "display_name": "Other", "language": "python"}
    (other / "kernel.json").write_text(json.dumps(command), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    plan = run.plan(["06"], data=write_cohort(), out=tmp_path / "out", folder=folder)
    assert [outcome.error for outcome in outcomes_of(run.execute(plan)).values()] == [""]


@pytest.mark.skipif(os.name != "posix", reason="sockets in files")
def test_kernels_talk_through_files_not_ports(write_notebook, write_cohort, tmp_path):
    transport = "from ipykernel.kernelapp import IPKernelApp; print(IPKernelApp.instance().transport)"
    source = write_notebook(tmp_path / "nb" / "01_transport.ipynb", transport).parent
    plan = run.plan(data=write_cohort(), out=tmp_path / "out", folder=source)
    list(run.execute(plan))
    assert printed_by(tmp_path / "out" / "notebooks" / "01_transport.ipynb") == "ipc\n"


def test_kernels_write_nothing_to_the_terminal_even_where_they_have_to_use_ports(
    write_notebook, write_cohort, tmp_path, monkeypatch, capfd
):
    monkeypatch.setattr(kernels, "LONGEST_FOLDER", 0)
    noisy = "from ipykernel.kernelapp import IPKernelApp; print(IPKernelApp.instance().transport)"
    source = write_notebook(tmp_path / "nb" / "01_noisy.ipynb", noisy).parent
    list(run.execute(run.plan(data=write_cohort(), out=tmp_path / "out", folder=source)))
    assert printed_by(tmp_path / "out" / "notebooks" / "01_noisy.ipynb") == "tcp\n"
    assert capfd.readouterr() == ("", "")


def test_a_copy_that_cannot_be_written_is_a_failure(folder, write_cohort, tmp_path):
    plan = run.plan(["06"], data=write_cohort(), out=tmp_path / "out", folder=folder)
    (tmp_path / "out" / "notebooks" / "06_tells.ipynb").mkdir()
    (outcome,) = outcomes_of(run.execute(plan)).values()
    assert outcome.status == "failed" and "06_tells" in outcome.error


def test_a_copy_that_breaks_off_leaves_the_old_one(folder, write_cohort, tmp_path, monkeypatch):
    def write_half(executed, path):
        path.write_text('{"cells": [', encoding="utf-8")
        raise OSError(28, "No space left on device")

    plan = run.plan(["06"], data=write_cohort(), out=tmp_path / "out", folder=folder)
    old = tmp_path / "out" / "notebooks" / "06_tells.ipynb"
    old.write_text("old", encoding="utf-8")
    monkeypatch.setattr(nbformat, "write", write_half)
    (outcome,) = outcomes_of(run.execute(plan)).values()
    assert "No space left on device" in outcome.error
    assert old.read_text(encoding="utf-8") == "old" and list(old.parent.iterdir()) == [old]


def test_closing_the_iterator_stops_what_runs_and_leaves_nothing(write_notebook, write_cohort, tmp_path):
    source = write_notebook(tmp_path / "nb" / "01_forever.ipynb", FOREVER).parent
    messages = run.execute(run.plan(data=write_cohort(), out=tmp_path / "out", folder=source))
    next(messages)
    since = time.perf_counter()
    messages.close()
    assert time.perf_counter() - since < 20
    assert list((tmp_path / "out" / "notebooks").iterdir()) == []


@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT", "SIGTERM"])
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_run_stopped_in_the_middle_leaves_whole_files_and_no_kernel(
    how, write_notebook, write_cohort, tmp_path, monkeypatch
):
    source = tmp_path / "nb"
    write_notebook(source / "01_quick.ipynb", "'done'")
    pid_file = tmp_path / "pid"
    tell = f"import os, pathlib; pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))"
    write_notebook(source / "02_forever.ipynb", tell, FOREVER)
    asked = ["run", "--notebooks", source, "--data", write_cohort(), "--out", tmp_path / "out", "--jobs", "2"]
    command = [sys.executable, "-m", "nxp2lib", *map(str, asked)]
    short = tempfile.mkdtemp()
    settings = {"env": {**os.environ, "TMPDIR": short}, "text": True, "start_new_session": True}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **settings) as process:
        copies = tmp_path / "out" / "notebooks"
        wait_for(lambda: pid_file.exists() and pid_file.read_text() and (copies / "01_quick.ipynb").exists())
        os.killpg(process.pid, getattr(signal, how))
        _, said = process.communicate(timeout=30)
    assert [path.name for path in copies.iterdir()] == ["01_quick.ipynb"]
    assert outputs_of(copies / "01_quick.ipynb")
    record = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert record["finished"] is None and set(record["notebooks"]) <= {"01_quick"}
    wait_for(lambda: not is_running(int(pid_file.read_text())))
    if how == "SIGKILL":
        assert len(list(Path(short).iterdir())) == 1
        monkeypatch.setattr(tempfile, "tempdir", short)
        list(run.execute(run.plan(["01"], data=tmp_path / "cohort.csv", out=tmp_path / "another", folder=source)))
        assert list(Path(short).iterdir()) == []
    else:
        assert list(Path(short).iterdir()) == []
        assert process.returncode == 130
        assert said == "Stopped: notebooks that had finished are saved, the others left nothing.\n"
    shutil.rmtree(short)


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout


# The record


def test_two_inputs_of_one_name_keep_their_own_checksums(write_notebook, write_cohort, tmp_path):
    (tmp_path / "other").mkdir()
    screened = tmp_path / "other" / "cohort.csv"
    screened.write_text("screening_id,antibody\nR1,anti_nxp2\n", encoding="utf-8")
    parameters = 'cohort_path: str = "data/cohort.csv"\nscreening_path: str = "data/screening.csv"'
    source = write_notebook(tmp_path / "nb" / "01_both.ipynb", "'both'", parameters=parameters).parent
    plan = run.plan(data=write_cohort(), given={"screening_path": str(screened)}, out=tmp_path / "out", folder=source)
    sums = plan.manifest["sha256"]
    assert sums["cohort.csv"] == plan.manifest["cohort_sha256"] != sums["cohort.csv (2)"]
    assert sums["cohort.csv (2)"] == hashlib.sha256(screened.read_bytes()).hexdigest()
    written = json.loads(run.write_manifest(plan, list(run.execute(plan))[-1:]).read_text(encoding="utf-8"))
    told = written["notebooks"]["01_both"]["parameters"]
    assert (told["cohort_path"], told["screening_path"]) == ("cohort.csv", "cohort.csv (2)")


def test_the_manifest_tells_what_went_in_and_what_came_out(finished):
    _, messages, _, path = finished
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["patients"] == 2
    assert {name: entry["status"] for name, entry in record["notebooks"].items()} == {
        name: outcome.status for name, outcome in outcomes_of(messages).items()
    }
    assert record["notebooks"]["06_tells"]["parameters"] == {
        "cohort_path": "patients.csv",
        "map_path": "",
        "output_dir": "out",
        "juvenile_below_age": 18,
        "confidence": 0.9,
    }
    assert record["notebooks"]["01_sleeps"]["seconds"] >= 1.5
    assert set(record["versions"]) == {"python", "nxp2lib", *record_of.LIBRARIES}


def test_the_record_tells_which_cell_left_which_file(write_notebook, write_cohort, tmp_path):
    define = "from pathlib import Path; from nxp2lib import paths\n"
    define += "def save(name):\n    with paths.replacing(Path(output_dir) / name) as partial: partial.write_text('ok')"
    first, last = "save('results/b.csv'); save('a.csv')", "save('results/b.csv'); save('d.csv')"
    elsewhere = "save(Path(output_dir).with_name('elsewhere.csv')); (Path(output_dir) / 'd.csv').unlink()"
    source = write_notebook(tmp_path / "nb" / "01_writes.ipynb", define, first, "save('c.csv')", last, elsewhere).parent
    write_notebook(source / "02_fails.ipynb", define, "1 / 0", "save('e.csv')", "1 / 0", tags={1: "raises-exception"})
    plan = run.plan(data=write_cohort(), out=tmp_path / "out", folder=source)
    entries = json.loads(run.write_manifest(plan, outcomes_of(run.execute(plan)).values()).read_text("utf-8"))
    for name, wrote in [
        ("01_writes", {"results/b.csv": last, "a.csv": first, "c.csv": "save('c.csv')"}),
        ("02_fails", {"e.csv": "save('e.csv')"}),  # where two cells of papermill tell of the failure
    ]:
        entry, copy = entries["notebooks"][name], f"notebooks/{name}.ipynb"
        cells = nbformat.read(tmp_path / "out" / copy, as_version=4).cells
        assert {file: cells[place].source for file, place in entry["cells"].items()} == wrote
        assert set(entry["left"]) == {*wrote, copy}


def test_the_manifest_has_times_with_a_zone(finished):
    record = json.loads(finished[3].read_text(encoding="utf-8"))
    started, finished_at = (datetime.fromisoformat(record[name]) for name in ("started", "finished"))
    assert started.tzinfo and started <= finished_at


def test_the_manifest_has_the_checksums_of_every_input(finished, folder):
    sums = json.loads(finished[3].read_text(encoding="utf-8"))["sha256"]
    own = {"patients.csv": finished[3].parent.parent / "patients.csv", "03_fails.ipynb": folder / "03_fails.ipynb"}
    of_project = ["data/data_dictionary.csv", "data/cancer_incidence_japan.csv", "nxp2lib/run/record.py"]
    of_project += ["data/published_left_out.csv", "nxp2lib/audit/words.csv"]
    own |= {name: paths.ROOT / name for name in of_project}
    assert {name: sums[name] for name in own} == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in own.items()
    }
    assert {f"data/published/{path.name}" for path in paths.PUBLISHED.glob("*.csv")} <= sums.keys()


def test_the_manifest_holds_no_patient_and_no_absolute_path(finished, tmp_path_factory):
    text = finished[3].read_text(encoding="utf-8")
    assert "P-one" not in text
    assert str(tmp_path_factory.getbasetemp()) not in text and str(paths.ROOT) not in text


def test_a_manifest_that_cannot_be_read_is_replaced(folder, write_cohort, tmp_path):
    old = tmp_path / "out" / "manifest.json"
    old.parent.mkdir()
    old.write_text("[1, {", encoding="utf-8")
    list(run.execute(run.plan(["06"], data=write_cohort(), out=tmp_path / "out", folder=folder)))
    assert set(json.loads(old.read_text(encoding="utf-8"))["notebooks"]) == {"06_tells"}


# What is refused


def test_notebooks_are_found_by_name_number_or_path(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    names = ["06", "01_sleeps", "03_fails.ipynb", "notebooks/04_dies.ipynb", "06_tells"]
    chosen = [path.name for path in parameters.choose(names, folder)]
    assert chosen == ["06_tells.ipynb", "01_sleeps.ipynb", "03_fails.ipynb", "04_dies.ipynb"]


def test_no_name_means_all_notebooks_in_name_order_but_hidden_ones(folder, write_notebook):
    hidden = write_notebook(folder / ".hidden.ipynb")
    assert [path.name[:2] for path in parameters.choose([], folder)] == ["01", "02", "03", "04", "05", "06", "07"]
    hidden.unlink()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("03_fail", r"03_fail: no such notebook; did you mean '03_fails'\?"),
        ("99", "99: no such notebook; there are: 01_sleeps, 02_sleeps_too"),
        ("elsewhere/03_fails.ipynb", "elsewhere/03_fails.ipynb: no such notebook"),
    ],
)
def test_an_unknown_notebook_is_answered_with_the_nearest(folder, name, said):
    refused(said, folder, names=[name])


def test_a_number_that_two_notebooks_share_is_refused(write_notebook, tmp_path):
    for name in ("01_a", "01_b"):
        write_notebook(tmp_path / f"{name}.ipynb")
    refused("01: several notebooks have this number: 01_a, 01_b", tmp_path, names=["01"])


def test_a_folder_without_notebooks_is_refused(tmp_path):
    refused("there are no notebooks in this folder", tmp_path)


@pytest.mark.parametrize("content", ["not JSON", "[]", '{"worksheets": []}', '{"cells": [{"metadata": []}]}'])
def test_a_file_that_is_no_notebook_is_refused(tmp_path, content):
    (tmp_path / "01_broken.ipynb").write_text(content, encoding="utf-8")
    refused("01_broken.ipynb: not a notebook of format 4", tmp_path)


@pytest.mark.parametrize("cell", ["%matplotlib inline", "a = 1 +", "limit = int('18')"])
def test_parameters_that_are_not_plain_values_are_refused(write_notebook, tmp_path, cell):
    write_notebook(tmp_path / "01_odd.ipynb", parameters=cell)
    refused("01_odd.ipynb: its parameters cell has to hold plain values", tmp_path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("confidance", r"confidance: none of the chosen notebooks has this parameter; did you mean 'confidence'\?"),
        ("zzz", "zzz: none .*; there are: cohort_path, map_path, output_dir, juvenile_below_age, confidence, nothing"),
    ],
)
def test_an_unknown_parameter_is_answered_with_the_nearest(folder, name, said):
    refused(said, folder, given={name: "1"})


def test_a_parameter_of_another_notebook_than_the_chosen_is_unknown(folder):
    refused(
        "confidence: none of the chosen notebooks has this parameter", folder, names=["07"], given={"confidence": "1"}
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("juvenile_below_age", "18.5", "'18.5' is not accepted; accepted: a whole number"),
        ("juvenile_below_age", "0", "0 is not accepted; accepted: 1 to 110"),
        ("confidence", "0,9", "'0,9' is not accepted; accepted: a number"),
        ("confidence", "nan", "'nan' is not accepted; accepted: a number"),
        ("confidence", "95", "95.0 is not accepted; accepted: a level between 0 and 1"),
        ("years_at_risk", "0", "0 is not accepted; accepted: a number above 0"),
        ("rank_test", "asymptotic", "'asymptotic' is not accepted; accepted: auto, exact, spss"),
        ("quantile_method", "weibul", "'weibul' is not accepted; accepted: weibull"),
        ("flag", "maybe", "'maybe' is not accepted; accepted: true or false"),
        ("rows", "[1]", r"'\[1\]' is not accepted; accepted: nothing"),
    ],
)
def test_a_value_of_the_wrong_type_or_range_is_refused(write_notebook, tmp_path, name, value, said):
    more = 'years_at_risk: float = 1.0\nquantile_method: str = "weibull"\nflag: bool = False\nrows: list = []\n'
    more += 'rank_test: str = "auto"\n'
    more += "juvenile_below_age: int = 18\nconfidence: float = 0.95"
    write_notebook(tmp_path / "01_typed.ipynb", parameters=more)
    refused(f"{name}: {said}", tmp_path, given={name: value})


def test_values_take_the_type_of_the_default(write_notebook, tmp_path):
    typed = 'a: float = 1\nb = 1  # x=y\nc: int | None = None\nd: bool = False\ne = "text"\nf: int | None = 3'
    notebook = parameters.read(write_notebook(tmp_path / "01_typed.ipynb", parameters=typed))
    wanted = {"a": "2", "b": "2", "c": "2", "d": "Yes", "e": "2", "f": "None"}
    (settled,) = parameters.settle([notebook], wanted)
    assert settled.passed == {"a": 2.0, "b": 2, "c": 2, "d": True, "e": "2", "f": None}
    assert [type(value) for value in settled.passed.values()] == [float, int, int, bool, str, type(None)]


@pytest.mark.parametrize(("option", "name"), [("data", "cohort_path"), ("out", "output_dir")])
def test_an_option_and_the_parameter_of_the_same_meaning_exclude_each_other(folder, option, name):
    said = f"--{option} and -p {name} mean the same; give one of them"
    refused(said, folder, **{option: "here"}, given={name: "there"})


def test_part_of_the_notebooks_is_not_run_into_the_results_of_another_cohort(folder, write_cohort, tmp_path):
    out = tmp_path / "out"
    first = run.plan(["01"], data=write_cohort(name="one.csv"), out=out, folder=folder)
    run.write_manifest(first, [run.Outcome(first.notebooks[0].name, 1.0, "")])
    record = (out / "manifest.json").read_bytes()
    other = write_cohort(seed=2, name="two.csv")
    with pytest.raises(parameters.RunError, match="holds results of another cohort; run all notebooks"):
        run.plan(["01"], data=other, out=out, folder=folder)
    assert (out / "manifest.json").read_bytes() == record
    assert run.plan(["01"], data=tmp_path / "one.csv", out=out, folder=folder).patients == 20


def test_paths_given_as_parameters_work_like_the_options(folder, write_cohort, tmp_path, monkeypatch):
    write_cohort()
    monkeypatch.chdir(tmp_path)
    plan = run.plan(["06"], given={"cohort_path": "cohort.csv", "output_dir": "out"}, folder=folder)
    assert plan.output == tmp_path / "out"
    assert plan.notebooks[0].passed["cohort_path"] == str(tmp_path / "cohort.csv")


def test_other_input_files_are_found_from_the_users_folder_and_recorded(
    write_notebook, write_cohort, tmp_path, monkeypatch
):
    more = 'screening_path: str = "data/screening.csv"\nspare_path: str | None = None'
    source = write_notebook(tmp_path / "nb" / "01_two_files.ipynb", parameters=more).parent
    (tmp_path / "seen.csv").write_text("screening_id\n", encoding="utf-8")
    monkeypatch.setattr(paths, "COHORT", write_cohort())
    monkeypatch.chdir(tmp_path)
    plan = run.plan(given={"screening_path": "seen.csv", "spare_path": "None"}, out="out", folder=source)
    assert plan.notebooks[0].passed == {"screening_path": str(tmp_path / "seen.csv"), "spare_path": None}
    assert "seen.csv" in plan.manifest["sha256"]
    refused(r"did you mean 'seen.csv'\?", source, given={"screening_path": "sen.csv"})


def test_a_missing_cohort_is_answered_with_the_nearest_file(folder, write_cohort):
    near = write_cohort()
    refused(r"no such file .*; did you mean 'cohort.csv'\?", folder, data=near.with_name("cohrt.csv"))


def test_a_cohort_with_problems_is_refused_with_all_its_lines(folder, tmp_path):
    (tmp_path / "bad.csv").write_text("patient_id,sex,age_at_onset,disphagia\na,mal,300,1\n", encoding="utf-8")
    with pytest.raises(parameters.RunError) as caught:
        run.plan(data=tmp_path / "bad.csv", folder=folder)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3 and all(line.startswith("bad.csv: row ") for line in lines)
    assert "did you mean 'dysphagia'" in lines[0]


def test_a_cohort_that_cannot_be_read_is_refused(folder, tmp_path):
    (tmp_path / "junk.xlsx").write_bytes(bytes(range(256)) * 20)
    refused("junk.xlsx: .*not an Excel workbook", folder, data=tmp_path / "junk.xlsx")


@pytest.mark.parametrize("below", ["", "deeper/still", "notebooks"])
def test_a_file_in_the_way_of_the_results_is_refused(folder, write_cohort, tmp_path, below):
    (tmp_path / "blocked").write_text("in the way", encoding="utf-8")
    refused("results cannot be written there", folder, data=write_cohort(), out=tmp_path / "blocked" / below)


def test_a_folder_in_the_way_of_the_manifest_is_refused(folder, write_cohort, tmp_path):
    (tmp_path / "out" / "manifest.json").mkdir(parents=True)
    refused("results cannot be written there", folder, data=write_cohort(), out=tmp_path / "out")


def test_results_never_replace_the_notebooks_themselves(folder, write_cohort):
    refused("results do not go among the project's own files", folder, data=write_cohort(), out=folder.parent)


@pytest.mark.parametrize("place", [paths.DATA, paths.NOTEBOOKS, paths.ROOT / "nxp2lib"])
def test_results_do_not_go_among_the_projects_own_files(folder, write_cohort, place):
    refused("results do not go among the project's own files", folder, data=write_cohort(), out=place)
    assert not (place / "manifest.json").exists()


@pytest.mark.parametrize("name", ["1", "01"])
def test_a_number_may_lack_its_leading_zero(folder, name):
    assert [path.name[:3] for path in parameters.choose([name], folder)] == ["01_"]


def test_a_cohort_given_as_a_notebook_is_told_how_to_give_it(folder, write_cohort):
    refused("a cohort is given with --data", folder, names=[str(write_cohort())])
