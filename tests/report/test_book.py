"""The book of a run, and what a reader meets in a browser that reaches no network."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from budget import LONG, budget
from typer.testing import CliRunner

from nxp2lib import cli, paths, published
from nxp2lib.report import book

NAMES = [path.stem for path in sorted(paths.NOTEBOOKS.glob("*.ipynb"))]
PAGES = ["index", *NAMES, "printed_numbers", "codebook", "glossary", "references"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (on Debian: apt install chromium)")


@pytest.fixture(scope="module")
def run(default_run, tmp_path_factory):
    """The folder of a finished default run, a copy."""
    return Path(shutil.copytree(default_run, tmp_path_factory.mktemp("book") / "run"))


@pytest.fixture(scope="module")
def made(run) -> Path:
    done = CliRunner().invoke(cli.app, ["book", str(run)])
    assert done.exit_code == 0, done.output
    return run / "book"


def test_every_page_is_there_and_asks_nothing_of_a_network(made):
    for name in PAGES:
        text = (made / f"{name}.html").read_text(encoding="utf-8")
        assert not re.findall(r'(?:src=|<link[^>]+href=|url\()["\']?(?:https?:)?//', text), name
    for path in (made / "_static").rglob("*.css"):
        assert not re.findall(r"url\([\"']?(?:https?:)?//", path.read_text(encoding="utf-8")), path


def test_a_book_leaves_nothing_beside_it(made, run):
    assert {path.name for path in run.iterdir()} - {".book", "book"} == {
        ".lock", "figures", "manifest.json", "notebooks", "results", "summary.html", "tables"
    }  # fmt: skip


def test_no_page_names_a_place_on_this_machine(made, run):
    for path in made.rglob("*.html"):
        assert str(run) not in path.read_text(encoding="utf-8"), path


def test_every_link_inside_the_book_leads_somewhere(made):
    anchors = {
        path.name: set(re.findall(r'\bid="([^"]+)"', path.read_text(encoding="utf-8"))) for path in made.glob("*.html")
    }
    for name in PAGES:
        for target in re.findall(r'<a[^>]+href="([^"#:]*(?:#[^"]*)?)"', (made / f"{name}.html").read_text("utf-8")):
            file, _, anchor = target.partition("#")
            file = file or f"{name}.html"
            assert (made / file).exists(), (name, target)
            if anchor and file in anchors and "=" not in anchor:
                assert anchor in anchors[file], (name, target)


def test_every_exercise_has_its_solution_and_no_cell_waits_for_an_answer(made):
    for name in NAMES:
        text = (made / f"{name}.html").read_text(encoding="utf-8")
        assert text.count("</span>Solution: ") == 4 and "none with these patients" not in text, name
        assert "no answer yet" not in text and "your answer, for instance" not in text, name


def test_pictures_have_words_and_tables_and_figures_can_be_downloaded(made):
    for name in PAGES:
        for picture in re.findall(r"<img[^>]*>", (made / f"{name}.html").read_text(encoding="utf-8")):
            assert len(re.search(r'alt="([^"]*)"', picture)[1]) > 60, (name, picture[:200])
    left = {path.name for path in (made / "_downloads").rglob("*") if path.is_file()}
    assert left >= {"table1.csv", "table1.docx", "table2.docx", "figure1.svg", *(f"{name}.ipynb" for name in NAMES)}


def test_the_page_of_printed_numbers_holds_all_of_them_with_their_cells(made):
    text = (made / "printed_numbers.html").read_text(encoding="utf-8")
    assert text.count("<tr data-verdict") == len(published.load())
    for target in set(re.findall(r'href="(\d\d_\w+)\.html#(computed-\w+)"', text)):
        assert f'id="{target[1]}"' in (made / f"{target[0]}.html").read_text(encoding="utf-8"), target


def behind(run: Path, name: str, file: str) -> str:
    """The code cell of a page that stands before the download of a file."""
    cells = nbformat.read(run / ".book" / "source" / f"{name}.ipynb", as_version=4).cells
    (place,) = [place for place, cell in enumerate(cells) if f"<files/{file}>" in cell.source]
    return cells[place - 1].source


@pytest.mark.parametrize("name", ["index", "printed_numbers", NAMES[0], NAMES[5]])
def test_pages_that_judge_say_of_which_edition_they_speak(made, name):
    text = re.sub(r"\s+", " ", (made / f"{name}.html").read_text(encoding="utf-8"))
    assert published.EDITION in text.replace("’", "'").replace("&#39;", "'")


def test_a_download_stands_behind_the_cell_that_left_it_as_the_record_says(made, run):
    record, text = run / "manifest.json", (run / "manifest.json").read_text(encoding="utf-8")
    told = json.loads(text)["notebooks"]
    for name in NAMES:
        executed = nbformat.read(run / "notebooks" / f"{name}.ipynb", as_version=4).cells
        for file, place in told[name]["cells"].items():
            if file not in ("summary.html", "results/beside.csv"):
                shown = file.replace("results/", "results_").rpartition("/")[2]
                assert behind(run, name, shown) == executed[place].source, file
    if not LONG:
        return
    other = json.loads(text)  # a record that names other cells
    cells = {name: entry["cells"] for name, entry in other["notebooks"].items()}
    cells[NAMES[1]]["figures/skin.svg"] = cells[NAMES[1]]["results/flow.csv"]
    cells[NAMES[4]]["results/flow.csv"] = cells[NAMES[3]]["results/flow.csv"] = 7
    del cells[NAMES[1]]["results/flow.csv"]
    try:
        record.write_text(json.dumps(other), encoding="utf-8")
        book.write(run)
        assert "flow = describe.flow(" in behind(run, NAMES[1], "skin.svg")
        numbers = (made / "printed_numbers.html").read_text(encoding="utf-8")
        assert set(re.findall(r'href="(\w+)\.html#computed-flow"', numbers)) == {NAMES[3]}
    finally:
        record.write_text(text, encoding="utf-8")
        book.write(run)


def test_a_run_whose_record_does_not_name_cells_has_to_be_run_again(run, tmp_path):
    older = shutil.copytree(run, tmp_path / "older", ignore=shutil.ignore_patterns("book", ".book"))
    told = json.loads((older / "manifest.json").read_text(encoding="utf-8"))
    del told["notebooks"][NAMES[2]]["cells"]
    (older / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(book.BookError, match="does not say which cell left what; run again with --fresh"):
        book.write(older)
    (older / "manifest.json").unlink()
    with pytest.raises(book.BookError, match="run again with --fresh"):
        book.write(older)


def test_parameters_name_files_and_no_place_on_a_machine():
    places = '# Parameters\ncohort_path = "/mine.csv"\nspare_path = None\noutput_dir = (\n    "out"\n)\n'
    assert book._by_name(places) == '# Parameters\ncohort_path = "mine.csv"'
    assert book._by_name(places[places.index("spare") :]) == ""
    told = '# Parameters\ncohort_path = "mine.csv"\nconfidence = 0.9'
    assert book._by_name(places + 'confidence = 0.9\nmap_path = ""\n') == told


def test_every_page_about_real_patients_says_that_it_stays_inside(made, run, tmp_path):
    """The pages to look things up in said nothing; a synthetic cohort has no such line."""
    real, said = shutil.copytree(run, tmp_path / "real"), "Cohort of 12 patients. Stays inside the centre."
    first = real / "notebooks" / f"{NAMES[0]}.ipynb"
    content = first.read_text(encoding="utf-8")
    first.write_text(re.sub("Reconstructed cohort: [^.]*[.]", said, content), encoding="utf-8")
    book.write(real)
    for name in PAGES:
        pages = [(folder / f"{name}.html").read_text(encoding="utf-8") for folder in (real / "book", made)]
        told = [f'announcement-content">{said}' in re.sub(r"\s*\n\s*", "", page) for page in pages]
        assert told == [True, False], name


def test_only_what_changed_is_made_again(made, run):
    notebook = run / "notebooks" / f"{NAMES[3]}.ipynb"
    content = json.loads(notebook.read_text(encoding="utf-8"))
    content["cells"][0]["source"] = "".join(content["cells"][0]["source"]) + "\n\nA sentence not there before."
    before = {name: (made / f"{name}.html").stat().st_mtime_ns for name in NAMES}
    kept = notebook.read_bytes()
    notebook.write_text(json.dumps(content), encoding="utf-8")
    try:
        book.write(run)
        after = {name: (made / f"{name}.html").stat().st_mtime_ns for name in NAMES}
        assert "not there before" in (made / f"{NAMES[3]}.html").read_text(encoding="utf-8")
        assert [name for name in NAMES if after[name] != before[name]] == [NAMES[3]]
    finally:
        notebook.write_bytes(kept)


def test_a_folder_without_a_run_and_a_folder_with_something_else_are_refused(tmp_path, run):
    with pytest.raises(book.BookError, match="run all notebooks first"):
        book.write(tmp_path)
    (tmp_path / "letter.txt").write_text("keep me")
    with pytest.raises(book.BookError, match="holds something else"):
        book.write(run, tmp_path)
    assert (tmp_path / "letter.txt").read_text() == "keep me"


# In a browser


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser):
    """A page without a network; what it asks for elsewhere, and what its console complains of, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_offline(True)
    opened, wrong = context.new_page(), []
    opened.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    own = ("file:", "data:")
    opened.on("request", lambda request: None if request.url.startswith(own) else wrong.append(request.url))
    yield opened
    context.close()
    assert not wrong


@in_a_browser
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_from_its_folder_and_fits_a_telephone(name, made, page):
    page.goto((made / f"{name}.html").as_uri())
    assert page.locator("h1").first.inner_text()
    assert page.evaluate("[...document.images].every(picture => picture.complete && picture.naturalWidth > 0)")
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width


@in_a_browser
@pytest.mark.parametrize(
    ("name", "scheme"),
    budget(
        [("index", "light"), ("02_juvenile_vs_adult", "dark"), ("glossary", "light")],
        [*product(["index", "02_juvenile_vs_adult", "glossary", "printed_numbers"], ["light", "dark"])],
    ),
)
def test_axe_finds_nothing_serious(name, scheme, made, page):
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme=scheme)
    page.goto((made / f"{name}.html").as_uri())
    violations = Axe().run(page, options={"preload": False}).response["violations"]
    found = [item for item in violations if item["impact"] in ("serious", "critical")]
    assert not found, [(item["id"], [node["html"][:150] for node in item["nodes"]][:3]) for item in found]


@in_a_browser
def test_search_finds_a_sign(made, page):
    page.goto((made / "search.html").as_uri() + "?q=Gottron")
    page.wait_for_selector("#search-results li a")
    assert page.locator("#search-results li a").count() >= 3


@in_a_browser
def test_the_filter_of_verdicts_leaves_the_right_rows(made, run, page):
    verdicts = pd.read_csv(run / "results" / "audit.csv")["verdict"].value_counts()
    page.goto((made / "printed_numbers.html").as_uri())
    for verdict in ("inconsistent", "reproduced"):
        page.select_option("[data-column=verdict]", verdict)
        assert page.locator("table.numbers tbody tr:visible").count() == verdicts[verdict]
        assert page.locator("#rows-shown").inner_text().startswith(f"{verdicts[verdict]} of")
    page.goto((made / "index.html").as_uri())
    page.click("text=the inconsistent ones")
    page.wait_for_function("document.querySelectorAll('table.numbers tbody tr:not([hidden])').length < 20")
    assert page.locator("table.numbers tbody tr:visible").count() == verdicts["inconsistent"]


@in_a_browser
def test_a_quiz_answers_and_a_solution_unfolds_by_keyboard(made, page):
    page.goto((made / "02_juvenile_vs_adult.html").as_uri())
    option, solution = page.locator("details.quiz").nth(1), page.locator("details.hide").last
    for folded, says in [(option, "Right."), (solution, "Solution: 10.3")]:
        assert not folded.evaluate("folded => folded.open")
        folded.locator("summary").focus()
        page.keyboard.press("Enter")
        assert folded.evaluate("folded => folded.open") and says in folded.inner_text()


# In JupyterLab


@pytest.fixture
def lab(tmp_path):
    """A JupyterLab over a copy of the notebooks without outputs; its address."""
    for name in NAMES[:1]:
        content = json.loads((paths.NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
        for cell in content["cells"]:
            if cell["cell_type"] == "code":
                cell["outputs"], cell["execution_count"] = [], None
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(content), encoding="utf-8")
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=reader", "--ip=127.0.0.1"]
    folders = {"JUPYTER_CONFIG_DIR": "config", "JUPYTERLAB_WORKSPACES_DIR": "workspaces"}
    kept = {**os.environ, **{name: str(tmp_path / folder) for name, folder in folders.items()}}
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-m", "jupyterlab", *options]
        server = subprocess.Popen(command, cwd=tmp_path, env=kept, stdout=log, stderr=log)
        try:
            for _ in range(240):
                with contextlib.closing(socket.socket()) as tried:
                    if tried.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.25)
            yield f"http://127.0.0.1:{port}/lab/tree/{NAMES[0]}.ipynb?token=reader"
        finally:
            server.terminate()
            server.wait(30)


@in_a_browser
def test_the_first_notebook_runs_from_top_to_bottom_in_jupyterlab(lab, browser):
    opened = browser.new_page()
    opened.goto(lab, timeout=120_000)
    opened.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
    with contextlib.suppress(Exception):
        opened.click("button:has-text('No')", timeout=3_000)  # a question about news
    opened.click("text=Run >> nth=0")
    opened.click("text=Run All Cells")
    opened.wait_for_selector("text=the paper prints 27, counted here 27: they agree", timeout=120_000)
    last = opened.locator("text=claim-heliotrope: no answer yet").first
    opened.wait_for_function(
        "() => document.querySelector('.jp-Notebook').innerText.includes('no answer yet')"
        " || document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'",
        timeout=120_000,
    )
    last.wait_for(state="attached", timeout=60_000)
    opened.close()
