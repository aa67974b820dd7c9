"""Ratio: components of one slot become one value, once all are there (contract §8.9)."""

from decimal import Decimal
from typing import Literal

from shared.model import numbers
from shared.model.report import EVIDENCE_FLAGS
from shared.model.rule import Ratio

CAPACITY, BACKLOG = "mw.capacity_t", "mw.backlog_t"
Quality = Literal["known", "over", "unknown"]
Components = dict[str, tuple[float, str]]


def result(
    condition: Ratio, components: Components, capacity: float | None
) -> tuple[Quality, float | None]:
    """The ratio of a slot from the (value, flag) of the components it has so far.

    An absent capacity is the configured one, an absent backlog is 0; any other absent component,
    one whose flag is no evidence, a divisor that is not above 0, or an over-range divisor leave
    it unknown. An over-range part makes the whole a lower bound.
    """
    parts: list[Decimal] = []
    over_range = False
    for name in condition.of:
        value, flag = _component(components, name, capacity)
        if value is None or flag not in EVIDENCE_FLAGS:
            return "unknown", None
        over_range |= flag == "T"
        parts.append(numbers.exact(value))
    divisor, flag = _component(components, condition.over, capacity)
    if divisor is None or divisor <= 0 or flag not in EVIDENCE_FLAGS or flag == "T":
        return "unknown", None
    ratio = numbers.divide(
        numbers.multiply(numbers.add(parts), Decimal(100 if condition.unit == "%" else 1)),
        numbers.exact(divisor),
    )
    return ("over" if over_range else "known"), numbers.rounded(ratio)


def _component(
    components: Components, name: str, capacity: float | None
) -> tuple[float | None, str]:
    if name in components:
        return components[name]
    if name == CAPACITY:
        return capacity, "N"
    return (0.0, "N") if name == BACKLOG else (None, "N")
