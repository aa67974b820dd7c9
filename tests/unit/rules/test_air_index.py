"""The air quality index of HJ 633: both editions, roundings, and what is not there."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rules.core.index import parts, primary, result
from shared.model.air_index import STEPS, TABLES, Part, Row, part
from shared.model.rule import Index
from tests.reference.joint import index_value

UNIT = {"a34004": "µg/m³", "a34002": "µg/m³", "a21026": "mg/m³", "a21004": "mg/m³",
        "a21005": "mg/m³", "a05024": "µg/m³", "o3_8h_max": "µg/m³"}  # fmt: skip
ROWS = [(table, code) for table, rows in TABLES.items() for code in rows]
MORE = {"a34004": 20.0, "a21026": 0.01}


def condition(table: str, *of: str) -> Index:
    names = of or tuple(TABLES[table])
    interval = "hour" if table.endswith("hour") else "day"
    return Index(table, interval, names, tuple(UNIT[name] for name in names))


@pytest.mark.parametrize(("table", "code"), ROWS)
def test_each_breakpoint_has_the_index_of_its_step(table: str, code: str) -> None:
    row = TABLES[table][code]
    for place, index in zip(row.breakpoints, STEPS, strict=False):
        assert part(row, place / 10**row.places) == Part(index, True)


@pytest.mark.parametrize(("table", "code"), ROWS)
@given(one=st.floats(-10, 5000), other=st.floats(-10, 5000))
def test_more_of_a_pollutant_is_never_a_lower_index(
    table: str, code: str, one: float, other: float
) -> None:
    row = TABLES[table][code]
    low, high = part(row, min(one, other)), part(row, max(one, other))
    if low is not None and high is not None:
        assert low.iaqi <= high.iaqi


@pytest.mark.parametrize(
    ("code", "value", "y2012", "y2026"),
    [
        ("a34004", 75, 100, 114),
        ("a34004", 60, 82, 100),
        ("a34004", 98, 129, 135),
        ("a34002", 150, 100, 112),
        ("a34002", 120, 85, 100),
        ("a05024", 180, 75, 75),
        ("a34004", 0.5, 0, 0),
        ("a34004", 1.5, 3, 3),
    ],
)
def test_the_editions_part_at_particles(code: str, value: float, y2012: int, y2026: int) -> None:
    """Worked by hand; up to the next whole number, from concentrations rounded half to even."""
    for edition, expected in (("2012", y2012), ("2026", y2026)):
        assert part(TABLES[f"hj633-{edition}-hour"][code], value) == Part(expected, True)


def test_above_a_table_the_editions_differ() -> None:
    """SO2 by the hour: left out in 2012, 200 in 2026; ozone by 8 h: at least 300, and 300."""
    so2 = {e: TABLES[f"hj633-{e}-hour"]["a21026"] for e in ("2012", "2026")}
    assert (part(so2["2012"], 801), part(so2["2026"], 801)) == (None, Part(200, True))
    ozone = {e: TABLES[f"hj633-{e}-day"]["o3_8h_max"] for e in ("2012", "2026")}
    assert (part(ozone["2012"], 900), part(ozone["2026"], 900)) == (
        Part(300, False),
        Part(300, True),
    )
    assert part(TABLES["hj633-2012-hour"]["a34004"], 1e300) == Part(500, False)
    assert part(TABLES["hj633-2012-hour"]["a34004"], -1e300) == Part(0, True)


def test_carbon_monoxide_is_in_milligrams_and_rounded_to_a_tenth() -> None:
    row: Row = TABLES["hj633-2026-hour"]["a21005"]
    assert part(row, 1.23) == part(row, 1.2) == Part(12, True)
    assert part(row, 1.25) == part(row, 1.2)
    assert part(row, 1.35) == part(row, 1.4)


def test_the_highest_counts_and_says_which_it_is() -> None:
    """Units are those of the readings: SO2 comes in mg/m³."""
    hour = condition("hj633-2026-hour")
    there = dict.fromkeys(hour.of, (1.0, "N")) | {"a34004": (98.0, "N"), "a21026": (0.02, "N")}
    there |= {"a21004": (0.05, "N")}
    assert result(hour, there) == ("known", 135.0)
    assert primary(parts(hour, there)) == ("a34004",)
    clean = dict.fromkeys(hour.of, (0.001, "N"))
    assert primary(parts(hour, clean)) == ()
    both = {"a34004": (60.0, "N"), "a34002": (120.0, "S"), "a05024": (999.0, "D")}
    assert primary(parts(hour, both)) == ("a34004", "a34002")


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ({"a34004": (20.0, "N"), "a21026": (0.01, "N")}, ("known", 29.0)),
        ({"a34004": (20.0, "N")}, ("over", 29.0)),
        ({"a34004": (20.0, "N"), "a21026": (0.01, "D")}, ("over", 29.0)),
        ({"a34004": (20.0, "T"), "a21026": (0.01, "N")}, ("over", 29.0)),
        ({"a34004": (20.0, "B")}, ("unknown", None)),
        ({}, ("unknown", None)),
        ({"a34004": (20.0, "N"), "a21026": (0.9, "N")}, ("known", 29.0)),
        ({"a21026": (0.9, "N")}, ("unknown", None)),
    ],
)
def test_what_is_missing_makes_a_lower_bound(readings: dict, expected: tuple) -> None:  # type: ignore[type-arg]
    assert result(condition("hj633-2012-hour", "a34004", "a21026"), readings) == expected


@given(
    table=st.sampled_from(sorted(TABLES)),
    share=st.lists(
        st.tuples(st.floats(-0.1, 1.3), st.sampled_from("NNNSTDB"), st.booleans()),
        min_size=6, max_size=6,
    ),
)  # fmt: skip
def test_the_index_is_that_of_a_slow_evaluator(
    table: str, share: list[tuple[float, str, bool]]
) -> None:
    """Fractions and a search through the rows; values up to a third above each table."""
    tested = condition(table)
    there = {}
    for name, (part_of_it, flag, is_there) in zip(tested.of, share, strict=True):
        row = TABLES[table][name]
        top = row.breakpoints[-1] / 10**row.places / (1000 if UNIT[name] != row.unit else 1)
        if is_there:
            there[name] = (round(part_of_it * top, 6), flag)
    quality = {"N": "known", "S": "known", "T": "over"}
    seen = {name: (value, quality.get(flag, "unknown")) for name, (value, flag) in there.items()}
    expected = index_value(tested, seen)
    found = result(tested, there)
    assert (found[0], found[1] or 0.0) == expected
    assert Fraction(expected[1]).denominator == 1
