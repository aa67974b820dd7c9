"""`yujing replay FILE --to URL`: posts recorded reports to a running ingest, with a progress bar."""

import sys
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import msgspec
from rich.progress import Progress

from shared.clock import SystemClock
from shared.model.instants import parse_instant

BATCH = 200
TRIES = 60


def run(file: Path, url: str, token: str, speed: float | None) -> int:
    """Post every line of a JSONL file in order; 1 when something could not be delivered.

    Args:
        speed: recorded time passes this many times faster; None: as fast as ingest takes it.

    """
    if not file.is_file():
        print(f"replay: {file}: no such file", file=sys.stderr)
        return 1
    lines = [line for line in file.read_bytes().splitlines() if line.strip()]
    lines = [line for line in lines if b'"tick"' not in line]
    totals = {"accepted": 0, "duplicates": 0, "rejected": 0}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    with (
        httpx.Client(base_url=url, headers=headers, timeout=60) as http,
        Progress(disable=not sys.stderr.isatty()) as progress,
    ):
        bar = progress.add_task(file.name, total=len(lines))
        for batch in _batches(lines, speed):
            error = _post(http, batch, totals)
            if error:
                print(f"replay: {error}", file=sys.stderr)
                return 1
            progress.advance(bar, len(batch))
    print(" ".join(f"{name} {count}" for name, count in totals.items()))
    return 1 if totals["rejected"] else 0


def _batches(lines: list[bytes], speed: float | None) -> Iterator[list[bytes]]:
    """Batches in order; with a speed, no earlier than their recorded time allows."""
    if speed is None:
        for start in range(0, len(lines), BATCH):
            yield lines[start : start + BATCH]
        return
    import threading

    clock, never = SystemClock(), threading.Event()
    began, first = clock.steady_us(), None
    for line in lines:
        at = _observed(line)
        if at is not None:
            first = at if first is None else first
            wait = (at - first) / speed - (clock.steady_us() - began)
            if wait > 0:
                clock.wait(never, int(wait))
        yield [line]


def _observed(line: bytes) -> int | None:
    try:
        return parse_instant(msgspec.json.decode(line)["observed_at"], ZoneInfo("UTC"))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return None


def _post(http: httpx.Client, batch: list[bytes], totals: dict[str, int]) -> str | None:
    """Post until it was taken; what was refused for good is shown and counted."""
    import threading

    for _ in range(TRIES):
        try:
            answer = http.post("/v1/reports", content=b"\n".join(batch))
        except httpx.HTTPError as error:
            return f"{http.base_url} does not answer ({type(error).__name__}); is ingest running?"
        if answer.status_code in (429, 503):
            threading.Event().wait(float(answer.headers.get("retry-after", "1")))
            continue
        if answer.status_code not in (202, 422):
            return f"{answer.status_code}: {answer.json().get('detail', answer.text[:200])}"
        body = answer.json()
        totals["accepted"] += body["accepted"]
        totals["duplicates"] += body["duplicates"]
        totals["rejected"] += len(body["rejected"])
        for refused in body["rejected"][:5]:
            print(f"replay: refused: {refused['detail']}", file=sys.stderr)
        return None
    return "ingest stays busy; try again later"
