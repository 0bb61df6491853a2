"""How long the audit of the paper takes, and what the model of patterns saves beside one unknown per patient."""

import time

from nxp2lib.audit import paper
from nxp2lib.describe import QUARTERS
from nxp2lib.reconstruction import facts, reconstruct
from nxp2lib.reconstruction.patterns import Patterns
from nxp2lib.reconstruction.puzzle import Puzzle


def test_the_whole_paper(benchmark, capsys):
    judged = benchmark.pedantic(paper.judge, rounds=3)
    with capsys.disabled():
        print(f"\n{len(judged)} printed numbers, contradictions included: {benchmark.stats.stats.median:.1f} s")


def fewest_to_give_up(model: Puzzle) -> tuple[int, float]:
    """Return how many facts have to be given up, and the seconds that the proof took."""
    start = time.perf_counter()
    given_up = model.least_to_drop(dict.fromkeys(model.switches, 1))
    return len(given_up), time.perf_counter() - start


def test_patterns_beside_patients(benchmark, capsys):
    known = facts.stated()
    known = known[(known["result"] != "flow") & ~known["statistic"].isin(QUARTERS)]
    by_pattern, seconds = benchmark.pedantic(lambda: fewest_to_give_up(Patterns(known)), rounds=1)
    start = time.perf_counter()
    by_patient, _ = fewest_to_give_up(reconstruct._Findings(known))
    patient_seconds = time.perf_counter() - start
    assert by_pattern == by_patient
    with capsys.disabled():
        print(f"\n{by_pattern} facts to give up: {seconds:.2f} s by pattern, {patient_seconds:.1f} s by patient")
        print(f"{patient_seconds / seconds:.0f} times faster")
