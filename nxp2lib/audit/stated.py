"""How a paper's counts, percentages, ages, quartiles and ratios are judged: can patients exist who have them all?

A number that the model of the patients keeps is consistent, with arithmetic that a reader can redo where there is some;
one that it gives up is inconsistent, with a smallest set of numbers that cannot all be true.
"""

from collections.abc import Iterator
from decimal import Decimal

from nxp2lib import findings, table
from nxp2lib.audit import attainable, summaries, verdicts
from nxp2lib.audit.settled import UNSETTLED, Settled, key_of
from nxp2lib.audit.verdicts import CONSISTENT, INCONSISTENT, UNDETERMINED, Finding
from nxp2lib.reconstruction import facts

ARE_PRINTED = " are printed"
EXCLUDED = ("anti_sae", "anti_tif1_beta")  # people screened whom the methods leave out of the study


class Stated(Settled):
    """The facts of one paper."""

    def percentage(self, number) -> Finding:
        n, of = self.count(number.row, number.of), self.denominator(number.row, number.of)
        if n is None or not of or n > of:
            return self.consistent(number)
        found = verdicts.percentage(number.printed, n, of)
        if found.verdict == INCONSISTENT:
            return self._excluded(number, found)
        return found._replace(reason=found.reason + self._everyone(number.row, number.of))

    def counted(self, number) -> str:
        """Say what the counts make of a percentage, where the printed numbers settle them."""
        n, of = self.count(number.row, number.of), self.denominator(number.row, number.of)
        return f"; {n}/{of} is {table.percentage(n, of)} %" if n is not None and of else ""

    def _everyone(self, row: str, group: str) -> str:
        """Say that the denominators of two groups make up all patients to whom a row applies."""
        needed = findings.applies(row)
        halves = next((halves for halves in findings.HALVES if group in halves), None)
        if needed == "total" or not halves:
            return ""
        sizes, everyone = [self.count(needed, half) for half in halves], self.count(needed)
        whole = None not in sizes and sum(sizes) == everyone
        return f"; {sizes[0]} + {sizes[1]} = {everyone} are all with a {needed.replace('_', ' ')}" if whole else ""

    def incidence_ratio(self, number) -> Finding:
        observed = self.count("malignancy", number.of)
        if not observed:
            return UNSETTLED
        found = verdicts.incidence_ratio(number.printed, observed, self.allowed.expected(number.of))
        elsewhere = self.elsewhere(number)
        return found._replace(verdict=INCONSISTENT, reason=found.reason + elsewhere) if elsewhere else found

    def consistent(self, number) -> Finding:
        """Judge a number that the model of the patients holds: consistent, unless it or one like it has to go."""
        reason = self._reason(number)
        if not self.is_kept(number):
            reasons = [self.elsewhere(number).removeprefix("; "), reason]
            return self._excluded(number, Finding(INCONSISTENT, "; ".join(filter(None, reasons))))
        if number.result == "flow" and ARE_PRINTED in reason:
            return Finding(UNDETERMINED, reason)
        return Finding(CONSISTENT, reason or "patients can exist who have it together with everything else kept")

    def _excluded(self, number, found: Finding) -> Finding:
        """Add the proof to a finding: the smallest set of numbers that cannot all be true."""
        fact = self.fact[key_of(number)]
        conflict = self.allowed.conflict_with(fact.name)
        others = conflict[conflict["name"] != fact.name]
        reason = found.reason or "not together with " + "; ".join(map(facts.say, others.itertuples()))
        if others.empty:
            reason = "; ".join(filter(None, [found.reason, f"no {number.of} patients can have it"]))
        return found._replace(verdict=INCONSISTENT, reason=reason, conflict=tuple(conflict["id"]))

    def _reason(self, number) -> str:
        """Return arithmetic that a reader can redo: it confirms a number that is kept, or refutes one that is not."""
        say = {"n": self._sum, "denominator": self._size, "mean": self._mean}
        say |= dict.fromkeys(("minimum", "maximum"), self._end) | dict.fromkeys(("q1", "median", "q3"), self._quartile)
        return say[number.kind](number) if number.kind in say else ""

    def _size(self, number) -> str:
        kept = self.is_kept(number)
        return self._everyone(number.row, findings.HALVES[0][0]).removeprefix("; ") if kept else ""

    def _sum(self, number) -> str:
        kept, here = self.is_kept(number), key_of(number)[:-1]
        for whole, parts in self._sums(number):
            printed = [number.printed if key == here else self.said.get(key) for key in [whole, *parts]]
            if parts and None not in printed:
                if said := _added(kept, *printed):
                    if number.result == "flow":
                        return said + self._gap(*printed)
                    return said + (self._weak(number) if kept and len(parts) > 1 else "")
                if kept and number.result == "flow":
                    return self._screened(number, printed[1:])
        percent = self.kept.get((False, number.row, number.of, "percent"))
        of = self.denominator(number.row, number.of) if percent and kept else None
        return f"{number.printed}/{of} = {percent} %" if of else ""

    def _sums(self, number) -> Iterator[tuple[tuple, list[tuple]]]:
        """Yield a whole and its parts, as keys of printed counts, wherever a count is one or the other."""
        flow, row, group, kind = key_of(number)[:-1]
        if flow:
            keys = [key for key in self.said if key[0] and key[1] != "screened"]
            yield (True, "screened", group, kind), keys
            return
        for halves in findings.HALVES:
            if group in ("total", *halves):
                yield (False, row, "total", kind), [(False, row, half, kind) for half in halves]
        for whole, choices in findings.divisions().items():
            for parts in choices:
                if row in (whole, *parts):
                    keys = [(False, part, group, kind) for part in parts]
                    yield (False, whole, group, kind), [key for key in keys if key in self.said]

    def _screened(self, number, parts: list[str]) -> str:
        """Say what the people screened, by antibody, make, where it is no printed total; anti-NXP2 are the patients."""
        if number.row == "anti_nxp2":
            return f"as many as the patients, {self.count('patients')}"
        totals = [key[-1] for key in self.fact if key[:2] == (True, "screened")]
        gaps = "".join(self._gap(total, *parts) for total in totals)
        return f"{' + '.join(parts)} = {sum(map(int, parts))}; {' and '.join(totals)}{ARE_PRINTED}{gaps}"

    def _gap(self, total: str, *parts: str) -> str:
        """Say that a total exceeds its parts by as many as were excluded: worth knowing, and no proof."""
        excluded = [n for key, n in self.said.items() if key[0] and key[1] in EXCLUDED]
        apart, many = int(total) - sum(map(int, parts)), sum(map(int, excluded))
        return f"; {total} less {int(total) - apart} is {many}, as many as are excluded" if 0 < apart == many else ""

    def _weak(self, number) -> str:
        """Say how many of a group named after its weakness have none."""
        if number.row != "patients" or number.of != "limited":
            return ""
        least, greatest = self.allowed.count("muscle_weakness", number.of)
        weak = str(least) if least == greatest else f"{least} to {greatest}"
        return f"; {weak} of the {number.printed} have muscle weakness"

    def _in_halves(self, number) -> Iterator[tuple[tuple[str, str], list[str]]]:
        """Yield two groups that make up everybody, and the kept digits of the same statistic where both have them."""
        for halves in findings.HALVES:
            found = [self.kept.get((False, number.row, half, number.kind)) for half in halves]
            if None not in found:
                yield halves, found

    def _mean(self, number) -> str:
        kept, size = self.is_kept(number), self.count("patients", number.of)
        for halves, means in self._in_halves(number):
            parts = [(self.count("patients", half), mean) for half, mean in zip(halves, means, strict=True)]
            if number.of == "total" and all(n for n, _ in parts):
                low, high = summaries.pooled_mean(parts)
                said = " and ".join(f"{n} of mean {mean}" for n, mean in parts)
                return f"{said} have a mean of {low:.1f} to {high:.1f}"
        sums = attainable.sums(number.printed, size) if size else []
        if size and not sums:
            return f"no {size} whole years have this mean"
        return f"{size} whole years that add up to {sums[0]} to {sums[-1]} have it" if size and kept else ""

    def _end(self, number) -> str:
        ends = next((ends for _, ends in self._in_halves(number)), None)
        return f"the two groups have {' and '.join(ends)}" if number.of == "total" and ends else ""

    def _quartile(self, number) -> str:
        three = {name: self.kept.get((False, number.row, number.of, name)) for name in ("q1", "median", "q3")}
        values = list((three | {number.kind: number.printed}).values())
        if None not in values and sorted(values, key=float) != values:
            return f"{values[0]}, {values[1]} and {values[2]} are not in order"
        everyone = self.kept.get((False, number.row, "total", number.kind))
        for halves, both in self._in_halves(number):
            if not everyone or number.of not in ("total", *halves):
                continue
            if number.kind == "median" and sum(map(Decimal, both)) == 2 * Decimal(everyone):
                but = "" if self.is_kept(number) or number.printed not in both else "but "
                return f"{but}the median of all, {everyone}, is halfway between {both[0]} and {both[1]}"
            if number.of == "total":
                return f"the two groups have {' and '.join(both)}"
        if None in values or not self.is_kept(number):
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
