"""From a centre's own file to the finished report, by the documented commands alone."""

import json
import re
import subprocess
import sys

import centres
import pandas as pd
import pytest
from budget import budget

from nxp2lib import paths

NAMES = [path.stem for path in sorted(paths.NOTEBOOKS.glob("*.ipynb"))]
SECTIONS = budget(NAMES[1:4], NAMES)  # of other centres than the first: what an export needs
FIRST = budget([NAMES[2]], NAMES)  # of the first: Table 1


def nxp2(folder, *words) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "nxp2lib", *map(str, words)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)


def finished(done: subprocess.CompletedProcess, out, patients: int, names: list[str] = NAMES) -> None:
    """Check that a run of some notebooks came to its end, and with the fifth of them, that the summary is there."""
    assert done.returncode == 0, done.stdout + done.stderr
    many = f"{len(names)} notebook{'s' * (len(names) > 1)}"
    assert f"{patients} patients; {many}: {len(names)} ok, 0 failed" in done.stdout
    assert not done.stderr
    record = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert list(record["notebooks"]) == names
    if NAMES[5] not in names:
        return
    page = (out / "summary.html").read_text(encoding="utf-8")
    assert f"{patients:,}" in page or str(patients) in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


def test_the_messy_workbook_of_a_japanese_centre_becomes_a_report(tmp_path):
    wrong, explained = centres.japanese(tmp_path, wrong=True)
    found = json.loads(nxp2(tmp_path, "validate", wrong, "--map", explained, "--json").stdout)
    assert {(problem["row"], problem["value"]) for problem in found["problems"]} >= {(5, "580"), (7, "たぶん陰性")}
    assert {problem["row"] for problem in found["problems"]} == {5, 7, 8, 9}
    workbook, explained = centres.japanese(tmp_path)
    page = tmp_path / "queries.html"
    said = nxp2(tmp_path, "validate", workbook, "--map", explained, "--html", page)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "48 patients, no problems" in said.stdout
    assert "架空 花子" not in page.read_text(encoding="utf-8") + said.stdout
    done = nxp2(tmp_path, "run", *FIRST, "--data", workbook, "--map", explained, "--out", "report")
    finished(done, tmp_path / "report", 48, FIRST)
    table1 = pd.read_csv(tmp_path / "report" / "results" / "table1.csv").set_index(["row", "group", "statistic"])
    typed = centres.patients(48, seed=11)
    assert table1.loc[("male", "total", "n"), "value"] == (typed["sex"] == "male").sum()
    assert table1.loc[("ana_positive", "total", "n"), "value"] == (pd.to_numeric(typed["ana_titer"]) > 40).sum()
    assert table1.loc[("dysphagia", "total", "denominator"), "value"] == (typed["dysphagia"] != "").sum()


def test_names_stop_a_run_until_they_are_dropped_by_name(tmp_path):
    workbook, explained = centres.japanese(tmp_path)
    text = explained.read_text(encoding="utf-8").replace("- 氏名\n", "")
    explained.write_text(text, encoding="utf-8")
    done = nxp2(tmp_path, "run", "--data", workbook, "--map", explained, "--out", "report")
    assert done.returncode == 2
    assert "氏名" in done.stderr and "drop" in done.stderr and "架空 花子" not in done.stderr
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("labels", budget([True], [False, True]))
def test_an_export_of_redcap_becomes_a_report_without_a_map(tmp_path, labels):
    assert nxp2(tmp_path, "template", "--redcap", "dictionary.csv").returncode == 0
    form = pd.read_csv(tmp_path / "dictionary.csv", dtype=str, keep_default_na=False)
    export = centres.redcap(tmp_path, labels)
    header = pd.read_csv(export, nrows=0).columns
    assert set(form["Field Label" if labels else form.columns[0]]) - {"Synthetic patient", "synthetic"} <= set(header)
    said = nxp2(tmp_path, "validate", export)
    assert said.returncode == 0, said.stdout + said.stderr
    names = budget(NAMES[2:3], NAMES)
    done = nxp2(tmp_path, "run", *names, "--data", export, "--out", "report")
    finished(done, tmp_path / "report", 60, names)


def test_the_large_file_of_a_registry_becomes_a_report_and_an_export(tmp_path):
    """100,000 patients in the long tests."""
    number = budget(300, 100_000)
    file = centres.registry(tmp_path, number)
    done = nxp2(tmp_path, "run", *SECTIONS, "--data", file, "--out", "report")
    finished(done, tmp_path / "report", number, SECTIONS)
    again = nxp2(tmp_path, "run", *SECTIONS, "--data", file, "--out", "report")
    assert again.returncode == 0
    assert re.findall(r"^(\S+) +unchanged", again.stdout, flags=re.MULTILINE) == SECTIONS
    left = nxp2(tmp_path, "export", "report", "--minimum", "8")
    assert left.returncode == 0, left.stdout + left.stderr
    assert (tmp_path / "report" / "export" / "table1.csv").is_file() and (tmp_path / "releases.json").is_file()
    counted = nxp2(tmp_path, "export", "--verify", "report")
    assert counted.returncode == 0 and "differ by 8 or more" in counted.stdout, counted.stderr
