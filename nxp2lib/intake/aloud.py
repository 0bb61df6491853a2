"""A patient's row read as sentences, so that one sees what its numbers say."""

from collections.abc import Iterable

import pandas as pd

from nxp2lib import dictionary, findings


def read_aloud(patient: pd.Series) -> str:
    """Read one synthetic patient's row as sentences; a real patient's row is never shown.

    ``patient`` is one row of a cohort from `nxp2lib.cohort.load`. Unknown columns are left out.
    """
    if pd.isna(patient["synthetic"]) or not patient["synthetic"]:
        return "Rows of real patients are not shown."
    known = {name: patient[name] for name in dictionary.stored() if pd.notna(patient[name])}
    answers = {name: known[name] for name in findings.yes_no() if name in known}
    measured = []
    if "max_creatine_kinase" in known:
        measured.append(f"Maximum creatine kinase {known['max_creatine_kinase']:g} IU/L")
    if "ana_titer" in known:
        titer = known["ana_titer"]
        measured.append(f"Antinuclear antibody titer 1:{titer}" if titer else "No antinuclear antibody")
    unknown = [
        name
        for name, column in dictionary.stored().items()
        if column.section not in ("Identification", "Follow-up") and name not in known
        if not column.applies_when or known.get(column.applies_when)
    ]

    def listed(names: Iterable[str]) -> str:
        return ", ".join(dictionary.label(name) for name in names) or "nothing"

    return (
        f"Patient {known['patient_id']}, synthetic: {known['sex']}, {known['age_at_onset']} years old at onset.\n"
        f"Yes: {listed(name for name, value in answers.items() if value)}.\n"
        f"No: {listed(name for name, value in answers.items() if not value)}.\n"
        f"Measured: {', '.join(measured) or 'nothing'}.\nUnknown: {listed(unknown)}."
    )
