"""What the printed numbers say about counts, shared by both models of the patients."""

import pytest

from nxp2lib import counts, dictionary


def test_every_name_of_an_implication_is_defined():
    used = {name for pair in counts.implications() for name in pair}
    assert used <= counts.names() | {"total"}


def test_every_definition_is_made_of_names_that_are_known():
    parts = {part for _, parts in counts.definitions().values() for part in parts}
    assert parts <= counts.names() | {"total"}


def test_a_row_applies_to_those_in_whom_the_dictionary_says_so():
    assert counts.applies("perifascicular_atrophy") == "muscle_biopsy"
    assert counts.applies("polymyositis") == "total"


def test_the_titers_above_forty_and_below_eighty_part_the_patients():
    parts = counts.definitions()["ana_positive"][1] + counts.definitions()["ana_titer_below_80"][1]
    assert sorted(parts) == sorted(counts.one_of("ana_titer"))


def test_derived_yes_no_columns_of_the_dictionary_are_defined():
    derived = {name for name, c in dictionary.columns().items() if c.is_derived and c.type == "yes_no"}
    assert derived <= counts.names()


@pytest.mark.parametrize("sex, age, cases", [("female", 52, 0.005862), ("male", 0, 0.000219)])
def test_expected_cases_are_the_rate_at_that_age(sex, age, cases):
    assert counts.expected_cases()[sex, age] / counts.CASE == pytest.approx(cases, rel=2e-3)
