"""What the printed numbers of a paper settle: counts, denominators, 2x2 tables, and what is printed elsewhere.

Nothing but the printed numbers is used: no patients, real or reconstructed.
"""

import pandas as pd

from nxp2lib import digits, findings, published
from nxp2lib.audit import summaries
from nxp2lib.audit.verdicts import UNDETERMINED, Finding
from nxp2lib.reconstruction import contradictions, facts

PARTS = {"group": "of", "statistic": "kind"}  # of an address: the registry has columns of its own by these names
UNSETTLED = Finding(UNDETERMINED, "the other printed numbers do not settle the counts behind it")


class Settled:
    """One paper: its numbers with the parts of their addresses (``of`` is the group), and what they allow together.

    ``kept`` holds the digits of each quantity that is not given up, ``said`` those of the others as well.
    """

    def __init__(self, registry: pd.DataFrame):
        parts = registry["expression"].str.extract(published.ADDRESS).rename(columns=PARTS)
        self.numbers = pd.concat([registry, parts], axis=1).reset_index(drop=True)
        self.allowed = contradictions.Allowed(registry)
        self.fact = {key_of(fact): fact for fact in self.allowed.facts.rename(columns=PARTS).itertuples()}
        self.kept = {key[:-1]: fact.printed for key, fact in self.fact.items() if fact.status != "given up"}
        self.said = {key[:-1]: fact.printed for key, fact in self.fact.items()} | self.kept

    def count(self, row: str, group: str = "total") -> int | None:
        """Return the count that is printed and kept, or the only one that the kept numbers allow; else None."""
        printed = self.kept.get((False, row, group, "n"))
        if printed is not None:
            return int(printed)
        try:
            least, greatest = self.allowed.count(row, group)
        except KeyError:
            return None
        return least if least == greatest else None

    def denominator(self, row: str, group: str) -> int | None:
        """Return of how many patients a percentage is: all, a group, or those of it to whom the row applies."""
        if row == "patients":
            return self.count("patients")
        needed = findings.applies(row)
        return self.count("patients" if needed == "total" else needed, group)

    def table(self, number) -> list[list[int]] | None:
        """Return the 2x2 table that a P value compares, the second group first; None where it is not settled."""
        found = []
        for group in reversed(findings.compared(number.result)):
            n, of = self.count(number.row, group), self.denominator(number.row, group)
            if n is None or of is None or n > of:
                return None
            found.append([n, of - n])
        return found

    def tables(self) -> pd.DataFrame:
        """Return the 2x2 tables behind P values of counts, under their numbers: ``place, result, row, table, printed``.

        P values that cannot be one, or whose counts are not settled, are left out.
        """
        tested = self.numbers[(self.numbers["statistic"] == "p_value") & self.numbers["result"].isin(findings.TABLES)]
        tested = tested[tested["row"].isin(findings.names())]
        tested = tested[[facts.is_possible("p_value", printed) for printed in tested["printed"]]]
        found = tested.assign(table=[self.table(number) for number in tested.itertuples()])
        return found.loc[found["table"].notna(), ["place", "result", "row", "table", "printed"]]

    def elsewhere(self, number) -> str:
        """Say where the paper prints the same number with digits that exclude these."""
        same = (self.numbers["expression"] == number.expression) & (self.numbers["statistic"] == number.statistic)
        return "".join(
            f"; {other.printed} in {named(other.place)}"
            for other in self.numbers[same].drop_duplicates("printed").itertuples()
            if facts.is_possible(number.statistic, other.printed) and digits.clash(number.printed, other.printed)
        )

    def summary(self, row: str, group: str) -> summaries.Summary | None:
        printed = {name: self.kept.get((False, row, group, name)) for name in summaries.Summary._fields[1:]}
        size = self.count("patients", group)
        return summaries.Summary(size, **printed) if size and printed["median"] else None

    def is_kept(self, number) -> bool:
        """Tell whether a number need not be given up, nor one like it."""
        return self.fact[key_of(number)].status == "kept"


def key_of(number) -> tuple:
    """Return what tells a printed quantity apart, with its digits; for a number of the registry or a fact."""
    return number.result == "flow", number.row, number.of, number.kind, number.printed


def named(place: str) -> str:
    """Return the name of a place for a sentence.

    >>> named("table2"), named("results")
    ('Table 2', 'the results')
    """
    return place.capitalize()[:-1] + " " + place[-1] if place[-1].isdigit() else f"the {place}"
