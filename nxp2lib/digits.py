"""What printed digits stand for: which values round to them, and whether two prints can be one number.

A printed number is a string, since trailing zeros count: "0.50" says more than "0.5". It stands for every value that
rounds to it, half away from zero; "<0.01" and ">0.05" for the values on that side of a limit; stars and "NS" for the
limits that tables give them.
"""

from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pandas as pd

STARS = {"*": "<0.05", "**": "<0.01"}
NOT_SIGNIFICANT = "NS"  # 0.05 or more
ROUNDED, ROUNDED_TWICE, CUT_OFF, HALF_TO_EVEN = "rounded", "rounded twice", "cut off", "half rounded to even"


def decimals(printed: str) -> int:
    """Return how many decimals are printed.

    >>> decimals("62.0"), decimals("<0.01"), decimals("2594")
    (1, 2, 0)
    """
    return len(printed.partition(".")[2])


def round_half_up(value: float | int | Decimal, decimals: int) -> Decimal:
    """Round half away from zero in decimal arithmetic, as printed tables do.

    A float is taken at its shortest decimal form, so that 0.145 rounds to 0.15.

    >>> round_half_up(0.145, 2), round_half_up(Decimal("11.25"), 1)
    (Decimal('0.15'), Decimal('11.3'))
    """
    return _quantized(value, decimals, ROUND_HALF_UP)


def round_twice(value: float | int | Decimal, decimals: int) -> Decimal:
    """Round half up to one decimal more, and what comes out once again.

    >>> round_half_up(0.1448, 2), round_twice(0.1448, 2)
    (Decimal('0.14'), Decimal('0.15'))
    """
    return round_half_up(round_half_up(value, decimals + 1), decimals)


def cut_off(value: float | int | Decimal, decimals: int) -> Decimal:
    """Leave out all decimals but the first few.

    >>> cut_off(62.069, 1)
    Decimal('62.0')
    """
    return _quantized(value, decimals, ROUND_DOWN)


def half_to_even(value: float | int | Decimal, decimals: int) -> Decimal:
    """Round to the nearest number, and what lies halfway to the even one, as R and Python do.

    >>> half_to_even(62.5, 0), half_to_even(63.5, 0)
    (Decimal('62'), Decimal('64'))
    """
    return _quantized(value, decimals, ROUND_HALF_EVEN)


HABITS: dict[str, Callable[[float | int | Decimal, int], Decimal]] = {
    ROUNDED: round_half_up, ROUNDED_TWICE: round_twice, HALF_TO_EVEN: half_to_even, CUT_OFF: cut_off
}  # fmt: skip


def habits(printed: str, value: float | int | Decimal) -> tuple[str, ...]:
    """Return all of ``HABITS`` by which a value gives printed digits.

    >>> habits("62.1", 62.069)[0], habits("62.0", 62.069), habits("62", 62.5), habits("61", 62.069)
    ('rounded', ('cut off',), ('half rounded to even', 'cut off'), ())
    """
    places, number = decimals(printed), Decimal(printed)
    return tuple(name for name, rounded in HABITS.items() if rounded(value, places) == number)


def _quantized(value: float | int | Decimal, decimals: int, rounding: str) -> Decimal:
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    return exact.quantize(Decimal(1).scaleb(-decimals), rounding=rounding)


def percent(n: int, of: int) -> Decimal:
    """Return an exact percentage, to 28 digits.

    >>> percent(5, 8)
    Decimal('62.5')
    """
    return Decimal(100 * n) / of


def interval(printed: str) -> tuple[Decimal, Decimal]:
    """Return the least value printed like this, and the least above it that no longer is.

    >>> interval("2594"), interval("<0.01")
    ((Decimal('2593.5'), Decimal('2594.5')), (Decimal('-Infinity'), Decimal('0.01')))

    Of a number below zero the two ends change roles, since half rounds away from zero.
    """
    sign, number = _sides(printed)
    if sign == "<":
        return Decimal("-Infinity"), number
    if sign:
        return number, Decimal("Infinity")
    half = Decimal(5).scaleb(-decimals(printed) - 1)
    return number - half, number + half


def _sides(printed: str) -> tuple[str, Decimal]:
    """Return the sign and the digits of a printed number."""
    text = ">0.05" if printed == NOT_SIGNIFICANT else STARS.get(printed, printed)
    sign = text[0] if text[0] in "<>" else ""
    return sign, Decimal(text.removeprefix(sign))


def agrees(printed: str, value: float) -> bool | None:
    """Tell whether a computed value rounds to the printed digits, or lies on the printed side of a limit.

    Returns None where the value is missing.

    >>> agrees("0.16", 0.1556), agrees("0.15", 0.1448), agrees("<0.01", 0.0026), agrees("*", 0.1448)
    (True, False, True, False)
    """
    if pd.isna(value):
        return None
    sign, number = _sides(printed)
    if sign:
        exact = Decimal(str(value))  # the float 0.05 lies a hair above 0.05
        return exact < number if sign == "<" else exact > number or (printed == NOT_SIGNIFICANT and exact == number)
    if value in (float("inf"), float("-inf")):
        return False
    return round_half_up(value, decimals(printed)) == number


def clash(one: str, other: str) -> bool:
    """Tell whether two printed strings of one number exclude each other: no value is printed as both.

    >>> clash("0.04", "0.043"), clash("0.04", "0.05"), clash("<0.01", "0.02"), clash("75", "75.0")
    (False, True, True, False)
    """
    (low, high), (least, most) = interval(one), interval(other)
    return high <= least or most <= low


def check_p_value(printed: str) -> None:
    """Raise ValueError unless this can be printed for a P value: digits to 1, a limit, stars or ``NS``."""
    sign = printed[:1] if printed[:1] in ("<", ">") else ""
    digits = printed.removeprefix(sign)
    named = printed in STARS or printed == NOT_SIGNIFICANT
    plain = digits.isascii() and digits.replace(".", "", 1).isdigit()
    if not named and (not plain or Decimal(digits) > 1 or (sign and not 0 < Decimal(digits) < 1)):
        raise ValueError(f"printed P value: {printed!r} is not accepted; accepted: 0.04, 1.00, <0.01, >0.05, NS")


def match(printed: str, value: float) -> str:
    """Tell how a P value gives the printed one: by the first of `ways`, or not at all (empty).

    ``printed`` is digits, ``<0.01``, ``>0.05``, a table's stars, or ``NS`` (0.05 or more). A missing value matches
    nothing. Raises ValueError for anything else printed.

    >>> [match(printed, 0.1448) for printed in ("0.14", "0.15", "0.144", "0.16", "NS")]
    ['rounded', 'rounded twice', 'cut off', '', 'rounded']
    """
    return next(iter(ways(printed, value)), "")


def ways(printed: str, value: float) -> tuple[str, ...]:
    """Return all of ``HABITS`` by which a P value gives the printed one, as `match` reads it.

    >>> ways("0.14", 0.1412), ways("<0.05", 0.03)[0], ways("0.144", 0.1448)
    (('rounded', 'rounded twice', 'half rounded to even', 'cut off'), 'rounded', ('cut off',))
    """
    check_p_value(printed)
    if pd.isna(value) or _sides(printed)[0]:
        return tuple(HABITS) if agrees(printed, value) else ()
    return habits(printed, float(value))


def chance(printed: str) -> float:
    """Return the probability that P is printed like this when any P from 0 to 1 is as likely as any other.

    >>> chance("0.04"), chance("1.00"), chance("<0.05")
    (0.01, 0.005, 0.05)
    """
    check_p_value(printed)
    low, high = interval(printed)
    return float(min(Decimal(1), high) - max(Decimal(0), low))


def may_be_printed(printed: str, least: float, greatest: float) -> bool:
    """Tell whether some P value between two bounds, both included, is printed like this.

    >>> may_be_printed("0.05", 0.01, 0.047), may_be_printed("<0.01", 0.02, 0.5), may_be_printed("NS", 0.02, 0.5)
    (True, False, True)
    """
    if _sides(printed)[0]:
        return any(match(printed, p) for p in (least, greatest))
    low, high = map(float, interval(printed))
    return least < high and greatest >= low


def computed(p: float, printed: str) -> str:
    """Show a P value with at least four decimals and one more than printed, never as zero unless it is.

    >>> computed(0.46404, "0.464"), computed(0.00000123, "0.04"), computed(float("nan"), "0.04")
    ('0.4640', '1e-06', 'undefined')
    """
    places = max(4, decimals(printed) + 1)
    if p != p:
        return "undefined"
    return f"{p:.{places}f}" if p == 0 or p >= 10**-places else f"{p:.1g}"
