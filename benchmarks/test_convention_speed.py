"""How much faster 10,000 tables are worked out together than by one SciPy call per table and convention."""

import time

import numpy as np
import pytest
from scipy import stats
from scipy.stats import chi2_contingency, fisher_exact, hypergeom

from nxp2lib import fourfold

TABLES, BASELINE = 10_000, 1_000  # the baseline does the first thousand, and its time is multiplied by ten


def random_tables() -> np.ndarray:
    """Return 2x2 tables of 20 to 500 patients, each of whom falls into one of four cells."""
    rng = np.random.default_rng(20)
    patients = rng.integers(20, 501, TABLES)
    return np.array([rng.multinomial(n, rng.dirichlet(np.ones(4))).reshape(2, 2) for n in patients])


def fisher_by_scipy(table: np.ndarray) -> list[float]:
    """Return the Fisher family of one table in the order of ``fourfold.CONDITIONAL``."""
    (a, b), (c, d) = table
    fisher, less, greater = (fisher_exact(table, alternative=side).pvalue for side in ("two-sided", "less", "greater"))
    p = hypergeom.pmf(np.arange(max(0, a - d), min(a + b, a + c) + 1), a + b + c + d, a + b, a + c)
    here, tail = p[min(a, d)], np.minimum(p.cumsum(), p[::-1].cumsum()[::-1])
    tie, smaller = fourfold.TIE, min(less, greater)
    blaker = p[tail <= tail[min(a, d)] * tie].sum()
    mid_p = (p[p <= here * tie].sum() + p[p <= here / tie].sum()) / 2 if len(p) > 1 else 1.0
    return [fisher, min(1, 2 * smaller), min(1, blaker), smaller, less, greater, mid_p, 2 * smaller - here]


def chi_square_by_scipy(table: np.ndarray) -> list[float]:
    """Return the chi-square family of one table in the order of ``fourfold.ASYMPTOTIC``."""
    if 0 in table.sum(axis=0) or 0 in table.sum(axis=1):
        return [float("nan")] * 4
    plain, n = chi2_contingency(table, correction=False), table.sum()
    likelihood = chi2_contingency(table, correction=False, lambda_="log-likelihood")
    smaller = stats.chi2.sf(plain.statistic * (n - 1) / n, 1)
    return [plain.pvalue, chi2_contingency(table).pvalue, smaller, likelihood.pvalue]


@pytest.mark.parametrize(
    ("names", "one_by_one"),
    [(fourfold.CONDITIONAL, fisher_by_scipy), (fourfold.ASYMPTOTIC, chi_square_by_scipy)],
    ids=["fisher_family", "chi_square_family"],
)
def test_many_tables_at_once(benchmark, capsys, names, one_by_one):
    tables = random_tables()
    found = benchmark.pedantic(fourfold.p_values, (tables, names), rounds=5, warmup_rounds=1)
    start = time.perf_counter()
    expected = np.array([one_by_one(table) for table in tables[:BASELINE]])
    scipy_seconds = (time.perf_counter() - start) * TABLES / BASELINE
    np.testing.assert_allclose(found.to_numpy()[:BASELINE], expected, rtol=1e-9, atol=1e-9)
    ours = benchmark.stats.stats.median
    with capsys.disabled():
        print(f"\n{TABLES} tables, {len(names)} conventions: {ours:.3f} s together, {scipy_seconds:.1f} s one by one")
        print(f"(SciPy, scaled from {BASELINE} tables): {scipy_seconds / ours:.0f} times faster")
