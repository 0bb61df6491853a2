"""How far unprinted counts can go, against a toy paper of eight patients written out in every possible way."""

from functools import cache
from itertools import combinations_with_replacement, product

import pandas as pd
import pytest
from test_patterns import known
from test_reconstruct import finding, groups

from nxp2lib import intake, paths
from nxp2lib.reconstruction import bounds, facts
from nxp2lib.reconstruction.puzzle import Infeasible

NAMES = ("juvenile", "dysphagia", "malignancy", "muscle_weakness")
TOY = {
    ("total", "patients"): 8,
    ("juvenile", "patients"): 3,
    ("total", "dysphagia"): 4,
    ("juvenile", "dysphagia"): 1,
    ("total", "malignancy"): 5,
    ("total", "muscle_weakness"): 6,
}
PAPER = known(*(f"{row}/{group}/n={n}" for (group, row), n in TOY.items()))


@cache
def everybody() -> list[tuple]:
    """Every multiset of eight patients who keep the toy paper, as tuples of the findings in ``NAMES``."""
    kinds = list(product((0, 1), repeat=len(NAMES)))
    found = []
    for patients in combinations_with_replacement(kinds, 8):
        juvenile, dysphagia, malignancy, weak = (sum(column) for column in zip(*patients, strict=True))
        both = sum(patient[0] * patient[1] for patient in patients)
        if (juvenile, dysphagia, both, malignancy, weak) == (3, 4, 1, 5, 6):
            found.append(patients)
    return found


@pytest.mark.parametrize(
    "question, holds",
    [
        ("dysphagia & malignancy", lambda j, d, m, w: d and m),
        ("dysphagia & ~malignancy & adult", lambda j, d, m, w: d and not m and not j),
        ("malignancy & muscle_weakness", lambda j, d, m, w: m and w),
        ("juvenile & malignancy & ~dysphagia", lambda j, d, m, w: j and m and not d),
    ],
)
def test_bounds_are_those_of_all_patients_written_out(question, holds):
    numbers = {sum(bool(holds(*patient)) for patient in patients) for patients in everybody()}
    assert bounds.count(question, PAPER) == (min(numbers), max(numbers))


def test_a_printed_count_has_no_room():
    assert bounds.count("neck_weakness & extended") == (27, 27)
    assert bounds.count("polymyositis & malignancy & adult") == (5, 5)


def test_fewer_printed_numbers_leave_more_room():
    kept = facts.kept()
    least, greatest = bounds.count("neck_weakness & extended", kept[kept["row"] != "neck_weakness"])
    assert least < 27 < greatest


QUESTION = "dysphagia & malignancy"
witness = cache(bounds.witness)  # each takes seconds


@pytest.mark.parametrize("end", ["least", "greatest"])
def test_a_witness_has_the_bound_and_keeps_every_printed_count(end):
    patients = witness(QUESTION, end)
    reached = ((patients["dysphagia"] == 1) & (patients["malignancy"] == 1)).sum()
    assert reached == getattr(bounds.count(QUESTION), end)
    for fact in facts.kept().query("statistic == 'n' and result != 'flow'").itertuples():
        assert finding(patients, fact.row)[groups(patients)[fact.group]].sum() == int(fact.printed), fact.expression


def test_a_witness_is_a_cohort_that_the_collection_reads_and_is_marked_synthetic(tmp_path):
    patients = witness(QUESTION, "greatest")
    patients.to_csv(tmp_path / "synthetic.csv", index=False)
    assert intake.inspect(tmp_path / "synthetic.csv").problems == []
    assert (patients["synthetic"] == 1).all()
    assert list(patients.columns) == list(pd.read_csv(paths.COHORT).columns)


def test_the_same_seed_deals_the_same_patients_and_another_seed_others():
    again, other = (bounds.witness(QUESTION, "least", seed) for seed in (1, 2))
    assert again.equals(witness(QUESTION, "least"))
    assert not again.equals(other)


@pytest.mark.parametrize(
    "question, message",
    [
        ("disphagia & malignancy", "'disphagia' is not known; did you mean 'dysphagia'"),
        ("dysphagia &", "'' is not known"),
        ("", "'' is not known"),
        ("dysphagia & ~dysphagia", "'dysphagia' cannot hold and not hold"),
    ],
)
def test_a_question_that_cannot_be_read_is_answered_with_the_nearest_name(question, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        bounds.count(question)


def test_names_are_read_in_any_capitals_and_with_spaces():
    assert bounds.parse("Distal weakness & NOT Malignancy") == {"distal_weakness": True, "malignancy": False}


def test_a_third_end_is_refused():
    with pytest.raises(ValueError, match="end: 'most' is not accepted; accepted: least or greatest"):
        bounds.witness("dysphagia", "most")


def test_facts_that_contradict_one_another_are_named():
    with pytest.raises(Infeasible, match="dysphagia/total/n = 9"):
        bounds.count("dysphagia", known("patients/total/n=8", "dysphagia/total/n=9"))


def test_the_short_table_has_every_cross():
    found = bounds.crosses()
    assert found["question"].tolist() == pd.read_csv(bounds.CROSSES)["question"].tolist()
    assert (found["least"] <= found["greatest"]).all()
