"""Two delays that end between two readings are two moments, also in the history."""

from pathlib import Path

from tests.scenario.history_house import HistoryHouse
from tests.scenario.test_amended_groups import KEEP, ONLY_ORANGE, STATIONS
from tests.scenario.test_conditions import BASIS

RULES = f"""rules:
  - {{id: cod, title: {{zh: 化学需氧量}}, condition: {{threshold: {{indicator: w01018, interval: minute, unit: mg/L}}}}, levels: [{{severity: blue, raise: "> 60", clear: "<= 54"}}], for: 5m, {BASIS}}}
  - {{id: ammonia, title: {{zh: 氨氮}}, condition: {{threshold: {{indicator: w21003, interval: minute, unit: mg/L}}}}, levels: [{{severity: blue, raise: "> 15", clear: "<= 12"}}], keep_firing_for: 7m, {BASIS}}}
  - {{id: both, title: {{zh: 两项同时超限}}, condition: {{composite: {{rules: [cod, ammonia]}}}}, levels: [{{severity: orange, raise: ">= 2", clear: "< 2"}}], {BASIS}}}
"""


def test_a_reading_that_nothing_hangs_on_is_withdrawn(tmp_path: Path) -> None:
    """Its moment was the only one between two delays; who was told must not hear 不成立."""
    house = HistoryHouse(
        tmp_path, keep=KEEP, facilities=STATIONS, rules=RULES, policies=ONLY_ORANGE
    )
    house.say(0, "b", 20, code="w21003")
    house.tick(1.1)
    house.say(1, "a", 120)
    house.say(1, "b", 2, code="w21003")
    house.tick(2.1)
    house.say(5.0, "c", 20)
    for minute in range(6, 14):
        house.tick(minute + 0.1)
    house.tell()
    assert "两项同时超限" in house.message()
    assert "恢复" in house.message()
    house.say(5.0, "c", 0.0, flag="withdrawn")
    house.tick(14)
    assert house.amendments() == []
