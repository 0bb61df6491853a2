"""Printed numbers that cannot all be true: which ones, the least to give up, and what the rest allows.

Every printed number that says something about the patients is a fact, and all facts together are assumptions of one
model (`nxp2lib.reconstruction.patterns`). Three questions are put to it: which facts have to be given up at least, so
that patients exist who keep all others; for each of these, the smallest set of facts that it excludes; how far a count
that the paper does not print can go.
"""

import re
from functools import cached_property, lru_cache

import pandas as pd

from nxp2lib import dictionary, digits, published
from nxp2lib.reconstruction import counts
from nxp2lib.reconstruction.patterns import Patterns

OTHER_MEASURES = ("p_value", "p_mark", "sir")  # they follow from counts and ages, and are checked one by one


def facts(registry: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what the paper says about its patients, contradictions included, one row per fact.

    A quantity printed several times with the same digits is one fact; its row has the first ``id``, ``place`` and
    ``expression``, and ``times``, the number of times it is printed. ``result, row, group, statistic`` are the parts of
    the expression. ``registry`` has the columns of `nxp2lib.published.load` (the default).

    >>> facts().query("row == 'screened'")[["place", "printed", "times"]].values.tolist()
    [['abstract', '162', 1], ['methods', '156', 1]]
    """
    registry = published.load() if registry is None else registry
    known = registry.loc[~registry["statistic"].isin(OTHER_MEASURES), ["id", "place", "expression", "printed"]]
    known = known.join(known["expression"].str.extract(published.ADDRESS)).dropna()
    known = known[[is_possible(*pair) for pair in zip(known["statistic"], known["printed"], strict=True)]]
    same = [*quantity(known), known["printed"]]
    groups = known.groupby(same)["id"]
    known = known.assign(times=groups.transform("size"))
    return known[~pd.concat(same, axis=1).duplicated()].reset_index(drop=True)


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
    plain = re.fullmatch(r"\d+(\.\d+)?" if statistic not in ("n", "denominator") else r"\d{1,9}", printed, re.ASCII)
    highest = {"percent": 100}.get(statistic, float("inf"))
    return bool(plain) and float(printed) <= highest and (statistic != "sir" or float(printed) > 0)


def quantity(known: pd.DataFrame) -> list[pd.Series]:
    """Return the columns that tell quantities apart: the same count may be printed in several results."""
    return [(known["result"] == "flow").rename("flow"), *(known[name] for name in ("row", "group", "statistic"))]


class Allowed:
    """What the printed numbers allow, once the fewest of them are given up.

    ``facts`` are those of `facts`, with the columns ``name`` (as the model calls them) and ``status``: ``kept``;
    ``given up``; or ``alike``, for a fact that could be given up instead of one of these at the same cost. The cost is
    the number of times that a fact is printed; between equals, a total yields to its parts and a percentage to its
    count. Facts ``kept`` and ``alike`` hold together; of facts that are alike, those in the tables are among them.

    >>> allowed = Allowed()
    >>> allowed.facts.loc[allowed.facts["status"] == "given up", "printed"].tolist()
    ['162', '15.8', '156', '62.0', '2596', '38', '11.6', '50']
    """

    def __init__(self, registry: pd.DataFrame | None = None):
        self.facts = facts(registry)
        self.model = Patterns(self.facts)
        self.facts["name"] = list(self.model.switches)
        cost = dict(zip(self.facts["name"], _costs(self.facts), strict=True))
        tabled = self.facts["place"].str.startswith("table")
        choice = {name: 2 * cost[name] + table for name, table in zip(cost, tabled, strict=True)}
        dropped = self.model.least_to_drop(choice)
        self.facts["status"] = self.facts["name"].isin(dropped).map({True: "given up", False: "kept"})
        alike = [other for name in dropped for other in self._alike(name, cost)]
        self.facts.loc[self.facts["name"].isin(alike), "status"] = "alike"

    def _alike(self, name: str, cost: dict[str, int]) -> list[str]:
        """Return the facts that could be given up instead of one, at the same cost."""
        others = [other for other in self.conflict(name)["name"] if other != name and cost[other] == cost[name]]
        return [other for other in others if self.model.can_hold([name, *(k for k in self.kept if k != other)])]

    @cached_property
    def kept(self) -> list[str]:
        """The names of facts that hold together: all but those given up."""
        return self.facts.loc[self.facts["status"] != "given up", "name"].tolist()

    @lru_cache  # noqa: B019 - a paper has one of these
    def conflict(self, name: str) -> pd.DataFrame:
        """Return a smallest set of facts that cannot all be true: drop any one, and the others can.

        It holds the fact named, which is given up, and others that exclude it, found near it where they can be. Empty
        for a fact that is kept.
        """
        one = self.facts.set_index("name").loc[name]
        others = self.facts[self.facts["status"] != "given up"]
        same_row, sizes = others["row"] == one["row"], others["row"] == "patients"
        same_group = others["group"].isin([one["group"], "total"])
        near = [same_row & same_group | sizes & same_group, same_row | sizes, pd.Series(True, index=others.index)]
        for close in near:
            percent = others["statistic"] == "percent"
            whole = sizes & (others["group"] == "total")
            ranks = [~same_row & ~sizes, percent, same_row, whole, -others["times"]]
            rank = pd.concat(ranks, axis=1, keys=range(len(ranks)))
            suspects = others.loc[rank[close].sort_values(list(rank), ascending=False, kind="stable").index, "name"]
            if found := self.model.conflict([*suspects, name]):
                return self.facts[self.facts["name"].isin(found)]
        return self.facts[:0]

    def conflict_with(self, name: str) -> pd.DataFrame:
        """Return a smallest set of facts that cannot all be true for a fact that is given up, or one like it."""
        others = [name, *self.facts.loc[self.facts["status"] == "given up", "name"]]
        return next((found for other in others if name in set((found := self.conflict(other))["name"])), self.facts[:0])

    @lru_cache  # noqa: B019
    def count(self, row: str, group: str) -> tuple[int, int]:
        """Return the least and greatest number of a group's patients with a finding over all that the facts allow."""
        return self.model.bounds(self.model.count(row, group), self.kept)

    @lru_cache  # noqa: B019
    def expected(self, group: str = "adult") -> tuple[float, float]:
        """Return the least and greatest number of cancers expected in one person-year for each patient of an age group.

        Over all mixes of age and sex that the facts allow, under the reference rates of `nxp2lib.incidence.rates`.
        """
        cases = counts.expected_cases()
        ends = self.model.bounds(self.model.over_ages(group, lambda *who: cases[who]), self.kept)
        return ends[0] / counts.CASE, ends[1] / counts.CASE


def _costs(known: pd.DataFrame) -> list[int]:
    """Return what giving up each fact costs: how often it is printed, and a little more for a count or a part."""
    counted = known["statistic"].isin(["n", "denominator"]) & (known["row"] != "screened")
    return (known["times"] * 10 + counted).tolist()


def say(fact) -> str:
    """Say which number a fact is, for a sentence.

    >>> say(facts().query("row == 'age_at_onset' and group == 'total'").iloc[0])
    'age at onset, total, mean 38 (table 1)'
    """
    known = dictionary.columns()
    row = known[fact.row].label if fact.row in known else fact.row.replace("_", " ")
    place = fact.place.replace("table", "table ").replace("figure", "figure ")
    statistic = "" if fact.statistic == "n" else f", {fact.statistic}"
    return f"{row[0].lower()}{row[1:]}, {fact.group}{statistic} {fact.printed} ({place})"
