"""Reports per second into `yujing serve` by HTTP, single and in batches of 1,000.

Run as `python -m tests.bench bench_ingest`. The program is the real one with all its services;
the limits are a bare Starlette route that reads the body and answers, on the same server and
with the same client, and what the disk can make durable one by one.
"""

import asyncio
import json
import multiprocessing
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.clock import real_monotonic
from shared.log.port import REPORTS
from shared.log.sqlite import SqliteLog
from shared.testing.configs import duty_site
from shared.testing.program import Program, free_ports, reading
from tests.bench.table import Row

CONNECTIONS = 64
SINGLES = 6_000
BATCHES = 40
PER_BATCH = 1_000
APPENDS = 300
START = datetime(2026, 1, 1, tzinfo=UTC)


async def _bare(request: Request) -> Response:
    msgspec.json.decode(await request.body())
    return Response(b'{"accepted":1,"duplicates":0,"rejected":[]}', 202)


def _serve_bare(port: int) -> None:
    app = Starlette(routes=[Route("/v1/reports", _bare, methods=["POST"])])
    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan="off")


@contextmanager
def bare_server() -> Iterator[int]:
    """A child process that decodes and answers."""
    (port,) = free_ports(1)
    child = multiprocessing.get_context("spawn").Process(target=_serve_bare, args=(port,))
    child.start()
    try:
        deadline = real_monotonic() + 30
        while real_monotonic() < deadline:
            with socket.socket() as probe:
                probe.settimeout(0.1)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield port
    finally:
        child.terminate()
        child.join(10)


async def _connection(port: int, requests: Iterator[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 202 " in head[:16], head
        (length,) = [
            int(line.partition(b":")[2])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        ]
        await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()


def send(port: int, requests: list[bytes], connections: int) -> float:
    """Seconds until every request was answered with 202; each connection one at a time."""
    queue = iter(requests)

    async def all_of_them() -> None:
        await asyncio.gather(*(_connection(port, queue) for _ in range(connections)))

    started = real_monotonic()
    asyncio.run(all_of_them())
    return real_monotonic() - started


def request(body: bytes, token: str) -> bytes:
    head = (
        "POST /v1/reports HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def bodies(make: Callable[[int], dict[str, object]], token: str) -> tuple[list[bytes], list[bytes]]:
    """(single requests, requests of 1,000 reports); no window twice."""
    singles = [request(json.dumps(make(n)).encode(), token) for n in range(SINGLES)]
    batches = []
    for batch in range(BATCHES):
        first = SINGLES + batch * PER_BATCH
        items = [make(n) for n in range(first, first + PER_BATCH)]
        batches.append(request(json.dumps(items).encode(), token))
    return singles, batches


def appends_per_second(folder: Path) -> float:
    """What the disk can make durable one by one: the ceiling without group commit."""
    log = SqliteLog(folder / "rate.db")
    started = real_monotonic()
    for _ in range(APPENDS):
        log.append(REPORTS, [("", b"x" * 300)])
    rate = APPENDS / (real_monotonic() - started)
    log.close()
    return rate


def run() -> list[Row]:
    """Measure once; the table's limits come from the same run."""
    rng = Random(8)
    http, hj212, sms = free_ports(3)
    site = duty_site(
        rng, http_port=http, hj212_port=hj212, sms_url=f"http://127.0.0.1:{sms}/x", facilities=50
    )
    facilities = list(site.facilities)

    def make(n: int) -> dict[str, object]:
        at = START + timedelta(minutes=n // len(facilities))
        return reading(facilities[n % len(facilities)], 10 + n % 5, at=at.isoformat())

    singles, batches = bodies(make, site.upstream_token)
    with bare_server() as port:
        bare_single = SINGLES / send(port, singles, CONNECTIONS)
        bare_batch = BATCHES * PER_BATCH / send(port, batches, 4)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as name:
        folder = Path(name)
        rate = appends_per_second(folder)
        with Program(site, folder / "site"):
            single = SINGLES / send(http, singles, CONNECTIONS)
            batch = BATCHES * PER_BATCH / send(http, batches, 4)
    note = "the whole program; client on the same cores"
    return [
        Row("HTTP, one report a request", single, "reports/s", "bare route, decode only",
            bare_single, f"{CONNECTIONS} connections; {note}"),
        Row("HTTP, 1,000 reports a request", batch, "reports/s", "bare route, decode only",
            bare_batch, f"4 connections; {note}"),
        Row("HTTP, one report a request", single, "reports/s", "durable appends one by one", rate,
            "group commit shares an fsync"),
    ]  # fmt: skip
