"""The whole collection on other cohorts: 200 random patients, and cohorts with one side missing."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import warm
from budget import budget
from made import random_cohort

from nxp2lib import paths
from nxp2lib.teach import trainees

NAMES = [path.stem for path in sorted(paths.NOTEBOOKS.glob("*.ipynb"))]
SECTIONS = budget(NAMES[:6], NAMES)  # on a second cohort; the last one leaves no result
RESULTS = ["agreement", "audit", "beside", "figure1", "flow", "malignancy", "table1", "table2", "text"]


def results(out, name: str) -> pd.Series:
    frame = pd.read_csv(out / "results" / f"{name}.csv")
    return frame.set_index(["row", "group", "statistic"])["value"].sort_index()


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    """The notebooks on 200 random patients, a tenth of whose cells are blank: patients, results, what was shown."""
    folder = tmp_path_factory.mktemp("second")
    patients = random_cohort(200, seed=8, missing=0.1).assign(synthetic="")
    patients.to_csv(folder / "mine.csv", index=False)
    few = {"number_of_cohorts": 3}
    shown = warm.execute(folder / "mine.csv", folder / "out", SECTIONS, confidence=0.9, show_holm=True, **few)
    return patients, folder / "out", shown


def test_a_second_cohort_runs_through_and_leaves_every_result(second):
    _, out, _ = second
    assert sorted(path.stem for path in (out / "results").iterdir()) == RESULTS
    assert {f"{name}.{kind}" for name in ("table1", "table2") for kind in ("csv", "html", "docx", "tex")} == {
        path.name for path in (out / "tables").iterdir()
    }
    names = {path.stem for path in (out / "figures").iterdir()}
    assert {path.name for path in (out / "figures").iterdir()} == {
        f"{n}.{kind}" for n in names for kind in ("png", "svg")
    }
    assert {"figure1", "age_histogram", "forest_table1", "forest_table2", "incidence_ratio"} <= names


def test_counts_of_a_second_cohort_are_those_of_a_plain_count(second):
    patients, out, _ = second
    table1 = results(out, "table1")
    adult = patients["age_at_onset"].astype(int) >= 18
    for group, here in [("total", patients), ("juvenile", patients[~adult]), ("adult", patients[adult])]:
        assert table1["patients", group, "n"] == len(here)
        for column in ["myalgia", "dysphagia", "microinfarction", "malignancy"]:
            known = here[column][here[column] != ""]
            assert table1[column, group, "n"] == (known == "1").sum()
            assert table1[column, group, "denominator"] == len(known)
            assert table1[column, group, "missing"] == len(here) - len(known)
        values = here["max_creatine_kinase"][here["max_creatine_kinase"] != ""].astype(float)
        expected = np.quantile(values, [0.25, 0.5, 0.75], method="weibull")
        assert [table1["max_creatine_kinase", group, q] for q in ("q1", "median", "q3")] == pytest.approx(expected)


@pytest.mark.parametrize(("rank_test", "mark"), [("auto", "¶"), ("spss", "‡")])
def test_thirty_patients_have_the_rank_test_asked_for(rank_test, mark, tmp_path):
    random_cohort(30, seed=8).to_csv(tmp_path / "few.csv", index=False)
    warm.execute(tmp_path / "few.csv", tmp_path / "out", NAMES[2:4], rank_test=rank_test)
    for name in ("table1", "table2"):
        text = (tmp_path / "out" / "tables" / f"{name}.html").read_text(encoding="utf-8")
        assert re.findall("(.) Mann-Whitney U test", text) == [mark], name


@pytest.mark.parametrize("name", ["table1", "table2"])
def test_the_figure_of_odds_ratios_counts_at_the_confidence_asked_for(second, name):
    _, out, _ = second
    assert "findings have P &lt; 0.1 between" in (out / "figures" / f"forest_{name}.svg").read_text(encoding="utf-8")


def test_no_row_of_a_patient_who_is_not_synthetic_is_shown(second):
    patients, _, shown = second
    for name in SECTIONS:
        assert not [code for code in patients["patient_id"] if re.search(rf"\b{code}\b", shown[name])], name
        assert "Cohort of 200 patients, none of them marked as synthetic." in shown[name]
        assert "Stays inside the centre." in shown[name]


def test_the_level_given_reaches_the_intervals(second):
    _, out, _ = second
    malignancy = results(out, "malignancy")
    observed, expected = (malignancy["all_sites", "adult", name] for name in ("observed", "expected"))
    from scipy.stats import chi2

    assert malignancy["all_sites", "adult", "ci_low"] == pytest.approx(chi2.ppf(0.05, 2 * observed) / 2 / expected)


def test_adjusted_p_values_stand_in_the_table_on_request(second):
    _, out, _ = second
    header = (out / "tables" / "table1.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert header.endswith('"P value, Holm-adjusted"')


def test_no_sentence_speaks_of_reconstructed_patients_where_there_are_none(second, tmp_path):
    """A class copy has 76 synthetic patients, too; of a centre's own nothing is compared as if it had to agree."""
    stored = pd.read_csv(paths.COHORT)
    copy = budget(stored.assign(dysphagia=1 - stored["dysphagia"]), None)
    copy = next(trainees.resampled(1, 3)) if copy is None else copy
    copy.to_csv(tmp_path / "copy.csv", index=False)
    shown = {"own": second[2]}
    names = budget([NAMES[0]], NAMES)
    shown["copy"] = warm.execute(tmp_path / "copy.csv", tmp_path / "out", names, number_of_cohorts=3)
    for kind, pages in shown.items():
        for name, text in pages.items():
            assert not re.search("reconstructed cohort:|built from the printed|differ from the comp", text, re.I), name
            assert ("Synthetic practice cohort: 76 patients" in text) == (kind == "copy"), (kind, name)


def test_of_one_juvenile_nothing_is_told_line_by_line(tmp_path):
    """Of twelve patients one is juvenile: not the juvenile's column, nor the adults', which give it by subtraction.

    Nothing is said of them in results either, not even 0, which says that it was in nobody.
    """
    patients = random_cohort(12, seed=8).assign(synthetic="", age_at_onset=["9", *map(str, range(30, 63, 3))])
    patients.to_csv(tmp_path / "mine.csv", index=False)
    names, out = budget(NAMES[:5], NAMES), tmp_path / "out"
    shown = warm.execute(tmp_path / "mine.csv", out, names, number_of_cohorts=3)
    for file in (out / "results").glob("*.csv"):
        long = pd.read_csv(file)
        apart = long[long["group"].isin(["juvenile", "adult"])] if "group" in long else long.iloc[:0]
        if file.stem in ("table1", "figure1", "text", "malignancy"):
            assert len(apart) > 5 and apart.loc[apart["row"] != "patients", "value"].isna().all(), file.name
    sizes = results(out, "table1")
    assert [sizes["patients", group, "n"] for group in ("total", "juvenile", "adult")] == [12, 1, 11]
    table1 = pd.read_csv(out / "tables" / "table1.csv", encoding="utf-8-sig", names=range(5), skiprows=1)
    cells = table1[table1[0].str.contains(", n (%)", regex=False)]
    assert len(cells) > 10 and set(cells[[2, 3]].to_numpy().ravel()) == {"–"}
    for name in names:
        assert "1 juvenile, 11 adult: not described apart (a group or the rest has fewer than 5)" in shown[name]
        assert "Stays inside the centre." in shown[name]
    drawn = (out / "figures" / "age_histogram.svg").read_text(encoding="utf-8")
    assert "All patients, n = 12" in drawn and "aged 0 to 110" in drawn
    ages = table1.loc[table1[0].str.startswith("Age at onset"), 1].item()
    assert ages.endswith("(0–110)")
    assert "Not described: the group is small" in shown["02_juvenile_vs_adult"]
    ratio = (out / "figures" / "incidence_ratio.svg").read_text(encoding="utf-8")
    assert "Adults are not described" in ratio and "No adult" not in ratio
    for name, text in shown.items():
        assert not re.search(r"\b0 of 0|Adults,? \(?n.=.0\b", text), name


ONE_SIDED = {
    "all_juvenile": lambda frame: frame.assign(age_at_onset="9"),
    "nobody_with_distal_weakness": lambda frame: frame.assign(distal_weakness="0"),
    "no_malignancy": lambda frame: frame.assign(malignancy="0", malignancy_site="", malignancy_years_from_onset=""),
    "only_required_columns": lambda frame: frame[["patient_id", "sex", "age_at_onset"]],
    "one_patient": lambda frame: frame.head(1),
}


_, SECOND, THIRD, *_ = ONE_SIDED


@pytest.mark.parametrize("sides", budget([[SECOND, THIRD]], [[side] for side in ONE_SIDED]))
def test_a_one_sided_cohort_runs_and_says_what_cannot_be_computed(sides, tmp_path):
    cohort = random_cohort(30, seed=3)
    for side in sides:
        cohort = ONE_SIDED[side](cohort)
    cohort.to_csv(tmp_path / "mine.csv", index=False)
    names = budget(NAMES[2:5], NAMES)
    shown = warm.execute(tmp_path / "mine.csv", tmp_path / "out", names, number_of_cohorts=3, minimum_group=1)
    left = sorted(path.stem for path in (tmp_path / "out" / "results").iterdir())
    assert left == budget(["malignancy", "table1", "table2"], RESULTS)
    table1, malignancy = results(tmp_path / "out", "table1"), results(tmp_path / "out", "malignancy")
    if "all_juvenile" in sides:
        assert np.isnan(table1["myalgia", "comparison", "p_value"])
        assert "Not computable" in shown["02_juvenile_vs_adult"]
        assert np.isnan(malignancy["all_sites", "adult", "sir"])
    if "nobody_with_distal_weakness" in sides:
        assert results(tmp_path / "out", "table2").filter(like="p_value").isna().all()
    if "no_malignancy" in sides:
        assert malignancy["all_sites", "adult", "sir"] == malignancy["all_sites", "adult", "ci_low"] == 0
        assert malignancy["all_sites", "adult", "ci_high"] > 0


def test_table_2_is_two_sided_throughout(default_run):
    table2 = results(default_run, "table2")
    expected = {
        "male": 0.811,
        "neck_weakness": 0.0104,
        "dysphagia": 0.494,
        "ana_positive": 0.242,
        "perifascicular_atrophy": 1.00,
        "microinfarction": 0.0433,
    }
    for row, p_value in expected.items():
        digits = len(str(p_value).partition(".")[2])
        assert round(table2[row, "comparison", "p_value"], digits) == p_value, row


def test_the_incidence_ratio_is_the_printed_one_with_its_interval(default_run):
    ratio = results(default_run, "malignancy")["all_sites", "adult"]
    assert 22.35 <= ratio["sir"] <= 22.45
    assert ratio["ci_low"] < ratio["sir"] < ratio["ci_high"]
    assert ratio["observed"] == 8


def test_every_printed_count_is_in_the_results(default_run):
    agreement = pd.read_csv(default_run / "results" / "agreement.csv", dtype={"printed": str})
    counts = agreement[agreement["statistic"].isin(["n", "denominator"]) & (agreement["row"] != "screened")]
    assert len(counts) > 150
    assert (counts["agreement"] == "agrees").all()


def test_the_numbers_that_differ_from_print_are_the_known_ones(default_run):
    agreement = pd.read_csv(default_run / "results" / "agreement.csv", dtype={"printed": str})
    differs = agreement[agreement["agreement"] == "differs"]
    assert sorted(zip(differs["place"], differs["row"], differs["printed"], strict=True)) == sorted(
        [
            ("abstract", "screened", "162"),
            ("methods", "screened", "156"),
            ("abstract", "polymyositis", "15.8"),
            ("table1", "age_at_onset", "38"),
            ("table1", "any_rash", "0.15"),
            ("table1", "any_rash", "*"),
            ("table1", "periungual_erythema", "62.0"),
            ("results", "periungual_erythema", "62.0"),
            ("results", "max_creatine_kinase", "2596"),
            ("table2", "male", "0.464"),
            ("table2", "dysphagia", "0.30"),
            ("table2", "ana_positive", "0.141"),
            ("table2", "max_creatine_kinase", "0.141"),
            ("discussion", "subcutaneous_calcinosis", "11.6"),
        ]
    )


@pytest.mark.parametrize("elsewhere", budget([True], [False, True]))
def test_plain_papermill_works_from_the_project_and_from_another_folder(elsewhere, tmp_path):
    name = budget("00_start_here.ipynb", "02_juvenile_vs_adult.ipynb")
    notebook = str(paths.NOTEBOOKS / name) if elsewhere else f"notebooks/{name}"
    data = str(paths.COHORT) if elsewhere else "data/cohort.csv"
    command = [sys.executable, "-m", "papermill", notebook, str(tmp_path / "OUT.ipynb"), "-p", "cohort_path", data]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path if elsewhere else paths.ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "eliotrope rash" in (tmp_path / "OUT.ipynb").read_text(encoding="utf-8")
