"""How a paper's counts, percentages, ages, quartiles and ratios are judged: can patients exist who have them all?

A number that the model of the patients keeps is consistent, with arithmetic that a reader can redo where there is some;
one that it gives up is inconsistent, with a smallest set of numbers that cannot all be true.
"""

from dataclasses import replace
from decimal import Decimal

from nxp2lib import findings
from nxp2lib.audit import attainable, summaries, verdicts
from nxp2lib.audit.settled import UNSETTLED, Settled, key_of
from nxp2lib.audit.verdicts import CONSISTENT, INCONSISTENT, UNDETERMINED, Finding
from nxp2lib.reconstruction import contradictions

NEITHER = ", and agree with nothing"


class Facts:
    """The facts of one paper."""

    def __init__(self, settled: Settled):
        self.settled, self.allowed, self.kept = settled, settled.allowed, settled.kept

    def percentage(self, number) -> Finding:
        n, of = self.settled.count(number.row, number.of), self.settled.denominator(number.row, number.of)
        if n is None or not of or n > of:
            return self.judge(number)
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
        sizes, everyone = [self.settled.count(needed, half) for half in halves], self.settled.count(needed)
        whole = None not in sizes and sum(sizes) == everyone
        return f"; {sizes[0]} + {sizes[1]} = {everyone} are all with a {needed.replace('_', ' ')}" if whole else ""

    def incidence_ratio(self, number) -> Finding:
        observed = self.settled.count("malignancy", number.of)
        if not observed:
            return UNSETTLED
        found = verdicts.incidence_ratio(number.printed, observed, self.allowed.expected(number.of))
        elsewhere = self.settled.elsewhere(number)
        return replace(found, verdict=INCONSISTENT, reason=found.reason + elsewhere) if elsewhere else found

    def judge(self, number) -> Finding:
        """Judge a number that the model of the patients holds: consistent, unless it or one like it has to go."""
        reason = self._reason(number)
        if self.settled.is_kept(number) and number.result == "flow" and reason.endswith(NEITHER):
            return Finding(UNDETERMINED, reason)
        if self.settled.is_kept(number):
            return Finding(CONSISTENT, reason or "patients can exist who have it together with everything else kept")
        reasons = [self.settled.elsewhere(number).removeprefix("; "), reason]
        return self._excluded(number, Finding(INCONSISTENT, "; ".join(filter(None, reasons))))

    def _excluded(self, number, found: Finding) -> Finding:
        """Add the proof to a finding: the smallest set of numbers that cannot all be true."""
        fact = self.settled.fact[key_of(number)]
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
        kept, here = self.settled.is_kept(number), key_of(number)[:-1]
        if number.kind == "denominator":
            return self._everyone(number._replace(of=findings.HALVES[0][0])).removeprefix("; ") if kept else ""
        if number.result == "flow":
            return self._screened(number, kept)
        for whole, parts in self._sums(number):
            printed = [number.printed if key == here else self.settled.said.get(key) for key in [whole, *parts]]
            if parts and None not in printed and (said := _added(kept, *printed)):
                return said + (self._weak(number) if kept and len(parts) > 1 else "")
        percent = self.kept.get((False, number.row, number.of, "percent"))
        of = self.settled.denominator(number.row, number.of) if percent and kept else None
        return f"{number.printed}/{of} = {percent} %" if of else ""

    def _screened(self, number, kept: bool) -> str:
        """Add up the people screened by antibody; those with anti-NXP2 are the patients."""
        here = key_of(number)[:-1]
        keys = [key[:-1] for key in self.settled.fact if key[0]]
        parts = [key for key in dict.fromkeys(keys) if key[1] != "screened"]
        printed = [number.printed if key == here else self.settled.said[key] for key in parts]
        totals = [key[-1] for key in self.settled.fact if key[:2] == (True, "screened")]
        if not parts or not totals:
            return ""
        whole = number.printed if number.row == "screened" else self.settled.said[True, "screened", *here[2:]]
        if (said := _added(kept, whole, *printed)) or not kept:
            return said
        if number.row == "anti_nxp2":
            return f"as many as the patients, {self.settled.count('patients')}"
        return f"{' + '.join(printed)} = {sum(map(int, printed))}; {' and '.join(totals)} are printed{NEITHER}"

    def _sums(self, number):
        """Yield a whole and its parts, as keys of printed counts, wherever a count is one or the other."""
        _, row, group, kind = key_of(number)[:-1]
        for halves in findings.HALVES:
            if group in ("total", *halves):
                yield (False, row, "total", kind), [(False, row, half, kind) for half in halves]
        for whole, choices in findings.divisions().items():
            for parts in choices:
                if row in (whole, *parts):
                    printed = {key[1] for key in self.settled.fact if not key[0] and key[2:4] == (group, kind)}
                    yield (False, whole, group, kind), [(False, part, group, kind) for part in parts if part in printed]

    def _weak(self, number) -> str:
        """Say how many of a group named after its weakness have none."""
        if number.row != "patients" or number.of != "limited":
            return ""
        least, greatest = self.allowed.count("muscle_weakness", number.of)
        weak = str(least) if least == greatest else f"{least} to {greatest}"
        return f"; {weak} of the {number.printed} have muscle weakness"

    def _mean(self, number) -> str:
        kept, size = self.settled.is_kept(number), self.settled.count("patients", number.of)
        for halves in findings.HALVES:
            means, sizes = self._beside(number, halves), [self.settled.count("patients", half) for half in halves]
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
                but = "" if self.settled.is_kept(number) or number.printed not in both else "but "
                return f"{but}the median of all, {everyone[0]}, is halfway between {both[0]} and {both[1]}"
            if number.of == "total":
                return f"the two groups have {' and '.join(both)}"
        if None in values or not self.settled.is_kept(number):
            return ""
        return f"{' <= '.join(values)}, with values that can exist"


def _added(kept: bool, whole: str, *parts: str) -> str:
    """Say that printed parts make the printed whole of a number that is kept, or do not of one that is not.

    >>> _added(True, "76", "29", "47"), _added(False, "76", "28", "47"), _added(True, "76", "28", "47")
    ('29 + 47 = 76', '28 + 47 = 75, not 76', '')
    """
    addition, total = " + ".join(parts), sum(map(int, parts))
    if kept and total == int(whole):
        return f"{addition} = {total}" if len(parts) > 1 else f"{addition}, as for all of them"
    return f"{addition} = {total}, not {whole}" if not kept and total != int(whole) else ""
