"""Compare a cohort's malignancies with the general population's: the standardized incidence ratio."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from nxp2lib import describe, dictionary, fourfold, paths

# Years before and after onset in which malignancies and time count; after it never beyond a patient's own follow-up.
WINDOWS = {"around_onset_1": (1, 1), "around_onset_3": (3, 3), "around_onset_5": (5, 5), "follow_up_years": (0, np.inf)}


class Ratio(NamedTuple):
    """A standardized incidence ratio with its confidence interval."""

    sir: float
    ci_low: float
    ci_high: float


@lru_cache
def rates() -> pd.DataFrame:
    """Return Japan's cancer incidence by sex and 5-year age group, 2016 and 2017 pooled.

    Columns: ``sex``, ``age_lower``, ``age_upper`` (completed years; infinite from 100), ``cases``, ``population``
    (persons) and ``rate`` (cases per person-year).

    >>> round(rates().query("sex == 'female' and age_lower == 50")["rate"].item() * 100_000, 1)
    586.2
    """
    yearly = pd.read_csv(paths.RATES)
    yearly["age_upper"] = yearly["age_upper"].fillna(np.inf)
    pooled = yearly.groupby(["sex", "age_lower", "age_upper"], as_index=False)[["cases", "population"]].sum()
    return pooled.assign(rate=pooled["cases"] / pooled["population"])


def person_years(age: pd.Series, sex: pd.Series, years_at_risk: float | pd.Series) -> pd.DataFrame:
    """Split each patient's time at risk over the age groups of the reference rates.

    ``age`` (completed years) is taken as the exact age at the start, half a year too young on average, so that where
    rates rise with age too few cases are expected, and the ratio is too high: half a year older, the reconstructed
    adults have 0.6 % more expected cases in one year and 2.9 % more in five. ``years_at_risk`` is one number of years
    for everyone or one per patient. A woman of 48 followed for 5 years spends 2 of them in 45-49 and 3 in 50-54.
    Returns the reference rates with the columns ``person_years`` and ``expected`` (cases).

    >>> split = person_years(pd.Series([48]), pd.Series(["female"]), 5)
    >>> split.loc[split["person_years"] > 0, ["age_lower", "person_years"]].values.tolist()
    [[45.0, 2.0], [50.0, 3.0]]

    Patients with a missing age, sex or time contribute nothing. Raises ValueError for a time that is not above zero.
    """
    time = pd.Series(years_at_risk, index=age.index).astype(float)
    if time.notna().any():
        check_years_at_risk(time.min())
    reference = rates()
    start = age.astype(float).to_numpy()[:, None]
    end = start + time.to_numpy()[:, None]
    lower, upper = reference["age_lower"].to_numpy(), reference["age_upper"].to_numpy() + 1
    inside = np.minimum(end, upper) - np.maximum(start, lower)
    own_sex = np.asarray(sex.astype(object))[:, None] == reference["sex"].to_numpy(dtype=object)
    spent = np.where(own_sex & (inside > 0), inside, 0.0).sum(axis=0)
    return reference.assign(person_years=spent, expected=spent * reference["rate"])


def check_years_at_risk(years_at_risk: float) -> None:
    """Raise ValueError unless the time at risk is a number of years above zero."""
    if not 0 < years_at_risk < float("inf"):
        raise ValueError(f"years_at_risk: {years_at_risk:g} is not accepted; accepted: a number above 0 (years)")


def garwood(observed: int, expected: float, confidence: float = 0.95) -> Ratio:
    """Return observed / expected with the exact Poisson interval of Garwood (1936).

    Each limit leaves (1 - confidence) / 2 on its side; the lower one is 0 when nothing was observed. R's
    ``poisson.test(observed, expected)`` agrees.

    >>> [round(number, 2) for number in garwood(8, 0.357)]
    [22.41, 9.67, 44.15]

    NaN where nothing was expected.
    """
    from scipy.stats import chi2

    tail = (1 - confidence) / 2
    low = chi2.ppf(tail, 2 * observed) / 2 if observed else 0.0
    return _ratio(observed, low, chi2.ppf(1 - tail, 2 * observed + 2) / 2, expected)


def byar(observed: int, expected: float, confidence: float = 0.95) -> Ratio:
    """Return observed / expected with Byar's approximate interval (Breslow and Day 1987, volume II, page 69).

    >>> [round(number, 2) for number in byar(8, 0.357)]
    [22.41, 9.65, 44.16]
    """
    from scipy.stats import norm

    z, above = norm.ppf((1 + confidence) / 2), observed + 1
    low = observed * max(0.0, 1 - 1 / (9 * observed) - z / (3 * observed**0.5)) ** 3 if observed else 0.0
    return _ratio(observed, low, above * (1 - 1 / (9 * above) + z / (3 * above**0.5)) ** 3, expected)


def mid_p(observed: int, expected: float, confidence: float = 0.95) -> Ratio:
    """Return observed / expected with the mid-P interval: half the probability of the observed count on each side.

    >>> [round(number, 2) for number in mid_p(8, 0.357)]
    [22.41, 10.41, 42.55]
    """
    from scipy.optimize import brentq
    from scipy.stats import poisson

    tail = (1 - confidence) / 2

    def below(mean: float) -> float:
        return poisson.cdf(observed, mean) - poisson.pmf(observed, mean) / 2

    highest = 2 * observed + 50 + 20 / tail**0.5
    low = brentq(lambda mean: below(mean) - (1 - tail), 1e-12, highest) if observed else 0.0
    return _ratio(observed, low, brentq(lambda mean: below(mean) - tail, 1e-12, highest), expected)


def _ratio(observed: int, low: float, high: float, expected: float) -> Ratio:
    if not expected > 0:
        return Ratio(*[float("nan")] * 3)
    return Ratio(observed / expected, float(low / expected), float(high / expected))


INTERVALS = {"garwood": garwood, "byar": byar, "mid_p": mid_p}


def standardize(
    cohort: pd.DataFrame, years_at_risk: float | pd.Series = 1.0, confidence: float = 0.95, interval: str = "garwood"
) -> dict[str, float]:
    """Return observed and expected malignancies, person-years and their ratio for the patients given.

    Patients whose malignancy or time at risk is unknown leave both sides of the ratio and are counted as ``missing``.
    ``interval`` is one of ``INTERVALS``. The ratio is NaN where nobody is at risk.
    """
    fourfold.check_confidence(confidence)
    time = pd.Series(years_at_risk, index=cohort.index, dtype=float)
    known = cohort[cohort["malignancy"].notna() & time.notna()]
    split = person_years(known["age_at_onset"], known["sex"], time[known.index])
    observed, expected = int(known["malignancy"].sum()), float(split["expected"].sum())
    counts = {"observed": observed, "expected": expected, "person_years": float(split["person_years"].sum())}
    ratio = INTERVALS[interval](observed, expected, confidence)
    return {**counts, **ratio._asdict(), "missing": len(cohort) - len(known)}


def around_onset(cohort: pd.DataFrame, before: float, after: float, confidence: float = 0.95) -> dict[str, dict]:
    """Compare the malignancies of a window of years around onset with the time that the patients spent in it.

    A patient's window goes from ``before`` years before onset to ``after`` years after it, or to the end of their own
    follow-up where that is earlier; who has none leaves both sides. A malignancy counts where its time lies in the
    window, both ends included. Without a time it is neither in nor out: under ``""`` its patient leaves both sides and
    is counted as ``missing``, under ``"_most"`` all of these are taken as in. Both are what `standardize` returns.
    """
    end = cohort["follow_up_years"].astype(float).clip(upper=after)
    when = cohort["malignancy_years_from_onset"].astype(float)
    answer = cohort["malignancy"]
    undated = answer.fillna(False).astype(bool) & when.isna()
    inside = (answer & (undated | when.between(-before, end))).mask(answer.isna())
    window = cohort.assign(age_at_onset=cohort["age_at_onset"].astype(float) - before, malignancy=inside)
    time = (before + end).where(before + end > 0)
    known = window.assign(malignancy=inside.mask(undated))
    return {"": standardize(known, time, confidence), "_most": standardize(window, time, confidence)}


def malignancies(cohort: pd.DataFrame, years_at_risk: float = 1.0, confidence: float = 0.95) -> pd.DataFrame:
    """Return the results of the malignancy section: adults against the population, by sex, by time at risk, by site.

    Long, ``row,group,statistic,value``: row ``all_sites`` for adults at ``years_at_risk`` each, ``male`` and
    ``female`` among them, ``years_at_risk_1`` to ``years_at_risk_10``, then the number of patients per site and age
    group. Where adults have a follow-up, and malignancies among them a time, the ``WINDOWS`` of `around_onset` are
    there too, each a second time as ``_most``.
    """
    adults = cohort[cohort["age_group"] == "adult"]
    asked = [("all_sites", adults, years_at_risk)]
    asked += [(sex, adults[adults["sex"] == sex], years_at_risk) for sex in dictionary.column("sex").values]
    asked += [(f"years_at_risk_{years}", adults, years) for years in range(1, 11)]
    found = [((row, "adult"), standardize(part, time, confidence)) for row, part, time in asked]
    followed = adults[adults["follow_up_years"].notna()]
    if len(followed) and (followed["malignancy_years_from_onset"].notna().any() or not followed["malignancy"].any()):
        for row, (before, after) in WINDOWS.items():
            ratios = around_onset(adults, before, after, confidence)
            found += [((row + suffix, "adult"), ratio) for suffix, ratio in ratios.items()]
    return pd.concat([describe.long(found, describe.kept_back(cohort)), sites(cohort)], ignore_index=True)


def sites(cohort: pd.DataFrame) -> pd.DataFrame:
    """Count malignancies by site and age group; rows are the sites that occur, most frequent first.

    The last row, ``unknown``, holds malignancies without a site, where there are any. Where the age groups are kept
    back, all patients are counted together, as ``total``.
    """
    named = cohort["malignancy_site"].astype(object)
    named = named.where(named.notna(), "unknown").where(cohort["malignancy"].fillna(False))
    listed = sorted(named.value_counts().index, key=lambda site: site == "unknown")
    everybody, *parts = describe.groups(cohort, "age_group").items()
    parts = [everybody] if describe.is_kept_back(cohort, "age_group") else parts
    found = [((site, group), {"n": int((named[part.index] == site).sum())}) for site in listed for group, part in parts]
    return describe.long(found)
