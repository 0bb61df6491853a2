"""The audit of the paper: what is known is found, what is planted is caught, what is right is left alone."""

import pytest
from budget import budget

from nxp2lib import published
from nxp2lib.audit import paper, verdicts

REGISTRY = published.load()


def changed(**printed: str):
    """The registry with other digits printed; ``__`` stands for the dots of an id."""
    registry = REGISTRY.set_index("id")
    for name, digits in printed.items():
        assert name.replace("__", ".") in registry.index
        registry.loc[name.replace("__", "."), "printed"] = digits
    return registry.reset_index()[REGISTRY.columns]


@pytest.fixture(scope="module")
def judged():
    return paper.judge().set_index("id")


def test_every_printed_number_has_a_verdict_and_a_reason_of_one_line(judged):
    assert judged.index.tolist() == REGISTRY["id"].tolist()
    assert set(judged["verdict"]) <= set(verdicts.VERDICTS)
    assert (judged["reason"].str.len() > 2).all()
    assert not judged["reason"].str.contains("\n").any()


def test_only_numbers_that_nothing_can_check_are_external(judged):
    registry = REGISTRY.set_index("id")
    external = registry["expression"].isin(["external", "stated"]) | (registry["origin"] == "word")
    assert ((judged["verdict"] == "external") == external).all()


def test_words_of_rounding_are_treated_alike_and_name_what_the_counts_give(judged):
    words = REGISTRY.query("origin == 'word'").set_index("id")
    found = judged.loc[words.index, "reason"].str.split("; ").str[-1].tolist()
    assert found == ["33/76 is 43.4 %", "45/76 is 59.2 %", "36/76 is 47.4 %", "46/76 is 60.5 %"]
    assert judged.loc[words.index, "verdict"].eq("external").all()


def test_a_word_whose_count_nothing_settles_stands_alone():
    found = paper.judge(published.load("discussion")).set_index("printed")
    assert found.loc["half", "reason"] == "'half' is a word without digits"


INCONSISTENT = {
    "abstract.screened.total.n": "14 + 1 + 76 + 56 = 147, not 162",
    "methods.screened.total.n": "14 + 1 + 76 + 56 = 147, not 156",
    "abstract.polymyositis.juvenile.percent": "no whole number of 29 is 15.8 %",
    "table1.age_at_onset.total.mean": "29 of mean 8 and 47 of mean 52 have a mean of 34.7 to 35.7",
    "table1.any_rash.comparison.p_mark": "two-sided Fisher is 0.1448; the same cell prints 0.15",
    "results.max_creatine_kinase.juvenile.median": "2594 in Table 1; the median of all, 2609, is halfway between 2594",
    "table1.max_creatine_kinase.juvenile.median": "2596 in the results",
    "discussion.subcutaneous_calcinosis.total.percent": "no whole number of 76 is 11.6 %: 8 are 10.5, 9 are 11.8",
}
OTHERWISE = {
    "table1.any_rash.comparison.p_value": ("rounded twice", "rounded to 0.145 first, then to 0.15"),
    "table1.periungual_erythema.juvenile.percent": ("cut off", "18/29 is 62.07 %, which rounds to 62.1"),
    "results.periungual_erythema.juvenile.percent": ("cut off", "18/29 is 62.07 %"),
    "table2.male.comparison.p_value": ("one-sided Fisher", "two-sided Fisher is 0.8110"),
    "table2.dysphagia.comparison.p_value": ("one-sided Fisher", "two-sided Fisher is 0.4936"),
    "table2.ana_positive.comparison.p_value": ("one-sided Fisher", "two-sided Fisher is 0.2420"),
}


def test_the_inconsistent_numbers_are_the_known_ones_and_each_has_its_reason(judged):
    assert set(judged.index[judged["verdict"] == "inconsistent"]) == set(INCONSISTENT)
    for name, reason in INCONSISTENT.items():
        assert reason in judged.loc[name, "reason"]


def test_the_numbers_of_another_convention_are_the_known_ones_and_it_is_named(judged):
    assert set(judged.index[judged["convention"] != ""]) == set(OTHERWISE)
    for name, (convention, reason) in OTHERWISE.items():
        assert judged.loc[name, "verdict"] == "reproduced under another convention"
        assert judged.loc[name, "convention"] == convention
        assert reason in judged.loc[name, "reason"]


def test_two_sided_rows_of_table_2_are_reproduced_beside_the_one_sided_ones(judged):
    for row in ("neck_weakness", "perifascicular_atrophy", "microinfarction"):
        assert judged.loc[f"table2.{row}.comparison.p_value", "verdict"] == "reproduced"


def test_parts_of_totals_that_agree_with_none_are_undetermined(judged):
    parts = [f"methods.{part}.total.n" for part in ("anti_sae", "anti_tif1_beta", "no_antibody")]
    assert judged.loc[parts, "verdict"].eq("undetermined").all()
    assert judged.loc["methods.anti_nxp2.total.n", "verdict"] == "consistent"


def test_a_total_that_exceeds_its_parts_by_those_excluded_says_so(judged):
    gap = "; 162 less 147 is 15, as many as are excluded"
    told = judged[judged["reason"].str.endswith(gap)].index
    assert sorted(told.str.split(".").str[1]) == ["anti_sae", "anti_tif1_beta", "no_antibody", "screened"]
    assert judged.loc["methods.screened.total.n", "reason"].endswith("14 + 1 + 76 + 56 = 147, not 156")


def test_rank_tests_are_undetermined_and_name_the_other_print(judged):
    undetermined = judged[(judged["verdict"] == "undetermined") & (judged["place"] != "methods")]
    assert set(undetermined["item"]) == {"max_creatine_kinase"}
    assert set(undetermined["printed"]) == {"1.00", "0.141", "0.79"}
    assert "0.79 in the results" in judged.loc["table2.max_creatine_kinase.comparison.p_value", "reason"]


def test_the_incidence_ratio_fits_one_person_year_each(judged):
    found = judged.loc["abstract.all_sites.adult.sir"]
    assert found["verdict"] == "consistent"
    assert "0.215 to 0.741: 0.48 to 1.67 person-years each" in found["reason"]


def test_what_the_words_hide_is_found_in_the_counts(judged):
    assert "38 of the 40 have muscle weakness" in judged.loc["results.patients.limited.n", "reason"]
    reason = judged.loc["results.microinfarction.limited.percent", "reason"]
    assert "32 + 32 = 64 are all with a muscle biopsy" in reason


def test_each_contradiction_has_a_proof_in_words(judged):
    proofs = paper.proofs(judged.reset_index())
    assert len(proofs) == 6
    mean = next(proof for proof in proofs if "mean 38" in proof)
    assert all(part in mean for part in ("mean 8", "mean 52", "juvenile 29", "adult 47"))


PLANTED = {
    "a percentage": ("table1.myalgia.juvenile.percent", "57.9", "no whole number of 29 is 57.9 %"),
    "a percentage of another count": ("table1.neck_weakness.adult.percent", "59.6", "59.6 % would be 28 of 47"),
    "a P value": ("table1.facial_edema.comparison.p_value", "0.03", "0.0806, not 0.03; with these margins"),
    "a star": ("table2.microinfarction.comparison.p_mark", "**", "** stands for <0.01, but two-sided Fisher is 0.0433"),
    "a part of a sum": ("table2.dysphagia.limited.n", "18", "18 + 14 = 32, not 33"),
    "a total": ("table1.muscle_weakness.total.n", "47", "28 + 46 = 74, not 47"),
    "a group size": ("table2.patients.limited.n", "41", "41 + 36 = 77, not 76"),
    "a quartile": ("table2.max_creatine_kinase.limited.median", "1343", "1470, 1343 and 7247 are not in order"),
    "a mean": ("table1.age_at_onset.adult.mean", "81", "52 in the results"),
    "a range": ("table1.age_at_onset.adult.minimum", "81", "18 in the results"),
    "a ratio": ("abstract.all_sites.adult.sir", "2.24", "22.4 in the results"),
    "a rank test": ("table2.max_creatine_kinase.comparison.p_value", "0.00000001", "not 0.00000001"),
    "a quartile that stays between those of the groups": ("table1.max_creatine_kinase.total.q1", "1152", "1125 in the"),
    "a quartile below those of the groups": ("table1.max_creatine_kinase.total.q1", "800", "1125 in the results"),
    "a P value that another test gives": ("results.periungual_erythema.comparison.p_value", "0.03", "0.02 in Table 1"),
    "a ratio that could be": ("results.all_sites.adult.sir", "24.2", "22.4 in the abstract"),
    "a lost decimal point": ("table1.facial_edema.adult.percent", "574", "'574' cannot be a percentage"),
    "a count of half a patient": ("table1.facial_edema.adult.n", "27.5", "'27.5' cannot be a count"),
    "a P value above one": ("table1.facial_edema.comparison.p_value", "6.35", "'6.35' cannot be a P value"),
    "a blank": ("table1.facial_edema.comparison.p_value", "", "'' cannot be a P value"),
    "a mark of nothing": ("table2.microinfarction.comparison.p_mark", "***", "'***' cannot be a mark"),
    "an age that no adult has": ("results.age_at_onset.adult.minimum", "14", "no adult patients can have it"),
    "one site": ("results.stomach.adult.n", "3", "1 + 2 + 1 + 1 + 3 + 1 = 9, not 8"),
}


TOGETHER = [  # different numbers, none of which explains another away
    ["a percentage", "a percentage of another count", "a part of a sum", "a mean", "a lost decimal point", "a blank",
     "a mark of nothing", "a quartile that stays between those of the groups", "a group size", "a rank test",
     "a count of half a patient", "an age that no adult has"],
    ["a P value", "a total", "a quartile", "a range", "a ratio", "a P value that another test gives", "a star",
     "a quartile below those of the groups", "one site"],
    ["a P value above one", "a ratio that could be"],
]  # fmt: skip


def test_whatever_can_be_planted_is_planted_somewhere():
    assert sorted(name for names in TOGETHER for name in names) == sorted(PLANTED)


@pytest.mark.parametrize("names", budget(TOGETHER[:2], [[name] for name in PLANTED]))
def test_planted_numbers_are_caught_with_their_reasons_and_hardly_others_are_blamed(judged, names):
    planted = [PLANTED[name] for name in names]
    found = paper.judge(changed(**{name: digits for name, digits, _ in planted})).set_index("id")
    for name, _, reason in planted:
        assert found.loc[name, "verdict"] == "inconsistent"
        assert reason in found.loc[name, "reason"]
    blamed = set(found.index[found["verdict"] == "inconsistent"]) - set(INCONSISTENT) - {name for name, *_ in planted}
    expressions = REGISTRY.set_index("id")["expression"]
    wrong = {expressions[name] for name, *_ in planted}
    sites = {other for other in blamed if "one site" in names and "malignancy/" in expressions[other]}
    assert blamed - sites <= {other for other in blamed if expressions[other] in wrong}


def test_ten_correct_variations_raise_no_alarm(judged):
    found = paper.judge(
        changed(
            abstract__polymyositis__total__percent="36",
            abstract__subcutaneous_edema__total__percent="26.32",
            results__neck_weakness__extended__percent="75.00",
            table1__interstitial_lung_disease__juvenile__percent="0.0",
            table1__male__comparison__p_value="0.329",
            table1__polymyositis__comparison__p_value="0.003",
            table1__ana_positive__comparison__p_value="1.0",
            table2__neck_weakness__comparison__p_value="<0.05",
            results__age_at_onset__juvenile__mean="8.1",
            table1__age_at_onset__adult__maximum="82.0",
            results__max_creatine_kinase__adult__median="2624.0",
            results__all_sites__adult__sir="22",
        )
    ).set_index("id")
    assert found["verdict"].equals(judged["verdict"])


def test_an_abstract_alone_settles_the_counts_behind_its_p_value():
    abstract = published.load("abstract")
    found = paper.judge(abstract).set_index("id")
    assert found.index.tolist() == abstract["id"].tolist()
    assert found.loc["abstract.polymyositis.juvenile.percent", "verdict"] == "inconsistent"
    assert "23/47 against 4/29" in found.loc["abstract.polymyositis.comparison.p_value", "reason"]


def test_a_p_value_whose_counts_nothing_settles_is_undetermined():
    found = paper.judge(published.load("abstract").query("statistic != 'percent'")).set_index("id")
    assert found.loc["abstract.polymyositis.comparison.p_value", "verdict"] == "undetermined"


def test_a_total_screened_without_its_antibody_groups_is_judged_without_a_sum():
    total = "methods.screened.total.n"
    alone = changed(methods__screened__total__n="76").query("~expression.str.startswith('flow/') or id == @total")
    assert paper.judge(alone).set_index("id").loc[total, "verdict"] == "consistent"
