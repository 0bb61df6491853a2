"""Draw what the printed numbers leave open."""

import pandas as pd

from nxp2lib import figure


def allowed_counts(cohort: pd.DataFrame, bounds: pd.DataFrame, drawn: pd.DataFrame) -> figure.DescribedFigure:
    """Draw how far unprinted counts can go, as bars, and what they are in drawn cohorts, as dots.

    ``bounds`` has the columns ``question, least, greatest`` of `nxp2lib.reconstruction.bounds.crosses`; ``drawn`` one
    row per cohort and one column per question; ``cohort`` is one of them. A dot grows with the number of cohorts that
    share a count.
    """
    drawn_figure, axis = figure.new(8.5, 1.4 + 0.45 * len(bounds))
    said = []
    for place, row in enumerate(bounds.itertuples()):
        axis.plot([row.least, row.greatest], [place, place], color="#BBBBBB", lw=9, solid_capstyle="butt", zorder=1)
        axis.plot([row.least, row.greatest], [place, place], ls="", marker="|", ms=14, color="#4D4D4D", zorder=2)
        cohorts = drawn[row.question].value_counts()
        axis.scatter(cohorts.index, [place] * len(cohorts), s=12 + 6 * cohorts, color="#0072B2", alpha=0.7, zorder=3)
        found = f"{drawn[row.question].min()} to {drawn[row.question].max()}"
        said.append(f"{row.question}: {row.least} to {row.greatest} allowed, {found} in the cohorts drawn")
    names = [question.replace("_", " ") for question in bounds["question"]]
    axis.set(yticks=range(len(bounds)), yticklabels=names, xlabel="Patients", ylim=(len(bounds) - 0.4, -0.6))
    settled = int((bounds["least"] == bounds["greatest"]).sum())
    title = f"The printed numbers settle {settled} of {len(bounds)} unprinted counts"
    figure.headline(drawn_figure, title)
    return figure.finish(drawn_figure, cohort, f"{title}. {'. '.join(said)}.")
