"""Bytes to gateway: from the first byte of a report to its text at the gateway, under load.

1,000 reports/s arrive by HTTP, one a request, over 16 kept-alive connections; one in 200 is above
the limit and must reach the gateway. The limit beside it is a POST to the same gateway from the
same client without the program between, plus one fsync: what no program here could beat.
"""

import asyncio
import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

from shared.clock import real_monotonic
from shared.testing.configs import Facility, Site, duty_site, step
from shared.testing.parts.gateway import Gateway
from shared.testing.program import Program, free_ports, reading, until
from tests.bench.table import Row

RATE = 1000
SECONDS = 15
ONE_IN = 200
CONNECTIONS = 16
CITIES = 4


def run() -> list[Row]:
    """p50 and p99 in milliseconds."""
    with Gateway() as gateway, tempfile.TemporaryDirectory() as folder:
        bare = sorted(asyncio.run(bare_posts(gateway, 200)))
        flush_ms = fsync_ms(Path(folder))
        already = len(gateway.got)
        http_port, hj212_port = free_ports(2)
        site = bench_site(gateway, http_port, hj212_port)
        with Program(site, Path(folder) / "program") as program:
            firing = RATE * SECONDS // ONE_IN
            sent_at, rate = asyncio.run(stream(site, firing))
            until(lambda: len(gateway.got) >= already + firing, 30.0, what="all told")
            waits = latencies(gateway, site, sent_at, already)
            program.stop()
    limit_p50, limit_p99 = quantile(bare, 0.5) + flush_ms, quantile(bare, 0.99) + flush_ms
    note = f"{len(waits)} alerts among {rate:,.0f} reports/s"
    name = "bytes → gateway at 1,000 reports/s"
    return [
        Row(f"{name}, p50", quantile(waits, 0.5), "ms", "bare POST + fsync, p50", limit_p50, note),
        Row(f"{name}, p99", quantile(waits, 0.99), "ms", "bare POST + fsync, p99", limit_p99, note),
    ]


def bench_site(gateway: Gateway, http_port: int, hj212_port: int) -> Site:
    """Enough cities that nobody has more than 192 tickets open."""
    site = duty_site(
        Random(1), http_port=http_port, hj212_port=hj212_port, sms_url=gateway.url, facilities=0
    )
    site.timing.update(tick="1s", deaf_after="30s")
    site.documents["policies"]["policies"][0]["steps"] = [step("duty_officer", wait="6h")]
    per_city = RATE * SECONDS // ONE_IN // CITIES + 1
    for number in range(CITIES):
        city = f"{site.province[:2]}{90 + number}00"
        site.documents["territories"]["territories"].append({"id": city, "name": site.word(2)})
        site.add_roster(city, {"duty_officer": [site.add_person(territory=city)]})
        for _ in range(per_city):
            site.add_facility(territory=city)
    return site


async def stream(site: Site, firing: int) -> tuple[dict[str, float], float]:
    """Send; when the first byte of each firing report was written, by facility; the rate."""
    queue: asyncio.Queue[tuple[Facility, float] | None] = asyncio.Queue()
    sent_at: dict[str, float] = {}
    workers = [
        asyncio.create_task(worker(site, queue, sent_at, number)) for number in range(CONNECTIONS)
    ]
    quiet = site.facilities[firing:] or site.facilities[-1:]
    begin = perf_counter()
    for number in range(RATE * SECONDS):
        late = begin + number / RATE - perf_counter()
        if late > 0.001:
            await asyncio.sleep(late)
        fires = number % ONE_IN == ONE_IN // 2
        facility = site.facilities[number // ONE_IN] if fires else quiet[number % len(quiet)]
        queue.put_nowait((facility, site.low * (1.2 if fires else 0.3)))
    for _ in workers:
        queue.put_nowait(None)
    await asyncio.gather(*workers)
    return sent_at, RATE * SECONDS / (perf_counter() - begin)


async def worker(
    site: Site,
    queue: "asyncio.Queue[tuple[Facility, float] | None]",
    sent_at: dict[str, float],
    number: int,
) -> None:
    """One connection: a report, its answer, the next."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.http_port)
    head = f"Authorization: Bearer {site.upstream_token}\r\nContent-Type: application/json\r\n"
    while (job := await queue.get()) is not None:
        facility, value = job
        at = datetime.now(UTC).isoformat()
        body = json.dumps(reading(facility, value + number / 1000, at=at)).encode()
        if value > site.low:
            sent_at[facility.short_name] = real_monotonic()
        status = await post(reader, writer, "/v1/reports", head, body)
        assert status == 202, status
    writer.close()


async def post(reader: Any, writer: Any, path: str, head: str, body: bytes) -> int:
    """One request on a kept-alive connection; the status of its answer."""
    lines = f"POST {path} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n"
    writer.write(lines.encode() + body)
    answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = answer.partition("content-length:")[2].partition("\r\n")[0]
    await reader.readexactly(int(length or 0))
    return int(answer.split(" ", 2)[1])


async def bare_posts(gateway: Gateway, count: int) -> list[float]:
    """Milliseconds of posts to the gateway with nothing between."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    took = []
    for _ in range(count):
        begin = perf_counter()
        await post(reader, writer, "/cgi-bin/sendsms", "X-Kannel-To: 0\r\n", "短信".encode())
        took.append((perf_counter() - begin) * 1000)
    writer.close()
    return took


def fsync_ms(folder: Path) -> float:
    """Milliseconds of one fsync after 4 KiB here; the middle of 50."""
    took = []
    with (folder / "flush").open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(b"\0" * 4096)
            begin = perf_counter()
            os.fsync(file.fileno())
            took.append((perf_counter() - begin) * 1000)
    return quantile(took, 0.5)


def latencies(gateway: Gateway, site: Site, sent_at: dict[str, float], already: int) -> list[float]:
    """Milliseconds from the first byte of a report to its text at the gateway."""
    found = []
    for message in gateway.got[already:]:
        name = next(name for name in sent_at if name in message.text)
        found.append((message.at_s - sent_at[name]) * 1000)
    return found


def quantile(values: list[float], share: float) -> float:
    """The value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
