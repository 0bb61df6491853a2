"""How many patients have each combination of findings: the printed numbers as a small model without patients.

Patients are interchangeable, so tables of counts are enough. One table is the trunk: sex, age group, rash, muscular
symptoms and distal weakness. Every other finding is a branch: a table of its own that shares with the trunk those
columns that a printed number or a rule relates it to. Tables of whole numbers that agree on what they share can always
be joined, by pairing patients who are alike there. So counts that keep a set of printed numbers exist exactly when
patients do who keep them.

Quartiles join as counts of values below their ends. A quartile between two values is held to that alone, not to their
weighted average; so a contradiction that is found is one, and a rare one of a fraction of a unit may be missed.
"""

from collections.abc import Iterable
from itertools import combinations, pairwise, product

import pandas as pd

from nxp2lib import describe, digits, findings
from nxp2lib.reconstruction import counts, facts
from nxp2lib.reconstruction.counts import Counts

TRUNK = ("male", "juvenile", *findings.SIGNS, "any_rash", "myalgia", "muscle_weakness", "distal_weakness")
COMPARED = ("juvenile", "distal_weakness")  # what quartiles are printed by


class Patterns(Counts):
    """Unknown counts of patients by pattern of findings, and one switch per printed fact.

    ``known`` has one row per fact and the columns ``place, expression, printed, result, row, group, statistic``.
    A pattern is the set of those names of a table that hold. Raises KeyError for a fact about something undefined.
    """

    def __init__(self, known):
        super().__init__()
        self.counted = {}  # by findings
        self.size = 2 * max(map(int, known.loc[known["statistic"] == "n", "printed"]), default=1)
        self.tables = []
        self._add_table(TRUNK, _subsets(TRUNK), [])
        for branch, states in _branches().items():
            self._grow(branch, states, known)
        self.add_ages()
        self._add_flow(known)
        self.below = self._add_axis(known)
        for fact in known.itertuples():
            self.keep(fact)
        self._exclude(known)

    def _exclude(self, known) -> None:
        """Let no two facts hold that print different values of one quantity, however little the tables say of it."""
        switches = dict(zip(known.index, self.switches.values(), strict=True))
        for _, same in known.groupby(facts.quantity(known), sort=False):
            for one, other in combinations(same.index, 2):
                if digits.clash(*same.loc[[one, other], "printed"]):
                    self.model.add_bool_or(~switches[one], ~switches[other])

    def count(self, row: str, group: str):
        """Return the number of the group's patients with a finding."""
        return self.count_all({row: True, group: True})

    def count_all(self, wanted: dict[str, bool]):
        """Return the number of patients who have all findings that are True and none that are False.

        Raises KeyError for a name that is not defined.
        """
        key = frozenset(wanted.items())
        if key not in self.counted:  # a number of its own: a sum would not be known to be whole
            self.counted[key] = self.model.new_int_var(0, self.size, "")
            needed = set().union(*map(findings.parts, wanted))
            table = next((table for names, table in self.tables if needed.issubset(names)), None)
            table = self._joined(needed) if table is None else table
            alike = (n for p, n in table.items() if all(_holds(name, p) == holds for name, holds in wanted.items()))
            self.model.add(self.counted[key] == sum(alike))
        return self.counted[key]

    def _joined(self, needed: set[str]) -> dict:
        """Add a table of names from several branches, which agrees with each branch and with the trunk.

        It holds every column of the trunk that one of the branches shares. So the tables still form a tree, and counts
        that agree along it are those of patients.
        """
        branches = [(names, table) for names, table in self.tables[1:] if needed & (set(names) - set(TRUNK))]
        if missing := needed.difference(TRUNK, *(names for names, _ in branches)):
            raise KeyError(f"no table holds {' and '.join(sorted(missing))}")
        names = needed.union(*(set(names) & set(TRUNK) for names, _ in branches))
        states = [sorted({pattern & needed - set(TRUNK) for pattern in table}, key=sorted) for _, table in branches]
        trunk = _subsets(sorted(names & set(TRUNK)))
        patterns = [frozenset().union(*parts) for parts in product(trunk, *states)]
        return self._add_table(sorted(names), patterns, [self.tables[0], *branches])

    def keep(self, fact) -> None:
        """Turn one fact into constraints, by its result and statistic."""
        if fact.result == "flow":
            self.rounds_to(self.screened[fact.row], 1, fact)
        elif fact.statistic in describe.QUARTERS:
            self._keep_quartile(fact)
        else:
            super().keep(fact)

    def deal(self, solver, rng) -> pd.DataFrame:
        """Return one row per patient from a solution: 1 under each name that holds, else 0.

        What the tables do not relate meets at random. ``rng`` is a seeded NumPy generator.
        """
        patients: list[frozenset[str]] = [frozenset()] * int(sum(map(solver.value, self.tables[0][1].values())))
        decided: set[str] = set()
        for names, table in [self.tables[0], *reversed(self.tables[1:])]:  # joined tables before their branches
            shared = decided & set(names)
            margins = dict.fromkeys(patient & shared for patient in patients)  # in an order that is always the same
            dealt = {margin: _hand(table, shared, margin, solver, rng) for margin in margins}
            patients = [patient | dealt[patient & shared].pop() for patient in patients]
            decided |= set(names)
        holds = [{name: int(name in patient) for name in findings.asked()} for patient in patients]
        return pd.DataFrame(holds, dtype="Int64")

    def _add_table(self, names: Iterable[str], patterns: list[frozenset[str]], neighbours: list) -> dict:
        """Add a count of each pattern that breaks no rule; tables count alike in what they share with neighbours."""
        rules = [rule for rule in counts.implications() if set().union(*map(findings.parts, rule)).issubset(names)]
        table = {
            pattern: self.model.new_int_var(0, self.size, "")
            for pattern in dict.fromkeys(patterns)
            if all(_holds(general, pattern) or not _holds(finding, pattern) for finding, general in rules)
        }
        self.tables.append((tuple(names), table))
        for others, other in neighbours:
            shared = set(names) & set(others)
            for margin in _subsets(sorted(shared)):
                here, there = (sum(_alike(each, shared, margin).values()) for each in (table, other))
                self.model.add(here == there)
        return table

    def _grow(self, branch: tuple[str, ...], states: list[frozenset[str]], known) -> None:
        """Add the table of a branch, and let it agree with the trunk on the columns they share."""
        related = [*counts.implications(), *zip(known["row"], known["group"], strict=True)]
        related = [findings.parts(one) | findings.parts(other) for one, other in related]
        shared = set().union(*(names for names in related if names & set(branch))) & set(TRUNK)
        patterns = [one | other for one in _subsets(sorted(shared)) for other in states]
        self._add_table([*branch, *shared], patterns, self.tables[:1])

    def _add_flow(self, known) -> None:
        """Add the number of people screened, by antibody; those with anti-NXP2 are the patients."""
        groups = set(known.loc[known["result"] == "flow", "row"]) - {"anti_nxp2", "screened"}
        self.screened = {name: self.model.new_int_var(0, self.size, "") for name in sorted(groups)}
        self.screened["anti_nxp2"] = self.count("total", "total")
        self.screened["screened"] = sum(self.screened.values())

    def _add_axis(self, known) -> dict:
        """Add, by pattern of the compared columns, how many values lie below each end of a printed quartile."""
        quartiles = known[known["statistic"].isin(describe.QUARTERS)]
        edges = sorted({edge for printed in quartiles["printed"] for edge in digits.interval(printed)})
        (_, trunk), below = self.tables[0], {}
        for pattern in _subsets(COMPARED):
            ladder = [self.model.new_int_var(0, self.size, "") for _ in edges]
            everyone = sum(_alike(trunk, set(COMPARED), pattern).values())
            for lower, higher in pairwise([*ladder, everyone]):
                self.model.add(lower <= higher)
            below |= {(pattern, edge): number for edge, number in zip(edges, ladder, strict=True)}
        return below

    def _keep_quartile(self, fact) -> None:
        """Demand that a quartile lies between the values beside place (n + 1) p of a group's sorted values."""
        lower, upper = (
            sum(n for (pattern, edge), n in self.below.items() if edge == end and _holds(fact.group, pattern))
            for end in digits.interval(fact.printed)
        )
        four_times_place = (self.count("total", fact.group) + 1) * describe.QUARTERS[fact.statistic]
        self.demand(4 * upper >= four_times_place - 3, fact)
        self.demand(4 * lower <= four_times_place - 1, fact)


def _holds(name: str, pattern: frozenset[str]) -> bool:
    """Tell whether a row or group holds in patients with a pattern."""
    if name not in findings.definitions():
        return name == findings.TOTAL or name in pattern
    combination, parts, _ = findings.definitions()[name]
    each = [_holds(part, pattern) for part in parts]
    return {"any_of": any(each), "none_of": not any(each), "all_of": all(each)}[combination]


def _alike(table: dict, shared: set[str], margin: frozenset[str]) -> dict:
    """Return the patterns of a table that hold just the names of a margin among those shared."""
    return {pattern: number for pattern, number in table.items() if pattern & shared == margin}


def _hand(table: dict, shared: set[str], margin: frozenset[str], solver, rng) -> list[frozenset[str]]:
    """Return a pattern for each patient of a margin, as often as a solution counts it, in random order."""
    alike = _alike(table, shared, margin).items()
    hand = [pattern for pattern, number in alike for _ in range(solver.value(number))]
    return [hand[place] for place in rng.permutation(len(hand))]


def _subsets(names) -> list[frozenset[str]]:
    """Return every set of some of the names."""
    return [frozenset(some) for size in range(len(names) + 1) for some in combinations(names, size)]


def _branches() -> dict[tuple[str, ...], list[frozenset[str]]]:
    """Return the findings beside the trunk that belong together, and the patterns they can have."""
    biopsied = tuple(name for name in findings.yes_no() if findings.applies(name) == "muscle_biopsy")
    titers, sites = findings.one_of("ana_titer"), findings.one_of("malignancy_site")
    together = {"muscle_biopsy", "malignancy", *biopsied, *TRUNK}
    single = [(name,) for name in findings.yes_no() if name not in together]
    return {
        **{names: _subsets(names) for names in [*single, ("muscle_biopsy", *biopsied)]},
        tuple(titers): [frozenset([titer]) for titer in titers],
        ("malignancy", *sites): [frozenset(), *(frozenset(["malignancy", site]) for site in sites)],
    }
