"""`make bench-year`: one year of minutes of 1,000 stations through `yujing backtest -`, for once in full.

    python -m tests.bench.year [DAYS]

Three readings a minute and station, 525.6 million reports in a year: 90 GB as JSONL, so they are
made as they are read, through a pipe, on the other core. Every station has a daily curve; put
in are about 5,000 exceedances of half an hour and 2,000 gaps of two hours a year, by a seed.
Prints time, reports per second, the most memory and what was found; docs/bench-year.md keeps it.
"""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from math import pi, sin
from pathlib import Path
from random import Random
from typing import IO, NamedTuple

from shared.clock import real_monotonic
from tests.bench.bench_backtest import CODES, STATIONS, site_of

BEGIN = datetime(2025, 1, 1, tzinfo=timezone(timedelta(hours=8)))
DAY = 1440
EXCEEDANCES, GAPS = 13.7, 5.48
"""A day: 5,000 and 2,000 a year."""
CURVE = 96
"""Texts of readings by quarter of an hour; each station begins elsewhere on the curve."""


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


def feed(pipe: IO[bytes], days: int, stations: list[tuple[str, str]], odd: list[Put]) -> int:
    """Everything into the pipe; how many reports that were."""
    count = 0
    for minute, lines in enumerate(minutes(days, stations, odd)):
        pipe.write(b"".join(lines))
        count += len(lines) - lines.count(b"")
        if minute % (10 * DAY) == 0:
            print(f"day {minute // DAY}", file=sys.stderr, flush=True)
    pipe.close()
    return count


def main(days: int) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site, stations = site_of()
        site.write(folder / "config")
        odd, out = put(days), folder / "transitions.jsonl"
        command = [sys.executable, "-m", "services", "backtest", "-", "--config", str(folder / "config"), "--out", str(out)]  # fmt: skip
        began = real_monotonic()
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, env={**os.environ, **site.environment}
        )
        assert child.stdin is not None
        reports = feed(child.stdin, days, stations, odd)
        status = child.wait()
        took = real_monotonic() - began
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = out.read_text("utf-8").splitlines() if status == 0 else []
    firing = sum('"state":"firing"' in each for each in said)
    print(
        f"{datetime.now(UTC):%Y-%m-%d}: {days} days of {STATIONS:,} stations, {reports:,} reports"
    )
    print(f"wall {took / 60:.1f} min; backtest's processor {used.ru_utime + used.ru_stime:,.0f} s")
    print(f"{reports / (used.ru_utime + used.ru_stime):,.0f} reports/s of one core")
    print(f"most memory {used.ru_maxrss / 1024:.0f} MiB")
    kinds = {kind: sum(each.kind == kind for each in odd) for kind in ("high", "gap")}
    print(f"put in {kinds}; {len(said):,} transitions, {firing:,} firing")
    return status


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 365))
