"""The P value of a row of means or medians, by what is printed of the two groups."""

from decimal import Decimal

from nxp2lib import cells, conventions, published, summaries, verdicts
from nxp2lib.constraints import Infeasible, NotReached
from nxp2lib.ledger_row import LARGEST, NAN, Found, cell, refused, size_of
from nxp2lib.verdicts import INCONSISTENT, OTHER_CONVENTION, REPRODUCED, UNDETERMINED

UNITS = 10**13  # of the last printed digit in the largest number: the solver knows whole numbers of 64 bits
RANK, STUDENT, WELCH = "mann_whitney", "student", "welch"
NUMBER_KINDS = (cells.MEAN_SD, cells.MEDIAN_IQR, cells.MEDIAN_RANGE)
NUMBER_TESTS = {RANK: "Mann-Whitney U test", STUDENT: "Student's t test", WELCH: "Welch's t test"}


def is_of_numbers(row: dict) -> bool:
    """Tell whether a row holds means or medians: a centre, or a kind that is not one of counts."""
    centers = any(not cells.is_blank(row[f"{side}_center"]) for side in "ab")
    return centers or not all(_counted(row[f"{side}_kind"]) for side in "ab")


def _counted(text: str) -> bool:
    try:
        return cells.kind(text) in (None, cells.COUNTED)
    except ValueError:
        return False


def judge(row: dict) -> Found:
    """Judge the P value of a row of numbers by what is printed of the two groups."""
    printed = cell(row, "p_printed", cells.p_value)
    named = cell(row, "test_printed", cells.named_tests)
    a, b = (cell(row, f"{side}_kind", cells.kind) for side in "ab")
    a, b = a or b, b or a
    if a is None or cells.COUNTED in (a, b):
        side = "a" if a in (None, cells.COUNTED) else "b"
        raise refused(row, f"{side}_kind", f"accepted: {', '.join(NUMBER_KINDS)}")
    if (a == cells.MEAN_SD) != (b == cells.MEAN_SD):
        return Found(UNDETERMINED, f"{a} against {b}: these numbers do not bound any test")
    fitting = [name for name in named if (name in (STUDENT, WELCH) if a == cells.MEAN_SD else name == RANK)]
    if named and not fitting:
        return Found(UNDETERMINED, f"{a} against {b}: these numbers do not bound {row['test_printed'][:60]!r}")
    if a == cells.MEAN_SD:
        return _t_test(printed, _mean(row, "b"), _mean(row, "a"), fitting)
    return _rank_test(printed, _median(row, "b", b), _median(row, "a", a))


def _t_test(printed: str | None, second: summaries.MeanSD, first: summaries.MeanSD, named: list[str]) -> Found:
    bounds = summaries.t_test(second, first)
    spans = {STUDENT: bounds[:3], WELCH: bounds[3:]}
    expected = named[0] if named else STUDENT
    if printed is None:
        return Found(UNDETERMINED, "no P value is printed", "", spans[expected][0], NAN, NAN, *spans[expected][1:])
    giving = [name for name, (face, *_) in spans.items() if conventions.match(printed, face) == "rounded"]
    if giving and not named:
        expected = giving[0]
    shown = {name: f"{NUMBER_TESTS[name]} is {verdicts.digits(face, printed)}" for name, (face, *_) in spans.items()}
    if expected in giving:
        verdict, reason = REPRODUCED, f"{shown[expected]}, {verdicts.as_printed(printed)}"
    elif giving:
        verdict, reason = OTHER_CONVENTION, f"{shown[giving[0]]}; {shown[expected]}"
    else:
        found = verdicts.t_test(printed, second, first)
        verdict, reason = found.verdict, found.reason
        giving = [name for name, (_, *ends) in spans.items() if verdicts.may_be_printed(printed, *ends)]
    labels = [NUMBER_TESTS[name] for name in sorted(giving, key=lambda name: name != expected)]
    return Found(verdict, reason, "; ".join(labels), spans[expected][0], NAN, NAN, *spans[expected][1:])


def _rank_test(printed: str | None, second: summaries.Summary, first: summaries.Summary) -> Found:
    """Judge as `nxp2lib.verdicts.rank_test` does, and keep the bounds."""
    numbers = [Decimal(text) for text in (*second[1:], *first[1:]) if text is not None]
    unit = min(number.as_tuple().exponent for number in numbers)
    if max(map(abs, numbers)).scaleb(-unit) > UNITS:
        return Found(UNDETERMINED, "these numbers have too many digits to bound the rank test")
    try:
        ends = tuple(map(float, verdicts.rank_test_bounds(second, first)))
    except Infeasible as error:
        return Found(INCONSISTENT, str(error))
    except NotReached as error:
        return Found(UNDETERMINED, str(error))
    if printed is None:
        return Found(UNDETERMINED, "no P value is printed", p_least=ends[0], p_greatest=ends[1])
    found = verdicts.rank_test(printed, second, first)
    return Found(found.verdict, found.reason, p_least=ends[0], p_greatest=ends[1])


def _numbers(row: dict, side: str, least: int) -> tuple[int, str, str | None, str | None]:
    """Return size, centre and the two ends of a group: from their own columns, or else from the cell of the centre."""
    size = cell(row, f"{side}_n", cells.count)
    n = size_of(row, f"{side}_n", size.count if size.of is None else size.of)
    if n is None or n < least:
        raise refused(row, f"{side}_n", f"accepted: a group of {least} to {LARGEST} patients")
    center, low, high = cell(row, f"{side}_center", cells.summary)
    if center is None:
        raise refused(row, f"{side}_center", f"accepted: {cells.ACCEPTED_SUMMARY.removesuffix(' or blank')}")
    own = [cell(row, f"{side}_{end}", cells.number) for end in ("lo", "hi")]
    return (n, center, *own) if any(own) else (n, center, low, high)


def _mean(row: dict, side: str) -> summaries.MeanSD:
    n, mean, low, high = _numbers(row, side, 2)
    sd = low or high
    if low and high and Decimal(low) != Decimal(high):  # mean - SD and mean + SD
        below, above = Decimal(mean) - Decimal(low), Decimal(high) - Decimal(mean)
        decimals = max(len(text.partition(".")[2]) for text in (mean, low, high))
        symmetric = min(below, above) > 0 and abs(above - below) <= Decimal(1).scaleb(-decimals)
        sd = str(published.round_half_up((below + above) / 2, decimals)) if symmetric else None
    if sd is None or Decimal(sd) < 0:
        raise refused(row, f"{side}_lo", "accepted: the standard deviation, or mean - SD with mean + SD in the next")
    return summaries.MeanSD(n, mean, sd.removeprefix("-"))


def _median(row: dict, side: str, kind: str) -> summaries.Summary:
    n, median, low, high = _numbers(row, side, 1)
    if (low is None) != (high is None):
        raise refused(row, f"{side}_{'hi' if high is None else 'lo'}", "accepted: both ends, or neither")
    ends = ("q1", "q3") if kind == cells.MEDIAN_IQR else ("minimum", "maximum")
    return summaries.Summary(n, median, **dict(zip(ends, (low, high), strict=True)))
