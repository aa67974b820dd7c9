"""A transition as it stands on `yujing.alerts.v1`: one JSON object that others can read, too.

The public object of contract §4 with its `id`, and beside it the evidence that `why` needs: the
report's id, and `us`, the exact microseconds of episode, at and the report's arrival.
"""

from zoneinfo import ZoneInfo

import msgspec

from shared.model.instants import Instant, Interval
from shared.model.rollup import Members
from shared.model.severity import Severity
from shared.model.transition import Cause, State, Transition, transition_id, transition_object

ALERT_FORMAT = 1


class _Basis(msgspec.Struct):
    standard: str
    edition: str
    clause: str


class _Alert(msgspec.Struct):
    id: str
    rule: str
    facility: str
    station: str
    indicator: str
    interval: Interval
    step: int
    state: State
    severity: Severity
    cause: Cause
    value: float | None
    limit: str | None
    unit: str | None
    basis: _Basis
    format: int
    report: str
    us: tuple[int, int, int | None]
    members: Members | None = None


_DECODER = msgspec.json.Decoder(_Alert)


def encode_alert(transition: Transition, zone: ZoneInfo) -> bytes:
    body = (
        {"format": ALERT_FORMAT, "id": transition_id(transition, zone)}
        | transition_object(transition, zone)
        | {
            "report": transition.report_id,
            "us": (transition.episode_us, transition.at_us, transition.received_us),
        }
    )
    return msgspec.json.encode(body)


def decode_alert(value: bytes) -> Transition:
    """The exact inverse of `encode_alert`.

    Raises:
        ValueError: not such an object (msgspec.ValidationError is one), or of a newer format.
    """
    found = _DECODER.decode(value)
    if found.format > ALERT_FORMAT:
        raise ValueError(f"alert has format {found.format}, this program knows {ALERT_FORMAT}")
    episode_us, at_us, received_us = found.us
    return Transition(
        rule=found.rule,
        facility=found.facility,
        station=found.station,
        indicator=found.indicator,
        interval=found.interval,
        episode_us=Instant(episode_us),
        step=found.step,
        state=found.state,
        severity=found.severity,
        cause=found.cause,
        at_us=Instant(at_us),
        value=found.value,
        limit=found.limit,
        unit=found.unit,
        standard=found.basis.standard,
        edition=found.basis.edition,
        clause=found.basis.clause,
        report_id=found.report,
        received_us=None if received_us is None else Instant(received_us),
        members=found.members,
    )
