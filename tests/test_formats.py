"""Every export holds every cell, and text from a file is only ever text."""

import csv
import io
from html.parser import HTMLParser

from docx import Document
from test_describe import five_patients
from test_table import built

from nxp2lib import formats, table

HOSTILE = formats.Table(
    "<b>Title</b> & 100 %", ("", "Group_1"), (("Section $x$",), ("<script>alert(1)</script>", "1 & 2")), ("# note {}",)
)


def test_html_escapes_text():
    html = formats.to_html(HOSTILE)
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "&lt;b&gt;Title&lt;/b&gt; &amp; 100 %" in html


def test_latex_escapes_text():
    latex = formats.to_latex(HOSTILE)
    assert r"Group\_1" in latex
    assert r"1 \& 2" in latex
    assert r"\# note \{\}" in latex
    assert r"100 \%" in latex


def test_latex_numbers_the_table_itself():
    numbered = formats.Table("Table 1. Characteristics", ("", "n"), (("Patients", "5"),), ())
    assert r"\caption{Characteristics}" in formats.to_latex(numbered)


def test_csv_holds_the_displayed_cells_with_their_section():
    records = list(csv.reader(io.StringIO(formats.to_csv(built(five_patients())))))
    assert records[0][:2] == ["section", "row"]
    assert ["Muscular symptoms", "Myalgia, n (%)", "3/4 (75.0)", "1 (50.0)", "2/2 (100.0)"] in [r[:5] for r in records]


class Cells(HTMLParser):
    def __init__(self, html: str):
        super().__init__()
        self.texts: list[str] = []
        self.feed(html)

    def handle_data(self, data: str):
        self.texts.append(data)


def test_every_export_holds_every_cell(tmp_path):
    shown = built(five_patients(), note="Whose patients.")
    table.save(shown, "five", tmp_path)
    folder = tmp_path / "tables"
    assert sorted(path.name for path in folder.iterdir()) == ["five.csv", "five.docx", "five.html", "five.tex"]
    document = Document(folder / "five.docx")
    word = [cell.text for line in document.tables[0].rows for cell in line.cells]
    html = Cells((folder / "five.html").read_text(encoding="utf-8")).texts
    for text in (cell for cells in [shown.header, *shown.body] for cell in cells if cell):
        assert text in word
        assert text in html
    assert shown.footnotes[0] in [paragraph.text for paragraph in document.paragraphs]


def test_plain_text_shows_the_title_all_rows_and_footnotes():
    text = repr(built(five_patients(), note="Whose patients."))
    assert text.startswith("Title\n")
    assert "  Myalgia, n (%)" in text
    assert "Whose patients." in text


def test_equal_tables_are_equal_bytes_at_any_time(tmp_path, monkeypatch):
    shown = built(five_patients())
    written = []
    for moment in (1_000_000_000, 1_700_000_000):
        monkeypatch.setattr("time.time", lambda moment=moment: moment)
        formats.write_docx(shown, tmp_path / "five.docx")
        written.append((tmp_path / "five.docx").read_bytes())
    assert written[0] == written[1]
