"""What one cell of a printed table says: every way of writing it that was met, and what is refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxp2lib.audit import cells
from nxp2lib.audit.cells import Center, Count

PARSERS = [cells.p_value, cells.count, cells.percent, cells.number, cells.summary, cells.kind, cells.named_tests]
BLANKS = ["", " ", "\u00a0", "-", "–", "—", "−", "--", "NA", "n/a", "N.A.", "nan", "not reported", "(-)"]
LETTERS = st.text("0123456789.,-–−/%()[]<>±*×^eE pPnNsS\u00a0\u2009'⁻⁴¹ᵃ†", max_size=14)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("< 0.001**", "<0.001"), ("0.04*", "0.04"), ("P=.03", "0.03"), ("p < .05", "<0.05"), ("P-value: 0.03", "0.03"),
        ("0.000", "0.000"), ("0.10", "0.10"), ("1.00", "1.00"), ("0", "0"), ("1", "1"), ("≤0.05", "<0.05"),
        ("<= 0.05", "<0.05"), (">0.99", ">0.99"), ("≥ 0.05", ">0.05"), ("＜０．０１", "<0.01"),
        ("0,04", "0.04"), (",03", "0.03"), ("1,000", "1.000"), ("0·04", "0.04"), ("\u20090.04\u00a0", "0.04"),
        ("1.2e-4", "0.00012"), ("1.20E-04", "0.000120"), ("1.2 × 10−4", "0.00012"), ("1.2x10^-4", "0.00012"),
        ("1.2×10⁻⁴", "0.00012"), ("1·2·10⁻⁴", "0.00012"), ("<10⁻⁴", "<0.0001"), ("<2.2e-16", "<0.00000000000000022"),
        ("0.04†", "0.04"), ("0.04‡§", "0.04"), ("†0.04", "0.04"), ("0.04a", "0.04"), ("0.04ᵃ", "0.04"),
        ("0.04ᵃ,ᵇ", "0.04"), ("0.04 (a)", "0.04"), ("0.34 (NS)", "0.34"),
        ("ns", "NS"), ("n.s.", "NS"), ("N.S.", "NS"), ("not significant", "NS"), ("p = n.s.", "NS"),
    ],
)  # fmt: skip
def test_a_p_value_is_read_however_it_is_written_and_keeps_its_decimals(written, read):
    assert cells.p_value(written) == read


@pytest.mark.parametrize(
    "written", ["1.2", "-0.1", "<0", "<1", ">1.0", "5%", "0.05-0.1", "*", "#N/A", "p", "<", "0.05.", "10-4", "1e-300",
                "twelve", "0.04½", "٠.٠٥", "0.0.4", "0.04 or 0.05"]
)  # fmt: skip
def test_what_is_no_p_value_is_refused_with_what_is_accepted(written):
    with pytest.raises(ValueError, match=r"is not accepted; accepted: 0\.03, \.03, 0,03, <0\.001"):
        cells.p_value(written)


def test_a_footnote_digit_in_superscript_is_no_decimal():
    assert cells.p_value("0.04¹") == cells.p_value("0.04①") == "0.04"
    assert cells.count("10²") == Count(10)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("12", (12, None, None)), ("12.0", (12, None, None)), ("n = 12", (12, None, None)), ("12*", (12, None, None)),
        ("12/34", (12, 34, None)), ("12 / 34", (12, 34, None)), ("１２／３４", (12, 34, None)),
        ("12 of 34", (12, 34, None)), ("12 out of 34", (12, 34, None)), ("12 (35.3%)", (12, None, "35.3")),
        ("12 [35.3 %]", (12, None, "35.3")), ("12 (35,3)", (12, None, "35.3")), ("12/34 (35.3)", (12, 34, "35.3")),
        ("12 of 34 (35.30 %)†", (12, 34, "35.30")), ("12/34, 35.3%", (12, 34, "35.3")),
        ("12/34 35.3%", (12, 34, "35.3")), ("35.3% (12/34)", (12, 34, "35.3")), ("35.3 %", (None, None, "35.3")),
        ("(35.3%)", (None, None, "35.3")), ("0 (–)", (0, None, None)), ("1,125", (1125, None, None)),
        ("1 125", (1125, None, None)), ("1\u202f125/2\u202f250 (50%)", (1125, 2250, "50")),
    ],
)  # fmt: skip
def test_a_count_is_read_with_its_denominator_and_percentage(written, read):
    assert cells.count(written) == read


@pytest.mark.parametrize(
    "written", ["twelve", "-3", "12.5", "<5", "12 (340)", "12/34/5", "12½", "12⑴", "1 2", "12 ± 3", "1e3"]
)
def test_what_is_no_count_is_refused_with_what_is_accepted(written):
    with pytest.raises(ValueError, match="is not accepted; accepted: 12, 12/34, 12 of 34"):
        cells.count(written)


def test_a_percentage_lies_between_0_and_100():
    assert [cells.percent(text) for text in ("0", "35.30 %", "35,3", "35,294", "100.0")] == [
        "0", "35.30", "35.3", "35.294", "100.0"
    ]  # fmt: skip
    for text in ("100.1", "-1", "1 000", "<1", "a third"):
        with pytest.raises(ValueError, match="from 0 to 100"):
            cells.percent(text)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1,125", "1125"), ("1 125", "1125"), ("1'125", "1125"), ("1,125,000", "1125000"), ("1,125.50", "1125.50"),
        ("1.234,5", "1234.5"), ("1.125.000", "1125000"), ("0,125", "0.125"), ("-0,125", "-0.125"), ("12,5", "12.5"),
        ("1234,567", "1234.567"), ("1.125", "1.125"), ("−3", "-3"), ("+3", "3"), (".5", "0.5"), ("1.20e1", "12.0"),
    ],
)  # fmt: skip
def test_thousands_are_told_from_decimals(written, read):
    assert cells.number(written) == read


@pytest.mark.parametrize("written", ["5.", "1,1,1", "1.2.3", "--3", "3-4", "1.2e3", "9" * 16, "1e99999", "9" * 9999])
def test_what_is_no_number_or_hides_its_last_digits_is_refused(written):
    with pytest.raises(ValueError, match="is not accepted; accepted: 2609") as caught:
        cells.number(written)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2609 (1125–6972)", ("2609", "1125", "6972")), ("2609 [1125, 6972]", ("2609", "1125", "6972")),
        ("2,609 (1,125–6,972)", ("2609", "1125", "6972")), ("2609 (1125 to 6972)", ("2609", "1125", "6972")),
        ("2609 (IQR 1125; 6972)*", ("2609", "1125", "6972")), ("15 (10-14)", ("15", "10", "14")),
        ("-0.5 (-1.2--0.3)", ("-0.5", "-1.2", "-0.3")), ("5 (3.5,7.1)", ("5", "3.5", "7.1")),
        ("5.0 ± 1.2", ("5.0", "1.2", None)), ("5.0 +/- 1.2", ("5.0", "1.2", None)), ("5.0 (1.2)", ("5.0", "1.2", None)),
        ("5,0 (1,2)", ("5.0", "1.2", None)), ("5.0 (–)", ("5.0", None, None)), ("5.0", ("5.0", None, None)),
    ],
)  # fmt: skip
def test_a_centre_is_read_with_its_spread(written, read):
    assert cells.summary(written) == read


@pytest.mark.parametrize("written", ["± 3", "x", "5 (x)", "5 (1-2-3)", "(5)", "5 6"])
def test_what_is_no_centre_is_refused(written):
    with pytest.raises(ValueError, match="is not accepted; accepted: 2609"):
        cells.summary(written)


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_says_nothing_in_any_column(blank):
    assert [parse(blank) for parse in PARSERS] == [None, Count(), None, None, Center(), None, ()]


@pytest.mark.parametrize("text", ["mean (SE)", "mean ± SEM", "Mean ± standard error", "mean", "median (95% CI)"])
def test_a_standard_error_or_a_lone_mean_is_no_summary(text):
    with pytest.raises(ValueError, match=r"accepted: mean\(SD\), median\(IQR\), median\(range\)"):
        cells.kind(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Fisher's exact test", ["fisher"]), ("Fisher exact, one-tailed", ["fisher_one_sided"]), ("mid-P", ["mid_p"]),
        ("χ²", ["chi_square"]), ("x2", ["chi_square"]), ("Chi² with Yates", ["chi_square_yates"]),
        ("chi-square without continuity correction", ["chi_square"]), ("N−1 chi-square", ["chi_square_n_minus_1"]),
        ("likelihood ratio", ["g_test"]), ("Barnard's exact test", ["barnard"]), ("Boschloo", ["boschloo"]),
        ("Mann–Whitney U", ["mann_whitney"]), ("Wilcoxon rank-sum", ["mann_whitney"]), ("t-test", ["student"]),
        ("unpaired t test", ["student"]), ("Welch's t test", ["welch"]), ("paired t test", ["other"]),
        ("Wilcoxon signed-rank", ["other"]), ("McNemar's chi-square", ["other"]), ("log-rank", ["other"]),
        ("chi-square or Fisher", ["fisher", "chi_square"]), ("Bonferroni-corrected Fisher", ["fisher"]),
    ],
)  # fmt: skip
def test_a_test_is_known_by_its_names(text, named):
    assert list(cells.named_tests(text)) == named


@given(st.text() | LETTERS, st.sampled_from(PARSERS))
def test_any_cell_is_read_or_refused_in_one_line_of_words(text, parse):
    try:
        parse(text)
    except ValueError as error:
        assert "is not accepted; accepted: " in str(error) and "\n" not in str(error)


@given(LETTERS)
def test_digits_that_come_out_are_digits(text):
    try:
        found = cells.p_value(text)
    except ValueError:
        return
    assert found in (None, "NS") or 0 <= Decimal(found.lstrip("<>")) <= 1


@given(st.decimals(0, 1, places=4, allow_nan=False), st.sampled_from(["", "<", ">", "P = ", "p<"]), st.booleans())
def test_a_p_value_survives_any_dress(value, before, comma):
    written = before + (str(value).replace(".", ",") if comma else str(value)) + "*"
    if value in (0, 1) and before.strip() in ("<", ">", "p<"):
        return
    sign = "<" if before == "p<" else before if before in "<>" else ""
    assert cells.p_value(written) == sign + str(value)
