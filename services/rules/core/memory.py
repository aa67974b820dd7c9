"""Memory: what a derived condition keeps per series; saved with the hold it belongs to.

Every kind is bounded: the most it can hold stands beside it.
"""

from decimal import Decimal

import msgspec

NEVER = -(1 << 62)


class Bucket(msgspec.Struct, array_like=True):
    """The readings of one step of a calendar window that counted: an exact sum, no list."""

    start_us: int
    end_us: int
    total: Decimal = Decimal(0)
    count: int = 0
    slots: int = 0
    """Slots of the expected spacing with at least one of them."""
    last_slot: int = -1
    over: bool = False
    """One of them was over range: the mean is a lower bound."""


class Common(msgspec.Struct, array_like=True):
    """`unknown`: the newest derived reading is, or there is none yet. `alarm_us`: when a tick
    must look at it; may be early, never late.
    """

    unknown: bool = True
    alarm_us: int | None = None


class AverageMemory(Common, array_like=True, tag="average"):
    """At most 24 buckets (8 for `8h`, 1 for `5m`, `1h` and `day`)."""

    buckets: list[Bucket] = []
    closed_us: int = NEVER
    """End of the newest window that was judged."""


class Band(msgspec.Struct, array_like=True):
    """What is usual: the highest and the lowest so far, drawn together by time."""

    count: int = 0
    first_us: int = 0
    newest_us: int = 0
    high: float = 0.0
    low: float = 0.0


class ChangeMemory(Common, array_like=True, tag="change"):
    """The newest known reading."""

    at_us: int | None = None
    value: float = 0.0
    band: Band | None = None


class FlatMemory(Common, array_like=True, tag="flat"):
    """Where the stand began, and the newest known reading of it."""

    begin_us: int | None = None
    value: float = 0.0
    newest_us: int = 0


class CountMemory(Common, array_like=True, tag="count"):
    """A bit for each of the last readings, the newest lowest; at most 60."""

    bits: int = 0
    seen: int = 0


class DeviationMemory(Common, array_like=True, tag="deviation"):
    """A band, and the means of the same hours of 21 days: at most 504 (168 for `3h`)."""

    band: Band = msgspec.field(default_factory=Band)
    average: AverageMemory | None = None
    hours: list[int] = []
    means: list[float] = []


class TrendMemory(Common, array_like=True, tag="trend"):
    """The newest known reading of each 32nd of the window: at most 33."""

    times: list[int] = []
    values: list[float] = []
    early: float | None = None
    """The band of the newest derived reading; nothing is derived from it."""
    late: float | None = None


class FlagMemory(Common, array_like=True, tag="flagged"):
    """Where the clock began."""

    begin_us: int | None = None


class RunMemory(Common, array_like=True, tag="ran"):
    """How long the plant ran since the clock began; the newest reading of the clock."""

    begin_us: int | None = None
    last_us: int = 0
    ran_us: int = 0
    partial: bool = False
    """For some of the time nobody knows whether it ran."""


class Slot(msgspec.Struct, array_like=True):
    """What the members of a group said of one slot: (value, flag) by source."""

    start_us: int
    heard_us: int | None
    """Log time of the first of them; None: before the first tick."""
    values: dict[str, tuple[float, str]] = {}


class CompositeMemory(Common, array_like=True, tag="composite"):
    """The alerts of its rules that are firing: (rule, station, indicator, interval), in order."""

    firing: list[tuple[str, str, str, str]] = []
    at_us: int = NEVER
    """When it was last judged: its judgements never go back in time."""


class SlotsMemory(Common, array_like=True, tag="slots"):
    """At most 256 slots that wait, each with a value per source; the newest slot per source."""

    waiting: list[Slot] = []
    newest: dict[str, int] = {}
    closed_us: int = NEVER
    """The newest slot that was judged."""
    last: Slot | None = None
    members: tuple[str, ...] = ()
    """Whom it was judged of."""
    behind: str = ""
    """One that was found not to have shown the first slot that waits: asked first next time."""
    alarm_slot: int = NEVER
    """The slot that `alarm_us` is of."""


class BesideMemory(SlotsMemory, array_like=True, tag="beside"):
    """Slots that wait as above; share: at most 240 slots and 60 days; difference: a band."""

    slots: list[int] = []
    shares: list[float] = []
    """Of the slots that are judged together, in order."""
    days: list[int] = []
    day_means: list[float] = []
    """Days (ordinals of site time) with half of their slots, in order; today is not among them."""
    day: int = 0
    day_total: float = 0.0
    day_count: int = 0
    band: Band = msgspec.field(default_factory=Band)
    value: float | None = None
    """What the newest slot was judged as; None: unknown, or nothing was usual yet."""


class PlanMemory(Common, array_like=True, tag="plan"):
    """Readings that counted in each period not yet judged: at most 64."""

    begin_us: int | None = None
    """Where watching began."""
    next_us: int | None = None
    """Start of the next period to be judged."""
    last_us: int | None = None
    """The newest reading that counted."""
    starts: list[int] = []
    counts: list[int] = []


class HabitMemory(Common, array_like=True, tag="habit"):
    """A byte for each of the last readings or slots, the newest last; at most 240."""

    digits: bytes = b""
    last_slot: int | None = None


class EditsMemory(Common, array_like=True, tag="edits"):
    """The last readings as they were said last, the newest last; at most 240, some 100 bytes each."""

    times: list[int] = []
    values: list[float] = []
    flags: list[str] = []
    revisions: list[int] = []
    edited: bytes = b""
    """A byte for each: 1 when it was changed after it had been judged."""


Memory = (
    AverageMemory
    | ChangeMemory
    | FlatMemory
    | CountMemory
    | DeviationMemory
    | TrendMemory
    | FlagMemory
    | RunMemory
    | SlotsMemory
    | BesideMemory
    | CompositeMemory
    | PlanMemory
    | HabitMemory
    | EditsMemory
)
