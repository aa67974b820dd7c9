"""Derived conditions: windows that their readings can fill, spans above zero, tests that can hold."""

from math import inf, isinf

from shared.config.assembly import Assembly, Item
from shared.config.levels import comparison
from shared.config.measured import checked_indicator, checked_unit
from shared.config.schema.conditions import (
    AverageModel,
    ConditionModel,
    CountModel,
    DeviationModel,
    FlatlineModel,
    JumpModel,
    RateModel,
)
from shared.config.timed import compliance, discipline, flagged, time_to_limit
from shared.model.instants import INTERVAL_US, parse_duration
from shared.model.rule import (
    Average,
    Count,
    Derived,
    Deviation,
    Drift,
    Flatline,
    Jump,
    Rate,
    number_text,
)
from shared.model.timed import SHOWN_US, Compliance, Discipline, Flagged, TimeToLimit

STEP_US = {"5m": 300_000_000, "1h": 3_600_000_000, "3h": 3_600_000_000, "8h": 3_600_000_000, "24h": 3_600_000_000,
           "day": 86_400_000_000}  # fmt: skip
"""The part of each window that its readings must divide: 8h and 24h slide by the hour."""
SHORTEST_GRACE_US = 300_000_000
_Measured = AverageModel | RateModel | JumpModel | FlatlineModel | CountModel


def derived(a: Assembly, item: Item, model: ConditionModel) -> Derived:
    """The condition that is given; a level that its values can never reach is a warning."""
    built = _built(a, item, model)
    low, high = _values(built)
    for place, level in enumerate(item.model.levels):
        raises = comparison(level.raise_) if level.raise_ else None
        if raises is not None and not raises.holds(high if raises.op[0] == ">" else low):
            top = "" if isinf(high) else f" nor above {number_text(high)}"
            text = (
                f"{raises.text!r} can never hold: the value is never below {number_text(low)}{top}"
            )
            a.warn(item, text, "levels", place, "raise")
    return built


def _values(condition: Derived) -> tuple[float, float]:
    """Between what the derived value lies, whatever the readings are."""
    match condition:
        case Count():
            return 0.0, float(condition.within)
        case Discipline():
            return 0.0, 100.0
        case TimeToLimit():
            return 0.0, condition.horizon_us / SHOWN_US[condition.shown_in]
        case (
            Flatline()
            | Flagged()
            | Compliance()
            | Jump(memory_us=None)
            | Deviation(side="both")
            | Drift(side="both")
        ):
            return 0.0, inf
        case Jump():
            return -1.0, inf
        case _:
            return -inf, inf


def _built(a: Assembly, item: Item, model: ConditionModel) -> Derived:
    if model.average:
        return _average(a, item, model.average)
    if model.rate:
        rate = model.rate
        unit = _measured(a, item, "rate", rate)
        per_us = parse_duration(rate.per)
        if per_us == 0:
            text = f"per {rate.per} is no time; give one such as 1h"
            a.fail(item, text, "condition", "rate", "per")
        per = rate.per.removeprefix("1") if rate.per in ("1s", "1m", "1h", "1d") else rate.per
        return Rate(rate.indicator, rate.interval, per_us, per, rate.max_gap, unit)
    if model.jump:
        jump = model.jump
        unit = _measured(a, item, "jump", jump)
        return Jump(jump.indicator, jump.interval, jump.max_gap, unit, jump.memory)
    if model.flatline:
        flat = model.flatline
        unit = _measured(a, item, "flatline", flat)
        return Flatline(
            flat.indicator,
            flat.interval,
            flat.within,
            flat.shown_in,
            flat.max_gap,
            unit,
            flat.above,
        )
    if model.deviation:
        return _deviation(a, item, model.deviation)
    if model.drift:
        drift = model.drift
        checked_indicator(a, item, drift.indicator, "drift", "indicator")
        if drift.interval == "day":
            text = "a drift is that of a 24 h mean; interval day has nothing to take a mean of"
            a.fail(item, text, "condition", "drift", "interval")
        return Drift(drift.indicator, drift.interval, drift.memory, drift.side)
    if model.time_to_limit:
        return time_to_limit(a, item, model.time_to_limit)
    if model.discipline:
        return discipline(a, item, model.discipline)
    if model.compliance:
        return compliance(a, item, model.compliance)
    if model.flagged:
        return flagged(a, item, model.flagged)
    assert model.count is not None  # the schema wants exactly one
    count = model.count
    unit = _measured(a, item, "count", count)
    return Count(count.indicator, count.interval, comparison(count.of), count.within, unit)


def _deviation(a: Assembly, item: Item, model: DeviationModel) -> Deviation:
    checked_indicator(a, item, model.indicator, "deviation", "indicator")
    if model.over == "reading" and model.season != "none":
        text = f"season {model.season} goes with the means of over: 1h or 3h; give season: none"
        a.fail(item, text, "condition", "deviation", "over")
    if model.over != "reading" and model.interval == "day":
        text = "readings a day apart have no means of hours; give over: reading, season: none"
        a.fail(item, text, "condition", "deviation", "interval")
    return Deviation(
        model.indicator, model.interval, model.over, model.season, model.memory, model.side
    )


def _average(a: Assembly, item: Item, model: AverageModel) -> Average:
    """Defaults: a reading per interval; grace is one more reading, at least 5 minutes."""
    unit = _measured(a, item, "average", model)
    every = model.every or INTERVAL_US.get(model.interval)
    key = "every" if model.every else "interval"
    if every is None:
        text = "every is missing; an average of realtime readings says how often to expect one"
        a.fail(item, text, "condition", "average")
        every = STEP_US["1h"]
    elif every >= STEP_US["day"] or (every >= STEP_US[model.over] and model.over in ("5m", "1h")):
        text = f"readings this far apart are no average over {model.over}; use threshold"
        a.fail(item, text, "condition", "average", key)
    elif STEP_US[model.over] % every:
        step = "5m" if model.over == "5m" else "day" if model.over == "day" else "1h"
        text = f"every does not divide {step}, by which this window moves; give one such as 1m"
        a.fail(item, text, "condition", "average", key)
    grace = model.grace if model.grace is not None else max(every, SHORTEST_GRACE_US)
    return Average(model.indicator, model.interval, model.over, every, model.complete, grace, unit)


def _measured(a: Assembly, item: Item, kind: str, model: _Measured) -> str | None:
    checked_indicator(a, item, model.indicator, kind, "indicator")
    return checked_unit(a, item, model.indicator, model.unit, kind)
