"""Which pollutant is it? Why, asked of an air quality index, names the primary one."""

from pathlib import Path

from tests.scenario.why_house import BASIS, WhyHouse

RULE = (
    "  - {id: aqi, title: {zh: 空气质量指数偏高}, condition: {index: {table: hj633-2026-hour, "
    "interval: hour, of: [a34004, a34002, a05024]}}, levels: [{severity: yellow, raise: "
    '"> 100"}], ' + BASIS + "}\n"
)


def test_why_names_the_primary_pollutant(tmp_path: Path) -> None:
    """98 µg/m³ of PM2.5 are 135, more than what PM10 and ozone are; each with its index."""
    house = WhyHouse(tmp_path, RULE)
    house.listen("03:00", 60)
    for indicator, value in (("a34004", 98.0), ("a34002", 120.0), ("a05024", 180.0)):
        house.read("03:00", value, indicator=indicator, interval="hour", received="04:00")
    house.listen("04:01", 5)

    said = house.rule("aqi", "04:05", indicator="a34004", interval="hour")
    assert (said["stage"], said["value"]) == ("firing", 135.0)
    assert "首要污染物：细微颗粒物 PM2.5" in said["reason"]
    assert "primary pollutant: a34004" in said["reason_en"]
    indices = {each["indicator"]: each["index"] for each in said["components"]}
    assert indices == {"a34004": 135, "a34002": 100, "a05024": 75}
