"""An export is checked by counting, without the solver: what is changed in it is found."""

import json
import re
import shutil
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from budget import budget
from made import finished, random_cohort

from nxp2lib import cohort
from nxp2lib.release import export, outgoing, verify
from nxp2lib.run import record


@pytest.fixture(scope="module")
def folder(tmp_path_factory, few_rows):
    """The export of a run of 150 random patients."""
    patients = cohort.prepare(random_cohort(150, seed=6, missing=0.05))
    return export.write(finished(patients, tmp_path_factory.mktemp("centre") / "run"), 5).folder


@pytest.fixture
def copied(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "export")


def sealed(folder) -> None:
    """Write the checksums of an export anew, as somebody does who changes it on purpose."""
    said = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    others = [path for path in sorted(folder.iterdir()) if path.name != "export.json"]
    said["sha256"] = {path.name: record.checksum(path) for path in others}
    (folder / "export.json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")


def changed(folder, name: str, change) -> None:
    """Change one file by its text, or its table, and seal the export: pages and checksums agree again."""
    if name == "export.json":
        said = change(json.loads((folder / name).read_text(encoding="utf-8")))
        (folder / name).write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
        return
    table = pd.read_csv(folder / name, dtype=str, keep_default_na=False)
    change(table).to_csv(folder / name, index=False, lineterminator="\n")
    with suppress(Exception):
        outgoing.write_pages(folder, 5)
    sealed(folder)


def test_an_export_is_as_it_says(folder):
    found = verify.check(folder)
    assert verify.check(folder.parent) == found
    assert found.cohorts >= 2 and found.hidden >= 5 and found.minimum == 5
    listed = pd.read_csv(folder / "proof.csv")
    own = listed[~listed["row"].str.contains(" below ")]
    assert len(own) == found.hidden < len(listed)
    assert (own["greatest"] - own["least"]).min() >= 5


def test_the_patients_of_a_certificate_are_no_patients_of_the_cohort(folder):
    """They come from a solver that has seen the export and nothing else; nothing names a patient or a centre."""
    made = pd.read_csv(folder / "certificates.csv", dtype=str, keep_default_na=False)
    assert not {"patient_id", "center", "malignancy_site", "follow_up_years"} & set(made)
    assert set(made.groupby("cohort")["patients"].apply(lambda part: part.astype(int).sum())) == {150}


def first(table: pd.DataFrame, **where) -> int:
    kept = np.logical_and.reduce([table[name] == value for name, value in where.items()])
    return table.index[kept][0]


def set_to(column: str, value: str, **where):
    """Change a cell of the first row of which something is so."""
    def change(table):
        table.loc[first(table, **where) if where else 0, column] = value
        return table
    return change


def one_patient_more(table):
    return table.assign(patients=[str(int(table["patients"][0]) + 1), *table["patients"][1:]])


def without_the_first_cohort(table):
    return table[table["cohort"] != "0"]


def the_first_cohort_alone(table):
    return table[table["cohort"] == "0"]


def with_(**more):
    return lambda said: said | more


def with_parameters(**more):
    return lambda said: said | {"parameters": said["parameters"] | more}


COUNT = {"row": "dysphagia", "group": "total", "statistic": "n"}
SMALL = COUNT | {"group": "adult"}
NO_EXPORT, NOT_AS_WRITTEN = "no export here that nxp2 export has written", "not as nxp2 export writes it"
CHANGES = {
    "a count": ("table1.csv", set_to("display", "77", **COUNT), "table1: shown as .*77, and in cohort 0 as"),
    "a count as a number": ("table1.csv", set_to("value", "77", **COUNT), "table1: shown as .*77.*, and in cohort 0"),
    "a count that is small": ("table1.csv", lambda table: set_to("value", "3", **SMALL)(
        set_to("display", "3", **SMALL)(table)), "dysphagia in adult is shown, and below 5"),
    "a P value": ("table1.csv", set_to("display", "0.123", row="dysphagia", group="comparison", statistic="p_value"),
                  "table1: shown as dysphagia,comparison,p_value"),
    "a row less": ("table1.csv", lambda table: table.iloc[:-1], "table1: .* rows shown, and .* in cohort 0"),
    "a number less": ("text.csv", lambda table: table.iloc[:-1], "rows shown|as nxp2 export"),
    "a row more": ("text.csv", lambda table: pd.concat([table, table.iloc[[0]]]), NOT_AS_WRITTEN),
    "rows in another order": ("text.csv", lambda table: table.iloc[::-1], "text: shown as"),
    "a column more": ("text.csv", lambda table: table.assign(note="P001"), "text: shown as"),
    "a column less": ("text.csv", lambda table: table.drop(columns="value"), NOT_AS_WRITTEN),
    "a group that is not known": ("table1.csv", set_to("group", "tall", **COUNT), "in cohort 0|as nxp2 export"),
    "a text for a number": ("table2.csv", set_to("value", "x", **COUNT), NOT_AS_WRITTEN),
    "a number without end": ("table1.csv", set_to("value", "inf", row="patients", statistic="n"), NOT_AS_WRITTEN),
    "nothing": ("figure1.csv", lambda table: table.iloc[:0], "in cohort|as nxp2 export"),
    "a proof of less": ("proof.csv", lambda table: table.iloc[1:], "does not say what its cohorts show"),
    "a proof of more than it shows": ("proof.csv", set_to("greatest", "149"), "does not say what its cohorts show"),
    "a note in the proof": ("proof.csv", lambda table: table.assign(note="P001"), "does not say what its cohorts"),
    "one cohort alone": ("certificates.csv", the_first_cohort_alone, "lie nearer to one another than 5"),
    "a cohort less": ("certificates.csv", without_the_first_cohort, "no cohort shows that this can be"),
    "no cohort": ("certificates.csv", lambda table: table.iloc[:0], "no cohort shows that this can be"),
    "a patient more": ("certificates.csv", one_patient_more, "151 patients in cohort 0, and 150 in the export"),
    "patients without end": ("certificates.csv", set_to("patients", "9999999"), "patients in cohort 0, and 150"),
    "fewer than no patients": ("certificates.csv", set_to("patients", "-1"), "does not hold what the tables rest on"),
    "a half patient": ("certificates.csv", set_to("patients", "1.5"), "does not hold what the tables rest on"),
    "a patient who cannot be": ("certificates.csv", set_to("muscle_weakness", "0", distal_weakness="1"),
                                "column muscle_weakness: not accepted"),
    "who the patients are": ("certificates.csv", lambda table: table.assign(patient_id="P001"), "or more"),
    "where they were treated": ("certificates.csv", lambda table: table.assign(center="C001"), "or more"),
    "a note": ("export.json", with_(note="P001 is 40"), NO_EXPORT),
    "a note in the version": ("export.json", with_(nxp2lib="P001 is 40"), NO_EXPORT),
    "other patients": ("export.json", with_(patients=151), "150 patients in the tables, and 151 in export.json"),
    "patients who are a text": ("export.json", with_(patients="150"), NO_EXPORT),
    "a setting more": ("export.json", with_parameters(cohort_path="cohort.csv"), NO_EXPORT),
    "a lower minimum": ("export.json", with_parameters(minimum=3), "other numbers than in the tables"),
    "a minimum that hides nothing": ("export.json", with_parameters(minimum=1), NO_EXPORT),
    "a minimum that is a text": ("export.json", with_parameters(minimum="5"), NO_EXPORT),
    "an age limit that is a text": ("export.json", with_parameters(juvenile_below_age="18"), NO_EXPORT),
    "another confidence": ("export.json", with_parameters(confidence=0.9), "table.: shown as .*comparison"),
    "a method that is not known": ("export.json", with_parameters(quantile_method=["x"]), NO_EXPORT),
    "no checksums": ("export.json", with_(sha256=[]), NO_EXPORT),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_changed_on_purpose_is_found(copied, what):
    name, change, said = CHANGES[what]
    changed(copied, name, change)
    with pytest.raises(outgoing.ExportError, match=said):
        verify.check(copied)


@pytest.mark.parametrize("name", sorted(verify.FILES))
@pytest.mark.parametrize("content", budget([b"\xff\x00"], [b"", b"\xff\x00", b"row,group\n"]))
def test_a_file_of_something_else_is_found(copied, name, content):
    (copied / name).write_bytes(content)
    sealed(copied)
    with pytest.raises(outgoing.ExportError):
        verify.check(copied)


@pytest.mark.parametrize("name", sorted(verify.FILES))
def test_a_file_that_is_missing_is_found(copied, name):
    (copied / name).unlink()
    with pytest.raises(outgoing.ExportError, match=f"not as it was written: {name}"):
        verify.check(copied)
    sealed(copied)
    with pytest.raises(outgoing.ExportError, match="no export here"):
        verify.check(copied)


def test_what_is_changed_by_accident_is_found(copied):
    with (copied / "text.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(outgoing.ExportError, match=r"not as it was written: text\.csv"):
        verify.check(copied)


def test_a_file_that_does_not_belong_to_an_export_is_found(copied):
    (copied / "malignancy.csv").write_text("expected,1.23456\n", encoding="utf-8")
    with pytest.raises(outgoing.ExportError, match=r"not as it was written: malignancy\.csv"):
        verify.check(copied)


def test_a_page_that_shows_another_number_than_its_table_is_found(copied):
    page = (copied / "index.html").read_text(encoding="utf-8")
    (copied / "index.html").write_text(re.sub(r"\d+ counts shown", "999 counts shown", page), encoding="utf-8")
    sealed(copied)
    with pytest.raises(outgoing.ExportError, match=r"other numbers than in the tables: index\.html"):
        verify.check(copied)


@pytest.mark.parametrize("said", ["", "[]", "{}", "7", '{"sha256": {}, "parameters": {}}'])
def test_a_folder_without_an_export_is_one_sentence(tmp_path, said):
    (tmp_path / "export.json").write_text(said, encoding="utf-8")
    with pytest.raises(outgoing.ExportError, match="no export here that nxp2 export has written"):
        verify.check(tmp_path)
