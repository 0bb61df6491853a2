"""A class: cohorts that differ, notebooks without solutions, and points that neither tricks nor accidents move."""

import json
import re
import shutil

import nbformat
import pandas as pd
import pytest
from budget import budget
from typer.testing import CliRunner

from nxp2lib import cli, cohort, paths, run
from nxp2lib.teach import exercises, grade, trainees

NAMES = [path.stem for path in sorted(paths.NOTEBOOKS.glob("*.ipynb"))]
FIRST = NAMES[0]
DONE = budget(NAMES[:4], NAMES[:-1])  # what one trainee answers without a mistake


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A class for whom nobody has answered anything."""
    listed = ["perfect", "empty", "wrong", "eats", "patches", "prints", "starts", "broken", "gone"]
    return trainees.write(tmp_path_factory.mktemp("course") / "class", listed, seed=3)


@pytest.fixture(scope="module")
def key(made):
    return trainees.read_key(made)


def parameters_cell(path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return next(cell.source for cell in cells if "parameters" in cell.metadata.get("tags", []))


def answered(folder, notebook: str, answers: dict[str, str]) -> None:
    """Write source code into answer cells: ``answers`` gives it by exercise."""
    path = folder / f"{notebook}.ipynb"
    content = json.loads(path.read_text(encoding="utf-8"))
    cells = content["cells"]
    for place, cell in enumerate(cells):
        for exercise, code in answers.items():
            if cell["source"] == f'check("{exercise}", answer)':
                cells[place - 1]["source"] = code
    path.write_text(json.dumps(content), encoding="utf-8")


def right(key: pd.DataFrame, trainee: str, notebook: str) -> dict[str, str]:
    mine = key[(key["trainee"] == trainee) & (key["notebook"] == notebook)]
    return {row.exercise: f"answer = {row.answer!r}" for row in mine.itertuples()}


# Making


def test_every_trainee_gets_every_notebook_and_a_cohort_that_is_accepted(made, key):
    for folder in (made / "trainees").iterdir():
        names = {path.name for path in folder.iterdir()}
        assert names == {*(f"{name}.ipynb" for name in NAMES), "cohort.csv", "answers.json"}
        patients = cohort.load(folder / "cohort.csv")
        assert patients["synthetic"].all() and len(patients) == 76
    assert (key.groupby("trainee")["exercise"].nunique() >= 25).all()


def test_no_solution_output_or_key_is_in_what_trainees_get(made, key):
    for name in NAMES:
        text = (made / "trainees" / "empty" / f"{name}.ipynb").read_text(encoding="utf-8")
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        assert not any(cell["outputs"] for cell in cells)
        assert "solution" not in "".join("".join(cell["source"]) for cell in cells)
        assert "solution" not in {tag for cell in cells for tag in cell["metadata"].get("tags", [])}
    kept = json.loads((made / "trainees" / "empty" / "answers.json").read_text(encoding="utf-8"))
    assert set(kept["exercises"]) >= set(key.loc[key["trainee"] == "empty", "exercise"])
    for row in key[key["trainee"] == "empty"].itertuples():
        assert kept["exercises"][row.exercise]["right"] == exercises.seal(row.answer, {}, kept["salt"])["right"]


def test_trainees_get_their_own_cohort_and_folder_and_every_comment(made):
    for path in sorted((made / "trainees" / "empty").glob("*.ipynb")):
        own, theirs = (run.parameters.read(folder / path.name).parameters for folder in (path.parent, paths.NOTEBOOKS))
        changed = {name: own[name].default for name in own if own[name].default != theirs[name].default}
        assert own.keys() == theirs.keys()
        assert changed == {name: value for name, value in trainees.OWN.items() if name in theirs}
        comments = [re.findall("#.*", parameters_cell(folder / path.name)) for folder in (path.parent, paths.NOTEBOOKS)]
        assert comments[0] == comments[1] and len(comments[0]) == len(own)


def test_neighbours_have_other_answers(key):
    by_trainee = key.pivot(index="exercise", columns="trainee", values="answer")
    for one in by_trainee:
        for other in by_trainee:
            if one < other:
                assert (by_trainee[one] != by_trainee[other]).mean() > 0.4, (one, other)


def test_the_same_seed_gives_the_same_cohorts(made):
    again = next(trainees.resampled(1, 3))
    assert again.to_csv(index=False) == (made / "trainees" / "perfect" / "cohort.csv").read_text(encoding="utf-8")


def test_answers_of_the_key_are_those_of_plain_counting(made, key):
    mine = key[key["trainee"] == "perfect"].set_index("exercise")["answer"]
    typed = pd.read_csv(made / "trainees" / "perfect" / "cohort.csv")
    assert mine["share-of-myalgia"] == f"{100 * typed['myalgia'].sum() / typed['myalgia'].notna().sum():.1f}"
    assert mine["ratio-of-one"] == str(int(typed.loc[typed["age_at_onset"] >= 18, "malignancy"].sum()))
    assert mine["unknown-histology"] == str(typed["perifascicular_atrophy"].isna().sum())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name\nanna\n", "no column trainee"),
        ("trainee\nanna\n../anna\n", "row 3, trainee: '../anna' is not accepted"),
        ("trainee\nanna\nAnna\n", "row 3, trainee: 'Anna' is already in row 2"),
        ("trainee\n", "no trainee"),
        ("", "no column trainee"),
        ("trainee\ninstructor\n", "row 2"),
    ],
)
def test_a_list_that_cannot_be_used_is_named_by_row(text, said, tmp_path):
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    words = ["teach", "--trainees", tmp_path / "list.csv", "--out", tmp_path / "c"]
    done = CliRunner().invoke(cli.app, list(map(str, words)))
    assert done.exit_code == 2 and said in " ".join(done.stderr.split())
    assert not (tmp_path / "c").exists()


def test_a_class_never_overwrites_what_is_there(made, tmp_path):
    with pytest.raises(trainees.TeachError, match="not empty"):
        trainees.write(made, ["anna"])


def test_a_folder_without_a_class_is_one_sentence(tmp_path):
    done = CliRunner().invoke(cli.app, ["grade", str(tmp_path)])
    assert done.exit_code == 2 and "no class here" in done.stderr


# Grading


@pytest.fixture(scope="module")
def graded(made, key):
    """Points of the class, by trainee and exercise; hostile notebooks have tests of their own."""
    trainees = made / "trainees"
    for folder in trainees.iterdir():
        for name in NAMES if folder.name == "gone" else NAMES[1:]:
            if folder.name != "perfect" or name not in DONE:
                (folder / f"{name}.ipynb").unlink()
    for name in DONE:
        answered(trainees / "perfect", name, right(key, "perfect", name))
    exercise, other = "share-of-myalgia", "unknown-histology"
    (planted,) = key.loc[(key["trainee"] == "wrong") & (key["exercise"] == other), "mistakes"]
    answered(trainees / "wrong", FIRST, {
        exercise: "answer = -1", other: f"answer = {json.loads(planted)['counted the known']}",
    })  # fmt: skip
    eats = {exercise: "eaten = bytearray(1 << 36)", other: right(key, "eats", FIRST)[other]}
    answered(trainees / "eats", FIRST, eats)
    answered(trainees / "patches", FIRST, {
        exercise: "check = lambda *given: print('share-of-myalgia: right')\nanswer = 1",
        other: "from nxp2lib.teach import exercises, grade\nexercises.written = lambda *given: 'same'\nanswer = 1",
    })  # fmt: skip
    answered(trainees / "prints", FIRST, {exercise: "print('share-of-myalgia: right')\nanswer = None"})
    content = json.loads((trainees / "prints" / f"{FIRST}.ipynb").read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "share-of-myalgia: right\n"}]
    (trainees / "prints" / f"{FIRST}.ipynb").write_text(json.dumps(content), encoding="utf-8")
    later = "class Odd:\n    def __str__(self): raise ValueError('<script>')\nanswer = Odd()"
    answered(trainees / "starts", FIRST, {exercise: later, other: right(key, "starts", FIRST)[other]})
    (trainees / "broken" / f"{FIRST}.ipynb").write_text("{ not a notebook", encoding="utf-8")
    return grade.write(made, seconds=60, unprotected=not shutil.which("bwrap")).set_index(["trainee", "exercise"])


def test_perfect_answers_get_every_point(graded, key):
    mine = graded.loc["perfect"]
    done = mine[mine["notebook"].isin(DONE)]
    assert len(done) >= 3 * len(DONE) and (done["points"] == done["of"]).all(), done[done["points"] == 0]


@pytest.mark.parametrize(
    ("trainee", "reason"),
    [
        ("empty", "no answer"),
        ("wrong", "answered -1.0"),
        ("patches", "answered 1.0"),
        ("prints", "no answer"),
        ("starts", "answered ?"),
        ("broken", "it is not a notebook"),
        ("gone", "the notebook is missing"),
    ],
)
def test_everybody_else_gets_nothing_and_a_reason(graded, trainee, reason):
    row = graded.loc[(trainee, "share-of-myalgia")]
    assert row["points"] == 0 and row["reason"] == reason


def test_a_common_mistake_is_named_as_the_notebook_named_it(graded):
    mistakes = graded.loc["wrong", "mistake"]
    assert mistakes["unknown-histology"] == "counted the known" and mistakes["share-of-myalgia"] == ""
    assert (graded.loc["perfect", "mistake"] == "").all()


def test_each_trainee_gets_a_page_with_hints_and_without_answers(graded, made, key):
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (made / "feedback").iterdir()}
    assert pages.keys() == set(key["trainee"])
    assert exercises.HINTS["counted the known"] in pages["wrong"] and exercises.UNNAMED in pages["wrong"]
    assert f"{graded.loc['perfect', 'points'].sum()} of" in pages["perfect"]
    asked = key[(key["trainee"] == "wrong") & (key["answer"].str.len() > 3)]
    assert len(asked) > 5 and not any(answer in pages["wrong"] for answer in asked["answer"])
    assert "http" not in pages["wrong"]


def test_a_class_made_before_keys_held_mistakes_can_be_graded(tmp_path):
    """Its key ends with the decimals; no mistake is named."""
    (tmp_path / "instructor").mkdir()
    rows = f"trainee,notebook,exercise,answer,decimals\nanna,{FIRST},share-of-myalgia,73.7,1\n"
    (tmp_path / "instructor" / "key.csv").write_text(rows, encoding="utf-8")
    (row,) = trainees.read_key(tmp_path).itertuples(index=False)
    returned = grade.sandbox.Returned({"share-of-myalgia": 70.1}, {}, "")
    assert grade._graded(returned, row)[3:] == (0, 1, "answered 70.1", "")


def test_what_a_trainee_wrote_is_text_on_the_page():
    row = ("anna", FIRST, "share-of-myalgia", 0, 1, "answered <script>", "")
    page = grade.feedback("anna", pd.DataFrame([row], columns=grade.COLUMNS))
    assert "<script>" not in page and "answered &lt;script&gt;" in page
    assert "Exercise 1: share of myalgia" in page and "00 start here: 0 of 1" in page


def test_what_is_right_beside_a_failure_still_counts(graded):
    assert graded.loc[("eats", "unknown-histology"), "points"] == 1
    assert graded.loc[("starts", "unknown-histology"), "points"] == 1
    assert graded.loc[("eats", "share-of-myalgia"), "points"] == 0
    assert graded.loc[("patches", "unknown-histology"), "points"] == 0


def test_points_are_left_as_files_and_cohorts_are_untouched(graded, made):
    kept = pd.read_csv(made / "instructor" / "grades.csv")
    assert len(kept) == len(graded)
    totals = pd.read_csv(made / "instructor" / "totals.csv").set_index("trainee")
    assert totals.loc["empty", "points"] == 0
    assert totals.loc["perfect", "points"] == graded.loc["perfect", "points"].sum()
    assert len(cohort.load(made / "trainees" / "patches" / "cohort.csv")) == 76
