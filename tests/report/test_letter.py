"""The page about another paper's table: complete, in order, and harmless whatever was typed."""

import re

import pandas as pd

from nxp2lib.audit import ledger, whole
from nxp2lib.report import letter

HEADER = "table,row,a_count,b_count,p_printed,test_printed"
ROWS = ["T,Methods,,,,Fisher", "T,male,12/34,5/40,0.027,", "T,rash,20/34,11/40,0.5,",
        "T,fever,6/20 (35.3%),5/40,0.068,", "U,<script>alert(1)</script>,9/34,3/40,0.054,"]  # fmt: skip


def page(tmp_path) -> str:
    (tmp_path / "other.csv").write_text("\n".join([HEADER, *ROWS]) + "\n", encoding="utf-8")
    printed = ledger.read(tmp_path / "other.csv")
    judged = ledger.audit(printed)
    letter.write(printed, judged, whole.explain(printed), "other.csv", tmp_path / "page.html")
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_rows_stand_under_what_they_are_with_their_arithmetic(tmp_path):
    text = page(tmp_path)
    parts = re.split("<h[23]>", text)
    titles = [part.partition("<")[0] for part in parts[1:]]
    assert titles == ["T", "What reproduces", "What needs an explanation", "What cannot be", "U", "What reproduces"]
    assert [name in part for name, part in zip(("male", "fever", "rash"), parts[2:5], strict=True)] == [True] * 3
    assert "two-sided Fisher of 20/34 against 11/40 is 0.0093, not 0.5" in parts[4]
    assert "2 of 3 rows of counts are as printed" in parts[1] and "Left: file row 4." in parts[1]
    assert "Methods" not in text and "1 row of counts are" not in text


def test_what_was_typed_is_shown_and_never_executed(tmp_path):
    text = page(tmp_path)
    assert "<script>alert" not in text and "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert not re.search(r"(?:src|href)=", text)


def test_matches_by_chance_are_counted_beside_those_that_occurred():
    names = ["denominator 17", "denominator 17; chi-square; G test", "chi-square"]
    frame = pd.DataFrame({"conventions": names, "chance": [0.25, 0.5, float("nan")]})
    said = "2 rows are not as expected; 1 of them fits another convention, where chance alone predicts 0.8."
    assert letter.predicted(frame) == said
    assert letter.predicted(frame.tail(1)) == ""
