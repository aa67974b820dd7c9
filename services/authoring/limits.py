"""Limits: the lines of a chart at which its rules raise and clear, in the unit of the chart."""

from collections.abc import Iterator

import msgspec

from services.authoring.computed import is_computed
from shared.model import units
from shared.model.numbers import short_text
from shared.model.rule import Comparison, Range, Rule, Threshold
from shared.model.severity import Severity


class Line(msgspec.Struct, frozen=True):
    """A limit, in force between two instants. `raises` False: it clears there."""

    value: float
    severity: Severity
    raises: bool
    text: str
    from_us: int
    to_us: int | None


def lines(rule: Rule, shown_in: str) -> Iterator[Line]:
    """Raise and clear of every level; none for silence, which has no value."""
    condition = rule.condition
    span = (int(rule.basis.valid_from_us), rule.basis.valid_to_us)
    unit = shown_in
    if isinstance(condition, Threshold | Range):
        unit = condition.unit or shown_in
    elif not is_computed(rule):
        return

    def line(value: float, severity: Severity, raises: bool, op: str) -> Line:
        shown = units.convert(value, unit, shown_in)
        return Line(shown, severity, raises, f"{op} {short_text(shown)}", *span)

    for level in rule.levels:
        if isinstance(condition, Range):
            yield line(condition.low, level.severity, True, "<")
            yield line(condition.high, level.severity, True, ">")
            if condition.deadband:
                yield line(condition.low + condition.deadband, level.severity, False, ">=")
                yield line(condition.high - condition.deadband, level.severity, False, "<=")
            continue
        for test, raises in ((level.raises, True), (level.clears, False)):
            if isinstance(test, Comparison):
                yield line(test.limit, level.severity, raises, test.op)
