"""Conditions: known indicators, comparable units, bands that can clear, slots that can be missed."""

from datetime import time

from shared.config.assembly import Assembly, Item
from shared.config.beside import beside
from shared.config.derived import derived
from shared.config.grouped import across, balance, composite
from shared.config.joint import index, limited
from shared.config.measured import checked_indicator, checked_unit
from shared.config.schema.conditions import ConditionModel, MissingModel, RangeModel, RatioModel
from shared.config.silent import silent
from shared.config.timed import time_to_clear
from shared.model.instants import INTERVAL_US
from shared.model.rule import Condition, Missing, Range, Ratio, Threshold


def condition(a: Assembly, item: Item) -> Condition:
    """The one condition of a rule."""
    model: ConditionModel = item.model.condition
    if model.threshold:
        t = model.threshold
        checked_indicator(a, item, t.indicator, "threshold", "indicator")
        return Threshold(
            t.indicator, t.interval, checked_unit(a, item, t.indicator, t.unit, "threshold")
        )
    if model.range:
        return _range(a, item, model.range)
    if model.ratio:
        return _ratio(a, item, model.ratio)
    if model.index:
        return index(a, item, model.index)
    if model.time_to_clear:
        return time_to_clear(a, item, model.time_to_clear)
    if model.limited:
        return limited(a, item, model.limited)
    if model.missing:
        return _missing(a, item, model.missing)
    if model.across:
        return across(a, item, model.across)
    if model.beside:
        return beside(a, item, model.beside)
    if model.silent:
        return silent(a, item, model.silent)
    if model.composite:
        return composite(a, item, model.composite)
    if model.balance:
        return balance(a, item, model.balance)
    return derived(a, item, model)


def _range(a: Assembly, item: Item, model: RangeModel) -> Range:
    checked_indicator(a, item, model.indicator, "range", "indicator")
    unit = checked_unit(a, item, model.indicator, model.unit, "range")
    if not model.low < model.high:
        text = f"low {model.low:g} is not below high {model.high:g}; swap them"
        a.fail(item, text, "condition", "range", "low")
    elif 2 * model.deadband >= model.high - model.low:
        text = (
            f"with a deadband of {model.deadband:g} nothing between {model.low:g} and "
            f"{model.high:g} would clear; make it smaller"
        )
        a.fail(item, text, "condition", "range", "deadband")
    return Range(model.indicator, model.interval, model.low, model.high, model.deadband, unit)


def _ratio(a: Assembly, item: Item, model: RatioModel) -> Ratio:
    for name in model.of:
        checked_indicator(a, item, name, "ratio", "of")
    checked_indicator(a, item, model.over, "ratio", "over")
    if len(set(model.of)) != len(model.of):
        a.fail(item, "an indicator stands twice; keep one", "condition", "ratio", "of")
    units = {a.indicators[n].unit for n in (*model.of, model.over) if n in a.indicators}
    if len(units) > 1:
        text = f"a ratio of different units ({', '.join(sorted(units))}) is probably not meant"
        a.warn(item, text, "condition", "ratio")
    return Ratio(tuple(model.of), model.over, model.interval, model.unit)


def _missing(a: Assembly, item: Item, model: MissingModel) -> Missing:
    """Defaults (contract §8): a day is due at 00:00; minute and hour are silent after one window."""
    checked_indicator(a, item, model.indicator, "missing", "indicator")
    due, every = model.due, model.every
    if due is not None and every is not None:
        text = "a missing rule has due or every, not both; delete one"
        a.fail(item, text, "condition", "missing", "every")
    elif due is not None and model.interval != "day":
        text = f"due goes with interval day, not with {model.interval}; use every"
        a.fail(item, text, "condition", "missing", "due")
    elif due is None and every is None:
        if model.interval == "day":
            due = time(0, 0)
        elif model.interval == "realtime":
            text = "every is missing; a realtime rule says how often to expect a reading"
            a.fail(item, text, "condition", "missing")
        else:
            every = INTERVAL_US[model.interval]
    return Missing(model.indicator, model.interval, due, every, model.grace)
