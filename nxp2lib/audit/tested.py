"""How a paper's P values are judged: by what they compare, and by the convention that explains most of the paper."""

from functools import cached_property

from nxp2lib import findings
from nxp2lib.audit import conventions, verdicts
from nxp2lib.audit.settled import UNSETTLED, Settled
from nxp2lib.audit.verdicts import INCONSISTENT, REPRODUCED, UNDETERMINED, Finding


class PValues:
    """The P values of one paper."""

    def __init__(self, settled: Settled):
        self.settled = settled

    @cached_property
    def conventions(self) -> tuple[str, dict]:
        """The convention that explains most P values of counts, and for each number the one that gives it."""
        tested = self.settled.tables()
        if tested.empty:
            return "fisher", {}
        standard = conventions.explain(tested["table"], tested["printed"]).loc[0, "convention"]
        fewest = {}
        for _, column in tested.groupby("result"):
            fewest |= conventions.fewest(column["table"], column["printed"]).to_dict()
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
        return found._replace(verdict=INCONSISTENT, reason=found.reason + elsewhere)

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
        return found._replace(reason=found.reason + elsewhere + ", at most one is true" * bool(elsewhere))
