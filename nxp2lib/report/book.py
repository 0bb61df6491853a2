"""Turn a finished run into a book: a folder of pages that opens without a network."""

import html
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from nxp2lib import dictionary, paths, published

SOURCE = paths.ROOT / "docs" / "book"
CACHE = ".book"  # in the folder of the run: sources as Sphinx reads them, and what it has read already
LEFT = {"figures": ("svg", "png"), "tables": ("csv", "docx", "html", "tex"), "results": ("csv",)}
SAVED = re.compile(r'(figure|table)\.(save|save_results)\(.*?"(\w+)", output_dir\)|table\.save_(agreement|audit)\(')
# Parameters that name places on one machine.
LOCAL = re.compile(r"^(?:cohort_path|map_path|screening_path|output_dir) = .*\n?", flags=re.MULTILINE)
BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
COMPUTED = {  # the page whose cell computes a result
    **{"flow": "01_cohort", "figure1": "01_cohort", "text": "01_cohort", "table1": "02_juvenile_vs_adult"},
    **{"table2": "03_distal_weakness", "malignancy": "04_malignancy"},
}


class BookError(ValueError):
    """A book that cannot be made, said in one sentence."""


def write(run: str | Path, out: str | Path = "") -> Path:
    """Make the book of a finished run, and return its front page.

    ``run`` is the folder that `nxp2 run` left; the book goes to ``out``, by default ``book/`` in it. Pages whose
    notebook did not change are not made again. Raises BookError where a notebook or result is missing, or a page
    cannot be made.
    """
    folder = paths.expanded(run).absolute()
    target = paths.expanded(out).absolute() if str(out) else folder / "book"
    names = [path.stem for path in sorted(paths.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))]
    needed = [
        *(f"notebooks/{name}.ipynb" for name in names),
        "results/audit.csv",
        "tables/table1.html",
        "figures/figure1.svg",
    ]
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise BookError(f"{run}: no finished run here: {missing[0]} is missing; run all notebooks first")
    if target.exists() and any(target.iterdir()) and not (target / "searchindex.js").is_file():
        raise BookError(f"{target}: holds something else; a book needs a folder of its own")
    source = folder / CACHE / "source"
    pages = _pages(folder, names)
    for old in source.rglob("*") if source.exists() else []:
        if old.is_file() and old.relative_to(source).as_posix() not in pages:
            old.unlink()
    for name, content in pages.items():
        _put(source / name, content)
    command = [
        "-m",
        "sphinx",
        "-b",
        "html",
        "-q",
        "-j",
        "2",
        "-d",
        str(folder / CACHE / "doctrees"),
        str(source),
        str(target),
    ]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BookError(f"the book cannot be made: {(done.stderr.strip().splitlines() or ['Sphinx failed'])[-1]}")
    return target / "index.html"


def _put(path: Path, content: bytes) -> None:
    """Write a source only where it has changed, so that its time tells Sphinx what to make again."""
    if not path.is_file() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        with paths.replacing(path) as partial:
            partial.write_bytes(content)


def _pages(folder: Path, names: list[str]) -> dict[str, bytes]:
    """Return every source of the book by its name."""
    found = {path.relative_to(SOURCE).as_posix(): path.read_bytes() for path in SOURCE.rglob("*") if path.is_file()}
    found = {name: content for name, content in found.items() if "__pycache__" not in name}
    notebooks = {
        name: json.loads((folder / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")) for name in names
    }
    terms = _glossary(notebooks[names[0]])
    texts = {
        "index.md": _front(folder, notebooks),
        "codebook.md": _codebook(),
        "glossary.md": "# Glossary\n\n"
        + "\n\n".join(f"(term-{_slug(term)})=\n**{term}**\n: {said}" for term, said in terms.items()),
        "printed_numbers.md": _numbers(folder),
    }
    found |= {name: (text.rstrip() + "\n").encode() for name, text in texts.items()}
    for name, notebook in notebooks.items():
        found[f"{name}.ipynb"] = json.dumps(
            _notebook(notebook, name, folder, terms), indent=1, ensure_ascii=False
        ).encode()
        found[f"files/{name}.ipynb"] = (paths.NOTEBOOKS / f"{name}.ipynb").read_bytes()
    found["_static/figure1.svg"] = (folder / "figures" / "figure1.svg").read_bytes()
    for kind, endings in LEFT.items():
        for path in sorted((folder / kind).glob("*")):
            if path.suffix[1:] in endings:
                found[f"files/{path.name}" if kind != "results" else f"files/results_{path.name}"] = path.read_bytes()
    return found


def _slug(term: str) -> str:
    return re.sub(r"\W+", "-", term.lower()).strip("-")


def _glossary(notebook: dict) -> dict[str, str]:
    """Return the terms of the glossary that stands in the first notebook, each with its meaning."""
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    text = next(cell for cell in cells if "## Glossary" in cell)
    return dict(re.findall(r"^- \*\*([^*]+)\*\*: (.+)$", text, flags=re.MULTILINE))


# Notebooks


class _Download(NamedTuple):
    kind: str
    name: str


def _notebook(notebook: dict, name: str, folder: Path, terms: dict[str, str]) -> dict:
    """Return a notebook as the book shows it: described pictures, downloads beside what they hold, linked terms."""
    cells, linked = [], set()
    for cell in notebook["cells"]:
        cell = json.loads(json.dumps(cell))
        cell["source"] = "".join(cell["source"])
        if "injected-parameters" in cell["metadata"].get("tags", []):
            cell["source"] = LOCAL.sub("", cell["source"]).rstrip()
            if cell["source"] == "# Parameters":
                continue
        cell["metadata"] = {key: value for key, value in cell["metadata"].items() if key == "tags"}
        if cell["cell_type"] == "markdown":
            cell["source"] = _linked(cell["source"], terms, linked)
            cells.append(cell)
            continue
        downloads = _downloads(cell["source"], folder)
        cells += [_markdown(f"(computed-{found.name})=") for found in downloads if found.kind == "results"]
        for output in cell["outputs"]:
            told = output.get("metadata", {}).get("image/png", {}).get("alt")
            if told:
                cell["metadata"]["mystnb"] = {"image": {"alt": told.replace("\n", " ")}}
        cells.append(cell)
        if downloads:
            cells.append(_markdown(_links(downloads, folder)))
    cells.append(_markdown(f"Download {{download}}`this notebook <files/{name}.ipynb>`."))
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"
    return {**notebook, "nbformat_minor": 5, "cells": cells}


def _markdown(text: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _linked(text: str, terms: dict[str, str], linked: set[str]) -> str:
    """Link the first bold use of each term to the glossary."""
    if "## Glossary" in text:
        return text

    def link(found: re.Match) -> str:
        term = next(
            (term for term in terms if term.lower() in (found[1].lower(), found[1].lower().removesuffix("s"))), None
        )
        if term is None or term in linked:
            return found[0]
        linked.add(term)
        return f"[**{found[1]}**](#term-{_slug(term)})"

    return BOLD.sub(link, text)


def _downloads(source: str, folder: Path) -> list[_Download]:
    found = []
    for module, function, quoted, other in SAVED.findall(source):
        kind = "figures" if module == "figure" else "tables" if function == "save" else "results"
        name = quoted or other
        if any((folder / kind / f"{name}.{ending}").is_file() for ending in LEFT[kind]):
            found.append(_Download(kind, name))
    return found


def _links(downloads: list[_Download], folder: Path) -> str:
    words = {"svg": "SVG", "png": "PNG", "csv": "CSV", "docx": "Word", "html": "HTML", "tex": "LaTeX"}
    said = []
    for kind, name in downloads:
        before = "results_" if kind == "results" else ""
        given = [
            f"{{download}}`{'numbers as ' * bool(before)}{words[ending]} <files/{before}{name}.{ending}>`"
            for ending in LEFT[kind]
            if (folder / kind / f"{name}.{ending}").is_file()
        ]
        said.append(f"{name}: {', '.join(given)}")
    return "Download " + "; ".join(said)


# Pages beside the notebooks


def _front(folder: Path, notebooks: dict[str, dict]) -> str:
    titles = {
        name: "".join(notebook["cells"][0]["source"]).splitlines()[0].removeprefix("# ")
        for name, notebook in notebooks.items()
    }
    whose = next(
        "".join(output["text"]).strip()
        for cell in next(iter(notebooks.values()))["cells"]
        for output in cell.get("outputs", [])
        if "cohort:" in "".join(output.get("text", "")).lower() or "patients" in "".join(output.get("text", ""))
    )
    figure_alt = html.escape(_described(notebooks), quote=True)
    ways = "\n".join(f"- [{title}]({name}.ipynb)" for name, title in titles.items())
    listed = "\n".join(titles)
    table1 = (folder / "tables" / "table1.html").read_text(encoding="utf-8")
    shown = re.search(r"<table.*</table>", table1, flags=re.DOTALL)[0]
    given = {"whose": whose, "ways": ways, "listed": listed, "shown": shown, "figure_alt": figure_alt, "titles": titles}
    return _filled("index.md", **given)


def _described(notebooks: dict[str, dict]) -> str:
    """Return the words of Figure 1, which its picture in the notebooks carries."""
    for notebook in notebooks.values():
        for cell in notebook["cells"]:
            if '"figure1"' in "".join(cell["source"]):
                for output in cell.get("outputs", []):
                    if "alt" in output.get("metadata", {}).get("image/png", {}):
                        return output["metadata"]["image/png"]["alt"]
    raise BookError("no notebook holds Figure 1")


def _codebook() -> str:
    lines = [
        "# Codebook",
        "",
        "What may stand in a cohort file: one row per patient, one column per question. Blank means unknown.",
        "",
    ]
    section = None
    for name, column in dictionary.columns().items():
        if column.section != section:
            section = column.section
            lines += ["", f"## {section}", "", "| Column | Label | Accepted | Unit |", "|---|---|---|---|"]
        lines.append(f"| `{name}` | {column.label} | {column.accepted} | {column.unit or ''} |".replace("<", "&lt;"))
    return "\n".join(lines)


def _numbers(folder: Path) -> str:
    """Return the page of all printed numbers: one table with filters, and a link to where each is computed."""
    audit = pd.read_csv(folder / "results" / "audit.csv", dtype=str, keep_default_na=False)
    registry = published.load().set_index("id")
    chosen = "".join(_filter(label, column, sorted(audit[column].unique())) for label, column in
                     [("Verdict", "verdict"), ("Place", "place"), ("Statistic", "statistic")])  # fmt: skip
    rows = "".join(_number(row, registry) for row in audit.itertuples())
    head = "".join(
        f"<th scope='col'>{name}</th>" for name in ("Number", "Printed", "Place", "Verdict", "Reason", "Computed in")
    )
    return _filled("printed_numbers.md", chosen=chosen, head=head, rows=rows, number=len(audit))


def _filled(name: str, **given) -> str:
    """Return a page of docs/book/ with its gaps filled."""
    from jinja2 import Environment, StrictUndefined

    return Environment(undefined=StrictUndefined).from_string((SOURCE / name).read_text(encoding="utf-8")).render(given)


def _filter(label: str, column: str, values: list[str]) -> str:
    options = "".join(f"<option>{html.escape(value)}</option>" for value in values)
    return f'<label>{label}<select data-column="{column}"><option value="">all</option>{options}</select></label>'


def _number(row, registry: pd.DataFrame) -> str:
    result = registry.at[row.id, "expression"].partition("/")[0]
    page = COMPUTED.get(result)
    link = f'<a href="{page}.html#computed-{result}">Notebook {page[:2]}</a>' if page else ""
    what = html.escape(" ".join(part for part in (row.item, row.group, row.statistic) if part).replace("_", " "))
    cells = [
        f"<td>{what}</td>",
        f"<td class='digits'>{html.escape(row.printed)}</td>",
        f"<td>{html.escape(row.place)}</td>",
    ]
    cells += [f"<td>{html.escape(text)}</td>" for text in (row.verdict, row.reason)] + [f"<td>{link}</td>"]
    data = " ".join(
        f'data-{name}="{html.escape(getattr(row, name), quote=True)}"' for name in ("verdict", "place", "statistic")
    )
    return f"<tr {data}>{''.join(cells)}</tr>"
