"""What has to be given up so that the rest of the paper can be true, and what the rest allows."""

import pandas as pd
import pytest

from nxp2lib import published
from nxp2lib.reconstruction import contradictions, facts


@pytest.fixture(scope="module")
def allowed():
    return contradictions.Allowed()


def test_the_numbers_given_up_are_those_that_the_reconstruction_leaves_out(allowed):
    given_up = allowed.facts.loc[allowed.facts["status"] == "given up", ["expression", "printed"]]
    numbers = published.load().merge(given_up)["id"]  # a fact may be printed in several places
    assert set(numbers) == {number for number in facts.left_out() if not number.endswith("p_value")}


def test_the_printed_mean_ages_exclude_one_another(allowed):
    (name,) = allowed.facts.loc[allowed.facts["expression"] == "table1/age_at_onset/total/mean", "name"]
    conflict = allowed.conflict(name)
    assert sorted(zip(conflict["row"], conflict["group"], conflict["printed"], strict=True)) == [
        ("age_at_onset", "adult", "52"),
        ("age_at_onset", "juvenile", "8"),
        ("age_at_onset", "total", "38"),
        ("patients", "adult", "47"),
        ("patients", "juvenile", "29"),
    ]


@pytest.mark.parametrize("total", ["156", "162"])
def test_a_printed_total_of_people_screened_excludes_its_four_parts(allowed, total):
    (name,) = allowed.facts.loc[(allowed.facts["row"] == "screened") & (allowed.facts["printed"] == total), "name"]
    assert sorted(allowed.conflict(name)["printed"]) == sorted([total, "14", "1", "76", "56"])


def test_the_two_medians_of_the_juveniles_are_alike(allowed):
    median = allowed.facts["expression"] == "table1/max_creatine_kinase/juvenile/median"
    status = allowed.facts[median].set_index("printed")["status"].to_dict()
    assert status == {"2594": "alike", "2596": "given up"}


def test_a_count_that_is_not_printed_is_settled_where_only_one_fits(allowed):
    assert allowed.count("muscle_biopsy", "juvenile") == (24, 24)
    assert allowed.count("muscle_biopsy", "limited") == (32, 32)
    assert allowed.count("muscle_weakness", "limited") == (38, 38)


def test_expected_cancers_are_bounded_over_all_ages_and_sexes(allowed):
    least, greatest = allowed.expected()
    assert 0.21 < least < 0.215
    assert 0.74 < greatest < 0.745


def test_a_number_printed_with_more_digits_is_no_contradiction():
    registry = published.load()
    registry.loc[registry["id"] == "table1.age_at_onset.juvenile.mean", "printed"] = "8.1"
    given_up = contradictions.Allowed(registry).facts.query("status != 'kept'")
    assert "age_at_onset/juvenile/mean" not in " ".join(given_up["expression"])


def test_a_total_yields_to_parts_that_are_printed_as_often():
    registry = published.load()
    registry = registry[registry["expression"].str.startswith("flow/") & (registry["place"] == "methods")]
    patients = published.load("table1").query("expression == 'table1/patients/total/n'")
    found = contradictions.Allowed(pd.concat([registry, patients], ignore_index=True)).facts
    assert found.loc[found["status"] != "kept", "printed"].tolist() == ["156"]
