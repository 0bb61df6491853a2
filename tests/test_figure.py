"""Figures: they show every patient, survive one-sided cohorts, and speak to those who cannot see them."""

import re
from functools import cache
from itertools import combinations

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from budget import budget
from made import random_cohort
from test_describe import five_patients

from nxp2lib import cohort, compare, describe, figure, incidence, published
from nxp2lib.report import beside, drawing

COHORTS = {
    "the default cohort": lambda: cohort.load(),
    "200 random patients": lambda: cohort.prepare(
        random_cohort(200, seed=8, missing=0.1).rename(index=lambda i: i + 2)
    ),
    "only juveniles": lambda: five_patients(age_at_onset=["4"] * 5, malignancy=["0"] * 5),
    "only adults": lambda: five_patients(age_at_onset=["44"] * 5, malignancy=["1"] * 5),
    "nobody with distal weakness": lambda: five_patients(distal_weakness=["0"] * 5),
    "no creatine kinase": lambda: five_patients(max_creatine_kinase=[""] * 5),
}
SIDES = budget(
    [name for name in COHORTS if name not in ("only adults", "nobody with distal weakness", "no creatine kinase")],
    list(COHORTS),
)
SAVED = budget(["the default cohort"], list(COHORTS))  # the others are drawn, and not written to files


@pytest.fixture(autouse=True, scope="module")
def figures_stay_open():
    with plt.rc_context({"figure.max_open_warning": 0}):
        yield
    plt.close("all")


@cache
def drawn(name: str) -> dict[str, figure.DescribedFigure]:
    """Every figure of one of the cohorts, drawn once for all tests."""
    patients = COHORTS[name]()
    rows = published.rows("table1")
    compared = compare.compare(patients, rows, "age_group")
    cancers = incidence.malignancies(patients)
    results = {"table1": compare.two_groups(patients, rows, "age_group"), "malignancy": cancers}
    results["table2"] = compare.two_groups(patients, published.rows("table2"), "weakness_extent")
    skin = describe.summarize(patients, pd.DataFrame({"row": ["any_rash"], "kind": ["count"]}), "age_group")
    return {
        "phenotypes": figure.phenotype_proportions(patients, describe.phenotypes(patients)),
        "ages": figure.age_histogram(patients),
        "frequencies": figure.frequencies(patients, skin, ["any_rash"], "age_group"),
        "forest": figure.forest(patients, compared, "age_group", 0.95),
        "creatine kinase": figure.creatine_kinase(patients, "weakness_extent", "weibull"),
        "titers": figure.titers(patients, describe.running_text(patients)),
        "incidence": figure.incidence_ratio(patients, cancers, 0.95),
        "beside": drawing.beside(patients, beside.compare_cohorts(results), 0.95),
    }


# What other tests left to the garbage collector may be reported while a figure is drawn; the figure did not warn.
@pytest.mark.filterwarnings("error", "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", SIDES)
def test_every_figure_is_drawn_without_a_warning_and_with_words(name, tmp_path):
    patients = COHORTS[name]()
    for title, made in drawn(name).items():
        assert cohort.provenance(patients) in made.alternative_text, title
        assert not re.search(r"\bnan\b", made.alternative_text), made.alternative_text
        if name in SAVED:
            figure.save(made, title, tmp_path)
        else:
            made.canvas.draw()
    assert name not in SAVED or len(list((tmp_path / "figures").iterdir())) == 16


def test_every_patient_is_a_visible_dot():
    patients = cohort.load()
    made = figure.creatine_kinase(patients, "age_group", "weibull")
    made.canvas.draw()
    axis = made.axes[0]
    dots = axis.transData.transform(np.vstack([dots.get_offsets() for dots in axis.collections]))
    assert len(dots) == patients["max_creatine_kinase"].notna().sum()
    apart = [np.hypot(*(one - other)) for one, other in combinations(dots, 2)]
    assert min(apart) > 0.9 * 5 * made.dpi / 72  # a dot's width, in pixels


def test_of_real_patients_and_of_many_only_classes_are_drawn():
    real = cohort.load()
    real["synthetic"] = False
    many = cohort.prepare(random_cohort(301, seed=8).assign(synthetic="1").rename(index=lambda i: i + 2))
    for patients in (real, many):
        made = figure.creatine_kinase(patients, "age_group", "weibull")
        assert not made.axes[0].collections  # no dot of a patient
        levels = set(patients["max_creatine_kinase"].dropna())
        powers = [8 * np.log10(bar.get_y()) for bar in made.axes[0].patches]
        assert len(set(powers)) > 20 and np.allclose(powers, np.round(powers))  # eight classes per power of ten
        ends = {round(bar.get_y() + bar.get_height(), 6) for bar in made.axes[0].patches}
        assert not ends & levels


def test_labels_of_figure_1_are_counts_with_percentages():
    patients = cohort.load()
    made = figure.phenotype_proportions(patients, describe.phenotypes(patients))
    labels = [text.get_text() for axis in made.axes for text in axis.texts]
    assert labels == ["49 (64.5)", "19 (25.0)", "8 (10.5)", "25 (86.2)", "4 (13.8)", "24 (51.1)", "23 (48.9)"]


def test_saved_figures_carry_their_words_and_no_date(tmp_path):
    made = figure.age_histogram(five_patients())
    figure.save(made, "ages", tmp_path)
    svg = (tmp_path / "figures" / "ages.svg").read_text()
    assert "Histogram of age at onset" in svg
    assert "<dc:date>" not in svg
    assert b"Histogram of age at onset" in (tmp_path / "figures" / "ages.png").read_bytes()


def test_a_notebook_gets_the_words_as_alternative_text():
    made = figure.age_histogram(five_patients())
    _, metadata = made._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == made.alternative_text


def test_groups_that_stand_side_by_side_have_different_colours():
    for pair in [
        ("juvenile", "adult"),
        ("limited", "extended"),
        ("dermatomyositis", "polymyositis"),
    ]:
        assert figure.COLOURS[pair[0]] != figure.COLOURS[pair[1]]
    assert set(figure.COLOURS) == set(figure.NAMES)


def test_titles_state_what_was_found():
    made = drawn("the default cohort").values()
    titles = [axis.get_title(loc="left") for figures in made for axis in figures.axes]
    titles += [figures.get_suptitle() for figures in made]
    assert "4 of 20 findings have P < 0.05 between juveniles and adults" in titles
    assert "Median creatine kinase (IU/L): 3543 in limited weakness, 2205 in extended weakness" in titles
    assert "30 of 76 patients (39.5 %) have a titer above 1:40" in titles


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_a_row_of_odds_ratios_is_coloured_where_its_interval_leaves_one_out(confidence):
    patients = cohort.load()
    results = compare.compare(patients, published.rows("table1"), "age_group", confidence)
    numbers = results.pivot(index="row", columns="statistic", values="value").dropna(subset="odds_ratio")
    apart = ((numbers["ci_low"] > 1) | (numbers["ci_high"] < 1)).sum()
    made = figure.forest(patients, results, "age_group", confidence)
    lines = [line for line in made.axes[0].lines if line.get_linewidth() == 1.6 and len(line.get_xdata()) == 2]
    coloured = sum(line.get_color() == figure.MARKED for line in lines)
    assert coloured == apart
    assert f"{apart} of 20 findings have P < {1 - confidence:g} between juveniles and adults" == made.get_suptitle()


def test_a_p_value_at_the_level_itself_is_not_coloured():
    """1 - 0.95 is a hair above 0.05 in binary."""
    found = {"odds_ratio": 3.0, "ci_low": 1.0, "ci_high": 9.0, "p_value": 0.05}
    results = describe.long([(("myalgia", "comparison"), found)])
    assert figure.forest(five_patients(), results, "age_group", 0.95).get_suptitle().startswith("0 of 1 findings")


def outside(axis) -> list:
    """Labels of ticks beyond the ends of an axis, which matplotlib keeps and does not draw."""
    low, high = sorted(axis.get_view_interval())
    return [tick.label1 for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high]


@pytest.mark.parametrize("name", ["the default cohort", "200 random patients", *budget([], ["only adults"])])
def test_nothing_written_reaches_beyond_its_figure(name):
    for title, made in drawn(name).items():
        made.canvas.draw()
        edge = made.get_window_extent()
        unseen = {text for axis in made.axes for text in outside(axis.xaxis) + outside(axis.yaxis)}
        for text in set(made.findobj(plt.Text)) - unseen:
            box = text.get_window_extent()
            if text.get_visible() and text.get_text():
                assert edge.x0 <= box.x0 and box.x1 <= edge.x1 + 1, (title, text.get_text())
