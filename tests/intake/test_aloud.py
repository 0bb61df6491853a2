"""What is said of a patient, and of whom nothing is."""

from test_describe import five_patients

from nxp2lib.intake import aloud


def test_a_real_patients_row_is_never_read_aloud():
    assert aloud.read_aloud(five_patients().iloc[0]) == "Rows of real patients are not shown."
    assert "synthetic: male, 4 years" in aloud.read_aloud(five_patients(synthetic=["1"] * 5).iloc[0])
