"""Two exports of the same patients, or almost the same, tell together no more than each of them may."""

import json
import shutil

import pandas as pd
import pytest
from budget import LONG, budget
from made import finished, random_cohort, results

from nxp2lib import cohort
from nxp2lib.release import disclosure, export, releases, verify
from nxp2lib.run import record

pytestmark = pytest.mark.usefixtures("few_rows")


@pytest.fixture
def centre(tmp_path):
    """Return a function that exports some patients of one centre, beside whose cohort the list of releases lies."""
    (tmp_path / "cohort.csv").write_text("the file is not read", encoding="utf-8")

    def run(frame, minimum: int, name: str, age_limit: int = 18) -> export.Report:
        folder = finished(cohort.prepare(frame, juvenile_below_age=age_limit), tmp_path / name)
        files = [f"results/{source}.csv" for source in export.SOURCES]
        left = {name: record.checksum(folder / name) for name in files}
        entry = {"parameters": {"juvenile_below_age": age_limit, "cohort_path": "c.csv"}, "left": left}
        manifest = {"cohort": "../cohort.csv", "notebooks": {"01_cohort": entry}}
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return export.write(folder, minimum)

    return run


@pytest.fixture(scope="module")
def frame():
    return random_cohort(150, seed=4, missing=0.03)


def told(*reports: export.Report, apart: int) -> list:
    """What somebody works out who has several exports: hidden counts that are less open than asked."""
    *earlier, last = [export.seen(export.read(one.folder), age_limit(one), one.minimum) for one in reports]
    keys = set().union(*(one.blocks for one in [*earlier, last])) | hidden(*reports)
    search = disclosure.Search(last, earlier, disclosure.watched(last, earlier, keys), apart)
    return [one.key for one in search.exposed(set())]


def age_limit(report: export.Report) -> float:
    return json.loads((report.folder / "export.json").read_text(encoding="utf-8"))["parameters"]["juvenile_below_age"]


def hidden(*reports: export.Report) -> set:
    listed = pd.concat([pd.read_csv(one.folder / "proof.csv") for one in reports])
    return {(row, group) for row, group in listed[["row", "group"]].itertuples(index=False) if " below " not in row}


def test_two_minimums_of_one_run(centre, frame, tmp_path):
    """Minimums of 5 and 6 hide different counts: what one shows is used against what the other hides."""
    one = centre(frame, 5, "one")
    other = centre(frame, 6, "other")
    assert (one.earlier, other.earlier) == (0, 1)
    assert not told(one, other, apart=5)
    assert verify.check(other.folder).earlier == 1


def test_without_the_list_an_export_of_one_patient_less_tells_of_that_patient(centre, frame, tmp_path):
    """The attack itself: it must succeed where nothing stands against it, or the other tests say nothing."""
    one = centre(frame, 5, "one")
    (tmp_path / "releases.json").unlink()
    other = centre(frame.iloc[:-1], 5, "other")
    assert ("dysphagia", "total") in told(one, other, apart=5)


def test_two_age_limits(centre, frame):
    """Limits of 18 and 16 years tell, by subtraction, of the few patients of 16 and 17."""
    between = frame["age_at_onset"].astype(int).between(16, 17).sum()
    assert 0 < between < 5
    one, other = centre(frame, 5, "one"), centre(frame, 5, "other", age_limit=16)
    assert other.earlier == 1 and not told(one, other, apart=5)
    assert verify.check(other.folder).earlier == 1


@pytest.mark.parametrize("change", ["one patient less", "one patient more"])
def test_one_patient_less_or_more_is_refused(centre, frame, change, tmp_path):
    """All that is shown of both would tell everything about that patient."""
    sets = {"one patient less": (frame, frame.iloc[:-1]), "one patient more": (frame.iloc[:-1], frame)}
    before, after = sets[change]
    centre(before, 5, "before")
    listed = (tmp_path / "releases.json").read_bytes()
    with pytest.raises(export.ExportError, match="together with earlier exports"):
        centre(after, 5, "after")
    assert not (tmp_path / "after" / "export").exists() and (tmp_path / "releases.json").read_bytes() == listed


def test_an_answer_that_was_corrected_is_hidden_or_refused(centre, frame):
    one = centre(frame, 5, "one")
    corrected = frame.copy()
    place = corrected.index[corrected["dysphagia"] == "0"][0]
    corrected.loc[place, "dysphagia"] = "1"
    try:
        other = centre(corrected, 5, "other")
    except export.ExportError:
        return
    assert ("dysphagia", "total") not in export.seen(export.read(other.folder), 18, 5).blocks
    assert verify.check(other.folder).earlier == 1 and one.earlier == 0


@pytest.mark.skipif(not LONG, reason="ten seconds: make test-long")
def test_many_new_patients_can_be_added(centre, frame):
    grown = random_cohort(140, seed=4, missing=0.03).assign(patient_id=lambda made: "N" + made["patient_id"])
    one = centre(frame, 5, "one")
    other = centre(pd.concat([frame, grown]), 5, "other")
    assert other.shown >= 3 and not told(one, other, apart=5)
    assert verify.check(other.folder).earlier == 1


def test_the_same_export_once_more_is_no_further_one(centre, frame, tmp_path):
    first = centre(frame, 5, "one")
    before = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    listed = (tmp_path / "releases.json").read_bytes()
    shutil.rmtree(first.folder.parent)
    again = centre(frame, 5, "one")
    assert {path.name: path.read_bytes() for path in again.folder.iterdir()} == before
    assert (tmp_path / "releases.json").read_bytes() == listed


def test_the_list_holds_what_was_shown_and_nothing_about_patients(centre, frame, tmp_path):
    report = centre(frame, 5, "one")
    (release,) = json.loads((tmp_path / "releases.json").read_text(encoding="utf-8"))
    shown = export.seen(export.read(report.folder), 18, 5)
    assert releases.shown_by(release).blocks == shown.blocks
    said = {"nxp2lib", "parameters", "patients", "apart", "earlier_exports", "sha256"}
    assert set(release) == {*said, "blocks", "numbers"}
    assert not set(frame["patient_id"]) & set(json.dumps(release).replace('"', " ").split())
    assert "cohort" not in "".join(release["parameters"])


def test_the_export_names_every_parameter_that_its_numbers_rest_on(centre, frame):
    report = centre(frame, 5, "one", age_limit=16)
    said = json.loads((report.folder / "export.json").read_text(encoding="utf-8"))
    assert said["parameters"] == {"minimum": 5, "juvenile_below_age": 16}


def test_without_the_list_it_is_said_what_is_not_promised(frame, tmp_path):
    folder = finished(cohort.prepare(frame), tmp_path / "run")
    report = export.write(folder, 5)
    assert "No list of earlier exports is known" in str(report)
    assert "not known here, and not checked" in str(verify.check(folder))


def test_a_list_that_was_damaged_is_refused(centre, frame, tmp_path):
    (tmp_path / "releases.json").write_text('[{"patients": 3}]', encoding="utf-8")
    with pytest.raises(releases.ReleasesError, match="not a list of releases"):
        centre(frame, 5, "one")
    (tmp_path / "releases.json").unlink()
    (tmp_path / "releases.json").mkdir()
    with pytest.raises(releases.ReleasesError):
        centre(frame, 5, "two")
    assert not (tmp_path / "two" / "export").exists()


def test_results_that_were_changed_or_made_with_different_settings_are_refused(centre, frame, tmp_path):
    folder = centre(frame, 5, "one").folder.parent
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    other = manifest["notebooks"]["01_cohort"] | {"parameters": {"juvenile_below_age": 16}}
    manifest["notebooks"]["02_other"] = other
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(export.ExportError, match="juvenile_below_age is 18 in some notebooks and 16 in 02_other"):
        export.write(folder, 5)
    with (folder / "results" / "text.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(export.ExportError, match="not as 01_cohort left it; run the notebooks again"):
        export.write(folder, 5)


@pytest.mark.parametrize("minimum", budget([5], [3, 5, 8, 10]))
@pytest.mark.parametrize("seed", range(budget(1, 30)))
def test_random_exports_hold(seed, minimum, tmp_path):
    """Thirty cohorts of all sizes at four minimums in the long tests; each is counted again."""
    number = 30 + 11 * seed
    patients = cohort.prepare(random_cohort(number, seed=seed, missing=0.02 * (seed % 5)))
    folder = finished(patients, tmp_path / "run")
    report = export.write(folder, minimum)
    assert verify.check(folder).hidden == report.small + report.further
    blocks = export.blocks(results(patients))
    assert report.shown + report.small + report.further == len(blocks)
    shown = export.seen(export.read(report.folder), 18, minimum)
    assert all(blocks[key] == block for key, block in shown.blocks.items())
