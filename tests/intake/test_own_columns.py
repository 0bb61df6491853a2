"""Columns of a centre's own: named in a map, read, checked, described and compared below the paper's rows."""

import numpy as np
import pandas as pd
import pytest
import warm
from budget import budget
from made import finished, random_cohort
from openpyxl import load_workbook
from scipy import stats
from typer.testing import CliRunner

from nxp2lib import cli, cohort, compare, describe, dictionary, findings, formats, intake, published, table
from nxp2lib.intake import column_map
from nxp2lib.intake.problems import CohortError
from nxp2lib.reconstruction import reconstruct
from nxp2lib.release import export

MAP = """\
add:
  anti_ro52: {label: Anti-Ro52 antibody, section: Antibodies, type: yes/no}
  ethnicity: {label: Ethnicity, type: category, values: [Japanese, Other Asian, Other]}
  ldh: {label: Lactate dehydrogenase, type: number, unit: IU/L, minimum: 50, maximum: 20000}
columns: {Ro 52: anti_ro52}
values: {ethnicity: {J: Japanese}}
"""


@pytest.fixture(autouse=True)
def forgotten():
    """No test leaves columns to the next one."""
    yield
    dictionary.add(())


@pytest.fixture
def own(tmp_path):
    """A cohort of 120 patients with three columns of their own, and the map that names them."""
    rng = np.random.default_rng(5)
    frame = random_cohort(120, seed=5).assign(synthetic="")
    frame["Ro 52"] = rng.choice(["yes", "no", ""], 120)
    frame["Ethnicity"] = rng.choice(["J", "other asian", "Other", "unknown"], 120)
    frame["ldh"] = rng.integers(100, 900, 120).astype(str)
    frame.to_csv(tmp_path / "mine.csv", index=False)
    (tmp_path / "map.yml").write_text(MAP, encoding="utf-8")
    return frame


def load(folder) -> pd.DataFrame:
    return cohort.load(folder / "mine.csv", map_path=str(folder / "map.yml"))


def added(tmp_path, text: str):
    (tmp_path / "map.yml").write_text(text, encoding="utf-8")
    return column_map.read(tmp_path / "map.yml").added


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("add: [a]", "accepted is add: {anti_ro52:"),
        ("add: {a: b}", "accepted is add: {anti_ro52:"),
        ("add: {Anti-Ro52: {label: x, type: yes/no}}", "'Anti-Ro52' is no name of a column"),
        ("add: {myalgia: {label: x, type: yes/no}}", "'myalgia' is already a column, a group or a row"),
        ("add: {adult: {label: x, type: yes/no}}", "'adult' is already a column, a group or a row"),
        ("add: {lung: {label: x, type: yes/no}}", "'lung' is already a column, a group or a row"),
        ("add: {a: {label: x}}", "type '' is not accepted; accepted: yes/no, number, category"),
        ("add: {a: {label: x, type: text}}", "type 'text' is not accepted"),
        ("add: {a: {type: yes/no}}", "a: label '' is not accepted"),
        ("add: {a: {label: Myalgia, type: yes/no}}", "a has the label of myalgia"),
        ("add: {a: {label: Facial-Edema, type: yes/no}}", "a has the label of facial_edema"),
        ("add: {a: {label: Max creatine kinase (U/L), type: yes/no}}", "a has the label of max_creatine_kinase"),
        ("add: {a: {label: x, section: skin manifestations, type: yes/no}}", "a: section 'skin manifestations' is"),
        ("add: {a: {label: -1 or more, type: yes/no}}", "label '-1 or more' is not accepted"),
        ('add: {a: {label: x, type: category, values: ["<5", ">5"]}}', "'>5' cannot be told from '<5'"),
        ("add: {a: {label: x, type: category, values: [A-B, a b]}}", "'a b' cannot be told from 'A-B'"),
        ("add: {a: {label: x, type: category, values: [Tumour, tumor]}}", "'tumor' cannot be told from 'Tumour'"),
        ("add: {a: {label: x, type: category, values: [yes, Unknown]}}", "'Unknown' would be read as blank"),
        ("add: {a: {label: x, type: category, values: [yes, <]}}", "'<' has no letter or digit"),
        ("add: {a: {label: X, type: yes/no}, b: {label: x, type: yes/no}}", "b has the label of a"),
        ("add: {a: {label: =1+1, type: yes/no}}", "label '=1+1' is not accepted"),
        ("add: {a: {label: x, type: yes/no, unit: mg}}", "'unit' is not known for yes/no"),
        ("add: {a: {label: x, type: number, minimum: 1}}", "maximum '' is not accepted; accepted: a number"),
        ("add: {a: {label: x, type: number, minimum: 5, maximum: 1}}", "minimum 5 is not below maximum 1"),
        ("add: {a: {label: x, type: number, minimun: 5, maximum: 1}}", "did you mean 'minimum'?"),
        ("add: {a: {label: x, type: category, values: [one]}}", "accepted: 2 to 12 short texts"),
        ("add: {a: {label: x, type: category, values: [one, One]}}", "'One' cannot be told from 'one'"),
        ('add: {a: {label: x, type: category, values: ["a,b", c]}}', "accepted: 2 to 12 short texts"),
        ("add: {a: {label: x, type: category, values: [b, c]}, a_1: {label: y, type: yes/no}}", "'a_1' is already"),
        ("add: {a: {label: x, type: yes/no}}\ncolumns: {b: c}", "'c' is not a column of the data dictionary"),
        ("add: {a: {label: x, type: category, values: [b, c]}}\nvalues: {a_1: {x: 1}}", "'a_1' is not a column"),
    ],
)
def test_what_a_map_cannot_add_is_said(tmp_path, text, said):
    with pytest.raises(CohortError) as error:
        added(tmp_path, text)
    assert said in str(error.value)


def test_own_columns_are_read_by_name_label_or_map_with_their_codes(own, tmp_path):
    patients = load(tmp_path)
    assert patients["anti_ro52"].tolist() == own["Ro 52"].map({"yes": True, "no": False, "": pd.NA}).tolist()
    meant = {"J": "Japanese", "other asian": "Other Asian", "Other": "Other"}
    assert patients["ethnicity"].astype(object).fillna("").tolist() == own["Ethnicity"].map(meant).fillna("").tolist()
    assert patients["ldh"].tolist() == own["ldh"].astype(float).tolist()


def test_a_cell_of_an_own_column_is_refused_with_its_place(own, tmp_path):
    own.loc[3, ["Ro 52", "Ethnicity", "ldh"]] = ["perhaps", "Martian", "20001"]
    own.to_csv(tmp_path / "mine.csv", index=False)
    found = {
        (one.row, one.column.partition(" (")[0]): one.accepted
        for one in intake.inspect(tmp_path / "mine.csv", tmp_path / "map.yml").problems
    }
    assert {row for row, _ in found} == {5}
    assert "a number from 50 to 20000 (IU/L)" in found.values()
    assert any("Japanese, Other Asian or Other" in accepted for accepted in found.values())


def test_the_next_file_knows_nothing_of_them(own, tmp_path):
    load(tmp_path)
    assert "anti_ro52" in dictionary.columns() and published.with_own(published.rows("table1")).shape[0] == 29
    assert "anti_ro52" not in cohort.load() and "anti_ro52" not in dictionary.columns()
    assert published.with_own(published.rows("table1")).equals(published.rows("table1"))


def test_they_are_described_and_compared_below_the_papers_rows(own, tmp_path):
    patients = load(tmp_path)
    rows = published.with_own(published.rows("table1"))
    found = compare.two_groups(patients, rows, "age_group")
    adult = own["age_at_onset"].astype(int) >= 18
    for place, value in enumerate(["J", "other asian", "Other"], start=1):
        assert describe.value(found, f"ethnicity_{place}", "adult", "n") == (own["Ethnicity"][adult] == value).sum()
        assert (
            describe.value(found, f"ethnicity_{place}", "adult", "missing")
            == (own["Ethnicity"][adult] == "unknown").sum()
        )
    known = own[own["Ethnicity"] != "unknown"]
    by_hand = pd.crosstab(known["Ethnicity"], adult[known.index]).to_numpy()
    expected = compare.fisher_exact_rxc(by_hand).p_value
    assert describe.value(found, "ethnicity", "comparison", "p_value") == pytest.approx(expected)
    levels = own["ldh"].astype(float)
    ranks = stats.mannwhitneyu(levels[adult], levels[~adult], method="asymptotic", use_continuity=False).pvalue
    assert describe.value(found, "ldh", "comparison", "p_approximate") == pytest.approx(ranks)
    made = table.build(found, rows, "age_group", "Table 1")
    labels = [line[0] for line in made.body]
    assert labels[-8:] == [
        "Antibodies", "Anti-Ro52 antibody, n (%)", "Own columns", "Ethnicity", "Ethnicity: Japanese, n (%)",
        "Ethnicity: Other Asian, n (%)", "Ethnicity: Other, n (%)",
        "Lactate dehydrogenase, median (quartiles), IU/L",
    ]  # fmt: skip
    (ethnicity,) = (line for line in made.body if line[0] == "Ethnicity")
    assert ethnicity[1:4] == ("", "", "") and ethnicity[4].startswith(table.p_value(expected) + "†")


def test_a_category_of_too_many_tables_says_that_some_were_drawn(own, tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "MOST_LISTED", 10)
    rows = published.with_own(published.rows("table1"))
    patients = load(tmp_path)
    rows = published.with_own(published.rows("table1"))
    made = table.build(compare.two_groups(patients, rows, "age_group"), rows, "age_group", "Table 1")
    (ethnicity,) = (line for line in made.body if line[0] == "Ethnicity")
    assert "§" in ethnicity[4]
    assert any(note.startswith("§") and "99,999 tables drawn" in note and "0.0016" in note for note in made.footnotes)


def test_a_group_of_nobody_has_no_p_value(own, tmp_path):
    own.assign(age_at_onset="40").to_csv(tmp_path / "mine.csv", index=False)
    patients = load(tmp_path)
    rows = published.with_own(published.rows("table1"))
    found = compare.two_groups(patients, rows, "age_group")
    assert np.isnan(describe.value(found, "ethnicity", "comparison", "p_value"))
    table.build(found, rows, "age_group", "Table 1")


def test_a_label_is_text_wherever_it_is_written(tmp_path):
    text = 'add: {a: {label: "A & B <5 % _x", type: yes/no}}'
    cohort.prepare(random_cohort(20).assign(a="1"), explained=column_map.ColumnMap(added=added(tmp_path, text)))
    made = table.from_frame(pd.DataFrame({"Row": [dictionary.label("a")]}), "One")
    assert "A &amp; B &lt;5 % _x" in formats.to_html(made) and r"A \& B" in formats.to_latex(made)


def test_forms_ask_for_them_and_what_redcap_sends_back_is_read(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in (["form.xlsx"], ["form.csv"], ["--redcap", "red.csv"]):
        done = CliRunner().invoke(cli.app, ["template", *words, "--map", "map.yml"])
        assert done.exit_code == 0, done.output
    header = [cell.value for cell in load_workbook("form.xlsx")["patients"][1]]
    assert header[-3:] == ["anti_ro52", "ethnicity", "ldh"]
    assert pd.read_csv("form.csv").columns.tolist() == header
    fields = pd.read_csv("red.csv", keep_default_na=False).set_index("Variable / Field Name")
    choices = fields.at["ethnicity", "Choices, Calculations, OR Slider Labels"]
    codes = [choice.partition(", ")[0] for choice in choices.split(" | ")]
    assert codes == ["japanese", "other_asian", "other"]
    assert fields.at["ldh", "Text Validation Max"] == "20000" and fields.at["anti_ro52", "Field Type"] == "yesno"
    frame = own.drop(columns=["Ro 52", "Ethnicity"]).assign(anti_ro52="1", ethnicity=(codes * 40))
    frame.to_csv("mine.csv", index=False)
    (tmp_path / "map.yml").write_text(MAP.replace("columns: {Ro 52: anti_ro52}\n", ""), encoding="utf-8")
    assert load(tmp_path)["ethnicity"].value_counts().to_dict() == {"Japanese": 40, "Other Asian": 40, "Other": 40}


def test_a_form_without_a_map_asks_for_none(own, tmp_path, monkeypatch):
    load(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli.app, ["template", "form.csv"]).exit_code == 0
    assert "anti_ro52" not in pd.read_csv("form.csv").columns


def test_the_papers_patients_have_none_of_them(own, tmp_path):
    load(tmp_path)
    assert "anti_ro52" not in reconstruct.columns() and "anti_ro52" not in findings.asked()


def test_a_notebook_shows_them_below_the_papers_rows(own, tmp_path):
    names = budget(["03_distal_weakness"], ["02_juvenile_vs_adult", "03_distal_weakness"])
    out, map_path = tmp_path / "out", str(tmp_path / "map.yml")
    shown = warm.execute(tmp_path / "mine.csv", out, names, map_path=map_path)
    for name, tables in zip(names, budget([["table2"]], [["table1"], ["table2"]]), strict=True):
        saved = pd.read_csv(out / "results" / f"{tables[0]}.csv")["row"].tolist()
        assert {"anti_ro52", "ethnicity", "ethnicity_2", "ldh"} <= set(saved)
        for text in (shown[name], (out / "tables" / f"{tables[0]}.html").read_text(encoding="utf-8")):
            assert (
                text.index("Microinfarction") < text.index("Anti-Ro52 antibody") < text.index("Ethnicity: Other Asian")
            )


def test_an_export_leaves_them_out(own, tmp_path):
    """A centre's column may repeat one of the dictionary: what it tells would give a hidden count away."""
    own["cancer_any"] = own["malignancy"]
    own.head(30).to_csv(tmp_path / "mine.csv", index=False)
    more = "  cancer_any: {label: Cancer of any kind, type: yes/no}\ncolumns:"
    (tmp_path / "map.yml").write_text(MAP.replace("columns:", more), encoding="utf-8")
    patients = load(tmp_path)
    run = finished(patients, tmp_path / "run")
    for name, by in findings.TABLES.items():
        long = compare.two_groups(patients, published.with_own(published.rows(name)), by)
        table.save_results(long, name, run)
    said = str(export.write(run, 8))
    assert "Your own columns stay inside: anti_ro52, ethnicity, ldh, cancer_any" in said
    words = (b"anti_ro52", b"Ro52", b"thnicity", b"ldh", b"Lactate", b"cancer_any", b"Cancer of any kind")
    for file in (run / "export").iterdir():
        assert not [word for word in words if word in file.read_bytes()], file.name
