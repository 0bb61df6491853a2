"""The printed numbers as facts: what is said, what is kept, and what is left out because something else is kept."""

from nxp2lib import published
from nxp2lib.reconstruction import facts


def printed(known) -> set[tuple]:
    """The quantities that are printed, each with its statistic and its digits last."""
    return set(zip(*facts.quantity(known), known["printed"], strict=True))


def test_every_number_left_out_is_in_the_registry_and_not_among_the_facts():
    left_out = set(facts.left_out())
    assert left_out <= set(published.load()["id"])
    assert not left_out & set(facts.kept()["id"])


def test_what_is_kept_is_said_but_for_measures_that_follow_from_counts_and_ages():
    assert {statistic for *_, statistic, _ in printed(facts.kept()) - printed(facts.stated())} == {"p_value", "sir"}
