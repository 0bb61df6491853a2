"""The reconstructed patients against every printed number, recomputed by plain counting."""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
import pytest
from budget import LONG, budget
from scipy.stats import mannwhitneyu

from nxp2lib import dictionary, paths, published
from nxp2lib.reconstruction import Infeasible, facts, reconstruct

only_long = pytest.mark.skipif(not LONG, reason="six seconds: make test-long")
RASHES = ["heliotrope_rash", "gottron_sign_or_papules", "facial_edema", "periungual_erythema"]
PATIENTS = pd.read_csv(paths.COHORT)
SCREENED = pd.read_csv(paths.SCREENING)
KEPT = [
    row
    for row in published.load().itertuples()
    if row.expression.count("/") == 3
    and row.origin == "printed"
    and row.id not in facts.left_out()
    and not (row.expression.endswith("p_value") and "max_creatine_kinase" not in row.expression)
]


def groups(frame):
    juvenile, distal = frame["age_at_onset"] < 18, frame["distal_weakness"] == 1
    dermatomyositis = (frame["heliotrope_rash"] == 1) | (frame["gottron_sign_or_papules"] == 1)
    everyone = pd.Series(True, index=frame.index)
    return {
        "total": everyone,
        "juvenile": juvenile,
        "adult": ~juvenile,
        "limited": ~distal,
        "extended": distal,
        "polymyositis": ~dermatomyositis,
        "dermatomyositis": dermatomyositis,
    }


def finding(frame, row):
    """Return a row of the tables as 1, 0 or missing per patient."""
    if row.startswith("ana_titer_"):
        return (frame["ana_titer"] == int(row.removeprefix("ana_titer_"))).astype(float)
    if row in dictionary.column("malignancy_site").values:
        return (frame["malignancy_site"] == row).astype(float)
    symptoms = frame[["myalgia", "muscle_weakness", "distal_weakness", "neck_weakness", "dysphagia"]]
    by_group = groups(frame)
    derived = {
        "patients": by_group["total"],
        "male": frame["sex"] == "male",
        "female": frame["sex"] == "female",
        "polymyositis": by_group["polymyositis"],
        "dermatomyositis": by_group["dermatomyositis"],
        "other_rash": by_group["polymyositis"] & (frame["any_rash"] == 1),
        "no_rash": frame["any_rash"] == 0,
        "ana_positive": frame["ana_titer"] > 40,
        "normal_creatine_kinase": frame["creatine_kinase_elevated"] == 0,
        "no_muscular_symptom": symptoms.sum(axis=1) == 0,
    }
    return (derived[row] if row in derived else frame[row]).astype(float)


def expected_cancers(frame):
    rates = pd.read_csv(paths.RATES)
    total = 0.0
    for patient in frame.itertuples():
        band = rates[(rates["sex"] == patient.sex) & (rates["age_lower"] == patient.age_at_onset // 5 * 5)]
        total += band["cases"].sum() / band["population"].sum()
    return total


def recompute(frame, expression):
    result, row, group, statistic = expression.split("/")
    if result == "flow":
        return (SCREENED["antibody"] == row).sum()
    members = groups(frame)
    if statistic == "p_value":
        pair = ("juvenile", "adult") if result == "table1" else ("limited", "extended")
        samples = [frame.loc[members[name], row] for name in pair]
        return mannwhitneyu(*samples, method="asymptotic", use_continuity=False).pvalue
    here = frame[members[group]]
    if statistic == "sir":
        return here["malignancy"].sum() / expected_cancers(here)
    if statistic in ("q1", "median", "q3"):
        return np.quantile(here[row], {"q1": 0.25, "median": 0.5, "q3": 0.75}[statistic], method="weibull")
    if statistic in ("mean", "minimum", "maximum"):
        return getattr(here[row], {"mean": "mean", "minimum": "min", "maximum": "max"}[statistic])()
    known = finding(here, row).dropna()
    count = {"n": known.sum(), "denominator": len(known)}
    whole = len(frame) if row == "patients" else len(known)
    return count[statistic] if statistic in count else 100 * Decimal(int(known.sum())) / whole


def rounds_to(printed, value):
    digits = Decimal(printed)
    return Decimal(str(value)).quantize(digits, rounding=ROUND_HALF_UP) == digits


@pytest.fixture(scope="module")
def another():
    return reconstruct.cohort(seed=2)


def put_back(monkeypatch, number):
    """Keep a number that contradicts another one."""
    left_out = facts.left_out()
    del left_out[number]
    monkeypatch.setattr(facts, "left_out", lambda: left_out)


def impossible(expression, printed):
    known = facts.kept()
    known.loc[known["expression"] == expression, "printed"] = printed
    return known


def test_there_are_more_than_two_hundred_printed_numbers_to_keep():
    assert len({row.expression for row in KEPT}) > 200


@pytest.mark.parametrize("row", KEPT, ids=[f"{row.place}:{row.expression}" for row in KEPT])
def test_a_printed_number_is_reproduced_by_plain_counting(row):
    assert rounds_to(row.printed, recompute(PATIENTS, row.expression))


def test_another_seed_gives_other_patients_who_keep_every_printed_number(another):
    frame = another.astype({name: float for name in another if name.endswith(("atrophy", "infarction"))})
    assert not frame.equals(PATIENTS)
    wrong = [row.expression for row in KEPT if not rounds_to(row.printed, recompute(frame, row.expression))]
    assert wrong == []


def test_writing_again_gives_the_committed_files_byte_for_byte(tmp_path):
    written = reconstruct.write(folder=tmp_path)
    assert [path.name for path in written] == ["cohort.csv", "screening.csv"]
    for path, committed in zip(written, [paths.COHORT, paths.SCREENING], strict=True):
        assert path.read_bytes() == committed.read_bytes()


def test_a_rash_of_any_kind_and_only_muscles_that_are_weak_are_recorded_consistently():
    assert (PATIENTS.loc[PATIENTS[RASHES].any(axis=1), "any_rash"] == 1).all()
    for part in ("distal_weakness", "neck_weakness"):
        assert (PATIENTS.loc[PATIENTS[part] == 1, "muscle_weakness"] == 1).all()


def test_all_but_one_patient_have_pain_or_weakness_and_that_one_has_raised_creatine_kinase():
    silent = PATIENTS[(PATIENTS["myalgia"] == 0) & (PATIENTS["muscle_weakness"] == 0)]
    assert silent[["dysphagia", "creatine_kinase_elevated"]].to_numpy().tolist() == [[0, 1]]


def test_biopsies_are_split_as_the_printed_percentages_imply():
    biopsied = groups(PATIENTS[PATIENTS["muscle_biopsy"] == 1])
    counts = {name: int(member.sum()) for name, member in biopsied.items()}
    assert [counts[name] for name in ("juvenile", "adult", "limited", "extended")] == [24, 40, 32, 32]


def test_histology_is_blank_without_a_biopsy_and_known_with_one():
    for name in ("perifascicular_atrophy", "microinfarction"):
        assert (PATIENTS[name].notna() == (PATIENTS["muscle_biopsy"] == 1)).all()


def test_every_malignancy_and_nothing_else_has_a_site():
    assert (PATIENTS["malignancy_site"].notna() == (PATIENTS["malignancy"] == 1)).all()


def test_cancers_of_cervix_uterus_and_breast_are_in_women_and_the_lymphoma_in_polymyositis():
    site, women = PATIENTS["malignancy_site"], PATIENTS["sex"] == "female"
    assert women[site.isin(["cervix", "uterus", "breast"])].all()
    assert groups(PATIENTS)["polymyositis"][site == "lymphoma"].tolist() == [True]


def test_normal_creatine_kinase_lies_in_the_reference_interval_and_the_rest_clearly_above():
    level, normal = PATIENTS["max_creatine_kinase"], PATIENTS["creatine_kinase_elevated"] == 0
    men = PATIENTS["sex"] == "male"
    assert level[normal & men].between(59, 248).all()
    assert level[normal & ~men].between(41, 153).all()
    assert (level[~normal] >= 300).all()


def test_creatine_kinase_values_differ_between_all_patients():
    assert PATIENTS["max_creatine_kinase"].is_unique


def test_forty_six_titers_are_negative_or_one_to_forty():
    assert PATIENTS["ana_titer"].isin([0, 40]).sum() == 46


def test_every_patient_is_marked_synthetic_and_numbered_in_file_order():
    assert (PATIENTS["synthetic"] == 1).all()
    assert PATIENTS["patient_id"].tolist() == [f"S{number:02d}" for number in range(1, 77)]


def test_columns_stand_in_the_order_of_the_dictionary_without_follow_up():
    times = {"malignancy_years_from_onset", "follow_up_years"}  # of which the paper prints none
    assert PATIENTS.columns.tolist() == [name for name in dictionary.stored() if name not in times]


def test_file_order_does_not_betray_the_age_group():
    juvenile = groups(PATIENTS)["juvenile"]
    assert 8 <= juvenile[:38].sum() <= 21


def test_the_screening_list_adds_up_and_includes_the_antibody_positive():
    assert SCREENED["antibody"].value_counts().to_dict() == {
        "anti_nxp2": 76,
        "no_antibody": 56,
        "anti_sae": 14,
        "anti_tif1_beta": 1,
    }
    assert (SCREENED["included"] == (SCREENED["antibody"] == "anti_nxp2")).all()
    assert SCREENED["screening_id"].is_unique
    assert (SCREENED["synthetic"] == 1).all()


def test_a_count_made_impossible_is_named():
    with pytest.raises(Infeasible, match=r"table1/heliotrope_rash/juvenile/n = 12 "):
        reconstruct.cohort(known=impossible("table1/heliotrope_rash/juvenile/n", "12"))


@only_long
def test_the_printed_overall_mean_age_excludes_the_means_of_the_age_groups(monkeypatch):
    put_back(monkeypatch, "table1.age_at_onset.total.mean")
    with pytest.raises(Infeasible) as error:
        reconstruct.cohort()
    for fact in ("juvenile/mean = 8", "adult/mean = 52", "total/mean = 38"):
        assert fact in str(error.value)


def of_one_group(known, group):
    """In the short tests the creatine kinase of one group alone: each printed quartile is tried without the others."""
    return known[(known["row"] != "max_creatine_kinase") | (known["group"] == group)] if budget(True, False) else known


def test_two_medians_of_one_group_exclude_each_other(monkeypatch):
    put_back(monkeypatch, "results.max_creatine_kinase.juvenile.median")
    with pytest.raises(Infeasible, match=r"2596.*2594|2594.*2596"):
        reconstruct.cohort(known=of_one_group(facts.kept(), "juvenile"))


def test_a_quartile_out_of_order_is_named():
    known = impossible("table2/max_creatine_kinase/limited/q1", "9000")
    with pytest.raises(Infeasible, match=r"limited/q1 = 9000 "):
        reconstruct.cohort(known=of_one_group(known, "limited"))


@only_long
def test_a_ratio_of_malignancies_out_of_reach_is_named():
    with pytest.raises(Infeasible, match=r"all_sites/adult/sir = 90\.0 "):
        reconstruct.cohort(known=impossible("malignancy/all_sites/adult/sir", "90.0"))


@pytest.mark.parametrize("place", ["abstract", "methods"])
def test_a_printed_number_of_screened_patients_that_does_not_add_up_is_refused(monkeypatch, place):
    put_back(monkeypatch, f"{place}.screened.total.n")
    with pytest.raises(Infeasible, match="make 147 screened patients, not"):
        reconstruct.screening()


def test_a_fact_that_nothing_defines_is_an_error_that_names_it():
    known = facts.kept()
    known.loc[known.index[-1], ["expression", "row", "statistic"]] = ["table1/fever/total/n", "fever", "n"]
    with pytest.raises(KeyError, match="table1/fever/total/n"):
        reconstruct.cohort(known=known)


@pytest.mark.parametrize("number", facts.left_out())
def test_a_number_left_out_is_indeed_not_what_the_patients_give(number):
    expression, printed = published.load().set_index("id").loc[number, ["expression", "printed"]]
    if expression.startswith("flow"):
        assert len(SCREENED) != int(printed)
    else:
        assert not rounds_to(printed, recompute(PATIENTS, expression))
