"""Every printed number beside the one computed at its address, and what a run keeps of that."""

from pathlib import Path

import pandas as pd

from nxp2lib import digits, paths, published, table


def agreement(results: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Set each printed number beside the one computed at its address; words of rounding have no digits to compare.

    ``results`` holds long tables (``row,group,statistic,value``) by result name. Returns the registry's ``id``,
    ``place`` and ``printed`` with ``row``, ``group``, ``statistic``, ``value`` (computed, NaN where nothing was),
    ``difference`` (computed minus printed) and ``agreement``: ``agrees``, ``differs``, or ``not recomputed``.
    """
    computed = pd.concat(results, names=["result"]).reset_index("result")
    computed = computed.set_index(["result", "row", "group", "statistic"])["value"]
    registry = published.load().query("origin != 'word'").reset_index(drop=True)
    parts = registry["expression"].str.extract(published.ADDRESS)
    values = computed.reindex(pd.MultiIndex.from_frame(parts)).to_numpy(dtype=float)
    of = computed.reindex(pd.MultiIndex.from_frame(parts.assign(statistic="denominator"))).to_numpy(dtype=float)
    values = pd.Series(values).mask((of == 0) & (parts["statistic"] == "n"))  # a count among nobody is no zero
    verdicts = {True: "agrees", False: "differs", None: "not recomputed"}
    said = [verdicts[digits.agrees(text, value)] for text, value in zip(registry["printed"], values, strict=True)]
    numbers = pd.to_numeric(registry["printed"], errors="coerce")
    compared = parts[["row", "group", "statistic"]].assign(value=values, difference=values - numbers, agreement=said)
    return pd.concat([registry[["id", "place", "printed"]], compared], axis=1)


def save(compared: pd.DataFrame, output_dir: str | Path) -> None:
    """Write the comparison with the printed numbers as ``results/agreement.csv``, one row per printed number."""
    with paths.replacing(paths.output_folder(output_dir) / "results" / "agreement.csv") as partial:
        compared.assign(display=traceable(compared)).to_csv(partial, index=False, lineterminator="\n")


def save_verdicts(judged: pd.DataFrame, output_dir: str | Path) -> None:
    """Write the verdicts of `nxp2lib.audit.paper.judge` as ``results/audit.csv``, one row per printed number."""
    with paths.replacing(paths.output_folder(output_dir) / "results" / "audit.csv") as partial:
        judged.to_csv(partial, index=False, lineterminator="\n")


def traceable(compared: pd.DataFrame) -> list[str]:
    """Return each computed value with two decimals more than are printed, so that its rounding can be followed."""
    shown = []
    for printed, statistic, value in compared[["printed", "statistic", "value"]].itertuples(index=False):
        decimals = digits.decimals(printed)
        whole = statistic in table.COUNTS or pd.isna(value) or (not decimals and value == int(value))
        shown.append(table.number(value, 0 if whole else 4 if statistic == "p_value" else decimals + 2))
    return shown
