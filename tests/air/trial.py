"""Trial: the anomaly conditions, one setting for all, on a series with and without each fault.

A series goes through once as it was. Where a fault begins, the engine is copied and the copy is
given the fault instead, until a day after its end. A condition *detects* a fault when it tells
(fires or rises) in that time what it did not tell at that hour without the fault.
"""

from copy import deepcopy
from typing import NamedTuple

from msgspec.structs import replace

from services.rules.core.engine import Engine
from shared.model.configuration import BUNDLE_FORMAT, Bundle, Indicator
from shared.model.facility import Facility, Station, Territory
from shared.model.instants import Instant
from shared.model.report import Activate, Record, Report, Tick
from shared.model.rule import (
    Comparison,
    Deviation,
    Drift,
    Flatline,
    Jump,
    Level,
    Missing,
    Rule,
    Threshold,
)
from shared.model.severity import Severity
from tests.air.faults import WARM_HOURS, Fault, arrivals
from tests.air.stations import HOUR_US, HOURS_A_DAY
from tests.eval.detector import rule

CODE = "value"
DAY_US = HOURS_A_DAY * HOUR_US
SILENT_AFTER_US = 3 * HOUR_US
STANDS_FOR_H = 24.0
UNMEASURABLE, UNMEASURABLE_FOR_US = 0.5, 2 * HOUR_US
"""Less than an analyser can tell from nothing, whichever of the six it measures (µg/m³)."""
Told = tuple[str, int, str]
"""(rule, hour of the log, severity)."""


def rules() -> dict[str, Rule]:
    """The setting of `make eval` (docs/conditions/deviation.md) for hours instead of minutes, but
    a flat line is told after 24 h; silence 3 h after the hour that was due; and as a limit of
    its own what is too low to have been measured."""
    found = [
        rule("deviation", Deviation(CODE, "hour", "3h", "auto", 21 * DAY_US), 1.25, 1.5, 2.0),
        rule("outlier", Deviation(CODE, "hour", "reading", "none", 42 * DAY_US), 1.25, 1.5, 2.0),
        rule("jump", Jump(CODE, "hour", memory_us=21 * DAY_US), 1.5, 2.0, 3.0),
        rule("drift", Drift(CODE, "hour", 42 * DAY_US), 1.25, 1.5, 2.0),
        rule("flatline", Flatline(CODE, "hour", 0.0), STANDS_FOR_H),
        replace(
            rule("missing", Missing(CODE, "hour", None, HOUR_US, SILENT_AFTER_US)),
            levels=(Level(Severity.YELLOW),), keep_firing_for_us=0,
        ),
        replace(
            rule("too low", Threshold(CODE, "hour")),
            levels=(Level(Severity.YELLOW, Comparison("<", UNMEASURABLE, f"< {UNMEASURABLE}")),),
            for_us=UNMEASURABLE_FOR_US,
        ),
    ]  # fmt: skip
    return {one.id: one for one in found}


class Trial(NamedTuple):
    """`hours` is by rule after how many hours of the fault it was told; absent: it was not."""

    fault: Fault
    hours: dict[str, int]


class Series(NamedTuple):
    trials: list[Trial]
    unprovoked: list[Told]
    """What was told of the series as it was, when it was warm."""
    days: float


class _Line:
    """One series through one engine, hour by hour."""

    def __init__(self, judged: dict[str, Rule]) -> None:
        bundle = Bundle(
            BUNDLE_FORMAT, "Asia/Shanghai", 1 << 60, (Territory("000000", "-", None),),
            (Facility("f", "f", "f", "000000", "air_station"),), (Station("s", "f"),),
            (Indicator(CODE, CODE, "1"),), tuple(judged.values()),
        )  # fmt: skip
        self.engine = Engine({"b": bundle}.__getitem__)
        self.engine.apply([Activate("b")])

    def copy(self) -> "_Line":
        other = object.__new__(_Line)
        book = self.engine.book
        assert book is not None
        shared = {id(book): book, **{id(judging): judging for judging in book.rules.values()}}
        other.engine = deepcopy(self.engine, shared)
        return other

    def hours(
        self, begin_us: int, values: list[float | None], fault: Fault | None, begin: int, end: int
    ) -> list[Told]:
        """Every hour is ticked at its end, then what arrived in it is judged."""
        told = []
        came = {at: (of, value) for at, of, value in arrivals(values, fault, begin, end)}
        for hour in range(begin, min(end, len(values))):
            now = Instant(begin_us + (hour + 1) * HOUR_US)
            records: list[Record] = [Tick(now)]
            if hour in came:
                of, value = came[hour]
                at = Instant(begin_us + of * HOUR_US)
                records.append(Report("f", "s", "hour", at, (CODE,), (value,), None, now, "air"))
            for each in self.engine.apply(records):
                if each.state == "firing":
                    told.append((each.rule, hour, each.severity.value))
        return told


def series(
    begin_us: int, values: list[float | None], faults: list[Fault], judged: dict[str, Rule]
) -> Series:
    """`faults` in order of time; each is tried alone."""
    line = _Line(judged)
    hour = 0
    plain: list[Told] = []
    tried: list[tuple[Fault, list[Told]]] = []
    for fault in faults:
        plain += line.hours(begin_us, values, None, hour, fault.start)
        hour = fault.start
        until = fault.end + HOURS_A_DAY
        told = line.copy().hours(begin_us, values, fault, hour, until)
        tried.append((fault, told))
    plain += line.hours(begin_us, values, None, hour, len(values))
    known = set(plain)
    trials = []
    for fault, told in tried:
        hours: dict[str, int] = {}
        for each in told:
            if each not in known:
                hours.setdefault(each[0], each[1] - fault.start + 1)
        trials.append(Trial(fault, hours))
    warm = [each for each in plain if each[1] >= WARM_HOURS]
    return Series(trials, warm, max(0, len(values) - WARM_HOURS) / HOURS_A_DAY)
