"""Files appear whole or not at all, and relative names mean the same from everywhere."""

import pytest

from nxp2lib import paths


def test_a_default_file_is_found_from_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert paths.find("data/data_dictionary.csv") == paths.DICTIONARY


def test_a_file_in_the_working_directory_comes_first(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    mine = tmp_path / "data" / "data_dictionary.csv"
    mine.write_text("mine")
    monkeypatch.chdir(tmp_path)
    assert paths.find("data/data_dictionary.csv").read_text() == "mine"


def test_a_replaced_file_is_whole_and_leaves_nothing_beside_it(tmp_path):
    with paths.replacing(tmp_path / "new" / "file.csv") as partial:
        partial.write_text("text")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file.csv"]


def test_a_failed_write_keeps_the_old_file(tmp_path):
    target = tmp_path / "file.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError), paths.replacing(target) as partial:
        partial.write_text("half of the n")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.csv"]


def test_relative_output_folders_can_be_moved_and_absolute_ones_stay(tmp_path, monkeypatch):
    monkeypatch.setenv("NXP2_OUTPUT_ROOT", str(tmp_path))
    assert paths.output_folder("outputs") == tmp_path / "outputs"
    monkeypatch.delenv("NXP2_OUTPUT_ROOT")
    assert paths.output_folder("outputs") == paths.ROOT / "outputs"
    assert paths.output_folder(tmp_path) == tmp_path
