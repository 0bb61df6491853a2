"""Tables of two groups as papers print them, true or with one planted error; nothing here is shared with the audit.

Patients are rows of a cohort, drawn with replacement, some cells blanked. One author prints each table, by one
convention of tests and of rounding. P values are SciPy's, rounding is `decimal`'s; what a row with an error still
allows is worked out by trying all counts, or the corners of the rounding, one by one.
"""

import warnings
from collections.abc import Iterator
from copy import deepcopy
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

YES_NO = ["any_rash", "heliotrope_rash", "gottron_sign_or_papules", "facial_edema", "periungual_erythema",
          "subcutaneous_calcinosis", "subcutaneous_edema", "myalgia", "muscle_weakness", "distal_weakness",
          "neck_weakness", "dysphagia", "interstitial_lung_disease", "malignancy", "creatine_kinase_elevated",
          "perifascicular_atrophy", "microinfarction"]  # fmt: skip
NUMBERS = {"age_at_onset": 1, "max_creatine_kinase": 0, "ana_titer": 0}  # and decimals of the mean
GROUPS = {"age group": ("juvenile", "adult"), "weakness": ("limited", "extended"), "sex": ("female", "male")}
TESTS = {"fisher": "Fisher's exact test", "chi-square": "chi-square test",
         "policy": "chi-square or Fisher's exact test",
         "Yates": "chi-square test with Yates's correction", "N-1": "N-1 chi-square test", "mid-P": "Fisher mid-P",
         "one-sided": "one-sided Fisher's exact test", "student": "Student's t test", "welch": "Welch's t test",
         "rank": "Mann-Whitney U test", "rank, corrected": "Mann-Whitney U test",
         "rank, exact": "Mann-Whitney U test"}  # fmt: skip
NAMES = {"fisher": "two-sided Fisher", "chi-square": "chi-square", "Yates": "chi-square with Yates's correction",
         "N-1": "N-1 chi-square", "mid-P": "two-sided Fisher mid-P", "one-sided": "one-sided Fisher",
         "student": "Student's t test", "welch": "Welch's t test"}  # in the words of the audit  # fmt: skip
OF_COUNTS, OF_NUMBERS = list(TESTS)[:7], list(TESTS)[7:]
FORMS = ["n (%)", "n/N (%)", "n/N", "columns", "percent only", "n (%) of the known"]  # the last prints the whole group
ROUNDINGS = ["half up", "half to even", "cut off", "twice"]
ERRORS = ["count", "percentage", "P", "denominator", "copied row", "swapped columns", "wrong test"]
MOST = 400  # tables behind one printed row that are tried


class Author(NamedTuple):
    """How one author tests and prints."""

    test: str  # of counts
    number_test: str
    is_named: bool
    form: str
    share_decimals: int
    share_rounding: str
    p_decimals: int
    p_rounding: str
    p_limit: str  # smaller values are printed as below it; empty: they are rounded
    says_ns: bool
    summary: str
    quantiles: str

    def habit(self, row: "Row") -> str:
        """What sets a row apart from rounding half up."""
        if row.is_of_counts and self.form != "n/N" and self.share_rounding != "half up":
            return f"percentages {self.share_rounding}"
        return "half up" if self.p_rounding == "half up" else f"P {self.p_rounding}"


class Row(NamedTuple):
    """One printed comparison: pairs of strings for groups A and B, empty for what is unknown; ``test`` gave its P."""

    name: str
    test: str
    n: list[str]
    count: list[str]
    share: list[str]
    center: list[str]
    low: list[str]
    high: list[str]
    p: str
    truth: tuple  # of counts ((found, known), (found, known)), of numbers two tuples of values
    error: str = ""
    how: str = ""
    knowable: bool = True

    @property
    def is_of_counts(self) -> bool:
        return self.test in OF_COUNTS


# P values and printed digits


@lru_cache(maxsize=100_000)
def fourfold_p(test: str, one: tuple[int, int], other: tuple[int, int]) -> float | None:
    """Return the P value of two groups, (found, known) each; None where there is none."""
    table = [[found, known - found] for found, known in (one, other)]
    if test == "policy":
        sums = np.outer(np.sum(table, axis=1), np.sum(table, axis=0)) / np.sum(table)
        return fourfold_p("fisher" if sums.min() < 5 else "chi-square", one, other)
    if test == "fisher":
        return stats.fisher_exact(table).pvalue
    if test == "one-sided":
        return min(stats.fisher_exact(table, alternative=side).pvalue for side in ("less", "greater"))
    total, found = one[1] + other[1], one[0] + other[0]
    if found in (0, total):
        return None
    if test == "mid-P":
        likelihood = stats.hypergeom.pmf(np.arange(found + 1), total, found, one[1])
        here = likelihood[one[0]]
        alike = np.isclose(likelihood, here, rtol=1e-7, atol=0)
        return float(likelihood[(likelihood < here) & ~alike].sum() + likelihood[alike].sum() / 2)
    statistic, p, *_ = stats.chi2_contingency(table, correction=test == "Yates")
    return float(stats.chi2.sf(statistic * (total - 1) / total, 1)) if test == "N-1" else float(p)


def numbers_p(test: str, one, other) -> float | None:
    """Return the P value of two groups of values; None where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if test in ("student", "welch"):
            p = stats.ttest_ind(one, other, equal_var=test == "student").pvalue
        else:
            tied = len(set(one) | set(other)) < len(one) + len(other)
            exact = test == "rank, exact" and not tied  # else corrected, as R does
            how = {"method": "exact"} if exact else {"method": "asymptotic", "use_continuity": test != "rank"}
            p = stats.mannwhitneyu(one, other, **how).pvalue
    return None if np.isnan(p) else float(p)


def rounded(value, decimals: int, how: str = "half up") -> str:
    """Return the digits of a number, rounded in one of ``ROUNDINGS``."""
    exact = value if isinstance(value, Decimal) else Decimal(f"{value:.13g}")
    if how == "twice":
        exact, how = Decimal(rounded(exact, decimals + 1)), "half up"
    mode = {"half up": ROUND_HALF_UP, "half to even": ROUND_HALF_EVEN, "cut off": ROUND_DOWN}[how]
    return f"{exact.quantize(Decimal(1).scaleb(-decimals), mode):f}"


def share(found: int, known: int, author: Author) -> str:
    return rounded(Decimal(100 * found) / known, author.share_decimals, author.share_rounding)


def p_printed(p: float | None, author: Author) -> str:
    if p is None:
        return ""
    if author.says_ns and p >= 0.05:
        return "NS"
    if author.p_limit and p < float(author.p_limit):
        return f"<{author.p_limit}"
    return rounded(p, author.p_decimals, author.p_rounding)


# True tables


def an_author(rng) -> Author:
    habit = rng.choice(["none"] * 5 + ["share", "share", "p", "p"])
    how = rng.choice(ROUNDINGS[1:])
    decimals = int(rng.choice([2, 3, 3, 4]))
    summary = rng.choice(["mean(SD)", "mean(SD)", "median(IQR)", "median(range)"])
    number_test = rng.choice([*OF_NUMBERS[:3], "student", "welch"] if summary == "mean(SD)" else OF_NUMBERS[2:])
    return Author(
        test=str(rng.choice([*OF_COUNTS, "fisher", "chi-square", "policy"])),
        number_test=str(number_test), is_named=bool(rng.random() < 0.5), form=str(rng.choice(FORMS)),
        share_decimals=int(rng.integers(2)), share_rounding=str(how if habit == "share" else "half up"),
        p_decimals=decimals, p_rounding=str(how if habit == "p" else "half up"),
        p_limit=str(rng.choice(["", "0.001", f"{10.0**-decimals:.{decimals}f}"])),
        says_ns=bool(rng.random() < 0.15), summary=str(summary),
        quantiles=str(rng.choice(["linear", "weibull", "averaged_inverted_cdf"])),
    )  # fmt: skip


def some_patients(cohort: pd.DataFrame, rng) -> tuple[str, list[pd.DataFrame]]:
    """Return how patients are grouped, and two groups of 8 to 150, drawn with replacement, some cells blanked."""
    grouping = str(rng.choice(list(GROUPS)))
    is_second = {"age group": cohort["age_at_onset"] >= 18, "weakness": cohort["distal_weakness"] == 1,
                 "sex": cohort["sex"] == "male"}[grouping]  # fmt: skip
    groups = []
    for half in (cohort[~is_second], cohort[is_second]):
        group = half.sample(int(8 * 19 ** rng.random()), replace=True, random_state=rng)
        lost = {name: rng.random(len(group)) < rng.choice([0, 0, 0.05, 0.2]) for name in [*YES_NO, *NUMBERS]}
        groups.append(group.assign(**{name: group[name].mask(blank) for name, blank in lost.items()}))
    return grouping, groups


def count_row(name: str, truth: tuple, sizes: list[int], author: Author) -> Row:
    printed_n = sizes if author.form == "n (%) of the known" else [known for _, known in truth]
    shares = [share(*one, author) for one in truth]
    p = p_printed(fourfold_p(author.test, *truth), author)
    blank = ["", ""]
    counts = [str(found) for found, _ in truth]
    return Row(name, author.test, [*map(str, printed_n)], counts, shares, blank, blank, blank, p, truth)


def number_row(name: str, truth: tuple, author: Author) -> Row:
    decimals, blank = NUMBERS[name], ["", ""]
    if author.summary == "mean(SD)":
        three = [(np.mean(values), np.std(values, ddof=1), None) for values in truth]
    else:
        ends = [0.25, 0.75] if author.summary == "median(IQR)" else [0, 1]
        three = [(np.median(v), *np.quantile(v, ends, method=author.quantiles)) for v in truth]
    center, low, high = ([rounded(one[k], decimals) if one[k] is not None else "" for one in three] for k in range(3))
    p = p_printed(numbers_p(author.number_test, *truth), author)
    return Row(name, author.number_test, [str(len(v)) for v in truth], blank, blank, center, low, high, p, truth)


def a_table(cohort: pd.DataFrame, rng) -> tuple[str, Author, list[Row]]:
    """Return how the patients are grouped, who prints the table, and its rows, all true."""
    author = an_author(rng)
    grouping, groups = some_patients(cohort, rng)
    rows, sizes = [], [len(group) for group in groups]
    for name in rng.permutation(YES_NO)[: rng.integers(7, len(YES_NO) + 1)]:
        known = [group[name].dropna() for group in groups]
        if all(map(len, known)):
            rows.append(count_row(name, tuple((int(v.sum()), len(v)) for v in known), sizes, author))
    for name in rng.permutation(list(NUMBERS))[: rng.integers(1, len(NUMBERS) + 1)]:
        known = tuple(tuple(group[name].dropna()) for group in groups)
        if min(map(len, known)) > 3 and not any(len(set(values)) == 1 for values in known):
            rows.append(number_row(name, known, author))
    return grouping, author, rows


# Planted errors


def planted(rows: list[Row], error: str, author: Author, rng) -> list[Row]:
    """Return the rows with one error of a kind in one of them; as they were where no row can have it."""
    for place in rng.permutation(len(rows)):
        wrong = PLANT[error](deepcopy(rows[place]), author, rng, rows[place - 1].p if place else "")
        if wrong and cells(wrong, author) != cells(rows[place], author) and (wrong.p or not rows[place].p):
            wrong = wrong._replace(error=error, knowable=not can_be_true(wrong, author))
            return [wrong if at == place else row for at, row in enumerate(rows)]
    return rows


def _count(row: Row, author: Author, rng, _) -> Row | None:
    side, step = rng.integers(2), int(rng.choice([-3, -2, -1, 1, 2, 3]))
    if not row.is_of_counts or author.form == "percent only":
        return None
    wrong = int(row.count[side]) + step
    row.count[side] = str(wrong)
    return row._replace(how=f"{step:+d}") if 0 <= wrong <= int(row.n[side]) else None


def _typo(text: str, rng) -> str:
    """Change one digit, or let two that differ change places."""
    places = [k for k, letter in enumerate(text) if letter.isdigit()]
    letters, pairs = list(text), [(i, j) for i, j in pairwise(places) if text[i] != text[j]]
    if pairs and rng.random() < 0.5:
        i, j = pairs[rng.integers(len(pairs))]
        letters[i], letters[j] = letters[j], letters[i]
    else:
        at = places[rng.integers(len(places))]
        letters[at] = str((int(text[at]) + rng.integers(1, 10)) % 10)
    return "".join(letters)


def _percentage(row: Row, author: Author, rng, _) -> Row | None:
    side = rng.integers(2)
    if not row.is_of_counts or author.form == "n/N":
        return None
    row.share[side] = _typo(row.share[side], rng)
    return row if float(row.share[side]) <= 100 else None


def _p(row: Row, author: Author, rng, _) -> Row | None:
    if row.p and row.is_of_counts and rng.random() < 0.5:
        near = [(min(max(found + int(rng.integers(-2, 3)), 0), known), known) for found, known in row.truth]
        return row._replace(p=p_printed(fourfold_p(row.test, *near), author), how="of other counts")
    if not row.p or not row.p[0].isdigit():
        return None
    wrong = _typo(row.p, rng)
    return row._replace(p=wrong, how="digit") if float(wrong) <= 1 else None


def _denominator(row: Row, author: Author, rng, _) -> Row | None:
    side = rng.integers(2)
    other, one_more = row.n[1 - side], str(int(row.n[side]) + 1)
    wrong = other if rng.random() < 0.5 else one_more
    row.n[side] = wrong
    fits = not row.is_of_counts or int(row.count[side]) <= int(wrong)
    return row._replace(how="the other group's" if wrong == other else "one more") if fits else None


def _copied(row: Row, author: Author, rng, above: str) -> Row | None:
    return row._replace(p=above) if above else None


def _swapped(row: Row, author: Author, rng, _) -> Row | None:
    often = ["counts alone", "counts alone", "all but n", "all but n", "all"]
    how = str(rng.choice(often if row.is_of_counts else often[2:]))
    pairs = [row.count] if how == "counts alone" else [row.count, row.share, row.center, row.low, row.high]
    for pair in [*pairs, row.n] if how == "all" else pairs:
        pair.reverse()
    if how == "counts alone" and author.form in ("n/N", "percent only"):
        return None
    fits = not row.is_of_counts or all(int(count) <= int(n) for count, n in zip(row.count, row.n, strict=True))
    return row._replace(how=how) if fits else None


def _wrong_test(row: Row, author: Author, rng, _) -> Row | None:
    if row.is_of_counts:
        other = str(rng.choice([test for test in OF_COUNTS if test not in (row.test, "policy")]))
        return row._replace(p=p_printed(fourfold_p(other, *row.truth), author), how=other)
    other = str(rng.choice([test for test in OF_NUMBERS if test != row.test]))
    return row._replace(p=p_printed(numbers_p(other, *row.truth), author), how=other)


PLANT = dict(zip(ERRORS, (_count, _percentage, _p, _denominator, _copied, _swapped, _wrong_test), strict=True))


# What a printed row still allows: all counts, or all corners of the rounding, tried one by one


def can_be_true(row: Row, author: Author) -> bool:
    """Tell whether this author would print a row like this of some patients; of numbers, whether that may be."""
    if not row.is_of_counts:
        ends = _t_ends(row, author) if author.summary == "mean(SD)" else [_rank_ends(row, author)]
        unit = 0.0 if row.p == "NS" or row.p.startswith("<") else 10.0**-author.p_decimals
        low, high = (0.05, 1) if row.p == "NS" else (0, float(row.p[1:])) if not unit else 2 * [float(row.p)]
        return any(least <= high + unit and greatest >= low - unit for least, greatest in ends)
    tests = ("fisher", "chi-square") if author.test == "policy" else (author.test,)  # where it turns is not printed
    pairs = list(product(*(_groups(*one, author) for one in zip(row.count, row.n, row.share, strict=True))))
    if len(pairs) > MOST:
        return True
    return any(p_printed(fourfold_p(test, *pair), author) == row.p for test in tests for pair in pairs)


def _groups(count: str, n: str, printed: str, author: Author) -> list[tuple[int, int]]:
    """Return all (found, known) that a group may have."""
    sizes = range(1, int(n) + 1) if author.form == "n (%) of the known" else [int(n)]
    found = [(k, m) for m in sizes for k in ([int(count)] if author.form != "percent only" else range(m + 1)) if k <= m]
    return found if author.form == "n/N" else [one for one in found if share(*one, author) == printed]


def _t_ends(row: Row, author: Author) -> list[tuple[float, float]]:
    """Return, for each test that it may be, the least and greatest P value over the corners of the rounding."""
    if author.number_test not in ("student", "welch"):
        return [(0.0, 1.0)]
    half, found = 0.5 * 10.0 ** -NUMBERS[row.name], []
    corners = [[float(text) + step for step in (-half, 0, half)] for text in (*row.center, *row.low)]
    for pooled in [author.number_test == "student"] if author.is_named else (True, False):
        values = [1.0] if abs(float(row.center[0]) - float(row.center[1])) <= 2 * half else []  # equal means
        for mean_a, mean_b, sd_a, sd_b in product(*corners):
            one, other = (mean_a, max(sd_a, 0), int(row.n[0])), (mean_b, max(sd_b, 0), int(row.n[1]))
            with np.errstate(all="ignore"):
                values.append(stats.ttest_ind_from_stats(*one, *other, equal_var=pooled).pvalue)
        found.append((float(np.nanmin(values)), float(np.nanmax(values))))
    return found


def _rank_ends(row: Row, author: Author) -> tuple[float, float]:
    """Return the least and greatest P value where one group is as high and the other as low as they can be."""
    sides = list(zip(*(map(float, pair) for pair in (row.center, row.low, row.high)), map(int, row.n), strict=True))
    if any(not low <= center <= high for center, low, high, _ in sides):
        return 2.0, 2.0  # nobody has these
    found = []
    for high_side in (0, 1):
        a, b = (_stretched(*sides[k], author.summary, up=k == high_side) for k in (0, 1))
        found.append((stats.mannwhitneyu(a, b).statistic, a, b))
    tests = ["rank", "rank, corrected", "rank, exact"]
    values = [numbers_p(test, a, b) for _, a, b in found for test in tests]
    middle = len(found[0][1]) * len(found[0][2]) / 2
    crosses = min(u for u, _, _ in found) - 1 <= middle <= max(u for u, _, _ in found) + 1
    return min(values) * 0.5, 1.0 if crosses else min(1.0, max(values) * 2)


def _stretched(center: float, low: float, high: float, n: int, summary: str, up: bool) -> list[float]:
    """Return n values as high, or as low, as printed quartiles or ends allow."""
    places = [1, n // 4, n // 2, n - n // 4] if summary == "median(IQR)" else [1, 1, n // 2, n]
    marks = [(places[1] + 1, low), (places[2] + 1, center), (places[3], high)]
    if not up:
        marks = [(n + 1 - place, -value) for place, value in reversed(marks)]
    beyond = 1e9 if summary == "median(IQR)" else marks[-1][1]
    values = []
    for place in range(1, n + 1):
        values.append(next((value for mark, value in marks if place <= mark), beyond) + 0.5)
    return values if up else [-value for value in values]


# Ledgers


def cells(row: Row, author: Author) -> dict[str, str]:
    """Return a row as it is typed into a ledger."""
    out = {"row": row.name, "p_printed": row.p, "test_printed": TESTS[author.test if row.is_of_counts
           else author.number_test] if author.is_named else ""}  # fmt: skip
    for side, n, count, part, center, low, high in zip("ab", row.n, row.count, row.share, row.center, row.low, row.high,
                                                       strict=True):  # fmt: skip
        if not row.is_of_counts:
            own = {"n": n, "kind": author.summary, "center": center, "lo": low, "hi": high}
        else:
            own = {"n (%)": {"count": f"{count} ({part})", "n": n}, "n/N (%)": {"count": f"{count}/{n} ({part}%)"},
                   "n/N": {"count": f"{count}/{n}"}, "columns": {"count": count, "n": n, "pct": part},
                   "percent only": {"pct": part, "n": n}}  # fmt: skip
            own = own.get(author.form, own["n (%)"])
        out |= {f"{side}_{name}": text for name, text in own.items()}
    return out


def tables(cohorts: list[pd.DataFrame], seed: int, errors: list[str]) -> Iterator[pd.DataFrame]:
    """Yield tables without end: ledger columns, and what is true of each row.

    The tables take the ``errors`` in turn, "" for none. Columns beside the ledger's: ``form`` (how the row is
    printed), ``made_by`` (its test), ``named`` (whether that is printed), ``habit`` (of rounding), ``error`` ("" for a
    true row), ``how`` and ``knowable``, whether the row excludes by itself that it is true.
    """
    rng, number = np.random.default_rng(seed), 0
    while True:
        cohort, error = cohorts[number % len(cohorts)], errors[number % len(errors)]
        grouping, author, rows = a_table(cohort, rng)
        rows = planted(rows, error, author, rng) if error else rows
        number += 1
        groups = dict(zip(("group_a_label", "group_b_label"), GROUPS[grouping], strict=True))
        yield pd.DataFrame([
            {"table": f"{number}", **groups, **cells(row, author), "habit": author.habit(row), "error": row.error,
             "form": author.form if row.is_of_counts else author.summary, "how": row.how, "knowable": row.knowable,
             "made_by": author.test if row.is_of_counts else author.number_test, "named": author.is_named}
            for row in rows
        ])  # fmt: skip


def judged(made: pd.DataFrame, audit) -> pd.DataFrame:
    """Return tables beside what an audit says of them, and whether that ``found`` the error.

    Found is what is inconsistent, a wrong denominator also where another is named that the percentage fits, and a wrong
    test where the one that was used is named.
    """
    about = ["form", "made_by", "named", "habit", "error", "how", "knowable"]
    said = audit(made.drop(columns=about).fillna("")).drop(columns=["table", "row", "p_printed"])
    both = made.fillna("").join(said)
    named = [found.split("; ") for found in both["conventions"]]
    other = np.array([NAMES.get(how) in names for how, names in zip(both["how"], named, strict=True)])
    size = np.array([any(name.startswith("denominator") for name in names) for names in named])
    both["found"] = (both["error"] == "wrong test") & other | (both["error"] == "denominator") & size
    both["found"] = (both["error"] != "") & (both["found"] | (both["verdict"] == "inconsistent"))
    return both
