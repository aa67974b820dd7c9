"""`make bench-year`: one year of minutes of 1,000 stations through `yujing backtest -`, for once in full.

    python -m tests.bench.year [DAYS]

Three readings a minute and station, 525.6 million reports in a year: 90 GB as JSONL, so they are
made (tests.bench.made_minutes) as they are read, through a pipe, on the other core.
Prints time, reports per second, the most memory and what was found; docs/bench-year.md keeps it.
Fails when a transition is missing or one is too many: what must be said is known beforehand.
"""

import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from shared.clock import real_monotonic
from tests.bench.made_minutes import DAY, STATIONS, Put, Said, expected, minutes, put, site_of


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


def said_in(file: Path) -> list[Said]:
    with file.open("rb") as lines:
        found = map(msgspec.json.decode, lines)
        return [(each["facility"], each["rule"], each["state"], each["at"]) for each in found]


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
        said = said_in(out) if status == 0 else []
    due = expected(odd, stations)
    missing, more = len(due - set(said)), len(said) - len(due & set(said))
    print(
        f"{datetime.now(UTC):%Y-%m-%d}: {days} days of {STATIONS:,} stations, {reports:,} reports"
    )
    print(f"wall {took / 60:.1f} min; backtest's processor {used.ru_utime + used.ru_stime:,.0f} s")
    print(f"{reports / (used.ru_utime + used.ru_stime):,.0f} reports/s of one core")
    print(f"most memory {used.ru_maxrss / 1024:.0f} MiB")
    kinds = {kind: sum(each.kind == kind for each in odd) for kind in ("high", "gap")}
    print(f"put in {kinds}; {len(said):,} transitions, {missing} missing, {more} too many")
    return status or int(missing + more > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 365))
