"""The guide's tables of how a number, a titer or a site is read, each row of them tried."""

import re

import pandas as pd
import pytest
from made import problems

from nxp2lib import paths
from nxp2lib.intake import checks

GUIDE = (paths.ROOT / "docs" / "own_cohort.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split("|") for line in GUIDE.splitlines() if line.startswith("| `")]
TRIED = [
    (text, name.strip(" `"), beside.strip(" `"), read.strip())
    for written, name, beside, read in ROWS
    for text in re.findall("`([^`]+)`", written)
]


@pytest.mark.parametrize(("text", "name", "beside", "read"), TRIED, ids=lambda part: part or "alone")
def test_a_number_is_read_as_the_guide_says(text, name, beside, read):
    rows = {"patient_id": ["p1", "p2"], "sex": ["male", "female"], "age_at_onset": ["8", "52"], "malignancy": "1"}
    raw = pd.DataFrame(rows | {name: [text, beside or rows.get(name, ["", ""])[1]]}, index=[2, 3])
    refused = [(one.row, one.column, one.value) for one in problems(raw)]
    if read == "refused":
        assert refused == [(2, name, text)]
        return
    frame = checks.understood(raw).frame
    found = checks.numbers(frame).get(name, frame[name]).iloc[0]
    assert not refused and str(found).removesuffix(".0") == read.replace("blank", "nan")


def test_the_guide_has_a_row_for_each_way_of_reading():
    assert len(TRIED) > 50 and {read for *_, read in TRIED} >= {"refused", "blank", "10.25", "1125"}
