"""An export is checked by counting, without the solver: what is changed in it is found."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from made import finished, random_cohort

from nxp2lib import cohort
from nxp2lib.release import export, verify
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
    said["sha256"] = {path.name: record.checksum(path) for path in folder.iterdir() if path.name != "export.json"}
    (folder / "export.json").write_text(json.dumps(said), encoding="utf-8")


def changed(folder, name: str, change) -> None:
    """Change the table of one file, and seal the export."""
    table = pd.read_csv(folder / name, dtype=str, keep_default_na=False)
    change(table).to_csv(folder / name, index=False)
    if name.removesuffix(".csv") in export.SOURCES:
        export.write_pages(folder, 5)
    sealed(folder)


def test_an_export_is_as_it_says(folder):
    found = verify.check(folder)
    assert verify.check(folder.parent) == found
    assert found.cohorts >= 2 and found.hidden >= 5 and found.apart == 5
    listed = pd.read_csv(folder / "proof.csv")
    own = listed[~listed["row"].str.contains(" below ") & listed["without_patients"].isna()]
    assert len(own) == found.hidden
    assert ((listed["greatest"] - listed["least"]).min(), found.earlier) >= (5, None)


def test_the_patients_of_a_certificate_are_no_patients_of_the_cohort(folder):
    """They come from a solver that has seen the export and nothing else; nothing names a patient or a centre."""
    made = pd.read_csv(folder / "certificates.csv", dtype=str, keep_default_na=False)
    assert not {"patient_id", "center", "malignancy_site", "follow_up_years"} & set(made)
    assert set(made.groupby("cohort")["patients"].apply(lambda part: part.astype(int).sum())) == {150}


def first(table: pd.DataFrame, **where) -> int:
    kept = np.logical_and.reduce([table[name] == value for name, value in where.items()])
    return table.index[kept][0]


def set_to(column: str, value: str, **where):
    def change(table):
        table.loc[first(table, **where), column] = value
        return table
    return change


def one_patient_more(table):
    table.loc[0, "patients"] = str(int(table.loc[0, "patients"]) + 1)
    return table


def nearer(table):
    return table.assign(greatest=table["least"])


CHANGES = {
    "a count": ("table1.csv", set_to("display", "77", row="dysphagia", group="total", statistic="n"),
                "table1: dysphagia / total / n: shown as 77, and .* in cohort 0"),
    "a P value": ("table1.csv", set_to("display", "0.123", row="dysphagia", group="comparison", statistic="p_value"),
                  "dysphagia / comparison / p_value: shown as 0.123"),
    "a count that is shown although it was hidden": ("proof.csv", lambda table: table.iloc[1:], "nothing proves that"),
    "a patient more": ("certificates.csv", one_patient_more, "in cohort 0"),
    "a patient who cannot be": ("certificates.csv", set_to("muscle_weakness", "0", distal_weakness="1"),
                                "column muscle_weakness: not accepted"),
    "a proof of too little": ("proof.csv", nearer, "lie nearer to one another than 5"),
    "a proof that says more than it shows": ("proof.csv", set_to("greatest", "149", group="total"),
                                             "is .* in cohort .*, and not 149"),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_changed_on_purpose_is_found(copied, what):
    name, change, said = CHANGES[what]
    changed(copied, name, change)
    with pytest.raises(export.ExportError, match=said):
        verify.check(copied)


def test_what_is_changed_by_accident_is_found(copied):
    with (copied / "text.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(export.ExportError, match=r"not as it was written: text\.csv"):
        verify.check(copied)


def test_a_file_that_does_not_belong_to_an_export_is_found(copied):
    (copied / "malignancy.csv").write_text("expected,1.23456\n", encoding="utf-8")
    with pytest.raises(export.ExportError, match=r"not as it was written: malignancy\.csv"):
        verify.check(copied)


def test_a_page_that_shows_another_number_than_its_table_is_found(copied):
    page = (copied / "index.html").read_text(encoding="utf-8")
    (copied / "index.html").write_text(re.sub(r"\d+ counts shown", "999 counts shown", page), encoding="utf-8")
    sealed(copied)
    with pytest.raises(export.ExportError, match=r"other numbers than in the tables: index\.html"):
        verify.check(copied)


@pytest.mark.parametrize("said", ["", "[]", "{}", '{"sha256": {}, "parameters": {}}'])
def test_a_folder_without_an_export_is_one_sentence(tmp_path, said):
    (tmp_path / "export.json").write_text(said, encoding="utf-8")
    with pytest.raises(export.ExportError, match="no export here that nxp2 export has written"):
        verify.check(tmp_path)
