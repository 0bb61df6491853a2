"""Write a displayed table as HTML, LaTeX, CSV and Word."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pandas as pd

LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "†": r"\dag{}", "‡": r"\ddag{}", "¶": r"\P{}", "–": "--",
    ">": r"\textgreater{}", "<": r"\textless{}", "≥": r"$\geq$", "∞": r"$\infty$",
    "\N{NO-BREAK SPACE}": "~",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table ready to be shown: cells are text, and a body row of one cell is a section heading.

    Jupyter shows it as HTML; ``print`` shows it as plain text.
    """

    title: str
    header: tuple[str, ...]
    body: tuple[tuple[str, ...], ...]
    footnotes: tuple[str, ...]

    def _repr_html_(self) -> str:
        return to_html(self)

    def __repr__(self) -> str:
        body = [("  " + row[0], *row[1:]) if len(row) > 1 else row for row in self.body]
        cells = [self.header, *(row for row in body if len(row) > 1)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        header, *lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in [self.header, *body])
        return "\n".join([self.title, header, "-" * (sum(widths) + 2 * len(widths) - 2), *lines, *self.footnotes])


def sectioned(rows: Iterable[tuple[str, tuple[str, ...]]]) -> tuple[tuple[str, ...], ...]:
    """Return the body of a table from the section and the cells of each row: a heading wherever a section begins.

    >>> sectioned([("Skin", ("Rash", "68")), ("Skin", ("Edema", "50")), ("Muscle", ("Myalgia", "56"))])
    (('Skin',), ('Rash', '68'), ('Edema', '50'), ('Muscle',), ('Myalgia', '56'))
    """
    body, before = [], None
    for section, cells in rows:
        body += [cells] if section == before else [(section,), cells]
        before = section
    return tuple(body)


def to_html(table: Table, inline: bool = True) -> str:
    """Return the table as HTML; text is escaped.

    ``inline``: every cell carries its own style, as a notebook or a file by itself needs it; else classes tell
    `nxp2lib.report.pages` how to show it.
    """
    left, rule = "text-align:left;", "border-top:1px solid currentColor;"

    def look(style: str, kind: str = "") -> str:
        if inline:
            return f' style="padding:0.25em 0.8em;{left}{style}"'
        return f' class="{kind}"' if kind else ""

    def line(cells: tuple[str, ...], tag: str, scope: str, style: str) -> str:
        first = f'<th scope="{scope}"{look(style)}>{escape(cells[0])}</th>'
        short = {text: (style + "white-space:nowrap;", "short") for text in cells if len(text) <= 24}
        looks = [look(*short.get(text, (style, ""))) for text in cells[1:]]
        rest = [f"<{tag}{how}>{escape(text)}</{tag}>" for how, text in zip(looks, cells[1:], strict=True)]
        return f"<tr>{first}{''.join(rest)}</tr>"

    def heading(text: str) -> str:
        row = "<tr>" if inline else '<tr class="section">'
        return f'{row}<th colspan="{len(table.header)}" scope="rowgroup"{look(rule)}>{escape(text)}</th></tr>'

    body = [heading(*row) if len(row) == 1 else line(row, "td", "row", "font-weight:normal;") for row in table.body]
    grid = f"<thead>{line(table.header, 'th', 'col', '')}</thead><tbody>{''.join(body)}</tbody></table>"
    if not inline:
        caption = f"<caption>{escape(table.title)}</caption>" if table.title else ""
        notes = "".join(f"<p>{escape(note)}</p>" for note in table.footnotes)
        return f'<div class="scroll"><table>{caption}{grid}</div>{notes}'
    notes = "".join(f"<div>{escape(note)}</div>" for note in table.footnotes)
    return (
        '<table style="border-collapse:collapse;border:2px solid currentColor;border-left:none;border-right:none">'
        f'<caption style="caption-side:top;{left}font-weight:bold;padding:0.4em 0">{escape(table.title)}</caption>'
        f'{grid}<div style="font-size:90%;{left}">{notes}</div>'
    )


def to_page(table: Table) -> str:
    """Return the table as a whole HTML file."""
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(table.title)}</title>'
    return f"{head}{to_html(table)}</html>\n"


def to_latex(table: Table) -> str:
    """Return the table as a LaTeX ``table`` with booktabs rules; text is escaped, and LaTeX itself numbers it."""
    unnumbered = re.sub(r"^Table \d+\. ", "", table.title)

    def clean(text: str) -> str:
        return "".join(LATEX.get(character, character) for character in text)

    width = len(table.header)
    lines = [
        "% needs \\usepackage{booktabs,tabularx}",
        "\\begin{table}", "\\small", f"\\caption{{{clean(unnumbered)}}}",
        f"\\begin{{tabularx}}{{\\textwidth}}{{l{'X' * (width - 1)}}}", "\\toprule",
        " & ".join(map(clean, table.header)) + r" \\", "\\midrule",
    ]  # fmt: skip
    for row in table.body:
        cells = [rf"\multicolumn{{{width}}}{{l}}{{\textit{{{clean(row[0])}}}}}"] if len(row) == 1 else map(clean, row)
        lines.append(" & ".join(cells) + r" \\")
    lines += ["\\bottomrule", "\\end{tabularx}"]
    lines += [f"\\par\\footnotesize {clean(note)}" for note in table.footnotes]
    return "\n".join([*lines, "\\end{table}", ""])


def to_csv(table: Table) -> str:
    """Return the table as CSV, as displayed: title and footnotes are left out, sections have their own column."""
    records, section = [], ""
    for row in table.body:
        if len(row) == 1:
            section = row[0]
        else:
            records.append((section, *row))
    frame = pd.DataFrame(records, columns=["section", table.header[0] or "row", *table.header[1:]])
    return frame.drop(columns=[] if section else "section").to_csv(index=False, lineterminator="\n")


def write_docx(table: Table, path: Path) -> None:
    """Write the table as a Word document, landscape A4, with the title above and the footnotes below."""
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm, Pt

    document = Document()
    page = document.sections[0]
    page.orientation, page.page_width, page.page_height = WD_ORIENT.LANDSCAPE, Mm(297), Mm(210)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Mm(16)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Arial", Pt(9)
    normal.paragraph_format.space_after = Pt(1)
    document.core_properties.title = table.title
    document.add_paragraph().add_run(table.title).bold = True
    grid = document.add_table(rows=0, cols=len(table.header))
    for row in [table.header, *table.body]:
        cells = grid.add_row().cells
        target = [cells[0].merge(cells[-1])] if len(row) == 1 else cells
        for cell, text in zip(target, row, strict=True):
            cell.paragraphs[0].add_run(text).bold = row is table.header or len(row) == 1
    _widths(grid, [Mm(82)] + [Mm(180 / (len(table.header) - 1))] * (len(table.header) - 1))
    _rules(grid, [0, 1, len(grid.rows)])
    for note in table.footnotes:
        document.add_paragraph(note)
    document.save(str(path))
    _forget_time(path)


def _forget_time(path: Path) -> None:
    """Set the time of every part of an Office file to the first that its format knows: equal tables, equal bytes."""
    with ZipFile(path) as file:
        parts = [(part, file.read(part)) for part in file.infolist()]
    with ZipFile(path, "w", ZIP_DEFLATED) as file:
        for part, content in parts:
            part.date_time = (1980, 1, 1, 0, 0, 0)
            file.writestr(part, content)


def _widths(grid: Any, widths: Sequence[int]) -> None:
    grid.autofit = False
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = width
        for cell in column.cells:
            cell.width = width


def _rules(grid: Any, above: list[int]) -> None:
    """Draw a horizontal line above the rows numbered; the number of rows stands for the line below the last."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for place in above:
        row, side = (grid.rows[-1], "w:bottom") if place == len(grid.rows) else (grid.rows[place], "w:top")
        for cell in row.cells:
            properties = cell._tc.get_or_add_tcPr()
            borders = properties.find(qn("w:tcBorders"))
            if borders is None:
                borders = OxmlElement("w:tcBorders")
                properties.append(borders)
            borders.append(OxmlElement(side, {qn("w:val"): "single", qn("w:sz"): "8", qn("w:color"): "000000"}))
