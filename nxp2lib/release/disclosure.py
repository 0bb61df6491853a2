"""Hide small counts, and whatever would let them be worked out, across all tables and all exports at once.

A block is one finding in one group: how many patients have it, have it not, and are unknown. A block is shown whole or
hidden whole. For each hidden count two cohorts are looked for that agree with everything shown, in this export and in
earlier ones, and in which the count differs by the minimum at least: nobody can narrow it down further.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from nxp2lib import findings
from nxp2lib.release.model import BELOW, Block, Cohorts, Equation, Exposed, Key, Shown, below, columns, equation, tied

EVERYBODY = ("patients", findings.TOTAL)
FAULT = "what is shown excludes itself: this is a fault of the export, nothing is written"
GROUP = 50  # what hiding the size of a group costs, in findings: everything in the group goes with it


class Watched(NamedTuple):
    """A count that has to stay open: in a group of one export, or of it without the same group of another one."""

    key: Key
    export: Shown
    without: Shown | None = None

    def is_elsewhere(self, now: Shown) -> bool:
        """Tell whether the count is not one of an export's own groups."""
        return self.export is not now or self.without is not None


class Unproved(Exposed):
    """Means or quartiles of which no proof is found that they tell little enough: of a row, or, nameless, of all."""


class Certificate(NamedTuple):
    """The least and the greatest number of patients with a finding, and without, each with the cohort that shows it."""

    least: int
    least_in: int
    greatest: int
    greatest_in: int
    least_without: int
    least_without_in: int
    greatest_without: int
    greatest_without_in: int

    @property
    def apart(self) -> int:
        """How far the least and the greatest lie apart, at least."""
        return min(self.greatest - self.least, self.greatest_without - self.least_without)


def small(blocks: dict[Key, Block], minimum: int) -> set[Key]:
    """Return the blocks in which fewer than ``minimum`` patients have the finding, or have it not.

    Zero is small: it tells of every patient of the group. The number of unknown, a quality of the file, may be small.
    """
    return {key for key, block in blocks.items() if min(block[: _sides(key)]) < minimum}


def _sides(key: Key) -> int:
    """Return how many counts of a block are to be protected: with and without a finding, of a group its size alone."""
    return 1 if key[0] == "patients" else 2


class Search:
    """Cohorts that agree with exports, and how far the watched counts lie apart in them.

    ``now`` is the export to be made, with all its blocks; which of them are hidden is asked of each method. A cohort
    that was found is kept: it serves as long as what it contradicts is hidden.
    """

    def __init__(self, now: Shown, earlier: list[Shown], watched: list[Watched], apart: int):
        self.now, self.apart = now, apart
        self.cohorts = Cohorts((one.key for one in watched), [*earlier, now])
        self.means = {key: self.cohorts.equal(key, block, now) for key, block in now.blocks.items()}
        self.fixed = [each for shown in earlier for place in shown.blocks.items()
                      for each in self.cohorts.equal(*place, shown)]  # fmt: skip
        forms = {one: self.cohorts.counts(*one)[: _sides(one.key)] for one in watched}
        self.forms = {one: form for one, form in forms.items() if all(map(len, form))}  # others are known by definition
        self.large: dict[tuple[Watched, int], set[Key]] = {}  # counts that are known to be, and what is hidden there
        self.asked: tuple = ()
        self.agreeing: list[int] = []
        self.found: list[np.ndarray] = []  # cohorts
        self.against: list[set[Key]] = []  # which blocks each of them contradicts
        self.values: list[dict[Watched, list[int]]] = []  # what is watched, in each of them

    def agrees(self, hidden: set[Key]) -> bool:
        """Tell whether any cohort agrees with what is not hidden."""
        return bool(self._agreeing(hidden)) or self._find([], 1, hidden)

    def exposed(self, hidden: set[Key], new: Key | None = None, numbers: bool = False) -> Iterator[Watched]:
        """Search for counts that can be narrowed down to less than asked.

        ``new`` is a block that was hidden and no longer is: its row is looked at first. ``numbers`` leaves it at how
        many lie below a mean or a quartile.
        """
        shown = self.now.blocks.keys() - hidden
        asked = [one for one in self.forms if one.is_elsewhere(self.now) or one.key not in shown]
        asked = [one for one in asked if BELOW in one.key[0] or not numbers]
        if new:
            near = [one for one in asked if one.key[0] == new[0]]
            yield from self._exposed(near, hidden)
            self._mend(new, hidden)
        yield from self._exposed(asked, hidden)

    def _exposed(self, asked: list[Watched], hidden: set[Key]) -> Iterator[Watched]:
        self._spread(asked, hidden)
        return (one for one in asked if not self._is_open(one, hidden))

    def _mend(self, new: Key, hidden: set[Key]) -> None:
        """Change cohorts that agree with everything but a block that is now shown, in its own table alone."""
        if new[0] != "patients":
            table, _ = self.cohorts.answers[new[0], self.now.age_limit]
            for place in self._few(self._agreeing(hidden | {new})):
                kept = np.delete(np.arange(self.cohorts.width), table.variables)
                self._add(self.cohorts.find(np.zeros(self.cohorts.width), self._shown(hidden), self.found[place], kept))

    def _few(self, places: list[int]) -> list[int]:
        """Return few of some cohorts, among which everything lies apart that does among all."""
        chosen: list[int] = []
        for one, form in self.forms.items():
            for side in range(len(form)):
                values = np.array([self.values[place][one][side] for place in places] or [0])
                known = np.array([self.values[place][one][side] for place in chosen] or [0])
                if np.ptp(values) >= self.apart > np.ptp(known):
                    ends = places[int(values.argmin())], places[int(values.argmax())]
                    chosen = list(dict.fromkeys([*chosen, *ends]))
        return chosen

    def _spread(self, asked: list[Watched], hidden: set[Key]) -> None:
        """Look for a few cohorts in which many counts at once are large, or small."""
        left = [(one, side) for one in asked for side in range(_sides(one.key))]
        before = len(left) + 1
        while before > len(left) > 2:
            before = len(left)
            for sign in (-1, 1):
                self._must_find([self.forms[one][side] for one, side in left], sign, hidden)
            left = [(one, side) for one, side in left if np.ptp(self._seen(one, side, hidden)) < self.apart]

    def _is_open(self, one: Watched, hidden: set[Key]) -> bool:
        """Tell whether a count is open, or, where it is not a hidden one of this export, provably not small."""
        may_be_known = one.is_elsewhere(self.now) or BELOW in one.key[0]
        for side, variables in enumerate(self.forms[one]):
            known = self.large.get((one, side))
            if known is not None and hidden <= known:  # the more is shown, the larger is the least
                continue
            for sign in (-1, 1):
                if np.ptp(self._seen(one, side, hidden)) < self.apart:
                    self._must_find([variables], sign, hidden)
            seen = self._seen(one, side, hidden)
            if np.ptp(seen) < self.apart:
                if not may_be_known or seen.min() < self.apart:
                    return False
                self.large[one, side] = set(hidden)
        return True

    def _seen(self, one: Watched, side: int, hidden: set[Key]) -> np.ndarray:
        """Return a watched count in every cohort found that agrees with what is not hidden."""
        return np.array([self.values[place][one][side] for place in self._agreeing(hidden)] or [0])

    def _agreeing(self, hidden: set[Key]) -> list[int]:
        """Return the places of the cohorts found that agree with what is not hidden."""
        asked = (frozenset(hidden), len(self.found))
        if self.asked != asked:
            self.asked, self.agreeing = asked, [n for n, against in enumerate(self.against) if against <= hidden]
        return self.agreeing

    def _shown(self, hidden: set[Key]) -> list[Equation]:
        return self.fixed + [each for key, means in self.means.items() if key not in hidden for each in means]

    def _find(self, forms: list[np.ndarray], sign: int, hidden: set[Key]) -> bool:
        """Look for a cohort in which some counts together are as large as can be, or as small; tell whether any is."""
        objective = np.zeros(self.cohorts.width)
        for variables in forms:
            objective[variables] += sign
        return self._add(self.cohorts.find(objective, self._shown(hidden)))

    def _must_find(self, forms: list[np.ndarray], sign: int, hidden: set[Key]) -> None:
        if not self._find(forms, sign, hidden):
            raise Unproved

    def _add(self, counts: np.ndarray | None) -> bool:
        if counts is None:
            return False
        wrong = (key for key, means in self.means.items() if any(counts[e.variables].sum() != e.least for e in means))
        self.found.append(counts)
        self.against.append(set(wrong))
        self.values.append({one: [int(counts[each].sum()) for each in form] for one, form in self.forms.items()})
        return True

    def fewest(self, one: Watched | None, hidden: set[Key]) -> set[Key]:
        """Return the fewest blocks to hide so that a count of this export can lie the minimum away from the truth.

        None: so that no earlier export is contradicted.
        """
        free = [key for key in self.now.blocks if key not in hidden and key != EVERYBODY]
        aims = list(zip(self.forms[one], self.now.blocks[one.key], strict=False)) if one else []
        switches = range(self.cohorts.width, self.cohorts.width + len(free) + len(aims))
        most, more = self.now.patients, self._shown(hidden | set(free))
        for switch, key in zip(switches, free, strict=False):  # on: the block may be anything
            for variables, weights, true, _ in self.means[key]:
                more.append(equation([*variables, switch], true, np.inf, [*weights, true]))
                more.append(equation([*variables, switch], -np.inf, true, [*weights, true - most]))
        for switch, (variables, true) in zip(switches[len(free) :], aims, strict=True):  # on: far below, off: far above
            weights, low, high = np.ones(len(variables)), true - self.apart, true + self.apart
            more.append(equation([*variables, switch], high, np.inf, [*weights, high]))
            more.append(equation([*variables, switch], -np.inf, most, [*weights, most - low]))
        objective = np.zeros(switches.stop)
        for switch, key in zip(switches, free, strict=False):
            objective[switch] = -GROUP if key[0] == "patients" else -1
        counts = self.cohorts.find(objective, more)
        if counts is None:
            raise Unproved
        self._add(counts[: self.cohorts.width])
        return self.against[-1] - hidden

    def certified(self) -> tuple[dict[Watched, "Certificate"], list[np.ndarray]]:
        """Return certificates of what is open, and few of the cohorts found, which they name by place."""
        chosen, found = self._few(list(range(len(self.found)))), {}
        for one, form in self.forms.items():
            values = np.array([self.values[place][one] for place in chosen]).reshape(len(chosen), -1)
            if len(chosen) and np.ptp(values, axis=0).min() >= self.apart:
                both = values[:, [0, len(form) - 1]]  # of a group, its size twice
                ends = np.stack([both.min(axis=0), both.argmin(axis=0), both.max(axis=0), both.argmax(axis=0)])
                found[one] = Certificate(*ends.T.ravel().tolist())
        return found, [self.found[place] for place in chosen]


def protect(now: Shown, earlier: list[Shown], minimum: int, apart: int) -> tuple[set[Key], set[Key]]:
    """Return the blocks to hide since they are small, and further ones so that none of these can be worked out.

    ``now`` is everything that could be shown, ``earlier`` what exports of the same patients, or of almost the same,
    have shown. For each exposed block the solver finds as few shown blocks as can be. Of all further ones none could be
    shown alone: each was tried. Raises Exposed where no hiding is enough.
    """
    first = small(now.blocks, minimum)
    search = Search(now, earlier, watched(now, earlier, now.blocks), apart)
    sizes_alone = {key for key in now.blocks if key[0] != "patients"} | first
    if told := next(search.exposed(sizes_alone, numbers=True), None):
        raise Unproved(told.key[0].partition(BELOW)[0])
    further = search.fewest(None, first) if earlier else set()  # what earlier exports contradict
    while exposed := next(search.exposed(first | further), None):
        further |= _more(search, exposed, first | further)
    for key in sorted(further, key=lambda key: (key[0] != "patients", -now.blocks[key].yes, key)):
        fewer = first | further - {key}
        if search.agrees(fewer) and next(search.exposed(fewer, key), None) is None:
            further.discard(key)
    return first, further


def _more(search: Search, one: Watched, hidden: set[Key]) -> set[Key]:
    """Return blocks to hide for the sake of a count: as few as can be, or else its row, what is tied to it, or all."""
    row, number, _ = one.key[0].partition(BELOW)
    if number:
        raise Unproved(row)
    if not one.is_elsewhere(search.now):
        with suppress(Unproved):
            if found := search.fewest(one, hidden):
                return found
    left = set(search.now.blocks) - hidden - {EVERYBODY}
    rows = {key[0] for key in left}
    tie = next((set(tie) for tie in tied(rows | {row}) if columns(row) & set(tie)), set())
    for some in ({row}, {name for name in rows if columns(name) & tie}, {"patients"}, rows):
        if found := {key for key in left if key[0] in some}:
            return found
    raise Unproved


def watched(now: Shown, earlier: list[Shown], keys: Iterable[Key]) -> list[Watched]:
    """Return every count that may not become known: of this export, of others, and of patients in one of two alone.

    ``keys`` are the rows and groups of this export, shown or not. Left out is what earlier exports of the same groups
    have shown. Of a mean or a quartile that is shown, a count is how many lie below it.
    """
    keys = sorted(keys)
    exports = [now, *{(one.patients, one.age_limit): one for one in earlier}.values()]
    exports = [one for one in exports if one is now or one.who("juvenile") != now.who("juvenile")]
    found: dict[tuple, Watched] = {}
    for one, (row, group) in product(exports, keys):
        found.setdefault((row, one.who(group)), Watched((row, group), one))
    known = {(row, one.who(group)) for one in earlier for row, group in one.blocks}
    numbers = [Watched((below(row, edge), group), one) for one in exports
               for row, group in dict.fromkeys(place[:2] for place in one.numbers)
               for edge in one.edges(row)]  # fmt: skip
    pairs = [(one, other) for one, other in product(exports, repeat=2) if one is not other]
    return [*(one for place, one in found.items() if place not in known), *numbers,
            *(Watched(key, *pair) for pair in pairs for key in keys)]  # fmt: skip


def certificates(
    shown: Shown, hidden: set[Key], earlier: list[Shown], apart: int
) -> tuple[dict[Watched, Certificate], pd.DataFrame]:
    """Return for each count that is open a certificate, and the cohorts that certificates name, as patterns.

    ``shown`` is what an export shows, as anybody can read it, ``hidden`` what it hides. Raises Exposed for a count that
    may not become known and is not open.
    """
    search = Search(shown, earlier, watched(shown, earlier, {*shown.blocks, *hidden}), apart)
    if exposed := next(search.exposed(set()), None):
        raise Exposed(f"{exposed.key[0]} in {exposed.key[1]}: not protected, so nothing is written")
    found, cohorts = search.certified()
    patterns = [search.cohorts.patients(counts).assign(cohort=place) for place, counts in enumerate(cohorts)]
    return found, pd.concat(patterns or [pd.DataFrame({"cohort": []})], ignore_index=True)
