"""A map that is guessed: it loads, it reads what can be guessed, and leaves to a person what can be two things."""

import pytest
from typer.testing import CliRunner

from nxp2lib import cli, cohort, dictionary, intake
from nxp2lib.intake import column_map, suggestion, understanding

MESSY = """\
症例番号;性別;Age of onset;Gottron;Disphagia;ILD;Malignancy;Cancer type;Peak CK;患者氏名;muscular weaknes;ANA titre
A1;男;58歳;有;positiv;なし;yes;gastric cancer;2609;山田;1;1:160
A2;女;8;無;negative;あり;はい;brest cancer;812;佐藤;はい;<40
A3;femal;30;無;no;あり;いいえ;;99;鈴木;0;
"""
BASIC = "patient_id,sex,age_at_onset"


@pytest.fixture
def nxp2(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(cli.app, list(words))


@pytest.fixture
def guessed(tmp_path):
    """Return a function that writes a file and reads the map that is guessed of it; the text of it too."""

    def write(*lines: str):
        (tmp_path / "mine.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        text = suggestion.draft(tmp_path / "mine.csv")
        (tmp_path / "guessed.yml").write_text(text, encoding="utf-8")
        return column_map.read(tmp_path / "guessed.yml"), text

    return write


def test_a_messy_file_is_accepted_with_the_map_that_is_guessed_of_it(nxp2, tmp_path):
    (tmp_path / "messy.csv").write_text(MESSY, encoding="utf-8")
    assert nxp2("validate", "messy.csv").exit_code == 1
    done = nxp2("validate", "messy.csv", "--suggest-map", "map.yml")
    assert done.exit_code == 1 and done.stdout.endswith(
        "map.yml; look at each line of it, then check the file with --map map.yml\n"
    )
    said = nxp2("validate", "messy.csv", "--map", "map.yml")
    assert said.exit_code == 0 and "3 patients, no problems" in said.stdout, said.stdout
    patients = cohort.load("messy.csv", map_path="map.yml")
    assert patients["malignancy_site"].astype(str).tolist()[:2] == ["stomach", "breast"]
    assert patients["sex"].tolist() == ["male", "female", "female"]
    assert patients["dysphagia"].tolist() == [True, False, False]


def test_each_guess_says_why(tmp_path, guessed):
    found, text = guessed(*MESSY.splitlines())
    lines = [line.strip() for line in text.splitlines()]
    assert "Disphagia: dysphagia  # spelled almost as dysphagia" in lines
    assert "性別: sex  # a known name of it" in lines
    assert "gastric cancer: stomach  # a known name of it" in lines
    assert "brest cancer: breast  # spelled almost as breast cancer" in lines
    assert found.drop == ("患者氏名",) and "- 患者氏名  # may say who a patient is" in lines


def test_what_cannot_be_guessed_is_blank_with_what_is_accepted(tmp_path, guessed):
    found, text = guessed(f"{BASIC},malignancy,malignancy_site,blood", "p,1,8,yes,cancer,A", "q,2,9,maybe,breast,B")
    assert found == column_map.ColumnMap()
    lines = [line.strip() for line in text.splitlines()]
    assert "# 1:   # accepted: male or female" in lines
    assert any(line.startswith("# blood:   # accepted: center, any_rash, ") for line in lines)
    assert any(line.startswith("# cancer:   # accepted: bladder, breast, ") for line in lines)
    assert any(line.startswith("# maybe:   # accepted: 1 (yes), 0 (no)") for line in lines)
    assert len(intake.inspect(tmp_path / "mine.csv", tmp_path / "guessed.yml").problems) == 6


@pytest.mark.parametrize(
    "header",
    ["min creatine kinase", "AMA titer", "dysphasia", "age", "CK", "age at onset 2", "skin biopsy", "proximal weakness",
     "ANA", "neck flexor weakness", "gottron papules", "follow-up months", "calcinosis"],
)  # fmt: skip
def test_a_header_that_can_be_another_column_is_not_guessed(guessed, header):
    found, text = guessed(f"{BASIC},{header}", "p,male,8,1")
    assert found == column_map.ColumnMap() and f"# {header}:   # accepted: " in text


def test_two_headers_that_may_be_one_column_are_both_left(guessed):
    found, _ = guessed(f"{BASIC},muscle pain,myalgias", "p,male,8,1,0")
    assert found == column_map.ColumnMap()


def test_numeric_codes_are_never_guessed(guessed):
    found, text = guessed("patient_id,性別,age_at_onset,皮疹", "p,1,8,2", "q,2,9,1")
    assert found == column_map.ColumnMap(columns={"性別": "sex", "皮疹": "any_rash"})
    assert "  # sex:\n    # " in text


@pytest.mark.parametrize(
    "odd",
    ["a: b", "# x", "- y", "'z", '"w', "{v}", "&u", "*t", "!s", "%r", "@q", "yes", "null", "~", "\u200bx", "a\\b", ","],
)
def test_whatever_is_typed_the_map_loads(guessed, odd):
    cell = '"' + odd.replace('"', '""') + '"'
    found, _ = guessed(f"{BASIC},malignancy_site,{cell}", f"p,{cell},8,{cell},1")
    assert found.columns == {} and set(found.values) <= {"sex", "malignancy_site"}


def test_a_map_is_written_over_no_other_file(nxp2, tmp_path):
    (tmp_path / "messy.csv").write_text(MESSY, encoding="utf-8")
    (tmp_path / "map.yml").write_text("columns: {}\n", encoding="utf-8")
    done = nxp2("validate", "messy.csv", "--suggest-map", "map.yml")
    assert done.exit_code == 2 and done.stdout == ""
    assert done.stderr == "--suggest-map map.yml: exists already and is left as it is; choose another name\n"
    assert (tmp_path / "map.yml").read_text(encoding="utf-8") == "columns: {}\n"
    assert nxp2("validate", "messy.csv", "--suggest-map", "map.txt").exit_code == 2
    assert nxp2("validate", "messy.csv", "--suggest-map", "new.yml", "--map", "map.yml").exit_code == 2
    assert not (tmp_path / "new.yml").exists()


def test_no_map_is_written_of_a_file_that_cannot_be_read(nxp2, tmp_path):
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    done = nxp2("validate", "empty.csv", "--suggest-map", "map.yml")
    assert done.exit_code == 1 and not (tmp_path / "map.yml").exists()


def test_each_known_name_is_that_of_one_column():
    known = suggestion.KNOWN["headers"]
    assert set(known) <= set(dictionary.asked())
    names = [understanding.plain(word) for words in known.values() for word in words]
    assert len(set(names)) == len(names)
