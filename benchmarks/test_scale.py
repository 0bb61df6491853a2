"""Seconds and memory of the four sections at 100 to 1,000,000 patients, and of Table 1 beside Python's tableone.

Each measurement is a process of its own, so that the memory is its own.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nxp2lib import dictionary

SIZES = [10**2, 10**3, 10**4, 10**5, 10**6]
MEASURE = r"""
import json, re, sys, time
start = time.perf_counter()
{work}
seconds = time.perf_counter() - start
memory = re.search(r"VmHWM:\s+(\d+) kB", open("/proc/self/status").read())  # Linux; starts anew with each program
print(json.dumps([seconds, int(memory[1]) / 1024]))
"""
SECTIONS = """
from nxp2lib import cohort, compare, describe, incidence, published
patients = cohort.load(sys.argv[1])
describe.phenotypes(patients), describe.running_text(patients)
compare.two_groups(patients, published.rows("table1"), "age_group")
compare.two_groups(patients, published.rows("table2"), "weakness_extent")
incidence.malignancies(patients)
"""
LOADED = """
from nxp2lib import cohort, compare, published
patients, rows = cohort.load(sys.argv[1]), published.rows("table1")
columns = [row for row in rows["row"] if row not in ("male", "female", "polymyositis", "dermatomyositis")]
start = time.perf_counter()
"""
OURS = LOADED + 'compare.two_groups(patients, rows[rows["row"].isin(columns)], "age_group")'
TABLEONE = """
import warnings
warnings.simplefilter("ignore")
from tableone import TableOne
""" + LOADED.replace("start = time", """
frame = patients[[*columns, "age_group"]].copy()
numbers = ["age_at_onset", "max_creatine_kinase"]
for name in frame.columns:
    frame[name] = frame[name].astype(float if name in numbers else object)
start = time""") + """
tests = {name: "fisher" for name in columns if name not in numbers}
TableOne(frame, columns=columns, categorical=list(tests), nonnormal=numbers, groupby="age_group", pval=True)
"""  # fmt: skip


def write_patients(number: int, folder: Path) -> Path:
    """Write as many random patients, five percent of the answers unknown, as a CSV file."""
    rng = np.random.default_rng(number)
    chosen = {}
    for name, column in dictionary.stored().items():
        if column.type == "yes_no" and not column.applies_when:
            chosen[name] = np.where(rng.random(number) < 0.05, "", rng.integers(0, 2, number).astype(str))
    weak, rashes = chosen["muscle_weakness"], [name for name in chosen if "rash" in name or "gottron" in name]
    chosen["distal_weakness"] = np.where(weak == "1", chosen["distal_weakness"], "")
    for name in (*rashes, "facial_edema", "periungual_erythema", "subcutaneous_calcinosis", "subcutaneous_edema"):
        chosen[name] = np.where(chosen["any_rash"] == "1", chosen[name], "") if name != "any_rash" else chosen[name]
    frame = pd.DataFrame(chosen)
    frame.insert(0, "patient_id", [f"P{place}" for place in range(number)])
    frame["sex"] = rng.choice(["male", "female"], number)
    frame["age_at_onset"] = rng.integers(0, 85, number)
    frame["max_creatine_kinase"] = rng.lognormal(7.5, 1.3, number).clip(20, 90_000).astype(int)
    frame["synthetic"] = 1
    path = folder / f"{number}.csv"
    frame.drop(columns="creatine_kinase_elevated", errors="ignore").to_csv(path, index=False)
    return path


def measured(work: str, path: Path) -> tuple[float, float]:
    """Return the seconds and the greatest memory (MB) of a piece of work in a fresh process."""
    command = [sys.executable, "-c", MEASURE.replace("{work}", work), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return tuple(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def files():
    with tempfile.TemporaryDirectory() as folder:
        yield {number: write_patients(number, Path(folder)) for number in SIZES}


def test_the_four_sections(files, capsys):
    for number in SIZES:
        seconds, memory = measured(SECTIONS, files[number])
        with capsys.disabled():
            print(f"\n{number:>9,} patients, file to all results: {seconds:5.1f} s, {memory:5.0f} MB", end="")
    assert memory < 2048


@pytest.mark.parametrize("number", SIZES)
def test_table_1_beside_tableone(files, number, capsys):
    ours, memory = measured(OURS, files[number])
    theirs, their_memory = measured(TABLEONE, files[number])
    with capsys.disabled():
        print(f"\n{number:>9,} patients, Table 1: {ours:6.2f} s, tableone {theirs:6.2f} s, ", end="")
        print(f"{theirs / ours:.1f} times faster; {memory:.0f} and {their_memory:.0f} MB", end="")
