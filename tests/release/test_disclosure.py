"""Hidden counts stay hidden: the solver finds what enumeration finds, and what a patient attacker would find."""

import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from budget import budget
from hypothesis import given
from hypothesis import strategies as st
from made import random_cohort, results

from nxp2lib import cohort
from nxp2lib.release import disclosure, export
from nxp2lib.release.disclosure import Block

EVERY = 10**6  # values are searched to their ends


def one_finding(juvenile: tuple[int, int, int], adult: tuple[int, int, int]) -> dict:
    """One finding in juveniles and adults, each with, without and unknown, and the sizes of the groups."""
    total = tuple(sum(pair) for pair in zip(juvenile, adult, strict=True))
    counts = {"total": total, "juvenile": juvenile, "adult": adult}
    sizes = {("patients", group): Block(sum(three), 0, 0) for group, three in counts.items()}
    return sizes | {("dysphagia", group): Block(*three) for group, three in counts.items()}


def agreeing(blocks: dict, hidden: set) -> list[dict]:
    """Every table of one finding that shows what is shown; sizes of groups are shown."""
    groups = [blocks["patients", group].yes for group in ("juvenile", "adult")]
    parts = [
        [(yes, size - yes - unknown, unknown) for yes in range(size + 1) for unknown in range(size + 1 - yes)]
        for size in groups
    ]
    tables = (one_finding(*pair) for pair in product(*parts))
    return [found for found in tables if all(found[key] == block for key, block in blocks.items() if key not in hidden)]


parts = st.tuples(*[st.integers(0, 4)] * 3)


@given(parts, parts, st.sets(st.sampled_from(["total", "juvenile", "adult"]), min_size=1))
def test_ranges_are_those_of_enumeration(juvenile, adult, groups):
    blocks = one_finding(juvenile, adult)
    hidden = {("dysphagia", group) for group in groups}
    shown = {key: block for key, block in blocks.items() if key not in hidden}
    found = disclosure.ranges(shown, sorted(hidden), EVERY)
    allowed = agreeing(blocks, hidden)
    for key, limits in found.items():
        yes, no = ([counts[key][side] for counts in allowed] for side in (0, 1))
        assert limits == (min(yes), max(yes), min(no), max(no))


def test_one_hidden_count_alone_is_worked_out_by_subtraction():
    blocks = one_finding((3, 26, 0), (20, 27, 0))
    first, further = disclosure.protect(blocks, 8)
    assert first == {("dysphagia", "juvenile")}
    assert len(further) == 1 and further < {("dysphagia", "adult"), ("dysphagia", "total")}
    assert list(disclosure.tight(blocks, first, 8)) == [("dysphagia", "juvenile")]


def test_a_finding_that_few_lack_is_as_small_as_one_that_few_have():
    blocks = one_finding((26, 3, 0), (20, 27, 0))
    assert disclosure.small(blocks, 8) == {("dysphagia", "juvenile")}
    assert disclosure.small(blocks, 3) == set()
    assert disclosure.small(one_finding((0, 29, 0), (20, 27, 0)), 2) == {("dysphagia", "juvenile")}


def test_nothing_is_hidden_where_nothing_is_small():
    assert disclosure.protect(one_finding((12, 17, 0), (20, 27, 0)), 8) == (set(), set())


def test_a_size_of_a_group_that_is_small_takes_everything_that_tells_it_along():
    blocks = one_finding((3, 2, 0), (20, 27, 0))
    first, further = disclosure.protect(blocks, 8)
    assert ("patients", "juvenile") in first
    shown = {group for row, group in blocks if row == "patients" and ("patients", group) not in first | further}
    assert shown <= {"total"} or shown <= {"adult"}


def test_opposites_and_implications_are_used_against_us():
    """Males follow from females, polymyositis from dermatomyositis, and who has a rash at all from a kind of rash."""
    sizes = {("patients", "total"): Block(60, 0, 0)}
    females = sizes | {("male", "total"): Block(5, 55, 0), ("female", "total"): Block(55, 5, 0)}
    found = disclosure.ranges({key: females[key] for key in list(females)[:2]}, [("female", "total")], EVERY)
    assert found["female", "total"] == (55, 55, 5, 5)
    rash = sizes | {("any_rash", "total"): Block(20, 40, 0)}
    assert disclosure.ranges(rash, [("heliotrope_rash", "total")], EVERY)["heliotrope_rash", "total"][:2] == (0, 20)


@pytest.mark.parametrize("seed", range(0, 12, budget(3, 1)))
def test_the_equations_hold_for_every_cohort(seed):
    """An equation that some cohort breaks would prove too little to be possible, or that nothing is."""
    patients = cohort.prepare(random_cohort(10 + 7 * seed, seed=seed, missing=0.03 * seed))
    blocks = export.blocks(results(patients))
    hidden = sorted(blocks)[seed::12]
    shown = {key: block for key, block in blocks.items() if key not in hidden}
    for key, limits in disclosure.ranges(shown, hidden, EVERY).items():
        assert limits.least <= blocks[key].yes <= limits.greatest
        assert key[0] == "patients" or limits.least_without <= blocks[key].no <= limits.greatest_without


@pytest.mark.parametrize(("patients", "minimum"), budget([(150, 5)], [(40, 3), (90, 8), (150, 5)]))
def test_of_what_is_hidden_to_protect_nothing_could_be_shown_alone(patients, minimum):
    blocks = export.blocks(results(cohort.prepare(random_cohort(patients, seed=patients, missing=0.1))))
    first, further = disclosure.protect(blocks, minimum)
    assert first == disclosure.small(blocks, minimum) and not first & further
    assert not list(disclosure.tight(blocks, first | further, minimum))
    for key in further:
        assert list(disclosure.tight(blocks, (first | further) - {key}, minimum)), key


def test_another_process_hides_the_same():
    """Two exports of one run that hide different counts would tell, together, what each of them hides."""
    said = "from made import random_cohort, results; from nxp2lib import cohort; from nxp2lib.release import *\n"
    said += "made = export.blocks(results(cohort.prepare(random_cohort(40, seed=8, missing=0.5))))\n"
    said += "print(*map(sorted, disclosure.protect(made, 2)))"
    tests = str(Path(__file__).parents[1])
    hidden = {
        subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, cwd=tests,
                       env={**os.environ, "PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(hidden) == 1 and "total" in hidden.pop()


def test_counts_that_exclude_one_another_are_a_fault():
    wrong = one_finding((12, 17, 0), (20, 27, 0)) | {("dysphagia", "total"): Block(33, 43, 0)}
    with pytest.raises(disclosure.Exposed, match="exclude one another"):
        disclosure.ranges(wrong, [("myalgia", "total")], 8)
