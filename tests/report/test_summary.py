"""The one-page summary of a run."""

import re
from functools import lru_cache

import pandas as pd
import pytest
from made import random_cohort
from test_beside import compared

from nxp2lib import cohort, dictionary, published
from nxp2lib.audit import paper
from nxp2lib.report import summary

judged = lru_cache(paper.judge)
SETTINGS = {"confidence": 0.9, "years_at_risk": 1.0}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    patients = cohort.prepare(random_cohort(80, seed=6, missing=0.1).assign(synthetic=""))
    folder = tmp_path_factory.mktemp("summary")
    summary.save(patients, compared(patients, 0.9), judged(), folder, **SETTINGS)
    assert len(pd.read_csv(folder / "results" / "beside.csv")) > 100
    return (folder / "summary.html").read_text(encoding="utf-8")


def test_every_row_of_both_tables_is_there(page):
    for name in ("table1", "table2"):
        for row in published.rows(name)["row"]:
            assert row == "female" or dictionary.label(row) in page.replace("&gt;", ">"), row
    for title in summary.TITLES.values():
        assert title in page


def test_the_page_stands_alone_and_says_whose_patients_these_are(page):
    assert "Cohort of 80 patients, none of them marked as synthetic." in page
    assert "Published: 76 Japanese patients, 29 juvenile and 47 adult." in page
    assert published.EDITION in page.replace("&#39;", "'")
    assert re.findall(r'src="(.{10})', page) == ["data:image"]
    assert "http" not in page.replace("http://www.w3.org", "") and "<script" not in page
    assert re.search(r'alt="\d+ of \d+ findings differ', page)
    assert "(90 % interval)" in page and "confidence 0.9; years at risk 1.0; juvenile below 18 years" in page


def test_the_page_says_that_the_run_stays_inside_unless_all_patients_are_synthetic(page):
    said = "This page, the tables, figures and results of this run stay inside your centre"
    assert said in page
    patients = cohort.prepare(random_cohort(80, seed=6).assign(synthetic="1"))
    assert said not in summary.page(patients, compared(patients), judged(), SETTINGS)


def test_a_difference_without_end_is_shown_as_such():
    shown = [summary._signed(value, 1) for value in (float("inf"), float("-inf"), 0.04, -0.04, 1.25, float("nan"))]
    assert shown == ["+∞", "−∞", "0.0", "0.0", "+1.3", "–"]


def test_no_patient_is_named(page):
    assert not re.search(r"\bP0\d\d\b", page)


def test_a_reconstructed_cohort_is_called_that():
    patients = cohort.load()
    shown = summary.page(patients, compared(patients), judged(), SETTINGS)
    assert "reconstructed from the published tables" in shown and "stay inside your centre" not in shown


@pytest.mark.parametrize("columns", [["patient_id", "sex", "age_at_onset"], None])
def test_a_cohort_of_one_side_has_a_page_too(columns):
    raw = random_cohort(12, seed=9).assign(age_at_onset="9")
    patients = cohort.prepare(raw[columns] if columns else raw)
    text = summary.page(patients, compared(patients), judged(), SETTINGS)
    assert "12 patients, 12 juvenile and 0 adult" in text
    assert not re.search(r"\bnan\b", re.sub('data:image[^"]*', "", text))


def test_the_first_look_is_at_two_cohorts_or_at_what_differs_in_the_reconstructed_one():
    agreement = pd.DataFrame(
        {"id": ["x"], "printed": ["38"], "statistic": ["mean"], "value": [35.46], "agreement": "differs"}
    )
    patients = cohort.load()
    assert summary.first_look(patients, agreement, compared(patients)).header == ("Number", "Printed", "Computed")
    own = patients.assign(dysphagia=~patients["dysphagia"])  # 76 synthetic patients, too
    assert "reconstructed from" not in summary.page(own, compared(own), judged(), SETTINGS)
    looked = summary.first_look(own, agreement, compared(own))
    assert looked.header[:3] == ("Finding", "Published", "Yours") and len(looked.body) == 22


@pytest.mark.parametrize(("number", "verdict"), [
    ("age at onset, total, mean 38", "inconsistent"),
    ("maximum creatine kinase, comparison, P 0.141", "undetermined"),
    ("male, comparison, P 0.464", "reproduced under another convention"),
])  # fmt: skip
def test_a_published_number_that_is_not_reproduced_as_stated_is_marked_with_the_reason(page, number, verdict):
    text = re.sub("<[^>]*>", " ", page)
    listed = text[text.index("Published numbers that are not reproduced") :]
    assert re.search(rf"{number} \(table \d\)\s+{verdict}\s+\S.*\d", listed)
    printed = number.rpartition(" ")[2]
    assert f"{printed} †" in text and "0.635 †" not in text
