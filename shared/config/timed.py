"""Conditions about time and discipline: windows that hold a trend, spans that can be reached."""

from shared.config.assembly import Assembly, Item
from shared.config.companion import companion
from shared.config.levels import comparison
from shared.config.measured import checked_indicator, checked_unit
from shared.config.places import convertible
from shared.config.schema.timed import (
    ComplianceModel,
    DisciplineModel,
    FlaggedModel,
    TimeToClearModel,
    TimeToLimitModel,
)
from shared.model.instants import INTERVAL_US
from shared.model.rule import number_text
from shared.model.timed import SHOWN_US, Compliance, Discipline, Flagged, TimeToClear, TimeToLimit


def time_to_limit(a: Assembly, item: Item, model: TimeToLimitModel) -> TimeToLimit:
    """Defaults: nothing further ahead than four windows is said."""
    kind = "time_to_limit"
    checked_indicator(a, item, model.indicator, kind, "indicator")
    unit = checked_unit(a, item, model.indicator, model.unit, kind)
    own = a.indicators.get(model.indicator)
    limit = model.limit
    if limit is None:
        if own is not None and not convertible("t", own.unit):
            text = f"a capacity is in t per day, {model.indicator} in {own.unit!r}; give a number"
            a.fail(item, text, "condition", kind, "limit")
        elif model.interval != "day":
            text = "a capacity is per day; give interval: day, or a number"
            a.fail(item, text, "condition", kind, "limit")
        unit = "t"
    apart = INTERVAL_US.get(model.interval, 0)
    if (model.least - 1) * apart >= model.over:
        text = f"{model.least} readings of interval {model.interval} do not fit; give a longer one"
        a.fail(item, text, "condition", kind, "over")
    horizon = model.horizon or 4 * model.over
    most = horizon / SHOWN_US[model.shown_in]
    for place, level in enumerate(item.model.levels):
        raises = comparison(level.raise_) if level.raise_ else None
        if raises is not None and raises.op[0] == "<" and raises.holds(most):
            text = (
                f"{raises.text!r} would always hold: no longer time is said than the horizon of "
                f"{number_text(most)} {model.shown_in}; give a longer horizon"
            )
            a.fail(item, text, "levels", place, "raise")
    return TimeToLimit(
        model.indicator, model.interval, limit, model.over, horizon, model.least, model.towards,
        model.judge, model.shown_in, unit,
    )  # fmt: skip


def flagged(a: Assembly, item: Item, model: FlaggedModel) -> Flagged:
    checked_indicator(a, item, model.indicator, "flagged", "indicator")
    if len(set(model.flags)) != len(model.flags):
        a.fail(item, "a flag stands twice; keep one", "condition", "flagged", "flags")
    return Flagged(
        model.indicator, model.interval, tuple(model.flags), model.shown_in,
        companion(a, item, model),
    )  # fmt: skip


_SHORTEST_DAYS = {"day": 1, "week": 7, "month": 28}


def compliance(a: Assembly, item: Item, model: ComplianceModel) -> Compliance:
    kind = "compliance"
    checked_indicator(a, item, model.indicator, kind, "indicator")
    apart = max(INTERVAL_US.get(model.interval, 0), model.apart)
    if (model.at_least - 1) * apart >= _SHORTEST_DAYS[model.per] * 86_400_000_000:
        text = f"{model.at_least} readings so far apart do not fit in a {model.per}; require fewer"
        a.fail(item, text, "condition", kind, "at_least")
    return Compliance(
        model.indicator, model.interval, model.at_least, model.per, model.apart, model.grace
    )


_OWN_KEYS = {
    "late": ("allowed",),
    "gaps": ("every",),
    "heaping": ("limit", "below", "least", "unit"),
    "marks": ("flags",),
    "edits": ("undoes", "unit"),
}


def discipline(a: Assembly, item: Item, model: DisciplineModel) -> Discipline:
    """Defaults: a slot is an interval; marks are M and C; 5 % and 10 readings of heaping."""
    kind = "discipline"
    checked_indicator(a, item, model.indicator, kind, "indicator")
    for of, keys in _OWN_KEYS.items():
        for key in keys if of != model.of else ():
            if getattr(model, key) is not None and key not in _OWN_KEYS[model.of]:
                text = f"{key} goes with of: {of}, not with {model.of}; delete it"
                a.fail(item, text, "condition", kind, key)
    title = item.model.title
    if title is None or "疑似" not in title.zh:
        text = "a share of readings is a suspicion, not a finding; say 疑似 in its title"
        a.warn(item, text, "title")
    every = model.every or INTERVAL_US.get(model.interval, 0)
    if model.of == "late" and model.allowed is None:
        text = "allowed is missing; say how long after its window a reading may come"
        a.fail(item, text, "condition", kind)
    if model.of == "gaps" and every == 0:
        text = "every is missing; gaps of realtime readings say how often to expect one"
        a.fail(item, text, "condition", kind)
    if model.of == "gaps" and model.interval == "day" and every != INTERVAL_US["day"]:
        text = "readings a day apart have slots of a day; delete every"
        a.fail(item, text, "condition", kind, "every")
    if model.of == "heaping" and (model.limit is None or model.limit <= 0):
        text = "limit is missing or not above 0; say what the values may be heaped under"
        a.fail(item, text, "condition", kind)
    unit = checked_unit(a, item, model.indicator, model.unit, kind)
    return Discipline(
        model.indicator, model.interval, model.of, model.within, model.allowed or 0,
        every if model.of == "gaps" else 0, model.limit,
        5.0 if model.below is None else model.below, model.least or 10,
        tuple(model.flags or ("M", "C")) if model.of == "marks" else (), unit,
        comparison(model.undoes) if model.undoes else None,
    )  # fmt: skip


def time_to_clear(a: Assembly, item: Item, model: TimeToClearModel) -> TimeToClear:
    """All three of one unit: a quotient of others is no time."""
    kind = "time_to_clear"
    names = {"backlog": model.backlog, "intake": model.intake, "capacity": model.capacity}
    for key, name in names.items():
        checked_indicator(a, item, name, kind, key)
    if len({*names.values()}) != len(names):
        text = "backlog, intake and capacity are three different indicators; give each its own"
        a.fail(item, text, "condition", kind, "backlog")
    units = {a.indicators[name].unit for name in names.values() if name in a.indicators}
    if len(units) > 1:
        text = f"they are in {' and '.join(sorted(units))}; a time needs one unit"
        a.fail(item, text, "condition", kind, "intake")
    return TimeToClear(
        model.backlog, model.intake, model.capacity, model.interval, model.horizon, model.shown_in
    )
