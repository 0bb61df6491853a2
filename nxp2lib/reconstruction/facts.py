"""The printed numbers as facts about the patients: all that the paper says, and what a cohort keeps of it."""

import re

import pandas as pd

from nxp2lib import dictionary, digits, paths, published

OTHER_MEASURES = ("p_value", "p_mark", "sir")  # they follow from counts and ages, and are checked one by one


def stated(registry: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what the paper says about its patients, contradictions included, one row per fact.

    A quantity printed several times with the same digits is one fact; its row has the first ``id``, ``place`` and
    ``expression``, and ``times``, the number of times it is printed. ``result, row, group, statistic`` are the parts of
    the expression. ``registry`` has the columns of `nxp2lib.published.load` (the default).

    >>> stated().query("row == 'screened'")[["place", "printed", "times"]].values.tolist()
    [['abstract', '162', 1], ['methods', '156', 1]]
    """
    registry = published.load() if registry is None else registry
    known = _addressed(registry[~registry["statistic"].isin(OTHER_MEASURES)])
    known = known[[is_possible(*pair) for pair in zip(known["statistic"], known["printed"], strict=True)]]
    same = [*quantity(known), known["printed"]]
    known = known.assign(times=known.groupby(same)["id"].transform("size"))
    return known[~pd.concat(same, axis=1).duplicated()].reset_index(drop=True)


def kept() -> pd.DataFrame:
    """Return the printed numbers that a cohort keeps, one row each.

    Columns: ``id, place, expression, printed`` as in the registry, and the expression's parts ``result, row, group,
    statistic``. Numbers of `left_out` are missing, and so are P values of Fisher's test, which follow from counts.

    >>> kept().query("row == 'heliotrope_rash' and statistic == 'n'")["printed"].tolist()
    ['16', '11', '27']
    """
    known = _addressed(published.load())
    fisher = (known["group"] == "comparison") & (known["row"] != "max_creatine_kinase")
    known = known[~fisher & ~known["id"].isin(list(left_out()))]
    return known.drop_duplicates(["expression", "printed"]).reset_index(drop=True)


def left_out() -> dict[str, str]:
    """Return the printed numbers that contradict another one, by ``id``, and what is kept instead.

    >>> left_out()["results.max_creatine_kinase.juvenile.median"]
    'table 1 prints 2594'
    """
    return dict(pd.read_csv(paths.LEFT_OUT).itertuples(index=False, name=None))


def _addressed(registry: pd.DataFrame) -> pd.DataFrame:
    """Return the printed digits that a run computes again, each with the parts of its expression."""
    known = registry.loc[registry["origin"] != "word", ["id", "place", "expression", "printed"]]
    return known.join(known["expression"].str.extract(published.ADDRESS)).dropna()


def is_possible(statistic: str, printed: str) -> bool:
    """Tell whether a printed string can be a number of this statistic at all; one that cannot is no fact.

    >>> is_possible("n", "2.7"), is_possible("percent", "574"), is_possible("percent", "57.4"), is_possible("mean", "8")
    (False, False, True, True)
    """
    if statistic == "p_mark":
        return printed in digits.STARS
    if statistic == "p_value":
        try:
            digits.check_p_value(printed)
        except ValueError:
            return False
        return True
    pattern = r"\d{1,9}" if statistic in ("n", "denominator") else r"\d+(\.\d+)?"
    if not re.fullmatch(pattern, printed, re.ASCII):
        return False
    return float(printed) <= 100 if statistic == "percent" else statistic != "sir" or float(printed) > 0


def quantity(known: pd.DataFrame) -> list[pd.Series]:
    """Return the columns that tell quantities apart: the same count may be printed in several results."""
    return [(known["result"] == "flow").rename("flow"), *(known[name] for name in ("row", "group", "statistic"))]


def say(fact) -> str:
    """Say which number a fact is, for a sentence.

    >>> say(stated().query("row == 'age_at_onset' and group == 'total'").iloc[0])
    'age at onset, total, mean 38 (table 1)'
    """
    known = dictionary.columns()
    row = known[fact.row].label if fact.row in known else fact.row.replace("_", " ")
    place = fact.place.replace("table", "table ").replace("figure", "figure ")
    statistic = "" if fact.statistic == "n" else f", {fact.statistic}"
    return f"{row[0].lower()}{row[1:]}, {fact.group}{statistic} {fact.printed} ({place})"
