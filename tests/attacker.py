"""Somebody who has an export and the data dictionary: by the model of the package, and by trying every small cohort."""

from itertools import combinations_with_replacement, product

import numpy as np
import pandas as pd
from made import problems

from nxp2lib import cohort, dictionary, findings
from nxp2lib.release.model import Block, Cohorts, Key, Shown


class Attacker:
    """What the model calls possible, of one export that shows some blocks."""

    def __init__(self, shown: dict[Key, Block], asked: list[Key], age_limit: float = 18):
        self.shown = Shown(age_limit, shown["patients", "total"].yes, shown, {})
        self.cohorts = Cohorts(asked, self.shown)
        self.known = [each for place in shown.items() for each in self.cohorts.equal(*place)]

    def extremes(self, key: Key) -> tuple[int, int, int, int]:
        """Return the least and the greatest number of patients with a finding, and without."""
        found = []
        for variables in self.cohorts.counts(key)[:2]:
            for sign in (-1, 1):
                objective = np.zeros(self.cohorts.width)
                objective[variables] = sign
                counts = self.cohorts.find(objective, self.known)
                found.append(int(counts[variables].sum()))
        return tuple(found)

    def allows(self, key: Key, block: Block) -> bool:
        """Tell whether a block can be what it is said to be."""
        more = [*self.known, *self.cohorts.equal(key, block)]
        return self.cohorts.find(np.zeros(self.cohorts.width), more) is not None


def kinds(columns: list[str], ages=("17", "18")) -> pd.DataFrame:
    """Return every patient that a cohort file may hold, by some columns; the reader of files decides which."""
    cells = {name: ["", "0", "1"] if dictionary.column(name).type == "yes_no" else list(dictionary.column(name).values)
             for name in columns}  # fmt: skip
    cells = {"age_at_onset": list(ages), "sex": ["male"]} | cells
    for name in columns:
        if dictionary.column(name).required == "no" and "" not in cells[name]:
            cells[name] = ["", *cells[name]]
    frame = pd.DataFrame(list(product(*cells.values())), columns=list(cells), dtype=str)
    frame.insert(0, "patient_id", [f"P{place}" for place in range(len(frame))])
    wrong = {problem.row for problem in problems(frame)}
    return cohort.prepare(frame.drop(index=list(wrong)))


def every_cohort(patients: pd.DataFrame, keys: list[Key], number: int) -> np.ndarray:
    """Return the blocks of every cohort of so many patients: an array of cohorts by keys by yes, no and unknown."""
    each = np.zeros((len(patients), len(keys), 3), dtype=int)
    for place, (row, group) in enumerate(keys):
        inside = (findings.holds(group, patients) == 1).fillna(False).to_numpy(dtype=bool)
        told = findings.holds("total" if row == "patients" else row, patients).astype("Int8").fillna(-1)
        for side, answer in enumerate((1, 0, -1)):
            each[:, place, side] = inside & (told.to_numpy() == answer)
    chosen = np.array(list(combinations_with_replacement(range(len(patients)), number)))
    return each[chosen].sum(axis=1)
