"""The anomaly conditions as rules, with one setting for all series, run through the engine.

A detection is what an official would be told: the incident of the place opens, or its severity
rises (contract §9.1). What joins an incident that stands at that severity tells nobody.
"""

from services.rules.core.engine import Engine
from shared.model.configuration import BUNDLE_FORMAT, Bundle, Indicator
from shared.model.facility import Facility, Station, Territory
from shared.model.instants import Instant
from shared.model.report import Activate, Record, Report, Tick
from shared.model.rule import (
    Applies,
    Basis,
    Comparison,
    Condition,
    Deviation,
    Drift,
    Flatline,
    Jump,
    Level,
    Rule,
    number_text,
)
from shared.model.severity import Severity
from shared.model.transition import Transition
from tests.eval.series import Labelled

SECOND, DAY = 1_000_000, 86_400_000_000
CODE = "value"
Rules = dict[str, Rule]


def rule(name: str, condition: Condition, *limits: float) -> Rule:
    """Told again only when it becomes worse, or was quiet for a day."""
    levels = tuple(
        Level(severity, Comparison(">", limit, f"> {number_text(limit)}"))
        for severity, limit in zip(list(Severity)[1:], limits, strict=False)
    )
    basis = Basis("product default", "2026", "-", Instant(-(10**17)))
    return Rule(name, name, name, None, None, Applies(), condition, levels, 0, DAY, "hold", basis)


def rules() -> Rules:
    """Published in docs/conditions/deviation.md; nothing here knows a series."""
    found = [
        rule("deviation", Deviation(CODE, "realtime", "3h", "auto", 21 * DAY), 1.25, 1.5, 2.0),
        rule("outlier", Deviation(CODE, "realtime", "reading", "none", 42 * DAY), 1.25, 1.5, 2.0),
        rule("jump", Jump(CODE, "realtime", memory_us=21 * DAY), 1.5, 2.0, 3.0),
        rule("drift", Drift(CODE, "realtime", 42 * DAY), 1.25, 1.5, 2.0),
        rule("flatline", Flatline(CODE, "realtime", 0.0), 48.0),
    ]
    return {one.id: one for one in found}


def detections(series: Labelled, judged: Rules) -> list[float]:
    """When somebody would have been told."""
    standing: dict[str, int] = {}
    told = []
    for transition in run(series, judged):
        before = max(standing.values(), default=-1)
        if transition.state == "firing":
            standing[transition.rule] = transition.severity.rank
            if standing[transition.rule] > before:
                assert transition.received_us is not None
                told.append(transition.received_us / SECOND)
        elif transition.state == "resolved":
            standing.pop(transition.rule, None)
    return told


def run(series: Labelled, judged: Rules) -> list[Transition]:
    bundle = Bundle(
        BUNDLE_FORMAT, "UTC", 1 << 60, (Territory("000000", "-", None),),
        (Facility("f", "f", "f", "000000", "air_station"),), (Station("s", "f"),),
        (Indicator(CODE, CODE, "1"),), tuple(judged.values()),
    )  # fmt: skip
    engine = Engine({"b": bundle}.__getitem__)
    records: list[Record] = [Activate("b")]
    for time, value in zip(series.times, series.values, strict=True):
        at = Instant(round(time * SECOND))
        # The tick comes after the reading, so that whatever fires has a reading to name.
        records += [
            Report("f", "s", "realtime", at, (CODE,), (value,), None, at, "eval"),
            Tick(at),
        ]
    return engine.apply(records)
