"""Values that can be, and are hard to believe: a second look at the chart, never a refusal."""

import pandas as pd

from nxp2lib import dictionary, findings
from nxp2lib.intake.problems import Problem

LEAST_SHARED = 8  # filled columns in which two patients have to be equal before they look like one
COMPUTED = {  # columns that a file may hold and that are computed here: what decides them, and from what
    "age_group": ("juvenile", "age_at_onset"),
    "phenotype": ("dermatomyositis", "the rashes"),
    "weakness_extent": ("extended", "distal_weakness"),
    "ana_positive": ("ana_positive", "ana_titer"),
}
FEMALE_SITES, MALE_SITES = ("cervix", "ovary", "uterus"), ("prostate",)


def warnings(
    numbers: pd.DataFrame, cells: pd.DataFrame, juvenile_below_age: float = findings.JUVENILE_BELOW_AGE
) -> list[Problem]:
    """Return what is accepted and implausible, in file order.

    ``cells`` holds text under the dictionary's names, ``numbers`` the numbers in it (yes is 1, missing NaN), both one
    row per patient with the file's row numbers as index. ``juvenile_below_age`` is in years.
    """
    found = [
        Problem(int(row), column, str(cells.at[row, column]), expected)
        for column, where, expected in _rules(numbers, cells, juvenile_below_age)
        for row in cells.index[where.fillna(False)]
    ]
    found += _units(numbers) + _twins(cells)
    order = {name: place for place, name in enumerate(cells.columns)}
    return sorted(found, key=lambda p: (p.row or 0, order.get(p.column, -1), p.accepted))


def _rules(numbers: pd.DataFrame, cells: pd.DataFrame, limit: float):
    """Yield a column, the patients in whom it is implausible, and what one would expect."""

    def number(name: str) -> pd.Series:
        return numbers[name] if name in numbers else pd.Series(float("nan"), index=cells.index)

    def text(name: str) -> pd.Series:
        return cells[name] if name in cells else pd.Series("", index=cells.index)

    age, level, raised = number("age_at_onset"), number("max_creatine_kinase"), number("creatine_kinase_elevated")
    yield from [
        ("age_at_onset", age > 100, "an age at onset below 100 years"),
        ("age_at_onset", age == 0, "onset after the first birthday, but in very rare patients"),
        ("max_creatine_kinase", level < 10, "IU/L; a number this small may be in another unit"),
        ("creatine_kinase_elevated", (raised == 0) & (level > 1000), "1, since the creatine kinase is above 1000"),
        ("creatine_kinase_elevated", (raised == 1) & (level < 30), "0, since the creatine kinase is below 30"),
        ("follow_up_years", number("follow_up_years") + age > 110, "an end of follow-up below the age of 110"),
        ("malignancy_site", (text("sex") == "male") & text("malignancy_site").isin(FEMALE_SITES), "a site in a man"),
        ("malignancy_site", (text("sex") == "female") & text("malignancy_site").isin(MALE_SITES), "a site in a woman"),
    ]
    yield from _contradictions(numbers, cells, limit)


def _contradictions(numbers: pd.DataFrame, cells: pd.DataFrame, limit: float):
    """Yield where a typed column that is computed here contradicts what it is computed from."""
    if "age_at_onset" in numbers:
        age = numbers["age_at_onset"]
        numbers = numbers.assign(age_group=(age < limit).map({True: "juvenile", False: "adult"}).where(age.notna()))
    for name, (row, source) in COMPUTED.items():
        try:
            holds = findings.holds(row, numbers)
        except KeyError:  # what it rests on is not in the file
            continue
        if name in cells:
            column, said = dictionary.column(name), f"what is computed from {source}"
            no, yes = ("0", "1") if column.type == "yes_no" else sorted(column.values, key=lambda value: value == row)
            yield name, (cells[name] == yes) & ~holds, f"{no}, {said}"
            yield name, (cells[name] == no) & holds, f"{yes}, {said}"


def _units(numbers: pd.DataFrame) -> list[Problem]:
    middle = numbers["max_creatine_kinase"].median() if "max_creatine_kinase" in numbers else float("nan")
    if not middle < 30:
        return []
    expected = "IU/L, in which the median of patients with myositis is far higher; other units have to be converted"
    return [Problem(None, "max_creatine_kinase", f"median {middle:g}", expected)]


def _twins(cells: pd.DataFrame) -> list[Problem]:
    """Find patients under different codes who are equal in everything else that is filled in."""
    names = [
        name for name in cells if name in dictionary.stored() and name not in ("patient_id", "center", "synthetic")
    ]
    if "patient_id" not in cells or len(names) < LEAST_SHARED:
        return []
    answers = cells[names]
    filled = (answers != "").sum(axis=1) >= LEAST_SHARED
    number = filled & answers.duplicated(keep=False) if "max_creatine_kinase" in names else filled & False
    first = answers[number].groupby(names, observed=True).ngroup() if number.any() else pd.Series(dtype=int)
    return [
        Problem(int(row), "patient_id", str(cells.at[row, "patient_id"]), f"another patient than row {rows[0]}")
        for rows in (list(part.index) for _, part in first.groupby(first))
        for row in rows[1:]
        if cells.at[row, "max_creatine_kinase"] != ""
    ]
