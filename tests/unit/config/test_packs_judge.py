"""Every rule of every pack, from its YAML to transitions: at, just below and just above each limit."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.config.load import PACKS
from shared.model.configuration import Configuration
from shared.model.instants import instant_text, parse_instant
from shared.model.rule import Average, Limited, Range, Ratio, Rule, Threshold
from tests.unit.config.pack_site import configured, judged

MINUTE = 60_000_000
HOUR = 60 * MINUTE
STEP = {"realtime": 20 * MINUTE, "minute": 5 * MINUTE, "hour": HOUR, "day": 24 * HOUR}
EVERY = {"minute": MINUTE, "hour": HOUR}
WINDOW = {"5m": 5 * MINUTE, "8h": 8 * HOUR, "day": 24 * HOUR}
LATER = {"8h": 2}
"""A window that slides is full of one value only when two of its length lie side by side."""
Expected = set[tuple[str, str, int, str]]


WHOLE = (
    "hj633-2012", "hj633-2026", "heavy-pollution-2017", "heavy-pollution-2024", "mw-forecast",
    "sewage-discipline", "furnace-discipline", "air-anomalies",
)  # fmt: skip
"""Packs whose values are made of six readings, of a day that slides, of a trend, of a habit
or of neighbours: test_packs_index, test_packs_ahead and test_packs_anomalies have their stories."""


def packs() -> list[str]:
    return sorted(path.stem for path in PACKS.glob("*.yaml") if path.stem not in WHOLE)


def places(rules: dict[str, Rule]) -> str:
    """A facility for each rule, such as the rule applies to."""
    facilities, stations = "facilities:\n", "stations:\n"
    for code, rule in rules.items():
        attributes = json.dumps(rule.applies.attributes)
        facilities += (
            f'  - {{id: "{code}", name: "{code}", territory: "420100", '
            f"kind: {rule.applies.kind}, attributes: {attributes}}}\n"
        )
        stations += f'  - {{id: "{code}-s", facility: "{code}"'
        stations += f", point: {rule.applies.point}}}\n" if rule.applies.point else "}\n"
    return facilities + stations


def near(limit: float) -> tuple[float, float, float]:
    """Just below, at and just above; zero has nothing below it that is a quantity."""
    step = abs(limit) * 1e-6 or 1e-6
    return (round(limit - step, 12), limit, round(limit + step, 12))


def limits(rule: Rule) -> list[float]:
    if isinstance(rule.condition, Range):
        return [rule.condition.low, rule.condition.high]
    return [level.raises.limit for level in rule.levels if level.raises]


def calm(rule: Rule) -> float:
    """A value that is below every level."""
    if isinstance(rule.condition, Range):
        return (rule.condition.low + rule.condition.high) / 2
    rising = all(level.raises and level.raises.op.startswith(">") for level in rule.levels)
    return min([0.0, *limits(rule)]) if rising else 2 * max(limits(rule))


def severity(rule: Rule, value: float) -> str | None:
    """The highest level that this value reaches from nothing, said again without the engine."""
    if isinstance(rule.condition, Range):
        outside = value < rule.condition.low or value > rule.condition.high
        return rule.levels[0].severity.value if outside else None
    reached = None
    for level in rule.levels:
        assert level.raises is not None
        sign, limit = level.raises.text.split()
        holds = {
            ">": value > float(limit), ">=": value >= float(limit),
            "<": value < float(limit), "<=": value <= float(limit),
        }[sign]  # fmt: skip
        reached = level.severity.value if holds else reached
    return reached


def readings(rule: Rule, value: float) -> list[dict[str, Any]]:
    condition = rule.condition
    if isinstance(condition, Ratio):
        rest = [{"indicator": name, "value": 0} for name in condition.of[1:]]
        whole = {"indicator": condition.over, "value": 100}
        return [{"indicator": condition.of[0], "value": value}, *rest, whole]
    if isinstance(condition, Limited):
        test, limit = condition.limits[0]
        warm = {"indicator": condition.by, "value": test.limit + 1}
        amount = round(value * limit / 100, 12)
        return [{"indicator": condition.indicator, "value": amount, "unit": condition.unit}, warm]
    assert isinstance(condition, Threshold | Range | Average)
    unit = {"unit": condition.unit} if condition.unit else {}
    return [{"indicator": condition.indicator, "value": value, **unit}]


def span(rule: Rule) -> int:
    """How long the story stays with one value."""
    condition = rule.condition
    assert isinstance(condition, Threshold | Range | Ratio | Average | Limited)
    if isinstance(condition, Average):
        return WINDOW[condition.over] * LATER.get(condition.over, 1)
    return STEP[condition.interval]


def story(code: str, rule: Rule, config: Configuration) -> Iterator[tuple[int, dict[str, Any]]]:
    """Calm, a value, calm, the next value …; each for as long as the condition looks at."""
    condition, zone = rule.condition, config.site.zone
    assert isinstance(condition, Threshold | Range | Ratio | Average | Limited)
    step = every = span(rule)
    if isinstance(condition, Average):
        every = EVERY[condition.interval]
    elif rule.for_us:
        every = rule.for_us
    at = rule.basis.valid_from_us
    for limit in limits(rule):
        for value in near(limit):
            for shown in (value, calm(rule)):
                for moment in range(at, at + step, every):
                    report = {
                        "facility": code, "station": f"{code}-s",
                        "observed_at": instant_text(moment, zone),
                        "interval": condition.interval, "readings": readings(rule, shown),
                    }  # fmt: skip
                    yield moment, report
                at += step


def expected(code: str, rule: Rule) -> Expected:
    """The episodes that begin, by their place in the story."""
    found: Expected = set()
    values = [value for limit in limits(rule) for value in near(limit)]
    for place, value in enumerate(values):
        level = severity(rule, value)
        if level is not None:
            found.add((code, level, place, f"{value:.10g}"))
    return found


def place(rule: Rule, start_us: int) -> int:
    """Which value of the story an episode began with."""
    return (start_us - rule.basis.valid_from_us) // (2 * span(rule))


@pytest.mark.parametrize("pack", packs())
def test_each_limit_is_judged_at_just_below_and_just_above(pack: str, tmp_path: Path) -> None:
    """A limit is the last value that is allowed, or the first that is not, as its sign says."""
    rules = configured(tmp_path / "first", [pack], "facilities: []\n").rules
    config = configured(tmp_path / "second", [pack], places(rules))
    reports = [line for code, rule in rules.items() for line in story(code, rule, config)]
    reports.sort(key=lambda line: line[0])
    said, refused = judged(tmp_path, config, (report for _, report in reports))
    assert refused == ""
    firing: Expected = set()
    for t in said:
        if t["state"] == "firing" and t["rule"] == t["facility"]:
            start = parse_instant(t["episode"], config.site.zone)
            at = place(rules[t["rule"]], start)
            firing.add((t["rule"], t["severity"], at, f"{t['value']:.10g}"))
    want = set().union(*(expected(code, rule) for code, rule in rules.items()))
    assert want
    assert firing == want
