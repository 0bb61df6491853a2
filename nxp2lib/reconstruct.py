"""Patients behind the tables: a synthetic cohort that reproduces every printed number at once.

The paper publishes tables, not patients. Each printed number is one fact, addressed by its expression in the registry,
and each fact becomes one constraint on unknown patients. Two steps find patients that keep them all:

1. a constraint solver chooses findings, sex and age, then creatine kinase values with the printed quartiles;
2. seeded random moves make those values look drawn rather than chosen and reach the printed P values of the rank
   tests, while every quartile stays as printed.

The result is a witness that the numbers can be true together. It says nothing about the real patients.
"""

from decimal import Decimal
from itertools import permutations, product
from math import erfc
from pathlib import Path

import numpy as np
import pandas as pd

from nxp2lib import cohort as rules
from nxp2lib import dictionary, incidence, paths, published

SEED = 1
SEXES = ("male", "female")
JUVENILE_BEFORE = 18  # years
REFERENCE_INTERVAL = {"male": (59, 248), "female": (41, 153)}  # creatine kinase in IU/L, Japan (JCCLS)
ELEVATED = (300, 25_000)  # IU/L, clearly above both intervals; the paper prints no maximum
AGES = {"total": range(111), "juvenile": range(JUVENILE_BEFORE), "adult": range(JUVENILE_BEFORE, 111)}
QUARTERS = {"q1": 1, "median": 2, "q3": 3}
COMPARED = {"table1": ("juvenile", "adult"), "table2": ("limited", "extended")}
CASE = 100_000_000  # the solver knows whole numbers only: one expected cancer
STARTS, ROUNDS, MOVES, FREE_MOVES = 8, 4, 15_000, 3_000  # of the search for the printed P values
SLACK = 0.002  # by how much, on average, a move may lead away from them

# Printed numbers that contradict another printed number, by place and expression, and what is kept instead.
LEFT_OUT = {
    ("table1", "table1/age_at_onset/total/mean"): "29 juveniles of mean 8 and 47 adults of mean 52 give 34.6 to 35.7",
    ("abstract", "table1/polymyositis/juvenile/percent"): "table 1 and results print 4 of 29, which is 13.8",
    ("abstract", "flow/screened/total/n"): "76 positive, 14 + 1 excluded and 56 without antibody make 147",
    ("methods", "flow/screened/total/n"): "76 positive, 14 + 1 excluded and 56 without antibody make 147",
    ("table1", "table1/periungual_erythema/juvenile/percent"): "18 of 29 is 62.07, which rounds to 62.1",
    ("results", "table1/periungual_erythema/juvenile/percent"): "18 of 29 is 62.07, which rounds to 62.1",
    ("results", "table1/max_creatine_kinase/juvenile/median"): "table 1 prints 2594",
    ("table2", "table2/max_creatine_kinase/comparison/p_value"): "the text prints 0.79; the next row has 0.141 too",
    ("discussion", "table1/subcutaneous_calcinosis/total/percent"): "table 1 and results print 9 of 76, which is 11.8",
    ("discussion", "text/ana_titer_below_80/total/percent"): "30 positive patients leave 46 of 76, which is 60.5",
}

# What one patient's findings imply, beyond the rules for every cohort: from the text, or plausible.
IMPLIES = [
    ("neck_weakness", "muscle_weakness"),
    ("dysphagia", "pain_or_weakness"),
    ("no_muscular_symptom", "creatine_kinase_elevated"),
    ("lymphoma", "polymyositis"),
    *((site, "female") for site in ("cervix", "uterus", "ovary", "breast")),
    ("prostate", "male"),
]


class Infeasible(ValueError):
    """Nothing keeps all facts together; the message names facts that exclude one another."""


class NotReached(RuntimeError):
    """The search ended before all facts were kept, which proves nothing."""


def facts() -> pd.DataFrame:
    """Return the printed numbers that the cohort keeps, one row each.

    Columns: ``id, place, expression, printed`` as in the registry, and the expression's parts ``result, row, group,
    statistic``. Numbers in ``LEFT_OUT`` are missing, and so are P values of Fisher's test, which follow from counts.
    A number printed in several places is one fact as long as its digits are the same.

    >>> facts().query("row == 'heliotrope_rash' and statistic == 'n'")["printed"].tolist()
    ['16', '11', '27']
    """
    known = published.load()[["id", "place", "expression", "printed"]]
    known = known[~pd.MultiIndex.from_frame(known[["place", "expression"]]).isin(list(LEFT_OUT))]
    parts = known["expression"].str.extract(r"^(?P<result>\w+)/(?P<row>\w+)/(?P<group>\w+)/(?P<statistic>\w+)$")
    known = known.join(parts).dropna()
    fisher = (known["group"] == "comparison") & (known["row"] != "max_creatine_kinase")
    return known[~fisher].drop_duplicates(["expression", "printed"]).reset_index(drop=True)


def cohort(seed: int = SEED, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return one synthetic patient per row, as a cohort file holds them, that keep all ``known`` facts together.

    ``known`` has the columns of `facts` (the default). The same seed gives the same patients; another seed others.
    Findings that the tables do not relate to one another are combined at random.

    >>> cohort().query("heliotrope_rash == 1")["patient_id"].size
    27

    Raises Infeasible where the facts contradict one another, NotReached where a P value is not met.
    """
    known = facts() if known is None else known
    rng = np.random.default_rng(seed)
    patients = _Findings(known).draw(rng)
    patients["max_creatine_kinase"] = _creatine_kinase(known, patients, rng)
    patients = patients.sample(frac=1, random_state=rng, ignore_index=True)
    patients["patient_id"] = [f"S{number:02d}" for number in range(1, len(patients) + 1)]
    patients["synthetic"] = 1
    return patients.reindex(columns=[name for name in dictionary.stored() if name != "follow_up_years"])


def screening(seed: int = SEED, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return everyone who was screened, one synthetic row each, in random order.

    Columns: ``screening_id``, ``antibody``, ``included`` (1 for anti-NXP2), ``synthetic`` (1). The list is as long as
    the printed antibody groups together, since both printed totals contradict them.

    >>> screening()["antibody"].value_counts().to_dict()
    {'anti_nxp2': 76, 'no_antibody': 56, 'anti_sae': 14, 'anti_tif1_beta': 1}

    Raises Infeasible where the antibody groups do not make a printed total.
    """
    known = facts() if known is None else known
    flow = known[known["result"] == "flow"].set_index("row")["printed"].astype(int)
    groups, total = flow.drop("screened", errors="ignore"), flow[flow.index == "screened"]
    if (total != groups.sum()).any():
        raise Infeasible(f"{groups.to_dict()} make {groups.sum()} screened patients, not {total.tolist()}")
    antibody = np.random.default_rng(seed).permutation(groups.index.repeat(groups))
    identifier = [f"R{number:03d}" for number in range(1, len(antibody) + 1)]
    included = (antibody == "anti_nxp2").astype(int)
    return pd.DataFrame({"screening_id": identifier, "antibody": antibody, "included": included, "synthetic": 1})


def write(seed: int = SEED, folder: str | Path = paths.DATA) -> list[Path]:
    """Write ``cohort.csv`` and ``screening.csv`` into a folder and return their paths.

    The same seed writes the same bytes. Raises what `cohort` raises, and then writes nothing.
    """
    frames = {paths.COHORT.name: cohort(seed), paths.SCREENING.name: screening(seed)}
    for name, frame in frames.items():
        with paths.replacing(Path(folder) / name) as partial:
            frame.to_csv(partial, index=False, lineterminator="\n", encoding="utf-8")
    return [Path(folder) / name for name in frames]


class _Puzzle:
    """A constraint model whose facts can be named when they exclude one another."""

    def __init__(self):
        from ortools.sat.python import cp_model

        self.model = cp_model.CpModel()
        self.switches = {}  # what a fact says -> the literal that enforces it

    def demand(self, constraint, fact) -> None:
        """Add a constraint that belongs to a fact."""
        name = f"{fact.expression} = {fact.printed} ({fact.place})"
        if name not in self.switches:
            self.switches[name] = self.model.new_bool_var(name)
        self.model.add(constraint).only_enforce_if(self.switches[name])

    def rounds_to(self, numerator, denominator, fact) -> None:
        """Demand that a ratio of whole numbers rounds, half up, to the printed digits."""
        scale = 2 * 10 ** max(0, -Decimal(fact.printed).as_tuple().exponent)
        middle = int(Decimal(fact.printed) * scale)
        self.demand(scale * numerator >= (middle - 1) * denominator, fact)
        self.demand(scale * numerator < (middle + 1) * denominator, fact)

    def any_of(self, *literals):
        """Return a literal that holds when at least one of the literals does."""
        if len(literals) == 1:
            return literals[0]
        literal = self.model.new_bool_var("")
        self.model.add_max_equality(literal, literals)
        return literal

    def none_of(self, *literals):
        """Return a literal that holds when none of the literals does."""
        return ~self.any_of(*literals)

    def all_of(self, *literals):
        """Return a literal that holds when all of the literals do."""
        return self.none_of(*(~literal for literal in literals))

    def neighbours(self, values, place: int):
        """Return the value at a place of the sorted values, counted from 1, and the one after it."""
        below, above = (self.model.new_int_var(0, ELEVATED[1], "") for _ in range(2))
        lower, last, first = ([self.model.new_bool_var("") for _ in values] for _ in range(3))
        for value, is_lower, is_last, is_first in zip(values, lower, last, first, strict=True):
            self.model.add(value <= below).only_enforce_if(is_lower)
            self.model.add(value >= above).only_enforce_if(~is_lower)
            self.model.add(value == below).only_enforce_if(is_last)
            self.model.add(value == above).only_enforce_if(is_first)
            self.model.add_implication(is_last, is_lower)
            self.model.add_implication(is_first, ~is_lower)
        self.model.add(below <= above)
        self.model.add(sum(lower) == place)
        self.model.add_bool_or(last)
        self.model.add_bool_or(first)
        return below, above

    def solve(self, seed: int, given: str = ""):
        """Return a solver that holds a solution; raise Infeasible where there is none.

        ``given`` says what was settled before, so that the message does not claim more than was shown.
        """
        trial, solver = self.model.clone(), _solver(seed)
        trial.add_bool_and(self.switches.values())
        status = solver.status_name(solver.solve(trial))
        if status == "INFEASIBLE":
            raise Infeasible(f"these printed numbers exclude one another{given}: {'; '.join(self.conflict())}")
        if status not in ("OPTIMAL", "FEASIBLE"):
            raise NotReached(f"the solver ended without an answer ({status})")
        return solver

    def conflict(self) -> list[str]:
        """Return facts that cannot hold together, as few as the solver can tell in time."""
        guilty = self._core(self.switches) or self.switches
        for name in list(guilty):
            rest = {other: switch for other, switch in guilty.items() if other != name}
            guilty = self._core(rest) or guilty
        return list(guilty)

    def _core(self, switches: dict) -> dict:
        """Return those of the facts that already exclude one another; none where that is not shown."""
        trial, solver = self.model.clone(), _solver(patience=2)
        trial.clear_objective()
        trial.add_assumptions(switches.values())
        if solver.status_name(solver.solve(trial)) != "INFEASIBLE":
            return {}
        core = set(solver.sufficient_assumptions_for_infeasibility())
        return {name: switch for name, switch in switches.items() if switch.index in core}


def _solver(seed: int = 0, patience: float = 30):
    """Return a solver whose answer depends on model and seed alone; ``patience`` is in its own units of work."""
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.max_deterministic_time = patience
    solver.parameters.relative_gap_limit = 0.1
    solver.parameters.linearization_level = 2
    return solver


class _Findings(_Puzzle):
    """Unknown patients: one literal per patient for each name of a row or group, and how many are of which age.

    Patients are interchangeable, so the juveniles come first. Age is printed in relation to sex and age group alone,
    so it is enough to count patients by sex and age.
    """

    def __init__(self, known: pd.DataFrame):
        super().__init__()
        self.printed = known.drop_duplicates("expression").set_index("expression")["printed"]
        self.size = int(self.printed["table1/patients/total/n"])
        self.juveniles = int(self.printed["table1/patients/juvenile/n"])
        self.unknown = ["male", *_yes_no(), *_one_of("ana_titer"), *_one_of("malignancy_site")]
        self.literals = {name: [self.model.new_bool_var("") for _ in range(self.size)] for name in self.unknown}
        self.literals["total"] = [self.model.new_constant(1)] * self.size
        self.literals["juvenile"] = [self.model.new_constant(i < self.juveniles) for i in range(self.size)]
        self._define()
        self._rule()
        self._age()
        for fact in known[known["result"].ne("flow") & known["row"].ne("max_creatine_kinase")].itertuples():
            self._keep(fact)

    def _define(self) -> None:
        """Add what the unknown findings define."""
        for name, (combination, parts) in _definitions().items():
            each = zip(*(self.literals[part] for part in parts), strict=True)
            self.literals[name] = [getattr(self, combination)(*literals) for literals in each]

    def _rule(self) -> None:
        """Demand what holds for each patient."""
        histology = [(name, _applies(name)) for name in _yes_no()]
        for finding, general in [*rules.IMPLIES, *IMPLIES, *histology]:
            for one, other in zip(self.literals[finding], self.literals[general], strict=True):
                self.model.add_implication(one, other)
        for i in range(self.size):
            self.model.add_exactly_one(self.literals[name][i] for name in _one_of("ana_titer"))
            sites = sum(self.literals[name][i] for name in _one_of("malignancy_site"))
            self.model.add(sites == self.literals["malignancy"][i])

    def _age(self) -> None:
        """Add the number of patients of each sex and age."""
        self.number = {who: self.model.new_int_var(0, self.size, "") for who in product(SEXES, AGES["total"])}
        for sex, group in product(SEXES, ("juvenile", "adult")):
            self.model.add(sum(self.number[sex, age] for age in AGES[group]) == self._count(sex, group))

    def _keep(self, fact) -> None:
        """Turn one fact into constraints, by its statistic."""
        row, group, statistic = fact.row, fact.group, fact.statistic
        if unknown := {row, group} - {*self.literals, "age_at_onset"}:
            raise KeyError(f"{fact.expression}: no definition is known for {' and '.join(sorted(unknown))}")
        if statistic in ("n", "observed"):
            self.rounds_to(self._count(row, group), 1, fact)
        elif statistic == "denominator":
            self.rounds_to(self._count(_applies(row), group), 1, fact)
        elif statistic == "percent":
            whole = self.size if row == "patients" else self._count(_applies(row), group)
            self.rounds_to(100 * self._count(row, group), whole, fact)
        elif statistic == "mean":
            self.rounds_to(self._sum(group, lambda sex, age: age), self._count("total", group), fact)
        elif statistic in ("minimum", "maximum"):
            self._reach(fact, 1 if statistic == "maximum" else -1)
        elif statistic == "sir":
            expected = _expected_cases()
            self.rounds_to(CASE * self._count(row, group), self._sum(group, lambda *who: expected[who]), fact)
        else:
            raise KeyError(f"{fact.expression}: no constraint is known for {statistic!r}")

    def _count(self, row: str, group: str):
        """Return the number of the group's patients with a finding."""
        if group == "total":
            return sum(self.literals[row])
        return sum(self.all_of(*pair) for pair in zip(self.literals[row], self.literals[group], strict=True))

    def _sum(self, group: str, value):
        """Return the sum over an age group of a value that depends on sex and age."""
        return sum(number * value(*who) for who, number in self.number.items() if who[1] in AGES[group])

    def _reach(self, fact, direction: int) -> None:
        """Demand that somebody has the printed age and nobody an age beyond it."""
        limit = int(fact.printed)
        self.demand(self._sum(fact.group, lambda sex, age: int(age == limit)) >= 1, fact)
        self.demand(self._sum(fact.group, lambda sex, age: int(age * direction > limit * direction)) == 0, fact)

    def draw(self, rng) -> pd.DataFrame:
        """Return patients in whom unrelated findings coincide at random, of ages near a random draw."""
        free = [literal for name in self.unknown for literal in self.literals[name]]
        weights = rng.integers(0, 100, len(free))
        chance = sum(int(weight) * literal for weight, literal in zip(weights, free, strict=True))
        self.model.maximize(chance - 100 * self._moved(self._drawn_ages(rng)))
        return self._frame(self.solve(int(rng.integers(2**31))), rng)

    def _drawn_ages(self, rng) -> np.ndarray:
        """Draw ages from triangles with the printed mean and range of each age group."""
        ages = []
        for group in ("juvenile", "adult"):
            address = f"table1/age_at_onset/{group}/"
            low, mean, high = (float(self.printed[address + name]) for name in ("minimum", "mean", "maximum"))
            size = int(self.printed[f"table1/patients/{group}/n"])
            ages.append(rng.triangular(low, np.clip(3 * mean - low - high, low, high), high, size))
        return np.concatenate(ages).round().astype(int)

    def _moved(self, ages: np.ndarray):
        """Return by how much the numbers of patients of each age differ from those of a draw."""
        drawn, apart = np.bincount(ages, minlength=len(AGES["total"])), []
        for age, number in enumerate(drawn):
            apart.append(self.model.new_int_var(0, self.size, ""))
            here = self.number["male", age] + self.number["female", age]
            self.model.add_abs_equality(apart[-1], here - int(number))
        return sum(apart)

    def _frame(self, solver, rng) -> pd.DataFrame:
        """Read the patients from a solution; what does not apply is missing."""
        value = {name: [solver.value(literal) for literal in self.literals[name]] for name in self.unknown}
        value = pd.DataFrame(value).astype("Int64")
        patients = value[_yes_no()].assign(
            sex=np.where(value["male"] == 1, "male", "female"),
            ana_titer=value[_one_of("ana_titer")].idxmax(axis=1).str.removeprefix("ana_titer_").astype(int),
            malignancy_site=value[_one_of("malignancy_site")].idxmax(axis=1),
        )
        for name in patients:
            if needed := dictionary.column(name).applies_when:
                patients[name] = patients[name].where(patients[needed] == 1)
        for sex, group in product(SEXES, ("juvenile", "adult")):
            ages = [age for age in AGES[group] for _ in range(solver.value(self.number[sex, age]))]
            here = (patients["sex"] == sex) & ((patients.index < self.juveniles) == (group == "juvenile"))
            patients.loc[here, "age_at_onset"] = rng.permutation(ages)
        return patients.astype({"age_at_onset": int})


def _yes_no() -> list[str]:
    """Return the stored yes/no columns of a patient."""
    return [name for name, column in dictionary.stored().items() if column.type == "yes_no" and name != "synthetic"]


def _one_of(name: str) -> list[str]:
    """Return the names of a column's values, of which one patient has one at most."""
    prefix = f"{name}_" if dictionary.column(name).type == "integer" else ""
    return [prefix + value for value in dictionary.column(name).values]


def _applies(row: str) -> str:
    """Return the name of the patients in whom a row is known: all, or those to whom it applies."""
    column = dictionary.columns().get(row)
    return column.applies_when if column and column.applies_when else "total"


def _definitions() -> dict[str, tuple[str, list[str]]]:
    """Return what rows and groups mean in terms of the unknown findings."""
    titers = {name: int(name.rpartition("_")[2]) for name in _one_of("ana_titer")}
    return {
        "female": ("none_of", ["male"]),
        "adult": ("none_of", ["juvenile"]),
        "patients": ("any_of", ["total"]),
        "dermatomyositis": ("any_of", ["heliotrope_rash", "gottron_sign_or_papules"]),
        "polymyositis": ("none_of", ["dermatomyositis"]),
        "other_rash": ("all_of", ["polymyositis", "any_rash"]),
        "no_rash": ("none_of", ["any_rash"]),
        "extended": ("any_of", ["distal_weakness"]),
        "limited": ("none_of", ["distal_weakness"]),
        "pain_or_weakness": ("any_of", ["myalgia", "muscle_weakness"]),
        "no_muscular_symptom": ("none_of", ["pain_or_weakness"]),
        "normal_creatine_kinase": ("none_of", ["creatine_kinase_elevated"]),
        "ana_positive": ("any_of", [name for name, titer in titers.items() if titer > 40]),
        "ana_titer_below_80": ("any_of", [name for name, titer in titers.items() if titer < 80]),
        "all_sites": ("any_of", ["malignancy"]),
    }


def _expected_cases() -> dict[tuple[str, int], int]:
    """Return the cancers expected in one person-year by sex and age, as a whole number: `CASE` is one."""
    return {
        (band.sex, age): round(CASE * band.rate)
        for band in incidence.rates().itertuples()
        for age in AGES["total"]
        if band.age_lower <= age <= band.age_upper
    }


def _members(patients: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return for each group which patients belong to it."""
    juvenile = patients["age_at_onset"].to_numpy() < JUVENILE_BEFORE
    extended = patients["distal_weakness"].to_numpy(dtype=int) == 1
    groups = {"juvenile": juvenile, "adult": ~juvenile, "extended": extended, "limited": ~extended}
    return {"total": np.full(len(patients), True), **groups}


def _creatine_kinase(known: pd.DataFrame, patients: pd.DataFrame, rng) -> np.ndarray:
    """Return one value (IU/L) per patient; together they keep the printed quartiles and P values."""
    known = known[known["row"] == "max_creatine_kinase"]
    members = _members(patients)
    printed = known[known["statistic"].isin(QUARTERS)].drop_duplicates(["group", "statistic", "printed"])
    quartiles = [_Quartile(fact, members) for fact in printed.itertuples()]
    tests = [_RankTest(fact, members) for fact in known[known["statistic"] == "p_value"].itertuples()]
    who = zip(patients["creatine_kinase_elevated"], patients["sex"], strict=True)
    limits = [ELEVATED if elevated else REFERENCE_INTERVAL[sex] for elevated, sex in who]
    for _ in range(STARTS):
        values = _look_drawn(_with_quartiles(quartiles, limits, rng), np.array(limits), quartiles, tests, rng)
        if values is not None:
            return values
    raise NotReached(f"no values with the printed P values were found in {STARTS * ROUNDS * MOVES} moves")


class _Quartile:
    """A printed quartile: SPSS's weighted average at (n + 1) p of the sorted values of a group."""

    def __init__(self, fact, members: dict[str, np.ndarray]):
        self.fact, self.member = fact, np.flatnonzero(members[fact.group])
        self.place, self.quarter = divmod((len(self.member) + 1) * QUARTERS[fact.statistic], 4)

    def four_times(self, below, above):
        """Return four times the quartile, a whole number, from the values on its two sides."""
        return (4 - self.quarter) * below + self.quarter * above

    def holds(self, values: np.ndarray) -> bool:
        """Tell whether the values' quartile rounds to the printed one."""
        ranked = np.sort(values[self.member])
        found = self.four_times(*ranked[self.place - 1 : self.place + 1])
        return -2 <= found - 4 * int(self.fact.printed) < 2


class _RankTest:
    """A printed P value of the Mann-Whitney U test: normal approximation without continuity correction.

    Quick, since it is asked thousands of times; without the tie correction, since no two patients keep the same value.
    """

    def __init__(self, fact, members: dict[str, np.ndarray]):
        self.printed = fact.printed
        self.first, second = (members[group] for group in COMPARED[fact.result])
        n, m = int(self.first.sum()), int(second.sum())
        self.middle, self.spread = n * (n + m + 1) / 2, (n * m * (n + m + 1) / 12) ** 0.5

    def distance(self, ranks: np.ndarray) -> float:
        """Return how far the P value lies from the printed one; 0 where it rounds to it."""
        p = erfc(abs(ranks[self.first].sum() - self.middle) / self.spread / 2**0.5)
        return 0.0 if published.agrees(self.printed, p) else abs(p - float(self.printed))


def _with_quartiles(quartiles: list[_Quartile], limits, rng) -> np.ndarray:
    """Return values within their limits that have the printed quartiles; raise Infeasible where there are none."""
    puzzle = _Puzzle()
    values = [puzzle.model.new_int_var(*limit, "") for limit in limits]
    close = puzzle.model.new_bool_var("values on the two sides of a quartile lie close together")
    sides = {}  # by group and place, since two facts may look at the same place
    for quartile in quartiles:
        where = (quartile.fact.group, quartile.place)
        if where not in sides:
            sides[where] = puzzle.neighbours([values[i] for i in quartile.member], quartile.place)
        below, above = sides[where]
        puzzle.rounds_to(quartile.four_times(below, above), 4, quartile.fact)
        if quartile.quarter:
            puzzle.model.add(above - below <= int(quartile.fact.printed) // 10).only_enforce_if(close)
    for (group, place), (other, later) in permutations(sides, 2):
        if group == other and place < later:
            puzzle.model.add(sides[group, place][1] <= sides[other, later][0])  # implied, and found much faster
    puzzle.model.maximize(close)
    solver = puzzle.solve(int(rng.integers(2**31)), given=", findings being as drawn")
    return np.array([solver.value(value) for value in values])


def _look_drawn(values, limits, quartiles, tests, rng) -> np.ndarray | None:
    """Move values at random until all differ and have the printed P values, while every quartile stays.

    A round begins with free moves, which forget where the values came from; then moves lead towards the P values.
    Returns None when no round ends there.
    """
    apart = np.inf
    for move in range(ROUNDS * MOVES):
        moved = _move(values, limits, rng)
        tied = len(np.unique(moved)) < len(np.unique(values))
        if tied or not all(quartile.holds(moved) for quartile in quartiles):
            continue
        free = move % MOVES < FREE_MOVES
        ranks = moved.argsort().argsort() + 1
        distance = np.inf if free else sum(test.distance(ranks) for test in tests)
        if free or distance <= apart + rng.exponential(SLACK):
            values, apart = moved, distance
        if apart == 0 and len(np.unique(values)) == len(values):
            return values
    return None


def _move(values, limits, rng) -> np.ndarray:
    """Swap the values of two patients, or shift one by a little or a lot; nothing where that breaks a limit."""
    moved = values.copy()
    one, other = rng.integers(0, len(values), 2)
    if rng.random() < 0.5:
        moved[[one, other]] = values[[other, one]]
    else:
        moved[one] = round(values[one] * np.exp(rng.normal(0, rng.choice([0.0005, 0.005, 0.05, 0.5, 3]))))
    outside = (moved < limits[:, 0]) | (moved > limits[:, 1])
    return values if outside.any() else moved
