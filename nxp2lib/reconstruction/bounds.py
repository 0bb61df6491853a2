"""How far a count that the paper does not print can go, over all patients whom the printed numbers allow.

One reconstructed cohort answers any question, but another one that keeps the same printed numbers may answer
otherwise. Here the least and the greatest answer are proved by a solver, and for each end patients are shown.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from nxp2lib import dictionary, findings, fourfold, incidence, paths
from nxp2lib.reconstruction import cache, counts, creatine_kinase, facts, reconstruct
from nxp2lib.reconstruction.patterns import Patterns

NOT = ("~", "!", "not ")
CROSSES = paths.PACKAGE / "reconstruction" / "crosses.csv"
EXAMPLE = "names joined by &, such as 'distal_weakness & ~malignancy'"


class Bounds(NamedTuple):
    """The least and the greatest number of patients of whom something can hold."""

    least: int
    greatest: int


def parse(question: str) -> dict[str, bool]:
    """Read a question: names joined by ``&``, each with ``~`` in front where it must not hold.

    A name is a yes/no column of the data dictionary, a group (``juvenile``, ``adult``, ``limited``, ``extended``), a
    phenotype, a titer (``ana_titer_80``), a site of malignancy or another row of the paper's tables. Raises ValueError
    for a name that is not known, with the nearest one, and for a contradiction.

    >>> parse("distal_weakness & ~malignancy")
    {'distal_weakness': True, 'malignancy': False}
    """
    known, found = sorted(findings.names()), {}
    for term in map(str.strip, question.split("&")):
        sign = next((sign for sign in NOT if term.lower().startswith(sign)), "")
        name = "_".join(term[len(sign) :].strip().lower().split())
        if name not in known:
            raise ValueError(f"{term!r} is not known{dictionary.nearest(name, known)}; accepted: {EXAMPLE}")
        if found.setdefault(name, not sign) == bool(sign):
            raise ValueError(f"{name!r} cannot hold and not hold; accepted: {EXAMPLE}")
    return found


@cache.kept
def count(question: str, known: pd.DataFrame | None = None) -> Bounds:
    """Return the least and greatest number of patients, over all cohorts that keep the printed numbers.

    Both are proved: no cohort has fewer or more, and some cohort has just as many. ``known`` has the columns of
    `nxp2lib.reconstruction.facts.kept` (the default: every printed number that does not contradict another). Raises
    ValueError for a question that cannot be read, Infeasible where the printed numbers contradict one another.

    >>> count("polymyositis & malignancy & adult")
    Bounds(least=5, greatest=5)
    """
    model, number = _model(question, known)
    return Bounds(*model.bounds(number, model.switches))


def tally(question: str, cohort: pd.DataFrame) -> int:
    """Count the patients of one cohort of whom a question holds; an unknown finding holds of nobody.

    ``cohort`` comes from `nxp2lib.cohort.load` or `prepare`. Raises ValueError as `parse` does.

    >>> from nxp2lib import cohort
    >>> tally("heliotrope_rash & juvenile", cohort.load())
    16
    """
    terms = [findings.holds(name, cohort).eq(wanted).fillna(False) for name, wanted in parse(question).items()]
    return int(np.logical_and.reduce(terms).sum())


@cache.kept
def witness(question: str, end: str, seed: int = reconstruct.SEED, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a synthetic cohort, as a file holds it, in which the count is ``least`` or ``greatest``.

    It keeps every printed number as the default cohort does. The same seed gives the same patients. Raises as `count`
    and `nxp2lib.reconstruction.reconstruct.cohort` do, and ValueError for another ``end``.
    """
    if end not in Bounds._fields:
        raise ValueError(f"end: {end!r} is not accepted; accepted: {' or '.join(Bounds._fields)}")
    known = facts.kept() if known is None else known
    model, number = _model(question, known)
    solver, rng = model.extreme(number, model.switches, end), np.random.default_rng(seed)
    patients = reconstruct.as_patients(model.deal(solver, rng), model.ages(solver), rng)
    return reconstruct.named(patients, creatine_kinase.draw(known, patients, rng), rng)


@cache.kept
def fisher(finding: str, group: str, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return every 2x2 table of a finding by a group that the printed numbers allow, with its P value, one row each.

    Columns: ``count``, the group's patients with the finding; ``p_value`` of Fisher's two-sided test; ``odds_ratio``,
    that of the sample. Counts for which no cohort exists are left out. Both names as in `parse`. Raises ValueError
    where the printed numbers do not settle the margins, and as `count` does.

    >>> found = fisher("polymyositis", "extended")
    >>> len(found), says(found["p_value"])
    (24, 'some')
    """
    model, number = _model(f"{finding} & {group}", known)
    among = findings.applies(finding)
    margins = [(finding, "total"), (among, group), (among, "total")]
    ends = {pair: model.bounds(model.count(*pair), model.switches) for pair in margins}
    if unsettled := [" in ".join(pair) for pair, (least, greatest) in ends.items() if least != greatest]:
        raise ValueError(f"the printed numbers do not settle {' or '.join(unsettled)}")
    with_finding, in_group, everyone = (ends[pair][0] for pair in margins)
    least, greatest = model.bounds(number, model.switches)
    inner = [n for n in range(least + 1, greatest) if model.can_hold(model.switches, number == n)]
    n = np.array(sorted({least, *inner, greatest}))
    tables = np.stack([n, in_group - n, with_finding - n, everyone - in_group - with_finding + n], axis=1)
    a, b, c, d = tables.T.astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds_ratio = a * d / (b * c)
    p = fourfold.p_values(tables.reshape(-1, 2, 2), ["fisher"])["fisher"]
    return pd.DataFrame({"count": n, "p_value": p, "odds_ratio": odds_ratio})


def says(p_values: pd.Series, level: float = 0.05) -> str:
    """Say in which of the allowed cohorts a P value lies below a level: ``all``, ``none`` or ``some``.

    >>> says(pd.Series([0.01, 0.04])), says(pd.Series([0.01, 0.06])), says(pd.Series([0.05, 0.06]))
    ('all', 'some', 'none')

    Missing P values are left out; ``none`` without any.
    """
    below = p_values.dropna() < level
    return "all" if len(below) and below.all() else "some" if below.any() else "none"


@cache.kept
def incidence_ratio(years: float = 1.0, group: str = "adult") -> tuple[float, float]:
    """Return the least and greatest standardized incidence ratio over all ages and sexes that are allowed.

    ``years`` is everybody's time at risk. The printed ratio itself is not used, since it rests on a time that the paper
    does not print. Raises ValueError for a time that is not above zero, and as `count` does.

    >>> least, greatest = incidence_ratio(1)
    >>> round(least, 1), round(greatest, 1)
    (10.8, 37.3)
    """
    incidence.check_years_at_risk(years)
    known = facts.kept()
    model = Patterns(known[~known["statistic"].isin(["p_value", "sir"])])
    expected = model.bounds(model.expected(group, years), model.switches)
    observed = model.bounds(model.count("malignancy", group), model.switches)
    return observed[0] * counts.CASE / expected[1], observed[1] * counts.CASE / expected[0]


def crosses() -> pd.DataFrame:
    """Return the bounds of counts that the paper does not print, and a clinician would ask for.

    One row each: ``question, meaning, least, greatest``. The questions are those of ``crosses.csv``.
    """
    asked = pd.read_csv(CROSSES)
    return asked.join(pd.DataFrame(map(count, asked["question"])))


def _model(question: str, known: pd.DataFrame | None):
    """Return the model of the printed numbers, and in it the number of patients of whom the question holds."""
    known = facts.kept() if known is None else known
    model = Patterns(known[known["statistic"] != "p_value"])
    return model, model.count_all(parse(question))
