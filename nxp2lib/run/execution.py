"""Execute a plan, several notebooks at once, and record what went in and what came out."""

import logging
import os
import queue
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from nxp2lib.run import record
from nxp2lib.run.kernels import Outcome, Progress, Session
from nxp2lib.run.parameters import Notebook, RunError
from nxp2lib.run.planning import Plan

LOCK = ".lock"
TEMPORARY, HELD = "nxp2-", ".held"  # begins the name of a run's temporary folder; is in there once that is locked


def execute(plan: Plan) -> Iterator[Progress | Outcome]:
    """Run the planned notebooks, ``plan.jobs`` at once; yield progress, and one outcome for each of them.

    Leaves ``notebooks/NAME.ipynb`` in the output folder, whole or not at all; that of a failed notebook ends with the
    failing cell. The manifest is written anew whenever a notebook has ended, so that after a run that was killed the
    next one goes on. Closing the iterator stops whatever still runs. Raises RunError where another run writes there,
    FileNotFoundError where what a notebook left is gone before the last one has ended.
    """
    try:
        with FileLock(plan.output / LOCK, timeout=0):
            record.clean(plan.output)
            _tidy()
            yield from _recorded(plan)
    except Timeout:
        raise RunError(f"{plan.output}: another run is writing there; wait for it, or choose another --out") from None


def _recorded(plan: Plan) -> Iterator[Progress | Outcome]:
    kept = [one.name for one in plan.notebooks if one.name in plan.kept]
    outcomes = [Outcome(name, 0.0, "", plan.kept[name]["left"], unchanged=True) for name in kept]
    write_manifest(plan, outcomes)
    yield from outcomes
    for message in _executed(plan, [n for n in plan.notebooks if n.name not in plan.kept]):
        if isinstance(message, Outcome):
            outcomes.append(message)
            write_manifest(plan, outcomes)
        yield message
    if gone := [one.name for one in outcomes if not all((plan.output / file).is_file() for file in one.left)]:
        raise FileNotFoundError(f"what {', '.join(gone)} left there is gone; run again")


def _executed(plan: Plan, notebooks: list[Notebook]) -> Iterator[Progress | Outcome]:
    if not notebooks:
        return
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    import papermill  # noqa: F401  (once, before the threads)

    messages = queue.SimpleQueue()
    with (
        temporary() as folder,
        ThreadPoolExecutor(plan.jobs) as pool,
        closing(Session(plan.output, plan.timeout, folder, messages.put, warm=len(notebooks) > 1)) as session,
    ):
        unfinished = [pool.submit(session.run, one, plan.entries[one.name]["parameters"]) for one in notebooks]
        while unfinished:
            with suppress(queue.Empty):  # a wait without end would not hear Ctrl-C on Windows
                message = messages.get(timeout=1)
                unfinished = unfinished[isinstance(message, Outcome) :]
                yield message


@contextmanager
def temporary() -> Iterator[Path]:
    """Yield a folder that is there, and locked, while the block runs."""
    with tempfile.TemporaryDirectory(prefix=TEMPORARY, ignore_cleanup_errors=True) as name, FileLock(Path(name) / LOCK):
        (Path(name) / HELD).touch()
        yield Path(name)


def _tidy() -> None:
    """Take away temporary folders of this user's runs that were killed: whoever lives holds the lock."""
    user = getattr(os, "geteuid", lambda: 0)()  # on Windows, users have folders of their own, and files no number
    for held in Path(tempfile.gettempdir()).glob(f"{TEMPORARY}*/{HELD}"):
        with suppress(OSError):
            if held.lstat().st_uid == user and not held.parent.is_symlink():
                with FileLock(held.with_name(LOCK), timeout=0):
                    shutil.rmtree(held.parent)


def write_manifest(plan: Plan, outcomes: Iterable[Outcome]) -> Path:
    """Write ``manifest.json``: what went in, what came out, when, and with which versions. Return its path.

    While notebooks are still running, ``finished`` is null, and only those that have ended are listed. It holds no
    patient's data and no folder outside the project, but for the way from the run to its cohort.
    """
    ended = {outcome.name: outcome for outcome in outcomes}
    now = datetime.now().astimezone()
    ran = {
        name: {"status": outcome.status, "seconds": round(outcome.seconds, 1)}
        | plan.entries[name]
        | {"left": outcome.left, "cells": outcome.cells}
        for name, outcome in ended.items()
        if not outcome.unchanged
    }
    told = {
        "finished": now.isoformat(timespec="seconds") if len(ended) == len(plan.notebooks) else None,
        "seconds": round((now - plan.started).total_seconds(), 1),
        "notebooks": dict(sorted((plan.kept | ran).items())),
    }
    return record.write(plan.manifest | told, plan.output)
