"""Conditions about time and discipline: windows that hold a trend, spans that can be reached."""

from shared.config.assembly import Assembly, Item
from shared.config.levels import comparison
from shared.config.measured import checked_indicator, checked_unit
from shared.config.places import convertible
from shared.config.schema_timed import ComplianceModel, FlaggedModel, TimeToLimitModel
from shared.model.instants import INTERVAL_US
from shared.model.rule import number_text
from shared.model.timed import SHOWN_US, Compliance, Flagged, TimeToLimit


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
    return Flagged(model.indicator, model.interval, tuple(model.flags), model.shown_in)


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
