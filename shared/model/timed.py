"""Conditions about time and discipline, as values. Their words are in docs/conditions."""

from typing import Literal

import msgspec

from shared.model.comparison import Comparison
from shared.model.instants import Interval

SHOWN_US = {"min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}


class TimeToLimit(msgspec.Struct, frozen=True, tag="time_to_limit"):
    """How long until the value reaches a limit, at the robust trend of the last window."""

    indicator: str
    interval: Interval
    limit: float | None
    """None: the capacity that the facility's configuration has for the day of the reading."""
    over_us: int
    horizon_us: int
    """The longest time that is said; also said when nothing moves towards the limit."""
    least: int = 4
    """Readings that make a trend."""
    towards: Literal["up", "down"] = "up"
    judge: Literal["middle", "early", "late"] = "middle"
    shown_in: Literal["min", "h", "d"] = "d"
    unit: str | None = None
    """Of `limit`."""


class TimeToClear(msgspec.Struct, frozen=True, tag="time_to_clear"):
    """Backlog over spare capacity, all of one station and day, in one unit."""

    backlog: str
    intake: str
    capacity: str
    interval: Interval
    horizon_us: int
    shown_in: Literal["min", "h", "d"] = "h"

    @property
    def parts(self) -> tuple[str, ...]:
        return (self.backlog, self.intake, self.capacity)

    @property
    def lead(self) -> str:
        return self.backlog

    @property
    def shown_unit(self) -> str:
        return self.shown_in


class Companion(msgspec.Struct, frozen=True):
    """A series of the same facility that shows whether its plant runs."""

    indicator: str
    interval: Interval
    runs: Comparison
    """What its value holds against while the plant runs, in `unit`."""
    max_age_us: int
    """Further from the reading that asks, it shows nothing."""
    own: str
    """What the indicator is reported in."""
    unit: str
    station: str | None = None
    point: str | None = None
    """None of both: at the station of the rule's series."""
    despite: tuple[str, ...] = ()
    """Flags under which its value shows it all the same."""


class Flagged(msgspec.Struct, frozen=True, tag="flagged"):
    """How long a series has stood in some quality flags without evidence between."""

    indicator: str
    interval: Interval
    flags: tuple[str, ...]
    shown_in: Literal["min", "h", "d"] = "h"
    companion: Companion | None = None
    """Time counts only while it shows that the plant runs."""
    unit: None = None


class Compliance(msgspec.Struct, frozen=True, tag="compliance"):
    """Share of the required readings that came in a period of site time, in percent."""

    indicator: str
    interval: Interval
    at_least: int
    per: Literal["day", "week", "month"]
    apart_us: int = 0
    """A reading closer than this to the last that counted does not count."""
    grace_us: int = 3_600_000_000
    unit: None = None


class Discipline(msgspec.Struct, frozen=True, tag="discipline"):
    """Share of the last `within` readings (of: gaps: slots) that are suspicious, in percent."""

    indicator: str
    interval: Interval
    of: Literal["late", "gaps", "heaping", "marks", "edits"]
    within: int
    allowed_us: int = 0
    """late: after the end of the window."""
    every_us: int = 0
    """gaps: length of a slot."""
    limit: float | None = None
    """heaping: what the values stay under."""
    below: float = 5.0
    """heaping: width of the bands, percent of the limit."""
    least: int = 10
    """heaping: readings in both bands from which the share is that of these."""
    flags: tuple[str, ...] = ()
    """marks."""
    unit: str | None = None
    """heaping: of `limit`; edits: of `undoes`."""
    undoes: Comparison | None = None
    """edits: only what takes a value out of this counts; None: every edit does."""


Timed = TimeToLimit | Flagged | Compliance | Discipline


def is_about_arrival(condition: object) -> bool:
    """Asks when something came, not what: an amended history leaves it as it was."""
    if isinstance(condition, Discipline):
        return condition.of in ("late", "gaps", "edits")
    return isinstance(condition, Compliance)
