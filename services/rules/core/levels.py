"""Levels: which severity a value means, given the one that is held (contract §8.2, §8.7)."""

from shared.model import numbers
from shared.model.rule import Comparison, Level, Missing, Range, Rule, Silent, number_text

NONE = -1
"""Below every level. Levels are numbered from 0, the lowest severity."""


class Ladder:
    """The tests of one rule, ready to be asked. Immutable."""

    def __init__(self, rule: Rule) -> None:
        self.severities = tuple(level.severity for level in rule.levels)
        condition = rule.condition
        if isinstance(condition, Range):
            self._range: tuple[float, float, float, float] | None = _bounds(condition)
            self._tests: tuple[tuple[Comparison, Comparison], ...] = ()
            self.limits: tuple[str | None, ...] = (
                f"< {number_text(condition.low)} or > {number_text(condition.high)}",
            )
        elif isinstance(condition, Missing | Silent):
            self._range, self._tests, self.limits = None, (), (None,)
        else:
            self._range = None
            self._tests = tuple(_pair(level) for level in rule.levels)
            self.limits = tuple(raises.text for raises, _ in self._tests)

    def level(self, value: float, held: int) -> int:
        """The level for a known value: the highest that is raised, or held and not cleared."""
        if self._range is not None:
            low, high, clear_low, clear_high = self._range
            if value < low or value > high:
                return 0
            return 0 if held == 0 and not clear_low <= value <= clear_high else NONE
        for number in range(len(self._tests) - 1, -1, -1):
            raises, clears = self._tests[number]
            if raises.holds(value) or (number <= held and not clears.holds(value)):
                return number
        return NONE

    def raised_at_least(self, value: float) -> int:
        """For a lower bound (flag T): the highest level it raises upwards, NONE if it does not."""
        if self._range is not None:
            return 0 if value > self._range[1] else NONE
        for number in range(len(self._tests) - 1, -1, -1):
            raises, _ = self._tests[number]
            if raises.op[0] == ">" and raises.holds(value):
                return number
        return NONE

    def quiet(self) -> tuple[float, float]:
        """An open interval of values that raise nothing."""
        low, high = float("-inf"), float("inf")
        if self._range is not None:
            return self._range[0], self._range[1]
        for raises, _ in self._tests:
            if raises.op[0] == ">":
                high = min(high, raises.limit)
            else:
                low = max(low, raises.limit)
        return low, high


def _pair(level: Level) -> tuple[Comparison, Comparison]:
    assert level.raises is not None, "checked when the configuration was loaded"
    return level.raises, level.clears or level.raises.negated()


def _bounds(condition: Range) -> tuple[float, float, float, float]:
    band = numbers.exact(condition.deadband)
    return (
        condition.low,
        condition.high,
        numbers.rounded(numbers.add([numbers.exact(condition.low), band])),
        numbers.rounded(numbers.subtract(numbers.exact(condition.high), band)),
    )
