"""Plain: JSON of ordinary reports decoded at once; what is not ordinary is left to `parse_report`.

Ordinary is what has every field of the right kind, and neither revision nor withdrawal: nearly
everything that is ever sent. `None` means "not ordinary", and `parse_report` has the words for it
when something is wrong. For what is ordinary both give equal candidates.
"""

from zoneinfo import ZoneInfo

import msgspec

from shared.model.instants import Interval, parse_instant
from shared.reports.candidate import Candidate, CandidateReading
from shared.reports.parse import LONGEST_FLAG, LONGEST_ID, MOST_READINGS


class PlainReading(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    indicator: str
    value: float
    unit: str | None = None
    flag: str | None = None


class PlainReport(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    facility: str
    observed_at: str
    interval: Interval
    readings: tuple[PlainReading, ...]
    station: str | None = None
    id: str | None = None


BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_LIST = msgspec.json.Decoder(list[PlainReport])
_ONE = msgspec.json.Decoder(PlainReport)


def plain_report(text: bytes, zone: ZoneInfo) -> Candidate | None:
    try:
        return _candidate(_ONE.decode(text), zone)
    except BROKEN:
        return None


def plain_reports(text: bytes, zone: ZoneInfo) -> list[Candidate] | None:
    """Of a JSON list; None when one of them is not ordinary."""
    try:
        items = _LIST.decode(text)
    except BROKEN:
        return None
    found = []
    for item in items:
        candidate = _candidate(item, zone)
        if candidate is None:
            return None
        found.append(candidate)
    return found


def _candidate(item: PlainReport, zone: ZoneInfo) -> Candidate | None:
    readings = []
    for each in item.readings:
        code, unit, flag = each.indicator, each.unit, each.flag
        if (
            not 0 < len(code) <= LONGEST_ID
            or (unit is not None and not 0 < len(unit) <= LONGEST_ID)
            or (flag is not None and not 0 < len(flag) <= LONGEST_FLAG)
        ):
            return None
        readings.append(CandidateReading(code, each.value, unit, flag or "N"))
    count = len(readings)
    if not 0 < count <= MOST_READINGS:
        return None
    if count > 1 and len({each.indicator for each in readings}) < count:
        return None
    for text in (item.facility, item.station, item.id):
        if text is not None and not 0 < len(text) <= LONGEST_ID:
            return None
    try:
        observed_us = parse_instant(item.observed_at, zone)
    except ValueError:
        return None
    return Candidate(
        item.facility, item.station, item.interval, observed_us, tuple(readings), item.id or ""
    )
