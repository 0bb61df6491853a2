"""How a paper's P values are judged: by what they compare, and by the convention that explains most of the paper."""

from dataclasses import replace
from functools import cached_property

import pandas as pd

from nxp2lib import findings
from nxp2lib.audit import conventions, verdicts
from nxp2lib.audit.settled import UNSETTLED, Settled
from nxp2lib.audit.verdicts import INCONSISTENT, REPRODUCED, UNDETERMINED, Finding
from nxp2lib.reconstruction import contradictions


def of_counts(numbers: pd.DataFrame) -> list:
    """Return those of some P values that compare counts, and that can be one."""
    possible = contradictions.is_possible
    return [n for n in numbers.itertuples() if n.row in findings.names() and possible("p_value", n.printed)]


class PValues:
    """The P values of one paper."""

    def __init__(self, settled: Settled):
        self.settled = settled

    @cached_property
    def conventions(self) -> tuple[str, dict]:
        """The convention that explains most P values of counts, and for each number the one that gives it."""
        numbers = self.settled.numbers
        tested = numbers[(numbers["statistic"] == "p_value") & numbers["result"].isin(findings.TABLES)]
        tables = {number.Index: self.settled.table(number) for number in of_counts(tested)}
        tables = {index: table for index, table in tables.items() if table}
        if not tables:
            return "fisher", {}
        tested = tested.loc[list(tables)]
        standard = conventions.explain(list(tables.values()), tested["printed"]).loc[0, "convention"]
        fewest = {}
        for _, column in tested.groupby("result"):
            fewest |= conventions.fewest([tables[index] for index in column.index], column["printed"]).to_dict()
        return standard, fewest

    def judge(self, number) -> Finding:
        """Return the finding about one P value, which also has to agree with what is printed of it elsewhere."""
        if number.row not in findings.names():
            return self._rank_test(number)
        table, (standard, fewest) = self.settled.table(number), self.conventions
        if not table:
            return UNSETTLED
        found = verdicts.p_value(number.printed, [table], [standard], fewest.get(number.Index))
        elsewhere = self.settled.elsewhere(number)
        if found.verdict == REPRODUCED or not elsewhere:
            return found
        return replace(found, verdict=INCONSISTENT, reason=found.reason + elsewhere)

    def judge_star(self, number) -> Finding:
        """Return the finding about the stars beside a P value."""
        table, numbers = self.settled.table(number), self.settled.numbers
        same_cell = (numbers["place"] == number.place) & (numbers["expression"] == number.expression)
        beside = numbers.loc[same_cell & (numbers["statistic"] == "p_value"), "printed"]
        return verdicts.star(number.printed, table, self.conventions[0], *beside) if table else UNSETTLED

    def _rank_test(self, number) -> Finding:
        first, second = (self.settled.summary(number.row, group) for group in findings.compared(number.result))
        if first is None or second is None:
            return Finding(UNDETERMINED, "quartiles of the two groups would be needed, and are not printed")
        found = verdicts.rank_test(number.printed, second, first)
        elsewhere = self.settled.elsewhere(number)
        return replace(found, reason=found.reason + elsewhere + ", at most one is true" * bool(elsewhere))
