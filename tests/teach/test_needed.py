"""Grading executes what an answer can rest on, and finds the answers that executing everything finds."""

import ast
import json

import pytest
from budget import budget

from nxp2lib import paths
from nxp2lib.teach import exercises, inside, needed, trainees

NAMES = [path.stem for path in sorted(paths.NOTEBOOKS.glob("*.ipynb"))]


def executed(*sources: str, own: tuple[int, ...] = ()) -> list[int]:
    """Return the places of the cells that are executed; the trainee wrote those in ``own``."""
    trees = [inside.parsed(source) for source in sources]
    found = needed.cells(trees, [place in own for place in range(len(sources))])
    return [place for place, wanted in enumerate(found) if wanted]


GIVEN = ["import math", "n = 3", "m = [n]", "print(m)", "answer = None"]


@pytest.mark.parametrize(
    ("answer", "places"),
    [
        ("answer = 3", [5]),
        ("answer = n", [1, 5]),
        ("answer = len(m)", [1, 2, 5]),
        ("answer = math.floor(n)", [0, 1, 5]),
        ("answer = (lambda: m)()", [1, 2, 5]),
        ("def f():\n    return n\nanswer = f()", [1, 5]),
        ("answer = eval('n')", [0, 1, 2, 3, 4, 5, 6]),
        ("answer = 'n' in dir()", [0, 1, 2, 3, 4, 5, 6]),
        ("answer = globals()['n']", [0, 1, 2, 3, 4, 5, 6]),
        ("answer = ", [0, 1, 2, 3, 4, 5, 6]),  # not Python
    ],
)
def test_an_own_cell_takes_with_it_what_it_reads(answer, places):
    found = executed(*GIVEN, answer, 'check("one", answer)', own=(5,))
    assert [place for place in found if place != 4] == [place for place in places if place != 4]
    assert 4 in found  # an answer that was given to another exercise is taken back


@pytest.mark.parametrize(
    "change", ["n += 1", "n = 4", "n[0] = 1", "n.x = 1", "n.append(1)", "del n", "for n in (1, 2): pass", "import n",
               "with open('f') as n: pass", "[(n := 2)]", "def n(): pass", "class n: pass"]
)  # fmt: skip
def test_a_cell_that_may_change_a_name_goes_with_it(change):
    assert executed("n = [1]", "m = 2", change, "answer = n", own=(3,)) == [0, 2, 3]


def test_a_function_reads_a_name_when_it_is_called():
    assert executed("n = 1", "def f():\n    return n", "n = 2", "answer = f()", own=(1, 3)) == [0, 1, 2, 3]


def test_a_cell_that_checks_and_does_more_is_executed():
    assert executed('check("one", 1)', 'check("two", 1); answer = 3', own=(0, 1)) == [1]


def test_a_cell_that_fails_without_the_others_is_executed_with_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sources = ["import pathlib", "pathlib.Path('f').write_text('7')", "answer = int(open('f').read())"]
    monkeypatch.setattr(inside, "handed_out", lambda: set(sources[:2]))
    cells = [{"cell_type": "code", "source": source} for source in [*sources, 'check("one", answer)']]
    found = inside.executed(json.dumps({"cells": cells}), 8192, 200)
    assert found["answers"] == {"one": 7}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A trainee's folder, each answer of which reads what the notebook made: a solution on the trainee's own cohort."""
    place = trainees.write(tmp_path_factory.mktemp("course") / "class", ["one"], seed=8) / "trainees" / "one"
    for name in NAMES:
        original = json.loads((paths.NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
        solutions = {}
        for cell in original["cells"]:
            source = "".join(cell["source"])
            if "solution" in cell["metadata"].get("tags", []):
                (exercise,) = exercises.checked(ast.parse(source))
                solutions[exercise] = source[: source.index("check(")] + "answer = solution"
        content = json.loads((place / f"{name}.ipynb").read_text(encoding="utf-8"))
        for cell, check in zip(content["cells"], content["cells"][1:], strict=False):
            if check["cell_type"] == "code" and (asked := exercises.checked(ast.parse("".join(check["source"])))):
                cell["source"] = solutions[asked[0]]
        (place / f"{name}.ipynb").write_text(json.dumps(content), encoding="utf-8")
    return place


@pytest.mark.parametrize("name", budget(["00_start_here", "03_distal_weakness"], NAMES))
def test_answers_are_those_of_a_whole_notebook(folder, name, monkeypatch):
    monkeypatch.chdir(folder)
    text = (folder / f"{name}.ipynb").read_text(encoding="utf-8")
    short = inside.executed(text, 8192, 200)
    monkeypatch.setattr(needed, "cells", lambda trees, own: [True] * len(trees))
    whole = inside.executed(text, 8192, 200)
    assert short["answers"] == whole["answers"] and None not in whole["answers"].values()
    assert not short["errors"] and not whole["errors"]


@pytest.mark.parametrize("name", NAMES)
def test_of_a_notebook_with_typed_answers_hardly_a_cell_is_executed(folder, name):
    original = json.loads((paths.NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in original["cells"] if cell["cell_type"] == "code"]
    typed = ["answer = 3" if source.startswith("answer = None") else source for source in sources]
    own = [source == "answer = 3" for source in typed]
    found = needed.cells([ast.parse(source) for source in typed], own)
    solved = [source for source in sources if "solution" in source]
    assert sum(found) <= sum(own) + len(solved)
