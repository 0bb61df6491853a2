"""Many synthetic cohorts as files: one CSV file each, and all of them in one Parquet file.

Blocks of cohorts (`nxp2lib.reconstruction.witnesses`) are drawn in processes of their own: they do not depend on one
another, and the solver, which takes Ctrl-C for itself, then cannot be cut short and leave other patients than the seed
says. Each cohort is read back from its file and checked against every printed number by plain counting, without the
solver's model.
"""

import hashlib
import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd

from nxp2lib import compare, dictionary, digits, findings, incidence, paths, wording
from nxp2lib.reconstruction import facts, reconstruct, witnesses

RECORD, TABLE = "synthetic.json", "synthetic_cohorts.parquet"
QUARTERS = {"q1": 0.25, "median": 0.5, "q3": 0.75}
MEASURES = {"mean": np.mean, "minimum": np.min, "maximum": np.max} | {
    name: partial(np.quantile, q=quarter, method="weibull") for name, quarter in QUARTERS.items()
}
COMPARED = {"table1": ("juvenile", "adult"), "table2": ("limited", "extended")}
SYMPTOMS = ["myalgia", "muscle_weakness", "distal_weakness", "neck_weakness", "dysphagia"]


class Occupied(ValueError):
    """A folder holds other synthetic cohorts than those asked for; the message says which."""


def write(
    number: int, seed: int, folder: str | Path, jobs: int = 1, known: pd.DataFrame | None = None
) -> Iterator[int]:
    """Write cohorts of `nxp2lib.reconstruction.witnesses.cohorts` into a folder; yield how many are checked so far.

    Files: ``synthetic_0001.csv`` and so on; ``synthetic_cohorts.parquet`` at the end, with all patients and the number
    of their ``cohort``; ``synthetic.json``, which says what the folder holds. The same seed writes the same bytes,
    whatever the number of ``jobs`` (processes; a script needs ``if __name__ == "__main__":`` for them). A block whose
    files are there is not drawn again: a run that was stopped is continued, and cohorts can be added.

    Raises Occupied for a folder with other cohorts, RuntimeError for a file that does not keep a printed number, and
    what `nxp2lib.reconstruction.witnesses.cohorts` raises.
    """
    if number < 1:
        raise ValueError(f"number: {number} is not accepted; accepted: 1 or more")
    known, folder = facts.kept() if known is None else known, Path(folder)
    _claim(folder, number, seed, known)
    stop = multiprocessing.get_context("spawn").Event()
    pool = _pool(jobs, stop)
    try:
        with _shielded():
            starts = range(0, number, witnesses.BLOCK)
            sizes = [min(witnesses.BLOCK, number - first) for first in starts]
            drawn = [pool.submit(_task, *which, seed, known, folder) for which in zip(count(), starts, sizes)]
        yield from _tabulated((block.result() for block in drawn), folder / TABLE, seed)
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def about_patients(known: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the facts that a cohort can be checked against: all but the numbers of people screened.

    >>> len(about_patients())
    222
    """
    known = facts.kept() if known is None else known
    return known[known["result"] != "flow"]


def broken(cohort: pd.DataFrame, known: pd.DataFrame | None = None) -> list[str]:
    """Return the expressions of the facts that a cohort does not keep, recomputed by plain counting.

    >>> broken(pd.read_csv(paths.COHORT))
    []

    ``known`` has the columns of `nxp2lib.reconstruction.facts.kept` (the default). Raises KeyError for a fact
    about something that is not defined, or a column that the cohort lacks.
    """
    numbers, checked = _numbers(cohort), about_patients(known).itertuples()
    return [fact.expression for fact in checked if not digits.agrees(fact.printed, _value(fact, numbers))]


def _numbers(cohort: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return one number per patient for each row and group of the tables: 1, 0 or NaN (unknown) for a finding."""
    asked = [*findings.yes_no(), "age_at_onset", "max_creatine_kinase", "ana_titer"]
    stored = {name: cohort[name].to_numpy(dtype=float, na_value=np.nan) for name in asked}
    age, titer, male = stored["age_at_onset"], stored["ana_titer"], cohort["sex"] == "male"
    rash = (stored["heliotrope_rash"] == 1) | (stored["gottron_sign_or_papules"] == 1)
    distal, any_rash = stored["distal_weakness"] == 1, stored["any_rash"] == 1
    bands = pd.MultiIndex.from_arrays([cohort["sex"], np.minimum(age // 5 * 5, 100)])
    derived = {
        **{f"ana_titer_{value}": titer == int(value) for value in dictionary.column("ana_titer").values},
        **{site: cohort["malignancy_site"] == site for site in dictionary.column("malignancy_site").values},
        **{"patients": age >= 0, "total": age >= 0, "male": male, "female": ~male},
        **{"juvenile": age < 18, "adult": age >= 18, "limited": ~distal, "extended": distal},
        **{"dermatomyositis": rash, "polymyositis": ~rash, "other_rash": ~rash & any_rash, "no_rash": ~any_rash},
        **{"ana_positive": titer > 40, "ana_titer_below_80": titer < 80, "all_sites": stored["malignancy"]},
        "normal_creatine_kinase": stored["creatine_kinase_elevated"] == 0,
        "no_muscular_symptom": sum(stored[name] for name in SYMPTOMS) == 0,
        "expected_in_a_year": incidence.rates().set_index(["sex", "age_lower"])["rate"].reindex(bands),
    }
    return stored | {name: np.asarray(values, dtype=float) for name, values in derived.items()}


def _value(fact, numbers: dict[str, np.ndarray]) -> float:
    """Return what a cohort gives at the address of a fact; NaN where nobody is known in a group."""
    groups = COMPARED[fact.result] if fact.statistic == "p_value" else [fact.group]
    first, *second = (numbers[fact.row][(numbers[group] == 1) & ~np.isnan(numbers[fact.row])] for group in groups)
    if not all(map(len, [first, *second])):
        return float("nan")
    if second:
        return compare.rank_p(second[0], first)
    if fact.statistic in MEASURES:
        return MEASURES[fact.statistic](first)
    if fact.statistic == "sir":
        return first.sum() / numbers["expected_in_a_year"][numbers[fact.group] == 1].sum()
    whole = len(numbers["total"]) if fact.row == "patients" else len(first)
    return {"n": first.sum(), "denominator": len(first), "percent": 100 * first.sum() / whole}[fact.statistic]


def _claim(folder: Path, number: int, seed: int, known: pd.DataFrame) -> None:
    """Write down what a folder is to hold; raise Occupied where it holds something else, or nothing says what."""
    text = known[["expression", "printed"]].to_csv(index=False, lineterminator="\n")
    asked = {"seed": seed, "facts_sha256": hashlib.sha256(text.encode()).hexdigest(), "cohorts": number}
    here = dict(asked)
    if (folder / RECORD).exists() or any(folder.glob("synthetic_[0-9]*.csv")):
        try:
            record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            here = {name: type(value)(record[name]) for name, value in asked.items()}
        except (ValueError, TypeError, KeyError, FileNotFoundError):
            said = f"{folder}: holds synthetic cohorts, but no {RECORD} of theirs; choose another folder"
            raise Occupied(said) from None
    holds = f"{folder}: holds {wording.count(here['cohorts'], 'synthetic cohort')} of seed {here['seed']}"
    if here["facts_sha256"] != asked["facts_sha256"]:
        raise Occupied(f"{holds} that keep other printed numbers; choose another folder")
    if here["seed"] != seed or here["cohorts"] > number:
        raise Occupied(f"{holds}; ask for that seed and as many or more, or choose another folder")
    with paths.replacing(folder / RECORD) as unfinished:
        unfinished.write_text(json.dumps(asked, indent=2) + "\n", encoding="utf-8")


def _block(place: int, before: int, size: int, seed: int, known: pd.DataFrame, folder: Path) -> pd.DataFrame | None:
    """Write cohorts unless their files are there; return them, read back and checked, or None once all is to stop."""
    if _stop is not None and _stop.is_set():
        return None
    files = {number: folder / f"synthetic_{number:04d}.csv" for number in range(before + 1, before + size + 1)}
    if not all(file.is_file() for file in files.values()):
        for file, patients in zip(files.values(), witnesses.block(place, size, seed, known), strict=True):
            reconstruct.save(patients, file)
    return pd.concat([_read(*each, known) for each in files.items()], ignore_index=True)


def _read(number: int, file: Path, known: pd.DataFrame) -> pd.DataFrame:
    """Read a cohort back; raise RuntimeError where it does not keep a printed number."""
    text = {name: "str" for name, column in dictionary.stored().items() if column.type in ("text", "category")}
    try:
        patients = pd.read_csv(file, dtype=text)
        wrong = broken(patients, known)
    except (ValueError, TypeError, KeyError) as error:
        raise RuntimeError(f"{file}: cannot be read back ({error})") from None
    if wrong:
        raise RuntimeError(f"{file}: does not keep the printed {', '.join(wrong)}")
    patients.insert(0, "cohort", number)
    return patients


def _tabulated(blocks: Iterable[pd.DataFrame], path: Path, seed: int) -> Iterator[int]:
    """Write blocks into one Parquet file, whole or not at all; yield the number of the last cohort of each."""
    import pyarrow as pa
    from pyarrow import parquet

    types = {"yes_no": pa.int8(), "integer": pa.int32(), "number": pa.float64()}
    stored = {name: types.get(dictionary.column(name).type, pa.string()) for name in reconstruct.columns()}
    columns = [("cohort", pa.int32()), *stored.items()]
    schema = pa.schema(columns, metadata={"synthetic": "1", "seed": str(seed)})
    with paths.replacing(path) as unfinished, parquet.ParquetWriter(unfinished, schema) as writer:
        for block in blocks:
            writer.write_table(pa.Table.from_pandas(block, schema, preserve_index=False))
            yield int(block["cohort"].iloc[-1])


_stop = None  # in a process that draws: the event that says when to stop


def _pool(jobs: int, stop) -> Executor:
    """Return the processes that draw; spawned, since the solver has threads."""
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(stop,))


def _begin(stop) -> None:
    """Prepare a process that draws: it ends early when told to, and with the process that started it."""
    global _stop
    _stop = stop
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unfinished files are removed on the way out
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _task(*which) -> pd.DataFrame | None:
    """Do what `_block` does; end the process when told to, which the pool would take for a failed task."""
    try:
        return _block(*which)
    except SystemExit:
        os._exit(1)


def _end_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


@contextmanager
def _shielded() -> Iterator[None]:
    """Keep Ctrl-C away from the processes started meanwhile, for good: the solver would cut its search short."""
    mask = getattr(signal, "pthread_sigmask", lambda how, signals: signals)  # Windows has none
    before = mask(getattr(signal, "SIG_BLOCK", 0), {signal.SIGINT})
    try:
        yield
    finally:
        mask(getattr(signal, "SIG_SETMASK", 0), before)
