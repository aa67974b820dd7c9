"""A member of a city takes its reading back after the city recovered; a facility is late as a whole."""

from pathlib import Path

from tests.scenario.history_house import HistoryHouse
from tests.scenario.test_amended_groups import (
    DAY,
    KEEP,
    LOAD,
    PLANTS,
    ROLLUPS,
    STATIONS,
    TWO_OF_THREE,
    dispose,
)


def test_a_withdrawal_after_the_city_recovered(tmp_path: Path) -> None:
    """Without it the city is not known whole: no load, no episode. Who was told hears so, once."""
    city = HistoryHouse(tmp_path, keep=KEEP, facilities=PLANTS, rollups=ROLLUPS, rules=LOAD)
    for minute in range(0, 3 * DAY, 60):
        city.tick(minute)
        for day, first, second in ((0, 48.0, 42.0), (1, 5.0, 5.0)):
            if minute == day * DAY + 21 * 60:
                dispose(city, day, "plant-1", first)
                dispose(city, day, "plant-2", second)
    city.tell()
    assert "辖区医废负荷90%" in city.message()
    assert "恢复" in city.message()
    for minute in (1, 2):
        city.say(
            -12 * 60, "plant-1", 0.0, code="mw.disposed_t", interval="day", facility="plant-1",
            flag="withdrawn", revision=1,
        )  # fmt: skip
        city.tick(3 * DAY + minute)
    told = city.get("/v1/amendments").json()["amendments"]
    assert {(one["facility"], one["kind"], one["cause"]["why"]) for one in told} == {
        ("420100", "vanished", "withdrawn"), ("420000", "vanished", "withdrawn"),
    }  # fmt: skip
    city.tell()
    assert "预警不成立（plant-1厂数据已撤回）" in city.message()
    city.people.no_other_messages()
    assert city.people.incident("420100")["state"] == "resolved"


def test_a_facility_that_is_late_as_a_whole_is_not_amended(tmp_path: Path) -> None:
    """Its slots are judged whole when they come, so the alarm itself says what is so."""
    house = HistoryHouse(tmp_path, TWO_OF_THREE, KEEP, facilities=STATIONS)
    for minute in (0, 1, 2):
        house.tick(40 + minute)
        for station, value in zip("abc", (120, 110, 20), strict=True):
            house.say(minute, station, value)
            house.tick(40.1 + minute)
    house.tick(60)
    house.tell()
    assert "12:00" in house.message()
    house.people.no_other_messages()
    assert house.amendments() == []
