"""How long a thousand checked cohorts take, beside solving each of them from scratch."""

import time

from nxp2lib.reconstruction import archive, reconstruct

NUMBER = 1000


def test_a_thousand_cohorts(benchmark, capsys, tmp_path):
    benchmark.pedantic(lambda: list(archive.write(NUMBER, 1, tmp_path, jobs=2)), rounds=1)
    seconds = benchmark.stats.stats.total
    start = time.perf_counter()
    for seed in range(3):
        reconstruct.cohort(seed)
    one = (time.perf_counter() - start) / 3
    alone, together = NUMBER * one, NUMBER * one / 2
    with capsys.disabled():
        print(f"\n{NUMBER} cohorts, written, read back and checked, in two processes: {seconds:.0f} s")
        print(
            f"one cohort from scratch: {one:.1f} s; {NUMBER} of them: {alone:.0f} s, {together:.0f} s in two processes"
        )
        print(f"{alone / seconds:.1f} times faster, {together / seconds:.1f} times beside two processes")
