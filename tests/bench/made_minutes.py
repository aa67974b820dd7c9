"""Made minutes: what 1,000 stations say, three readings a minute each, as lines of JSON.

Every station has a daily curve; put in are about 5,000 exceedances of half an hour and 2,000
gaps of two hours a year, by a seed. The same days always begin with the same lines.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from math import pi, sin
from random import Random
from typing import NamedTuple

from shared.testing.configs import Site, duty_site

STATIONS = 1_000
CODES = ("w01018", "w21003", "w01001")
BEGIN = datetime(2025, 1, 1, tzinfo=timezone(timedelta(hours=8)))
DAY = 1440
EXCEEDANCES, GAPS = 13.7, 5.48
"""A day: 5,000 and 2,000 a year."""
CURVE = 96
"""Texts of readings by quarter of an hour; each station begins elsewhere on the curve."""


Said = tuple[str, str, str, str]
"""Facility, rule, state, at."""


class Put(NamedTuple):
    """What was put in: from minute `begin` until before `end`."""

    begin: int
    end: int
    station: int
    kind: str


def readings(base: float) -> bytes:
    parts = [
        f'{{"indicator":"{code}","value":{base + 0.37 * k:.2f}}}' for k, code in enumerate(CODES)
    ]
    return ('","interval":"minute","readings":[' + ",".join(parts) + "]}\n").encode()


QUIET = [readings(3 + 1.5 * sin(2 * pi * n / CURVE)) for n in range(CURVE)]
HIGH = readings(1e6)


def put(days: int) -> list[Put]:
    """By begin. No two at one station within six hours."""
    random, found, taken = Random(2025), [], set()
    for kind, a_day, minutes in (("high", EXCEEDANCES, 30), ("gap", GAPS, 120)):
        while sum(each.kind == kind for each in found) < round(a_day * days):
            begin, station = random.randrange(360, days * DAY - 480), random.randrange(STATIONS)
            near = {(begin // 360 + n, station) for n in (-1, 0, 1)}
            if taken.isdisjoint(near):
                taken |= near
                found.append(Put(begin, begin + minutes, station, kind))
    return sorted(found)


def minutes(days: int, stations: list[tuple[str, str]], odd: list[Put]) -> Iterator[list[bytes]]:
    """The lines of each minute, station by station."""
    heads = [
        f'{{"facility":"{facility}","station":"{station}","observed_at":"'.encode()
        for facility, station in stations
    ]
    coming, active = odd[::-1], []
    for minute in range(days * DAY):
        at = (BEGIN + timedelta(minutes=minute)).isoformat().encode()
        curve = minute // 15 % CURVE
        turned = QUIET[curve:] + QUIET[:curve]
        tails = turned * (STATIONS // CURVE + 1)
        while coming and coming[-1].begin <= minute:
            active.append(coming.pop())
        active = [each for each in active if minute < each.end]
        lines = [head + at + tail for head, tail in zip(heads, tails, strict=False)]
        for each in active:
            lines[each.station] = heads[each.station] + at + HIGH if each.kind == "high" else b""
        yield lines


def expected(odd: list[Put], stations: list[tuple[str, str]]) -> set[Said]:
    """What has to be said of what was put in, worked out from the minutes alone.

    A value counts at the begin of its minute, silence from the end of the last one heard on.
    """
    found: set[Said] = set()
    for each in odd:
        facility, _ = stations[each.station]
        rules, late, end = [f"limit-{code}" for code in CODES], 0, each.end
        if each.kind == "gap":
            rules, late, end = ["silent"], 11, each.end + 1
        for rule in rules:
            found.add((facility, rule, "firing", _text(each.begin + late)))
            found.add((facility, rule, "resolved", _text(end)))
    return found


def _text(minute: int) -> str:
    return (BEGIN + timedelta(minutes=minute)).isoformat()


def site_of() -> tuple[Site, list[tuple[str, str]]]:
    """1,000 stations with a limit on each of three indicators, and ten minutes of silence allowed."""
    sms = "http://127.0.0.1:13013/cgi-bin/sendsms"
    site = duty_site(Random(7), http_port=8620, hj212_port=8621, sms_url=sms, facilities=STATIONS)
    site.documents["rules"]["rules"] = []
    for code in CODES:
        condition = {"threshold": {"indicator": code, "interval": "minute"}}
        site.add_threshold(id=f"limit-{code}", condition=condition)
    silence = {
        "missing": {"indicator": CODES[0], "interval": "minute", "every": "1m", "grace": "10m"}
    }
    site.add_silence("1m", "10m", id="silent", condition=silence)
    return site, [(facility.id, facility.station) for facility in site.facilities]
