"""Draw a cohort beside the published one."""

import pandas as pd

from nxp2lib import dictionary, figure, table

PUBLISHED, YOURS = "#0072B2", "#D55E00"


def beside(cohort: pd.DataFrame, compared: pd.DataFrame, confidence: float) -> figure.DescribedFigure:
    """Draw all patients' findings from `beside.compare_cohorts`: both shares, and the difference with its interval."""
    rows = compared[(compared["result"] == "table1") & (compared["group"] == "total")]
    rows = rows[(rows["statistic"] == "percent") & (rows["row"] != "female")].reset_index(drop=True)
    drawn, (left, right) = figure.new(10, 1.6 + 0.32 * len(rows), ncols=2, width_ratios=[1.3, 1], sharey=True)
    for place, row in rows.iterrows():
        left.plot([row["published"], row["yours"]], [place, place], color="#BBBBBB", linewidth=1, zorder=1)
        right.plot([row["ci_low"], row["ci_high"]], [place, place], color=figure.COLOURS["total"], linewidth=1.6)
        right.plot(row["difference"], place, "s", color=figure.COLOURS["total"], markersize=5)
    left.plot(rows["published"], rows.index, "o", color=PUBLISHED, label="published", zorder=2)
    left.plot(rows["yours"], rows.index, "D", color=YOURS, label="yours", markersize=5, zorder=3)
    left.set(yticks=rows.index, yticklabels=[dictionary.label(row) for row in rows["row"]], xlim=(-3, 103),
             xlabel="Patients with the finding (%)", ylim=(len(rows) - 0.4, -0.6))  # fmt: skip
    left.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=9, borderaxespad=0.2)
    right.axvline(0, color="black", linewidth=0.8)
    right.set_xlabel(f"Difference, percentage points\n({100 * confidence:g} % interval)")
    known = rows.dropna(subset="difference")
    apart = int(((known["ci_low"] > 0) | (known["ci_high"] < 0)).sum())
    title = f"{apart} of {len(known)} findings differ from the published cohort: their interval excludes zero"
    figure.headline(drawn, title)
    said = [
        f"{dictionary.label(row.row)} {table.number(row.published, 1)} and {table.number(row.yours, 1)} percent"
        for row in rows.itertuples()
    ]
    return figure.finish(drawn, cohort, f"{title}. Published and own share: {'; '.join(said)}.")
