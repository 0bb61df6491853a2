"""What printed numbers demand of counts, shared by both models of the patients."""

import pytest

from nxp2lib.reconstruction import counts


@pytest.mark.parametrize("sex, age, cases", [("female", 52, 0.005862), ("male", 0, 0.000219)])
def test_expected_cases_are_the_rate_at_that_age(sex, age, cases):
    assert counts.expected_cases()[sex, age] / counts.CASE == pytest.approx(cases, rel=2e-3)
