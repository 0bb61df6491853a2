"""Later exports of the same patients show a part of what the first showed, or are refused."""

import json
import shutil
from functools import partial

import numpy as np
import pandas as pd
import pytest
from budget import budget
from made import finished, random_cohort, results

from nxp2lib import cohort
from nxp2lib.release import disclosure, export, outgoing, releases, verify
from nxp2lib.run import record

pytestmark = pytest.mark.usefixtures("few_rows")


@pytest.fixture(scope="module")
def frame():
    return random_cohort(150, seed=4, missing=0.03)


def exported(place, frame, minimum: int, name: str, **settings) -> export.Report:
    """Export some patients of a centre, beside whose cohort the list of releases lies."""
    settings = {"juvenile_below_age": 18} | settings
    folder = finished(cohort.prepare(frame, juvenile_below_age=settings["juvenile_below_age"]), place / name)
    left = {file: record.checksum(folder / file) for file in (f"results/{source}.csv" for source in outgoing.SOURCES)}
    entry = {"parameters": settings | {"cohort_path": "c.csv", "figure_format": "png"}, "left": left}
    manifest = {"cohort": "../cohort.csv", "notebooks": {"01_cohort": entry}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return export.write(folder, minimum)


@pytest.fixture(scope="module")
def first(frame, tmp_path_factory, few_rows):
    """The first export of a centre, with a minimum of 5."""
    place = tmp_path_factory.mktemp("centre")
    (place / "cohort.csv").write_text("the file is not read", encoding="utf-8")
    return exported(place, frame, 5, "first")


@pytest.fixture
def centre(first, tmp_path):
    """A centre that has exported once: return a function that exports again."""
    shutil.copytree(first.folder.parents[1], tmp_path, dirs_exist_ok=True)
    return partial(exported, tmp_path)


def shown(report: export.Report, age_limit: float = 18):
    return outgoing.seen(outgoing.read(report.folder), age_limit, report.minimum)


@pytest.mark.parametrize("minimum", budget([7], [7, 9, 15]))
def test_a_higher_minimum_shows_a_part_of_what_was_shown(centre, first, frame, minimum, monkeypatch):
    """Whoever has both knows what the first shows, and of what it hides nothing more, whatever is hidden now."""
    given, protect = [], disclosure.protect
    monkeypatch.setattr(disclosure, "protect", lambda *asked: given.append(asked) or protect(*asked))
    other = centre(frame, minimum, "other")
    assert (first.earlier, other.earlier) == (5, 5) and verify.check(other.folder).minimum == minimum
    assert shown(other).blocks.items() < shown(first).blocks.items()
    assert shown(other).numbers.items() <= shown(first).numbers.items()
    assert given[-1][2] == outgoing.blocks(results(cohort.prepare(frame))).keys() - shown(first).blocks.keys()
    assert "An earlier export shows all of this and more, with a minimum of 5" in str(other)


@pytest.fixture
def untouched(tmp_path):
    """Check that an export that is refused leaves nothing, and the list as it was."""
    listed = (tmp_path / "releases.json").read_bytes()
    yield
    assert not (tmp_path / "other" / "export").exists() and (tmp_path / "releases.json").read_bytes() == listed


def test_a_lower_minimum_is_refused(centre, frame, untouched):
    """Minimums of 10 and then 8 gave eleven counts exactly: what one hid to protect others, the other showed."""
    with pytest.raises(export.ExportError, match="had a minimum of 5; accepted: 5 or more"):
        centre(frame, 4, "other")


def one_less(frame):
    return frame.iloc[:-1]


def corrected(frame):
    """One answer of a finding that is shown."""
    return frame.assign(dysphagia=frame["dysphagia"].where(frame["patient_id"] != "P001", one_other(frame)))


def one_other(frame) -> str:
    return {"0": "1", "1": "0"}.get(frame["dysphagia"].iloc[0], "1")


def younger(frame):
    """The oldest adult was 30 years younger: no count moves."""
    years = frame["age_at_onset"].astype(int)
    return frame.assign(age_at_onset=years.where(years != years.max(), years.max() - 30).astype(str))


def grown(frame):
    """Almost as many new patients as there were."""
    more = random_cohort(140, seed=4, missing=0.03)
    return pd.concat([frame, more.assign(patient_id="N" + more["patient_id"])])


@pytest.mark.parametrize("change", [one_less, corrected, younger, grown])
def test_an_export_of_other_patients_or_answers_is_refused(centre, frame, change, untouched):
    """All that is shown of both would be subtracted: of one patient, everything would be known."""
    with pytest.raises(export.ExportError, match=r"of other patients, answers or settings.*nothing is written"):
        centre(change(frame), 5, "other")


@pytest.mark.parametrize("setting", [{"juvenile_below_age": 16}, {"confidence": 0.9}, {"quantile_method": "linear"}])
def test_an_export_with_other_settings_is_refused(centre, frame, setting, untouched):
    """Limits of 18 and 16 years told, by subtraction, of the few patients of 16 and 17."""
    with pytest.raises(export.ExportError, match="answers or settings"):
        centre(frame, 5, "other", **setting)


def test_without_the_list_an_export_of_one_patient_less_tells_of_that_patient(centre, first, frame, tmp_path):
    """The attack itself: it must succeed where nothing stands against it, or the other tests say nothing.

    So it is where nobody knows any more where the cohort lay, and the export says so.
    """
    (tmp_path / "cohort.csv").unlink()
    second = centre(one_less(frame), 5, "other")
    assert "No list of earlier exports is known" in str(second)
    one, other = shown(first).blocks, shown(second).blocks
    both = [key for key in one if key[1] == "total" and key[0] in frame and key in other]
    of_one = {row: ("1", "0", "")[np.subtract(one[row, group], other[row, group]).argmax()] for row, group in both}
    assert of_one and of_one.items() <= frame.iloc[-1].to_dict().items()


def test_the_same_export_once_more_is_no_further_one(centre, first, frame, tmp_path):
    listed = (tmp_path / "releases.json").read_bytes()
    again = centre(frame, 5, "again")
    assert {path.name: path.read_bytes() for path in again.folder.iterdir()} == {
        path.name: path.read_bytes() for path in first.folder.iterdir()
    }
    assert (tmp_path / "releases.json").read_bytes() == listed


def test_the_list_holds_what_was_shown_and_nothing_about_patients(first, frame):
    (release,) = json.loads((first.folder.parents[1] / "releases.json").read_text(encoding="utf-8"))
    assert releases.shown_by(release).blocks == shown(first).blocks
    assert set(release) == {"nxp2lib", "parameters", "patients", "sha256", "blocks", "numbers"}
    assert not set(frame["patient_id"]) & set(json.dumps(release).replace('"', " ").split())


def test_the_export_names_every_setting_that_its_numbers_rest_on(first):
    said = json.loads((first.folder / "export.json").read_text(encoding="utf-8"))
    settings = {"juvenile_below_age": 18, "minimum_group": 5, "confidence": 0.95, "quantile_method": "weibull"}
    assert said["parameters"] == {"minimum": 5} | settings


def test_a_list_that_was_damaged_is_refused(centre, frame, tmp_path):
    (tmp_path / "releases.json").write_text('[{"patients": 3}]', encoding="utf-8")
    with pytest.raises(releases.ReleasesError, match="not a list of releases"):
        centre(frame, 5, "one")
    (tmp_path / "releases.json").unlink()
    (tmp_path / "releases.json").mkdir()
    with pytest.raises(releases.ReleasesError):
        centre(frame, 5, "two")
    assert not (tmp_path / "two" / "export").exists()


def test_results_that_were_changed_or_made_with_different_settings_are_refused(centre, tmp_path):
    folder = tmp_path / "first"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["notebooks"]["02_other"] = manifest["notebooks"]["01_cohort"] | {"parameters": {"juvenile_below_age": 16}}
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
    blocks = outgoing.blocks(results(patients))
    assert report.shown + report.small + report.further == len(blocks)
    assert all(blocks[key] == block for key, block in shown(report).blocks.items())
