import csv
import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from made import finished, of_few_rows, random_cohort
from typer.testing import CliRunner

import nxp2lib
from nxp2lib import cli, cohort, paths, run

WRONG = "patient_id,sex,age_at_onset,disphagia\nP-one,mal,300,1\n[bold]P-two[/],female,4\x1b[31m,1\n"


@pytest.fixture
def nxp2(tmp_path, monkeypatch):
    """Return a function that runs a command in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)
    return lambda *words, **settings: CliRunner().invoke(cli.app, [str(word) for word in words], **settings)


@pytest.fixture
def notebooks(tmp_path_factory, write_notebook):
    """A folder of two notebooks that work and one that fails."""
    folder = tmp_path_factory.mktemp("project") / "notebooks"
    write_notebook(folder / "01_works.ipynb", "'fine'")
    write_notebook(folder / "02_works.ipynb", "print(confidence)")
    write_notebook(folder / "03_fails.ipynb", "raise ValueError('[red]no\\x1b[31m\\nsecond line')")
    return folder


def python(*words, **settings):
    return subprocess.run(
        [sys.executable, *map(str, words)], capture_output=True, text=True, encoding="utf-8", timeout=120, **settings
    )


# Help


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["run", "--help"], ["validate", "-h"], ["reconstruct", "-h"]]
)
def test_help_imports_nothing_heavy(words):
    heavy = {"pandas", "numpy", "papermill", "nbformat", "rich.progress"}
    report = f"atexit.register(lambda: print('HEAVY', *{heavy} & sys.modules.keys()))"
    check = f"import sys, atexit; from nxp2lib import cli; {report}; sys.argv = ['nxp2', *{words}]; cli.main()"
    done = python("-c", check)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.rstrip().endswith("HEAVY")


def test_each_command_shows_an_example(nxp2):
    for command in ("run", "template", "validate", "export", "reconstruct", "bounds", "audit"):
        assert f"Example: nxp2 {command}" in nxp2(command, "--help").stdout


def test_the_version_is_that_of_the_package(nxp2):
    assert nxp2("--version").stdout == f"nxp2 {nxp2lib.__version__}\n"


def test_python_m_is_the_same_program():
    done = python("-m", "nxp2lib", "--help")
    assert done.returncode == 0 and done.stdout.startswith("Usage: nxp2 ")


@pytest.mark.parametrize(
    ("words", "near"),
    [(["rum"], "run"), (["run", "--dat", "x"], "--data"), (["validate", "x", "--jsn"], "--json")],
)
def test_a_misspelt_command_or_option_is_answered_with_the_nearest(nxp2, words, near):
    done = nxp2(*words)
    assert done.exit_code == 2 and near in done.stderr.splitlines()[-1]


# run


def test_a_log_has_one_plain_line_per_notebook_and_no_noise(notebooks, write_cohort, tmp_path):
    asked = ["run", "01", "02", "--notebooks", notebooks, "--data", write_cohort(), "--out", tmp_path / "out"]
    done = python("-m", "nxp2lib", *asked, "-p", "confidence = 0.9", cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert sorted(line.split()[:2] for line in lines[:2]) == [["01_works", "ok"], ["02_works", "ok"]]
    assert lines[2].startswith("20 patients; 2 notebooks: 2 ok, 0 failed; ")
    assert lines[3] == f"Results: {tmp_path / 'out'}"
    assert len(lines) == 4 and "\x1b" not in done.stdout
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == ["manifest.json", "notebooks"]


def test_a_failed_notebook_is_named_with_its_error_and_exit_status_1(nxp2, notebooks, write_cohort):
    done = nxp2("run", "--notebooks", notebooks, "--data", write_cohort(), "--out", "out", "--jobs", 3)
    assert done.exit_code == 1 and done.stderr == ""
    lines = done.stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("03_fails  failed"))
    assert lines[place + 1] == "    ValueError: [red]no\\x1b[31m"
    assert lines[place + 2].endswith("03_fails.ipynb")
    assert "20 patients; 3 notebooks: 2 ok, 1 failed; " in done.stdout
    assert json.loads((Path("out") / "manifest.json").read_text())["notebooks"]["03_fails"]["status"] == "failed"


def test_a_record_that_cannot_be_written_is_told_without_a_traceback(nxp2, notebooks, write_cohort, monkeypatch):
    def write_manifest(plan, outcomes):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run, "write_manifest", write_manifest)
    done = nxp2("run", "01", "--notebooks", notebooks, "--data", write_cohort(), "--out", "out")
    assert done.exit_code == 1 and done.stderr.endswith("could not be recorded (No space left on device)\n")


def test_a_terminal_gets_a_progress_bar(nxp2, notebooks, write_cohort):
    asked = ["run", "01", "--notebooks", notebooks, "--data", write_cohort(), "--out", "out"]
    done = nxp2(*asked, env={"FORCE_COLOR": "1", "TERM": "xterm"})
    assert done.exit_code == 0, done.exception
    assert "━" in done.stdout and "01_works" in done.stdout and "\x1b[" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["07"], "07: no such notebook; there are: 01_works, 02_works, 03_fails"),
        (["01_work"], "01_work: no such notebook; did you mean '01_works'?"),
        (["-p", "confidance=0.9"], "did you mean 'confidence'?"),
        (["-p", "confidence"], "-p confidence: a setting is given as NAME=VALUE, such as -p confidence=0.9"),
        (["-p", "confidence=high"], "confidence: 'high' is not accepted; accepted: a number, such as 0.95"),
        (["-p", "juvenile_below_age=200"], "juvenile_below_age: 200 is not accepted; accepted: 1 to 110 (years)"),
        (["--data", "chort.csv"], "did you mean 'cohort.csv'?"),
        (["--data", "junk.xlsx"], "not an Excel workbook; accepted: a CSV file (.csv), an Excel workbook (.xlsx)"),
        (["--data", "wrong.csv"], "did you mean 'dysphagia'?"),
        (["--out", "cohort.csv"], "results cannot be written there"),
        (["--out", "cohort.csv/below"], "results cannot be written there"),
        (["--jobs", "0"], "Invalid value for '--jobs'"),
    ],
)
def test_a_mistake_is_told_in_one_line_and_nothing_is_written(nxp2, notebooks, write_cohort, tmp_path, words, said):
    write_cohort()
    (tmp_path / "junk.xlsx").write_bytes(os.urandom(2000))
    (tmp_path / "wrong.csv").write_text(WRONG, encoding="utf-8")
    data = [] if "--data" in words else ["--data", "cohort.csv"]
    out = [] if "--out" in words else ["--out", "out"]
    before = sorted(tmp_path.rglob("*"))
    done = nxp2("run", "--notebooks", notebooks, *data, *out, *words)
    assert done.exit_code == 2 and done.stdout == ""
    assert said in done.stderr and "Traceback" not in done.stderr and "\x1b" not in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_deleted_between_two_notebooks_ends_with_exit_status_1_and_the_next_run_completes(
    nxp2, write_notebook, write_cohort, tmp_path
):
    asked = ["run", "--notebooks", tmp_path / "nb", "--data", write_cohort(), "--out", "out", "--jobs", 1]
    write_notebook(tmp_path / "nb" / "01_leaves.ipynb", "'fine'")
    write_notebook(tmp_path / "nb" / "02_deletes.ipynb", "__import__('shutil').rmtree(output_dir)")
    done = nxp2(*asked)
    said = f"{tmp_path / 'out'}: the run could not be recorded (what 01_leaves left there is gone; run again)\n"
    assert (done.exit_code, done.stderr) == (1, said)
    write_notebook(tmp_path / "nb" / "02_deletes.ipynb", "'deletes no more'")
    assert nxp2(*asked).exit_code == 0
    assert sorted(path.stem for path in (tmp_path / "out" / "notebooks").iterdir()) == ["01_leaves", "02_deletes"]


# Output that cannot be written

LONG = 300 * "x"


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--data", "cohort.csv", "--out", LONG],
        ["run", "--data", "cohort.csv", "-p", f"output_dir={LONG}"],
        ["template", f"{LONG}.xlsx"],
        ["template", "--redcap", f"{LONG}.csv"],
        ["validate", "cohort.csv", "--html", f"{LONG}.html"],
        ["audit", "--out", f"{LONG}.csv"],
        ["reconstruct", "--count", "1", "--out", LONG],
        ["export", LONG],
        ["book", LONG],
        ["teach", "--trainees", "names.csv", "--out", LONG],
        ["grade", LONG],
    ],
)
def test_an_output_name_of_300_letters_is_told_in_one_line_and_nothing_is_written(nxp2, write_cohort, tmp_path, words):
    write_cohort()
    (tmp_path / "names.csv").write_text("trainee\nAnna\n", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    done = nxp2(*words)
    assert done.exit_code == 2 and done.stdout == "", done.exception
    assert LONG in done.stderr and done.stderr.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("words", "unbuffered"),
    [(["--version"], ""), (["--version"], "1"), (["template", "form.csv"], ""), (["run", "01"], "")],
)
def test_a_full_standard_output_is_told_in_one_line(notebooks, write_cohort, tmp_path, words, unbuffered):
    own = ["--notebooks", notebooks, "--data", write_cohort(), "--out", "out"] if words[0] == "run" else []
    settings = {"env": {**os.environ, "PYTHONUNBUFFERED": unbuffered}, "cwd": tmp_path, "text": True, "check": False}
    command = [sys.executable, "-m", "nxp2lib", *words, *map(str, own)]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, **settings)
    assert done.returncode == 1
    assert done.stderr == f"standard output: cannot be written ({os.strerror(errno.ENOSPC)})\n"


@pytest.mark.skipif(os.name != "posix", reason="pipes")
def test_a_reader_that_leaves_early_ends_the_command_without_a_word(tmp_path):
    end, pipe = os.pipe()
    os.close(end)
    command = [sys.executable, "-m", "nxp2lib", "--version"]
    done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, cwd=tmp_path, check=False)
    os.close(pipe)
    assert (done.returncode, done.stderr) == (1, b"")


# validate


@pytest.mark.parametrize("name", ["cohort.csv", "cohort.xlsx"])
def test_a_clean_file_has_no_problems(nxp2, write_cohort, name):
    write_cohort(200, missing=0.2, name=name)
    done = nxp2("validate", name)
    assert done.exit_code == 0 and "\nProblems" not in done.stdout
    assert done.stdout.splitlines()[0].startswith(f"{name}: {'Excel' if name.endswith('x') else 'CSV file in UTF-8'}")
    assert f"{name}: 200 patients, no problems, " in done.stdout


def test_a_clean_file_lists_the_columns_that_it_lacks(nxp2, tmp_path):
    (tmp_path / "few.csv").write_text("patient_id,sex,age_at_onset\na,male,3\n", encoding="utf-8")
    done = nxp2("validate", "few.csv")
    assert "Not in the file, so unknown for everyone: center, any_rash, " in done.stdout
    assert done.stdout.endswith("few.csv: 1 patient, no problems, no warnings\n")


def test_every_problem_is_listed_in_aligned_lines_and_in_full(nxp2, tmp_path):
    (tmp_path / "wrong.csv").write_text(WRONG, encoding="utf-8")
    done = nxp2("validate", "wrong.csv")
    assert done.exit_code == 1
    lines = done.stdout[done.stdout.index("Problems\n") :].splitlines()[1:]
    header, *rows, blank, last = lines
    assert blank == ""
    starts = [header.index(name) for name in ("row", "column", "value", "accepted")]
    cells = [[row[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)] for row in rows]
    assert [row[:3] for row in cells] == [
        ["1", "disphagia", "disphagia"],
        ["2", "sex", "mal"],
        ["2", "age_at_onset", "300"],
        ["3", "age_at_onset", "4\\x1b[31m"],
    ]
    assert cells[1][3] == "male or female"
    assert last == "wrong.csv: 2 patients, 4 problems, no warnings"


def test_a_terminal_gets_a_table_with_every_cell_in_full(nxp2, tmp_path):
    long = "a_value_without_any_space_" * 8
    (tmp_path / "wrong.csv").write_text(f"patient_id,sex,age_at_onset\na,[red]{long},1\n", encoding="utf-8")
    done = nxp2("validate", "wrong.csv", env={"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "60"})
    assert done.exit_code == 1
    assert done.stdout.count("_without_") + done.stdout.count("without") >= 8 and "[red]" in done.stdout
    assert "…" not in done.stdout


def test_json_is_one_object_and_nothing_else(nxp2, tmp_path):
    (tmp_path / "wrong.csv").write_text(WRONG, encoding="utf-8")
    done = nxp2("validate", "wrong.csv", "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 1 and done.stderr == ""
    assert (found["file"], found["patients"], len(found["problems"])) == ("wrong.csv", 2, 4)
    assert found["problems"][1] == {"row": 2, "column": "sex", "value": "mal", "accepted": "male or female"}


def test_json_of_a_clean_file_has_no_problems(nxp2, write_cohort):
    write_cohort(5)
    done = nxp2("validate", "cohort.csv", "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 0 and (found["patients"], found["problems"], found["absent"]) == (5, [], [])
    assert found["columns"][0] == {
        "header": "patient_id", "column": "patient_id", "how": "the dictionary's name", "values": ""
    }  # fmt: skip


def test_a_file_that_cannot_be_read_is_a_problem_of_its_own(nxp2, tmp_path):
    (tmp_path / "junk.xlsx").write_bytes(os.urandom(2000))
    done = nxp2("validate", "junk.xlsx")
    assert done.exit_code == 1 and "not an Excel workbook" in done.stdout
    assert json.loads(nxp2("validate", "junk.xlsx", "--json").stdout)["patients"] is None


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_missing_file_is_answered_with_the_nearest_and_exit_status_2(nxp2, write_cohort, options):
    write_cohort()
    done = nxp2("validate", "cohrt.csv", *options)
    assert done.exit_code == 2 and done.stdout == ""
    assert done.stderr.endswith("did you mean 'cohort.csv'?\n")


def test_a_page_of_queries_is_written_on_request(nxp2, tmp_path):
    (tmp_path / "wrong.csv").write_text(WRONG, encoding="utf-8")
    done = nxp2("validate", "wrong.csv", "--html", "queries.html")
    assert done.exit_code == 1 and done.stdout.endswith("queries.html\n")
    assert "mal" in (tmp_path / "queries.html").read_text(encoding="utf-8")
    assert nxp2("validate", "wrong.csv", "--html", "queries.txt").exit_code == 2


def test_a_map_explains_headers_and_codes_to_validate_and_run(nxp2, notebooks, tmp_path):
    (tmp_path / "mine.csv").write_text("code;Geschlecht;age_at_onset\np1;w;30\n", encoding="utf-8")
    (tmp_path / "map.yml").write_text("columns: {code: patient_id, Geschlecht: sex}\nvalues: {sex: {w: female}}\n")
    assert nxp2("validate", "mine.csv").exit_code == 1
    done = nxp2("validate", "mine.csv", "--map", "map.yml")
    assert done.exit_code == 0 and "w read as female" in done.stdout
    ran = nxp2("run", "--notebooks", notebooks, "01", "--data", "mine.csv", "--map", "map.yml", "--out", "out")
    assert ran.exit_code == 0, ran.stderr
    refused = nxp2("run", "--notebooks", notebooks, "--data", "mine.csv", "--out", "out2")
    assert refused.exit_code == 2 and not (tmp_path / "out2").exists()
    assert nxp2("validate", "mine.csv", "--map", "mapp.yml").stderr.endswith("did you mean 'map.yml'?\n")


# template


@pytest.mark.parametrize("words", [["form.xlsx"], ["form.csv"], ["--redcap", "form.csv"]])
def test_a_form_is_written_and_never_over_a_filled_one(nxp2, tmp_path, words):
    done = nxp2("template", *words)
    assert done.exit_code == 0 and done.stdout == f"Wrote {tmp_path / words[-1]}\n"
    (tmp_path / words[-1]).write_text("filled")
    again = nxp2("template", *words)
    assert again.exit_code == 2 and "exists already" in again.stderr
    assert (tmp_path / words[-1]).read_text() == "filled"


@pytest.mark.parametrize("words", [[], ["a.xlsx", "--redcap", "b.csv"], ["form.docx"], ["--redcap", "d.xlsx"]])
def test_a_form_of_another_kind_is_refused_in_one_line(nxp2, tmp_path, words):
    done = nxp2("template", *words)
    assert done.exit_code == 2 and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


# Places


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--data", "data/cohort.csv"],
        ["run", "--data", "mine.csv", "--map", "data/cohort.csv"],
        ["run", "-p", "cohort_path=data/cohort.csv"],
        ["run", "--data", "mine.csv", "-p", "map_path=data/cohort.csv"],
        ["validate", "data/cohort.csv"],
        ["validate", "mine.csv", "--map", "data/cohort.csv"],
        ["audit", "--ledger", "data/cohort.csv"],
        ["teach", "--trainees", "data/cohort.csv"],
    ],
)
def test_a_file_is_looked_for_where_the_user_stands_and_nowhere_else(nxp2, notebooks, write_cohort, tmp_path, words):
    write_cohort(name="mine.csv")
    done = nxp2(*words, *(["--notebooks", notebooks, "--out", "out"] if words[0] == "run" else []))
    place = tmp_path / "data" / "cohort.csv"
    assert done.exit_code == 2 and done.stderr == f"data/cohort.csv: no such file (looked for {place})\n"


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["template", "below/form.csv"], "below/form.csv"),
        (["validate", "mine.csv", "--html", "below/queries.html"], "below/queries.html"),
        (["audit", "--ledger", "ledger.csv", "--out", "below/verdicts.csv"], "below/verdicts.csv"),
        (["reconstruct", "--seed", "2", "--out", "below"], "below/cohort.csv"),
        (["bounds", "dysphagia", "--out", "below"], "below/synthetic_least.csv"),
        (["export", "outputs"], "outputs: no finished run here"),
        (["export", "--verify", "outputs"], "outputs: no export here"),
        (["book", "outputs"], "outputs: no finished run here"),
    ],
)
def test_a_folder_lies_where_the_user_stands(nxp2, builder, write_cohort, monkeypatch, tmp_path, words, place):
    monkeypatch.setattr("nxp2lib.reconstruction.bounds.witness", lambda *asked: pd.read_csv(paths.COHORT))  # seconds
    write_cohort(name="mine.csv")
    (tmp_path / "ledger.csv").write_text(LEDGER, encoding="utf-8")
    done = nxp2(*words)
    if ":" in place:
        assert done.exit_code == 2 and done.stderr.startswith(f"{tmp_path}/{place}")
    else:
        assert done.exit_code == 0 and (tmp_path / place).is_file(), done.stderr


@pytest.mark.parametrize("command", ["export", "book"])
def test_a_run_is_read_where_it_is_written_if_no_folder_is_named(nxp2, command):
    assert nxp2(command).stderr.startswith(f"{paths.output_folder('outputs')}: no finished run here")


# Numbers


def test_one_of_a_thing_is_counted_as_one(nxp2, monkeypatch, tmp_path):
    from nxp2lib.reconstruction import bounds
    from nxp2lib.release import export, verify

    said = str(export.Report(tmp_path, 8, shown=1, small=1, further=1, earlier=8, left_out=[], own=[]))
    assert said.startswith("1 count shown, 1 count below 8 hidden, 1 more to protect them; ")
    counted = str(verify.Verified(tmp_path, 1, 1, 8))
    assert counted.endswith("1 made-up cohort, which differ by 8 or more in each of 1 hidden count")
    monkeypatch.setattr(bounds, "count", lambda question: (0, 1))
    assert nxp2("bounds", "dysphagia").stdout.startswith("dysphagia: 0 to 1 patient, over")
    (tmp_path / "one.csv").write_text("patient_id,sex,age_at_onset\na,x,3\n", encoding="utf-8")
    assert nxp2("validate", "one.csv").stdout.endswith("one.csv: 1 patient, 1 problem, no warnings\n")


def test_every_number_before_its_things_goes_through_the_one_helper():
    things = "counts|patients|problems|warnings|rows|tables|cohorts|notebooks|trainees|files|seconds"
    for path in paths.PACKAGE.rglob("*.py"):
        if path.parent.name in ("cli", "release", "run", "reconstruction", "teach"):
            text = path.read_text(encoding="utf-8")
            assert not re.findall(rf"(?<!of )\{{[^{{}}\n]+\}} (?:[\w-]+ )?(?:{things})\b", text), path


# reconstruct


@pytest.fixture
def builder(monkeypatch):
    """The reconstruction with a quick stand-in for its seconds of work."""
    from nxp2lib.reconstruction import reconstruct

    def write(seed, folder):
        written = [folder / "cohort.csv", folder / "screening.csv"]
        folder.mkdir(parents=True, exist_ok=True)
        for path in written:
            path.write_text(f"seed\n{seed}\n", encoding="utf-8")
        return written

    monkeypatch.setattr(reconstruct, "write", write)
    return reconstruct


def test_reconstruct_writes_into_the_folder_and_says_so(nxp2, builder, tmp_path):
    done = nxp2("reconstruct", "--seed", 7, "--out", "there")
    assert done.exit_code == 0
    assert done.stdout.startswith(
        f"Wrote {tmp_path / 'there' / 'cohort.csv'} and {tmp_path / 'there' / 'screening.csv'} in "
    )
    assert (tmp_path / "there" / "cohort.csv").read_text(encoding="utf-8") == "seed\n7\n"


def test_reconstruct_without_options_takes_the_projects_seed_and_folder(nxp2, builder, monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    assert nxp2("reconstruct").exit_code == 0
    assert (tmp_path / "data" / "cohort.csv").read_text(encoding="utf-8") == f"seed\n{builder.SEED}\n"


def test_a_file_in_the_way_of_the_reconstruction_is_told(nxp2, builder, tmp_path):
    (tmp_path / "blocked").write_text("in the way", encoding="utf-8")
    done = nxp2("reconstruct", "--out", "blocked")
    assert done.exit_code == 2 and "files cannot be written there" in done.stderr


def test_tables_that_contradict_one_another_are_told_with_exit_status_1(nxp2, builder, monkeypatch):
    def write(seed, folder):
        raise builder.Infeasible("these printed numbers exclude one another: a; b")

    monkeypatch.setattr(builder, "write", write)
    done = nxp2("reconstruct", "--out", "there")
    assert done.exit_code == 1 and done.stderr == "these printed numbers exclude one another: a; b\n"


@pytest.fixture
def archive(monkeypatch):
    """Many cohorts with a quick stand-in for the minutes of work."""
    from nxp2lib.reconstruction import archive

    def write(number, seed, folder, jobs):
        (folder / "asked").parent.mkdir(parents=True, exist_ok=True)
        (folder / "asked").write_text(f"{number} {seed} {jobs}", encoding="utf-8")
        yield number

    monkeypatch.setattr(archive, "write", write)
    return archive


def raising(error):
    def write(number, seed, folder, jobs):
        yield 1
        raise error

    return write


def test_many_cohorts_are_written_and_how_they_were_checked_is_told(nxp2, archive, tmp_path):
    done = nxp2("reconstruct", "--count", 7, "--seed", 3, "--jobs", 2, "--out", "there")
    assert done.exit_code == 0 and done.stderr == ""
    said = f"Wrote 7 synthetic cohorts to {tmp_path / 'there'}, each checked against 222 printed numbers, in "
    assert done.stdout.startswith(said) and done.stdout.endswith(" s\n") and done.stdout.count("\n") == 1
    assert (tmp_path / "there" / "asked").read_text(encoding="utf-8") == "7 3 2"


def test_many_cohorts_take_the_projects_seed_and_every_core(nxp2, archive, builder, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert nxp2("reconstruct", "--count", 1, "--out", "there").stdout.startswith("Wrote 1 synthetic cohort to ")
    assert (tmp_path / "there" / "asked").read_text(encoding="utf-8") == f"1 {builder.SEED} 5"


def test_many_cohorts_need_a_folder(nxp2, archive, tmp_path):
    done = nxp2("reconstruct", "--count", 7)
    assert done.exit_code == 2 and done.stderr == "--count needs --out DIR, a folder for the cohorts\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--seed", "7"], "--seed needs --out DIR"),
        (["--count", "7", "--seed", "7"], "--count needs --out DIR"),
        (["--seed", "7", "--out", "data"], "--out data: results do not go among the project's own files"),
        (["--out", "data"], "--out data: results do not go among the project's own files"),
        (["--count", "7", "--out", "data/below"], "--out data/below: results do not go among the project's own files"),
    ],
)
def test_other_patients_are_never_written_over_the_projects(nxp2, archive, builder, monkeypatch, tmp_path, words, said):
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    done = nxp2("reconstruct", *words)
    assert done.exit_code == 2 and done.stderr.startswith(said) and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_of_many_cohorts_is_told(nxp2, archive, tmp_path):
    (tmp_path / "blocked").write_text("in the way", encoding="utf-8")
    done = nxp2("reconstruct", "--count", 7, "--out", "blocked")
    assert done.exit_code == 2 and "files cannot be written there" in done.stderr


def test_a_folder_with_cohorts_of_another_seed_is_told(nxp2, tmp_path):
    record = {"seed": 8, "facts_sha256": "other", "cohorts": 20}
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "synthetic.json").write_text(json.dumps(record), encoding="utf-8")
    done = nxp2("reconstruct", "--count", 7, "--out", "there")
    assert done.exit_code == 2 and done.stdout == ""
    assert done.stderr.startswith(f"{tmp_path / 'there'}: holds 20 synthetic cohorts of seed 8")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("kind", ["Infeasible", "NotReached", "RuntimeError"])
def test_cohorts_that_cannot_be_or_break_a_number_are_told_with_exit_status_1(nxp2, archive, monkeypatch, kind):
    from nxp2lib import reconstruction

    error = getattr(reconstruction, kind, RuntimeError)("these printed numbers exclude one another: a; b")
    monkeypatch.setattr(archive, "write", raising(error))
    done = nxp2("reconstruct", "--count", 7, "--out", "there")
    assert done.exit_code == 1 and done.stderr == "these printed numbers exclude one another: a; b\n"


def test_a_reconstruction_of_many_that_is_stopped_says_how_to_go_on(nxp2, archive, monkeypatch):
    monkeypatch.setattr(archive, "write", raising(KeyboardInterrupt()))
    done = nxp2("reconstruct", "--count", 7, "--out", "there")
    assert done.exit_code == 130
    assert done.stderr == "Stopped: finished cohorts are kept; run the same command to continue.\n"


# audit

LEDGER = (
    "table,row,a_count,a_n,b_count,b_n,p_printed,test_printed,comment\n"
    "2,Men,13,36,13,40,0.464,Fisher,kept\n"
    "2,[bold]Infarction[/],9/32,,2/32,,0.04*,,\n"
    "2,Broken,twelve,36,13,40,0.5,,\n"
)


def test_the_audit_of_the_paper_names_every_inconsistency_and_binds_every_number(nxp2, tmp_path):
    done = nxp2("audit", "--out", "found/verdicts.csv")
    assert done.exit_code == 0 and done.stderr == ""
    assert done.stdout.startswith("Of the preprint of February 2021; the journal's version may differ.\n")
    assert "abstract.screened.total.n" in done.stdout and "14 + 1 + 76 + 56 = 147, not 162" in done.stdout
    assert "- age at onset, total, mean 38 (table 1); patients, juvenile 29 (abstract);" in done.stdout
    assert "422 of 422 printed numbers bound to a verdict, 59 of them external, in " in done.stdout
    saved = (tmp_path / "found" / "verdicts.csv").read_text(encoding="utf-8").splitlines()
    assert saved[0] == "id,place,item,group,statistic,printed,verdict,convention,reason,conflict"
    assert len(saved) == 423


def test_a_ledger_gets_a_verdict_for_each_row_even_where_a_cell_cannot_be_read(nxp2, tmp_path):
    Path("ledger.csv").write_text(LEDGER, encoding="utf-8")
    done = nxp2("audit", "--ledger", "ledger.csv", "--out", "verdicts.csv", "--html", "page.html")
    assert done.exit_code == 0
    header, men, infarction, broken, counts, chance, wrote, page = done.stdout.splitlines()
    assert header.split() == ["file", "row", "row", "P", "verdict", "reason"]
    assert "reproduced under another convention" in men and "one-sided Fisher" in men
    assert "[bold]Infarction[/]" in infarction and "0.0433" in infarction
    assert "file row 4, column a_count: 'twelve' is not accepted" in broken
    assert counts.startswith("3 rows: ")
    assert chance.startswith("1 row is not as expected; 1 of them fits another convention, where chance alone predicts")
    assert (wrote, page) == tuple(f"Wrote {tmp_path / name}" for name in ("verdicts.csv", "page.html"))
    assert "What needs an explanation" in (tmp_path / "page.html").read_text(encoding="utf-8")
    with (tmp_path / "verdicts.csv").open(encoding="utf-8-sig", newline="") as saved:
        first, *_ = csv.DictReader(saved)
    assert first["comment"] == "kept" and first["verdict"] == "reproduced under another convention"


@pytest.mark.parametrize(
    "words, message",
    [
        (["--ledger", "missing.csv"], "missing.csv"),
        (["--ledger", "ledger.csv", "--out", "ledger.csv"], "this would overwrite the ledger"),
        (["--html", "page.html"], "--html needs --ledger FILE"),
        (["--ledger", "ledger.csv", "--out", "verdicts.xlsx"], "accepted is the name of a .csv file"),
        (["--ledger", "empty.csv"], "empty.csv"),
        (["--out", "."], "accepted is the name of a .csv file"),
    ],
)
def test_an_audit_that_cannot_be_done_ends_with_exit_status_2_and_writes_nothing(nxp2, tmp_path, words, message):
    Path("ledger.csv").write_text(LEDGER, encoding="utf-8")
    Path("empty.csv").write_text("", encoding="utf-8")
    done = nxp2("audit", *words)
    assert done.exit_code == 2 and message in done.stderr and done.stdout == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.csv", "ledger.csv"]
    assert (tmp_path / "ledger.csv").read_text(encoding="utf-8") == LEDGER


def test_a_folder_that_cannot_take_the_verdicts_is_told(nxp2, tmp_path):
    Path("ledger.csv").write_text(LEDGER, encoding="utf-8")
    done = nxp2("audit", "--ledger", "ledger.csv", "--out", "ledger.csv/verdicts.csv")
    assert done.exit_code == 2 and "the file cannot be written" in done.stderr


# bounds


def test_the_cache_says_what_it_holds_and_clears_nothing_else(nxp2, tmp_path, monkeypatch):
    monkeypatch.setenv("NXP2_CACHE", str(tmp_path / "kept"))
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "notes.txt").write_text("mine", encoding="utf-8")
    assert nxp2("cache").stdout == f"{tmp_path / 'kept'}: 0 files, 0.0 MB\n"
    nxp2("bounds", "dysphagia & neck_weakness")
    assert re.search(r"kept: [1-9]\d* files, 0\.\d MB", nxp2("cache").stdout)
    assert nxp2("cache", "clear").stdout.endswith(": 0 files, 0.0 MB\n")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["notes.txt"]
    done = nxp2("cache", "empty")
    assert done.exit_code == 2 and done.stderr == "cache empty: not accepted; accepted: clear, or nothing\n"


def test_bounds_answer_a_question_and_write_patients_for_both_ends(nxp2, tmp_path):
    done = nxp2("bounds", "extended & juvenile & male", "--out", "ends")
    assert done.exit_code == 0
    assert done.stdout.startswith("extended & juvenile & male: 0 to 12 patients, over all cohorts")
    for end, number in [("least", 0), ("greatest", 12)]:
        with (tmp_path / "ends" / f"synthetic_{end}.csv").open(encoding="utf-8", newline="") as file:
            patients = list(csv.DictReader(file))
        boys = [p for p in patients if p["sex"] == "male" and int(p["age_at_onset"]) < 18]
        assert sum(p["distal_weakness"] == "1" for p in boys) == number
        assert {p["synthetic"] for p in patients} == {"1"}


def test_bounds_without_a_question_list_the_crosses_that_the_paper_leaves_open(nxp2):
    lines = nxp2("bounds").stdout.splitlines()
    assert lines[0].split() == ["question", "least", "greatest"]
    assert any(line.split("  ")[0] == "dysphagia & neck_weakness" and line.endswith("32") for line in lines)


@pytest.mark.parametrize(
    "words, message",
    [(["disphagia"], "did you mean 'dysphagia'"), (["dysphagia", "--out", "blocked"], "files cannot be written there")],
)
def test_a_question_that_cannot_be_answered_ends_with_exit_status_2(nxp2, tmp_path, monkeypatch, words, message):
    monkeypatch.setattr("nxp2lib.reconstruction.bounds.witness", lambda *asked: pd.read_csv(paths.COHORT))  # seconds
    (tmp_path / "blocked").write_text("in the way", encoding="utf-8")
    done = nxp2("bounds", *words)
    assert done.exit_code == 2 and message in done.stderr


# Export


def test_a_folder_that_holds_no_run_is_named(nxp2, tmp_path):
    done = nxp2("export", "nowhere")
    assert done.exit_code == 2
    assert "nowhere: no finished run here" in done.stderr.replace("\n", " ") and "Traceback" not in done.stderr
    assert not (tmp_path / "nowhere").exists()


def test_a_minimum_below_two_is_refused(nxp2):
    assert nxp2("export", "--minimum", "1").exit_code == 2


def test_an_export_says_what_it_hides_and_where_it_is(nxp2, tmp_path):
    with of_few_rows():
        finished(cohort.prepare(random_cohort(150, seed=5)), tmp_path / "my results")
        done = nxp2("export", "my results", "--minimum", "5")
    assert done.exit_code == 0, done.stderr
    said = re.search(r"(\d+) counts shown, (\d+) counts below 5 hidden, (\d+) more to protect them", done.stdout)
    assert said and all(int(number) for number in said.groups())
    assert "my results" in done.stdout and (tmp_path / "my results" / "export" / "index.html").is_file()
