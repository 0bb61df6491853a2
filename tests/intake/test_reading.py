"""Files of every kind: the same cells come out of all, and what is no table is refused in one sentence."""

import os
import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import pytest

from nxp2lib.intake import reading
from nxp2lib.intake.problems import CohortError


def cells(path) -> list[list[str]]:
    frame = reading.read(path).frame
    return [list(frame.columns), *frame.astype(str).to_numpy().tolist()]


@pytest.fixture
def file(tmp_path):
    def write(content: bytes | str, name: str = "cohort.csv", encoding: str = "utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def refusal(path) -> str:
    with pytest.raises(CohortError) as caught:
        reading.read(path)
    assert len(caught.value.problems) == 1
    return str(caught.value.problems[0])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_every_encoding_and_separator_gives_the_same_cells(file, encoding, mark):
    text = "研究ID,性別,age\r\nP1,男,8\r\nP2,女,52\r\n".replace(",", mark)
    path = file(text, encoding=encoding)
    assert cells(path) == [["研究ID", "性別", "age"], ["P1", "男", "8"], ["P2", "女", "52"]]
    assert reading.SEPARATORS[mark] in reading.read(path).read_as


def test_shift_jis_is_named(file):
    assert "Shift-JIS" in reading.read(file("性別,b\n男,ｱ\n", encoding="cp932")).read_as


@pytest.mark.parametrize("text", ["name;b\nMüller;1\nSänger;2\nGröße;3", "a;center\n1;Besançon\n", "é;à\n1;2\n"])
def test_western_accents_are_never_turned_into_japanese(file, text):
    assert "neither in UTF-8 nor in Shift-JIS" in refusal(file(text, encoding="latin-1"))


def test_excel_parquet_and_csv_give_the_same_cells(tmp_path):
    frame = pd.DataFrame({"a": [1, 2.5, None], "b": ["x", None, "NA"], "c": ["1:40", " y ", ""]})
    frame.to_excel(tmp_path / "f.xlsx", index=False)
    frame.to_parquet(tmp_path / "f.parquet")
    (tmp_path / "f.csv").write_text("a,b,c\n1,x,1:40\n2.5,, y \n,NA,\n")
    expected = [["a", "b", "c"], ["1", "x", "1:40"], ["2.5", "", "y"], ["", "NA", ""]]
    assert cells(tmp_path / "f.xlsx") == cells(tmp_path / "f.parquet") == cells(tmp_path / "f.csv") == expected


def test_rows_keep_their_number_in_the_file_although_blank_ones_are_left_out(file):
    assert reading.read(file("a,b\n1,2\n\n,\n3,4\n")).frame.index.tolist() == [2, 5]


def test_a_break_inside_quotation_marks_belongs_to_the_cell(file):
    assert cells(file('a,"b\nc"\n"1\n2",3\n')) == [["a", "b\nc"], ["1\n2", "3"]]


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.csv", "the file is empty"),
        (b" \n\n", "a.csv", "the file is empty"),
        (b"a,b\n1,\x002\n", "a.csv", "NUL bytes"),
        (b"a,b\n1,2\n1,2,3\n", "a.csv", "row 3 has 3 cells, the header 2"),
        (b'a,b\n"1,2\n', "a.csv", "a quotation mark is opened and never closed"),
        (b"a" * 300 + b",b\n1,2\n", "a.csv", "the name of column 1 has 300 characters"),
        (b",".join(b"c%d" % n for n in range(1200)), "a.csv", "1,200 columns"),
        (b"a,a\n1,2\n", "a.csv", "each column once"),
        (b"\xd0\xcf\x11\xe0", "a.xls", "a .xls file"),
        (b"x", "nameless", "a nameless file"),
        (b"not a zip", "a.xlsx", "not an Excel workbook"),
        (b"PAR1 no", "a.parquet", "damaged, or not what its name says"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(file, content, name, said):
    assert said in refusal(file(content, name))


def test_a_column_of_lists_is_refused_by_its_name(tmp_path):
    pd.DataFrame({"a": [1, 2], "sites": [["lung"], []]}).to_parquet(tmp_path / "lists.parquet")
    assert "'sites' holds lists" in refusal(tmp_path / "lists.parquet")


@pytest.fixture
def bomb(tmp_path):
    """A small workbook whose sheet unpacks to 300 MB of blanks."""
    pd.DataFrame({"a": [1]}).to_excel(tmp_path / "good.xlsx", index=False)
    with (
        zipfile.ZipFile(tmp_path / "good.xlsx") as good,
        zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bad,
    ):
        for name in good.namelist():
            with bad.open(name, "w") as entry:
                entry.write(good.read(name))
                for _ in range(300 if name.endswith("sheet1.xml") else 0):
                    entry.write(b" " * 1_000_000)
    return tmp_path / "bomb.xlsx"


def test_a_workbook_of_hundreds_of_megabytes_is_refused_before_it_is_unpacked(bomb):
    assert bomb.stat().st_size < 3_000_000
    assert "300 MB when unpacked; accepted: a workbook below 100 MB, or a CSV file" in refusal(bomb)


def test_a_workbook_that_lies_about_its_size_is_unpacked_no_further_than_it_says(bomb, tmp_path):
    with zipfile.ZipFile(bomb) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    whole = bomb.read_bytes()
    assert whole.count(size.to_bytes(4, "little")) == 2  # before the sheet, and in the directory
    bomb.write_bytes(whole.replace(size.to_bytes(4, "little"), (9_000).to_bytes(4, "little")))
    tracemalloc.start()
    assert "damaged" in refusal(bomb)
    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()


def test_entities_that_multiply_do_not_fill_the_memory(tmp_path):
    pd.DataFrame({"a": [1]}).to_excel(tmp_path / "good.xlsx", index=False)
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    with zipfile.ZipFile(tmp_path / "good.xlsx") as good, zipfile.ZipFile(tmp_path / "bad.xlsx", "w") as bad:
        for name in good.namelist():
            content = good.read(name)
            if name.endswith("sheet1.xml"):
                content = f"<?xml version='1.0'?><!DOCTYPE lolz [{lol}]><worksheet>&l9;</worksheet>".encode()
            bad.writestr(name, content)
    assert "cannot be read" in refusal(tmp_path / "bad.xlsx")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_or_a_device_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    for name in ("pipe.csv", "zero.csv"):
        assert "not a regular file" in refusal(tmp_path / name)


def test_a_far_away_cell_of_a_workbook_costs_one_sentence(tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["a", "b"])
    book.active.cell(1, 16_000, "far away")
    book.save(tmp_path / "wide.xlsx")
    assert "16,000 columns" in refusal(tmp_path / "wide.xlsx")


def test_values_that_become_equal_are_one_value():
    merged = reading.renamed(pd.Series(["a", "A", None], dtype="category"), ["x", "x"])
    assert merged.tolist() == ["x", "x", ""]
    assert sorted(merged.cat.categories) == ["", "x"]


def test_many_rows_are_kept_as_few_different_values(tmp_path):
    rng = np.random.default_rng(1)
    pd.DataFrame({"a": rng.choice(["yes", "no"], 50_000), "b": rng.integers(0, 90, 50_000)}).to_csv(
        tmp_path / "many.csv", index=False
    )
    frame = reading.read(tmp_path / "many.csv").frame
    assert len(frame) == 50_000
    assert frame.memory_usage(deep=True).sum() < 300_000
