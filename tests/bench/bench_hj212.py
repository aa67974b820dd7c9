"""HJ 212 frames per second on one core, beside the limit of only decoding and splitting bytes.

Run as `python -m tests.bench hj212`. A frame is a 2017 upload of four pollutants, about
250 bytes; reads are 32 KiB, as the port does them.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from services.ingest.hj212.frame import Deframer, Frame
from services.ingest.hj212.packet import parse_packet
from services.ingest.hj212.session import Session, by_mn
from shared.clock import real_monotonic
from shared.model.facility import Hj212Access, Station
from shared.testing.configs import STATION_CODE, duty_site
from shared.testing.hj212_device import Hj212Device
from shared.testing.program import Program, free_ports
from tests.bench.table import Row

FRAMES = 20_000
ROUNDS = 3
LINES, PER_LINE, AHEAD = 20, 400, 20
READ = 32 * 1024
MN = "010000A8900016F000169DC0"


def stream() -> list[bytes]:
    """The same four pollutants, each frame with values of its own, in reads of 32 KiB."""
    device = Hj212Device(mn=MN)
    data = b"".join(
        device.upload(
            {"w01018": 40 + n % 7, "w01001": 7.1, "w21003": 3.2 + n % 3, "w21011": 0.31},
            data_time=f"202603010{n % 10}0000",
        )
        for n in range(200)
    )
    data *= FRAMES // 200
    return [data[at : at + READ] for at in range(0, len(data), READ)]


def only_decode(chunks: list[bytes]) -> int:
    """The limit: find line ends, decode, split; no CRC, no meaning."""
    count = 0
    for chunk in chunks:
        for line in chunk.split(b"\r\n"):
            area = line.decode().split("CP=&&")[-1]
            for group in area.split(";"):
                for field in group.split(","):
                    field.partition("=")
            count += 1
    return count


def deframe_and_parse(chunks: list[bytes]) -> int:
    """Frames with a checked CRC, taken apart."""
    deframer = Deframer()
    count = 0
    for chunk in chunks:
        for piece in deframer.feed(chunk):
            if isinstance(piece, Frame):
                parse_packet(piece.segment)
                count += 1
    return count


def whole_session(chunks: list[bytes]) -> int:
    """Everything the port does but I/O: candidates and answers."""
    station = Station(id="s", facility="f", hj212=Hj212Access(mn=MN))
    known = {"w01018", "w01001", "w21003", "w21011"}
    session = Session(by_mn({"s": station}), known, ZoneInfo("Asia/Shanghai"))
    return sum(len(session.receive(chunk)) for chunk in chunks)


def per_second(work: Callable[[list[bytes]], int], chunks: list[bytes]) -> float:
    """The best of some rounds."""
    best = 0.0
    for _ in range(ROUNDS):
        start = real_monotonic()
        work(chunks)
        best = max(best, FRAMES / (real_monotonic() - start))
    return best


def over_tcp() -> float:
    """Frames answered per second by the whole program: every one durable before its 9014."""
    http, hj212, sms = free_ports(3)
    site = duty_site(
        Random(8), http_port=http, hj212_port=hj212, sms_url=f"http://127.0.0.1:{sms}/x",
        facilities=LINES,
    )  # fmt: skip
    day = datetime(2026, 1, 1)  # noqa: DTZ001  written as the device's local time
    streams = []
    for facility in site.facilities[:LINES]:
        device = Hj212Device(mn=facility.mn, password=facility.password)
        frames = [
            device.upload(
                {STATION_CODE: 10 + n % 5},
                data_time=(day + timedelta(minutes=n)).strftime("%Y%m%d%H%M%S"), answer=True,
            )
            for n in range(PER_LINE)
        ]  # fmt: skip
        streams.append(frames)
    with (
        tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder,
        Program(site, Path(folder) / "site"),
    ):
        started = real_monotonic()
        asyncio.run(_all_lines(hj212, streams))
        return LINES * PER_LINE / (real_monotonic() - started)


async def _all_lines(port: int, streams: list[list[bytes]]) -> None:
    await asyncio.gather(*(_line(port, frames) for frames in streams))


async def _line(port: int, frames: list[bytes]) -> None:
    """Write twenty frames ahead of the answers, as a logger does that was cut off."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for at in range(0, len(frames), AHEAD):
        batch = frames[at : at + AHEAD]
        writer.write(b"".join(batch))
        for _ in batch:
            assert b"CN=9014" in await reader.readuntil(b"\r\n")
    writer.close()
    await writer.wait_closed()


def run() -> list[Row]:
    """Measure once; the limit comes from the same run."""
    chunks = stream()
    limit = per_second(only_decode, chunks)
    only = "decode and split only"
    return [
        Row("HJ 212: deframe, CRC, parse", per_second(deframe_and_parse, chunks),
            "frames/s of one core", only, limit),
        Row("HJ 212: to candidates and answers", per_second(whole_session, chunks),
            "frames/s of one core", only, limit),
        Row("HJ 212 over TCP, answered", over_tcp(), "frames/s", only, limit,
            f"{LINES} connections, {AHEAD} frames ahead; the whole program, client on the same cores"),
    ]  # fmt: skip
