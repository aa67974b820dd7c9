"""Numbers: computed as if exactly, then rounded to 12 significant digits, half to even.

Twelve digits survive the way decimal -> binary64 -> decimal, so two programs that follow the
same rule compare and print equal numbers (contract §2).
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal

SIGNIFICANT_DIGITS = 12
EXACT = Context(prec=400, rounding=ROUND_HALF_EVEN)
_ROUND = Context(prec=SIGNIFICANT_DIGITS, rounding=ROUND_HALF_EVEN)


def exact(value: float) -> Decimal:
    """The decimal that `value` was written as (its shortest repr)."""
    return Decimal(repr(value))


def rounded(value: Decimal) -> float:
    """Twelve significant digits, half to even, as binary64."""
    return float(_ROUND.plus(value))


def add(values: list[Decimal]) -> Decimal:
    """An exact sum."""
    total = Decimal(0)
    for value in values:
        total = EXACT.add(total, value)
    return total


def subtract(left: Decimal, right: Decimal) -> Decimal:
    return EXACT.subtract(left, right)


def multiply(left: Decimal, right: Decimal) -> Decimal:
    return EXACT.multiply(left, right)


def divide(left: Decimal, right: Decimal) -> Decimal:
    """A quotient good to 400 digits: enough that rounding it once more to 12 is right."""
    return EXACT.divide(left, right)


def short_text(value: float, digits: int = 4) -> str:
    """At most `digits` significant digits, no trailing zeros, never an exponent: for people."""
    if value == 0:
        return "0"
    number = Context(prec=digits, rounding=ROUND_HALF_EVEN).plus(exact(value))
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
