"""How many patients have each combination of findings: the printed numbers as a small model without patients.

Patients are interchangeable, so tables of counts are enough. One table is the trunk: sex, age group, rash, muscular
symptoms and distal weakness. Every other finding is a branch: a table of its own that shares with the trunk those
columns that a printed number or a rule relates it to. Tables of whole numbers that agree on what they share can always
be joined, by pairing patients who are alike there. So counts that keep a set of printed numbers exist exactly when
patients do who keep them.

Quartiles join as counts of values below their ends. A quartile between two values is held to that alone, not to their
weighted average; so a contradiction that is found is one, and a rare one of a fraction of a unit may be missed.
"""

from decimal import Decimal
from itertools import combinations, pairwise

from nxp2lib import counts
from nxp2lib.counts import Counts

QUARTERS = {"q1": 1, "median": 2, "q3": 3}
RASHES = ("heliotrope_rash", "gottron_sign_or_papules", "any_rash")
TRUNK = ("male", "juvenile", *RASHES, "myalgia", "muscle_weakness", "distal_weakness")
COMPARED = ("juvenile", "distal_weakness")  # what quartiles are printed by


class Patterns(Counts):
    """Unknown counts of patients by pattern of findings, and one switch per printed fact.

    ``known`` has one row per fact and the columns ``place, expression, printed, result, row, group, statistic``.
    A pattern is the set of those names of a table that hold. Raises KeyError for a fact about something undefined.
    """

    def __init__(self, known):
        super().__init__()
        self.defined = counts.definitions()
        self.counted = {}  # by row and group
        self.size = 2 * max(map(int, known.loc[known["statistic"] == "n", "printed"]), default=1)
        self.tables = [(TRUNK, self._new_table(_subsets(TRUNK), self._breaks_no_rule))]
        for branch, states in _branches().items():
            self._grow(branch, states, known)
        self.add_ages()
        self._add_flow(known)
        self.below = self._add_axis(known)
        for fact in known.itertuples():
            self.keep(fact)

    def knows(self, name: str) -> bool:
        """Tell whether a row or group is defined."""
        return self._unknowns(name) <= {name for names, _ in self.tables for name in names}

    def count(self, row: str, group: str):
        """Return the number of the group's patients with a finding."""
        needed = self._unknowns(row) | self._unknowns(group)
        table = next((table for names, table in self.tables if needed.issubset(names)), None)
        if table is None:
            raise KeyError(f"{row} in {group}: no table holds {' and '.join(sorted(needed))}")
        if (row, group) not in self.counted:  # a number of its own: a sum would not be known to be whole
            self.counted[row, group] = self.model.new_int_var(0, self.size, "")
            alike = [n for pattern, n in table.items() if self._holds(row, pattern) and self._holds(group, pattern)]
            self.model.add(self.counted[row, group] == sum(alike))
        return self.counted[row, group]

    def keep(self, fact) -> None:
        """Turn one fact into constraints, by its result and statistic."""
        if fact.result == "flow":
            self.rounds_to(self.screened[fact.row], 1, fact)
        elif fact.statistic in QUARTERS:
            self._keep_quartile(fact)
        else:
            super().keep(fact)

    def _unknowns(self, name: str) -> set[str]:
        """Return the unknown findings that define a row or group."""
        if name in self.defined:
            return set().union(*(self._unknowns(part) for part in self.defined[name][1]))
        return {name} - {"total"}

    def _holds(self, name: str, pattern: frozenset[str]) -> bool:
        """Tell whether a row or group holds in patients with a pattern."""
        if name not in self.defined:
            return name == "total" or name in pattern
        combination, parts = self.defined[name]
        each = [self._holds(part, pattern) for part in parts]
        return {"any_of": any(each), "none_of": not any(each), "all_of": all(each)}[combination]

    def _breaks_no_rule(self, pattern: frozenset[str], names) -> bool:
        """Tell whether a pattern keeps every implication that its names can decide."""
        return all(
            self._holds(general, pattern) or not self._holds(finding, pattern)
            for finding, general in counts.implications()
            if (self._unknowns(finding) | self._unknowns(general)).issubset(names)
        )

    def _new_table(self, patterns, allowed) -> dict:
        names = frozenset().union(*(patterns := list(patterns)))
        return {p: self.model.new_int_var(0, self.size, "") for p in patterns if allowed(p, names)}

    def _grow(self, branch: tuple[str, ...], states: list[frozenset[str]], known) -> None:
        """Add the table of a branch, and let it agree with the trunk on the columns they share."""
        related = [*counts.implications(), *zip(known["row"], known["group"], strict=True)]
        related = [self._unknowns(one) | self._unknowns(other) for one, other in related]
        shared = set().union(*(names for names in related if names & set(branch))) & set(TRUNK)
        patterns = [one | other for one in _subsets(sorted(shared)) for other in states]
        table = self._new_table(patterns, self._breaks_no_rule)
        self.tables.append(((*branch, *shared), table))
        trunk = self.tables[0][1]
        for margin in _subsets(sorted(shared)):
            here = sum(n for pattern, n in table.items() if pattern & shared == margin)
            self.model.add(here == sum(n for pattern, n in trunk.items() if pattern & shared == margin))

    def _add_flow(self, known) -> None:
        """Add the number of people screened, by antibody; those with anti-NXP2 are the patients."""
        groups = set(known.loc[known["result"] == "flow", "row"]) - {"anti_nxp2", "screened"}
        self.screened = {name: self.model.new_int_var(0, self.size, "") for name in sorted(groups)}
        self.screened["anti_nxp2"] = self.count("total", "total")
        self.screened["screened"] = sum(self.screened.values())

    def _add_axis(self, known) -> dict:
        """Add, by pattern of the compared columns, how many values lie below each end of a printed quartile."""
        quartiles = known[known["statistic"].isin(QUARTERS)]
        edges = sorted({edge for printed in quartiles["printed"] for edge in _ends(printed)})
        below = {}
        for pattern in _subsets(COMPARED):
            ladder = [self.model.new_int_var(0, self.size, "") for _ in edges]
            trunk = self.tables[0][1]
            everyone = sum(n for other, n in trunk.items() if other & frozenset(COMPARED) == pattern)
            for lower, higher in pairwise([*ladder, everyone]):
                self.model.add(lower <= higher)
            below |= {(pattern, edge): number for edge, number in zip(edges, ladder, strict=True)}
        return below

    def _keep_quartile(self, fact) -> None:
        """Demand that a quartile lies between the values beside place (n + 1) p of a group's sorted values."""
        lower, upper = (
            sum(n for (pattern, edge), n in self.below.items() if edge == end and self._holds(fact.group, pattern))
            for end in _ends(fact.printed)
        )
        four_times_place = (self.count("total", fact.group) + 1) * QUARTERS[fact.statistic]
        self.demand(4 * upper >= four_times_place - 3, fact)
        self.demand(4 * lower <= four_times_place - 1, fact)


def _ends(printed: str) -> tuple[Decimal, Decimal]:
    """Return the least value that rounds to the printed digits, and the least above it that no longer does."""
    half = Decimal(5).scaleb(Decimal(printed).as_tuple().exponent - 1)
    return Decimal(printed) - half, Decimal(printed) + half


def _subsets(names) -> list[frozenset[str]]:
    """Return every set of some of the names."""
    return [frozenset(some) for size in range(len(names) + 1) for some in combinations(names, size)]


def _branches() -> dict[tuple[str, ...], list[frozenset[str]]]:
    """Return the findings beside the trunk that belong together, and the patterns they can have."""
    biopsied = tuple(name for name in counts.yes_no() if counts.applies(name) == "muscle_biopsy")
    titers, sites = counts.one_of("ana_titer"), counts.one_of("malignancy_site")
    together = {"muscle_biopsy", "malignancy", *biopsied, *TRUNK}
    single = [(name,) for name in counts.yes_no() if name not in together]
    return {
        **{names: _subsets(names) for names in [*single, ("muscle_biopsy", *biopsied)]},
        tuple(titers): [frozenset([titer]) for titer in titers],
        ("malignancy", *sites): [frozenset(), *(frozenset(["malignancy", site]) for site in sites)],
    }
