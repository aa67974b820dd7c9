"""Readings: what an upload says, as a candidate report with the words of this house.

2011 is `realtime` and carries -Rtd; 2051 `minute`, 2061 `hour` and 2031 `day` carry -Avg (tables
of HJ 212-2017 C.16 to C.18; day records of water carry it too). Values converted to reference
oxygen (-Zs…), amounts (-Cou) and extremes are other quantities and are not taken for it; where
-Avg is absent nothing stands in for it, for a -Rtd in an hour record is no mean.

DataTime is the start of the window (HJ 212-2017 table 4), or its end where the station's
`window_label` says so; it is local time and carries no zone.
"""

import math
import re
from collections.abc import Container
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from services.ingest.hj212.codes_2005 import CODES_2005
from services.ingest.hj212.packet import Packet
from shared.model.facility import Station
from shared.model.instants import Instant, Interval, from_datetime, window_start
from shared.reports.candidate import Candidate, CandidateReading, Rejection

UPLOADS: dict[str, tuple[Interval, str]] = {
    "2011": ("realtime", "Rtd"),
    "2051": ("minute", "Avg"),
    "2061": ("hour", "Avg"),
    "2031": ("day", "Avg"),
}

LONGEST_QN = 40
"""Characters kept; the standard says 17."""
LONGEST_FLAG = 8

# Ambient-air stations of 2005: 0 calibration, 1 meteorological, 2 abnormal, 3 normal.
_AIR_FLAGS = {"0": "C", "1": "N", "2": "D", "3": "N"}
_AMBIENT_AIR = "22"
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\Z", re.ASCII)
_TIME = re.compile(r"\d{14}(?:\d{3})?\Z", re.ASCII)


class Yield(msgspec.Struct, frozen=True):
    """What one upload gave: something to submit, and what had to be left out."""

    item: Candidate | Rejection | None
    """None when the upload carries nothing at all."""
    unknown_codes: tuple[str, ...] = ()
    bad_numbers: tuple[str, ...] = ()


def read_upload(
    packet: Packet,
    station: Station,
    catalogue: Container[str],
    zone: ZoneInfo,
    own_flags: Container[str] = (),
) -> Yield:
    """The readings of an upload whose CN is one of `UPLOADS`.

    A part of a split record is a report of its own: a reading is known by series and window, not
    by the frame that brought it, so parts need no reassembly, and each can be acknowledged as
    soon as what it carries is durable. `catalogue` holds the known indicators, `own_flags` the
    flags that the station's own dictionary explains later: they stay as they were sent.
    """
    if not packet.groups:
        return Yield(None)
    interval, field = UPLOADS[packet.get("CN")]
    fields = [(key, value) for group in packet.groups for key, value in group]
    taken: dict[str, CandidateReading] = {}
    unknown: list[str] = []
    bad: list[str] = []
    flags, record_flag, label = _flags(fields)
    for key, text in fields:
        code, dash, what = key.partition("-")
        if not dash or what != field:
            continue
        meaning = _meaning(code, station, catalogue)
        if meaning is None:
            unknown.append(code)
            continue
        value = _number(text)
        if value is None:
            bad.append(code)
            continue
        indicator, unit = meaning
        flag = flags.get(code) or record_flag
        if flag not in own_flags:
            flag = _flag(flag, packet.get("ST"))
        taken[indicator] = CandidateReading(indicator, value, unit, flag)
    observed = _observed(label, interval, station, zone)
    left_out = (tuple(unknown), tuple(bad))
    if observed is None:
        return Yield(_bad_time(label), *left_out)
    if not taken:
        return Yield(_nothing_left(packet, field, *left_out), *left_out)
    candidate = Candidate(
        facility=station.facility,
        station=station.id,
        interval=interval,
        observed_us=observed,
        readings=tuple(taken.values()),
        id=packet.get("QN")[:LONGEST_QN],
    )
    return Yield(candidate, *left_out)


def _flags(fields: list[tuple[str, str]]) -> tuple[dict[str, str], str, str]:
    """Flags by code, the flag of the whole record, and DataTime."""
    flags: dict[str, str] = {}
    record_flag = label = ""
    for key, value in fields:
        if key.endswith("-Flag"):
            flags[key[:-5]] = value
        elif key == "DataTime":
            label = label or value
        elif key == "Flag":
            record_flag = value
    return flags, record_flag, label


def _flag(flag: str, st: str) -> str:
    """Absent is N; one letter counts in any case; what nobody knows stays and is no evidence."""
    if not flag:
        return "N"
    if st == _AMBIENT_AIR and flag in _AIR_FLAGS:
        return _AIR_FLAGS[flag]
    return flag.upper() if len(flag) == 1 else flag[:LONGEST_FLAG]


def _meaning(
    code: str, station: Station, catalogue: Container[str]
) -> tuple[str, str | None] | None:
    """(indicator, unit or None for its own): the station's word first, then the catalogue's."""
    lower = code.lower()
    for name in (code, lower, CODES_2005.get(code) or CODES_2005.get(code.upper())):
        if name is None:
            continue
        if (known := station.codes.get(name)) is not None:
            return known.indicator, known.unit
        if name in catalogue:
            return name, None
    return None


def _number(text: str) -> float | None:
    """A finite decimal number; `null`, nothing, NaN and infinity are none."""
    if _NUMBER.match(text) is None:
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def _observed(label: str, interval: Interval, station: Station, zone: ZoneInfo) -> Instant | None:
    """The start of the window that DataTime (14 digits, or 17 with milliseconds) names."""
    if _TIME.match(label) is None:
        return None
    try:
        moment = datetime(
            int(label[:4]), int(label[4:6]), int(label[6:8]),
            int(label[8:10]), int(label[10:12]), int(label[12:14]),
            int(label[14:] or 0) * 1000, zone,
        )  # fmt: skip
        instant = from_datetime(moment)
        if interval != "realtime" and station.hj212 and station.hj212.window_label == "end":
            return window_start(instant - 1, interval, zone)
    except (ValueError, OverflowError):
        return None
    return instant


def _bad_time(label: str) -> Rejection:
    return Rejection(
        "bad-time",
        "The record has no time",
        f"DataTime is {label[:40]!r}; it has 14 digits, as 20260301080000, or 17",
    )


def _nothing_left(
    packet: Packet, field: str, unknown: tuple[str, ...], bad: tuple[str, ...]
) -> Rejection:
    if bad and not unknown:
        return Rejection(
            "bad-number", "No value is a number", f"-{field} of {_named(bad)} is no number"
        )
    if unknown:
        return Rejection(
            "unknown-code",
            "No code has a meaning",
            f"{_named(unknown)} is in neither the catalogue nor the station's codes; "
            "give it a meaning under codes in facilities.yaml",
        )
    return Rejection(
        "unknown-code",
        "No reading in the record",
        f"CN={packet.get('CN')[:8]} carries its values as CODE-{field}; there is none",
    )


def _named(codes: tuple[str, ...]) -> str:
    shown = ", ".join(code[:20] for code in codes[:8])
    return shown if len(codes) <= 8 else f"{shown} and {len(codes) - 8} more"
