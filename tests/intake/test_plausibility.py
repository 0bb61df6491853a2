"""Values that are accepted and hard to believe."""

import pandas as pd
import pytest

from nxp2lib import intake

BASIC = {"patient_id": "p1", "sex": "female", "age_at_onset": "40"}


def warned(tmp_path, *patients: dict) -> list[tuple]:
    rows = [{**BASIC, "patient_id": f"p{place}", **patient} for place, patient in enumerate(patients)]
    pd.DataFrame(rows).to_csv(tmp_path / "cohort.csv", index=False)
    found = intake.inspect(tmp_path / "cohort.csv")
    assert not found.problems
    return [(warning.row, warning.column) for warning in found.warnings]


@pytest.mark.parametrize(
    ("patient", "column"),
    [
        ({"age_at_onset": "104"}, "age_at_onset"),
        ({"age_at_onset": "0"}, "age_at_onset"),
        ({"max_creatine_kinase": "2", "myalgia": "1"}, "max_creatine_kinase"),
        ({"max_creatine_kinase": "5000", "creatine_kinase_elevated": "0"}, "creatine_kinase_elevated"),
        ({"max_creatine_kinase": "20", "creatine_kinase_elevated": "1"}, "creatine_kinase_elevated"),
        ({"follow_up_years": "80"}, "follow_up_years"),
        ({"malignancy": "1", "malignancy_site": "prostate"}, "malignancy_site"),
        ({"malignancy": "1", "malignancy_years_from_onset": "-41.5"}, "malignancy_years_from_onset"),
        (
            {"malignancy": "1", "malignancy_years_from_onset": "3", "follow_up_years": "2.9"},
            "malignancy_years_from_onset",
        ),
        ({"sex": "male", "malignancy": "1", "malignancy_site": "ovary"}, "malignancy_site"),
        ({"age_group": "juvenile"}, "age_group"),
        ({"distal_weakness": "1", "weakness_extent": "limited"}, "weakness_extent"),
        ({"ana_titer": "160", "ana_positive": "0"}, "ana_positive"),
        ({"heliotrope_rash": "0", "gottron_sign_or_papules": "1", "phenotype": "polymyositis"}, "phenotype"),
    ],
)
def test_an_implausible_value_is_a_warning(tmp_path, patient, column):
    found = warned(tmp_path, patient, {"max_creatine_kinase": "3000"}, {"max_creatine_kinase": "3000"})
    assert (2, column) in found and {row for row, _ in found} == {2}


def test_a_plausible_cohort_has_no_warning(tmp_path):
    assert warned(tmp_path, {"max_creatine_kinase": "3000", "age_group": "adult", "ana_titer": "80"}) == []
    times = {"malignancy": "1", "malignancy_years_from_onset": "-40.5", "follow_up_years": "2"}
    assert warned(tmp_path, times, times | {"malignancy_years_from_onset": "2"}) == []


def test_creatine_kinase_in_another_unit_is_suspected_from_all_values_together(tmp_path):
    assert (None, "max_creatine_kinase") in warned(tmp_path, *[{"max_creatine_kinase": str(n)} for n in range(15, 30)])


def test_one_patient_under_two_codes_is_suspected(tmp_path):
    names = ["any_rash", "myalgia", "muscle_weakness", "dysphagia", "neck_weakness", "malignancy", "facial_edema"]
    same = dict.fromkeys(names, "1") | {"max_creatine_kinase": "2609"}
    other = same | {"max_creatine_kinase": "2610"}
    assert warned(tmp_path, same, other, same) == [(4, "patient_id")]
    assert warned(tmp_path, {"myalgia": "1"}, {"myalgia": "1"}) == []
