"""A desk at which one rule judges one station; times are minutes after 2020-02-24T00:00+08:00."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from services.rules.core.engine import Engine
from shared.model.configuration import BUNDLE_FORMAT, Bundle, Indicator, encode_bundle
from shared.model.facility import Capacity, Facility, Station, Territory
from shared.model.instants import Interval
from shared.model.report import Activate, Record, Report, Tick
from shared.model.rule import Applies, Basis, Comparison, Condition, Level, Rule, Threshold
from shared.model.severity import Severity
from shared.model.transition import Transition

MINUTE = 60_000_000
START = 1_582_473_600_000_000
INDICATORS = (
    Indicator("cod", "化学需氧量", "mg/L"),
    Indicator("mw.disposed_t", "处置量", "t"),
    Indicator("mw.generated_t", "产生量", "t"),
    Indicator("mw.backlog_t", "积压量", "t"),
    Indicator("mw.capacity_t", "处置能力", "t"),
)


def compare(text: str) -> Comparison:
    op, limit = text.split()
    return Comparison(op, float(limit), text)  # type: ignore[arg-type]


def levels(**tests: str) -> tuple[Level, ...]:
    """levels(yellow=">= 90; < 85") in ascending order."""
    made = []
    for severity in Severity:
        if severity.value in tests:
            raises, _, clears = tests[severity.value].partition("; ")
            made.append(Level(severity, compare(raises), compare(clears) if clears else None))
    return tuple(made)


class Desk:
    """Hand it records; `heard` says what the engine said, in short words."""

    def __init__(self, *rules: Rule, deaf_after: int = 10_000, zone: str = "Asia/Shanghai") -> None:
        self.deaf_after, self.zone = deaf_after, zone
        self.bundles: dict[str, Bundle] = {}
        self.engine = Engine(self.bundles.__getitem__)
        self.said: list[Transition] = []
        self.activate(*rules)

    def activate(self, *rules: Rule, stations: tuple[str, ...] = ("s",)) -> None:
        facility = Facility(
            "f", "厂", "厂", "000000", "medical_waste",
            capacity=(Capacity(date(2020, 2, 24), 50.0), Capacity(date(2020, 2, 25), 100.0)),
        )  # fmt: skip
        bundle = Bundle(
            BUNDLE_FORMAT, self.zone, self.deaf_after * MINUTE, (Territory("000000", "全国", None),),
            (facility,), tuple(Station(name, "f") for name in stations), INDICATORS, rules,
        )  # fmt: skip
        name, _ = encode_bundle(bundle)
        self.bundles[name] = bundle
        self.feed(Activate(name))

    def feed(self, *records: Record) -> None:
        self.said += self.engine.apply(records)

    def tick(self, *minutes: float) -> None:
        self.feed(*(Tick(START + round(m * MINUTE)) for m in minutes))

    def read(self, minute: float, value: float, flag: str = "N", **more: Any) -> None:
        self.report(minute, {"cod": (value, flag)}, **more)

    def report(
        self, minute: float, readings: dict[str, tuple[float, str]],
        interval: Interval = "realtime", station: str = "s",
    ) -> None:  # fmt: skip
        self.feed(
            Report(
                "f", station, interval, START + round(minute * MINUTE), tuple(readings),
                tuple(value for value, _ in readings.values()),
                tuple(flag for _, flag in readings.values()), START, "http",
            )
        )  # fmt: skip

    def heard(self) -> list[str]:
        """`state cause severity @minute value limit`, since the last call."""
        said, self.said = self.said, []
        return [self.words(t) for t in said]

    def words(self, t: Transition) -> str:
        minute = (t.at_us - START) / MINUTE
        value = "-" if t.value is None else f"{t.value:g}"
        return f"{t.state} {t.cause} {t.severity.value} @{minute:g} {value} {t.limit or '-'}"


def make_rule(
    condition: Condition | None = None, *, name: str = "r", wait: float = 0, keep: float = 0,
    unknown: str = "hold", valid: tuple[float, float | None] = (-(10**7), None),
    level: tuple[Level, ...] | None = None, **tests: str,
) -> Rule:  # fmt: skip
    """A rule; `wait` and `keep` in minutes; levels as severity="raise; clear"."""
    begin, end = valid
    basis = Basis(
        "标准", "2020", "1", START + round(begin * MINUTE),
        None if end is None else START + round(end * MINUTE),
    )  # fmt: skip
    return Rule(
        name, name, name, None, None, Applies(), condition or Threshold("cod", "realtime"),
        level or levels(**(tests or {"yellow": "> 60; <= 54"})),
        round(wait * MINUTE), round(keep * MINUTE), unknown, basis,
    )  # fmt: skip


@pytest.fixture
def desk() -> type[Desk]:
    return Desk


@pytest.fixture
def rule() -> Callable[..., Rule]:
    return make_rule
