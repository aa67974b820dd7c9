"""What listeners hand to ingest, and what ingest answers.

A listener (HTTP, HJ 212, later sheets and Kafka) turns bytes into `Candidate`s, or into a
`Rejection` where it cannot; the judge turns a candidate into a `Report` or a `Rejection`;
the log makes it count.
"""

from typing import Literal

import msgspec

from shared.model.instants import Instant, Interval

Reason = Literal[
    "not-yours",
    "unknown-facility",
    "unknown-station",
    "unknown-indicator",
    "unknown-unit",
    "bad-json",
    "bad-field",
    "bad-time",
    "bad-number",
    "in-the-future",
    "too-large",
    "too-many",
    "unauthorized",
    "forbidden",
    "not-found",
    "resolved",
    "log-away",
    "slow-down",
    "crc",
    "modbus-crc",
    "password",
    "unknown-code",
    "bad-frame",
]
"""Why something was refused: the name of the problem page and the label in metrics.

The last five, from `crc` on, exist on HJ 212 only."""


class CandidateReading(msgspec.Struct, frozen=True):
    """`unit` None means the indicator's own. What is withdrawn has that flag and the value 0."""

    indicator: str
    value: float
    unit: str | None = None
    flag: str = "N"


class Candidate(msgspec.Struct, frozen=True):
    """A report as somebody sent it: well-formed, not yet judged against the configuration."""

    facility: str
    station: str | None
    interval: Interval
    observed_us: Instant
    readings: tuple[CandidateReading, ...]
    id: str = ""
    revision: int | None = None


class Rejection(msgspec.Struct, frozen=True):
    """Refused whole: what, which one, what was seen, what to do. `pointer` is RFC 6901."""

    reason: Reason
    title: str
    detail: str
    pointer: str = ""


class Accepted(msgspec.Struct, frozen=True):
    """The log has it durably."""


class Duplicate(msgspec.Struct, frozen=True):
    """Every reading of it was known already; nothing was written."""


Verdict = Accepted | Duplicate | Rejection


Listener = Literal["http", "hj212", "kafka", "sheet"]


class Source(msgspec.Struct, frozen=True):
    """Where a submission came from. `principal` is an access id or an MN, never a secret."""

    listener: Listener
    principal: str
    facilities: tuple[str, ...] | None = None
    """Patterns this source may report for; None: any."""
