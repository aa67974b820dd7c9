"""Clearing: how long a backlog lasts when what is spare of the capacity works on it.

    time = backlog / (capacity - intake) days

The horizon when nothing is spare: the backlog is never cleared.
"""

from decimal import Decimal

from services.rules.core.ratio import CAPACITY, Components, Quality
from shared.model import numbers
from shared.model.report import EVIDENCE_FLAGS
from shared.model.timed import SHOWN_US, TimeToClear

DAY_US = Decimal(86_400_000_000)


def result(
    condition: TimeToClear, components: Components, capacity: float | None
) -> tuple[Quality, float | None]:
    """
    What a slot says by the (value, flag) of the components it has so far.

    An absent capacity is the configured one; any other absent component, one whose flag is no
    evidence, or an over-range capacity leave it unknown: no backlog that nobody reported is
    cleared. An over-range backlog or intake makes the time a lower bound.
    """
    found = dict(components)
    if condition.capacity == CAPACITY and CAPACITY not in found and capacity is not None:
        found[CAPACITY] = (capacity, "N")
    if any(name not in found or found[name][1] not in EVIDENCE_FLAGS for name in condition.parts):
        return "unknown", None
    if found[condition.capacity][1] == "T":
        return "unknown", None
    backlog, intake, most = (numbers.exact(found[name][0]) for name in condition.parts)
    is_over = "T" in (found[condition.backlog][1], found[condition.intake][1])
    time_us = _time(backlog, numbers.subtract(most, intake), Decimal(condition.horizon_us))
    shown = numbers.divide(time_us, Decimal(SHOWN_US[condition.shown_in]))
    return ("over" if is_over else "known"), numbers.rounded(shown)


def _time(backlog: Decimal, spare: Decimal, horizon_us: Decimal) -> Decimal:
    if backlog <= 0:
        return Decimal(0)
    if spare <= 0:
        return horizon_us
    return min(numbers.divide(numbers.multiply(backlog, DAY_US), spare), horizon_us)
