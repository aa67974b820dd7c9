"""Ledger: what happened to an incident, each entry chained to the one before by its hash."""

import hashlib
import json
from typing import Any, Literal

import msgspec

from shared.model.instants import Instant

TimelineKind = Literal[
    "opened", "joined", "rose", "fell", "reopened", "resolved",
    "step", "catch_all", "orphan",
    "queued", "accepted", "delivered", "failed", "unknown", "repeated", "withheld",
    "acknowledged", "amended",
]  # fmt: skip
LedgerKind = (
    TimelineKind
    | Literal["handed_over", "clock_stepped", "answered", "unsilenced"]
    | Literal["silence_began", "silence_ended"]
)
TIMELINE: frozenset[str] = frozenset(TimelineKind.__args__)  # type: ignore[attr-defined]  # a Literal carries its names

GENESIS = "0" * 64


class Entry(msgspec.Struct, frozen=True):
    """One fact. `detail` holds evidence (JSON values); numbers and addresses never."""

    incident: str
    n: int
    at_us: Instant
    kind: str
    person: str | None
    channel: str | None
    reason: str | None
    notification: str | None
    detail: str
    """Canonical JSON."""
    previous: str
    hash: str


def canonical(value: Any) -> str:
    """One text per value: sorted keys, no blanks, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def entry_hash(
    previous: str,
    incident: str,
    n: int,
    at_us: int,
    kind: str,
    person: str | None,
    channel: str | None,
    reason: str | None,
    notification: str | None,
    detail: str,
) -> str:
    """SHA-256 over the previous hash and the canonical JSON of everything else."""
    facts = [incident, n, at_us, kind, person, channel, reason, notification, detail]
    return hashlib.sha256((previous + canonical(facts)).encode()).hexdigest()


def entry(
    previous: str,
    incident: str,
    n: int,
    at_us: Instant,
    kind: str,
    *,
    person: str | None = None,
    channel: str | None = None,
    reason: str | None = None,
    notification: str | None = None,
    detail: dict[str, Any] | None = None,
) -> Entry:
    """The next entry of a chain whose last hash is `previous` (GENESIS for the first)."""
    body = canonical(detail or {})
    hash_ = entry_hash(
        previous, incident, n, at_us, kind, person, channel, reason, notification, body
    )
    return Entry(
        incident, n, at_us, kind, person, channel, reason, notification, body, previous, hash_
    )


def broken(entries: list[Entry], head: str, count: int) -> str | None:
    """Where a chain breaks, in words; None when it is whole up to `head`."""
    previous = GENESIS
    for n, each in enumerate(entries, start=1):
        if each.n != n:
            return f"entry {n} is missing"
        expected = entry_hash(
            previous, each.incident, each.n, each.at_us, each.kind, each.person,
            each.channel, each.reason, each.notification, each.detail,
        )  # fmt: skip
        if each.previous != previous or each.hash != expected:
            return f"entry {n} is not what was written"
        previous = each.hash
    if len(entries) != count:
        return f"{count} entries were written, {len(entries)} are there"
    if previous != head:
        return "the last entry is not the head of the chain"
    return None
