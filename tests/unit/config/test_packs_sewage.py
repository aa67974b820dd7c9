"""GB 18918: three classes by the day, ammonia that is over at any temperature, metals in two units."""

from pathlib import Path

import pytest

from shared.model.rule import Limited, Range
from tests.unit.config.pack_site import configured, judged, lines, measured

PLACES = """
facilities:
  - {id: plant, name: 污水厂, territory: "420100", kind: sewage_plant, attributes: {class: 1A, built: from_2006}}
"""
TABLE_1 = """
w01018 mg/L   50  60 100
w01017 mg/L   10  20  30
w01012 mg/L   10  20  30
w22001 mg/L    1   3   5
w19002 mg/L  0.5   1   2
w21001 mg/L   15  20   -
w21003-cold mg/L 8 15 30
w21011-from-2006 mg/L 0.5 1 3
w21011-before-2006 mg/L 1 1.5 3
w01002 度     30  30  40
w02003 个/L 1000 10000 10000
"""
TABLE_2 = {
    "w20111": "0.001", "w20115": "0.01", "w20116": "0.1", "w20117": "0.05",
    "w20119": "0.1", "w20120": "0.1",
}  # fmt: skip
UNREAD = {"gb18918-1a-w21011-before-2006", "gb18918-1b-w21011-before-2006"}
UNREAD |= {f"gb18918-{grade}-w21003-by-temperature" for grade in ("1a", "1b", "2")}
"""The limits were read, that 12 °C parts them was not."""


@pytest.fixture
def config(tmp_path: Path):
    return configured(tmp_path / "config", ["gb18918-2002"], PLACES)


def test_numbers_are_those_of_the_tables(config) -> None:
    """Classes 1A, 1B and 2 of table 1, typed again; table 2 is the same for all."""
    found = {
        code: (rule.condition.unit, rule.levels[0].raises.text)
        for code, rule in config.rules.items()
        if not isinstance(rule.condition, Range | Limited)
    }
    wanted = {f"gb18918-{code}": ("mg/L", f"> {limit}") for code, limit in TABLE_2.items()}
    for line in TABLE_1.strip().splitlines():
        code, unit, *limits = line.split()
        for grade, limit in zip(("1a", "1b", "2"), limits, strict=True):
            if limit != "-":
                wanted[f"gb18918-{grade}-{code}"] = (unit, f"> {limit}")
    assert found == wanted
    bands = [rule for rule in config.rules.values() if isinstance(rule.condition, Range)]
    assert [(rule.condition.low, rule.condition.high) for rule in bands] == [(6, 9)] * 3


def test_what_was_not_read_says_so(config) -> None:
    """Table 2, and total phosphorus of plants from before 2006."""
    unread = {code for code, rule in config.rules.items() if rule.basis.status != "verified"}
    assert unread == UNREAD | {f"gb18918-{code}" for code in TABLE_2}


def test_ammonia_is_over_when_it_is_over_at_any_temperature(config, tmp_path: Path) -> None:
    """Between 5 and 8 mg/L it depends on the water's temperature; without one nothing is told."""
    reports = [
        measured("plant", f"2020-02-{date}T00:00:00+08:00", "day", "w21003", value)
        for date, value in ((20, 6.5), (21, 8.0), (22, 8.5), (23, 5.5))
    ]
    said, refused = judged(tmp_path, config, reports)
    assert refused == ""
    assert lines(said) == [
        "firing yellow gb18918-1a-w21003-cold 2020-02-22",
        "resolved yellow gb18918-1a-w21003-cold 2020-02-23",
    ]


@pytest.mark.parametrize(
    ("code", "value", "unit"),
    [("w20120", 110, None), ("w20120", 110, "ug/L"), ("w20120", 0.11, "mg/L"),
     ("w20111", 1100, "ng/L"), ("w20111", 1.1, None), ("w20116", 0.11, None)],
)  # fmt: skip
def test_metals_in_micrograms_meet_limits_in_milligrams(
    config, tmp_path: Path, code: str, value: float, unit: str | None
) -> None:
    """HJ 212 has lead, mercury and others in µg/L and total chromium in mg/L; the limits are in mg/L."""
    report = measured("plant", "2020-02-20T00:00:00+08:00", "day", code, value, unit)
    said, refused = judged(tmp_path, config, [report])
    assert refused == ""
    assert lines(said) == [f"firing yellow gb18918-{code} 2020-02-20"]


def test_a_hundred_micrograms_are_no_hundred_milligrams(config, tmp_path: Path) -> None:
    """90 µg/L of lead are below 0.1 mg/L."""
    report = measured("plant", "2020-02-20T00:00:00+08:00", "day", "w20120", 90)
    assert judged(tmp_path, config, [report]) == ([], "")


@pytest.mark.parametrize("unit", ["MPN/L", "个/mL", "mg/L"])
def test_coliforms_in_another_count_are_refused(config, tmp_path: Path, unit: str) -> None:
    """A number per another volume or by another method is not read as one per litre."""
    report = measured("plant", "2020-02-20T00:00:00+08:00", "day", "w02003", 5000, unit)
    said, refused = judged(tmp_path, config, [report])
    assert said == []
    assert unit in refused


def test_ammonia_between_its_limits_is_judged_by_the_temperature(config, tmp_path: Path) -> None:
    """6.5 mg/L are 130 % at 15 °C and 81.25 % at 12 °C; percent of the limit, as 按水温偏高."""
    reports = [
        measured("plant", f"2020-02-{date}T00:00:00+08:00", "day", "w21003", 6.5)
        for date in (20, 21)
    ]
    for report, celsius in zip(reports, (15, 12), strict=True):
        report["readings"].append({"indicator": "w01010", "value": celsius})
    said, refused = judged(tmp_path, config, reports)
    assert refused == ""
    assert lines(said) == [
        "firing yellow gb18918-1a-w21003-by-temperature 2020-02-20",
        "resolved yellow gb18918-1a-w21003-by-temperature 2020-02-21",
    ]
    assert [t["value"] for t in said] == [130, 81.25]
    assert config.rules["gb18918-1a-w21003-by-temperature"].title_zh == "氨氮按水温偏高"
