"""Derived conditions: windows that their readings can fill, spans above zero, tests that can hold."""

from shared.config.assembly import Assembly, Item
from shared.config.levels import comparison
from shared.config.measured import checked_indicator, checked_unit
from shared.config.schema import (
    AverageModel,
    ConditionModel,
    CountModel,
    FlatlineModel,
    JumpModel,
    RateModel,
)
from shared.model.instants import INTERVAL_US, parse_duration
from shared.model.rule import Average, Count, Derived, Flatline, Jump, Rate

STEP_US = {"5m": 300_000_000, "1h": 3_600_000_000, "8h": 3_600_000_000, "24h": 3_600_000_000,
           "day": 86_400_000_000}  # fmt: skip
"""The part of each window that its readings must divide: 8h and 24h slide by the hour."""
SHORTEST_GRACE_US = 300_000_000
_Measured = AverageModel | RateModel | JumpModel | FlatlineModel | CountModel


def derived(a: Assembly, item: Item, model: ConditionModel) -> Derived:
    """The condition that is given."""
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
        return Jump(jump.indicator, jump.interval, jump.max_gap, unit)
    if model.flatline:
        flat = model.flatline
        unit = _measured(a, item, "flatline", flat)
        return Flatline(
            flat.indicator, flat.interval, flat.within, flat.shown_in, flat.max_gap, unit
        )
    assert model.count is not None  # the schema wants exactly one
    count = model.count
    unit = _measured(a, item, "count", count)
    return Count(count.indicator, count.interval, comparison(count.of), count.within, unit)


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
