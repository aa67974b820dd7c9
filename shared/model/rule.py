"""Rules as values: condition, levels, delays, basis. Loaded and checked by shared.config."""

from datetime import time
from typing import Literal

import msgspec

from shared.model.beside import Beside
from shared.model.comparison import Comparison as Comparison  # noqa: PLC0414 - as ever found here
from shared.model.comparison import Op as Op  # noqa: PLC0414 - as ever found here
from shared.model.comparison import number_text as number_text  # noqa: PLC0414 - as ever found here
from shared.model.instants import Instant, Interval
from shared.model.people import Target
from shared.model.severity import Severity
from shared.model.timed import Timed, TimeToClear


class Level(msgspec.Struct, frozen=True):
    """A severity with its raise and clear tests; None on `range` and `missing`."""

    severity: Severity
    raises: Comparison | None = None
    clears: Comparison | None = None


class Threshold(msgspec.Struct, frozen=True, tag="threshold"):
    indicator: str
    interval: Interval
    unit: str | None = None


class Range(msgspec.Struct, frozen=True, tag="range"):
    indicator: str
    interval: Interval
    low: float
    high: float
    deadband: float = 0.0
    unit: str | None = None


class Ratio(msgspec.Struct, frozen=True, tag="ratio"):
    """Sum of `of` over `over`; its series is that of the first of `of`."""

    of: tuple[str, ...]
    over: str
    interval: Interval
    unit: str | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        return (*self.of, self.over)

    @property
    def lead(self) -> str:
        return self.of[0]

    @property
    def shown_unit(self) -> str:
        return self.unit or "1"


class Index(msgspec.Struct, frozen=True, tag="index"):
    """Air quality index of the pollutants `of`; its series is that of the first of them."""

    table: str
    interval: Interval
    of: tuple[str, ...]
    units: tuple[str, ...]
    """What each of `of` is reported in."""

    @property
    def parts(self) -> tuple[str, ...]:
        return self.of

    @property
    def lead(self) -> str:
        return self.of[0]

    @property
    def shown_unit(self) -> str:
        return "1"


class Limited(msgspec.Struct, frozen=True, tag="limited"):
    """An indicator in percent of the limit that another one of the same slot decides."""

    indicator: str
    interval: Interval
    by: str
    limits: tuple[tuple[Comparison, float], ...]
    """(test of `by`, limit in `unit`); the first whose test holds."""
    own: str
    """What the indicator is reported in."""
    unit: str

    @property
    def parts(self) -> tuple[str, ...]:
        return (self.indicator, self.by)

    @property
    def lead(self) -> str:
        return self.indicator

    @property
    def shown_unit(self) -> str:
        return "%"


class Missing(msgspec.Struct, frozen=True, tag="missing"):
    """Exactly one of `due` (day slots) and `every_us` is set."""

    indicator: str
    interval: Interval
    due: time | None = None
    every_us: int | None = None
    grace_us: int = 0


class Average(msgspec.Struct, frozen=True, tag="average"):
    """Mean of a calendar window of site time; `8h` and `24h` slide by the hour."""

    indicator: str
    interval: Interval
    over: Literal["5m", "1h", "3h", "8h", "24h", "day"]
    every_us: int
    """How often a reading is expected; completeness counts slots of this length."""
    complete: float = 0.75
    grace_us: int = 0
    unit: str | None = None


class Rate(msgspec.Struct, frozen=True, tag="rate"):
    """Change per time since the known reading before; falling is negative."""

    indicator: str
    interval: Interval
    per_us: int
    per: str
    max_gap_us: int | None = None
    unit: str | None = None


class Jump(msgspec.Struct, frozen=True, tag="jump"):
    """Size of the change since the known reading before; with a memory, beside usual ones."""

    indicator: str
    interval: Interval
    max_gap_us: int | None = None
    unit: str | None = None
    memory_us: int | None = None


class Flatline(msgspec.Struct, frozen=True, tag="flatline"):
    """How long the value has stood within a tolerance of the one its stand began with."""

    indicator: str
    interval: Interval
    within: float
    shown_in: Literal["min", "h"] = "h"
    max_gap_us: int | None = None
    unit: str | None = None
    """Of `within` and `above`."""
    above: float | None = None
    """A value at or below it stands for nothing: an instrument shows it when there is nothing."""


class Count(msgspec.Struct, frozen=True, tag="count"):
    """How many of the last `within` known readings hold against `of`."""

    indicator: str
    interval: Interval
    of: Comparison
    within: int
    unit: str | None = None


class Deviation(msgspec.Struct, frozen=True, tag="deviation"):
    """Where a reading, or the mean of 1 or 3 hours, stands in the band that is usual then."""

    indicator: str
    interval: Interval
    over: Literal["reading", "1h", "3h"]
    season: Literal["none", "day", "week", "auto"]
    memory_us: int
    side: Literal["both", "high", "low"] = "both"
    unit: None = None


class Drift(msgspec.Struct, frozen=True, tag="drift"):
    """Where the mean of the last 24 hours stands in the band of all of them."""

    indicator: str
    interval: Interval
    memory_us: int
    side: Literal["both", "high", "low"] = "both"
    unit: None = None


class Across(msgspec.Struct, frozen=True, tag="across"):
    """One value of a slot over the stations of a facility that the rule applies to."""

    indicator: str
    interval: Interval
    of: Literal["sum", "mean", "max", "min", "share", "count"]
    than: Comparison | None = None
    """Of `share` and `count`: what a member holds against."""
    complete: float = 0.75
    """Up to 1: the part of the members that must be known; above 1: how many of them."""
    grace_us: int = 0
    unit: str | None = None


class Balance(msgspec.Struct, frozen=True, tag="balance"):
    """What is lost between sources of a facility, of what goes in; its series is the first in."""

    ins: tuple[str, ...]
    outs: tuple[str, ...]
    interval: Interval
    grace_us: int = 0
    unit: str | None = None

    @property
    def indicator(self) -> str:
        return self.ins[0]


class Composite(msgspec.Struct, frozen=True, tag="composite"):
    """How many of these rules are firing at the facility."""

    rules: tuple[str, ...]

    @property
    def indicator(self) -> str:
        return "rules.firing"

    @property
    def interval(self) -> Interval:
        return "realtime"


class Silent(msgspec.Struct, frozen=True, tag="silent"):
    """No reading of any series of the facility's stations, by log time."""

    every_us: int
    grace_us: int = 0
    settle_us: int = 0
    """It ends so long after the first reading: time for the other series to come back."""

    @property
    def indicator(self) -> str:
        return "facility.readings"

    @property
    def interval(self) -> Interval:
        return "realtime"


Derived = Average | Rate | Jump | Flatline | Count | Deviation | Drift | Timed
"""Conditions that keep a memory per series and judge what they make of its readings."""
Joint = Ratio | Index | Limited | TimeToClear
"""Conditions that make one value of several indicators of one station and slot."""
Group = Across | Balance | Composite | Silent | Beside
"""Conditions on several stations of a facility; their series has the facility as its station,
that of `Beside` the station that stands beside the others."""
Condition = Threshold | Range | Joint | Missing | Derived | Group


class Applies(msgspec.Struct, frozen=True):
    """All that is given must match; `territory` includes those below."""

    kind: str | None = None
    territory: str | None = None
    facility: str | None = None
    point: str | None = None
    attributes: dict[str, str] = {}
    within: tuple[str, ...] = ()
    """Of a campaign: it applies in these territories only, each with those below it."""


class Basis(msgspec.Struct, frozen=True):
    """Why the rule may speak: standard, edition, clause; valid from inclusive, to exclusive."""

    standard: str
    edition: str
    clause: str
    valid_from_us: Instant
    valid_to_us: Instant | None = None
    status: str = "product default"


class Pause(msgspec.Struct, frozen=True):
    """From inclusive, to exclusive, a campaign's edition judges in these territories instead."""

    campaign: str
    from_us: Instant
    to_us: Instant
    within: tuple[str, ...]


class ReportTo(msgspec.Struct, frozen=True):
    """Who is told that it has ended, and how."""

    notify: tuple[Target, ...]
    by: tuple[str, ...]


class Campaign(msgspec.Struct, frozen=True):
    """A dated regime. Its rules and policies stand with the others and name it."""

    id: str
    title_zh: str
    title_en: str
    from_us: Instant
    to_us: Instant
    territories: tuple[str, ...]
    rules: tuple[str, ...] = ()
    """The rules that it judges otherwise."""
    policies: tuple[str, ...] = ()
    report_to: ReportTo | None = None


class Rule(msgspec.Struct, frozen=True):
    id: str
    title_zh: str
    title_en: str
    action_zh: str | None
    action_en: str | None
    applies: Applies
    condition: Condition
    levels: tuple[Level, ...]
    """Ascending by severity, whatever the order in the file."""
    for_us: int
    keep_firing_for_us: int
    unknown: Literal["hold", "alert"]
    basis: Basis
    pack: str | None = None
    campaign: str | None = None
    """Of a rule that a campaign made: which one."""
    base: str | None = None
    """Of a rule that a campaign made: the rule it stands for."""
    pauses: tuple[Pause, ...] = ()
    """Campaigns that judge instead of this rule, in order of time."""

    @property
    def judges_from_us(self) -> Instant | None:
        """Of a rule that a campaign made: the first instant of it."""
        return self.basis.valid_from_us if self.campaign else None
