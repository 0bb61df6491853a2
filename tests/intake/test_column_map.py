"""The map of a centre's own headers and codes."""

import pytest

from nxp2lib.intake import column_map
from nxp2lib.intake.problems import CohortError


@pytest.fixture
def read(tmp_path):
    def write(text: str | bytes):
        path = tmp_path / "map.yml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return column_map.read(path)

    return write


def test_everything_in_a_map_is_text(read):
    found = read("values:\n  distal_weakness: {yes: 1, no: 0, maybe: , 3: 1}\n  sex: {1: male, 2: female}\n")
    assert found.values["distal_weakness"] == {"yes": "1", "no": "0", "maybe": "", "3": "1"}
    assert found.values["sex"] == {"1": "male", "2": "female"}


def test_headers_are_named_dropped_and_allowed(read):
    found = read("columns:\n  発症年齢: age_at_onset\ndrop: [氏名, others]\nallow: ID number\n")
    assert found.columns == {"発症年齢": "age_at_onset"}
    assert (found.drop, found.others, found.allow) == (("氏名",), True, ("ID number",))


def test_an_empty_map_explains_nothing(read):
    assert read("") == column_map.ColumnMap()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("column: {a: sex}", "did you mean 'columns'?"),
        ("columns: {a: sexx}", "did you mean 'sex'?"),
        ("values: {sex: {1: man}}", "'1' cannot mean 'man'; accepted: male or female"),
        ("columns: [a]", "accepted is columns:"),
        ("values: {sex: [1]}", "accepted is values:"),
        ("drop: {a: b}", "accepted is drop:"),
        ("- a", "accepted is columns:"),
        ("columns: {a: sex, a: center}", "stands there twice"),
        ("drop: !!python/object/apply:os.system ['echo x']", "tags (!) are not accepted"),
        ("columns: {a: !!python/name:os.system }", "tags (!) are not accepted"),
        ("drop: &x [a]\nallow: *x", "references (& and *) are not accepted"),
        ("drop: &x [*x]", "references (& and *) are not accepted"),
        ("drop: [a", "is not YAML"),
        ("a: \x00", "is not YAML"),
        (b"\xff\xfe\xfa", "not in UTF-8"),
        ("x" * 2_000_000, "too many for a map"),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_a_mistake_in_a_map_is_one_sentence(read, text, said):
    with pytest.raises(CohortError) as caught:
        read(text)
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value).startswith("map.yml: ")


def test_entities_that_multiply_are_refused_before_they_grow(read):
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(CohortError, match="references"):
        read("\n".join(lines))
