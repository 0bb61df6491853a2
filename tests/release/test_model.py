"""The attacker's model is complete: what it calls possible is exactly what some cohort shows."""

import numpy as np
import pytest
from attacker import Attacker, every_cohort, kinds
from budget import budget

from nxp2lib import cohort, findings
from nxp2lib.release.model import Block

AGES, EXTENTS, PHENOTYPES = ("juvenile", "adult"), ("limited", "extended"), ("dermatomyositis", "polymyositis")
SKIN = ["any_rash", "heliotrope_rash", "gottron_sign_or_papules"]
MUSCLES = ["muscle_weakness", "distal_weakness", "myalgia"]
CASES = {  # columns, rows of tables, groups, patients
    "skin": (SKIN, [*SKIN, *PHENOTYPES, "other_rash", "no_rash"], AGES, 3),
    "periungual": (["any_rash", "periungual_erythema", "facial_edema"],
                   ["any_rash", "periungual_erythema", "facial_edema"], AGES, 3),
    "muscles": (MUSCLES, [*MUSCLES, "pain_or_weakness", "no_muscular_symptom"], (*AGES, *EXTENTS), 3),
    "biopsy": (["muscle_biopsy", "microinfarction", "perifascicular_atrophy"],
               ["muscle_biopsy", "microinfarction", "perifascicular_atrophy"], AGES, 3),
    "phenotypes": (["malignancy", *SKIN[1:]], ["malignancy", "dermatomyositis", *SKIN[1:]], (*AGES, *PHENOTYPES), 2),
    "extents": (["dysphagia", "distal_weakness"], ["dysphagia", "distal_weakness"], (*AGES, *EXTENTS), 3),
    "titers": (["ana_titer"], ["ana_positive", "ana_titer_80", "ana_titer_160", "ana_titer_below_80"], AGES, 3),
    "sexes": (["sex"], ["male", "female"], AGES, 4),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_the_model_calls_possible_is_exactly_what_some_cohort_shows(case):
    """Every cohort of a few patients is tried: each set of counts that agrees with what is shown, and no other."""
    columns, rows, groups, number = CASES[case]
    keys = [(row, group) for row in ["patients", *rows] for group in ("total", *groups) if row != group]
    blocks = every_cohort(kinds(columns), keys, number)
    rng, everybody = np.random.default_rng(len(case)), keys.index(("patients", "total"))
    differed = 0
    for _ in range(budget(5, 40)):
        true = blocks[rng.integers(len(blocks))]
        places = {everybody, *rng.choice(len(keys), rng.integers(1, len(keys)), replace=False).tolist()}
        agreeing = blocks[(blocks[:, sorted(places)] == true[sorted(places)]).all(axis=(1, 2))]
        shown = {keys[place]: Block(*true[place].tolist()) for place in sorted(places)}
        attacker = Attacker(shown, keys)
        asked = [place for place in range(len(keys)) if place not in places]
        for place in rng.permutation(asked)[: budget(4, 40)].tolist():
            possible = {tuple(block) for block in agreeing[:, place].tolist()}
            tried = [(yes, no, unknown) for yes in range(number + 1) for no in range(number + 1 - yes)
                     for unknown in range(number + 1 - yes - no)]  # fmt: skip
            allowed = {block for block in tried if attacker.allows(keys[place], Block(*block))}
            assert allowed == possible, (keys[place], shown)
            differed += len(possible) < len(tried)
    assert differed


def test_a_cohort_of_the_model_is_one_that_a_file_may_hold():
    """The patterns of a solution are read like a centre's file, and give the counts that were asked for."""
    shown = {("patients", "total"): Block(30, 0, 0), ("no_rash", "total"): Block(9, 15, 6),
             ("microinfarction", "adult"): Block(4, 5, 6), ("patients", "adult"): Block(15, 0, 0)}  # fmt: skip
    attacker = Attacker(shown, [("distal_weakness", "extended")])
    counts = attacker.cohorts.find(np.ones(attacker.cohorts.width), attacker.known)
    patterns = attacker.cohorts.patients(counts)
    cells = patterns.drop(columns="patients")
    typed = cohort.prepare(cells.assign(patient_id=[f"M{place}" for place in range(len(cells))]))
    patients = typed.loc[typed.index.repeat(patterns["patients"])]
    assert len(patients) == 30
    told = findings.holds("no_rash", patients)
    assert (int((told == 1).sum()), int((told == 0).sum()), int(told.isna().sum())) == (9, 15, 6)
    told = findings.holds("microinfarction", patients[patients["age_group"] == "adult"])
    assert (int((told == 1).sum()), int((told == 0).sum()), int(told.isna().sum())) == (4, 5, 6)
