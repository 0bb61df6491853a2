"""From a centre's own file to the finished report, by the documented commands alone."""

import json
import re
import subprocess
import sys

import centres
import pandas as pd
import pytest

from nxp2lib import paths

NAMES = [path.stem for path in sorted(paths.NOTEBOOKS.glob("*.ipynb"))]


def nxp2(folder, *words) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "nxp2lib", *map(str, words)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)


def finished(done: subprocess.CompletedProcess, out, patients: int) -> str:
    """Check that a run came to its end, and return the text of the summary."""
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{patients} patients; 7 notebooks: 7 ok, 0 failed" in done.stdout
    record = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert list(record["notebooks"]) == NAMES
    page = (out / "summary.html").read_text(encoding="utf-8")
    assert f"{patients:,}" in page or str(patients) in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    return page


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
    done = nxp2(tmp_path, "run", "--data", workbook, "--map", explained, "--out", "report")
    finished(done, tmp_path / "report", 48)
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


@pytest.mark.parametrize("labels", [False, True])
def test_an_export_of_redcap_becomes_a_report_without_a_map(tmp_path, labels):
    assert nxp2(tmp_path, "template", "--redcap", "dictionary.csv").returncode == 0
    form = pd.read_csv(tmp_path / "dictionary.csv", dtype=str, keep_default_na=False)
    export = centres.redcap(tmp_path, labels)
    header = pd.read_csv(export, nrows=0).columns
    assert set(form["Field Label" if labels else form.columns[0]]) - {"Synthetic patient", "synthetic"} <= set(header)
    said = nxp2(tmp_path, "validate", export)
    assert said.returncode == 0, said.stdout + said.stderr
    done = nxp2(tmp_path, "run", "--data", export, "--out", "report")
    finished(done, tmp_path / "report", 60)


def test_a_registry_of_100_000_patients_becomes_a_report_and_an_export(tmp_path):
    file = centres.registry(tmp_path)
    done = nxp2(tmp_path, "run", "--data", file, "--out", "report")
    finished(done, tmp_path / "report", 100_000)
    again = nxp2(tmp_path, "run", "--data", file, "--out", "report")
    assert again.returncode == 0
    assert re.findall(r"^(\S+) +unchanged", again.stdout, flags=re.MULTILINE) == NAMES
    left = nxp2(tmp_path, "export", "report", "--minimum", "8")
    assert left.returncode == 0, left.stdout + left.stderr
    assert (tmp_path / "report" / "export" / "table1.csv").is_file()
