"""The HJ 212 port on a real socket, with an ingest that answers when the test says so."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry

from services.ingest.hj212.session import UNFRAMED_LIMIT, by_mn
from services.ingest.hj212_port import Hj212Port
from shared.errors import InUse, Unavailable
from shared.model.facility import Hj212Access, Station
from shared.observe.metrics import Metrics
from shared.reports.candidate import Accepted, Candidate, Rejection, Source, Verdict
from shared.testing.hj212_device import Hj212Device, frame, open_line

pytestmark = pytest.mark.system

HOST = "127.0.0.1"
ZONE = ZoneInfo("Asia/Shanghai")
TIME = "20260301080000"
WAIT_S = 20.0
Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


class HeldIngest:
    """A `Submission` whose futures the test resolves; with `open` it answers at once."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.is_open = is_open
        self.away = 0
        self.values: list[float] = []
        self.reasons: list[str] = []
        self.held: list[tuple[Future[list[Verdict]], int]] = []
        self.arrived = asyncio.Event()

    def submit(
        self, items: Sequence[tuple[Candidate | Rejection, bytes]], source: Source
    ) -> Future[list[Verdict]]:
        assert source.listener == "hj212"
        self.arrived.set()
        future: Future[list[Verdict]] = Future()
        if self.away:
            self.away -= 1
            future.set_exception(Unavailable("the disk is full"))
            return future
        for item, _ in items:
            if isinstance(item, Rejection):
                self.reasons.append(item.reason)
            else:
                self.values += [reading.value for reading in item.readings]
        self.held.append((future, len(items)))
        if self.is_open:
            self.release()
        return future

    def release(self) -> None:
        for future, count in self.held:
            future.set_result([Accepted()] * count)
        self.held.clear()

    def dry_run(
        self, items: Sequence[tuple[Candidate | Rejection, bytes]], source: Source
    ) -> list[Verdict]:
        raise AssertionError("a listener for devices never tries dry")


class Town:
    """A port with its ingest, and the lines to it, closed at the end."""

    def __init__(self, ingest: HeldIngest, server: Hj212Port) -> None:
        self.ingest, self.server, self.port = ingest, server, 0
        self.writers: list[Writer] = []

    async def line(self) -> tuple[Reader, Writer]:
        reader, writer = await open_line(HOST, self.port)
        self.writers.append(writer)
        return reader, writer


def stations(count: int = 1) -> dict[str, Station]:
    return {
        f"s{n}": Station(id=f"s{n}", facility=f"f{n}", hj212=Hj212Access(f"MN{n}", "123456"))
        for n in range(count)
    }


def upload(value: float, mn: str = "MN0") -> bytes:
    return Hj212Device(mn=mn).upload({"w01018": value}, data_time=TIME, qn=f"{value}")


def answer(value: float, mn: str = "MN0") -> bytes:
    return frame(f"QN={value};ST=91;CN=9014;PW=123456;MN={mn};Flag=4;CP=&&&&")


def run(
    scene: Callable[[Town], Awaitable[None]],
    *,
    count: int = 1,
    idle_s: float = 900.0,
    settle_s: float = 3.0,
) -> HeldIngest:
    """Play a scene against a port of its own."""

    async def whole() -> HeldIngest:
        ingest = HeldIngest()
        port = Hj212Port(
            submission=ingest,
            stations=by_mn(stations(count)),
            catalogue={"w01018"},
            flags={},
            zone=ZONE,
            metrics=Metrics(CollectorRegistry()),
            idle_s=idle_s,
            settle_s=settle_s,
            log_away_s=0.01,
        )
        town = Town(ingest, port)
        town.port = await port.start(HOST, 0)
        try:
            await asyncio.wait_for(scene(town), WAIT_S)
        finally:
            await port.stop(5.0)
            for writer in town.writers:
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()
        return ingest

    return asyncio.run(whole())


async def heartbeat(reader: Reader, writer: Writer) -> None:
    """A round trip that needs no log: what was to happen before it has happened."""
    writer.write(Hj212Device(mn="MN0").frame("9015", "", qn="1"))
    assert b"CN=9013" in await reader.readuntil(b"\r\n")


def test_an_answer_leaves_only_after_ingest_has_the_record() -> None:
    """An answer before that would make the logger drop what we may lose."""

    async def scene(town: Town) -> None:
        town.ingest.is_open = False
        reader, writer = await town.line()
        writer.write(upload(1.5))
        await town.ingest.arrived.wait()
        await heartbeat(*await town.line())
        early = asyncio.ensure_future(reader.readuntil(b"\r\n"))
        await asyncio.wait([early], timeout=0.05)
        assert not early.done()
        town.ingest.release()
        assert await early == answer(1.5)

    assert run(scene).values == [1.5]


def test_answers_keep_the_order_of_the_frames() -> None:
    """However many come in one segment."""

    async def scene(town: Town) -> None:
        reader, writer = await town.line()
        writer.write(b"".join(upload(n) for n in range(300)))
        for n in range(300):
            assert await reader.readuntil(b"\r\n") == answer(n)

    assert run(scene).values == [float(n) for n in range(300)]


def test_while_the_log_is_away_nothing_is_answered_and_nothing_is_lost() -> None:
    """The disk was full; when it is not, everything goes on in its order, without a restart."""

    async def scene(town: Town) -> None:
        town.ingest.away = 5
        reader, writer = await town.line()
        writer.write(upload(1) + upload(2))
        writer.write(upload(3))
        for n in (1, 2, 3):
            assert await reader.readuntil(b"\r\n") == answer(n)

    assert run(scene).values == [1.0, 2.0, 3.0]


def test_a_refused_frame_gets_no_answer_and_the_next_one_does() -> None:
    """Wrong CRC, wrong password, unknown MN, and then a good frame on the same connection."""

    async def scene(town: Town) -> None:
        reader, writer = await town.line()
        stranger = upload(1, mn="NOBODY")
        wrong = Hj212Device(mn="MN0", password="654321").upload({"w01018": 1}, data_time=TIME)
        modbus = Hj212Device(mn="MN0", modbus=True).upload({"w01018": 1}, data_time=TIME)
        writer.write(upload(1)[:-6] + b"00FF\r\n" + stranger + wrong + modbus + upload(2))
        assert await reader.readuntil(b"\r\n") == answer(2)

    reasons = run(scene).reasons  # between stations order means nothing
    assert sorted(reasons) == ["crc", "modbus-crc", "password", "unknown-station"]


def test_a_thousand_connections_are_served_at_once() -> None:
    """A province reports on the hour."""

    async def scene(town: Town) -> None:
        lines = [await town.line() for _ in range(1_000)]
        for n, (_, writer) in enumerate(lines):
            writer.write(upload(n, mn=f"MN{n}"))
        for n, (reader, _) in enumerate(lines):
            assert await reader.readuntil(b"\r\n") == answer(n, mn=f"MN{n}")

    run(scene, count=1_000)


def test_one_station_on_two_connections_is_served_on_both() -> None:
    """A logger that lost its line comes back before we notice."""

    async def scene(town: Town) -> None:
        first, second = await town.line(), await town.line()
        for reader, writer in (first, second, first):
            writer.write(upload(7))
            assert await reader.readuntil(b"\r\n") == answer(7)

    run(scene)


def test_a_connection_that_sends_no_frame_is_closed() -> None:
    """A scanner sends a gigabyte; we read 64 KiB of it."""

    async def scene(town: Town) -> None:
        reader, writer = await town.line()
        writer.write(b"x" * (2 * UNFRAMED_LIMIT))
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""

    run(scene)


def test_an_idle_connection_is_closed_in_the_end() -> None:
    """Lines that died without a word must not pile up."""

    async def scene(town: Town) -> None:
        reader, _writer = await town.line()
        assert await reader.read() == b""

    run(scene, idle_s=0.05)


def test_a_frame_behind_a_cut_off_one_is_answered_after_a_moment() -> None:
    """The rest of the first may still come; when nothing comes, the second must not wait."""

    async def scene(town: Town) -> None:
        reader, writer = await town.line()
        writer.write(b"##0888" + upload(1)[6:80] + b"\r\n" + upload(2))
        assert await reader.readuntil(b"\r\n") == answer(2)

    assert run(scene, settle_s=0.05).reasons == ["bad-frame"]


def test_stopping_answers_what_was_read() -> None:
    """SIGTERM loses nothing and leaves nobody waiting."""

    async def scene(town: Town) -> None:
        town.ingest.is_open = False
        reader, writer = await town.line()
        writer.write(upload(1))
        await town.ingest.arrived.wait()
        stopping = asyncio.ensure_future(town.server.stop(5.0))
        town.ingest.release()
        assert await reader.readuntil(b"\r\n") == answer(1)
        await stopping
        assert await reader.read() == b""

    run(scene)


def test_a_port_that_is_taken_is_named() -> None:
    """Exit 3 says which one."""

    async def scene(town: Town) -> None:
        second = Hj212Port(
            submission=town.ingest,
            stations={},
            catalogue=(),
            flags={},
            zone=ZONE,
            metrics=Metrics(CollectorRegistry()),
        )
        with pytest.raises(InUse, match=str(town.port)):
            await second.start(HOST, town.port)

    run(scene)
