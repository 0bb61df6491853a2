"""How far a count that the paper does not print can go, over all patients whom the printed numbers allow.

One reconstructed cohort answers any question, but another one that keeps the same printed numbers may answer
otherwise. Here the least and the greatest answer are proved by a solver, and for each end patients are shown.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from nxp2lib import counts, dictionary, reconstruct
from nxp2lib.patterns import Patterns

NOT = ("~", "!", "not ")
CROSSES = {  # that the paper does not print, and a clinician would ask for
    "polymyositis & malignancy & adult": "adults with the polymyositis phenotype and a malignancy",
    "dermatomyositis & malignancy & adult": "adults with the dermatomyositis phenotype and a malignancy",
    "dysphagia & neck_weakness": "dysphagia together with neck weakness",
    "microinfarction & polymyositis": "microinfarction in the polymyositis phenotype",
    "microinfarction & dermatomyositis": "microinfarction in the dermatomyositis phenotype",
    "extended & juvenile & male": "boys whose weakness is extended",
    "extended & juvenile & female": "girls whose weakness is extended",
    "distal_weakness & malignancy": "extended weakness together with a malignancy",
}


class Bounds(NamedTuple):
    """The least and the greatest number of patients of whom something can hold."""

    least: int
    greatest: int


def parse(question: str) -> dict[str, bool]:
    """Read a question: names joined by ``&``, each with ``~`` in front where it must not hold.

    A name is a yes/no column of the data dictionary, a group (``juvenile``, ``adult``, ``limited``, ``extended``), a
    phenotype, a titer (``ana_titer_80``), a site of malignancy or another row of the paper's tables.

    >>> parse("distal_weakness & ~malignancy")
    {'distal_weakness': True, 'malignancy': False}

    Raises ValueError for a name that is not known, with the nearest one, and for a contradiction.
    """
    known, found = sorted(counts.names() | {"adult", "limited"}), {}
    for term in question.split("&"):
        term = term.strip()
        sign = next((sign for sign in NOT if term.lower().startswith(sign)), "")
        name = "_".join(term[len(sign) :].strip().lower().split())
        if name not in known:
            raise ValueError(f"{term!r} is not known{dictionary.nearest(name, known)}; accepted: {EXAMPLE}")
        if found.setdefault(name, not sign) == bool(sign):
            raise ValueError(f"{name!r} cannot hold and not hold; accepted: {EXAMPLE}")
    return found


EXAMPLE = "names joined by &, such as 'distal_weakness & ~malignancy'"


def count(question: str, known: pd.DataFrame | None = None) -> Bounds:
    """Return the least and greatest number of patients, over all cohorts that keep the printed numbers.

    Both are proved: no cohort has fewer or more, and some cohort has just as many. ``known`` has the columns of
    `nxp2lib.reconstruct.facts` (the default: every printed number that does not contradict another).

    Of nine patients with a malignancy six have the polymyositis phenotype, the one juvenile among them:

    >>> count("polymyositis & malignancy & adult")
    Bounds(least=5, greatest=5)

    Raises ValueError for a question that cannot be read, Infeasible where the printed numbers contradict one another.
    """
    model, number = _model(question, known)
    return Bounds(*model.bounds(number, model.switches))


def witness(question: str, end: str, seed: int = reconstruct.SEED, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a synthetic cohort, as a file holds it, in which the count is ``least`` or ``greatest``.

    It keeps every printed number as the default cohort does. The same seed gives the same patients. Raises as `count`
    and `nxp2lib.reconstruct.cohort` do, and ValueError for another ``end``.
    """
    if end not in Bounds._fields:
        raise ValueError(f"end: {end!r} is not accepted; accepted: {' or '.join(Bounds._fields)}")
    known = reconstruct.facts() if known is None else known
    model, number = _model(question, known)
    solver, rng = model.extreme(number, model.switches, end), np.random.default_rng(seed)
    names = ["male", "juvenile", *counts.yes_no(), *counts.one_of("ana_titer"), *counts.one_of("malignancy_site")]
    holds = [{name: int(name in patient) for name in names} for patient in model.deal(solver, rng)]
    ages = {who: solver.value(number) for who, number in model.number.items()}
    patients = reconstruct.as_patients(pd.DataFrame(holds).astype("Int64"), ages, rng)
    return reconstruct.complete(patients, known, rng)


def crosses(questions: dict[str, str] = CROSSES, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the bounds of several questions, one row each: ``question, meaning, least, greatest``."""
    rows = [(question, meaning, *count(question, known)) for question, meaning in questions.items()]
    return pd.DataFrame(rows, columns=["question", "meaning", *Bounds._fields])


def _model(question: str, known: pd.DataFrame | None):
    """Return the model of the printed numbers, and in it the number of patients of whom the question holds."""
    known = reconstruct.facts() if known is None else known
    model = Patterns(known[~known["statistic"].eq("p_value")])
    return model, model.count_all(parse(question))
