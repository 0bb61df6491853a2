"""Printed numbers that cannot all be true: which ones, the least to give up, and what the rest allows.

Every printed number that says something about the patients is a fact, and all facts together are assumptions of one
model (`nxp2lib.reconstruction.patterns`).
"""

from functools import cached_property, lru_cache

import pandas as pd

from nxp2lib.reconstruction import counts, facts
from nxp2lib.reconstruction.patterns import Patterns


class Allowed:
    """What the printed numbers allow, once the fewest of them are given up.

    ``facts`` are those of `nxp2lib.reconstruction.facts.stated`, with the columns ``name`` (as the model calls them)
    and ``status``: ``kept``; ``given up``; or ``alike``, for a fact that could be given up instead of one of these at
    the same cost. The cost is the number of times that a fact is printed; between equals, a total yields to its parts
    and a percentage to its count. Facts ``kept`` and ``alike`` hold together; of facts that are alike, those in the
    tables are among them.

    >>> allowed = Allowed()
    >>> allowed.facts.loc[allowed.facts["status"] == "given up", "printed"].tolist()
    ['162', '15.8', '156', '62.0', '2596', '38', '11.6']
    """

    def __init__(self, registry: pd.DataFrame | None = None):
        self.facts = facts.stated(registry)
        self.model = Patterns(self.facts)
        self.facts["name"] = list(self.model.switches)
        counted = self.facts["statistic"].isin(["n", "denominator"]) & (self.facts["row"] != "screened")
        cost = dict(zip(self.facts["name"], (self.facts["times"] * 10 + counted).tolist(), strict=True))
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
        percent, whole = others["statistic"] == "percent", sizes & (others["group"] == "total")
        ranks = [~same_row & ~sizes, percent, same_row, whole, -others["times"]]
        rank = pd.concat(ranks, axis=1, keys=range(len(ranks)))
        suspects = others.loc[rank.sort_values(list(rank), ascending=False, kind="stable").index, "name"]
        for close in near:
            if found := self.model.conflict([*suspects.loc[close], name]):
                return self.facts[self.facts["name"].isin(found)]
        return self.facts[:0]

    def conflict_with(self, name: str) -> pd.DataFrame:
        """Return a smallest set of facts that cannot all be true for a fact that is given up, or one like it."""
        conflicts = map(self.conflict, [name, *self.facts.loc[self.facts["status"] == "given up", "name"]])
        return next((found for found in conflicts if name in found["name"].tolist()), self.facts[:0])

    @lru_cache  # noqa: B019
    def count(self, row: str, group: str) -> tuple[int, int]:
        """Return the least and greatest number of a group's patients with a finding over all that the facts allow."""
        return self.model.bounds(self.model.count(row, group), self.kept)

    @lru_cache  # noqa: B019
    def expected(self, group: str = "adult") -> tuple[float, float]:
        """Return the least and greatest number of cancers expected in one person-year for each patient of an age group.

        Over all mixes of age and sex that the facts allow, under the reference rates of `nxp2lib.incidence.rates`.
        """
        ends = self.model.bounds(self.model.expected(group), self.kept)
        return ends[0] / counts.CASE, ends[1] / counts.CASE
