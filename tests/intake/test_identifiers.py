"""Columns that may say who a patient is."""

import pytest

from nxp2lib import dictionary
from nxp2lib.intake import identifiers


@pytest.mark.parametrize("column", dictionary.columns())
def test_no_column_of_the_dictionary_looks_like_an_identifier(column):
    assert not identifiers.header(column) and not identifiers.header(dictionary.label(column))


@pytest.mark.parametrize(
    "header",
    ["First Name", "SURNAME", "Pat. name", "dateOfBirth", "DOB", "MRN", "hospital_id", "Record number", "Phone no.",
     "e-mail",
     "postcode", "My Number", "free text", "Comments", "カルテNo", "患者ID番号・氏名", "電話番号", "自由記載欄"],
)  # fmt: skip
def test_headers_of_identifiers_are_found(header):
    assert identifiers.header(header)


@pytest.mark.parametrize("header", ["enzyme", "Dysphagia", "phenotype", "内服", "rename_me", "contexture", "mailbox"])
def test_other_headers_are_left_alone(header):
    assert not identifiers.header(header)


def test_contents_are_named_by_what_they_look_like():
    assert identifiers.contents(["x", "a.b@c.jp"], codes=False) == "an e-mail address"
    assert identifiers.contents(["born 3/4/1970"], codes=False) == "a date"
    assert identifiers.contents(["03-1234-5678"], codes=False) == "a telephone number"
    assert identifiers.contents(["long " * 20], codes=False) == "a long text"
    assert identifiers.contents(["Tokyo General Hospital"], codes=False) == ""
    assert identifiers.contents(["Taro Yamada"], codes=True) == "words, such as a name"
