"""Numbers: as if exactly, then twelve digits, half to even."""

from decimal import Decimal

import pytest

from shared.model.numbers import add, divide, exact, multiply, rounded, short_text


def test_a_sum_of_tenths_is_what_people_expect() -> None:
    """0.1 + 0.2 is 0.3."""
    assert rounded(add([exact(0.1), exact(0.2)])) == 0.3


def test_halves_go_to_even() -> None:
    """At the thirteenth digit."""
    assert rounded(Decimal("1.000000000005")) == 1.0
    assert rounded(Decimal("1.000000000015")) == 1.00000000002


def test_a_third_has_twelve_digits() -> None:
    """A quotient is rounded once."""
    assert rounded(multiply(divide(exact(1.0), exact(3.0)), Decimal(100))) == 33.3333333333


@pytest.mark.parametrize(
    ("value", "text"),
    [(97.8, "97.8"), (166.400304, "166.4"), (100.0, "100"), (0.05, "0.05"), (12345.0, "12340"),
     (1e-7, "0.0000001"), (-3.0, "-3"), (0.0, "0")],
)  # fmt: skip
def test_people_see_at_most_four_digits(value: float, text: str) -> None:
    """No trailing zeros, no exponent."""
    assert short_text(value) == text
