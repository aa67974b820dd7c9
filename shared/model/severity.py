"""Severity: blue < yellow < orange < red, as the four warning colours of Chinese practice."""

from enum import Enum


class Severity(str, Enum):  # noqa: UP042  StrEnum would hide that order is by rank, not by text
    """Ordered by `rank` (blue 1 … red 4)."""

    BLUE = "blue"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"

    @property
    def rank(self) -> int:
        return _RANK[self]

    @property
    def zh(self) -> str:
        return _ZH[self]


_RANK = {Severity.BLUE: 1, Severity.YELLOW: 2, Severity.ORANGE: 3, Severity.RED: 4}
_ZH = {Severity.BLUE: "蓝", Severity.YELLOW: "黄", Severity.ORANGE: "橙", Severity.RED: "红"}
