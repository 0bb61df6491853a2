"""Does every printed number follow from the others? A verdict for each, with a reason and, where there is one, a proof.

Nothing but the printed numbers is used: no patients, real or reconstructed. A percentage follows from the counts, a P
value from the counts that it compares (`nxp2lib.verdicts`); a count, an age or a quartile is consistent when patients
can exist who have it together with all that is kept of the rest (`nxp2lib.reconstruction.contradictions`).
"""

from dataclasses import replace
from decimal import Decimal
from functools import cached_property

import pandas as pd

from nxp2lib import attainable, conventions, digits, findings, published, summaries, verdicts
from nxp2lib.reconstruction import contradictions
from nxp2lib.verdicts import CONSISTENT, EXTERNAL, INCONSISTENT, REPRODUCED, UNDETERMINED, Finding

PRINTED = ["id", "place", "item", "group", "statistic", "printed"]
FOUND = ["verdict", "convention", "reason", "conflict"]
UNCHECKABLE = {
    "external": "another study's figure: nothing printed here can check it",
    "stated": "a definition, date or quantity: nothing printed here can check it",
}
NAMED = {"n": "count", "p_value": "P value", "p_mark": "mark of a P value", "sir": "ratio", "percent": "percentage"}
UNSETTLED = Finding(UNDETERMINED, "the other printed numbers do not settle the counts behind it")
NEITHER = ", and agree with nothing"


def paper(registry: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a verdict for every printed number, in the order of the registry.

    ``registry`` has the columns of `nxp2lib.published.load` (the default). Columns: those that say what is printed
    where; ``verdict``, one of `nxp2lib.verdicts.VERDICTS`; ``convention``, named where it is not the one that most of
    the paper follows; ``reason``, one line; ``conflict``, the ids, separated by spaces, of a smallest set of printed
    numbers that cannot all be true (drop any one, and the others can), blank where there is none.

    >>> paper().set_index("id").loc["table1.age_at_onset.total.mean", "reason"]
    '29 of mean 8 and 47 of mean 52 have a mean of 34.7 to 35.7'

    Raises KeyError where an expression speaks of something undefined.
    """
    registry = published.load() if registry is None else registry
    book = _Paper(registry)
    found = pd.DataFrame([book.judge(number) for number in book.numbers.itertuples()], index=book.numbers.index)
    found["conflict"] = found["conflict"].map(" ".join)
    found["convention"] = found["conventions"].map(lambda names: next(iter(names), ""))
    found.loc[found["verdict"] == REPRODUCED, "convention"] = ""
    return pd.concat([book.numbers[PRINTED], found[FOUND]], axis=1)


def summary(judged: pd.DataFrame) -> pd.DataFrame:
    """Count the verdicts of `paper` by place, in the order of the paper."""
    table = pd.crosstab(judged["place"], judged["verdict"])
    return table.reindex(index=published.PLACES, columns=verdicts.VERDICTS, fill_value=0)


def proofs(judged: pd.DataFrame, registry: pd.DataFrame | None = None) -> list[str]:
    """Return each smallest set of printed numbers that cannot all be true, found by `paper`, as one sentence.

    Drop any one number of a set, and the others can be true.

    >>> proofs(paper())[1]
    'polymyositis, juvenile, percent 15.8 (abstract); patients, juvenile 29 (abstract)'
    """
    registry = published.load() if registry is None else registry
    named = contradictions.facts(registry).set_index("id")
    sets = judged.loc[judged["conflict"] != ""].drop_duplicates("conflict")
    found = []
    for number, conflict in zip(sets["id"], sets["conflict"].str.split(), strict=True):
        ordered = sorted(conflict, key=lambda name, first=number: name != first)
        found.append("; ".join(contradictions.say(named.loc[name]) for name in ordered))
    return found


def tables(result: str, registry: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the 2x2 tables behind the P values that a table prints for counts, one row each.

    Columns: ``row``, ``table`` (``[[a, b], [c, d]]``, laid out as in `nxp2lib.compare`) and ``printed``, the P value.
    Rows whose counts the printed numbers do not settle are left out. ``result`` is ``table1`` or ``table2``.

    >>> tables("table2").loc[0, ["row", "table", "printed"]].tolist()
    ['male', [[13, 23], [13, 27]], '0.464']
    """
    book = _Paper(published.load() if registry is None else registry)
    numbers = book.numbers[(book.numbers["place"] == result) & (book.numbers["statistic"] == "p_value")]
    found = [(number.row, book.table(number), number.printed) for number in book.tested(numbers)]
    return pd.DataFrame(found, columns=["row", "table", "printed"]).dropna().reset_index(drop=True)


class _Paper:
    """One paper: its numbers with the parts of their addresses, and what they allow together."""

    def __init__(self, registry: pd.DataFrame):
        parts = registry["expression"].str.extract(published.ADDRESS)
        parts = parts.rename(columns={"group": "of", "statistic": "kind"})
        self.numbers = pd.concat([registry, parts], axis=1).reset_index(drop=True)
        self.allowed = contradictions.Allowed(registry)
        facts = self.allowed.facts
        self.fact = {_key(fact): fact for fact in facts.itertuples()}
        self.kept = {_key(f)[:-1]: f.printed for f in facts[facts["status"] != "given up"].itertuples()}
        self.said = {_key(f)[:-1]: f.printed for f in facts.itertuples()} | self.kept

    def judge(self, number) -> Finding:
        """Return the finding about one number of the registry."""
        if number.expression in UNCHECKABLE:
            return Finding(EXTERNAL, UNCHECKABLE[number.expression])
        if not contradictions.is_possible(number.statistic, number.printed):
            return Finding(INCONSISTENT, f"{number.printed!r} cannot be a {NAMED.get(number.statistic, 'number')}")
        if number.statistic == "p_mark":
            return self._star(number)
        judges = {"p_value": self._p_value, "sir": self._incidence_ratio, "percent": self._percentage}
        return judges.get(number.kind, self._fact)(number)

    # What the printed numbers settle

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

    @staticmethod
    def tested(numbers: pd.DataFrame) -> list:
        """Return those of some P values that compare counts, and that can be one."""
        possible = contradictions.is_possible
        return [n for n in numbers.itertuples() if n.row in findings.names() and possible("p_value", n.printed)]

    @cached_property
    def conventions(self) -> tuple[str, dict]:
        """The convention that explains most P values of counts, and for each number the one that gives it."""
        tested = self.numbers[(self.numbers["statistic"] == "p_value") & self.numbers["result"].isin(findings.TABLES)]
        tables = {number.Index: self.table(number) for number in self.tested(tested)}
        tables = {index: table for index, table in tables.items() if table}
        if not tables:
            return "fisher", {}
        tested = tested.loc[list(tables)]
        standard = conventions.explain(list(tables.values()), tested["printed"]).loc[0, "convention"]
        fewest = {}
        for _, column in tested.groupby("result"):
            fewest |= conventions.fewest([tables[index] for index in column.index], column["printed"]).to_dict()
        return standard, fewest

    # P values

    def _p_value(self, number) -> Finding:
        if number.row not in findings.names():
            return self._rank_test(number)
        table, (standard, fewest) = self.table(number), self.conventions
        if not table:
            return UNSETTLED
        found = verdicts.p_value(number.printed, [table], [standard], fewest.get(number.Index))
        elsewhere = self._elsewhere(number)
        if found.verdict == REPRODUCED or not elsewhere:
            return found
        return replace(found, verdict=INCONSISTENT, reason=found.reason + elsewhere)

    def _star(self, number) -> Finding:
        table = self.table(number)
        same_cell = (self.numbers["place"] == number.place) & (self.numbers["expression"] == number.expression)
        beside = self.numbers.loc[same_cell & (self.numbers["statistic"] == "p_value"), "printed"]
        return verdicts.star(number.printed, table, self.conventions[0], *beside) if table else UNSETTLED

    def _rank_test(self, number) -> Finding:
        first, second = (self._summary(number.row, group) for group in findings.compared(number.result))
        if first is None or second is None:
            return Finding(UNDETERMINED, "quartiles of the two groups would be needed, and are not printed")
        found = verdicts.rank_test(number.printed, second, first)
        elsewhere = self._elsewhere(number)
        return replace(found, reason=found.reason + elsewhere + ", at most one is true" * bool(elsewhere))

    def _elsewhere(self, number) -> str:
        """Say where the paper prints the same number with digits that exclude these."""
        same = (self.numbers["expression"] == number.expression) & (self.numbers["statistic"] == number.statistic)
        others = self.numbers[same].drop_duplicates("printed")
        possible = [contradictions.is_possible(number.statistic, text) for text in others["printed"]]
        others = others[possible]
        others = others[[digits.clash(number.printed, text) for text in others["printed"]]]
        return "".join(f"; {other.printed} in {_named(other.place)}" for other in others.itertuples())

    def _summary(self, row: str, group: str) -> summaries.Summary | None:
        printed = {name: self.kept.get((False, row, group, name)) for name in summaries.Summary._fields[1:]}
        size = self.count("patients", group)
        return summaries.Summary(size, **printed) if size and printed["median"] else None

    # Percentages, ratios, facts

    def _percentage(self, number) -> Finding:
        n, of = self.count(number.row, number.of), self.denominator(number.row, number.of)
        if n is None or not of or n > of:
            return self._fact(number)
        found = verdicts.percentage(number.printed, n, of)
        if found.verdict == INCONSISTENT:
            return self._excluded(number, found)
        return replace(found, reason=found.reason + self._everyone(number))

    def _everyone(self, number) -> str:
        """Say that the denominators of two groups make up all patients to whom a row applies."""
        needed = findings.applies(number.row)
        halves = next((halves for halves in findings.HALVES if number.of in halves), None)
        if needed == "total" or not halves:
            return ""
        sizes, everyone = [self.count(needed, half) for half in halves], self.count(needed)
        whole = None not in sizes and sum(sizes) == everyone
        return f"; {sizes[0]} + {sizes[1]} = {everyone} are all with a {needed.replace('_', ' ')}" if whole else ""

    def _incidence_ratio(self, number) -> Finding:
        observed = self.count("malignancy", number.of)
        if not observed:
            return UNSETTLED
        found = verdicts.incidence_ratio(number.printed, observed, self.allowed.expected(number.of))
        elsewhere = self._elsewhere(number)
        return replace(found, verdict=INCONSISTENT, reason=found.reason + elsewhere) if elsewhere else found

    def _fact(self, number) -> Finding:
        """Judge a number that the model of the patients holds: consistent, unless it or one like it has to go."""
        reason = self._reason(number)
        if self._is_kept(number) and number.result == "flow" and reason.endswith(NEITHER):
            return Finding(UNDETERMINED, reason)
        if self._is_kept(number):
            return Finding(CONSISTENT, reason or "patients can exist who have it together with everything else kept")
        reasons = [self._elsewhere(number).removeprefix("; "), reason]
        return self._excluded(number, Finding(INCONSISTENT, "; ".join(filter(None, reasons))))

    def _is_kept(self, number) -> bool:
        return self.fact[_key(number)].status == "kept"

    def _excluded(self, number, found: Finding) -> Finding:
        """Add the proof to a finding: the smallest set of numbers that cannot all be true."""
        fact = self.fact[_key(number)]
        conflict = self.allowed.conflict_with(fact.name)
        others = conflict[conflict["name"] != fact.name]
        said = "not together with " + "; ".join(map(contradictions.say, others.itertuples()))
        if others.empty:
            said = f"no {number.of} patients can have it"
            found = replace(found, reason="; ".join(filter(None, [found.reason, said])))
        return replace(found, verdict=INCONSISTENT, reason=found.reason or said, conflict=tuple(conflict["id"]))

    def _reason(self, number) -> str:
        """Return arithmetic that a reader can redo: it confirms a number that is kept, or refutes one that is not."""
        say = {"n": self._sum, "denominator": self._sum, "mean": self._mean, "minimum": self._end, "maximum": self._end}
        say |= dict.fromkeys(("q1", "median", "q3"), self._quartile)
        return say[number.kind](number) if number.kind in say else ""

    def _beside(self, number, groups: tuple[str, ...]) -> list[str] | None:
        """Return the kept digits of the same statistic in other groups, None unless all are printed."""
        found = [self.kept.get((False, number.row, group, number.kind)) for group in groups]
        return None if None in found else found

    def _sum(self, number) -> str:
        kept, here = self._is_kept(number), _key(number)[:-1]
        if number.kind == "denominator":
            return self._everyone(number._replace(of=findings.HALVES[0][0])).removeprefix("; ") if kept else ""
        for whole, parts in self._sums(number):
            printed = [number.printed if key == here else self.said.get(key) for key in [whole, *parts]]
            if parts and None not in printed[1:]:
                total, addition = sum(map(int, printed[1:])), " + ".join(printed[1:])
                if printed[0] is None:
                    continue
                if kept and total == int(printed[0]):
                    return addition + (f" = {total}{self._weak(number)}" if len(parts) > 1 else ", as for all of them")
                if not kept and total != int(printed[0]):
                    return f"{addition} = {total}, not {printed[0]}"
        if number.result == "flow" and kept:
            if number.row == "anti_nxp2":
                return f"as many as the patients, {self.count('patients')}"
            totals = [key[-1] for key in self.fact if key[:2] == (True, "screened")]
            return f"{addition} = {total}; {' and '.join(totals)} are printed{NEITHER}" if totals else ""
        percent = self.kept.get((False, number.row, number.of, "percent"))
        of = self.denominator(number.row, number.of) if percent and kept else None
        return f"{number.printed}/{of} = {percent} %" if of else ""

    def _sums(self, number):
        """Yield a whole and its parts, as keys of printed counts, wherever a count is one or the other."""
        flow, row, group, kind = _key(number)[:-1]
        if flow:
            antibodies = {key[:-1]: None for key in self.fact if key[0] and key[1] != "screened"}
            yield (True, "screened", group, kind), list(antibodies)
        for halves in findings.HALVES:
            if group in ("total", *halves):
                yield (False, row, "total", kind), [(False, row, half, kind) for half in halves]
        for whole, choices in findings.divisions().items():
            for parts in choices:
                if row in (whole, *parts):
                    printed = {key[1] for key in self.fact if not key[0] and key[2:4] == (group, kind)}
                    yield (False, whole, group, kind), [(False, part, group, kind) for part in parts if part in printed]

    def _weak(self, number) -> str:
        """Say how many of a group named after its weakness have none."""
        if number.row != "patients" or number.of != "limited":
            return ""
        least, greatest = self.allowed.count("muscle_weakness", number.of)
        weak = str(least) if least == greatest else f"{least} to {greatest}"
        return f"; {weak} of the {number.printed} have muscle weakness"

    def _mean(self, number) -> str:
        kept, size = self._is_kept(number), self.count("patients", number.of)
        for halves in findings.HALVES:
            means, sizes = self._beside(number, halves), [self.count("patients", half) for half in halves]
            if number.of == "total" and means and all(sizes):
                low, high = summaries.pooled_mean(list(zip(sizes, means, strict=True)))
                parts = " and ".join(f"{size} of mean {mean}" for size, mean in zip(sizes, means, strict=True))
                return f"{parts} have a mean of {low:.1f} to {high:.1f}"
        sums = attainable.sums(number.printed, size) if size else []
        if size and not sums:
            return f"no {size} whole years have this mean"
        return f"{size} whole years that add up to {sums[0]} to {sums[-1]} have it" if size and kept else ""

    def _end(self, number) -> str:
        for halves in findings.HALVES:
            ends = self._beside(number, halves)
            if number.of == "total" and ends:
                return f"the two groups have {' and '.join(ends)}"
        return ""

    def _quartile(self, number) -> str:
        three = {name: self.kept.get((False, number.row, number.of, name)) for name in ("q1", "median", "q3")}
        three[number.kind] = number.printed
        values = list(three.values())
        if None not in values and sorted(values, key=float) != values:
            return f"{values[0]}, {values[1]} and {values[2]} are not in order"
        for halves in findings.HALVES:
            both, everyone = self._beside(number, halves), self._beside(number, ("total",))
            if not both or not everyone or number.of not in ("total", *halves):
                continue
            if number.kind == "median" and sum(map(Decimal, both)) == 2 * Decimal(everyone[0]):
                but = "" if self._is_kept(number) or number.printed not in both else "but "
                return f"{but}the median of all, {everyone[0]}, is halfway between {both[0]} and {both[1]}"
            if number.of == "total":
                return f"the two groups have {' and '.join(both)}"
        if None in values or not self._is_kept(number):
            return ""
        return f"{' <= '.join(values)}, with values that can exist"


def _key(number) -> tuple:
    """Return what tells a printed quantity apart, with its digits; for a number of the registry or a fact."""
    group, kind = (number.of, number.kind) if hasattr(number, "of") else (number.group, number.statistic)
    return number.result == "flow", number.row, group, kind, number.printed


def _named(place: str) -> str:
    """Return the name of a place for a sentence.

    >>> _named("table2"), _named("results")
    ('Table 2', 'the results')
    """
    return place.capitalize()[:-1] + " " + place[-1] if place[-1].isdigit() else f"the {place}"
