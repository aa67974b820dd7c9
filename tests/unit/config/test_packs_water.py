"""GB 3838: five classes, rivers and lakes, sources of drinking water, and mercury in two units."""

from pathlib import Path

import pytest

from shared.model.rule import Range
from tests.unit.config.pack_site import configured, judged, lines, measured

PLACES = """
facilities:
  - {id: river, name: 断面, territory: "420100", kind: surface_water, attributes: {class: III, body: river}}
  - {id: lake, name: 水库, territory: "420100", kind: surface_water, attributes: {class: III, body: lake}}
  - {id: source, name: 水源地, territory: "420100", kind: water_source, attributes: {body: river}}
"""
TABLE_1 = """
w01009       <  -     6     5     3     2
w01019       >  2     4     6     10    15
w01018       >  15    15    20    30    40
w01017       >  3     3     4     6     10
w21003       >  0.15  0.5   1     1.5   2
w21011-river >  0.02  0.1   0.2   0.3   0.4
w21011-lake  >  0.01  0.025 0.05  0.1   0.2
w21001-lake  >  0.2   0.5   1     1.5   2
w20122       >  0.01  1     1     1     1
w20123       >  0.05  1     1     2     2
w21017       >  1     1     1     1.5   1.5
w20128       >  0.01  0.01  0.01  0.02  0.02
w20119       >  0.05  0.05  0.05  0.1   0.1
w20111       >  0.00005 0.00005 0.0001 0.001 0.001
w20115       >  0.001 0.005 0.005 0.005 0.01
w20117       >  0.01  0.05  0.05  0.05  0.1
w20120       >  0.01  0.01  0.05  0.05  0.1
w21016       >  0.005 0.05  0.2   0.2   0.2
w23002       >  0.002 0.002 0.005 0.01  0.1
w22001       >  0.05  0.05  0.05  0.5   1
w19002       >  0.2   0.2   0.2   0.3   0.3
w21019       >  0.05  0.1   0.2   0.5   1
w02003       >  200   2000  10000 20000 40000
"""
TABLE_2 = {"w21038": 250, "w21022": 250, "w21007": 10, "w20125": 0.3, "w20124": 0.1}
CLASSES = ("i", "ii", "iii", "iv", "v")


@pytest.fixture
def config(tmp_path: Path):
    return configured(tmp_path / "config", ["gb3838-2002", "gb3838-2002-source"], PLACES)


def limit(config, code: str) -> str:
    return config.rules[code].levels[0].raises.text


def test_numbers_are_those_of_the_table(config) -> None:
    """Typed again; a source is held to class III. Oxygen in class I is not judged."""
    seen = set()
    for line in TABLE_1.strip().splitlines():
        code, sign, *numbers = line.split()
        for grade, number in zip(CLASSES, numbers, strict=True):
            if number != "-":
                assert limit(config, f"gb3838-{grade}-{code}") == f"{sign} {number}"
                seen.add(f"gb3838-{grade}-{code}")
        assert limit(config, f"gb3838-source-{code}") == f"{sign} {numbers[2]}"
        seen.add(f"gb3838-source-{code}")
    for code, number in TABLE_2.items():
        assert limit(config, f"gb3838-source-{code}") == f"> {number}"
        seen.add(f"gb3838-source-{code}")
    bands = {c: r.condition for c, r in config.rules.items() if isinstance(r.condition, Range)}
    assert set(bands) == {f"gb3838-{grade}-ph" for grade in (*CLASSES, "source")}
    assert {(band.low, band.high) for band in bands.values()} == {(6, 9)}
    assert seen | set(bands) == set(config.rules)


def test_a_river_and_a_lake_have_different_phosphorus(config, tmp_path: Path) -> None:
    """0.1 mg/L is allowed in a river of class III and not in its reservoir."""
    at = "2020-02-20T00:00:00+08:00"
    reports = [measured(place, at, "day", "w21011", 0.1, "mg/L") for place in ("river", "lake")]
    said, refused = judged(tmp_path, config, reports)
    assert refused == ""
    assert lines(said) == ["firing yellow gb3838-iii-w21011-lake 2020-02-20"]


def test_a_source_of_drinking_water_is_orange(config, tmp_path: Path) -> None:
    """The same oxygen that is yellow in a river."""
    at = "2020-02-20T00:00:00+08:00"
    reports = [measured(place, at, "day", "w01009", 4.9) for place in ("river", "source")]
    said, refused = judged(tmp_path, config, reports)
    assert refused == ""
    assert lines(said) == [
        "firing yellow gb3838-iii-w01009 2020-02-20",
        "firing orange gb3838-source-w01009 2020-02-20",
    ]


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [(0.11, None, True), (0.11, "µg/L", True), (0.00011, "mg/L", True), (110, "ng/L", True),
     (0.1, None, False), (0.0001, "mg/L", False), (100, "ng/L", False)],
)  # fmt: skip
def test_mercury_is_a_ten_thousandth_of_a_milligram(
    config, tmp_path: Path, value: float, unit: str | None, told: bool
) -> None:
    """0.1 µg/L is the limit, exactly, however it is written: no rounding turns it into more."""
    report = measured("river", "2020-02-20T00:00:00+08:00", "day", "w20111", value, unit)
    said, refused = judged(tmp_path, config, [report])
    assert refused == ""
    assert lines(said) == (["firing yellow gb3838-iii-w20111 2020-02-20"] if told else [])
