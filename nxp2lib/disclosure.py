"""Hide small counts, and whatever would let them be worked out, across all tables at once.

A block is one finding in one group: how many patients have it, have it not, and are unknown. A block is shown whole or
hidden whole. What is shown, and what follows from the data dictionary, are equations between the counts of all blocks;
a solver looks for sets of counts that satisfy all of them. Two such sets in which a hidden count differs by much are
the proof that nobody can narrow it down further, and they are checked by plain arithmetic.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nxp2lib import dictionary
from nxp2lib.cohort import IMPLIES

Key = tuple[str, str]  # a row and a group; the row "patients" is the group itself
PARTS = [  # groups that make everybody, with those of whom it is not known
    ("juvenile", "adult", None),
    ("limited", "extended", "extent unknown"),
    ("polymyositis", "dermatomyositis", "phenotype unknown"),
]
OPPOSITE = [("polymyositis", "dermatomyositis"), ("male", "female")]
SIGNS = ("heliotrope_rash", "gottron_sign_or_papules")


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
    def width(self) -> int:
        """The number of values between which nobody can decide, at least."""
        return min(self.greatest - self.least, self.greatest_without - self.least_without) + 1


class Exposed(ValueError):
    """A hidden count that can be narrowed down further than asked."""


def small(blocks: dict[Key, Block], minimum: int) -> set[Key]:
    """Return the blocks in which fewer than ``minimum`` patients have the finding, or have it not.

    Zero counts are small: they tell of every patient of the group. The number of unknown is a quality of the file and
    may be small. Of a group only the size counts.
    """
    return {
        key
        for key, block in blocks.items()
        if block.yes < minimum or (_two_sided(key) and block.no < minimum)
    }  # fmt: skip


def _two_sided(key: Key) -> bool:
    return key[0] != "patients"


def protect(blocks: dict[Key, Block], minimum: int) -> tuple[set[Key], set[Key]]:
    """Return the blocks to hide since they are small, and further ones so that none of these can be worked out.

    For each exposed block the solver finds other counts in which it differs by enough, and as few shown blocks as can
    be; these are hidden too. Of all further ones none could be shown alone: each was tried. Raises Exposed where even
    hiding everything leaves a count exposed.
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
    for count, true in list(zip(attack.expressions(key), blocks[key], strict=False))[: 1 + _two_sided(key)]:
        more = attack.model.new_bool_var("more")
        attack.model.add(count >= true + minimum - 1).only_enforce_if(more)
        attack.model.add(count <= true - minimum + 1).only_enforce_if(~more)
    cost = sum((1 if _two_sided(other) else 50) * ~literal for other, literal in same.items())
    counts = attack.solved(-cost)
    if counts is None:
        raise Exposed(f"{key[0]} in {key[1]}: cannot be protected by hiding")
    return {other for other, literal in same.items() if not counts.boolean_value(literal)}


def tight(blocks: dict[Key, Block], hidden: set[Key], minimum: int, begin: str = "") -> Iterator[Key]:
    """Yield hidden blocks that can be narrowed down to fewer than ``minimum`` values; the row ``begin`` comes first."""
    shown = {key: block for key, block in blocks.items() if key not in hidden}
    ordered = sorted(hidden, key=lambda key: (key[0] != begin, key))
    for key, limits in _searched(shown, ordered, minimum):
        if limits.width < minimum:
            yield key


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
        for sign, side in [(1, "yes"), (-1, "yes"), (1, "no"), (-1, "no")]:
            if key in seen and _wide(seen[key], side, minimum):
                continue
            counts = attack.extreme(key, side, sign)
            for other in hidden:
                seen[other] = _stretched(seen.get(other), *attack.values(other, counts))
        yield key, seen[key]


def _wide(found: Range, side: str, minimum: int) -> bool:
    ends = found[:2] if side == "yes" else found[2:]
    return ends[1] - ends[0] + 1 >= minimum


def _stretched(found: Range | None, yes: int, no: int) -> Range:
    if found is None:
        return Range(yes, yes, no, no)
    return Range(min(found[0], yes), max(found[1], yes), min(found[2], no), max(found[3], no))


class _Attack:
    """All equations that someone knows who has the tables, the data dictionary and the rules of hiding."""

    def __init__(self, rows: Iterable[str], known: dict[Key, Block]):
        from ortools.sat.python import cp_model

        self.model, self.rows = cp_model.CpModel(), set(rows)
        self.most = 4 * max([sum(block) for block in known.values()], default=0) + 1000
        self.sizes, self.yes, self.unknown = {}, {}, {}
        self._groups()
        for row in sorted(self.rows - {"patients"}):
            self._finding(row)
        self._definitions()

    def _whole(self, name: str):
        return self.model.new_int_var(0, self.most, name)

    def _hold(self, condition) -> None:
        self.model.add(condition)

    def _groups(self) -> None:
        """Set up the sizes of all groups; each partition makes everybody."""
        for group in ["total", *(name for parts in PARTS for name in parts if name)]:
            self.sizes[group] = self._whole(f"size {group}")
        for parts in PARTS:
            self._hold(self.sizes["total"] == sum(self.sizes[name] for name in parts if name))

    def _finding(self, row: str) -> None:
        """Set up a finding in all groups; in each partition its parts add up."""
        for group, size in self.sizes.items():
            self.yes[row, group] = self._whole(f"{row} {group}")
            self.unknown[row, group] = self._whole(f"{row} {group} unknown")
            self._hold(self.yes[row, group] + self.unknown[row, group] <= size)
        for counts in (self.yes, self.unknown):
            for parts in PARTS:
                self._hold(counts[row, "total"] == sum(counts[row, name] for name in parts if name))

    def _definitions(self) -> None:
        """Add what follows from the data dictionary, for the findings that stand in some table."""
        rows, yes, unknown, sizes = self.rows, self.yes, self.unknown, self.sizes
        for group, size in sizes.items():
            for one, other in OPPOSITE:
                if {one, other} <= rows:
                    self._hold(yes[one, group] + yes[other, group] + unknown[one, group] == size)
                    self._hold(unknown[one, group] == unknown[other, group])
            for finding, general in IMPLIES:
                if {finding, general} <= rows:
                    no = size - yes[general, group] - unknown[general, group]
                    self._hold(yes[finding, group] <= size - no)
            if {*SIGNS, "dermatomyositis"} <= rows:
                for sign in SIGNS:
                    self._hold(yes[sign, group] <= yes["dermatomyositis", group])
                self._hold(yes["dermatomyositis", group] <= sum(yes[sign, group] for sign in SIGNS))
            for symptom in ("myalgia", "muscle_weakness"):
                if {symptom, "no_muscular_symptom"} <= rows:
                    no = size - yes[symptom, group] - unknown[symptom, group]
                    self._hold(yes["no_muscular_symptom", group] <= no)
            self._categories(group, size)
        for group, row, counts in [
            ("extended", "distal_weakness", yes),
            ("extent unknown", "distal_weakness", unknown),
            ("polymyositis", "polymyositis", yes),
            ("phenotype unknown", "polymyositis", unknown),
        ]:
            if row in rows:
                self._hold(sizes[group] == counts[row, "total"])

    def _categories(self, group: str, size) -> None:
        """Add the rows that divide a group: titers, and skin findings."""
        rows, yes, unknown = self.rows, self.yes, self.unknown
        titers = [f"ana_titer_{titer}" for titer in dictionary.column("ana_titer").values[2:]]
        if {*titers, "ana_titer_below_80", "ana_positive"} <= rows:
            self._hold(sum(yes[row, group] for row in titers) == yes["ana_positive", group])
            no = size - yes["ana_positive", group] - unknown["ana_positive", group]
            self._hold(yes["ana_titer_below_80", group] == no)
            for row in [*titers, "ana_titer_below_80"]:
                self._hold(unknown[row, group] == unknown["ana_positive", group])
        if {"other_rash", "no_rash", "dermatomyositis", "polymyositis"} <= rows:
            skin = yes["other_rash", group] + yes["no_rash", group]
            self._hold(skin + yes["dermatomyositis", group] + unknown["other_rash", group] == size)
            self._hold(unknown["other_rash", group] == unknown["no_rash", group])
            self._hold(skin <= yes["polymyositis", group])

    def show(self, key: Key, block: Block, literal=None) -> None:
        """Add the counts of a block; with a literal, only where that is true."""
        row, group = key
        if row == "patients":
            shown = [self.sizes[group] == block.yes]
        else:
            with_it, without = self.expressions(key)
            shown = [with_it == block.yes, without == block.no, self.unknown[key] == block.unknown]
        for condition in shown:
            held = self.model.add(condition)
            if literal is not None:
                held.only_enforce_if(literal)

    def expressions(self, key: Key) -> tuple:
        """Return the counts with and without a finding."""
        row, group = key
        if row == "patients":
            return self.sizes[group], self.sizes[group]
        return self.yes[key], self.sizes[group] - self.yes[key] - self.unknown[key]

    def solved(self, greatest):
        """Return a set of counts with the greatest value of an expression, None where there is no set at all."""
        from ortools.sat.python import cp_model

        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        self.model.maximize(greatest)
        return solver if solver.solve(self.model) == cp_model.OPTIMAL else None

    def extreme(self, key: Key, side: str, sign: int):
        """Return a set of counts with the greatest (``sign`` 1) or least (-1) number on one side of a block."""
        counts = self.solved(sign * self.expressions(key)[side == "no"])
        if counts is None:
            raise Exposed("the counts shown exclude one another: this is a fault of the export, nothing is written")
        return counts

    def values(self, key: Key, solver) -> tuple[int, int]:
        """Return the two counts of a block in a set of counts."""
        yes, no = self.expressions(key)
        return int(solver.value(yes)), int(solver.value(no))
