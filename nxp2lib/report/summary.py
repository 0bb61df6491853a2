"""One page that sums a run up: a cohort beside the published one, row by row."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path

import pandas as pd
from markupsafe import Markup
from matplotlib import pyplot as plt

from nxp2lib import cohort, dictionary, figure, formats, paths, published, table
from nxp2lib.report import drawing, pages, recomputed

TITLES = {
    ("table1", "total"): "All patients",
    ("table1", "juvenile"): "Juveniles",
    ("table1", "adult"): "Adults",
    ("table2", "limited"): "Limited weakness, within the proximal limbs",
    ("table2", "extended"): "Extended weakness, to the distal limbs",
}
LIMITS = [
    "A difference between two cohorts is not a difference of the disease: who was tested, when and how differs too.",
    "Many rows are compared. Where nothing differed, some intervals would still exclude zero, about one in twenty at "
    "95 %.",
    "Only printed numbers of the published cohort are known, and not all of them can be true together; notebook 05 "
    "names them. Means and medians have no interval, since the spread that it rests on is not printed.",
    "Nothing here is medical advice or a basis for decisions about a patient.",
]


def number_cells(record) -> tuple[str, str, str]:
    """Return the cells of one row of `nxp2lib.report.beside.compare_cohorts`: published, yours, difference."""
    if record.statistic == "percent":
        shown = [
            f"{int(n)}/{int(of)} ({table.percentage(n, of)} %)" if of else table.NOT_COMPUTABLE
            for n, of in [(record.published_n, record.published_denominator), (record.n, record.denominator)]
        ]
        return (*shown, _difference(record, 1))
    if record.statistic == "p_value":
        return record.printed, table.p_value(record.yours), ""
    if record.statistic == "sir":
        ratio = table.estimate(record.difference, record.ci_low, record.ci_high)
        return table.number(record.published, 1), table.number(record.yours, 1), f"ratio {ratio}"
    return record.printed, table.number(record.yours, 0), _signed(record.difference, 0)


def _difference(record, decimals: int) -> str:
    if pd.isna(record.difference):
        return table.NOT_COMPUTABLE
    low, high = (_signed(limit, decimals) for limit in (record.ci_low, record.ci_high))
    return f"{_signed(record.difference, decimals)} ({low} to {high})"


def _signed(value: float, decimals: int) -> str:
    if pd.isna(value):
        return table.NOT_COMPUTABLE
    shown = table.number(abs(value), decimals)
    sign = "" if not float(shown) else "−" if value < 0 else "+"
    return sign + shown


def rows(compared: pd.DataFrame, result: str, group: str) -> list[tuple[str, ...]]:
    """Return the table of one group: sections as rows of one cell, then label, published, yours, difference."""
    here = compared[(compared["result"] == result) & (compared["group"] == group) & (compared["row"] != "female")]
    lines = []
    for record in here.itertuples(index=False):
        column = dictionary.column(record.row)
        kind = {"mean": f", mean, {column.unit}", "median": f", median, {column.unit}"}.get(record.statistic, "")
        lines.append((column.section, (column.label + kind, *number_cells(record))))
    return list(formats.sectioned(lines))


def page(patients: pd.DataFrame, compared: pd.DataFrame, settings: dict[str, object]) -> str:
    """Return the page as HTML without outside parts.

    ``patients`` comes from `nxp2lib.cohort.load`, ``compared`` from `nxp2lib.report.beside.compare_cohorts`;
    ``settings`` are the parameters of the run, named for the reader, with ``confidence`` among them.
    """
    level = f"{100 * float(settings['confidence']):g} %"
    header = ("Finding", "Published", "Yours", f"Difference, percentage points ({level} interval)")
    parts = [pages.paragraphs(f"{_published()} {_yours(patients)}")]
    if cohort.is_reconstructed(patients):
        said = (
            "These patients are reconstructed from the published tables, so that both columns agree as far as can be."
        )
        parts.append(pages.paragraphs(said, kind="note"))
    parts.append(_drawn(drawing.beside(patients, compared, float(settings["confidence"]))))
    for (result, group), title in TITLES.items():
        parts += [pages.heading(title), pages.table(header, rows(compared, result, group))]
    parts += [pages.heading("Malignancies of adults"), _malignancies(compared)]
    parts += [pages.heading("P values between the groups"), _p_values(compared)]
    parts += [pages.heading("What this does not show"), pages.paragraphs(*LIMITS)]
    said = "; ".join(f"{name.replace('_', ' ')} {value}" for name, value in settings.items())
    parts += [pages.heading("Settings"), pages.paragraphs(f"{said}; {_limit(patients)}. {_absent(patients)}")]
    return pages.page("Your cohort beside the published one", Markup("\n").join(parts), cohort.provenance(patients))


def save(patients: pd.DataFrame, compared: pd.DataFrame, output_dir: str | Path, **settings: object) -> None:
    """Write the page as ``summary.html`` and the comparison as ``results/beside.csv`` in the output folder.

    ``settings`` are the parameters of the run, as in `page`.
    """
    folder = paths.output_folder(output_dir)
    with paths.replacing(folder / "results" / "beside.csv") as partial:
        compared.to_csv(partial, index=False, lineterminator="\n")
    with paths.replacing(folder / "summary.html") as partial:
        partial.write_text(page(patients, compared, settings), encoding="utf-8", newline="\n")


def first_look(patients: pd.DataFrame, agreement: pd.DataFrame, compared: pd.DataFrame) -> table.Table:
    """Return what a reader wants to see first: two cohorts side by side, or what differs in the reconstructed one.

    ``agreement`` comes from `nxp2lib.report.recomputed.agreement`, ``compared`` from
    `nxp2lib.report.beside.compare_cohorts`.
    """
    if cohort.is_reconstructed(patients):
        differs = agreement[agreement["agreement"] == "differs"]
        shown = {"Number": differs["id"], "Printed": differs["printed"], "Computed": recomputed.traceable(differs)}
        return table.from_frame(pd.DataFrame(shown), "Printed numbers that differ from the computed ones")
    listed = [row for row in rows(compared, "table1", "total") if len(row) > 1]
    columns = ["Finding", "Published", "Yours", "Difference (interval)"]
    return table.from_frame(pd.DataFrame(listed, columns=columns), "The published cohort beside yours, all patients")


def _published() -> str:
    groups = ("total", "juvenile", "adult")
    total, juvenile, adult = (published.printed(f"table1/patients/{group}/n", "table1") for group in groups)
    return f"Published: {total} Japanese patients, {juvenile} juvenile and {adult} adult."


def _yours(patients: pd.DataFrame) -> str:
    sizes = patients["age_group"].value_counts()
    return f"Yours: {len(patients):,} patients, {sizes['juvenile']:,} juvenile and {sizes['adult']:,} adult."


def _limit(patients: pd.DataFrame) -> str:
    return f"juvenile below {patients.attrs['juvenile_below_age']:g} years"


def _absent(patients: pd.DataFrame) -> str:
    absent = [dictionary.label(name) for name in patients.attrs.get("absent", []) if name != "synthetic"]
    return f"Not in your file: {', '.join(absent)}." if absent else ""


def _drawn(made: figure.DescribedFigure) -> Markup:
    picture = BytesIO()
    made.savefig(picture, format="png", dpi=150)
    plt.close(made)  # a notebook would show it again
    code = b64encode(picture.getvalue()).decode()
    return Markup('<figure><img alt="{}" src="data:image/png;base64,{}"></figure>').format(made.alternative_text, code)


def _malignancies(compared: pd.DataFrame) -> Markup:
    (record,) = compared[compared["statistic"] == "sir"].itertuples(index=False)
    theirs, yours, ratio = number_cells(record)
    counts = ("Observed", str(int(record.published_n)), str(int(record.n)), "")
    row = ("Standardized incidence ratio", theirs, yours, ratio)
    return pages.table(("", "Published", "Yours", "Yours divided by published"), [counts, row])


def _p_values(compared: pd.DataFrame) -> Markup:
    between = {"table1": "juveniles and adults", "table2": "limited and extended weakness"}
    tested = compared[compared["statistic"] == "p_value"]
    listed = [
        (dictionary.label(record.row), between[record.result], *number_cells(record)[:2])
        for record in tested.itertuples(index=False)
    ]
    return pages.table(("Finding", "Between", "Published, as printed", "Yours, two-sided"), listed)
