"""The audit of a ledger as one page: what reproduces, what needs an explanation, what cannot be."""

from pathlib import Path

import pandas as pd

from nxp2lib import wording
from nxp2lib.audit import ledger, verdicts
from nxp2lib.audit.conventions import LABELS
from nxp2lib.audit.whole import HABITS, Whole
from nxp2lib.report import pages

PARTS = {
    "What reproduces": (verdicts.REPRODUCED, verdicts.CONSISTENT),
    "What needs an explanation": (verdicts.OTHER_CONVENTION, verdicts.UNDETERMINED),
    "What cannot be": (verdicts.INCONSISTENT,),
}


EXPLAIN = {*LABELS.values(), *HABITS}  # not a denominator alone


def predicted(judged: pd.DataFrame) -> str:
    """Say how many matches with a test that is not the expected one chance alone predicts; empty where none is known.

    ``judged`` comes from `nxp2lib.audit.ledger.audit`. Of each row whose P value the expected test does not give, the
    probability of such a match is added up.
    """
    known = judged["chance"].dropna()
    named = judged.loc[known.index, "conventions"].str.split("; ").map(set)
    matched = sum(bool(names & EXPLAIN) for names in named)
    if known.empty:
        return ""
    rows = f"{wording.count(len(known), 'row')} {'is' if len(known) == 1 else 'are'} not as expected"
    fit = f"{matched} of them {'fits' if matched == 1 else 'fit'} another convention"
    return f"{rows}; {fit}, where chance alone predicts {known.sum():.1f}."


def write(printed: pd.DataFrame, judged: pd.DataFrame, wholes: list[Whole], name: str, path: str | Path) -> None:
    """Write the page; ``judged`` and ``wholes`` are what `ledger.audit` and `whole.explain` find in ``printed``."""
    rows = printed.reindex(columns=["table", "row"]).fillna("").assign(place=printed.index)
    found = rows.join(judged[["p_printed", "verdict", "reason"]])
    found = found[found["reason"] != ledger.STATES.reason]
    whole = {one.table: one for one in wholes}
    tables = []
    for table, here in found.groupby("table", sort=False):
        parts = {}
        for title, meant in PARTS.items():
            listed = here[here["verdict"].isin(meant)]
            if len(listed):
                columns = listed[["place", "row", "p_printed", "verdict", "reason"]]
                parts[title] = list(columns.itertuples(index=False, name=None))
        tables.append((table or "Table", _together(whole.get(table), len(here)), parts))
    text = pages.render("report/templates/letter.html", name=name, tables=tables, chance=predicted(judged))
    Path(path).write_text(text, encoding="utf-8", newline="\n")


def _together(whole: Whole | None, rows: int) -> str:
    """Say under which assumptions about the whole table most of its rows are as printed."""
    if whole is None:
        return f"{wording.count(rows, 'row')}, none of them of counts."
    assumed = [" and ".join(whole.tests)] if whole.tests else []
    for what, habit in (("percentages", whole.percentages), ("P values", whole.p_values)):
        assumed += [f"{what} {habit}"] if habit != HABITS[0] else []
    under = f" under {', '.join(assumed)}" if assumed else ""
    kept = whole.rows - len(whole.departures)
    said = f"{kept} of {wording.count(whole.rows, 'row')} of counts {'is' if kept == 1 else 'are'} as printed{under}"
    if not whole.departures:
        return f"{said}."
    places = ", ".join(map(str, whole.departures))
    best = "no choice of one or two tests, of habits of rounding and of patients left out explains more"
    return f"{said}; {best}. Left: file row{'s' * (len(whole.departures) > 1)} {places}."
