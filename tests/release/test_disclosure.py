"""Hidden counts stay hidden: no more is hidden than needed, and nobody can narrow them down."""

import os
import subprocess
import sys
from decimal import Decimal
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import pytest
from attacker import Attacker
from budget import budget
from made import random_cohort, results

from nxp2lib import cohort
from nxp2lib.release import disclosure, outgoing
from nxp2lib.release.model import BELOW, Block, Exposed, Shown

TOTAL = ("patients", "total")


def one_finding(juvenile: tuple[int, int, int], adult: tuple[int, int, int]) -> dict:
    """One finding in juveniles and adults, each with, without and unknown, and the sizes of the groups."""
    total = tuple(sum(pair) for pair in zip(juvenile, adult, strict=True))
    counts = {"total": total, "juvenile": juvenile, "adult": adult}
    sizes = {("patients", group): Block(sum(three), 0, 0) for group, three in counts.items()}
    return sizes | {("dysphagia", group): Block(*three) for group, three in counts.items()}


def shown_by(blocks: dict, numbers: dict | None = None) -> Shown:
    return Shown(18, blocks[TOTAL].yes, blocks, numbers or {})


def protect(blocks: dict, minimum: int) -> tuple[set, set]:
    return disclosure.protect(shown_by(blocks), minimum)


def exposed(blocks: dict, hidden: set, apart: int) -> list:
    """What somebody can narrow down who does not know what is hidden."""
    shown = shown_by({key: block for key, block in blocks.items() if key not in hidden})
    return list(disclosure.Search(shown, apart, blocks).exposed(set()))


def random_blocks(patients: int, seed: int, missing: float) -> dict:
    return outgoing.blocks(results(cohort.prepare(random_cohort(patients, seed=seed, missing=missing))))


def test_one_hidden_count_alone_is_worked_out_by_subtraction():
    blocks = one_finding((3, 26, 0), (20, 27, 0))
    first, further = protect(blocks, 8)
    assert first == {("dysphagia", "juvenile")}
    assert len(further) == 1 and further < {("dysphagia", "adult"), ("dysphagia", "total")}
    assert exposed(blocks, first, 8) == [("dysphagia", "juvenile")]
    assert not exposed(blocks, first | further, 8)


def test_a_finding_that_few_lack_is_as_small_as_one_that_few_have():
    blocks = one_finding((26, 3, 0), (20, 27, 0))
    assert disclosure.small(blocks, 8) == {("dysphagia", "juvenile")}
    assert disclosure.small(blocks, 3) == set()
    assert disclosure.small(one_finding((0, 29, 0), (20, 27, 0)), 2) == {("dysphagia", "juvenile")}


def test_nothing_is_hidden_where_nothing_is_small():
    assert protect(one_finding((12, 17, 0), (20, 27, 0)), 8) == (set(), set())


def test_a_size_of_a_group_that_is_small_takes_everything_that_tells_it_along():
    blocks = one_finding((3, 2, 0), (20, 27, 0))
    first, further = protect(blocks, 8)
    assert ("patients", "juvenile") in first and ("patients", "adult") in further
    assert not exposed(blocks, first | further, 8)


def test_two_values_of_a_hidden_count_lie_the_minimum_apart():
    """With a rash in 4 and unknown in 3 of 47, edema of the face is in 0 to 7: open by 7, and too little for 8."""
    hidden = ("facial_edema", "total")
    blocks = {TOTAL: Block(47, 0, 0), ("any_rash", "total"): Block(4, 40, 3), hidden: Block(2, 45, 0)}
    shown = {key: blocks[key] for key in (TOTAL, ("any_rash", "total"))}
    assert Attacker(shown, list(blocks)).extremes(hidden)[:2] == (0, 7)
    assert not exposed(blocks, {hidden}, 7) and exposed(blocks, {hidden}, 8) == [hidden]


def test_opposites_and_implications_are_used_against_us():
    """Males follow from females, who has a rash at all from a kind of rash, and from the phenotype."""
    sizes = {TOTAL: Block(60, 0, 0)}
    females = Attacker(sizes | {("male", "total"): Block(5, 55, 0)}, [("female", "total")])
    assert females.extremes(("female", "total")) == (55, 55, 5, 5)
    rash = Attacker(sizes | {("any_rash", "total"): Block(20, 40, 0)}, [("heliotrope_rash", "total")])
    assert rash.extremes(("heliotrope_rash", "total"))[:2] == (0, 20)


def test_without_unknowns_no_rash_is_the_opposite_of_any_rash():
    """Of 40 adults 34 have a rash, and phenotypes are known: no rash in 6, by subtraction. It once was not seen."""
    shown = {
        TOTAL: Block(40, 0, 0),
        ("any_rash", "total"): Block(34, 6, 0),
        ("dermatomyositis", "total"): Block(20, 20, 0),
    }
    assert Attacker(shown, [("no_rash", "total")]).extremes(("no_rash", "total")) == (6, 6, 34, 34)


def test_the_phenotype_of_dermatomyositis_implies_a_rash():
    """Who has heliotrope rash or Gottron's sign has a rash: 25 with dermatomyositis, so at most 15 without any."""
    shown = {TOTAL: Block(40, 0, 0), ("dermatomyositis", "total"): Block(25, 15, 0)}
    assert Attacker(shown, [("any_rash", "total")]).extremes(("any_rash", "total")) == (0, 40, 0, 15)


@pytest.mark.parametrize(("patients", "minimum"), budget([(90, 8)], [(40, 3), (90, 8), (150, 5)]))
def test_of_what_is_hidden_to_protect_nothing_could_be_shown_alone(patients, minimum):
    blocks = random_blocks(patients, patients, 0.1)
    few = budget({"patients", "any_rash", "heliotrope_rash", "other_rash", "no_rash", "dysphagia", "malignancy"}, None)
    blocks = {key: block for key, block in blocks.items() if few is None or key[0] in few}
    first, further = protect(blocks, minimum)
    assert first == disclosure.small(blocks, minimum) and not first & further
    assert not exposed(blocks, first | further, minimum)
    for key in sorted(further)[:: budget(3, 1)]:
        assert exposed(blocks, (first | further) - {key}, minimum), key


def test_another_process_hides_the_same():
    """Two exports of one run that hide different counts would tell, together, what each of them hides."""
    said = "from made import random_cohort, results; from nxp2lib import cohort; from nxp2lib.release import *\n"
    said += "from nxp2lib.release.model import Shown\n"
    said += "made = outgoing.blocks(results(cohort.prepare(random_cohort(60, seed=8, missing=0.1))))\n"
    said += "made = {key: made[key] for key in made if key[0] in ('patients', 'dysphagia', 'no_rash', 'any_rash')}\n"
    said += "print(*map(sorted, disclosure.protect(Shown(18, 60, made, {}), 8)))"
    tests = str(Path(__file__).parents[1])
    hidden = {
        subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, cwd=tests,
                       env={**os.environ, "PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(hidden) == 1 and "adult" in hidden.pop()


def test_counts_that_exclude_one_another_are_a_fault():
    wrong = one_finding((12, 17, 0), (20, 27, 0)) | {("dysphagia", "total"): Block(33, 43, 0)}
    with pytest.raises(Exposed):
        disclosure.certificates(shown_by(wrong), {("myalgia", "total")}, 8)


# Means and quartiles


@pytest.fixture
def whole_medians(monkeypatch):
    """Let medians leave as whole numbers: finer than they do, so that a few small values are a test."""
    monkeypatch.setattr(outgoing, "_step", lambda value: Decimal(1))


def numbers(ages: list[int], *statistics: str) -> Shown:
    """Ages of a group as an export would print their mean and their median."""
    found = {"mean": np.mean(ages), "median": np.median(ages)}
    ends = {("age_at_onset", "total", name): outgoing._ends(name, float(found[name])) for name in statistics}
    ends["age_at_onset", "total", "denominator"] = (len(ages), len(ages))
    return Shown(1, len(ages), {TOTAL: Block(len(ages), 0, 0)}, ends)


def test_a_mean_of_1_33_and_a_median_of_1_give_three_people_away(whole_medians):
    """Whole numbers from 0 with these are 1, 1 and 2, or 0, 1 and 3: two of three are known to have 1 at most."""
    with pytest.raises(disclosure.Unproved):
        disclosure.protect(numbers([1, 1, 2], "mean", "median"), 2)


def test_a_mean_and_a_median_of_many_different_values_are_shown():
    shown = numbers([0, 2, 3, 5, 8, 11, 17, 30, 42, 50, 61, 70], "mean", "median")
    assert disclosure.protect(shown, 3) == (set(), set())


@pytest.mark.parametrize("seed", range(budget(12, 80)))
def test_a_mean_and_a_median_that_are_shown_leave_it_open_how_many_lie_below(seed, whole_medians):
    """Every list of eight small whole numbers is tried: what is accepted is open, among those that print the same."""
    rng = np.random.default_rng(seed)
    ages = sorted(rng.integers(0, rng.integers(2, 7), 8).tolist())
    statistics = [("mean",), ("median",), ("mean", "median")][seed % 3]
    shown, apart = numbers(ages, *statistics), int(rng.integers(2, 4))
    alike = [other for other in combinations_with_replacement(range(8), 8)
             if numbers(list(other), *statistics).numbers == shown.numbers]  # fmt: skip
    try:
        disclosure.protect(shown, apart)
    except disclosure.Unproved:
        return
    for name, _ in (key for key in disclosure.Search(shown, apart).forms if BELOW in key[0]):
        edge = float(name.partition(BELOW)[2])
        below = [sum(age < edge for age in other) for other in alike]
        known = min(max(below), 8 - min(below))
        assert max(below) - min(below) >= apart or min(min(below), known) >= apart, (ages, statistics, edge)
