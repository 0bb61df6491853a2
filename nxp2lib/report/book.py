"""Turn a finished run into a book: a folder of pages that opens without a network."""

import ast
import html
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pandas as pd
from markupsafe import Markup

from nxp2lib import cohort, dictionary, paths, published
from nxp2lib.report import pages
from nxp2lib.run import parameters, record

SOURCE = paths.ROOT / "docs" / "book"
CACHE = ".book"  # in the folder of the run: sources as Sphinx reads them, and what it has read already
WORDS = {"svg": "SVG", "png": "PNG", "csv": "CSV", "docx": "Word", "html": "HTML", "tex": "LaTeX"}
DOWNLOADED = re.compile(rf"(?:figures|tables|results)/[^/]+\.(?:{'|'.join(WORDS)})")
SUMMED_UP = "results/beside.csv"  # the numbers of summary.html, which is no page of the book


class BookError(ValueError):
    """A book that cannot be made, said in one sentence."""


class Chapter(NamedTuple):
    """An executed notebook, as nbformat reads it, and which file for download was left by which of its cells."""

    name: str
    notebook: dict
    left: dict[str, int]


def write(run: str | Path, out: str | Path = "") -> Path:
    """Make the book of a finished run, and return its front page.

    ``run`` is the folder that `nxp2 run` left; the book goes to ``out``, by default ``book/`` in it. Pages whose
    notebook did not change are not made again. Raises BookError for an unfinished run, or where a page cannot be made.
    """
    folder = paths.expanded(run).absolute()
    target = paths.expanded(out).absolute() if str(out) else folder / "book"
    names = [path.stem for path in sorted(paths.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))]
    needed = [f"notebooks/{name}.ipynb" for name in names]
    needed += ["results/audit.csv", "tables/table1.html", "figures/figure1.svg"]
    if missing := [name for name in needed if not (folder / name).is_file()]:
        raise BookError(f"{run}: no finished run here: {missing[0]} is missing; run all notebooks first")
    if target.exists() and any(target.iterdir()) and not (target / "searchindex.js").is_file():
        raise BookError(f"{target}: holds something else; a book needs a folder of its own")
    source = folder / CACHE / "source"
    chapters = _chapters(folder, names)
    _update(source, _sources(folder, chapters))
    command = ["-m", "sphinx", "-b", "html", "-q", "-j", "2", "-d", folder / CACHE / "doctrees", source, target]
    if cohort.INSIDE in (whose := _whose(chapters)):  # at the top of every page
        command += ["-D", f"html_theme_options.announcement={html.escape(whose.splitlines()[0])}"]
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BookError(f"the book cannot be made: {(done.stderr.strip().splitlines() or ['Sphinx failed'])[-1]}")
    return target / "index.html"


def _chapters(folder: Path, names: list[str]) -> list[Chapter]:
    import nbformat

    entries, chapters = record.earlier(folder).get("notebooks", {}), []
    for name in names:
        if "cells" not in entries.get(name, {}):
            raise BookError(f"{folder}: {record.MANIFEST} does not say which cell left what; run again with --fresh")
        told = {file: cell for file, cell in entries[name]["cells"].items() if DOWNLOADED.fullmatch(file)}
        left = {file: cell for file, cell in told.items() if file != SUMMED_UP and (folder / file).is_file()}
        chapters.append(Chapter(name, nbformat.read(folder / "notebooks" / f"{name}.ipynb", as_version=4), left))
    return chapters


def _whose(chapters: list[Chapter]) -> str:
    """Return what the first notebook prints first: whose patients these are."""
    outputs = (output for cell in chapters[0].notebook.cells for output in cell.get("outputs", []))
    return next(output.text.strip() for output in outputs if output.output_type == "stream")


def _update(folder: Path, files: dict[str, bytes]) -> None:
    """Let a folder hold these files; write only what has changed, so that its time tells Sphinx what to make again."""
    before = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    for name in before.keys() - files.keys():
        before[name].unlink()
    for name, content in files.items():
        if name not in before or before[name].read_bytes() != content:
            with paths.replacing(folder / name) as partial:
                partial.write_bytes(content)


def _sources(folder: Path, chapters: list[Chapter]) -> dict[str, bytes]:
    """Return every source of the book by its name."""
    import nbformat

    left = [(file, chapter.name) for chapter in reversed(chapters) for file in chapter.left]
    computed = {PurePosixPath(file).stem: first for file, first in left if file.startswith("results/")}
    glossary = next(cell.source for cell in chapters[0].notebook.cells if "## Glossary" in cell.source)
    terms = dict(re.findall(r"^- \*\*([^*]+)\*\*: (.+)$", glossary, flags=re.MULTILINE))
    values = _values(folder, chapters, terms, computed)
    found = {"_static/figure1.svg": (folder / "figures" / "figure1.svg").read_bytes()}
    for path in SOURCE.rglob("*"):
        name = path.relative_to(SOURCE).as_posix()
        if path.suffix == ".md":
            found[name] = (pages.render(f"book/{name}", **values).rstrip() + "\n").encode()
        elif path.is_file() and "__pycache__" not in path.parts:
            found[name] = path.read_bytes()
    for chapter in chapters:
        found[f"{chapter.name}.ipynb"] = nbformat.writes(_shown(chapter, terms, computed)).encode()
        found[f"files/{chapter.name}.ipynb"] = (paths.NOTEBOOKS / f"{chapter.name}.ipynb").read_bytes()
        found |= {_file(file): (folder / file).read_bytes() for file in chapter.left}
    return found


def _file(left: str) -> str:
    """Return where the book has a file that a cell left: results may be called as tables are."""
    return "files/" + left.replace("results/", "results_").rpartition("/")[2]


def _slug(term: str) -> str:
    return re.sub(r"\W+", "-", term.lower()).strip("-")


def _shown(chapter: Chapter, terms: dict[str, str], computed: dict[str, str]) -> dict:
    """Return a notebook as the book shows it: described pictures, downloads beside what they hold, linked terms."""
    from nbformat import NotebookNode
    from nbformat.v4 import new_markdown_cell

    shown, linked = [], set()
    for place, cell in enumerate(chapter.notebook.cells):
        tags, source = cell.metadata.get("tags", []), cell.source
        if "injected-parameters" in tags and not (source := _by_name(source)):
            continue
        if "exercise" in tags:  # nobody can type into a page
            continue
        if "solution" in tags:
            shown.append(_worked(cell))
            continue
        if cell.cell_type == "markdown":
            source = _linked(source, terms, linked)
        cell = NotebookNode(cell, metadata={"tags": tags}, source=source)
        if told := _described(cell):
            cell.metadata["mystnb"] = {"image": {"alt": told.replace("\n", " ")}}
        left = [file for file, wrote in chapter.left.items() if wrote == place]
        names = [PurePosixPath(file).stem for file in left if file.startswith("results/")]
        labels = [f"(computed-{name})=" for name in names if computed[name] == chapter.name]
        shown += [*map(new_markdown_cell, labels), cell]
        if left:
            shown.append(new_markdown_cell(_downloads(left)))
    shown.append(new_markdown_cell(f"Download {{download}}`this notebook <files/{chapter.name}.ipynb>`."))
    for place, cell in enumerate(shown):
        cell["id"] = f"cell-{place}"
    return NotebookNode(chapter.notebook, nbformat_minor=5, cells=shown)


def _worked(cell: dict) -> dict:
    """Return the cell that checks an exercise as a page shows it: how the solution is computed, and the solution."""
    from nbformat import NotebookNode
    from nbformat.v4 import new_output

    kept = (output.get("metadata", {}).get("text/plain", {}) for output in cell.outputs)
    solution = next((found["solution"] for found in kept if "solution" in found), "none with these patients")
    outputs = [new_output("display_data", {"text/plain": f"Solution: {solution}"})]
    prompts = {f"code_prompt_{action.lower()}": f"{action} the solution" for action in ("Show", "Hide")}
    return NotebookNode(cell, metadata={"tags": ["hide-cell"], "mystnb": prompts}, outputs=outputs)


def _by_name(source: str) -> str:
    """Return parameters with files by their names and without folders, empty where no others are left."""
    kept = []
    for one in ast.parse(source).body:
        name, value = ast.unparse(one.targets[0]), ast.literal_eval(one.value)
        if not parameters.is_place(name):
            kept.append(ast.get_source_segment(source, one))
        elif name != "output_dir" and value:
            kept.append(f"{name} = {json.dumps(PurePosixPath(value).name, ensure_ascii=False)}")
    return "\n".join(["# Parameters", *kept]) if kept else ""


def _linked(text: str, terms: dict[str, str], linked: set[str]) -> str:
    """Link the first bold use of each term to the glossary."""
    if "## Glossary" in text:
        return text
    known = {term.lower(): term for term in terms}

    def link(found: re.Match) -> str:
        word = found[1].lower()
        term = known.get(word) or known.get(word.removesuffix("s"))
        if term is None or term in linked:
            return found[0]
        linked.add(term)
        return f"[**{found[1]}**](#term-{_slug(term)})"

    return re.sub(r"\*\*([^*\n]+)\*\*", link, text)


def _described(cell) -> str:
    """Return the words that a cell's picture carries, empty where it has none."""
    told = (output.get("metadata", {}).get("image/png", {}).get("alt") for output in cell.get("outputs", []))
    return next(filter(None, told), "")


def _downloads(left: Iterable[str]) -> str:
    """Return links to files, those of one name together, such as a table in four formats."""
    said = []
    for stem in dict.fromkeys(file.rpartition(".")[0] for file in left):
        kind, _, name = stem.partition("/")
        before = "numbers as " if kind == "results" else ""
        there = [ending for ending in WORDS if f"{stem}.{ending}" in left]
        links = [f"{{download}}`{before}{WORDS[ending]} <{_file(stem)}.{ending}>`" for ending in there]
        said.append(f"{name}: {', '.join(links)}")
    return "Download " + "; ".join(said)


def _values(folder: Path, chapters: list[Chapter], terms: dict[str, str], computed: dict[str, str]) -> dict:
    """Return what the pages of docs/book/ tell of a run."""
    audit = pd.read_csv(folder / "results" / "audit.csv", dtype=str, keep_default_na=False)
    table1 = (folder / "tables" / "table1.html").read_text(encoding="utf-8")
    figure1 = "figures/figure1.svg"
    drawn = [chapter.notebook.cells[chapter.left[figure1]] for chapter in chapters if figure1 in chapter.left]
    if not drawn:
        raise BookError("no notebook holds Figure 1")
    return {
        "titles": {name: book.cells[0].source.splitlines()[0].removeprefix("# ") for name, book, _ in chapters},
        "whose": _whose(chapters),
        "edition": published.EDITION,
        "table1": Markup(re.search(r"<table.*</table>", table1, flags=re.DOTALL)[0]),
        "figure1": _described(drawn[0]),
        "terms": [(term, _slug(term), Markup(said)) for term, said in terms.items()],
        "sections": [(name, [*group]) for name, group in groupby(dictionary.columns().values(), attrgetter("section"))],
        "numbers": list(audit.itertuples(index=False)),
        "results": published.load().set_index("id")["expression"].str.partition("/")[0],
        "computed": computed,
    }
