"""Does every printed number follow from the others? A verdict for each, with a reason and, where there is one, a proof.

Nothing but the printed numbers is used: no patients, real or reconstructed. A percentage follows from the counts, a P
value from the counts that it compares (`nxp2lib.audit.verdicts`); a count, an age or a quartile is consistent when
patients can exist who have it together with all that is kept of the rest (`nxp2lib.reconstruction.contradictions`).
"""

from collections import Counter
from functools import cached_property, lru_cache

import pandas as pd

from nxp2lib import findings, published
from nxp2lib.audit import conventions, verdicts
from nxp2lib.audit.conventions import Practice
from nxp2lib.audit.settled import UNSETTLED, Settled
from nxp2lib.audit.stated import Stated
from nxp2lib.audit.verdicts import EXTERNAL, INCONSISTENT, REPRODUCED, UNDETERMINED, Finding
from nxp2lib.reconstruction import cache, facts

PRINTED = ["id", "place", "item", "group", "statistic", "printed"]
FOUND = ["verdict", "convention", "reason", "conflict"]
UNCHECKABLE = {
    "external": "another study's figure: nothing printed here can check it",
    "stated": "a definition, date or quantity: nothing printed here can check it",
}
NAMED = {"n": "count", "p_value": "P value", "p_mark": "mark of a P value", "sir": "ratio", "percent": "percentage"}


@cache.kept
def judge(registry: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a verdict for every printed number, in the order of the registry.

    ``registry`` has the columns of `nxp2lib.published.load` (the default). Columns: those that say what is printed
    where; ``verdict``, one of `nxp2lib.audit.verdicts.VERDICTS`; ``convention``, named where it is not the one that
    most of the paper follows; ``reason``, one line; ``conflict``, the ids, separated by spaces, of a smallest set of
    printed numbers that cannot all be true (drop any one, and the others can), blank where there is none.

    >>> judge(published.load("abstract")).set_index("id").loc["abstract.polymyositis.total.percent", "reason"]
    '27/76 is 35.53 %, which rounds to 35.5'

    Raises KeyError where an expression speaks of something undefined.
    """
    paper = _this_paper() if registry is None else _Paper(registry)
    found = [paper.judged(number) for number in paper.numbers.itertuples()]
    found = pd.DataFrame(found, index=paper.numbers.index, columns=Finding._fields)
    found["conflict"] = found["conflict"].map(" ".join)
    found["convention"] = found["conventions"].map(lambda names: next(iter(names), ""))
    found.loc[found["verdict"] == REPRODUCED, "convention"] = ""
    return pd.concat([paper.numbers[PRINTED], found[FOUND]], axis=1)


class _Paper(Stated):
    """One paper; its P values are judged by what they compare, and by the convention that explains most of them."""

    def judged(self, number) -> Finding:
        """Return the finding about one number of the registry; a word of rounding is held to no tolerance."""
        if number.origin == "word":
            return Finding(EXTERNAL, f"{number.printed!r} is a word without digits{self.counted(number)}")
        if number.expression in UNCHECKABLE:
            return Finding(EXTERNAL, UNCHECKABLE[number.expression])
        if not facts.is_possible(number.statistic, number.printed):
            return Finding(INCONSISTENT, f"{number.printed!r} cannot be a {NAMED.get(number.statistic, 'number')}")
        if number.statistic == "p_mark":
            return self._star(number)
        judges = {"p_value": self._p_value, "sir": self.incidence_ratio, "percent": self.percentage}
        return judges.get(number.kind, self.consistent)(number)

    @cached_property
    def conventions(self) -> tuple[str, dict]:
        """The convention that explains most P values of counts, and for each number the one that gives it."""
        tested = self.tables()
        if tested.empty:
            return "fisher", {}
        standard = conventions.explain(tested["table"], tested["printed"]).loc[0, "convention"]
        fewest = {}
        for _, column in tested.groupby("result"):
            fewest |= conventions.fewest(column["table"], column["printed"]).to_dict()
        return standard, fewest

    def _p_value(self, number) -> Finding:
        """Return the finding about one P value, which also has to agree with what is printed of it elsewhere."""
        if number.row not in findings.names():
            return self._rank_test(number)
        table, (standard, fewest) = self.table(number), self.conventions
        if not table:
            return UNSETTLED
        needed = Counter(name for row, name in fewest.items() if name and row != number.Index)
        practice = Practice((standard,), wins=True, supported=frozenset(needed), preferred=fewest.get(number.Index))
        found = verdicts.p_value(number.printed, [table], practice)
        elsewhere = self.elsewhere(number)
        if found.verdict == REPRODUCED or not elsewhere:
            return found
        return found._replace(verdict=INCONSISTENT, reason=found.reason + elsewhere)

    def _star(self, number) -> Finding:
        """Return the finding about the stars beside a P value."""
        table, numbers = self.table(number), self.numbers
        same_cell = (numbers["place"] == number.place) & (numbers["expression"] == number.expression)
        beside = numbers.loc[same_cell & (numbers["statistic"] == "p_value"), "printed"]
        return verdicts.star(number.printed, table, self.conventions[0], *beside) if table else UNSETTLED

    def _rank_test(self, number) -> Finding:
        first, second = (self.summary(number.row, group) for group in findings.compared(number.result))
        if first is None or second is None:
            return Finding(UNDETERMINED, "quartiles of the two groups would be needed, and are not printed")
        found = verdicts.rank_test(number.printed, second, first)
        elsewhere = self.elsewhere(number)
        return found._replace(reason=found.reason + elsewhere + ", at most one is true" * bool(elsewhere))


@lru_cache
def _this_paper() -> _Paper:
    """Return the paper of this collection: what its numbers allow takes seconds to find, and is found once."""
    return _Paper(published.load())


def summary(judged: pd.DataFrame) -> pd.DataFrame:
    """Count the verdicts of `judge` by place, in the order of the paper."""
    table = pd.crosstab(judged["place"], judged["verdict"])
    places = [place for place in published.PLACES if place in table.index]
    return table.reindex(index=places, columns=verdicts.VERDICTS, fill_value=0)


def proofs(judged: pd.DataFrame, registry: pd.DataFrame | None = None) -> list[str]:
    """Return each smallest set of printed numbers that cannot all be true, found by `judge`, as one sentence.

    Drop any one number of a set, and the others can be true.

    >>> abstract = published.load("abstract")
    >>> proofs(judge(abstract), abstract)[1]
    'polymyositis, juvenile, percent 15.8 (abstract); patients, juvenile 29 (abstract)'
    """
    registry = published.load() if registry is None else registry
    named = facts.stated(registry).set_index("id")
    sets = judged.loc[judged["conflict"] != ""].drop_duplicates("conflict")
    found = []
    for number, conflict in zip(sets["id"], sets["conflict"].str.split(), strict=True):
        ordered = sorted(conflict, key=lambda name, first=number: name != first)
        found.append("; ".join(facts.say(named.loc[name]) for name in ordered))
    return found


@cache.kept
def tables(result: str, registry: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the 2x2 tables behind the P values that a table prints for counts, one row each.

    Columns: ``row``, ``table`` (``[[a, b], [c, d]]``, laid out as in `nxp2lib.compare`) and ``printed``, the P value.
    Rows whose counts the printed numbers do not settle are left out. ``result`` is ``table1`` or ``table2``.

    >>> tables("table2").loc[0, ["row", "table", "printed"]].tolist()
    ['male', [[13, 23], [13, 27]], '0.464']
    """
    found = (_this_paper() if registry is None else Settled(registry)).tables()
    return found.loc[found["place"] == result, ["row", "table", "printed"]].reset_index(drop=True)
