"""Draw the figures: what a clinician would print, with the finding as title and words for those who cannot see it."""

import math
import textwrap
from pathlib import Path
from typing import Any, cast

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from nxp2lib import describe, dictionary, fourfold, paths, table
from nxp2lib.cohort import is_synthetic, provenance

# Okabe and Ito's colours, safe for colour-blind readers; a group keeps its colour through all notebooks.
COLOURS = {
    "total": "#4D4D4D", "juvenile": "#0072B2", "adult": "#E69F00", "limited": "#56B4E9", "extended": "#D55E00",
    "dermatomyositis": "#CC79A7", "polymyositis": "#009E73", "other_rash": "#009E73", "no_rash": "#A6DBC8",
}  # fmt: skip
MOST_DOTS = 300  # patients of whom each is drawn
LETTERS = 16  # of the small words below a figure, per inch
MARKED = "#882255"  # a row with P below 1 - confidence, in no group's colour
NAMES = {
    "total": "All patients", "juvenile": "Juveniles", "adult": "Adults",
    "limited": "Limited weakness", "extended": "Extended weakness",
    "dermatomyositis": "Dermatomyositis phenotype", "polymyositis": "Polymyositis phenotype",
    "other_rash": "Polymyositis phenotype, other rashes", "no_rash": "Polymyositis phenotype, no rash",
}  # fmt: skip
STYLE: dict[str, Any] = {
    "figure.dpi": 110, "savefig.dpi": 200, "font.size": 10, "legend.frameon": False, "svg.hashsalt": "nxp2lib",
    "axes.spines.top": False, "axes.spines.right": False,
    "axes.titlelocation": "left", "axes.titleweight": "bold", "axes.titlesize": 11,
}  # fmt: skip


class DescribedFigure(Figure):
    """A figure that carries its alternative text into notebooks, HTML pages and saved files."""

    alternative_text = ""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple[dict, dict]:
        return {}, {"image/png": {"alt": self.alternative_text}}


def new(width: float, height: float, **layout: Any) -> tuple[DescribedFigure, Any]:
    plt.rcParams.update(cast(Any, STYLE))
    return plt.subplots(figsize=(width, height), layout="constrained", FigureClass=DescribedFigure, **layout)


def finish(figure: DescribedFigure, cohort: pd.DataFrame, text: str) -> DescribedFigure:
    """Add the words for the figure, and a line saying whose patients it shows."""
    figure.alternative_text = f"{text} {provenance(cohort)}"
    said = textwrap.fill(provenance(cohort), int(figure.get_figwidth() * LETTERS))
    figure.supxlabel(said, fontsize=7.5, color="#555555", x=0.01, ha="left")
    return figure


def headline(figure: DescribedFigure, title: str) -> None:
    """Put a title above the whole figure, from its left edge on."""
    figure.suptitle(title, fontsize=11, weight="bold", x=0.01, ha="left")


def save(figure: DescribedFigure, name: str, output_dir: str | Path) -> None:
    """Write a figure as ``figures/<name>.png`` and ``.svg``; both carry the alternative text as their description."""
    folder = paths.output_folder(output_dir) / "figures"
    for suffix, metadata in [("png", {}), ("svg", {"Date": None})]:
        with paths.replacing(folder / f"{name}.{suffix}") as partial:
            figure.savefig(partial, metadata={"Description": figure.alternative_text, **metadata})


def phenotype_proportions(cohort: pd.DataFrame, results: pd.DataFrame) -> DescribedFigure:
    """Draw Figure 1: the shares of the phenotypes in all patients (A), juveniles (B) and adults (C).

    ``results`` comes from `describe.phenotypes`. Segments are labelled ``n (%)``.
    """
    figure, axes = new(9, 4.4, nrows=3, sharex=True)
    parts = {"total": ["dermatomyositis", "other_rash", "no_rash"]}
    parts |= {group: ["dermatomyositis", "polymyositis"] for group in ("juvenile", "adult")}
    said, sizes = [], describe.sizes(cohort, "age_group")
    for letter, axis, (group, rows) in zip("ABC", axes, parts.items(), strict=True):
        said.append(_proportion_bar(axis, results, group, rows))
        known, size = sum(describe.count(results, row, group) for row in rows), sizes[group]
        told = f"{known}, {size - known} more unknown" if size > known else size
        told = size if group != "total" and describe.is_kept_back(cohort, "age_group") else told
        axis.set_title(f"{letter}  {NAMES[group]} (n = {told})", fontsize=10)
        axis.tick_params(bottom=group == "adult")
        axis.spines["bottom"].set_visible(group == "adult")
    handles = [plt.Rectangle((0, 0), 1, 1, color=COLOURS[row]) for row in parts["total"]]
    labels = [NAMES["dermatomyositis"], "Polymyositis phenotype, other rashes (A) or all (B, C)", NAMES["no_rash"]]
    axes[0].legend(handles, labels, loc="lower left", bbox_to_anchor=(0, 1.25), ncols=3, fontsize=8.5, handlelength=1,
                   borderaxespad=0)  # fmt: skip
    axes[-1].set_xlabel("Share of patients (%)")
    shares = table.with_display(results).set_index(["row", "group", "statistic"])["display"]
    juvenile, adult = (shares["polymyositis", group, "percent"] for group in ("juvenile", "adult"))
    headline(figure, f"Polymyositis phenotype: {juvenile} % of juveniles, {adult} % of adults")
    return finish(figure, cohort, "Phenotypes as bars of 100 percent. " + " ".join(said))


def _proportion_bar(axis: Axes, results: pd.DataFrame, group: str, rows: list[str]) -> str:
    left, said = 0.0, []
    counts = [describe.count(results, row, group) for row in rows]
    known = sum(counts)
    for row, n in zip(rows, counts, strict=True):
        share = 100 * n / known if known else 0.0
        axis.barh(0, share, left=left, color=COLOURS[row], edgecolor="white", height=0.8)
        label = f"{n} ({table.percentage(n, known)})"
        if share >= 9:
            dark = row not in ("no_rash", "dermatomyositis")
            axis.text(left + share / 2, 0, label, ha="center", va="center", color="white" if dark else "black")
        elif n:
            axis.annotate(label, (left + share / 2, -0.4), (0, -3), textcoords="offset points", ha="center", va="top")
        said.append(f"{NAMES[row].lower()} {label}")
        left += share
    axis.set(xlim=(0, 100), yticks=[], ylim=(-0.75, 0.45))
    axis.spines["left"].set_visible(False)
    if not left:
        axis.text(50, 0, "nobody to describe in this group", ha="center", va="center")
    return f"{NAMES[group]}: {', '.join(said)}."


def age_histogram(cohort: pd.DataFrame) -> DescribedFigure:
    """Draw the ages at onset in 5-year classes, coloured by age group."""
    figure, axis = new(8, 3.8)
    edges = np.arange(0, 5 * math.ceil((cohort["age_at_onset"].max() + 1) / 5) + 1, 5)
    everybody, *parts = describe.groups(cohort, "age_group").items()
    if kept := describe.is_kept_back(cohort, "age_group"):
        low, high = describe.age_range(cohort)
        edges, parts = np.array([low, cohort.attrs["juvenile_below_age"], high + 1]), [everybody]
    bottom, said = np.zeros(len(edges) - 1), []
    for group, part in parts:
        heights, _ = np.histogram(part["age_at_onset"].dropna().to_numpy(dtype=float), bins=edges)
        label = f"{NAMES[group]}, n = {len(part)}"
        look = {"width": np.diff(edges) - 0.4, "align": "edge", "color": COLOURS[group], "label": label}
        axis.bar(edges[:-1], heights, bottom=bottom, **look)
        bottom += heights
        if len(part):
            low, high = describe.age_range(part)
            said.append(f"{len(part)} {NAMES[group].lower()} aged {low:.0f} to {high:.0f}")
    classes = "" if kept else ", 5-year classes"
    axis.set(xlabel=f"Age at onset (years{classes})", ylabel="Patients", xticks=edges[:: 1 if kept else 2])
    axis.yaxis.get_major_locator().set_params(integer=True)
    axis.set_ylim(0, max(1, bottom.max() * 1.1))
    axis.legend()
    axis.set_title("Age at onset: " + ", ".join(said), fontsize=10)
    return finish(figure, cohort, f"Histogram of age at onset: {'; '.join(said)}.")


def frequencies(cohort: pd.DataFrame, results: pd.DataFrame, rows: list[str], by: str) -> DescribedFigure:
    """Draw how frequent findings are in each group of ``by``, as bars on one percentage axis, labelled ``n (%)``.

    ``results`` comes from `describe.summarize` and holds every one of ``rows``.
    """
    names = dictionary.column(by).values
    figure, axis = new(8.5, 1.6 + 0.55 * len(rows))
    said = []
    for place, row in enumerate(rows):
        shares = []
        for offset, group in zip((-0.16, 0.16), names, strict=True):
            n, known = (describe.count(results, row, group, name) for name in ("n", "denominator"))
            share = 100 * n / known if known else float("nan")
            shares.append(f"{NAMES[group].lower()} {n} of {known}")
            axis.barh(place + offset, share, height=0.3, color=COLOURS[group], label="" if place else NAMES[group])
            label = f"{n} ({table.percentage(n, known)})" if known else table.NOT_COMPUTABLE
            axis.text((share if known else 0) + 1, place + offset, label, va="center", fontsize=8.5)
        said.append(f"{dictionary.label(row)}: {', '.join(shares)}")
    axis.set(yticks=range(len(rows)), yticklabels=[dictionary.label(row) for row in rows], xlim=(0, 112),
             xticks=range(0, 101, 20), xlabel="Patients with the finding (%)")  # fmt: skip
    axis.invert_yaxis()
    counts = results[(results["statistic"] == "n") & results["row"].isin(rows) & results["group"].isin(names)]
    shared = int((counts.groupby("row")["value"].min() > 0).sum())
    title = f"{shared} of {len(rows)} findings occur in both groups"
    axis.set_title(title, pad=22)
    axis.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=9, borderaxespad=0.2)
    return finish(figure, cohort, f"{title}. {'. '.join(said)}.")


def forest(cohort: pd.DataFrame, results: pd.DataFrame, by: str, confidence: float) -> DescribedFigure:
    """Draw the odds ratio of each tested finding with its interval, on a log axis.

    ``results`` comes from `compare.two_groups`. Estimates of zero or infinity, and limits beyond the axis, end in an
    arrow; rows with P below 1 - ``confidence`` are coloured: those whose interval leaves 1 out (`fourfold.fisher`).
    """
    results = results[results["group"] == "comparison"]
    numbers = results.pivot(index="row", columns="statistic", values="value").loc[list(dict.fromkeys(results["row"]))]
    numbers = numbers.reindex(columns=["odds_ratio", "ci_low", "ci_high", "p_value"]).dropna(subset="odds_ratio")
    less, more = dictionary.column(by).values
    figure, (axis, words) = new(9.5, 1.7 + 0.3 * max(len(numbers), 4), ncols=2, width_ratios=[2, 1], sharey=True)
    words.set_axis_off()
    low, high, said = 0.02, 50, []
    level = fourfold.clean(1 - confidence)
    for place, row in enumerate(numbers.itertuples()):
        _forest_row(axis, place, row, low, high, MARKED if row.p_value < level else COLOURS["total"])
        estimate, p = table.estimate(row.odds_ratio, row.ci_low, row.ci_high), table.p_value(row.p_value)
        words.text(0, place, estimate, va="center", fontsize=9)
        words.text(1, place, p, va="center", ha="right", fontsize=9)
        said.append(f"{dictionary.label(row.Index)} {estimate}, P {p}")
    axis.set_xscale("log")
    axis.set(xlim=(low, high), yticks=range(len(numbers)), yticklabels=[dictionary.label(row) for row in numbers.index],
             xticks=[0.02, 0.1, 0.5, 1, 2, 10, 50], ylim=(len(numbers) - 0.4, -0.6))  # fmt: skip
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.minorticks_off()
    axis.axvline(1, color="black", linewidth=0.8)
    if numbers.empty:
        axis.text(0.5, 0.5, "nothing to compare", ha="center", transform=axis.transAxes)
    axis.set_xlabel("Odds ratio, log scale")
    for x, text in [(0.25, f"← more frequent: {less}"), (0.75, f"more frequent: {more} →")]:
        axis.text(x, 1.01, text, transform=axis.transAxes, ha="center", fontsize=8.5)
    marked = int((numbers["p_value"] < level).sum())
    said_of = f"{marked} of {len(numbers)} findings have P < {level:g}"
    title = f"{said_of} between {NAMES[less].lower()} and {NAMES[more].lower()}"
    headline(figure, title)
    words.text(0, 1.01, f"OR ({100 * confidence:g} % CI)", transform=words.transAxes, fontsize=9, weight="bold")
    words.text(1, 1.01, "P", transform=words.transAxes, fontsize=9, weight="bold", ha="right")
    return finish(figure, cohort, f"{title}. Odds ratios: {'; '.join(said)}.")


def _forest_row(axis: Axes, place: int, row: Any, low: float, high: float, colour: str) -> None:
    start, end = max(row.ci_low, low), min(row.ci_high, high)
    axis.plot([start, end], [place, place], color=colour, linewidth=1.6, solid_capstyle="butt")
    if low <= row.odds_ratio <= high:
        axis.plot(row.odds_ratio, place, "s", color=colour, markersize=6)
    for limit, edge, marker in [(row.ci_low, low, "<"), (row.ci_high, high, ">")]:
        if not low <= limit <= high:
            axis.plot(edge, place, marker, color=colour, markersize=6, clip_on=False)


def creatine_kinase(cohort: pd.DataFrame, by: str, quantile_method: str) -> DescribedFigure:
    """Draw maximum creatine kinase by group on a log axis, with median and quartiles as lines.

    Every synthetic patient is a dot. Of real patients, or of more than ``MOST_DOTS``, only their number in classes is
    drawn, since a dot holds its patient's value.
    """
    dots = len(cohort) <= MOST_DOTS and is_synthetic(cohort)
    parts = list(describe.groups(cohort, by).items())[1:]
    figure, axis = new(8, 4.4)
    said, medians = [], []
    axis.set_yscale("log")
    for place, (group, part) in enumerate(parts):
        values = part["max_creatine_kinase"].dropna().to_numpy(dtype=float)
        (_dots if dots else _classes)(axis, place, values, COLOURS[group])
        middle = describe.quantiles(part["max_creatine_kinase"], quantile_method)
        for name, width, thick in [("q1", 0.18, 1), ("median", 0.3, 2), ("q3", 0.18, 1)]:
            axis.plot([place - width, place + width], [middle[name]] * 2, color="black", linewidth=thick)
        median, q1, q3 = (table.number(middle[name], 0) for name in ("median", "q1", "q3"))
        if len(values):
            axis.text(place + 0.36, middle["median"], f"median {median}", va="center", fontsize=8.5)
        said.append(f"{NAMES[group]}: {len(values)} patients, median and quartiles {median} ({q1} to {q3}) IU/L")
        medians.append(f"{median} in {NAMES[group].lower()}")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axis.minorticks_off()
    known = [f"n = {part['max_creatine_kinase'].notna().sum()}" for _, part in parts]
    known = ["not described"] * len(parts) if describe.is_kept_back(cohort, by) else known
    labels = [f"{NAMES[group]} ({told})" for (group, _), told in zip(parts, known, strict=True)]
    axis.set(xticks=range(len(parts)), xticklabels=labels, xlim=(-0.6, len(parts) - 0.3))
    axis.set_ylabel("Maximum creatine kinase (IU/L), log scale")
    title = f"Median creatine kinase (IU/L): {', '.join(medians)}"
    headline(figure, title)
    return finish(figure, cohort, f"{title}. {'. '.join(said)}.")


def _dots(axis: Axes, place: int, values: np.ndarray, colour: str) -> None:
    """Draw one dot per patient, side by side where values are close."""
    import seaborn

    seaborn.swarmplot(x=np.full(len(values), place), y=values, color=colour, native_scale=True, ax=axis, size=5)


def _classes(axis: Axes, place: int, values: np.ndarray, colour: str) -> None:
    """Draw how many patients lie in each of eight classes per power of ten, as bars around a middle line."""
    counts, edges = np.histogram(np.log10(values), bins=np.arange(0, 6.01, 1 / 8))
    widths = 0.64 * counts / max(1, counts.max())
    heights = np.diff(10**edges) * 0.96
    axis.barh(10 ** edges[:-1], widths, height=heights, left=place - widths / 2, align="edge", color=colour)


def titers(cohort: pd.DataFrame, results: pd.DataFrame) -> DescribedFigure:
    """Draw how many patients have each antinuclear antibody titer; those not above 1:40 share a bar.

    ``results`` comes from `describe.running_text`.
    """
    names = dictionary.column("ana_titer").values[2:]
    above = [describe.count(results, f"ana_titer_{name}", "total") for name in names]
    known = describe.count(results, "ana_titer_80", "total", "denominator")
    counts = [known - sum(above), *above]
    figure, axis = new(7, 3.2)
    axis.bar(range(len(counts)), counts, color=["#BBBBBB"] + [COLOURS["total"]] * len(above), width=0.7)
    axis.set_ylim(0, max(counts) * 1.15 + 1)
    for place, count in enumerate(counts):
        label = f"{count} ({table.percentage(count, known)})"
        axis.annotate(label, (place, count), (0, 2), textcoords="offset points", ha="center", fontsize=9)
    labels = ["≤1:40", *(f"1:{name}" for name in names[:-1]), f"≥1:{names[-1]}"]
    axis.set(xticks=range(len(counts)), xticklabels=labels, xlabel="Titer", ylabel="Patients")
    axis.yaxis.get_major_locator().set_params(integer=True)
    title = f"{sum(above)} of {known} patients ({table.percentage(sum(above), known)} %) have a titer above 1:40"
    axis.set_title(title)
    said = ", ".join(f"{label} {count}" for label, count in zip(labels, counts, strict=True))
    return finish(figure, cohort, f"{title}: {said}.")


def incidence_ratio(cohort: pd.DataFrame, results: pd.DataFrame, confidence: float) -> DescribedFigure:
    """Draw observed beside expected cancers of adults (left) and the ratio as time at risk grows (right).

    ``results`` comes from `incidence.malignancies`.
    """
    figure, (left, right) = new(10.5, 4.2, ncols=2, width_ratios=[1, 1.3])
    for place, row in enumerate(["all_sites", "female", "male"]):
        observed, expected = (describe.value(results, row, "adult", name) for name in ("observed", "expected"))
        bars = [(-0.18, observed, "#4D4D4D", "observed"), (0.18, expected, "#BBBBBB", "expected")]
        for offset, number, colour, label in bars:
            left.bar(place + offset, number, width=0.34, color=colour, label=label if not place else None)
            shown = table.number(number, 0 if label == "observed" else 2)
            left.text(place + offset, number if number > 0 else 0, shown, ha="center", va="bottom", fontsize=9)
    left.set(xticks=range(3), xticklabels=["All adults", "Women", "Men"], ylabel="Malignancies")
    left.set_ylim(0, max(1.0, *(bar.get_height() for bar in left.patches)) * 1.15)
    left.yaxis.get_major_locator().set_params(integer=True)
    observed, expected = (describe.value(results, "all_sites", "adult", name) for name in ("observed", "expected"))
    counted = f"{table.number(observed, 0)} malignancies observed, {table.number(expected)} expected"
    kept = describe.is_kept_back(cohort, "age_group")
    nobody = "Adults are not described" if kept else "No adult to compare with the population"
    left.set_title(counted if expected > 0 else nobody, fontsize=10)
    left.legend()
    curve = pd.DataFrame(
        {name: [describe.value(results, f"years_at_risk_{year}", "adult", name) for year in range(1, 11)]
         for name in ("sir", "ci_low", "ci_high")}, index=range(1, 11))  # fmt: skip
    _ratio_curve(right, curve, confidence)
    said = "; ".join(
        f"{year} year{'s' * (year > 1)}: {table.estimate(sir, low, high, 1)}"
        for year, (sir, low, high) in zip(curve.index, curve.to_numpy(), strict=True)
    )
    text = f"Left, observed and expected malignancies in adults. Right, incidence ratio by time at risk: {said}."
    return finish(figure, cohort, text)


def _ratio_curve(axis: Axes, curve: pd.DataFrame, confidence: float) -> None:
    axis.axhline(1, color="black", linewidth=0.8)
    axis.text(10, 1.03, "general population", ha="right", va="bottom", fontsize=8.5)
    axis.set(xlabel="Time at risk of each adult (years)", ylabel="Standardized incidence ratio, log scale",
             xticks=range(1, 11))  # fmt: skip
    if curve["sir"].isna().all():
        axis.text(5.5, 0.5, "not computable: no adult described", ha="center", transform=axis.get_xaxis_transform())
        return
    lowest = curve.loc[curve["ci_low"] > 0, "ci_low"].min()
    floor = 0.1 if pd.isna(lowest) else min(0.5, lowest)
    axis.set_yscale("log")
    shown = curve.clip(lower=floor)  # of a log axis, on which zero has no place
    axis.fill_between(curve.index, shown["ci_low"], curve["ci_high"], color=COLOURS["adult"], alpha=0.3)
    axis.plot(curve.index, curve["sir"].where(curve["sir"] > 0), "o-", color="#9A6A00")
    axis.set_ylim(bottom=floor * 0.9)
    for year in (1, 5, 10):
        ratio = table.number(curve.at[year, "sir"], 1)
        axis.annotate(ratio, (year, shown.at[year, "sir"]), (6, 5), textcoords="offset points", fontsize=9)
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.yaxis.set_minor_locator(NullLocator())
    first, last = (table.number(curve.at[year, "sir"], 1) for year in (1, 10))
    axis.set_title(f"Ratio {first} over 1 year, {last} over 10 ({100 * confidence:g} % interval shaded)", fontsize=10)
