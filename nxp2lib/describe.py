"""Describe a cohort: counts, percentages, means and quantiles, overall and by group."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

import numpy as np
import pandas as pd

from nxp2lib import dictionary, findings
from nxp2lib.cohort import is_synthetic
from nxp2lib.findings import TOTAL

QUANTILE_METHODS = {
    "weibull": "weighted average at (n+1)p, type 6, as in SPSS", "linear": "type 7, as in Excel and R",
    "hazen": "type 5", "median_unbiased": "type 8",
    "inverted_cdf": "type 1", "averaged_inverted_cdf": "type 2, as in SAS",
}  # fmt: skip
QUARTERS = {"q1": 1, "median": 2, "q3": 3}  # of four: where a quartile lies
CLASS = 5  # years
COLUMNS = ["row", "group", "statistic", "value"]


def proportion(values: pd.Series) -> dict[str, float]:
    """Count the patients with a finding among those in whom it is known.

    ``values`` is a yes/no column; missing values leave the denominator and are counted.

    >>> proportion(pd.Series([True, False, True, None], dtype="boolean"))
    {'n': 2, 'denominator': 3, 'percent': 66.66666666666667, 'missing': 1}

    The percentage is NaN where nobody's value is known.
    """
    known = values.dropna()
    n, denominator = int(known.sum()), len(known)
    percent = 100 * n / denominator if denominator else float("nan")
    return {"n": n, "denominator": denominator, "percent": percent, "missing": len(values) - denominator}


def quantiles(values: pd.Series, method: str = "weibull") -> dict[str, float]:
    """Return the quartiles and the median of the known values.

    ``method`` is one of ``QUANTILE_METHODS``; the paper's software prints ``weibull`` (Hyndman and Fan 1996, type 6).

    >>> quantiles(pd.Series([1, 2, 3, 4, 5]))
    {'q1': 1.5, 'median': 3.0, 'q3': 4.5}

    NaN where no value is known. Raises ValueError for another method.
    """
    check_quantile_method(method)
    known = values.dropna().to_numpy(dtype=float)
    if not len(known):
        return dict.fromkeys(QUARTERS, float("nan"))
    quartiles = np.quantile(known, [0.25, 0.5, 0.75], method=cast(Any, method))
    return dict(zip(QUARTERS, map(float, quartiles), strict=True))


def check_quantile_method(method: str) -> None:
    """Raise ValueError unless ``method`` is one of ``QUANTILE_METHODS``."""
    if method not in QUANTILE_METHODS:
        raise ValueError(f"quantile_method: {method!r} is not accepted; accepted: {', '.join(QUANTILE_METHODS)}")


def spread(values: pd.Series, exact: bool = True) -> dict[str, float]:
    """Return mean, minimum and maximum of the known values; NaN where there is none.

    Not ``exact``: a minimum or maximum that a single patient has is the end of the five-year class in which it lies.

    >>> spread(pd.Series([17, 30, 40, 40]), exact=False)
    {'mean': 31.75, 'minimum': 15.0, 'maximum': 40.0}
    """
    known = values.dropna().astype(float)
    low, high = float(known.min()), float(known.max())
    if not exact and (known == low).sum() == 1:
        low = CLASS * (low // CLASS)
    if not exact and (known == high).sum() == 1:
        high = CLASS * (high // CLASS) + CLASS - 1
    return {"mean": float(known.mean()), "minimum": low, "maximum": high}


def groups(cohort: pd.DataFrame, by: str) -> dict[str, pd.DataFrame]:
    """Split a cohort: ``total`` first, then each value of the grouping column ``by`` in the dictionary's order.

    Patients whose group is unknown stay in ``total`` only.

    >>> from nxp2lib.cohort import load
    >>> {name: len(patients) for name, patients in groups(load(), "age_group").items()}
    {'total': 76, 'juvenile': 29, 'adult': 47}
    """
    return {"total": cohort} | {value: cohort[cohort[by] == value] for value in dictionary.column(by).values}


def sizes(cohort: pd.DataFrame, by: str) -> dict[str, int]:
    """Return the number of patients in the whole cohort and in each group of ``by``, groups that are kept back too."""
    return {group: len(part) for group, part in groups(cohort, by).items()} | cohort.attrs.get("sizes", {}).get(by, {})


def summarize(cohort: pd.DataFrame, rows: pd.DataFrame, by: str, quantile_method: str = "weibull") -> pd.DataFrame:
    """Describe each row of a table in the whole cohort and in each group of ``by``.

    ``rows`` has the columns ``row`` (a column of the cohort) and ``kind`` (``count``, ``mean``, ``median``, or
    ``category``, of which only who is known is counted), as `nxp2lib.published.rows` returns them. The result is long,
    ``row,group,statistic,value``, at full precision; it opens with the row ``patients``: the size of each group and its
    percentage of the cohort. Of patients who are not all synthetic, least and greatest values are not exact: `spread`.
    """
    parts = groups(cohort, by)
    found: list = [
        (("patients", group), {"n": n, "percent": 100 * n / len(cohort)}) for group, n in sizes(cohort, by).items()
    ]
    exact = "synthetic" not in cohort or is_synthetic(cohort)
    for row, kind in zip(rows["row"], rows["kind"], strict=True):
        found += [((row, group), _statistics(part[row], kind, quantile_method, exact)) for group, part in parts.items()]
    if is_kept_back(cohort, "age_group"):  # else the range of all would be that of the few
        ages = dict(found).get(("age_at_onset", TOTAL), {})
        ages |= dict(zip(("minimum", "maximum"), age_range(cohort), strict=True)) if "minimum" in ages else {}
    return long(found, kept_back(cohort))


def is_kept_back(cohort: pd.DataFrame, by: str) -> bool:
    """Tell whether the groups of a column are not described, since one of them is small (`cohort.kept_back`)."""
    return by in cohort.attrs.get("sizes", {})


def kept_back(cohort: pd.DataFrame) -> set[str]:
    """Return the names of all groups that are not described."""
    return {group for sizes in cohort.attrs.get("sizes", {}).values() for group in sizes}


def age_range(cohort: pd.DataFrame) -> tuple[float, float]:
    """Return between which ages (years) patients are: any, where age groups are kept back; of real ones, by class."""
    column = dictionary.column("age_at_onset")
    if is_kept_back(cohort, "age_group"):
        return float(column.minimum or 0), float(column.maximum or 0)
    _, low, high = spread(cohort["age_at_onset"], is_synthetic(cohort)).values()
    return low, high


def _statistics(values: pd.Series, kind: str, quantile_method: str, exact: bool) -> dict[str, float]:
    if kind == "count":
        return proportion(values)
    known: dict[str, float] = {"denominator": int(values.notna().sum()), "missing": int(values.isna().sum())}
    if kind == "category":
        return known
    return {**(spread(values, exact) if kind == "mean" else quantiles(values, quantile_method)), **known}


def long(
    found: Iterable[tuple[tuple[str, str], Mapping[str, float]]], kept: Collection[str] = ()
) -> pd.DataFrame:
    """Arrange ``((row, group), {statistic: value})`` pairs as a long table with the columns ``COLUMNS``.

    Of groups that are ``kept`` back, and in rows that divide one, every value but a group's size is NaN.
    """
    records = [(*place, name, value) for place, values in found for name, value in values.items()]
    results = pd.DataFrame(records, columns=COLUMNS)
    dividing = [name for name, meaning in findings.definitions().items() if meaning.among in kept]
    hidden = results["group"].isin(kept) & (results["row"] != "patients") | results["row"].isin(dividing)
    return results.assign(value=results["value"].mask(hidden)) if hidden.any() else results


def value(results: pd.DataFrame, row: str, group: str, statistic: str) -> float:
    """Look one number up in a long table of results.

    Raises KeyError where the table does not hold it exactly once.
    """
    here = (results["row"] == row) & (results["group"] == group) & (results["statistic"] == statistic)
    if here.sum() != 1:
        raise KeyError(f"{row}/{group}/{statistic} stands {here.sum()} times in the results")
    return results.loc[here, "value"].item()


def count(results: pd.DataFrame, row: str, group: str, statistic: str = "n") -> int:
    """Look a count up in a long table of results; 0 where nothing is told of its group."""
    found = value(results, row, group, statistic)
    return 0 if pd.isna(found) else int(found)


def phenotypes(cohort: pd.DataFrame) -> pd.DataFrame:
    """Describe Figure 1: phenotype, and rashes within the polymyositis phenotype, overall and by age group.

    Rows ``dermatomyositis``, ``polymyositis``, ``other_rash`` (polymyositis phenotype with rashes that are not specific
    for dermatomyositis) and ``no_rash``. The group ``polymyositis`` holds the patients of that phenotype.
    """
    parts = {**groups(cohort, "age_group"), "polymyositis": groups(cohort, "phenotype")["polymyositis"]}
    rows = ["dermatomyositis", "polymyositis", "other_rash", "no_rash"]
    found = [((row, group), proportion(findings.holds(row, part))) for group, part in parts.items() for row in rows]
    return long(found, kept_back(cohort))


def skin_categories(cohort: pd.DataFrame) -> pd.Series:
    """Return for each patient ``dermatomyositis``, ``other_rash`` or ``no_rash``, the three parts of Figure 1.

    Missing where the phenotype is unknown, or where a patient of polymyositis phenotype has no answer on rashes.
    """
    order = ["dermatomyositis", "other_rash", "no_rash"]
    told = [row for row in order if findings.definitions()[row].among not in kept_back(cohort)]
    held = [findings.holds(row, cohort).fillna(False).to_numpy(dtype=bool) for row in told]
    codes = np.select(held, [order.index(row) for row in told], -1)
    return pd.Series(pd.Categorical.from_codes(codes, categories=order), index=cohort.index)


def running_text(cohort: pd.DataFrame) -> pd.DataFrame:
    """Describe what the text prints beyond the tables: normal creatine kinase, titers, phenotype crosses.

    ``normal_creatine_kinase`` by age group; ``no_muscular_symptom``: neither myalgia nor weakness; interstitial lung
    disease and malignancy by phenotype; ``ana_titer_80`` and so on, among all patients with a known titer.
    """
    everyone, *ages = groups(cohort, "age_group").items()
    _, *phenotypes = groups(cohort, "phenotype").items()
    asked = [*(("normal_creatine_kinase", part) for part in (everyone, *ages)), ("no_muscular_symptom", everyone)]
    asked += [(row, part) for part in phenotypes for row in ("interstitial_lung_disease", "malignancy")]
    asked += [(row, everyone) for row in (*findings.definitions()["ana_positive"].parts, "ana_titer_below_80")]
    found = (((row, group), proportion(findings.holds(row, part))) for row, (group, part) in asked)
    return long(found, kept_back(cohort))


def flow(screening: pd.DataFrame) -> pd.DataFrame:
    """Count the people of a screening list by antibody.

    ``screening`` has one row per person with the columns ``screening_id`` and ``antibody``. Rows ``screened`` (everyone
    listed) and one per antibody found.
    """
    counts = [("screened", len(screening)), *screening["antibody"].value_counts(sort=False).items()]
    return long(((name, "total"), {"n": int(n)}) for name, n in counts)
