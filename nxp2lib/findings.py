"""What a finding, a group and a row of the tables mean, in terms of what is asked of a patient: said here, once.

Of a patient a name holds, does not hold, or is unknown. Some names are asked (the dictionary's yes/no columns, sex, age
below the limit, each titer, each site of a malignancy), the others are defined by them. Whoever needs to know what a
name means reads it here: the columns that are computed, the descriptions, the models of the patients behind the tables,
and whoever tries to work out what an export hides.
"""

from functools import lru_cache, reduce
from operator import and_, or_
from typing import NamedTuple

import pandas as pd

from nxp2lib import dictionary

JUVENILE_BELOW_AGE = 18  # years at onset
MINIMUM_GROUP = 5  # patients; a smaller group of real ones is told line by line, so it is not described
POSITIVE_ABOVE = 40  # reciprocal titer of antinuclear antibody
TOTAL = "total"
TABLES = {"table1": "age_group", "table2": "weakness_extent"}  # the column that a table compares by
HALVES = [("juvenile", "adult"), ("limited", "extended"), ("dermatomyositis", "polymyositis")]  # of all patients
SIGNS = ("heliotrope_rash", "gottron_sign_or_papules")  # of the dermatomyositis phenotype
RASHES = (*SIGNS, "facial_edema", "periungual_erythema")
# What holds in every cohort: the first never without the second.
RULES = [*((rash, "any_rash") for rash in RASHES), ("distal_weakness", "muscle_weakness")]
CHOICES = ("ana_titer", "malignancy_site")  # columns of which each value is a name


class Definition(NamedTuple):
    """What a name means: ``any_of``, ``all_of`` or ``none_of`` its parts.

    ``among`` names the patients of whom it is asked, where that matters for what is unknown: elsewhere it does not
    hold, and where nobody knows who they are, it is unknown.
    """

    combination: str
    parts: tuple[str, ...]
    among: str = ""


@lru_cache
def definitions() -> dict[str, Definition]:
    """Return every name that is defined, with its definition.

    >>> definitions()["dermatomyositis"]
    Definition(combination='any_of', parts=('heliotrope_rash', 'gottron_sign_or_papules'), among='')
    """
    titers = {name: int(name.rpartition("_")[2]) for name in one_of("ana_titer")}
    return {
        "female": Definition("none_of", ("male",)),
        "adult": Definition("none_of", ("juvenile",)),
        "patients": Definition("any_of", (TOTAL,)),
        "dermatomyositis": Definition("any_of", SIGNS),
        "polymyositis": Definition("none_of", ("dermatomyositis",)),
        "other_rash": Definition("all_of", ("polymyositis", "any_rash"), among="polymyositis"),
        "no_rash": Definition("none_of", ("any_rash",), among="polymyositis"),
        "extended": Definition("any_of", ("distal_weakness",)),
        "limited": Definition("none_of", ("distal_weakness",)),
        "pain_or_weakness": Definition("any_of", ("myalgia", "muscle_weakness")),
        "no_muscular_symptom": Definition("none_of", ("pain_or_weakness",)),
        "normal_creatine_kinase": Definition("none_of", ("creatine_kinase_elevated",)),
        "ana_positive": Definition("any_of", tuple(name for name, titer in titers.items() if titer > POSITIVE_ABOVE)),
        "ana_titer_below_80": Definition("any_of", tuple(name for name, titer in titers.items() if titer < 80)),
        "all_sites": Definition("any_of", ("malignancy",)),
    }


def divisions() -> dict[str, list[tuple[str, ...]]]:
    """Return rows or groups that divide another one: each of its patients is in one part, or it is unknown in which.

    >>> divisions()["polymyositis"]
    [('other_rash', 'no_rash')]
    """
    return {
        "patients": [("male", "female"), *HALVES],
        "polymyositis": [("other_rash", "no_rash")],
        "ana_positive": [definitions()["ana_positive"].parts],
        "malignancy": [tuple(one_of("malignancy_site"))],
    }


def yes_no() -> list[str]:
    """Return the stored yes/no columns of a patient."""
    stored = dictionary.stored().items()
    return [name for name, one in stored if one.type == "yes_no" and name != "synthetic" and not one.own]


def one_of(name: str) -> list[str]:
    """Return the names of a column's values, of which one patient has one at most.

    >>> one_of("ana_titer")[:3]
    ['ana_titer_0', 'ana_titer_40', 'ana_titer_80']
    """
    prefix = f"{name}_" if dictionary.column(name).type == "integer" else ""
    return [prefix + value for value in dictionary.column(name).values]


def asked() -> list[str]:
    """Return the names that are asked of each patient, and not defined by others."""
    return ["male", "juvenile", *yes_no(), *(name for column in CHOICES for name in one_of(column))]


def column_of(name: str) -> str:
    """Return the stored column that answers a name which is asked.

    >>> column_of("juvenile"), column_of("ana_titer_80"), column_of("dysphagia")
    ('age_at_onset', 'ana_titer', 'dysphagia')
    """
    columns = {"male": "sex", "juvenile": "age_at_onset"} | {value: c for c in CHOICES for value in one_of(c)}
    return columns.get(name, name)


def names() -> set[str]:
    """Return every name that holds of a patient or does not."""
    return {*asked(), *definitions()}


def parts(name: str) -> set[str]:
    """Return the asked names that a name rests on.

    >>> sorted(parts("polymyositis"))
    ['gottron_sign_or_papules', 'heliotrope_rash']
    """
    if name in definitions():
        return set().union(*map(parts, definitions()[name].parts))
    return {name} - {TOTAL}


def applies(row: str) -> str:
    """Return the name of the patients in whom a row is known: all, or those to whom it applies.

    >>> applies("dysphagia"), applies("microinfarction")
    ('total', 'muscle_biopsy')
    """
    column = dictionary.columns().get(row)
    return column.applies_when if column and column.applies_when else TOTAL


def opposite(name: str) -> str:
    """Return the name that a name is the opposite of, by definition; empty where there is none.

    >>> opposite("polymyositis"), opposite("no_rash"), opposite("dermatomyositis")
    ('dermatomyositis', '', '')
    """
    combination, parts, among = definitions().get(name, ("", (), ""))
    return parts[0] if combination == "none_of" and len(parts) == 1 and not among else ""


def compared(table: str) -> tuple[str, str]:
    """Return the two groups that a table compares, the reference first.

    >>> compared("table1")
    ('juvenile', 'adult')
    """
    first, second = dictionary.column(TABLES[table]).values
    return first, second


def holds(name: str, patients: pd.DataFrame) -> pd.Series:
    """Tell of each patient whether a name holds; missing where that is unknown.

    ``patients`` has the stored columns and ``age_group``. An unknown part decides nothing that the known parts leave
    open: with a heliotrope rash the phenotype is dermatomyositis even if Gottron's sign is unknown.

    >>> signs = {"heliotrope_rash": [1, 0, 0], "gottron_sign_or_papules": [None, None, 0]}
    >>> holds("dermatomyositis", pd.DataFrame(signs)).tolist()
    [True, <NA>, False]

    Raises KeyError for a name that is not known, or a column that is not there.
    """
    definition = definitions().get(name)
    if definition is None:
        return _answer(name, patients)
    answers = [holds(part, patients) for part in definition.parts]
    found = reduce(and_ if definition.combination == "all_of" else or_, answers)
    if definition.combination == "none_of":
        found = ~found
    if definition.among:
        among = holds(definition.among, patients)
        found = (found & among).mask(among.isna())
    return found


def _answer(name: str, patients: pd.DataFrame) -> pd.Series:
    """Return what is known of a name that is asked."""
    if name == TOTAL:
        return pd.Series(True, index=patients.index, dtype="boolean")
    if name in ("male", "juvenile"):
        return equal(patients["sex" if name == "male" else "age_group"], name)
    if name in one_of("ana_titer"):
        return equal(patients["ana_titer"], int(name.rpartition("_")[2]))
    if name in one_of("malignancy_site"):
        return equal(patients["malignancy_site"], name) & holds("malignancy", patients)
    return patients[name].astype("boolean")


def equal(values: pd.Series, value: object) -> pd.Series:
    """Tell of each value whether it is this one; missing where it is."""
    return (values == value).astype("boolean").mask(values.isna())
