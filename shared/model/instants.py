"""Instants, durations and calendar windows.

An `Instant` is an integer number of microseconds since 1970-01-01T00:00:00Z. Integers compare,
add and hash faster than datetimes and have no time zone to forget; datetimes appear only where
people read or write them. Fractions finer than a microsecond are cut off.
"""

import re
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time
from functools import lru_cache
from typing import Literal, NewType
from zoneinfo import ZoneInfo

Instant = NewType("Instant", int)
"""Microseconds since the Unix epoch, UTC."""

EARLIEST_US = -62_000_000_000_000_000
LATEST_US = 253_000_000_000_000_000
"""The years 5 to 9987: instants that every time zone can write."""

Interval = Literal["realtime", "minute", "hour", "day"]
INTERVALS: tuple[Interval, ...] = ("realtime", "minute", "hour", "day")
INTERVAL_US: dict[str, int] = {"minute": 60_000_000, "hour": 3_600_000_000, "day": 86_400_000_000}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.(\d+))?)?)(Z|z|[+-]\d{2}:\d{2})?\Z",
    re.ASCII,
)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)\Z", re.ASCII)
_UNIT_US = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}

_SHORT = 40
"""What is longer is not remembered."""


def from_datetime(moment: datetime) -> Instant:
    """The instant of an aware datetime."""
    return Instant((moment - _EPOCH) // _US)


def to_datetime(instant: int, zone: ZoneInfo) -> datetime:
    """The same instant on the clocks of `zone`."""
    return (_EPOCH + timedelta(microseconds=instant)).astimezone(zone)


def parse_instant(text: str, zone: ZoneInfo) -> Instant:
    """Read an RFC 3339 time; without an offset it is in `zone`.

    Seconds may be absent ("2026-02-01T08:00+08:00"), as configuration files write them.

    Raises:
        ValueError: not such a time; the message says what was seen.

    """
    return _parsed(text, zone) if len(text) <= _SHORT else _parse(text, zone)


def _parse(text: str, zone: ZoneInfo) -> Instant:
    match = _RFC3339.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not an RFC 3339 time such as 2026-02-01T08:00:00+08:00")
    day, clock, fraction, offset = match.groups()
    if fraction:
        clock = clock[: clock.index(".") + 1] + fraction[:6].ljust(6, "0")
    if offset in ("Z", "z"):
        offset = "+00:00"
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{offset or ''}")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return from_datetime(moment)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a time: {error}") from error


_parsed = lru_cache(maxsize=4096)(_parse)
"""A thousand stations report the same minute."""


@lru_cache(maxsize=8192)
def instant_text(instant: int, zone: ZoneInfo) -> str:
    """RFC 3339 in `zone` with its offset, without a fraction when it is zero."""
    moment = to_datetime(instant, zone)
    text = moment.isoformat()
    if moment.microsecond:
        head, tail = text.split(".")
        text = f"{head}.{tail[:6].rstrip('0')}{tail[6:]}"
    return text


def parse_duration(text: str) -> int:
    """`500ms 2s 5m 4h 1d` in microseconds.

    Raises:
        ValueError: not such a duration.

    """
    match = _DURATION.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration such as 500ms, 2s, 5m, 4h or 1d")
    return round(float(match[1]) * _UNIT_US[match[2]])


def local_midnight(day: date, zone: ZoneInfo) -> Instant:
    """The first instant of a calendar day in `zone`."""
    return from_datetime(datetime.combine(day, wall_time.min, zone))


def local_day(instant: int, zone: ZoneInfo) -> date:
    return to_datetime(instant, zone).date()


def local_instant(day: date, at: wall_time, zone: ZoneInfo) -> Instant:
    """A wall-clock time of a calendar day in `zone`."""
    return from_datetime(datetime.combine(day, at, zone))


def window_start(instant: int, interval: Interval, zone: ZoneInfo) -> Instant:
    """The start of the window of `interval` that holds `instant`, by the clocks of `zone`.

    `realtime` has no window: the instant itself.
    """
    if interval == "realtime":
        return Instant(instant)
    local = to_datetime(instant, zone)
    if interval == "day":
        return local_midnight(local.date(), zone)
    if interval == "hour":
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    else:
        past = timedelta(seconds=local.second, microseconds=local.microsecond)
    return Instant(instant - past // _US)


def window_end(start: int, interval: Interval, zone: ZoneInfo) -> Instant:
    """The end of the window that starts at `start`; for `realtime` the instant itself."""
    if interval == "realtime":
        return Instant(start)
    if interval == "day":
        return local_midnight(local_day(start, zone) + timedelta(days=1), zone)
    return Instant(start + INTERVAL_US[interval])
