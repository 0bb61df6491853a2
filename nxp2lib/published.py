"""The numbers that the paper prints, as strings with their exact digits and place."""

from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

import pandas as pd

from nxp2lib import paths

COLUMNS = ["id", "place", "item", "group", "statistic", "printed", "expression", "note"]
PLACES = ["abstract", "introduction", "methods", "results", "table1", "table2", "figure1", "discussion"]
ADDRESS = r"^(?P<result>\w+)/(?P<row>\w+)/(?P<group>\w+)/(?P<statistic>\w+)$"
STARS = {"*": "<0.05", "**": "<0.01"}


@lru_cache
def _registry() -> pd.DataFrame:
    files = [pd.read_csv(paths.PUBLISHED / f"{place}.csv", dtype=str, keep_default_na=False) for place in PLACES]
    return pd.concat(files, ignore_index=True)


def load(place: str | None = None) -> pd.DataFrame:
    """Return the printed numbers, one row each, all columns strings.

    ``place`` keeps one of ``PLACES``. ``expression`` is the address of the number in a run's results,
    ``result/row/group/statistic``; ``external`` for another study's figure; ``stated`` for a definition, a date or a
    laboratory quantity, which nothing can recompute.
    """
    registry = _registry()
    return (registry if place is None else registry[registry["place"] == place]).reset_index(drop=True)


def printed(expression: str, place: str | None = None) -> str:
    """Return the digits printed for one address.

    >>> printed("table1/heliotrope_rash/juvenile/n", place="table1")
    '16'

    Raises KeyError when the paper prints nothing, or several different strings, for it.
    """
    registry = load(place)
    here = (registry["expression"] == expression) & (registry["statistic"] != "p_mark")
    found = registry.loc[here, "printed"].unique()
    if len(found) != 1:
        raise KeyError(f"{expression}: printed {len(found)} different times: {sorted(found)}")
    return str(found[0])


def rows(table: str) -> pd.DataFrame:
    """Return the rows of a printed table in their order.

    Columns: ``row`` (a column of the data dictionary), ``kind`` (``count``, ``mean`` or ``median``) and ``tested``
    (whether the paper prints a P value for it). ``table`` is ``table1`` or ``table2``.

    >>> rows("table2")["row"].tolist()[:3]
    ['male', 'female', 'neck_weakness']
    """
    registry = load(table)
    registry = registry[registry["item"] != "patients"]
    listed = registry.groupby("item", sort=False)["statistic"].agg(set)
    kind = [next((k for k in ("mean", "median") if k in s), "count") for s in listed]
    tested = ["p_value" in s for s in listed]
    return pd.DataFrame({"row": listed.index, "kind": kind, "tested": tested})


def round_half_up(value: float | int | Decimal, decimals: int) -> Decimal:
    """Round half away from zero in decimal arithmetic, as printed tables do.

    A float is taken at its shortest decimal form, so that 0.145 rounds to 0.15.

    >>> round_half_up(0.145, 2), round_half_up(Decimal("11.25"), 1)
    (Decimal('0.15'), Decimal('11.3'))
    """
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    return exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def agrees(printed: str, value: float) -> bool | None:
    """Tell whether a computed value rounds to the printed digits.

    ``printed`` may open with ``<`` or ``>``: then the value must lie on that side; the stars of a table stand for
    ``<0.05`` and ``<0.01``. Returns None where the value is missing.

    >>> agrees("0.16", 0.1556), agrees("0.15", 0.1448), agrees("<0.01", 0.0026), agrees("*", 0.1448)
    (True, False, True, False)
    """
    if pd.isna(value):
        return None
    printed = STARS.get(printed, printed)
    if printed[0] in "<>":
        limit, exact = Decimal(printed[1:]), Decimal(str(value))  # the float 0.05 lies a hair above 0.05
        return exact < limit if printed[0] == "<" else exact > limit
    if value in (float("inf"), float("-inf")):
        return False
    digits = Decimal(printed)
    return round_half_up(value, max(0, -digits.as_tuple().exponent)) == digits


def clash(one: str, other: str) -> bool:
    """Tell whether two printed strings of one number exclude each other: no value is printed as both.

    >>> clash("0.04", "0.043"), clash("0.04", "0.05"), clash("<0.01", "0.02"), clash("75", "75.0")
    (False, True, True, False)
    """
    (low, high), (least, most) = _span(one), _span(other)
    return high <= least or most <= low


def _span(printed: str) -> tuple[Decimal, Decimal]:
    """Return the least value printed like this, and the least above it that is not."""
    if printed[0] in "<>":
        limit = Decimal(printed[1:])
        return (Decimal("-Infinity"), limit) if printed[0] == "<" else (limit, Decimal("Infinity"))
    half = Decimal(5).scaleb(Decimal(printed).as_tuple().exponent - 1)
    return Decimal(printed) - half, Decimal(printed) + half


def agreement(results: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Set each printed number beside the one computed at its address.

    ``results`` holds long tables (``row,group,statistic,value``) by result name. Returns the registry's ``id``,
    ``place`` and ``printed`` with ``row``, ``group``, ``statistic``, ``value`` (computed, NaN where nothing was),
    ``difference`` (computed minus printed) and ``agreement``: ``agrees``, ``differs``, or ``not recomputed``.
    """
    computed = pd.concat(results, names=["result"]).reset_index("result")
    computed = computed.set_index(["result", "row", "group", "statistic"])["value"]
    registry = load()
    parts = registry["expression"].str.extract(ADDRESS)
    values = computed.reindex(pd.MultiIndex.from_frame(parts)).to_numpy(dtype=float)
    nobody = parts.assign(statistic="denominator")
    nobody = computed.reindex(pd.MultiIndex.from_frame(nobody)).to_numpy(dtype=float) == 0
    values = pd.Series(values).mask(nobody & (parts["statistic"] == "n"))  # a count among nobody is no zero
    verdicts = {True: "agrees", False: "differs", None: "not recomputed"}
    said = [verdicts[agrees(text, value)] for text, value in zip(registry["printed"], values, strict=True)]
    numbers = pd.to_numeric(registry["printed"], errors="coerce")
    compared = parts[["row", "group", "statistic"]].assign(value=values, difference=values - numbers, agreement=said)
    return pd.concat([registry[["id", "place", "printed"]], compared], axis=1)
