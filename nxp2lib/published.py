"""The numbers that the paper prints, as strings with their exact digits and place."""

from functools import lru_cache

import pandas as pd

from nxp2lib import dictionary, paths

COLUMNS = ["id", "place", "item", "group", "statistic", "printed", "expression", "origin", "note"]
PLACES = ["abstract", "introduction", "methods", "results", "table1", "table2", "figure1", "discussion"]
EDITION = "preprint of February 2021; the journal's version may differ"
ADDRESS = r"^(?P<result>\w+)/(?P<row>\w+)/(?P<group>\w+)/(?P<statistic>\w+)$"


@lru_cache
def _registry() -> pd.DataFrame:
    files = [pd.read_csv(paths.PUBLISHED / f"{place}.csv", dtype=str, keep_default_na=False) for place in PLACES]
    return pd.concat(files, ignore_index=True)


def load(place: str | None = None, *, derived: bool = False) -> pd.DataFrame:
    """Return the printed numbers, one row each, all columns strings.

    ``place`` keeps one of ``PLACES``. ``origin`` is ``printed`` for digits, also where the paper spells them out;
    ``word`` for a word of rounding such as "almost half", which ``printed`` then holds; ``derived`` for a number of
    Figure 1, whose legend prints none: taken from Table 1 and the results, and returned only on demand.
    ``expression`` is the address of the number in a run's results, ``result/row/group/statistic``; ``external`` for
    another study's figure; ``stated`` for a definition, a date or a laboratory quantity, which nothing can recompute.
    """
    registry = _registry()
    kept = (registry["origin"] != "derived") | derived
    return registry[kept if place is None else kept & (registry["place"] == place)].reset_index(drop=True)


def printed(expression: str, place: str | None = None) -> str:
    """Return the digits printed for one address.

    >>> printed("table1/heliotrope_rash/juvenile/n", place="table1")
    '16'

    Raises KeyError when the paper prints nothing, or several different strings, for it; words of rounding
    are none.
    """
    registry = load(place)
    here = (registry["expression"] == expression) & (registry["statistic"] != "p_mark") & (registry["origin"] != "word")
    found = registry.loc[here, "printed"].unique()
    if len(found) != 1:
        raise KeyError(f"{expression}: printed {len(found)} different times: {sorted(found)}")
    return str(found[0])


@lru_cache
def counts() -> pd.DataFrame:
    """Return the printed counts of patients that contradict no other one: ``row``, ``group``, ``printed`` (text).

    >>> counts().query("row == 'heliotrope_rash'").values.tolist()
    [['heliotrope_rash', 'juvenile', '16'], ['heliotrope_rash', 'adult', '11'], ['heliotrope_rash', 'total', '27']]
    """
    registry = load()[~load()["id"].isin(pd.read_csv(paths.LEFT_OUT)["id"])]
    known = registry[["printed"]].join(registry["expression"].str.extract(ADDRESS))
    known = known[(known["statistic"] == "n") & (known["result"] != "flow")]
    return known[["row", "group", "printed"]].drop_duplicates(ignore_index=True)


def rows(table: str) -> pd.DataFrame:
    """Return the rows of a printed table in their order.

    Columns: ``row`` (a column of the data dictionary), ``kind`` (``count``, ``mean`` or ``median``) and ``tested``
    (whether the paper prints a P value for it). ``table`` is ``table1`` or ``table2``.

    >>> rows("table2")["row"].tolist()[:3]
    ['male', 'female', 'neck_weakness']
    """
    listed = load(table).query("item != 'patients'").groupby("item", sort=False)["statistic"].agg(set)
    kind = [next((k for k in ("mean", "median") if k in s), "count") for s in listed]
    tested = ["p_value" in s for s in listed]
    return pd.DataFrame({"row": listed.index, "kind": kind, "tested": tested})


def with_own(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the rows of a centre's own columns below those of a printed table.

    Of a category (kind ``category``) all values are tested together, and each is a row of its own (``count``).
    """
    own = [column for column in dictionary.columns().values() if column.own]
    kinds = {"yes_no": "count", "number": "median"}
    added = [(one.name, kinds.get(one.type, "category"), not one.is_derived) for one in own]
    return pd.concat([rows, pd.DataFrame(added, columns=rows.columns)], ignore_index=True) if own else rows
