"""What leaves a centre: aggregates that hide what is small, in every file, with a proof that is checked."""

import re
import zipfile
from html import escape

import numpy as np
import pandas as pd
import pytest
from made import finished, random_cohort, results

from nxp2lib import cohort, compare, describe, dictionary, findings, published, table
from nxp2lib.release import disclosure, export, outgoing, verify
from nxp2lib.release.model import Block

MINIMUM = 8


@pytest.fixture(scope="module")
def patients():
    return cohort.prepare(random_cohort(250, seed=5, missing=0.08))


@pytest.fixture(scope="module")
def exported(patients, tmp_path_factory):
    """The export of a run of 250 random patients."""
    folder = finished(patients, tmp_path_factory.mktemp("centre") / "run")
    report = export.write(folder, MINIMUM)
    assert report.folder == folder / "export"
    return report


def texts(folder) -> dict[str, str]:
    """What each file of an export says, the Word documents too."""
    found = {}
    for path in folder.iterdir():
        if path.suffix == ".docx":
            with zipfile.ZipFile(path) as parts:
                found[path.name] = " ".join(parts.read(name).decode() for name in parts.namelist() if "xml" in name)
        else:
            found[path.name] = path.read_text(encoding="utf-8")
    return found


def long(folder, name) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv", dtype={"display": str}).set_index(["row", "group", "statistic"])


def test_what_is_shown_is_what_was_computed_and_never_small(exported, patients):
    original = results(patients)
    shown = 0
    for name in ("table1", "table2", "figure1", "text"):
        released, before = long(exported.folder, name), original[name].set_index(["row", "group", "statistic"])
        counts = released.query("statistic in ('n', 'denominator', 'missing') and value == value")
        assert (counts["value"] == before.loc[counts.index, "value"]).all()
        for (row, group, _), value in counts.query("statistic == 'n'")["value"].items():
            assert value >= MINIMUM, (row, group)
            if row != "patients":
                assert released.loc[(row, group, "denominator"), "value"] - value >= MINIMUM, (row, group)
            shown += 1
    assert shown > 40 and exported.small > 5


def stands(label: str, block: Block, text: str) -> bool:
    """Tell whether a row with this label shows this count, whatever tags stand between."""
    rows = [part.partition("</tr>")[0].partition("</w:tr>")[0] for part in text.split(escape(label))[1:]]
    return any(f">{block.yes}/{block.yes + block.no} (" in row for row in rows)


def test_a_hidden_count_stands_in_no_file(exported, patients):
    hidden = pd.read_csv(exported.folder / "proof.csv").set_index(["row", "group"])
    assert len(hidden)
    for name in ("table1", "table2", "figure1", "text"):
        released = long(exported.folder, name)
        for row, group, statistic in released.index:
            if (row, group) in hidden.index:
                assert np.isnan(released.loc[(row, group, statistic), "value"])
                assert released.loc[(row, group, statistic), "display"] == "hidden"
    said = texts(exported.folder)
    blocks = outgoing.blocks(results(patients))
    checked = 0
    printed = set(published.rows("table1")["row"]) - {"female", "age_at_onset", "max_creatine_kinase"}
    for row, group in blocks:
        if row in printed and group in ("total", "juvenile", "adult"):
            is_hidden = (row, group) in hidden.index
            for name in ("index.html", "table1.html", "table1.docx"):
                assert stands(dictionary.label(row), blocks[row, group], said[name]) != is_hidden, (row, group, name)
            checked += is_hidden
    assert checked


def test_tables_mark_what_is_hidden(exported):
    released = pd.read_csv(exported.folder / "table1.csv", dtype={"display": str})
    shown = outgoing.displayed(released, "table1", MINIMUM)
    cells = [cell for line in shown.body if len(line) > 1 for cell in line[1:]]
    assert outgoing.MARK in cells
    for line in shown.body:
        if len(line) > 1 and outgoing.MARK in line[2:4]:
            assert line[4] in (outgoing.MARK, ""), line  # no P value of a hidden group
    assert f"below {MINIMUM}" in shown.footnotes[0]


def test_no_value_of_a_single_patient_is_left(exported, patients):
    for name in ("table1", "table2"):
        released = long(exported.folder, name)
        assert not {"minimum", "maximum", "u"} & set(released.index.get_level_values("statistic"))
        quartiles = released.query("statistic in ('q1', 'median', 'q3')")["value"].dropna()
        assert len(quartiles) and all(value % 10 == 0 and float(f"{value:.2g}") == value for value in quartiles)
    everything = " ".join(texts(exported.folder).values())
    assert not set(re.findall(r"\bP[0-9a-f]{3,5}\b", everything)) & set(patients["patient_id"])
    rows = {row for name in outgoing.SOURCES for row, *_ in long(exported.folder, name).index}
    assert not rows & set(patients["malignancy_site"].dropna())


def test_every_number_has_the_digits_that_are_displayed_and_no_more(exported, patients):
    """The ratio that a confidence interval rests on, or a mean at full precision, tells more than its table prints."""
    original, rounded = results(patients), 0
    for name in outgoing.SOURCES:
        before = original[name].set_index(["row", "group", "statistic"])["value"]
        for place, value, display in long(exported.folder, name)[["value", "display"]].itertuples():
            if not np.isnan(value):
                assert value == float(display), place
                rounded += value != before[place]
    assert rounded > 50


def test_comparisons_of_values_and_whatever_rests_on_them_stay(exported):
    for name in ("table1", "table2"):
        released = long(exported.folder, name)
        assert ("max_creatine_kinase", "comparison") not in {place[:2] for place in released.index}
        stays = {"p_holm", "shift", "superiority", "p_exact", "p_approximate"}
        assert not stays & set(released.index.get_level_values("statistic"))


def test_every_p_value_and_odds_ratio_follows_from_counts_that_are_shown(exported):
    """So they tell nothing that the counts of their row do not."""
    checked = 0
    for name, groups in (("table1", ("juvenile", "adult")), ("table2", ("limited", "extended"))):
        released = long(exported.folder, name)
        for row, _, statistic in released.query("group == 'comparison' and display != 'hidden'").index:
            n, known = ([int(released.loc[(row, group, one), "value"]) for group in groups]
                        for one in ("n", "denominator"))  # fmt: skip
            table_ = [[n[1], known[1] - n[1]], [n[0], known[0] - n[0]]]
            again = compare.fisher(table_, 0.95)._asdict()[statistic]
            shown = table.p_value(again) if statistic == "p_value" else table.number(again)
            assert released.loc[(row, "comparison", statistic), "display"] == shown
            checked += 1
    assert checked > 20


def test_quartiles_of_fewer_than_four_times_the_minimum_are_hidden(patients):
    """A quarter of the patients lies below the first quartile: that is a count, too."""
    seen = outgoing.seen(results(patients), 18, MINIMUM).numbers
    for (row, group, statistic), _ in seen.items():
        if statistic in outgoing.PARTS:
            assert seen[row, group, "denominator"][0] >= outgoing.PARTS[statistic] * MINIMUM
    few = outgoing.seen(results(patients), 18, 60).numbers
    assert ("max_creatine_kinase", "total", "median") in few and ("max_creatine_kinase", "total", "q1") not in few


@pytest.mark.parametrize("method", describe.QUANTILE_METHODS)
def test_made_up_values_give_the_printed_quartiles_by_every_method(exported, method):
    shown, checked = outgoing.seen(outgoing.read(exported.folder), 18, MINIMUM), 0
    for patients in verify.read_cohorts(exported.folder, shown, set()):
        for (row, group, statistic), (low, high) in shown.numbers.items():
            if statistic in describe.QUARTERS:
                values = patients[(findings.holds(group, patients) == 1).fillna(False)][row]
                assert low <= describe.quantiles(values, method)[statistic] < high
                checked += 1
    assert checked > 10


def test_who_has_which_age_and_sex_does_not_leave(patients, tmp_path, monkeypatch):
    """A man and a woman of the same groups change ages: what is expected of malignancies differs, no export may.

    Expected cases for one to ten years at risk are sums of public rates; they once gave away every adult's age and sex.
    No count and no number is hidden here, so that as much as possible is compared.
    """
    monkeypatch.setattr(export, "_protected", lambda everything, *_: (everything, set(), set()))
    monkeypatch.setattr(disclosure, "certificates", lambda *_: pd.DataFrame())
    monkeypatch.setattr(verify, "write_proof", lambda *_: None)
    monkeypatch.setattr(verify, "check", lambda *_: None)
    groups = ["age_group", "weakness_extent"]
    adults = patients[patients["age_group"] == "adult"].dropna(subset=["sex", "age_at_onset", *groups])
    extended = adults[adults["weakness_extent"] == "extended"]
    man = extended[extended["sex"] == "male"]["age_at_onset"].idxmax()
    woman = extended[extended["sex"] == "female"]["age_at_onset"].idxmin()
    changed = patients.copy()
    changed.loc[[man, woman], "age_at_onset"] = patients.loc[[woman, man], "age_at_onset"].to_numpy()
    one, other = results(patients)["malignancy"], results(changed)["malignancy"]
    assert not one["value"].equals(other["value"])
    centres = {"one": patients, "other": changed}
    exports = [texts(export.write(finished(who, tmp_path / name), MINIMUM).folder) for name, who in centres.items()]
    assert exports[0] == exports[1]
    assert not [name for name in exports[0] if "malignancy" in name]


def test_a_minimum_that_hides_nothing_is_refused(tmp_path):
    with pytest.raises(export.ExportError, match="accepted: 2 or more"):
        export.write(tmp_path, 1)


def test_a_folder_without_a_finished_run_is_one_sentence(tmp_path):
    with pytest.raises(export.ExportError, match=r"results/table1.csv is missing; run all notebooks first"):
        export.write(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("patients", [1, 5])
def test_of_a_handful_of_patients_nothing_is_left(patients, tmp_path):
    folder = finished(cohort.prepare(random_cohort(patients, seed=3)), tmp_path / "run")
    try:
        report = export.write(folder, MINIMUM)
    except export.ExportError:
        assert not (folder / "export").exists()
        return
    assert report.shown == 0
