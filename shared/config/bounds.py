"""Bounds: between which values an indicator can lie at all, by nature of what is measured."""

import msgspec

from shared.model.configuration import Indicator
from shared.model.rule import (
    Across,
    Average,
    Balance,
    Composite,
    Condition,
    Count,
    Flatline,
    Index,
    Jump,
    Range,
    Ratio,
    Threshold,
)
from shared.model.timed import SHOWN_US, Compliance, Discipline, Flagged, TimeToClear, TimeToLimit
from shared.model.units import UnknownUnit, convert, spelled


class Bounds(msgspec.Struct, frozen=True):
    """Inclusive; `why` ends a sentence."""

    low: float
    high: float
    why: str


_INFINITE = float("inf")
_BY_CODE: dict[str, Bounds] = {
    "w01001": Bounds(0.0, 14.0, "pH lies between 0 and 14"),
    "a01002": Bounds(0.0, 100.0, "humidity lies between 0 and 100 %"),
    "a01014": Bounds(0.0, 100.0, "humidity lies between 0 and 100 %"),
    "a19001": Bounds(0.0, 100.0, "a share of the gas lies between 0 and 100 %"),
    "a01008": Bounds(0.0, 360.0, "a direction lies between 0 and 360°"),
    "a01010": Bounds(0.0, 5.0, "the Ringelmann scale goes from 0 to 5"),
}
_NOT_NEGATIVE = frozenset(
    {"t", "m/s", "个/L", "NTU", "度", "µS/cm", "Bq/L", "L/s", "m²", "t/km²·月"}
)
"""Not m³/s and kPa: a river at the coast runs back, and a flue is under suction."""
_HEAVIEST = (
    ("mg/L", 1_000_000.0, "a litre of water weighs 1,000,000 mg"),
    ("mg/m³", 1_300_000.0, "a cubic metre of air weighs 1,300,000 mg"),
)


def bounds_of_condition(condition: Condition, indicators: dict[str, Indicator]) -> Bounds | None:
    """Between which values a rule's value lies, in the unit of its limits."""
    match condition:
        case Threshold() | Range() | Average():
            indicator = indicators[condition.indicator]
            return _in_unit(bounds_of(indicator), indicator.unit, condition.unit)
        case Ratio():
            parts = [bounds_of(indicators[name]) for name in (*condition.of, condition.over)]
            if all(part is not None and part.low >= 0 for part in parts):
                return Bounds(0.0, _INFINITE, "none of its parts is ever negative")
        case Index():
            return Bounds(0.0, 500.0, "an air quality index goes from 0 to 500")
        case Count():
            return Bounds(0.0, condition.within, f"it counts among {condition.within} readings")
        case Composite():
            count = len(condition.rules)
            return Bounds(0.0, float(count), f"it counts {count} rules")
        case Balance():
            parts = [bounds_of(indicators[name]) for name in (*condition.ins, *condition.outs)]
            if all(part is not None and part.low >= 0 for part in parts):
                whole = 100.0 if condition.unit == "%" else 1.0
                return Bounds(-_INFINITE, whole, "no more is lost than goes in")
        case Across(of="share"):
            return Bounds(0.0, 100.0, "a share is 0 to 100 %")
        case Across(of="count"):
            return Bounds(0.0, _INFINITE, "no number of stations is negative")
        case Jump():
            return Bounds(0.0, _INFINITE, "the size of a jump is never negative")
        case Discipline():
            return Bounds(0.0, 100.0, "a share of readings lies between 0 and 100 %")
        case Compliance():
            return Bounds(0.0, _INFINITE, "no share is negative")
        case Flatline() | Flagged():
            return Bounds(0.0, _INFINITE, "no time is negative")
        case TimeToLimit() | TimeToClear():
            most = condition.horizon_us / SHOWN_US[condition.shown_in]
            return Bounds(0.0, most, "no time is negative, nor longer than its horizon")
    return None


def _in_unit(bounds: Bounds | None, own: str, unit: str | None) -> Bounds | None:
    if bounds is None or unit is None:
        return bounds
    high = bounds.high if bounds.high == _INFINITE else convert(bounds.high, own, unit)
    return Bounds(convert(bounds.low, own, unit), high, bounds.why)


def bounds_of(indicator: Indicator) -> Bounds | None:
    """In its own unit; None: nothing is known that a value could not be."""
    if indicator.code in _BY_CODE:
        return _BY_CODE[indicator.code]
    unit = spelled(indicator.unit)
    for heaviest, most, why in _HEAVIEST:
        try:
            high = convert(most, heaviest, unit)
        except UnknownUnit:
            continue
        return Bounds(0.0, high, f"{why}, and no concentration is negative")
    if unit in _NOT_NEGATIVE:
        return Bounds(0.0, _INFINITE, "it is never negative")
    if unit == "°C":
        return Bounds(-273.15, _INFINITE, "nothing is colder than -273.15 °C")
    return None
