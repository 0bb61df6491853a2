"""Display results as tables, laid out as in the paper, and save them."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from nxp2lib import compare, describe, dictionary, formats, paths, wording
from nxp2lib.digits import round_half_up
from nxp2lib.formats import Table

FISHER, RANKS, DRAWN, EXACT_RANKS, NOT_COMPUTABLE = "†", "‡", "§", "¶", "–"
STARS = (0.05, 0.01)  # one star for each limit that a P value lies below
TITLES = {"table1": "Table 1. Clinical and laboratory characteristics", "table2": "Table 2. Muscular involvement"}
GROUP_LABELS = {
    "total": "Total", "juvenile": "Juveniles", "adult": "Adults",
    "limited": "Limited muscle weakness (within the proximal limbs)",
    "extended": "Extended muscle weakness (to the distal limbs)",
}  # fmt: skip
INSIDE = "Where one patient is youngest or oldest, ranges end with five-year classes; quartiles can be one's value."
NBSP = "\N{NO-BREAK SPACE}"
BETWEEN = {"age_group": "juveniles and adults", "weakness_extent": "limited and extended weakness"}
SCREENING = {
    "screened": "Everyone on the list", "anti_nxp2": "Anti-NXP2 antibody", "no_antibody": "No antibody found",
    "anti_sae": "Anti-SAE antibody: excluded",
    "anti_tif1_beta": "Anti-TIF1\N{GREEK SMALL LETTER BETA} antibody: excluded",
}  # fmt: skip
RATIOS = {"odds_ratio", "sir", "ci_low", "ci_high"}
COUNTS = {"n", "denominator", "missing", "observed"}
DECIMALS = dict.fromkeys([*COUNTS, "q1", "median", "q3", "mean", "minimum", "maximum"], 0)
DECIMALS |= {"percent": 1, "person_years": 1}


def percentage(n: float, denominator: float) -> str:
    """Return a percentage with one decimal, rounded half up in decimal arithmetic on the counts.

    >>> percentage(9, 76), percentage(1, 80), percentage(0, 0)
    ('11.8', '1.3', '–')
    """
    return str(round_half_up(Decimal(100 * int(n)) / int(denominator), 1)) if denominator > 0 else NOT_COMPUTABLE


def p_value(value: float) -> str:
    """Return a P value with three decimals, ``<0.001`` below that, ``–`` where it is missing.

    A value just below 0.05 or 0.01 keeps as many decimals as it takes to show on which side it lies.

    >>> p_value(0.0104), p_value(0.00002), p_value(0.0496), p_value(float("nan"))
    ('0.010', '<0.001', '0.0496', '–')
    """
    if pd.isna(value):
        return NOT_COMPUTABLE
    if value < 0.001:
        return "<0.001"
    rounded = [round_half_up(float(value), decimals) for decimals in range(3, 16)]
    crosses = [any(value < limit <= shown for limit in STARS) for shown in map(float, rounded)]
    return str(rounded[crosses.index(False)])


def number(value: float, decimals: int = 2) -> str:
    """Return a number rounded half up, ``∞`` for infinity, ``–`` where it is missing.

    >>> number(22.405, 1), number(float("inf")), number(None)
    ('22.4', '∞', '–')
    """
    if pd.isna(value):
        return NOT_COMPUTABLE
    return "∞" if value == float("inf") else str(round_half_up(float(value), decimals))


def ratio(value: float, decimals: int = 2) -> str:
    """Return a ratio as a `number`; one below the first step of its decimals keeps two significant digits.

    >>> ratio(5.853), ratio(0.00214), ratio(0.04, 1), ratio(0.0)
    ('5.85', '0.0021', '0.040', '0.00')
    """
    if 0 < value < 10**-decimals:
        decimals = 1 - Decimal(str(value)).adjusted()
    return number(value, decimals)


def estimate(value: float, low: float, high: float, decimals: int = 2) -> str:
    """Return a ratio with its interval; a limit close to 1 keeps as many decimals as show on which side it lies.

    >>> estimate(5.853, 1.782, 20.999), estimate(0.42, 0.17, 0.998)
    ('5.85 (1.78 to 21.00)', '0.42 (0.17 to 0.998)')
    """
    return f"{ratio(value, decimals)} ({_limit(low, decimals)} to {_limit(high, decimals)})"


def _limit(value: float, decimals: int) -> str:
    while 1e-9 < abs(value - 1) < 1 and round_half_up(float(value), decimals) == 1:
        decimals += 1
    return ratio(value, decimals)


def with_display(results: pd.DataFrame) -> pd.DataFrame:
    """Add to a long table of results the column ``display``: each value as the collection prints it."""
    once = results.drop_duplicates(["row", "group", "statistic"])
    counts = once.pivot(index=["row", "group"], columns="statistic", values="value")

    def shown(record: Any) -> str:
        if record.statistic == "percent" and {"n", "denominator"} <= set(counts.columns):
            known = counts.loc[(record.row, record.group)]
            if pd.notna(known["denominator"]):
                return percentage(known["n"], known["denominator"])
        if record.statistic.startswith("p_"):
            return p_value(record.value)
        return (ratio if record.statistic in RATIOS else number)(record.value, DECIMALS.get(record.statistic, 2))

    return results.assign(display=[shown(record) for record in results.itertuples(index=False)])


def build(
    results: pd.DataFrame, rows: pd.DataFrame, by: str, title: str, note: str = "", show_holm: bool = False
) -> Table:
    """Lay results out as the paper does: sections of rows, a column per group, the P value last.

    ``results`` comes from `compare.two_groups`, ``rows`` and ``by`` are what it was given. ``note`` becomes
    the first footnote; ``show_holm`` adds the P values adjusted by Holm's method.
    """
    names = ["total", *dictionary.column(by).values]
    lookup = results.set_index(["row", "group", "statistic"])["value"].to_dict()
    size = {group: int(lookup["patients", group, "n"]) for group in names}
    tests = {"p_value": f"P value, between {BETWEEN[by]}"} | ({"p_holm": "P value, Holm-adjusted"} if show_holm else {})
    header = ("", *(f"{GROUP_LABELS[group]}, n{NBSP}={NBSP}{size[group]}" for group in names), *tests.values())
    lines = []
    for row, kind in rows.loc[rows["row"] != "female", ["row", "kind"]].itertuples(index=False):
        cells = [_cell(lookup, row, group, kind, size[group]) for group in names]
        cells += [_tested(lookup, row, statistic) for statistic in tests]
        lines.append((dictionary.column(row).section, (_row_label(row, kind), *cells)))
    body = formats.sectioned(lines)
    apart = size["total"] - sum(size[group] for group in names[1:])
    return Table(title, header, body, tuple(_footnotes(body, note, apart, show_holm, results.attrs)))


def _row_label(row: str, kind: str) -> str:
    if row == "male":
        return "Male/female, n/n"
    column = dictionary.column(row)
    if kind == "category":
        return column.label
    unit = f", {column.unit}" if column.unit else ""
    shown = {"count": "n (%)", "mean": f"mean (range){unit}", "median": f"median (quartiles){unit}"}
    return f"{column.label}, {shown[kind]}"


def _cell(lookup: dict, row: str, group: str, kind: str, size: int) -> str:
    def at(statistic: str) -> float:
        return lookup[row, group, statistic]

    if kind == "category":
        return ""
    if not at("denominator") > 0:
        return NOT_COMPUTABLE
    known = int(at("denominator"))
    missing = f" [n = {known}]" if known < size else ""
    if row == "male":
        return f"{int(at('n'))}/{known - int(at('n'))}"
    if kind == "count":
        return f"{int(at('n'))}{f'/{known}' if missing else ''} ({percentage(at('n'), known)})"
    center, low, high = ("mean", "minimum", "maximum") if kind == "mean" else ("median", "q1", "q3")
    return f"{number(at(center), 0)} ({number(at(low), 0)}–{number(at(high), 0)}){missing}"


def _tested(lookup: dict, row: str, statistic: str) -> str:
    value = lookup.get((row, "comparison", statistic))
    if value is None:
        return ""
    if pd.isna(value):
        return NOT_COMPUTABLE
    stars = "*" * sum(value < limit for limit in STARS)
    error, approximate = (lookup.get((row, "comparison", name)) for name in ("standard_error", "p_approximate"))
    mark = DRAWN if error else FISHER
    if approximate is not None:
        mark = RANKS if lookup[row, "comparison", "p_value"] == approximate else EXACT_RANKS
    return p_value(value) + mark + (f", {stars}" if stars else "")


def _footnotes(body: tuple[tuple[str, ...], ...], note: str, apart: int, show_holm: bool, known: dict) -> Iterator[str]:
    text = "\n".join(cell for row in body for cell in row)
    if note:
        yield note
    if apart:
        yield f"The total has {wording.count(apart, 'patient')} of neither group: to which they belong is unknown."
    if not known.get("synthetic", True) and re.search(r"\(\d+–\d+\)", text):
        yield INSIDE
    if FISHER in text:
        yield f"{FISHER} Fisher's exact test, two-sided."
    if DRAWN in text:
        drawn, error = f"{compare.DRAWN:,} tables drawn with the same margins", f"{0.5 / compare.DRAWN**0.5:.4f}"
        yield f"{DRAWN} Fisher's exact test, estimated from {drawn}; standard error {error} at most."
    if RANKS in text:
        yield f"{RANKS} Mann-Whitney U test, normal approximation with tie correction."
    if EXACT_RANKS in text:
        yield f"{EXACT_RANKS} Mann-Whitney U test, exact, ties included."
    if "*" in text:
        but = ", but for the last column" if show_holm else ""
        yield f"* P < 0.05; ** P < 0.01, not adjusted for the number of rows{but}."
    if "/" in "".join(cell for row in body for cell in row[1:] if "(" in cell) or "[n =" in text:
        yield "n/N or [n = N]: N patients in whom the item is known, where they are fewer than the group."
    if any(NOT_COMPUTABLE in row[1:] for row in body):
        if known.get("kept_back"):
            yield f"{NOT_COMPUTABLE} Not described: the group is small, or would tell of one that is."
            return
        yield f"{NOT_COMPUTABLE} Not computable: the item is known in no patient of a group, or a group is empty."


def from_frame(frame: pd.DataFrame, title: str, footnotes: tuple[str, ...] = ()) -> Table:
    """Turn a small data frame of text and whole numbers into a table; missing cells become ``–``."""
    shown = frame.astype(object).where(frame.notna(), NOT_COMPUTABLE).map(str)
    return Table(title, tuple(map(str, frame.columns)), tuple(shown.itertuples(index=False, name=None)), footnotes)


def save(table: Table, name: str, output_dir: str | Path) -> None:
    """Write a table as ``tables/<name>.csv``, ``.html``, ``.docx`` and ``.tex`` in the output folder.

    The CSV file opens with a byte order mark, without which Excel garbles ``†`` and ``–``.
    """
    folder = paths.output_folder(output_dir) / "tables"
    for suffix, write in {"csv": formats.to_csv, "html": formats.to_page, "tex": formats.to_latex}.items():
        encoding = "utf-8-sig" if suffix == "csv" else "utf-8"
        with paths.replacing(folder / f"{name}.{suffix}") as partial:
            partial.write_text(write(table), encoding=encoding, newline="\n")
    with paths.replacing(folder / f"{name}.docx") as partial:
        formats.write_docx(table, partial)


def save_results(results: pd.DataFrame, name: str, output_dir: str | Path) -> None:
    """Write results at full precision, with their display, as ``results/<name>.csv`` in the output folder."""
    with paths.replacing(paths.output_folder(output_dir) / "results" / f"{name}.csv") as partial:
        with_display(results)[[*describe.COLUMNS, "display"]].to_csv(partial, index=False, lineterminator="\n")
