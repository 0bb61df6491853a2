"""A centre's own words: which column is meant, which value, and that nothing is guessed in silence."""

import pandas as pd
import pytest
from budget import budget
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made import problems

from nxp2lib import cohort, dictionary, intake
from nxp2lib.intake import numerals, understanding
from nxp2lib.intake.column_map import ColumnMap

BASIC = {"patient_id": ["p1", "p2"], "sex": ["male", "female"], "age_at_onset": ["8", "52"]}


def understood(explained: ColumnMap | None = None, **columns: list[str]) -> understanding.Table:
    frame = pd.DataFrame({**BASIC, **{name.replace("__", " "): cells for name, cells in columns.items()}})
    frame.index = pd.RangeIndex(2, 2 + len(frame))
    return understanding.understand(frame, explained)


def read(column: str, *typed: str) -> list[str]:
    frame = pd.DataFrame({column: typed})
    return understanding.understand(frame).frame[column].tolist()


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("DYSPHAGIA", "dysphagia"),
        (" Facial Oedema", "facial_edema"),
        ("Subcutaneous oedema", "subcutaneous_edema"),
        ("Centre", "center"),
        ("Muscle weakness extending to distal limbs", "distal_weakness"),
        ("Maximum creatine kinase (IU/L)", "max_creatine_kinase"),
        ("Age at onset [years]", "age_at_onset"),
        ("ana-titre", "ana_titer"),
        ("ＭＹＡＬＧＩＡ", "myalgia"),
        ("Gottron Sign / Papules", "gottron_sign_or_papules"),
        ("record_id", "patient_id"),
    ],
)
def test_a_header_may_differ_in_case_spaces_spelling_or_be_the_label(header, column):
    table = understanding.understand(pd.DataFrame({header: ["1"]}))
    assert list(table.frame.columns) == [column] and table.headers == {column: header}
    assert not table.problems and table.columns[0].how != "not known"


@pytest.mark.parametrize("column", [c for c in dictionary.stored().values() if c.type == "yes_no"])
def test_every_word_for_yes_and_no_is_understood(column):
    yes = read(column.name, "1", "Yes", "y", "TRUE", "t", "はい", "有", "あり", "Checked", "１", "1.0")
    no = read(column.name, "0", "No", "n", "False", "f", "いいえ", "無", "なし", "unchecked", "０")
    assert set(yes) == {"1"} and set(no) == {"0"}
    assert read(column.name, "unknown", "NA", "不明", "") == [""] * 4


@pytest.mark.parametrize("word", ["+", "-", "maybe", "2", "none", "x", "?"])
def test_a_word_that_could_mean_either_is_left_to_be_refused(word):
    assert read("myalgia", word) == [word]
    assert problems(pd.DataFrame({**BASIC, "myalgia": [word, "1"]}))


def test_sexes_are_understood_in_words_and_never_in_numbers():
    assert read("sex", "M", "Male", "男", "男性", "boy") == ["male"] * 5
    assert read("sex", "f", "FEMALE", "女", "女児") == ["female"] * 4
    frame = pd.DataFrame({**BASIC, "sex": ["1", "2"]})
    assert "values: {sex: {1: male, 2: female}}" in problems(frame)[0].accepted
    table = understood(ColumnMap(values={"sex": {"1": "male", "2": "female"}}), sex=["1", "2"])
    assert table.frame["sex"].tolist() == ["male", "female"]


def test_no_name_of_a_cancer_is_two_sites():
    column, words = dictionary.column("malignancy_site"), numerals.WORDS
    assert set(words["organs"]) | set(words["malignancy_site"]) <= set(column.values)
    organs = [(organ, site) for site, listed in words["organs"].items() for organ in listed]
    names = [(form.format(organ), site) for organ, site in organs for form in words["cancer"]]
    names += [(name, site) for site, listed in words["malignancy_site"].items() for name in listed]
    assert len({understanding.plain(name) for name, _ in names}) == len({(understanding.plain(n), s) for n, s in names})
    assert read("malignancy_site", *(name for name, _ in names)) == [site for _, site in names]


def test_titers_are_understood_however_they_are_written():
    assert read("ana_titer", "1:160", "160", "160x", "×160", "160倍", "１：１６０") == ["160"] * 6
    assert read("ana_titer", "<40", "<1:40", "negative", "陰性", "0") == ["0"] * 5
    assert read("ana_titer", "5120", ">=2560", "≥1:2560", ">1280") == ["2560"] * 4
    assert read("ana_titer", "<80", "100", "+", "1:50") == ["<80", "100", "+", "1:50"]
    assert len(problems(pd.DataFrame({**BASIC, "ana_titer": ["<80", "1:50"]}))) == 2


def test_numbers_lose_their_unit_and_the_commas_between_thousands():
    assert read("age_at_onset", "58歳", "58 years", "58 yrs", "５８", "58 y.o.") == ["58"] * 5
    assert read("max_creatine_kinase", "2,609", "2609 IU/L", "2609U/L", "12,609.5") == [
        "2609",
        "2609",
        "2609",
        "12609.5",
    ]


def test_a_decimal_comma_counts_only_where_no_other_cell_makes_it_doubtful():
    assert read("max_creatine_kinase", "2609,5", "1.125,5") == ["2609.5", "1125.5"]
    assert read("max_creatine_kinase", "2609,5", "1,125") == ["2609.5", "1,125"]


def test_another_unit_is_refused():
    found = problems(pd.DataFrame({**BASIC, "max_creatine_kinase": ["43 µkat/L", "2609 U/mL"]}))
    assert [problem.value for problem in found] == ["43 µkat/L", "2609 U/mL"]


def test_what_was_translated_is_said_and_what_was_not_is_not():
    table = understood(dysphagia=["yes", "0"], myalgia=["1", "0"])
    said = {one.column: one.values for one in table.columns}
    assert said["dysphagia"] == "yes read as 1" and said["myalgia"] == ""


def test_a_header_is_never_taken_for_a_cell(tmp_path):
    (tmp_path / "mine.csv").write_text("Study code,sex,age_at_onset,Yes\nP1,male,3,1\n", encoding="utf-8")
    (tmp_path / "map.yml").write_text("columns: {Study code: patient_id, 'Yes': dysphagia}", encoding="utf-8")
    found = intake.inspect(tmp_path / "mine.csv", tmp_path / "map.yml")
    assert found.problems == [] and [one.values for one in found.columns] == [""] * 4


def test_columns_of_redcaps_own_are_listed_and_not_used():
    table = understood(redcap_event_name=["a", "a"], patients_complete=["2", "2"], Data__Access__Group=["x", "y"])
    assert not table.problems
    assert [one.how for one in table.columns[3:]] == ["REDCap's own, not used"] * 3
    assert list(table.frame) == list(BASIC)


def test_two_headers_for_one_column_are_refused():
    assert "stands here twice" in understood(Sex=["m", "f"]).problems[0].accepted


@pytest.mark.parametrize("header", ["Name", "患者氏名", "Date of birth", "生年月日", "MRN", "E-mail", "備考", "notes"])
def test_identifiers_stop_until_they_are_dropped_by_name(header):
    table = understood(**{header: ["Taro Yamada", "Hanako Sato"]})
    (problem,) = table.problems
    assert "may say who a patient is" in problem.accepted and "Yamada" not in str(problem)
    assert not understood(ColumnMap(drop=(header,)), **{header: ["a", "b"]}).problems
    assert not understood(ColumnMap(others=True), **{header: ["a", "b"]}).problems


@pytest.mark.parametrize("code", ["Taro Yamada", "山田太郎", "00123456", "a@b.org", "1970-01-02", "090-1234-5678"])
def test_study_codes_that_say_who_a_patient_is_stop_until_they_are_allowed(code):
    table = understood(patient_id=["p1", code])
    assert len(table.problems) == 1 and code not in str(table.problems[0])
    assert not understood(ColumnMap(allow=("patient_id",)), patient_id=["p1", code]).problems


@pytest.mark.parametrize("code", ["P001", "JP-001-23", "S01", "76", "A.12", "center3-7", "patient 12"])
def test_ordinary_study_codes_are_no_identifiers(code):
    assert not understood(patient_id=["x1", code]).problems


def test_a_map_names_headers_and_codes_and_what_it_names_has_to_be_there():
    explained = ColumnMap(columns={"皮疹": "any_rash"}, values={"any_rash": {"3": ""}})
    table = understood(explained, 皮疹=["はい", "3"])
    assert table.frame["any_rash"].tolist() == ["1", ""]
    assert table.columns[3].how == "named in the map"
    lacking = understood(ColumnMap(drop=("氏名",), columns={"Sexx": "sex"})).problems
    assert [problem.column for problem in lacking] == ["Sexx", "氏名"]


def test_problems_show_the_header_and_the_value_as_typed():
    frame = pd.DataFrame({"patient_id": ["p1"], "Sex": ["fem"], "Age at onset": ["58O"]}, index=[2])
    assert [(p.column, p.value) for p in problems(frame)] == [
        ("Sex (sex)", "fem"),
        ("Age at onset (age_at_onset)", "58O"),
    ]


ODD = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["=cmd|' /C calc'!A0", "<script>", "1e999", "nan", "-0", "１２", "½", "1:1:1", "\u202e1", "٣", "1_000"]
    ),
    st.floats().map(str),
    st.integers().map(str),
    st.binary(max_size=12).map(lambda raw: raw.decode("latin-1")),
)


@settings(max_examples=budget(4, 40), suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(*[ODD] * len(dictionary.stored())), min_size=10, max_size=12))
def test_malformed_cells_are_refused_or_understood_without_a_traceback(rows):
    names = list(dictionary.stored())
    frame = pd.DataFrame(rows, columns=names, index=range(2, 2 + len(rows)))
    for problem in problems(frame):
        assert problem.accepted and str(problem)
    try:
        patients = cohort.prepare(frame)
        assert len(patients) == len(rows)
    except cohort.CohortError as error:
        assert error.problems


@settings(max_examples=budget(15, 60), suppress_health_check=list(HealthCheck))
@given(st.lists(st.text(max_size=20), min_size=1, max_size=8), st.lists(ODD, min_size=8, max_size=8))
def test_malformed_files_are_inspected_without_a_traceback(tmp_path_factory, headers, values):
    import csv

    path = tmp_path_factory.mktemp("odd") / "odd.csv"
    with path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        csv.writer(file).writerows([headers, values[: len(headers)], values])
    found = intake.inspect(path)
    assert found.problems
