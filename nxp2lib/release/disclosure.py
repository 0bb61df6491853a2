"""Hide small counts, and whatever would let them be worked out, across all tables at once.

A block is one finding in one group: how many patients have it, have it not, and are unknown. A block is shown whole or
hidden whole. What is shown, and what follows from the data dictionary, are equations between the counts of all blocks;
a solver looks for sets of counts that satisfy all of them. Two such sets in which a hidden count differs by much are
the proof that nobody can narrow it down further, and they are checked by plain arithmetic.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from nxp2lib import dictionary, findings

FAULT = "the counts shown exclude one another: this is a fault of the export, nothing is written"

Key = tuple[str, str]  # a row and a group; the row "patients" is the group itself


class Block(NamedTuple):
    """How many patients have a finding, have it not, and are unknown; of a group, only its size is there."""

    yes: int
    no: int
    unknown: int


class Range(NamedTuple):
    """Values of a hidden count that agree with everything shown: patients with the finding, and without."""

    least: int
    greatest: int
    least_without: int
    greatest_without: int

    @property
    def widths(self) -> tuple[int, int]:
        """How many values lie between the least and the greatest, of the patients with the finding and without."""
        return self.greatest - self.least + 1, self.greatest_without - self.least_without + 1

    @property
    def width(self) -> int:
        """The number of values between which nobody can decide, at least."""
        return min(self.widths)

    def stretched(self, yes: int, no: int) -> "Range":
        """Return the range with one more value of both counts in it."""
        least, greatest, least_without, greatest_without = self
        return Range(min(least, yes), max(greatest, yes), min(least_without, no), max(greatest_without, no))


class Exposed(ValueError):
    """A hidden count that can be narrowed down further than asked."""


def small(blocks: dict[Key, Block], minimum: int) -> set[Key]:
    """Return the blocks in which fewer than ``minimum`` patients have the finding, or have it not.

    Zero is small: it tells of every patient of the group. The number of unknown, a quality of the file, may be small.
    """
    return {key for key, block in blocks.items() if min(block[: _sides(key)]) < minimum}


def _sides(key: Key) -> int:
    """Return how many counts of a block are to be protected: with and without a finding, of a group its size alone."""
    return 1 if key[0] == "patients" else 2


def protect(blocks: dict[Key, Block], minimum: int) -> tuple[set[Key], set[Key]]:
    """Return the blocks to hide since they are small, and further ones so that none of these can be worked out.

    For each exposed block the solver finds other counts in which it differs by enough, and as few shown blocks as can
    be; these are hidden too. Of all further ones none could be shown alone: each was tried. Raises Exposed where no
    hiding is enough.
    """
    first, further = small(blocks, minimum), set()
    while exposed := list(tight(blocks, first | further, minimum)):
        for key in exposed:
            further |= _fewest(key, blocks, first | further, minimum)
    for key in sorted(further, key=lambda key: (key[0] != "patients", -blocks[key].yes, key)):
        fewer = first | further - {key}
        if next(tight(blocks, fewer, minimum, begin=key[0]), None) is None:
            further.discard(key)
    return first, further


def _fewest(key: Key, blocks: dict[Key, Block], hidden: set[Key], minimum: int) -> set[Key]:
    """Return the fewest shown blocks to hide so that the counts of ``key`` can be ``minimum - 1`` away from the truth.

    The size of a group counts as many, since everything in the group goes with it.
    """
    attack = _Attack({row for row, _ in blocks}, blocks)
    same = {other: attack.model.new_bool_var(f"{other} same") for other in blocks if other not in hidden}
    for other, literal in same.items():
        attack.show(other, blocks[other], literal)
    for count, true in zip(attack.expressions(key)[: _sides(key)], blocks[key], strict=False):
        more = attack.model.new_bool_var("more")
        attack.model.add(count >= true + minimum - 1).only_enforce_if(more)
        attack.model.add(count <= true - minimum + 1).only_enforce_if(~more)
    cost = sum((50 if other[0] == "patients" else 1) * ~literal for other, literal in same.items())
    counts = attack.solved(-cost, f"{key[0]} in {key[1]}: cannot be protected by hiding")
    return {other for other, literal in same.items() if not counts.boolean_value(literal)}


def tight(blocks: dict[Key, Block], hidden: set[Key], minimum: int, begin: str = "") -> Iterator[Key]:
    """Search for hidden blocks that can be narrowed down to fewer than ``minimum`` values, the row ``begin`` first."""
    shown = {key: block for key, block in blocks.items() if key not in hidden}
    ordered = sorted(hidden, key=lambda key: (key[0] != begin, key))
    return (key for key, limits in _searched(shown, ordered, minimum) if limits.width < minimum)


def ranges(shown: dict[Key, Block], hidden: Iterable[Key], minimum: int) -> dict[Key, Range]:
    """Return for each hidden block values that agree with all shown ones.

    The search for a block ends when ``minimum`` values lie between the least and the greatest found; where it found
    fewer, these are all. Raises Exposed where the blocks shown exclude one another, so that something is wrong.
    """
    return dict(_searched(shown, list(hidden), minimum))


def _searched(shown: dict[Key, Block], hidden: list[Key], minimum: int) -> Iterator[tuple[Key, Range]]:
    attack = _Attack({row for row, _ in [*shown, *hidden]}, shown)
    for key, block in shown.items():
        attack.show(key, block)
    seen: dict[Key, Range] = {}
    for key in hidden:
        for side, sign in [(0, 1), (0, -1), (1, 1), (1, -1)]:
            if key in seen and seen[key].widths[side] >= minimum:
                continue
            counts = attack.solved(sign * attack.expressions(key)[side], FAULT)
            for other in hidden:
                yes, no = (int(counts.value(count)) for count in attack.expressions(other))
                seen[other] = seen.get(other, Range(yes, yes, no, no)).stretched(yes, no)
        yield key, seen[key]


def _related(names: set[str]) -> set[str]:
    """Return names with all that they are defined by, or apply among."""
    defined = [findings.definitions()[name] for name in names if name in findings.definitions()]
    more = {part for definition in defined for part in (*definition.parts, definition.among)}
    more |= {findings.applies(findings.column_of(name)) for name in names}
    more -= {"", findings.TOTAL, *names}
    return _related(names | more) if more else names


class _Attack:
    """All equations that someone knows who has the tables, the data dictionary and the rules of hiding.

    They are made from `nxp2lib.findings` alone: of each name, in each group, how many patients it holds of, does not
    hold of, and is unknown of.
    """

    def __init__(self, rows: Iterable[str], known: dict[Key, Block]):
        from ortools.sat.python import cp_model

        self.model = cp_model.CpModel()
        self.most = 4 * max([sum(block) for block in known.values()], default=0) + 1000
        self.names = sorted(_related({*rows, *chain(*findings.HALVES)} - {"patients"}))  # equal runs, equal exports
        halves = [(*pair, f"neither {pair[0]} nor {pair[1]}") for pair in findings.HALVES]  # these make everybody
        self.sizes = {group: self._whole() for group in [findings.TOTAL, *chain(*halves)]}
        self.yes, self.unknown = ({(name, group): self._whole() for name in self.names for group in self.sizes}
                                  for _ in range(2))  # fmt: skip
        for parts in halves:
            self._divide(parts)
        for group in self.sizes:
            for name in self.names:
                self._state(name, group)
            self._rule(group)

    def _whole(self):
        return self.model.new_int_var(0, self.most, "")

    def _hold(self, *conditions) -> None:
        for condition in conditions:
            self.model.add(condition)

    def _answers(self, name: str, group: str) -> tuple:
        """Return of how many of a group a name holds, does not hold, and is unknown."""
        size = self.sizes[group]
        if name in (findings.TOTAL, "patients"):
            return size, 0, 0
        yes, unknown = self.yes[name, group], self.unknown[name, group]
        return yes, size - yes - unknown, unknown

    def _divide(self, parts: tuple[str, str, str]) -> None:
        """Let two groups, and those of whom the group is unknown, make everybody; each group consists of its own."""
        for counts in (self.sizes, *({g: n[name, g] for g in self.sizes} for n in (self.yes, self.unknown)
                                     for name in self.names)):  # fmt: skip
            self._hold(counts[findings.TOTAL] == sum(counts[group] for group in parts))
        *groups, unknown = parts
        for group in groups:
            self._hold(self.yes[group, group] == self.sizes[group])
            self._hold(self.unknown[group, unknown] == self.sizes[unknown])

    def _state(self, name: str, group: str) -> None:
        """Add what a name means: how it is defined, or what is known of the column that answers it."""
        yes, no, unknown = self._answers(name, group)
        self._hold(no >= 0)
        if name not in findings.definitions():
            column, needed = findings.column_of(name), findings.applies(name)
            if dictionary.column(column).required == "yes":
                self._hold(unknown == 0)
            if needed != findings.TOTAL:
                self._hold(yes + no <= self.yes[needed, group])
            return
        combination, parts, among = findings.definitions()[name]
        size, answers = self.sizes[group], [self._answers(part, group) for part in parts]
        if among:
            inner, asked = (self._whole(), self._whole()), self._answers(among, group)
            inner = (inner[0], size - sum(inner), inner[1])
            self._hold(inner[1] >= 0, yes <= inner[0], yes <= asked[0], yes >= inner[0] + asked[0] - size)
            self._hold(no >= asked[1], no <= asked[1] + inner[1], unknown >= asked[2], unknown <= asked[2] + inner[2])
            yes, no, unknown = inner
        if combination == "all_of":  # the parts decide as in any_of, with yes and no exchanged
            yes, no, answers = no, yes, [(n, y, u) for y, n, u in answers]
        elif combination == "none_of":
            yes, no = no, yes
        self._hold(*(yes >= part for part, _, _ in answers), *(no <= part for _, part, _ in answers))
        self._hold(yes <= sum(part for part, _, _ in answers))
        self._hold(no >= size - sum(size - part for _, part, _ in answers))

    def _rule(self, group: str) -> None:
        """Add what holds in every cohort, and that of several values or parts a patient has one."""
        for finding, general in findings.RULES:
            if {finding, general} <= set(self.names):
                self._hold(self.yes[finding, group] <= self.sizes[group] - self._answers(general, group)[1])
        choices = [(findings.applies(column), tuple(findings.one_of(column))) for column in findings.CHOICES]
        divided = [(whole, parts) for whole, several in findings.divisions().items() for parts in several]
        for whole, parts in [*choices, *divided]:
            if set(parts) <= set(self.names):
                yes, _, unknown = self._answers(whole, group)
                self._hold(*(self.unknown[part, group] == self.unknown[parts[0], group] for part in parts[1:]))
                here = sum(self.yes[part, group] for part in parts)
                self._hold(here + self.unknown[parts[0], group] == yes + unknown)

    def show(self, key: Key, block: Block, literal=None) -> None:
        """Add the counts of a block; with a literal, only where that is true."""
        counts = self._answers(*key) if key[0] != "patients" else [self.sizes[key[1]]]
        for count, true in zip(counts, block, strict=False):
            held = self.model.add(count == true)
            if literal is not None:
                held.only_enforce_if(literal)

    def expressions(self, key: Key) -> tuple:
        """Return the counts with and without a finding, of a group its size twice."""
        yes, no, _ = self._answers(*key)
        return (yes, yes) if key[0] == "patients" else (yes, no)

    def solved(self, greatest, otherwise: str):
        """Return a set of counts with the greatest value of an expression; raise Exposed where there is no set."""
        from ortools.sat.python import cp_model

        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        self.model.maximize(greatest)
        if solver.solve(self.model) != cp_model.OPTIMAL:
            raise Exposed(otherwise)
        return solver
