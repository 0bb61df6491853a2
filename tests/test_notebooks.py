"""House rules of the notebooks: structure, style, and stored outputs that nbval can compare."""

import re
from functools import cache
from statistics import median

import nbformat
import pytest

from nxp2lib import paths, published

NAMES = sorted(path.stem for path in paths.NOTEBOOKS.glob("*.ipynb"))
# A pandas display of a whole cohort, or a path of one machine, has no place in a stored output.
FORBIDDEN_OUTPUT = re.compile(r"(^|[\s\"'(])/(home|root|work|tmp|Users)/|[A-Z]:\\\\Users|\bTraceback\b")


@cache
def notebook(name: str):
    return nbformat.read(paths.NOTEBOOKS / f"{name}.ipynb", as_version=4)


def cells(name: str, kind: str) -> list:
    return [cell for cell in notebook(name).cells if cell.cell_type == kind]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def prose(name: str) -> str:
    return "\n\n".join(cell.source for cell in cells(name, "markdown"))


def texts(cell) -> str:
    found = []
    for output in cell.get("outputs", []):
        found.append(output.get("text", ""))
        found += [output.get("data", {}).get(kind, "") for kind in ("text/plain", "text/html")]
        found += output.get("traceback", [])
    return "\n".join(found)


every_notebook = pytest.mark.parametrize("name", NAMES)


def test_the_collection_is_complete_and_numbered():
    assert [name[:2] for name in NAMES] == [f"{place:02}" for place in range(len(NAMES))]
    assert len(NAMES) >= 6


@every_notebook
def test_the_first_cell_is_one_title_with_goals_time_and_links(name):
    first = notebook(name).cells[0]
    assert first.cell_type == "markdown"
    assert len(re.findall(r"^# ", prose(name), flags=re.M)) == 1
    assert first.source.startswith("# ")
    assert first.source.splitlines()[0].endswith("?")
    assert 3 <= len(re.findall(r"^- ", first.source.partition("**Overview**")[0], flags=re.M)) <= 4
    assert re.search(r"Reading time: \d+ minutes", first.source)
    place = NAMES.index(name)
    neighbours = NAMES[max(0, place - 1) : place] + NAMES[place + 1 : place + 2]
    assert all(f"({neighbour}.ipynb)" in first.source for neighbour in neighbours)


@every_notebook
def test_the_overview_lists_the_headings_in_order(name):
    overview = re.findall(r"^- (.+)$", notebook(name).cells[0].source.partition("**Overview**")[2], flags=re.M)
    assert overview == re.findall(r"^## (.+)$", prose(name), flags=re.M)


@every_notebook
def test_the_second_cell_holds_parameters_of_plain_types_each_with_its_meaning(name):
    assert ["parameters" in tags(cell) for cell in notebook(name).cells].index(True) == 1
    for line in notebook(name).cells[1].source.splitlines():
        assert re.fullmatch(r"\w+: (str|int|float|bool) = [^#=]+  # [^=]+ \(.+\)", line), line


@every_notebook
def test_length_and_rhythm(name):
    sections = [cell for cell in notebook(name).cells if not set(tags(cell)) & {"exercise", "solution"}]
    exercises = sum("**Exercise " in cell.source for cell in sections)
    assert 17 <= len(sections) - exercises <= 27
    lengths = [len(cell.source.splitlines()) for cell in cells(name, "code")]
    assert max(lengths) <= 15
    assert median(len(cell.source.splitlines()) for cell in cells(name, "code") if "solution" not in tags(cell)) <= 5
    kinds = "".join(cell.cell_type[0] for cell in notebook(name).cells)
    assert "ccc" not in kinds
    assert max(len(line) for cell in cells(name, "code") for line in cell.source.splitlines()) <= 110


@every_notebook
def test_every_code_cell_was_run_once_in_order_and_nothing_was_warned_of(name):
    code = cells(name, "code")
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.get("name") == "stderr"]
    assert sum(bool(cell.outputs) for cell in code) >= len(code) // 2


@every_notebook
def test_stored_notebooks_carry_no_time_stamp_path_or_traceback(name):
    for cell in cells(name, "code"):
        assert not {"execution", "papermill"} & set(cell.metadata)
        assert not FORBIDDEN_OUTPUT.search(texts(cell)), texts(cell)[:300]
    assert "papermill" not in notebook(name).metadata


@every_notebook
def test_no_computed_number_is_typed_in_prose(name):
    body = prose(name).partition("## ")[2]
    body = re.sub(r"```.*?```|`[^`]*`|\|.*\||\]\([^)]*\)|^#+ .*$|^- \*\*.*$", "", body, flags=re.S | re.M)
    assert not re.findall(r"\d+\.\d+ ?%|\bP = \d|\b\d+ of \d+\b", body)


def test_a_number_is_told_with_a_place_that_prints_it():
    outputs = "\n".join(texts(cell) for name in NAMES for cell in cells(name, "code"))
    told = re.findall(r"(\w+/\w+/\w+/\w+) = (\S+) \((\w+)\)", outputs)
    printed = published.load()[["expression", "printed", "place"]].itertuples(index=False, name=None)
    assert told and set(told) <= set(printed)


@pytest.mark.parametrize("name", ["00_start_here", "05_agreement_with_paper"])
def test_the_first_cell_of_a_notebook_that_judges_says_of_which_edition_it_speaks(name):
    assert published.EDITION in notebook(name).cells[0].source.replace("\n", " ")


@every_notebook
def test_figures_end_with_show_and_carry_alternative_text(name):
    for cell in cells(name, "code"):
        pictures = [output for output in cell.outputs if "image/png" in output.get("data", {})]
        assert bool(pictures) == ("plt.show()" in cell.source)
        if pictures:
            assert cell.source.rstrip().endswith("plt.show()")
        for picture in pictures:
            assert len(picture.metadata["image/png"]["alt"]) > 60


@every_notebook
def test_exercises_have_a_hint_an_answer_cell_and_a_solution_that_checks(name):
    cells = notebook(name).cells
    solutions = [place for place, cell in enumerate(cells) if "solution" in tags(cell)]
    assert len(solutions) >= 4
    for place in solutions:
        task, answer, solution = cells[place - 2 : place + 1]
        assert "**Exercise " in task.source and "<details><summary>Hint</summary>" in task.source
        assert answer.source.startswith("answer = None  # ") and tags(answer) == ["exercise"]
        assert re.search(r'check\("[a-z0-9-]+", answer, solution, mistakes\)$', solution.source)
        assert texts(solution).rstrip().endswith(": no answer yet")
        assert "hide-input" in tags(solution)


@every_notebook
def test_a_prediction_is_asked_and_answered_in_the_page(name):
    options = re.findall(r'<details class="quiz"><summary>[^<]+</summary>([^<]+)</details>', prose(name))
    assert len(options) >= 2
    questions = prose(name).count("*Before you go on:*")
    assert sum(feedback.startswith("Right.") for feedback in options) == questions >= 1


@every_notebook
def test_it_says_what_it_does_not_show_and_whose_patients_these_are(name):
    assert "## What this does not show" in prose(name)
    assert "synthetic patients who never existed" in "".join(texts(cell) for cell in cells(name, "code"))


@every_notebook
def test_a_bold_term_is_in_the_glossary(name):
    glossary = {term.lower() for term in re.findall(r"^- \*\*([^*]+)\*\*:", prose("00_start_here"), flags=re.M)}
    allowed = {"overview", "how to read a row", "reading time"}
    bold = {term.lower() for term in re.findall(r"\*\*([^*]+)\*\*", prose(name))} - allowed
    bold = {term for term in bold if not term.startswith("exercise ")}
    singular = {term[:-1] if term.endswith("s") and term[:-1] in glossary else term for term in bold}
    assert singular <= glossary, singular - glossary


def test_one_failure_on_purpose_is_shown_where_data_are_loaded():
    failing = [cell for cell in cells("01_cohort", "code") if "except cohort.CohortError" in cell.source]
    assert "row 2, column sex: '?' is not accepted; accepted: male or female" in texts(failing[0])


@every_notebook
def test_no_cell_fails(name):
    assert not [cell for cell in cells(name, "code") for output in cell.outputs if output.output_type == "error"]


def test_every_link_between_notebooks_leads_somewhere():
    for name in NAMES:
        for target in re.findall(r"\]\(([\w-]+\.ipynb)", prose(name)):
            assert (paths.NOTEBOOKS / target).exists(), target
