"""The model of counts by pattern, against a toy paper of eight patients counted in every possible way."""

from itertools import combinations_with_replacement

import pandas as pd
import pytest

from nxp2lib.reconstruction import contradictions
from nxp2lib.reconstruction.patterns import Patterns
from nxp2lib.reconstruction.puzzle import Infeasible

COLUMNS = ["place", "expression", "printed", "result", "row", "group", "statistic"]
KINDS = [(adult, weak, distal) for adult in (0, 1) for weak, distal in ((0, 0), (1, 0), (1, 1))]
TOY = ["patients/total/n=8", "patients/juvenile/n=3", "muscle_weakness/total/n=6", "distal_weakness/total/n=3"]


def known(*facts: str) -> pd.DataFrame:
    """Facts written as row/group/statistic=printed."""
    rows = []
    for fact in facts:
        address, _, printed = fact.partition("=")
        rows.append(["table1", f"table1/{address}", printed, "table1", *address.split("/")])
    return pd.DataFrame(rows, columns=COLUMNS)


def enumerated(count) -> set[int]:
    """Every value of a count over all multisets of eight patients that keep the toy paper."""
    found = set()
    for patients in combinations_with_replacement(KINDS, 8):
        adults, weak, distal = (sum(kind[i] for kind in patients) for i in range(3))
        if (adults, weak, distal) == (5, 6, 3):
            found.add(sum(map(count, patients)))
    return found


@pytest.mark.parametrize(
    "row, group, count",
    [
        ("muscle_weakness", "juvenile", lambda kind: kind[1] and not kind[0]),
        ("distal_weakness", "adult", lambda kind: kind[2] and kind[0]),
        ("muscle_weakness", "limited", lambda kind: kind[1] and not kind[2]),
        ("no_muscular_symptom", "adult", None),
    ],
)
def test_bounds_are_those_of_all_patients_written_out(row, group, count):
    model = Patterns(known(*TOY))
    least, greatest = model.bounds(model.count(row, group), model.switches)
    if count is None:  # myalgia is free, so any of the two without weakness may have none
        assert (least, greatest) == (0, 2)
    else:
        assert (least, greatest) == (min(enumerated(count)), max(enumerated(count)))


def test_a_rule_binds_findings_of_different_tables():
    model = Patterns(known(*TOY, "facial_edema/total/n=4", "any_rash/total/n=3"))
    assert set(model.conflict()) == {"table1/facial_edema/total/n = 4 (table1)", "table1/any_rash/total/n = 3 (table1)"}


def test_a_number_of_patients_that_no_percentage_has_is_found():
    model = Patterns(known(*TOY, "myalgia/juvenile/percent=50.0"))
    assert set(model.conflict()) == {
        "table1/patients/juvenile/n = 3 (table1)",
        "table1/myalgia/juvenile/percent = 50.0 (table1)",
    }


@pytest.mark.parametrize("juveniles", [3, 4])
def test_two_values_of_one_quantity_conflict_but_not_one_value_with_more_or_fewer_digits(juveniles):
    sizes = ["patients/total/n=8", f"patients/juvenile/n={juveniles}"]
    medians = [f"max_creatine_kinase/juvenile/median={digits}" for digits in ("100", "102", "100.0")]
    assert len(Patterns(known(*sizes, *medians[:2])).conflict()) == 2
    assert Patterns(known(*sizes, *medians[::2])).conflict() == []


def test_quartiles_out_of_order_conflict():
    model = Patterns(known(*TOY, "max_creatine_kinase/total/q1=200", "max_creatine_kinase/total/median=100"))
    assert "table1/max_creatine_kinase/total/q1 = 200 (table1)" in model.conflict()


def test_infeasible_facts_are_named_when_bounds_are_asked_for():
    model = Patterns(known(*TOY, "distal_weakness/total/n=7"))
    with pytest.raises(Infeasible, match="distal_weakness/total/n = 7"):
        model.bounds(model.count("distal_weakness", "adult"), model.switches)


def test_every_single_fact_of_a_conflict_is_needed():
    allowed = contradictions.Allowed()
    given_up = allowed.facts.loc[allowed.facts["status"] == "given up", "name"]
    for name in given_up:
        conflict = allowed.conflict(name)["name"].tolist()
        assert name in conflict
        assert not allowed.model.can_hold(conflict)
        for one in conflict:
            assert allowed.model.can_hold([other for other in conflict if other != one]), (name, one)


def test_something_undefined_is_named():
    with pytest.raises(KeyError, match="no definition is known for fever"):
        Patterns(known(*TOY, "fever/total/n=3"))


def test_a_cross_of_something_undefined_is_named():
    model = Patterns(known(*TOY))
    with pytest.raises(KeyError, match="no table holds fever"):
        model.count("dysphagia", "fever")
