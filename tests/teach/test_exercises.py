"""Checks say right, or name the mistake; they never say the answer."""

import json

import numpy as np
import pytest
from made import random_cohort

from nxp2lib import cohort
from nxp2lib.audit import attainable
from nxp2lib.teach import exercises

MISTAKES = {"one-sided": "0.079", "chi-square": "0.129"}


@pytest.mark.parametrize("answer", [0.158, "0.158", "0,158", " 0.158 ", 0.15844, np.float64(0.158), "0.1580"])
def test_a_right_answer_may_be_written_in_several_ways(answer, capsys):
    exercises.check("fisher-two-sided", answer, "0.158", MISTAKES)
    assert capsys.readouterr().out == "fisher-two-sided: right\n"


@pytest.mark.parametrize(("answer", "hint"), [(0.079, "one-sided"), ("0.129", "chi-square"), (0.16, "too few digits")])
def test_a_common_mistake_is_named_and_the_answer_is_not(answer, hint, capsys):
    exercises.check("fisher-two-sided", answer, "0.158", MISTAKES)
    said = capsys.readouterr().out
    assert exercises.HINTS[hint] in said and "0.158" not in said


@pytest.mark.parametrize("answer", ["0.160", 0.1601, "0,1599"])
def test_an_answer_with_all_its_decimals_is_not_told_to_give_one_more(answer, capsys):
    exercises.check("fisher-two-sided", answer, "0.158", MISTAKES)
    assert exercises.UNNAMED in capsys.readouterr().out


@pytest.mark.parametrize("answer", [0, -1, "", "none", [], {}, object(), float("nan"), float("inf"), "1e999999", True])
def test_anything_else_is_wrong_and_breaks_nothing(answer, capsys):
    exercises.check("fisher-two-sided", answer, "0.158", MISTAKES)
    assert "not yet" in capsys.readouterr().out


@pytest.mark.parametrize("answer", ["<0.001", "< 0,001", "0.000", 0, 0.0007, 1e-9])
def test_a_p_value_below_what_is_printed_counts_in_both_spellings(answer, capsys):
    sealed = exercises.seal("<0.001", {"two-sided": "0.000", "chi-square": "0.002"}, "salt")
    assert set(sealed["mistakes"]) == {"chi-square"}
    exercises.check("fisher-two-sided", answer, "<0.001", {"two-sided": "0.000", "chi-square": "0.002"})
    assert capsys.readouterr().out == "fisher-two-sided: right\n"


@pytest.mark.parametrize("answer", ["0.001", 0.002, -0.0001, "<0.01", "<0", "<", "< one", "nan"])
def test_what_is_not_below_it_does_not_count(answer, capsys):
    exercises.check("fisher-two-sided", answer, "<0.001", {})
    assert "not yet" in capsys.readouterr().out


def test_a_notebook_keeps_the_solution_beside_the_words(monkeypatch):
    """The book shows it; a trainee's notebook, which has no solution, cannot."""
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    exercises.check("share", None, "73.7", {})
    exercises.check("share", None, exercises.UNKNOWN, {})
    given, none = (found._repr_mimebundle_() for found in shown)
    assert given == ({"text/plain": "share: no answer yet"}, {"text/plain": {"solution": "73.7"}})
    assert none == ({"text/plain": "share: these patients give no answer"}, {})


def test_words_and_truths_are_compared_without_case(capsys):
    exercises.check("smallest-p", "Dysphagia ", "dysphagia", {})
    exercises.check("claim", True, "True", {})
    assert capsys.readouterr().out.count("right") == 2


def test_no_answer_is_not_judged_and_patients_may_give_none(capsys):
    exercises.check("one", None, "0.158", {})
    exercises.check("two", "12", exercises.UNKNOWN, {})
    assert capsys.readouterr().out == "one: no answer yet\ntwo: these patients give no answer\n"


def test_scrambled_answers_are_judged_alike_and_cannot_be_read(tmp_path, monkeypatch, capsys):
    sealed = {"fisher": exercises.seal("0.158", MISTAKES, "salt")}
    (tmp_path / "answers.json").write_text(json.dumps({"salt": "salt", "exercises": sealed}))
    assert "158" not in str(sealed["fisher"]["right"]) or len(sealed["fisher"]["right"]) == 24
    assert exercises.seal("0.158", {}, "other")["right"] != sealed["fisher"]["right"]
    monkeypatch.chdir(tmp_path)
    exercises.check("fisher", 0.158)
    exercises.check("fisher", 0.079)
    said = capsys.readouterr().out
    assert "fisher: right" in said and exercises.HINTS["one-sided"] in said


def test_answers_of_a_class_made_before_limits_were_known_are_judged_as_before(tmp_path, monkeypatch, capsys):
    sealed = exercises.seal("0.158", {}, "salt")
    del sealed["below"]
    (tmp_path / "answers.json").write_text(json.dumps({"salt": "salt", "exercises": {"fisher": sealed}}))
    monkeypatch.chdir(tmp_path)
    exercises.check("fisher", 0.158)
    assert capsys.readouterr().out == "fisher: right\n"


def test_a_mistake_that_leads_to_the_right_answer_is_no_mistake():
    assert exercises.seal("12", {"everybody": 12}, "")["mistakes"] == {}


@pytest.mark.parametrize("seed", range(25))
def test_exactly_one_planted_number_cannot_be(seed):
    patients = cohort.prepare(random_cohort(30, seed))
    lines = exercises.planted_percentages(patients)
    impossible = [line.line for line in lines.itertuples() if not attainable.counts(line.percent, line.patients)]
    assert len(impossible) == 1
    means = exercises.planted_means(patients)
    low, high = (
        ((means["mean_first"] + by) * means["n_first"] + (means["mean_second"] + by) * means["n_second"])
        / (means["n_first"] + means["n_second"])
        for by in (-0.5, 0.5)
    )
    outside = (means["mean_all"] + 0.5 < low) | (means["mean_all"] - 0.5 > high)
    assert outside.sum() == 1


def test_other_patients_get_other_planted_numbers():
    drawn = [exercises.planted_percentages(cohort.prepare(random_cohort(30, seed))).to_csv() for seed in range(10)]
    assert len(set(drawn)) == 10
