"""Hide small counts, and whatever would let them be worked out, across all tables at once.

A block is one finding in one group: how many patients have it, have it not, and are unknown. A block is shown whole or
hidden whole. For each hidden count two cohorts are looked for that agree with everything shown, and in which the count
differs by the minimum at least: nobody can narrow it down further.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

import numpy as np
import pandas as pd

from nxp2lib import findings
from nxp2lib.release.model import BELOW, Block, Cohorts, Equation, Exposed, Key, Shown, below, columns, equation, tied

EVERYBODY = ("patients", findings.TOTAL)
FAULT = "what is shown excludes itself: this is a fault of the export, nothing is written"
GROUP = 50  # what hiding the size of a group costs, in findings: everything in the group goes with it


class Unproved(Exposed):
    """Means or quartiles of which no proof is found that they tell little enough: of a row, or, nameless, of all."""


def small(blocks: dict[Key, Block], minimum: int) -> set[Key]:
    """Return the blocks in which fewer than ``minimum`` patients have the finding, or have it not.

    Zero is small: it tells of every patient of the group. The number of unknown, a quality of the file, may be small.
    """
    return {key for key, block in blocks.items() if min(block[: sides(key)]) < minimum}


def sides(key: Key) -> int:
    """Return how many counts of a block are to be protected: with and without a finding, of a group its size alone."""
    return 1 if key[0] == "patients" else 2


class Search:
    """Cohorts that agree with an export, and how far the counts that may not become known lie apart in them.

    ``now`` is the export to be made, with all its blocks; which of them are hidden is asked of each method. ``asked``
    are further blocks that it hides. Of a mean or a quartile that is shown, a count is how many lie below it. A cohort
    that was found is kept: it serves as long as what it contradicts is hidden.
    """

    def __init__(self, now: Shown, apart: int, asked: Iterable[Key] = ()):
        self.now, self.apart = now, apart
        self.cohorts = Cohorts(asked, now)
        self.means = {key: self.cohorts.equal(key, block) for key, block in now.blocks.items()}
        forms = {key: self.cohorts.counts(key)[: sides(key)] for key in [*sorted({*now.blocks, *asked}), *edges(now)]}
        self.forms = {key: form for key, form in forms.items() if all(map(len, form))}  # others are known by definition
        self.large: dict[tuple[Key, int], set[Key]] = {}  # counts that are known to be, and what is hidden there
        self.asked: tuple = ()
        self.agreeing: list[int] = []
        self.found: list[np.ndarray] = []  # cohorts
        self.against: list[set[Key]] = []  # which blocks each of them contradicts
        self.values: list[dict[Key, list[int]]] = []  # what is watched, in each of them

    def agrees(self, hidden: set[Key]) -> bool:
        """Tell whether any cohort agrees with what is not hidden."""
        return bool(self._agreeing(hidden)) or self._find([], 1, hidden)

    def exposed(self, hidden: set[Key], new: Key | None = None, numbers: bool = False) -> Iterator[Key]:
        """Search for counts that can be narrowed down to less than asked.

        ``new`` is a block that was hidden and no longer is: its row is looked at first. ``numbers`` leaves it at how
        many lie below a mean or a quartile.
        """
        shown = self.now.blocks.keys() - hidden
        asked = [key for key in self.forms if key not in shown and (BELOW in key[0] or not numbers)]
        if new:
            near = [key for key in asked if key[0] == new[0]]
            yield from self._exposed(near, hidden)
            self._mend(new, hidden)
        yield from self._exposed(asked, hidden)

    def _exposed(self, asked: list[Key], hidden: set[Key]) -> Iterator[Key]:
        self._spread(asked, hidden)
        return (key for key in asked if not self._is_open(key, hidden))

    def _mend(self, new: Key, hidden: set[Key]) -> None:
        """Change cohorts that agree with everything but a block that is now shown, in its own table alone."""
        if new[0] != "patients":
            table, _ = self.cohorts.answers[new[0]]
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

    def _spread(self, asked: list[Key], hidden: set[Key]) -> None:
        """Look for a few cohorts in which many counts at once are large, or small."""
        left = [(one, side) for one in asked for side in range(sides(one))]
        before = len(left) + 1
        while before > len(left) > 2:
            before = len(left)
            for sign in (-1, 1):
                self._must_find([self.forms[one][side] for one, side in left], sign, hidden)
            left = [(one, side) for one, side in left if np.ptp(self._seen(one, side, hidden)) < self.apart]

    def _is_open(self, one: Key, hidden: set[Key]) -> bool:
        """Tell whether a count is open, or, where it is one of values below a number, provably not small."""
        for side, variables in enumerate(self.forms[one]):
            known = self.large.get((one, side))
            if known is not None and hidden <= known:  # the more is shown, the larger is the least
                continue
            for sign in (-1, 1):
                if np.ptp(self._seen(one, side, hidden)) < self.apart:
                    self._must_find([variables], sign, hidden)
            seen = self._seen(one, side, hidden)
            if np.ptp(seen) < self.apart:
                if BELOW not in one[0] or seen.min() < self.apart:
                    return False
                self.large[one, side] = set(hidden)
        return True

    def _seen(self, one: Key, side: int, hidden: set[Key]) -> np.ndarray:
        """Return a watched count in every cohort found that agrees with what is not hidden."""
        return np.array([self.values[place][one][side] for place in self._agreeing(hidden)] or [0])

    def _agreeing(self, hidden: set[Key]) -> list[int]:
        """Return the places of the cohorts found that agree with what is not hidden."""
        asked = (frozenset(hidden), len(self.found))
        if self.asked != asked:
            self.asked, self.agreeing = asked, [n for n, against in enumerate(self.against) if against <= hidden]
        return self.agreeing

    def _shown(self, hidden: set[Key]) -> list[Equation]:
        return [each for key, means in self.means.items() if key not in hidden for each in means]

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

    def fewest(self, one: Key, hidden: set[Key]) -> set[Key]:
        """Return the fewest blocks to hide so that a count can lie the minimum away from the truth."""
        free = [key for key in self.now.blocks if key not in hidden and key != EVERYBODY]
        aims = list(zip(self.forms[one], self.now.blocks[one], strict=False))
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

    def certified(self) -> list[np.ndarray]:
        """Return few of the cohorts found, one at least, in which everything lies as far apart as in all of them."""
        return [self.found[place] for place in self._few(list(range(len(self.found)))) or [0]]


def protect(now: Shown, minimum: int, kept: Iterable[Key] = ()) -> tuple[set[Key], set[Key]]:
    """Return the blocks to hide since they are small, and further ones so that none of these can be worked out.

    ``now`` is everything that could be shown, ``kept`` what is hidden in any case. For each exposed block the solver
    finds as few shown blocks as can be. Of all further ones, but for those in ``kept``, none could be shown alone: each
    was tried. Raises Exposed where no hiding is enough.
    """
    first = small(now.blocks, minimum)
    search = Search(now, minimum)
    sizes_alone = {key for key in now.blocks if key[0] != "patients"} | first
    if told := next(search.exposed(sizes_alone, numbers=True), None):
        raise Unproved(told[0].partition(BELOW)[0])
    kept = set(kept) - first
    further = set(kept)
    while exposed := next(search.exposed(first | further), None):
        further |= _more(search, exposed, first | further)
    for key in sorted(further - kept, key=lambda key: (key[0] != "patients", -now.blocks[key].yes, key)):
        fewer = first | further - {key}
        if search.agrees(fewer) and next(search.exposed(fewer, key), None) is None:
            further.discard(key)
    return first, further


def _more(search: Search, one: Key, hidden: set[Key]) -> set[Key]:
    """Return blocks to hide for the sake of a count: as few as can be, or else its row, what is tied to it, or all."""
    row, number, _ = one[0].partition(BELOW)
    if number:
        raise Unproved(row)
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


def edges(shown: Shown) -> list[Key]:
    """Return the counts that a mean or a quartile tells of: how many of its group lie below an end of what is printed.

    Of each group that a row is shown of, all ends of the row are asked about.
    """
    places = dict.fromkeys(place[:2] for place in shown.numbers)
    return [(below(row, edge), group) for row, group in places for edge in shown.edges(row)]


def certificates(shown: Shown, hidden: set[Key], minimum: int) -> pd.DataFrame:
    """Return cohorts, as patterns, that show the same, and in which each hidden count lies the minimum apart.

    ``shown`` is what an export shows, as anybody can read it, ``hidden`` what it hides. Raises Exposed for a count that
    may not become known and is not open.
    """
    search = Search(shown, minimum, hidden)
    if not search.agrees(set()):
        raise Exposed(FAULT)
    if exposed := next(search.exposed(set()), None):
        raise Exposed(f"{exposed[0]} in {exposed[1]}: not protected, so nothing is written")
    patterns = [search.cohorts.patients(counts) for counts in search.certified()]
    return pd.concat([part.assign(cohort=place) for place, part in enumerate(patterns)], ignore_index=True)
