"""One page that sums a run up: a cohort beside the published one, row by row."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt

from nxp2lib import cohort, describe, dictionary, figure, findings, formats, paths, published, table
from nxp2lib.reconstruction import facts
from nxp2lib.report import drawing, pages, recomputed

TITLES = {("table1", group): figure.NAMES[group] for group in ("total", "juvenile", "adult")}
TITLES["table2", "limited"] = "Limited weakness, within the proximal limbs"
TITLES["table2", "extended"] = "Extended weakness, to the distal limbs"

MARK = " †"  # of a published number that is not reproduced as stated


def number_cells(record) -> tuple[str, str, str]:
    """Return the cells of one row of `nxp2lib.report.beside.compare_cohorts`: published, yours, difference."""
    if record.statistic == "percent":
        both = [(record.published_n, record.published_denominator), (record.n, record.denominator)]
        counts = [f"{n:.0f}/{of:.0f} ({table.percentage(n, of)} %)" for n, of in both]
        shown = [count if of > 0 else table.NOT_COMPUTABLE for count, (_, of) in zip(counts, both, strict=True)]
        difference, low, high = (_signed(value, 1) for value in (record.difference, record.ci_low, record.ci_high))
        return (*shown, f"{difference} ({low} to {high})" if pd.notna(record.difference) else difference)
    if record.statistic == "p_value":
        return record.printed, table.p_value(record.yours), ""
    if record.statistic == "sir":
        ratio = table.estimate(record.difference, record.ci_low, record.ci_high)
        return table.number(record.published, 1), table.number(record.yours, 1), f"ratio {ratio}"
    return record.printed, table.number(record.yours, 0), _signed(record.difference, 0)


def _signed(value: float, decimals: int) -> str:
    if pd.isna(value):
        return table.NOT_COMPUTABLE
    shown = table.number(abs(value), decimals)
    return ("−" if value < 0 else "+") + shown if shown.strip("0.") else shown


def not_as_stated(judged: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of Tables 1 and 2 that are not reproduced as stated; ``judged`` is `paper.judge`'s."""
    here = judged[judged["place"].isin(findings.TABLES) & (judged["statistic"] != "p_mark")]
    return here[~here["verdict"].isin(["reproduced", "consistent", "external"])].rename(columns={"item": "row"})


def marked_cells(record, doubts: pd.DataFrame | None) -> tuple[str, str, str]:
    """Return `number_cells`, with a mark on a published number that is among the `not_as_stated` ones."""
    published_, yours, difference = number_cells(record)
    if doubts is None:
        return published_, yours, difference
    printed = ["n", "denominator", "percent"] if record.statistic == "percent" else [record.statistic]
    here = (doubts["place"] == record.result) & (doubts["row"] == record.row) & (doubts["group"] == record.group)
    return published_ + MARK * bool((here & doubts["statistic"].isin(printed)).any()), yours, difference


def rows(
    compared: pd.DataFrame, result: str, group: str, doubts: pd.DataFrame | None = None
) -> list[tuple[str, ...]]:
    """Return the table of one group: sections as rows of one cell, then label, published, yours, difference."""
    here = compared[(compared["result"] == result) & (compared["group"] == group) & (compared["row"] != "female")]
    lines = []
    for record in here.itertuples(index=False):
        column = dictionary.column(record.row)
        kind = {"mean": f", mean, {column.unit}", "median": f", median, {column.unit}"}.get(record.statistic, "")
        lines.append((column.section, (column.label + kind, *marked_cells(record, doubts))))
    return list(formats.sectioned(lines))


def page(patients: pd.DataFrame, compared: pd.DataFrame, judged: pd.DataFrame, settings: dict[str, object]) -> str:
    """Return the page as HTML without outside parts.

    ``compared`` comes from `beside.compare_cohorts`, ``judged`` from `nxp2lib.audit.paper.judge`; ``settings`` are the
    run's parameters, ``confidence`` among them.
    """
    drawn = drawing.beside(patients, compared, float(settings["confidence"]))
    sizes = describe.sizes(patients, "age_group")
    (incidence,) = compared[compared["statistic"] == "sir"].itertuples(index=False)
    observed = ("Observed", int(incidence.published_n), table.number(incidence.n, 0), "")
    doubts = not_as_stated(judged)
    tested = [
        (dictionary.label(one.row), table.BETWEEN[findings.TABLES[one.result]], *marked_cells(one, doubts)[:2])
        for one in compared[compared["statistic"] == "p_value"].itertuples(index=False)
    ]
    return pages.render(
        "report/templates/summary.html",
        provenance=cohort.provenance(patients),
        synthetic=cohort.is_synthetic(patients),
        kept=bool(patients.attrs.get("sizes")),
        reconstructed=cohort.is_reconstructed(patients),
        theirs=[published.printed(f"table1/patients/{group}/n", "table1") for group in sizes],
        yours=[f"{count:,}" for count in sizes.values()],
        drawn=drawn,
        picture=_png(drawn),
        groups={title: rows(compared, *place, doubts) for place, title in TITLES.items()},
        level=f"{100 * float(settings['confidence']):g} %",
        malignancies=[observed, ("Standardized incidence ratio", *number_cells(incidence))],
        tested=tested,
        mark=MARK,
        edition=published.EDITION,
        doubts=[(facts.say(one).replace("p_value", "P"), one.verdict, one.reason) for one in doubts.itertuples()],
        settings=settings,
        limit=f"{patients.attrs['juvenile_below_age']:g}",
        absent=[dictionary.label(name) for name in patients.attrs.get("absent", [])],
    )


def _png(drawn: figure.DescribedFigure) -> str:
    """Return a figure as text for a page."""
    picture = BytesIO()
    drawn.savefig(picture, format="png", dpi=150)
    plt.close(drawn)  # a notebook would show it again
    return b64encode(picture.getvalue()).decode()


def save(
    patients: pd.DataFrame, compared: pd.DataFrame, judged: pd.DataFrame, output_dir: str | Path, **settings: object
) -> None:
    """Write the page as ``summary.html`` and ``compared`` as ``results/beside.csv``; arguments are as in `page`."""
    folder = paths.output_folder(output_dir)
    with paths.replacing(folder / "results" / "beside.csv") as partial:
        compared.to_csv(partial, index=False, lineterminator="\n")
    with paths.replacing(folder / "summary.html") as partial:
        partial.write_text(page(patients, compared, judged, settings), encoding="utf-8", newline="\n")


def first_look(patients: pd.DataFrame, agreement: pd.DataFrame, compared: pd.DataFrame) -> table.Table:
    """Return what a reader wants to see first: two cohorts side by side, or what differs in the reconstructed one.

    ``agreement`` comes from `recomputed.agreement`, ``compared`` from `beside.compare_cohorts`.
    """
    if cohort.is_reconstructed(patients):
        differs = agreement[agreement["agreement"] == "differs"]
        shown = {"Number": differs["id"], "Printed": differs["printed"], "Computed": recomputed.traceable(differs)}
        return table.from_frame(pd.DataFrame(shown), "Printed numbers that differ from the computed ones")
    listed = [row for row in rows(compared, "table1", "total") if len(row) > 1]
    columns = ["Finding", "Published", "Yours", "Difference (interval)"]
    return table.from_frame(pd.DataFrame(listed, columns=columns), "The published cohort beside yours, all patients")
