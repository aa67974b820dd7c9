"""Transitions: what rules tell the world, and the one way they are written."""

import hashlib
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from shared.model.instants import Instant, Interval, instant_text
from shared.model.rollup import Members
from shared.model.severity import Severity

State = Literal["pending", "firing", "resolved", "withdrawn"]
Cause = Literal["raised", "rose", "fell", "cleared", "withdrawn", "missing", "reported"]


class Transition(msgspec.Struct, frozen=True):
    """One change of one episode (contract §4, §8.16).

    `report_id`, `received_us` and `decided_us` are evidence for `why` and are not part of the
    public object: where in the log the cause stands, and when ingest had received it. `members`
    is part of it for a territory only.
    """

    rule: str
    facility: str
    station: str
    indicator: str
    interval: Interval
    episode_us: Instant
    step: int
    state: State
    severity: Severity
    cause: Cause
    at_us: Instant
    value: float | None
    limit: str | None
    unit: str | None
    standard: str
    edition: str
    clause: str
    report_id: str = ""
    received_us: Instant | None = None
    decided_us: Instant | None = None
    members: Members | None = None

    @property
    def alert(self) -> tuple[str, str, str, str, str]:
        """The alert this belongs to: rule and series."""
        return (self.rule, self.facility, self.station, self.indicator, self.interval)


def transition_id(transition: Transition, zone: ZoneInfo) -> str:
    """A hash of (rule, facility, station, indicator, interval, episode, step): 32 hex digits."""
    identity = [
        *transition.alert,
        instant_text(transition.episode_us, zone),
        transition.step,
    ]
    return hashlib.sha256(msgspec.json.encode(identity)).hexdigest()[:32]


def transition_object(transition: Transition, zone: ZoneInfo) -> dict[str, Any]:
    """The public object without `id` and `seq`; keys in a fixed order, so bytes are equal."""
    shown = {
        "rule": transition.rule,
        "facility": transition.facility,
        "station": transition.station,
        "indicator": transition.indicator,
        "interval": transition.interval,
        "episode": instant_text(transition.episode_us, zone),
        "step": transition.step,
        "state": transition.state,
        "severity": transition.severity.value,
        "cause": transition.cause,
        "at": instant_text(transition.at_us, zone),
        "value": transition.value,
        "limit": transition.limit,
        "unit": transition.unit,
        "basis": {
            "standard": transition.standard,
            "edition": transition.edition,
            "clause": transition.clause,
        },
    }
    if transition.members is not None:
        shown["members"] = transition.members.as_object()
    return shown
