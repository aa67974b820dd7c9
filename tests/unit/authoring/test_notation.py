"""Notation: what promtool's documentation says, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.authoring.notation import MOST_VALUES, Stale, series, values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-2+4x3", [-2, 2, 6, 10]),
        (" 1-2x4", [1, -1, -3, -5, -7]),
        ("1x4", [1, 1, 1, 1, 1]),
        ("1 _x3 stale", [1, None, None, None, Stale()]),
        ("_ 3", [None, 3]),
        ("0+0.1x3", [0, 0.1, 0.2, 0.3]),
        ("1e3+1x1 .5", [1000, 1001, 0.5]),
        ("", []),
        ("_x0 5x0", [5]),
    ],
)
def test_the_notation_is_that_of_prometheus(text: str, expected: list[object]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    "text",
    ["NaN", "Inf", "1+2", "1+x3", "{{schema:1}}", "1x", "_x-1", "stalex3", "1e999", "1x99999999", "１"],
)  # fmt: skip
def test_what_is_no_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"value|large"):
        values(text)


@given(st.floats(-1e6, 1e6), st.integers(0, 50), st.integers(0, 50))
def test_a_row_has_one_value_more_than_its_count(start: float, step: int, times: int) -> None:
    row = values(f"{start:f}+{step}x{times}")
    assert len(row) == times + 1 <= MOST_VALUES
    assert row[0] == float(f"{start:f}") or abs(start) > 1e5


def test_a_series_has_an_indicator_and_labels() -> None:
    text = 'mw.disposed_t{facility="a,b", station="s\\"1\\"", interval="day",}'
    expected = {"facility": "a,b", "station": 's"1"', "interval": "day"}
    assert series(text) == ("mw.disposed_t", expected)
    assert series("w01018") == ("w01018", {})


@pytest.mark.parametrize("text", ["", "a{", 'a{job="x"}', "a{facility=f1}", 'a{unit="1",unit="1"}'])
def test_what_is_no_series_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"series|label"):
        series(text)
