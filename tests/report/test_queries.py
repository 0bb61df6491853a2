"""The page of queries: complete, grouped, and harmless whatever was typed."""

import re

import pytest

from nxp2lib import intake
from nxp2lib.report import pages, queries


@pytest.fixture
def page(tmp_path):
    def write(*lines: str) -> str:
        path = tmp_path / "cohort.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        queries.write(intake.inspect(path), tmp_path / "queries.html")
        return (tmp_path / "queries.html").read_text(encoding="utf-8")

    return write


def test_equal_questions_are_one_query_with_their_rows(page):
    text = page("patient_id,sex,age_at_onset", *(f"p{n},x,30" for n in range(60)))
    assert "60 patients; 60 problems to mend" in text
    assert text.count("male or female") == 1
    assert "2, 3, 4," in text and "and 20 more" in text
    assert "1 patient; 1 problem to mend, 0 values" in page("patient_id,sex,age_at_onset", "p1,x,30")


def test_what_was_typed_is_shown_and_never_executed(page):
    evil = "<script>alert(1)</script>"
    text = page(f"patient_id,sex,age_at_onset,{evil}", f"a,{evil},30,=cmd|' /C calc'!A0")
    assert evil not in text and "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_warnings_and_columns_stand_apart_from_problems(page):
    text = page("patient_id,Sex,age_at_onset,max_creatine_kinase,spare", "a,M,105,3,1")
    assert "hard to believe" in text and "an age at onset below 100 years" in text
    assert "M read as male" in text
    assert "Not in the file, so unknown for everyone" in text


def test_a_file_without_problems_says_so(page):
    assert "None." in page("patient_id,sex,age_at_onset", "a,male,30")


def test_a_page_needs_nothing_from_outside(tmp_path):
    found = intake.Inspection("Title & more", "", None, [], ["<i>"], [], [])
    queries.write(found, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8") + str(pages.table(["a"], [["b"], ["<b>"]]))
    assert text.startswith("<!doctype html>") and "Title &amp; more" in text
    assert "&lt;i&gt;" in text and "&lt;b&gt;" in text
    assert not re.search(r"(src|href)=|@import|url\(", text)
