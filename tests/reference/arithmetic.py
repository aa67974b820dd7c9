"""Numbers of the reference: fractions, and one rounding at the end. Nothing of shared is used."""

from fractions import Fraction

from shared.model.rule import Comparison

GRAMS = {
    "kg": Fraction(1000),
    "g": Fraction(1),
    "mg": Fraction(1, 1000),
    "µg": Fraction(1, 10**6),
    "ng": Fraction(1, 10**9),
    "t": Fraction(10**6),
}


def exact(value: float) -> Fraction:
    return Fraction(repr(value))


def rounded(value: Fraction) -> float:
    """Twelve significant digits, half to even."""
    if value == 0:
        return 0.0
    sign, size, shift = (-1 if value < 0 else 1), abs(value), 0
    while size >= 10**12:
        size, shift = size / 10, shift + 1
    while size < 10**11:
        size, shift = size * 10, shift - 1
    whole = size.numerator // size.denominator
    rest = size - whole
    if rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2):
        whole += 1
    return sign * float(f"{whole}e{shift}")


def ratio_of(own: str, wanted: str) -> Fraction:
    """What a value in `own` is multiplied by to be in `wanted`."""
    if own == wanted:
        return Fraction(1)
    return GRAMS[own.split("/", maxsplit=1)[0]] / GRAMS[wanted.split("/", maxsplit=1)[0]]


def converted(value: float, own: str, wanted: str) -> float:
    """Between units of one family; the part before the slash decides."""
    if own == wanted:
        return value
    return rounded(
        exact(value)
        * GRAMS[own.split("/", maxsplit=1)[0]]
        / GRAMS[wanted.split("/", maxsplit=1)[0]]
    )


def holds(test: Comparison, value: float) -> bool:
    limit = test.limit
    return {
        ">": value > limit,
        ">=": value >= limit,
        "<": value < limit,
        "<=": value <= limit,
    }[test.op]
