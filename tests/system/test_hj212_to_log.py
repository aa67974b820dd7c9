"""From the wire to the log: the HJ 212 port on the real writer and the real SQLite log."""

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry

from services.ingest import dead_letters
from services.ingest.hj212.session import by_mn
from services.ingest.hj212_port import Hj212Port
from services.ingest.seen import Seen
from services.ingest.writer import Writer
from shared.clock import VirtualClock
from shared.log.port import REPORTS, Position
from shared.log.sqlite import SqliteLog
from shared.model.configuration import Configuration, Indicator, Site, Timing
from shared.model.facility import Facility, Hj212Access, Station
from shared.model.instants import parse_instant
from shared.model.report import Report, decode_envelope
from shared.observe.metrics import Metrics
from shared.reports.judge import Judge
from shared.testing.hj212_device import Hj212Device, frame, open_line

pytestmark = pytest.mark.system

ZONE = ZoneInfo("Asia/Shanghai")
TIME = "20260301080000"
DEVICE = Hj212Device(mn="MN1", password="123456", edition="2005")


def configuration() -> Configuration:
    facility = Facility(
        id="f1", name="示例", short_name="示例", territory="000000", kind="hospital_wastewater"
    )
    return Configuration(
        site=Site("示例", "Asia/Shanghai", "zh-CN", "http://127.0.0.1:8620", "x" * 32),
        timing=Timing(),
        territories={},
        access=(),
        facilities={"f1": facility},
        stations={"s1": Station(id="s1", facility="f1", hj212=Hj212Access("MN1", "123456"))},
        people={},
        rosters={},
        policies=(),
        channels={},
        rules={},
        indicators={"w01018": Indicator("w01018", "化学需氧量", "mg/L")},
    )


def upload(value: float, data_time: str = TIME) -> bytes:
    return DEVICE.upload({"w01018": value, "x9": 1}, data_time=data_time, qn=TIME + "123")


ANSWER = frame(f"ST=91;CN=9014;CP=&&QN={TIME}123;CN=2011;PNO=1;PNUM=1;&&")


def test_frames_arrive_once_and_what_is_refused_is_kept(tmp_path: Path) -> None:
    """Repeated on two connections, judged once; refused bytes without their password."""
    site = configuration()
    metrics = Metrics(CollectorRegistry())
    log = SqliteLog(tmp_path / "log.db")
    writer = Writer(
        log_=log,
        seen=Seen(tmp_path / "ingest.db", log),
        judge=Judge(site),
        clock=VirtualClock(parse_instant("2026-03-01T09:00:00", ZONE)),
        metrics=metrics,
    )
    writer.start()

    async def scene() -> None:
        port = Hj212Port(
            submission=writer,
            stations=by_mn(site.stations),
            catalogue=site.indicators,
            flags={},
            zone=site.site.zone,
            metrics=metrics,
        )
        bound = await port.start("127.0.0.1", 0)
        for _ in range(2):
            reader, out = await open_line("127.0.0.1", bound)
            out.write(upload(41)[:-6] + b"FF00\r\n" + upload(41))
            assert await reader.readuntil(b"\r\n") == ANSWER
            out.close()
        reader, out = await open_line("127.0.0.1", bound)
        out.write(upload(42, "20260301230000"))  # 14 hours ahead: kept, and the log has it
        assert await reader.readuntil(b"\r\n") == ANSWER
        out.close()
        await port.stop(5.0)

    asyncio.run(scene())
    writer.close()
    entries = log.read(REPORTS, 0, Position(0)).entries
    records = [record for entry in entries for record in decode_envelope(entry.value)]
    letters = dead_letters.listing(log, ZONE, 0, 10)
    log.close()
    assert [(r.indicators, r.values, r.listener) for r in records if isinstance(r, Report)] == [
        (("w01018",), (41.0,), "hj212")
    ]
    assert [letter["reason"] for letter in letters] == ["crc", "crc", "in-the-future"]
    counted = {
        result: metrics.registry.get_sample_value(
            "yujing_reports_total", {"listener": "hj212", "result": result}
        )
        for result in ("accepted", "duplicate", "rejected")
    }
    assert counted == {"accepted": 1, "duplicate": 1, "rejected": 3}
    assert (
        metrics.registry.get_sample_value("yujing_rejections_total", {"reason": "unknown-code"})
        == 3
    )
