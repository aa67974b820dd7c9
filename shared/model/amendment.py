"""Amendments: what a late, corrected or withdrawn reading changed in the history of episodes."""

import hashlib
from typing import Literal

import msgspec

from shared.model.instants import Instant, Interval
from shared.model.severity import Severity

AMENDMENT_FORMAT = 1
Kind = Literal["appeared", "vanished", "changed"]
Why = Literal["late", "corrected", "withdrawn"]


class Span(msgspec.Struct, frozen=True):
    """One episode that fired: from when to when, and the worst it reached."""

    start_us: Instant
    fired_us: Instant
    end_us: Instant | None
    severity: Severity
    value: float | None
    limit: str | None
    unit: str | None


class Cause(msgspec.Struct, frozen=True, omit_defaults=True):
    """The reading that changed it; `value` None when it was withdrawn."""

    why: Why
    indicator: str
    observed_us: Instant
    value: float | None
    flag: str
    report_id: str
    received_us: Instant
    facility: str = ""
    station: str = ""
    """Where it was read, if that is not the station of the alert. Absent (not encoded) otherwise:
    ids of before must stay as they were."""


class Amendment(msgspec.Struct, frozen=True):
    """One episode of one alert, before and after. The id names what changed it and what changed."""

    format: int
    id: str
    kind: Kind
    rule: str
    facility: str
    station: str
    indicator: str
    interval: Interval
    before: Span | None
    after: Span | None
    cause: Cause
    at_us: Instant
    """Log time at which it was seen."""
    position: int
    """Where in the log that was."""

    @property
    def alert(self) -> tuple[str, str, str, str, str]:
        return (self.rule, self.facility, self.station, self.indicator, self.interval)


def amendment_id(
    alert: tuple[str, ...], before: Span | None, after: Span | None, cause: Cause, at_us: int
) -> str:
    """A hash of the alert, the change, the reading and log time: 32 hex digits, on any log."""
    said = msgspec.msgpack.encode((alert, before, after, cause, at_us))
    return hashlib.sha256(said).hexdigest()[:32]


_DECODER = msgspec.json.Decoder(Amendment)


def encode_amendment(amendment: Amendment) -> bytes:
    """As it stands on `yujing.amendments.v1`: one JSON object, instants in microseconds."""
    return msgspec.json.encode(amendment)


def decode_amendment(value: bytes) -> Amendment:
    """The exact inverse of `encode_amendment`.

    Raises:
        ValueError: not such an object (msgspec.ValidationError is one), or of a newer format.

    """
    found = _DECODER.decode(value)
    if found.format > AMENDMENT_FORMAT:
        raise ValueError(
            f"amendment has format {found.format}, this program knows {AMENDMENT_FORMAT}"
        )
    return found
