"""Patients behind the tables: a synthetic cohort that keeps, all at once, the printed numbers that can hold together.

The paper publishes tables, not patients. Each printed number is one fact, addressed by its expression in the registry,
and each fact becomes one constraint on unknown patients. A solver chooses findings, sex and age that keep them all,
then `nxp2lib.reconstruction.creatine_kinase` finds its values. The result is a witness that the numbers can be true
together. It says nothing about the real patients.
"""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from nxp2lib import dictionary, findings, paths, wording
from nxp2lib.reconstruction import counts, creatine_kinase, facts
from nxp2lib.reconstruction.counts import AGES, SEXES, Counts
from nxp2lib.reconstruction.puzzle import Infeasible

SEED = 1
TIMES = ("malignancy_years_from_onset", "follow_up_years")


def cohort(seed: int = SEED, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return one synthetic patient per row, as a cohort file holds them, that keep all ``known`` facts together.

    ``known`` has the columns of `nxp2lib.reconstruction.facts.kept` (the default). The same seed gives the same
    patients; another seed others. Findings that the tables do not relate to one another are combined at random. Raises
    Infeasible where the facts contradict one another, NotReached where a P value is not met.

    >>> few = facts.kept().query("row in ['patients', 'male', 'female', 'age_at_onset', 'heliotrope_rash']")
    >>> cohort(known=few).query("heliotrope_rash == 1")["patient_id"].size
    27
    """
    known = facts.kept() if known is None else known
    rng = np.random.default_rng(seed)
    patients = _Findings(known).draw(rng)
    return named(patients, creatine_kinase.draw(known, patients, rng), rng)


def named(patients: pd.DataFrame, levels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Return patients with creatine kinase, as a cohort file holds them: in random order, named, marked as synthetic.

    ``patients`` comes from `as_patients`, ``levels`` from `nxp2lib.reconstruction.creatine_kinase`.
    """
    patients = patients.assign(max_creatine_kinase=levels, synthetic=1).sample(
        frac=1, random_state=rng, ignore_index=True
    )
    patients["patient_id"] = [f"S{number:02d}" for number in range(1, len(patients) + 1)]
    return patients.reindex(columns=columns())


def columns() -> list[str]:
    """Return the columns of a synthetic patient: the stored ones, but for the times, of which the paper prints none."""
    return [name for name, column in dictionary.stored().items() if name not in TIMES and not column.own]


def as_patients(holds: pd.DataFrame, number: dict[tuple[str, int], int], rng: np.random.Generator) -> pd.DataFrame:
    """Turn findings that hold or not into the columns of a cohort; what does not apply is missing.

    ``holds`` has one row per patient, 1 or 0 under ``male``, ``juvenile`` and every stored finding, titer and site;
    ``number`` says how many patients are of which sex and age (years), who are dealt out at random.
    """
    patients = holds[findings.yes_no()].assign(
        sex=np.where(holds["male"] == 1, "male", "female"),
        ana_titer=holds[findings.one_of("ana_titer")].idxmax(axis=1).str.removeprefix("ana_titer_").astype(int),
        malignancy_site=holds[findings.one_of("malignancy_site")].idxmax(axis=1),
    )
    for name in patients:
        if needed := dictionary.column(name).applies_when:
            patients[name] = patients[name].where(patients[needed] == 1)
    for sex, group in product(SEXES, ("juvenile", "adult")):
        ages = [age for age in AGES[group] for _ in range(number[sex, age])]
        here = (patients["sex"] == sex) & ((holds["juvenile"] == 1) == (group == "juvenile"))
        patients.loc[here, "age_at_onset"] = rng.permutation(ages)
    return patients.astype({"age_at_onset": int})


def screening(seed: int = SEED) -> pd.DataFrame:
    """Return everyone who was screened, one synthetic row each, in random order.

    Columns: ``screening_id``, ``antibody``, ``included`` (1 for anti-NXP2), ``synthetic`` (1). The list is as long as
    the printed antibody groups together, since both printed totals contradict them. Raises Infeasible where the
    antibody groups do not make a printed total.

    >>> screening()["antibody"].value_counts().to_dict()
    {'anti_nxp2': 76, 'no_antibody': 56, 'anti_sae': 14, 'anti_tif1_beta': 1}
    """
    known = facts.kept()
    flow = known[known["result"] == "flow"].set_index("row")["printed"].astype(int)
    groups, total = flow.drop("screened", errors="ignore"), flow[flow.index == "screened"]
    if (total != groups.sum()).any():
        screened = wording.count(groups.sum(), "screened patient")
        raise Infeasible(f"{groups.to_dict()} make {screened}, not {total.tolist()}")
    antibody = np.random.default_rng(seed).permutation(groups.index.repeat(groups))
    identifier = [f"R{number:03d}" for number in range(1, len(antibody) + 1)]
    included = (antibody == "anti_nxp2").astype(int)
    return pd.DataFrame({"screening_id": identifier, "antibody": antibody, "included": included, "synthetic": 1})


def write(seed: int = SEED, folder: str | Path = paths.DATA) -> list[Path]:
    """Write ``cohort.csv`` and ``screening.csv`` into a folder and return their paths.

    The same seed writes the same bytes. Raises what `cohort` raises, and then writes nothing.
    """
    frames = {Path(folder, paths.COHORT.name): cohort(seed), Path(folder, paths.SCREENING.name): screening(seed)}
    for path, frame in frames.items():
        save(frame, path)
    return list(frames)


def save(frame: pd.DataFrame, path: Path) -> None:
    """Write synthetic patients as CSV: the same patients are the same bytes, and the file appears whole or not."""
    with paths.replacing(path) as partial:
        frame.to_csv(partial, index=False, lineterminator="\n", encoding="utf-8")


def off_drawn_ages(model: Counts, known: pd.DataFrame, rng: np.random.Generator):
    """Return by how much a model's numbers of patients of each age differ from those of a random draw.

    Ages (years) are drawn from triangles with the printed mean and range of each age group.
    """
    printed = known.drop_duplicates("expression").set_index("expression")["printed"]
    ages, apart = [], []
    for group in ("juvenile", "adult"):
        address = f"table1/age_at_onset/{group}/"
        low, mean, high = (float(printed[address + name]) for name in ("minimum", "mean", "maximum"))
        size = int(printed[f"table1/patients/{group}/n"])
        ages.append(rng.triangular(low, np.clip(3 * mean - low - high, low, high), high, size))
    drawn = np.concatenate(ages).round().astype(int)
    for age, number in enumerate(np.bincount(drawn, minlength=len(AGES["total"]))):
        apart.append(model.model.new_int_var(0, model.size, ""))
        here = model.number["male", age] + model.number["female", age]
        model.model.add_abs_equality(apart[-1], here - int(number))
    return sum(apart)


class _Findings(Counts):
    """Unknown patients: one literal per patient for each name of a row or group, and how many are of which age.

    Patients are interchangeable, so the juveniles come first. Age is printed in relation to sex and age group alone,
    so it is enough to count patients by sex and age.
    """

    def __init__(self, known: pd.DataFrame):
        super().__init__()
        self.known = known
        printed = known.drop_duplicates("expression").set_index("expression")["printed"]
        self.size, juveniles = (int(printed[f"table1/patients/{group}/n"]) for group in ("total", "juvenile"))
        self.unknown = [name for name in findings.asked() if name != "juvenile"]
        self.literals = {name: [self.model.new_bool_var("") for _ in range(self.size)] for name in self.unknown}
        self.literals["total"] = [self.model.new_constant(1)] * self.size
        self.literals["juvenile"] = [self.model.new_constant(i < juveniles) for i in range(self.size)]
        for name, (combination, parts, _) in findings.definitions().items():
            each = zip(*(self.literals[part] for part in parts), strict=True)
            self.literals[name] = [getattr(self, combination)(*literals) for literals in each]
        for finding, general in counts.implications():
            for one, other in zip(self.literals[finding], self.literals[general], strict=True):
                self.model.add_implication(one, other)
        for i in range(self.size):
            self.model.add_exactly_one(self.literals[name][i] for name in findings.one_of("ana_titer"))
            sites = sum(self.literals[name][i] for name in findings.one_of("malignancy_site"))
            self.model.add(sites == self.literals["malignancy"][i])
        self.add_ages()
        for fact in known[known["result"].ne("flow") & known["row"].ne("max_creatine_kinase")].itertuples():
            self.keep(fact)

    def count(self, row: str, group: str):
        """Return the number of the group's patients with a finding."""
        if group == "total":
            return sum(self.literals[row])
        return sum(self.all_of(*pair) for pair in zip(self.literals[row], self.literals[group], strict=True))

    def draw(self, rng) -> pd.DataFrame:
        """Return patients in whom unrelated findings coincide at random, of ages near a random draw."""
        free = [literal for name in self.unknown for literal in self.literals[name]]
        weights = rng.integers(0, 100, len(free))
        chance = sum(int(weight) * literal for weight, literal in zip(weights, free, strict=True))
        self.model.maximize(chance - 100 * off_drawn_ages(self, self.known, rng))
        solver = self.solve(int(rng.integers(2**31)))
        names = [*self.unknown, "juvenile"]
        holds = {name: [solver.value(literal) for literal in self.literals[name]] for name in names}
        return as_patients(pd.DataFrame(holds).astype("Int64"), self.ages(solver), rng)
