"""更正 of what several stations, other rules and territories gave, from YAML to the phone."""

import io
import json
from pathlib import Path
from random import Random

import pytest

from services.rules.final_history import final_history
from shared.model.instants import instant_text
from tests.scenario.history_house import MINUTE, HistoryHouse
from tests.scenario.house import START
from tests.scenario.test_conditions import BASIS, FILES

STATIONS = FILES["facilities"] + "stations:\n" + "".join(
    f"  - {{id: {name}, facility: ww}}\n" for name in "abc"
)  # fmt: skip
TWO_OF_THREE = """condition: {across: {indicator: w01018, interval: minute, of: count, than: "> 60", unit: mg/L, complete: 3, grace: 2m}}, levels: [{severity: orange, raise: ">= 2", clear: "< 2"}]"""
BOTH = f"""rules:
  - {{id: cod, title: {{zh: 化学需氧量}}, condition: {{threshold: {{indicator: w01018, interval: minute, unit: mg/L}}}}, levels: [{{severity: blue, raise: "> 60", clear: "<= 54"}}], {BASIS}}}
  - {{id: ammonia, title: {{zh: 氨氮}}, condition: {{threshold: {{indicator: w21003, interval: minute, unit: mg/L}}}}, levels: [{{severity: blue, raise: "> 15", clear: "<= 12"}}], {BASIS}}}
  - {{id: both, title: {{zh: 两项同时超限}}, condition: {{composite: {{rules: [cod, ammonia]}}}}, levels: [{{severity: orange, raise: ">= 2", clear: "< 2"}}], {BASIS}}}
"""
DAY = 24 * 60
KEEP = "history: {keep: 7d}\ntiming: {deaf_after: 10d}"
"""Minutes between two ticks are not deafness here."""
ONLY_ORANGE = "policies:\n  - {id: all, match: {severity: [orange, red]}, steps: [{notify: [{role: duty_officer}], by: [sms], wait: 15m}]}\n  - {id: rest, steps: []}\n"


@pytest.fixture
def house(tmp_path: Path) -> HistoryHouse:
    return HistoryHouse(tmp_path, TWO_OF_THREE, KEEP, facilities=STATIONS)


def hear(house: HistoryHouse, minute: float, *values: float) -> None:
    for station, value in zip("abc", values, strict=False):
        house.say(minute, station, value)
    house.tick(minute + 1.1)


def test_two_of_three_from_120_to_12_and_its_duplicate(house: HistoryHouse) -> None:
    hear(house, 0, 20, 20, 20)
    hear(house, 1, 120, 110, 20)
    house.tell()
    assert "2" in house.message()
    hear(house, 2, 20, 20, 20)
    house.tell()
    assert "恢复" in house.message()
    house.say(1, "b", 12, revision=1)
    house.tick(3.2)
    house.say(1, "b", 12, revision=1)
    house.tick(3.4)
    assert house.amendments() == ["vanished corrected 12.0"]
    house.tell()
    text = house.message()
    assert "更正" in text
    assert "12:01起的预警不成立（数据更正为12mg/L）" in text
    house.people.no_other_messages()
    (one,) = house.get("/v1/episodes").json()["episodes"]
    assert (one["state"], one["station"]) == ("vanished", "ww")
    assert one["amendments"][0]["cause"]["station"] == "b"


def test_a_withdrawal_after_recovery_takes_it_back(house: HistoryHouse) -> None:
    hear(house, 1, 120, 110, 20)
    hear(house, 2, 20, 20, 20)
    house.tell()
    house.message(), house.message()
    house.say(1, "a", 0.0, flag="withdrawn")
    house.tick(4)
    assert house.amendments() == ["vanished withdrawn None"]
    house.tell()
    assert "数据已撤回" in house.message()


def test_a_member_that_comes_after_its_slot_was_judged(house: HistoryHouse) -> None:
    """Newer than all its station has shown, so live it is in its turn; but the slot is over."""
    hear(house, 0, 20, 20, 20)
    hear(house, 1, 120, 20)
    house.tick(4.5)  # judged as it stands: two of three are not enough for `complete: 3`
    house.say(1, "c", 120)
    house.tick(5)
    assert house.amendments() == ["appeared late 120.0"]
    hear(house, 2, 120, 20)
    house.say(2, "c", 120)  # within the grace: the live stream sees it itself
    house.tick(4.0 + 1.5)
    house.tick(9)
    assert house.amendments() == ["appeared late 120.0"]


def test_another_rule_hears_of_it_as_well(tmp_path: Path) -> None:
    """A composite counts what its rules say; one of them never was so."""
    house = HistoryHouse(tmp_path, facilities=STATIONS, rules=BOTH, policies=ONLY_ORANGE)
    house.say(0, "a", 120)
    house.say(0, "b", 20, code="w21003")
    house.tick(1.1)
    house.tell()
    assert "两项同时超限" in house.message()
    house.say(0, "b", 2, code="w21003", revision=1)
    house.tick(2)
    house.tell()
    assert "更正：武汉医院 两项同时超限 12:00起的预警不成立（数据更正为2mg/L）" in house.message()
    kinds = {one["rule"]: one["kind"] for one in house.get("/v1/amendments").json()["amendments"]}
    assert kinds == {"ammonia": "vanished", "both": "vanished"}


def test_arrival_has_no_other_history(tmp_path: Path) -> None:
    """A composite that counts a `missing` rule is about when a reading came: nothing is amended."""
    silent = f"  - {{id: late, title: {{zh: 迟报}}, condition: {{missing: {{indicator: w01018, interval: minute, every: 1m, grace: 1m}}}}, levels: [{{severity: blue}}], {BASIS}}}\n"
    rules = (
        BOTH.replace("rules: [cod, ammonia]", "rules: [cod, late]").replace(
            'raise: ">= 2", clear: "< 2"', 'raise: ">= 1"'
        )
        + silent
    )
    house = HistoryHouse(tmp_path, facilities=STATIONS, rules=rules)
    house.say(0, "a", 120)
    house.tick(1.1)
    house.say(0, "a", 12, revision=1)
    house.tick(9)
    kinds = {one["rule"] for one in house.get("/v1/amendments").json()["amendments"]}
    assert kinds == {"cod"}


FOUR = FILES["facilities"].replace("hospital_wastewater", "air_station") + "stations:\n" + "".join(
    f"  - {{id: {name}, facility: ww}}\n" for name in "abcd"
)  # fmt: skip
APART = f"""rules:
  - {{id: apart, title: {{zh: 疑似偏离邻站}}, condition: {{beside: {{indicator: a34004, interval: day, unit: µg/m³, over: 1d, floor: 1, least: 2}}}}, levels: [{{severity: orange, raise: "> 30", clear: "< 20"}}], {BASIS}}}
"""
MARKED = f"""rules:
  - {{id: marked, title: {{zh: 疑似在运行时标停}}, condition: {{flagged: {{indicator: w01018, interval: minute, flags: [F], shown_in: min, while: {{indicator: w21003, interval: minute, unit: mg/L, runs: "> 5"}}}}}}, levels: [{{severity: orange, raise: ">= 3"}}], {BASIS}}}
"""


def test_a_correction_of_one_station_beside_its_neighbours(tmp_path: Path) -> None:
    """Ten days alike; then one shows a tenth of the others, which was a typing error."""
    house = HistoryHouse(
        tmp_path, keep=KEEP.replace("7d", "60d").replace("10d", "40d"), facilities=FOUR, rules=APART
    )
    for day in range(11):
        for station, share in zip("abcd", (1.0, 1.1, 0.9, 1.0), strict=True):
            value = 40 * share if (day, station) != (10, "d") else 4.0
            house.say((day - 0.5) * DAY, station, value, code="a34004", interval="day")
        house.tick((day + 0.6) * DAY)
    house.tell()
    assert "疑似偏离邻站" in house.message()
    house.say(9.5 * DAY, "d", 40.0, code="a34004", interval="day", revision=1)
    house.tick(11 * DAY)
    assert house.amendments() == ["vanished corrected 40.0"]
    house.tell()
    assert "更正：武汉医院 疑似偏离邻站" in house.message()


def test_a_correction_of_what_shows_that_the_plant_ran(tmp_path: Path) -> None:
    house = HistoryHouse(tmp_path, keep=KEEP, facilities=STATIONS, rules=MARKED)
    for minute in range(6):
        house.say(minute, "a", 9.0, code="w21003")
        house.say(minute, "a", 0.0, flag="F")
        house.tick(minute + 1.1)
    house.tell()
    assert "疑似在运行时标停" in house.message()
    for minute in range(6):
        house.say(minute, "a", 0.0, code="w21003", revision=1)
    house.tick(8)
    (one,) = house.get("/v1/amendments").json()["amendments"]
    assert (one["kind"], one["station"], one["cause"]["indicator"]) == ("vanished", "a", "w21003")


PLANTS = "facilities:\n" + "".join(
    f"  - {{id: {name}, name: {name}厂, short_name: {name}厂, territory: '420100', kind: medical_waste, capacity: [{{from: 2020-01-01, t_per_day: 50}}]}}\n"
    for name in ("甲", "乙")
)
ROLLUPS = 'rollups:\n  - {id: mw, applies: {kind: medical_waste}, interval: day, sum: [mw.disposed_t, mw.capacity_t], levels: [city, province], due: "10:00", grace: 30m, complete: 1}\n'
LOAD = f'rules:\n  - {{id: territory-load, title: {{zh: 辖区医废负荷}}, applies: {{kind: territory}}, condition: {{ratio: {{of: mw.disposed_t, over: mw.capacity_t, interval: day, unit: "%"}}}}, levels: [{{severity: orange, raise: ">= 80", clear: "< 75"}}], {BASIS}}}\n'
PLANTS, ROLLUPS, LOAD = (
    each.replace("甲", "plant-1").replace("乙", "plant-2") for each in (PLANTS, ROLLUPS, LOAD)
)
NOON = 12 * 60
"""START is at noon."""


@pytest.fixture
def city(tmp_path: Path) -> HistoryHouse:
    return HistoryHouse(tmp_path, keep=KEEP, facilities=PLANTS, rollups=ROLLUPS, rules=LOAD)


def dispose(
    city: HistoryHouse, day: int, plant: str, tonnes: float, revision: int | None = None
) -> None:
    city.say(
        day * DAY - NOON, plant, tonnes, code="mw.disposed_t", interval="day", facility=plant,
        revision=revision,
    )  # fmt: skip


def test_a_member_is_corrected_after_its_city_fired(city: HistoryHouse) -> None:
    """Who was told of the city hears whose figure it was."""
    for minute in range(0, 2 * DAY, 60):
        city.tick(minute)
        if minute == 22 * 60:  # 10:00 on the 25th: the 24th
            dispose(city, 0, "plant-1", 48.0)
            dispose(city, 0, "plant-2", 42.0)
    city.tell()
    assert "辖区医废负荷90%" in city.message()
    dispose(city, 0, "plant-1", 8.0, revision=1)
    city.tick(2 * DAY + 1)
    dispose(city, 0, "plant-1", 8.0, revision=1)
    city.tick(2 * DAY + 2)
    told = city.get("/v1/amendments").json()["amendments"]
    assert {(one["facility"], one["kind"], one["cause"]["facility"]) for one in told} == {
        ("420100", "vanished", "plant-1"), ("420000", "vanished", "plant-1"),
    }  # fmt: skip
    city.tell()
    text = city.message()
    assert "更正：武汉市 辖区医废负荷" in text
    assert "预警不成立（plant-1厂数据更正为8t）" in text
    city.people.no_other_messages()


def test_a_plant_that_comes_after_its_city_was_counted(city: HistoryHouse) -> None:
    """Counted without it the city was unknown; with it the city was over its load."""
    for minute in range(0, 2 * DAY, 60):
        city.tick(minute)
        if minute == 21 * 60:
            dispose(city, 0, "plant-1", 48.0)
    dispose(city, 0, "plant-2", 49.0)
    city.tick(2 * DAY + 1)
    told = city.get("/v1/amendments", facility="420100").json()["amendments"]
    assert [(one["kind"], one["cause"]["why"], one["after"]["value"]) for one in told] == [
        ("appeared", "late", 97.0)
    ]
    (one,) = city.get("/v1/episodes", token="w" * 20).json()["episodes"]
    assert (one["facility"], one["state"], one["value"]) == ("420100", "firing", 97.0)


@pytest.mark.parametrize("seed", range(12))
def test_the_history_is_the_same_for_every_order_and_any_restart(tmp_path: Path, seed: int) -> None:
    """What /v1/episodes says in the end is what `backtest --history` says of the same lines."""
    random = Random(seed)
    rules = BOTH + f"  - {{id: k, title: {{zh: 多点}}, {TWO_OF_THREE}, {BASIS}}}\n"
    house = HistoryHouse(tmp_path, facilities=STATIONS, rules=rules)
    said = [
        (minute, station, code, random.choice([5.0, 20.0, 61.0, 120.0]), revision)
        for minute in range(12)
        for station in "abc"
        for code in ("w01018", "w21003")
        for revision in range(random.choice([1, 1, 2]))
        if random.random() < 0.9
    ]
    said.sort(key=lambda one: one[0] + random.choice([0, 0, 0, 3, 9]))
    lines = []
    for n, (minute, station, code, value, revision) in enumerate(said):
        house.say(minute, station, value, code=code, revision=revision)
        at = instant_text(START + minute * MINUTE, house.configuration.site.zone)
        lines.append(
            {"facility": "ww", "station": station, "observed_at": at, "interval": "minute",
             "revision": revision, "readings": [{"indicator": code, "value": value}]}
        )  # fmt: skip
        if random.random() < 0.3:
            house.tick(minute + 2 + n / 100)
        if random.random() < 0.05:
            house.restart()
    house.tick(40)
    lines.append({"tick": instant_text(START + 40 * MINUTE, house.configuration.site.zone)})
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    expected = {
        (
            one["rule"],
            one["station"],
            one["indicator"],
            one["episode"],
            one["ended_at"],
            one["severity"],
        )
        for one in map(json.loads, final_history(house.configuration, [path], io.StringIO()))
    }
    found = {
        (
            one["rule"],
            one["station"],
            one["indicator"],
            one["episode"],
            one["ended_at"],
            one["severity"],
        )
        for one in house.get("/v1/episodes").json()["episodes"]
        if one["state"] != "vanished"
    }
    assert found == expected


@pytest.mark.parametrize("seed", range(8))
def test_a_territory_has_the_same_history_for_every_order(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    city = HistoryHouse(tmp_path, keep=KEEP, facilities=PLANTS, rollups=ROLLUPS, rules=LOAD)
    zone, days = city.configuration.site.zone, 6
    said = [
        (day, plant, random.choice([10.0, 30.0, 45.0, 49.0]), revision)
        for day in range(1, days)
        for plant in ("plant-1", "plant-2")
        for revision in range(random.choice([1, 1, 2]))
        if random.random() < 0.9
    ]
    said.sort(key=lambda one: one[0] + random.choice([0, 0, 0, 1, 2.5]))
    lines, hour = [], 0
    for day, plant, tonnes, revision in said:
        while hour < day * 24 + random.choice([12, 20, 24]):
            hour += 1
            city.tick(hour * 60)
        if random.random() < 0.2:
            city.restart()
        dispose(city, day, plant, tonnes, revision)
        lines.append(
            {"facility": plant, "observed_at": instant_text(START + (day * DAY - NOON) * MINUTE, zone),
             "interval": "day", "revision": revision,
             "readings": [{"indicator": "mw.disposed_t", "value": tonnes}]}
        )  # fmt: skip
    for last in range(hour + 1, (days + 2) * 24):
        city.tick(last * 60)
    lines.append({"tick": instant_text(START + last * 60 * MINUTE, zone)})
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    expected = {
        (one["facility"], one["episode"], one["ended_at"])
        for one in map(json.loads, final_history(city.configuration, [path], io.StringIO()))
    }
    found = {
        (one["facility"], one["episode"], one["ended_at"])
        for one in city.get("/v1/episodes").json()["episodes"]
        if one["state"] != "vanished"
    }
    assert found == expected
