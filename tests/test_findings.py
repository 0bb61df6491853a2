"""What names mean: the same for the tables, the models of the patients and the attacker of an export."""

import pandas as pd
import pytest
from attacker import Attacker

from nxp2lib import cohort, dictionary, findings
from nxp2lib.findings import Definition
from nxp2lib.reconstruction import counts
from nxp2lib.release.model import Block


def test_every_name_of_a_rule_is_defined():
    used = {name for pair in [*findings.RULES, *counts.implications()] for name in pair}
    assert used <= findings.names() | {"total"}


def test_every_definition_and_division_is_made_of_names_that_are_known():
    parts = {part for one in findings.definitions().values() for part in (*one.parts, *filter(None, [one.among]))}
    parts |= {name for whole, several in findings.divisions().items() for part in several for name in (whole, *part)}
    assert parts <= findings.names() | {"total"}


def test_a_row_applies_to_those_in_whom_the_dictionary_says_so():
    assert findings.applies("perifascicular_atrophy") == "muscle_biopsy"
    assert findings.applies("polymyositis") == "total"


def test_the_titers_above_forty_and_below_eighty_part_the_patients():
    parts = findings.definitions()["ana_positive"].parts + findings.definitions()["ana_titer_below_80"].parts
    assert sorted(parts) == sorted(findings.one_of("ana_titer"))


def test_derived_columns_of_the_dictionary_are_defined():
    derived = {name: column for name, column in dictionary.columns().items() if column.is_derived}
    assert {name for name, column in derived.items() if column.type == "yes_no"} <= findings.names()
    groups = {value for column in derived.values() if column.type == "category" for value in column.values}
    assert groups == {group for halves in findings.HALVES for group in halves}


@pytest.mark.parametrize(
    ("heliotrope", "gottron", "any_rash", "expected"),
    [
        (1, None, None, (True, False, False, False)),
        (0, 0, 1, (False, True, True, False)),
        (0, 0, 0, (False, True, False, True)),
        (0, 0, None, (False, True, None, None)),
        (0, None, 0, (None, None, None, None)),
    ],
)
def test_the_parts_of_figure_1_and_what_is_unknown_of_them(heliotrope, gottron, any_rash, expected):
    typed = {"heliotrope_rash": [heliotrope], "gottron_sign_or_papules": [gottron], "any_rash": [any_rash]}
    for name, holds in zip(("dermatomyositis", "polymyositis", "other_rash", "no_rash"), expected, strict=True):
        found = findings.holds(name, pd.DataFrame(typed)).iloc[0]
        assert (None if pd.isna(found) else bool(found)) is holds, name


def test_every_name_holds_of_as_many_patients_as_its_parts_say():
    patients = cohort.load()
    male, juvenile = patients["sex"] == "male", patients["age_at_onset"] < 18
    assert findings.holds("male", patients).sum() == male.sum()
    assert findings.holds("adult", patients).sum() == (~juvenile).sum()
    assert findings.holds("lung", patients).sum() == (patients["malignancy_site"] == "lung").sum()
    assert findings.holds("ana_titer_below_80", patients).sum() == (patients["ana_titer"] < 80).sum()
    for name in findings.names():
        assert findings.holds(name, patients).dtype == "boolean"


def test_a_row_that_is_added_is_known_to_the_attacker_without_another_line(monkeypatch):
    """Edema of the face in 10 and under the skin in 12 of 60: either of them in 12 to 22, as soon as it is defined."""
    more = findings.definitions() | {"edema": Definition("any_of", ("facial_edema", "subcutaneous_edema"))}
    shown = {
        ("patients", "total"): Block(60, 0, 0),
        ("facial_edema", "total"): Block(10, 50, 0),
        ("subcutaneous_edema", "total"): Block(12, 48, 0),
    }
    monkeypatch.setattr(findings, "definitions", lambda: more)
    assert Attacker(shown, [("edema", "total")]).extremes(("edema", "total")) == (12, 22, 38, 48)


def test_what_is_defined_among_some_tells_of_the_others_too():
    """20 of 60 patients have the polymyositis phenotype, all with known rashes: who has none follows from the rest."""
    shown = {
        ("patients", "total"): Block(60, 0, 0),
        ("polymyositis", "total"): Block(20, 40, 0),
        ("other_rash", "total"): Block(13, 47, 0),
    }
    assert Attacker(shown, [("no_rash", "total")]).extremes(("no_rash", "total")) == (7, 7, 53, 53)
