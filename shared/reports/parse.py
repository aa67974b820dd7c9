"""A decoded JSON object becomes a Candidate, or a Rejection that points at what is wrong."""

import math
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo

from shared.model.instants import INTERVALS, parse_instant
from shared.model.report import WITHDRAWN
from shared.reports.candidate import Candidate, CandidateReading, Reason, Rejection

FIELDS = frozenset(
    {"id", "facility", "station", "observed_at", "interval", "readings", "revision", "withdrawn"}
)
READING_FIELDS = frozenset({"indicator", "value", "unit", "flag", "withdrawn"})
LONGEST_ID = 128
LONGEST_FLAG = 8
LAST_REVISION = 1_000_000_000
MOST_READINGS = 1_000
"""Of one report; a station has a few dozen indicators."""


class _Bad(Exception):
    def __init__(self, reason: Reason, pointer: str, detail: str) -> None:
        self.rejection = Rejection(reason, TITLES[reason], detail, pointer)


TITLES: dict[Reason, str] = {
    "not-yours": "This facility is not yours to report",
    "unknown-facility": "Unknown facility",
    "unknown-station": "Unknown station",
    "unknown-indicator": "Unknown indicator",
    "unknown-unit": "Unknown unit",
    "bad-json": "Not JSON",
    "bad-field": "A field is wrong",
    "bad-time": "Not a time",
    "bad-number": "Not a number",
    "in-the-future": "The window starts in the future",
    "too-large": "Too large",
    "too-many": "Too many",
    "unauthorized": "A token is needed",
    "forbidden": "This token may not do that",
    "not-found": "Not found",
    "resolved": "It has recovered already",
    "log-away": "The log cannot be written now",
    "slow-down": "Too much at once",
    "crc": "Wrong CRC",
    "modbus-crc": "CRC-16/MODBUS instead of the CRC of HJ 212",
    "password": "Wrong password",
    "unknown-code": "Unknown code",
    "bad-frame": "Not a frame of HJ 212",
}


def rejection(reason: Reason, detail: str, pointer: str = "") -> Rejection:
    return Rejection(reason, TITLES[reason], detail, pointer)


def parse_report(item: object, zone: ZoneInfo) -> Candidate | Rejection:
    """Read one report; times without an offset are in `zone`. Nothing is looked up."""
    try:
        return _report(item, zone)
    except _Bad as bad:
        return bad.rejection


def _report(item: object, zone: ZoneInfo) -> Candidate:
    fields = _object(item, FIELDS, "")
    facility = _text(fields, "facility", "", required=True)
    station = _text(fields, "station", "")
    given_id = _text(fields, "id", "")
    interval = fields.get("interval")
    if interval not in INTERVALS:
        raise _Bad(
            "bad-field",
            "/interval",
            f"interval is {_shown(interval)}; give one of realtime, minute, hour, day",
        )
    observed = fields.get("observed_at")
    if not isinstance(observed, str):
        raise _Bad(
            "bad-time",
            "/observed_at",
            f"observed_at is {_shown(observed)}; give an RFC 3339 time "
            "such as 2020-02-24T08:00:00+08:00",
        )
    try:
        observed_us = parse_instant(observed, zone)
    except ValueError as error:
        raise _Bad("bad-time", "/observed_at", f"observed_at: {error}") from error
    assert facility is not None
    return Candidate(
        facility=facility,
        station=station,
        interval=interval,
        observed_us=observed_us,
        readings=_readings(fields.get("readings"), _yes(fields, "withdrawn", "")),
        id=given_id or "",
        revision=_revision(fields),
    )


def _revision(fields: dict[str, Any]) -> int | None:
    value = fields.get("revision")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LAST_REVISION:
        raise _Bad(
            "bad-field",
            "/revision",
            f"revision is {_shown(value)}; give a whole number from 0 to {LAST_REVISION}, "
            "higher for what is said later of the same window",
        )
    return value


def _yes(fields: dict[str, Any], name: str, pointer: str) -> bool:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise _Bad(
            "bad-field",
            f"{pointer}/{name}",
            f"{name} is {_shown(value)}; give true or leave it out",
        )
    return bool(value)


def _readings(items: object, withdrawn: bool) -> tuple[CandidateReading, ...]:
    if not isinstance(items, list) or not items:
        raise _Bad(
            "bad-field",
            "/readings",
            f"readings is {_shown(items)}; give a list of at least one "
            'reading such as {"indicator": "mw.disposed_t", "value": 41.2}',
        )
    if len(items) > MOST_READINGS:
        raise _Bad(
            "too-many", "/readings", f"{len(items)} readings in one report; at most {MOST_READINGS}"
        )
    readings = tuple(
        _reading(item, f"/readings/{index}", withdrawn) for index, item in enumerate(items)
    )
    seen: set[str] = set()
    for index, reading in enumerate(readings):
        if reading.indicator in seen:
            raise _Bad(
                "bad-field",
                f"/readings/{index}/indicator",
                f"{reading.indicator!r} stands twice in this report; send each indicator once",
            )
        seen.add(reading.indicator)
    return readings


def _reading(item: object, pointer: str, withdrawn: bool) -> CandidateReading:
    fields = _object(item, READING_FIELDS, pointer)
    indicator = _text(fields, "indicator", pointer, required=True)
    unit = _text(fields, "unit", pointer)
    flag = _text(fields, "flag", pointer)
    if flag is not None and len(flag) > LONGEST_FLAG:
        raise _Bad("bad-field", f"{pointer}/flag", f"flag is longer than {LONGEST_FLAG} characters")
    value = fields.get("value")
    assert indicator is not None
    if (_yes(fields, "withdrawn", pointer) or withdrawn) and (value is None or _is_number(value)):
        return CandidateReading(indicator, 0.0, unit, WITHDRAWN)
    if not _is_number(value):
        raise _Bad("bad-number", f"{pointer}/value", f"value is {_shown(value)}; give a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _Bad("bad-number", f"{pointer}/value", "value is not a finite number")
    return CandidateReading(indicator, number, unit, flag or "N")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _object(item: object, allowed: frozenset[str], pointer: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise _Bad("bad-field", pointer, f"this is {_shown(item)}; give a JSON object")
    for key in item:
        if key not in allowed:
            raise _Bad(
                "bad-field",
                f"{pointer}/{_escaped(str(key))}",
                f"unknown field {str(key)[:64]!r}; known are {', '.join(sorted(allowed))}",
            )
    return item


def _text(fields: dict[str, Any], name: str, pointer: str, *, required: bool = False) -> str | None:
    value = fields.get(name)
    if value is None and not required:
        return None
    if not isinstance(value, str) or not value:
        raise _Bad(
            "bad-field", f"{pointer}/{name}", f"{name} is {_shown(value)}; give a non-empty string"
        )
    if len(value) > LONGEST_ID:
        raise _Bad("bad-field", f"{pointer}/{name}", f"{name} is longer than {LONGEST_ID}")
    return value


def _escaped(key: str) -> str:
    """RFC 6901 §3."""
    return key[:64].replace("~", "~0").replace("/", "~1")


def _shown(value: object) -> str:
    """What was seen, short enough to read; of what is nested only the kind."""
    if value is None:
        return "absent or null"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
