"""The HJ 212 port: TCP in, sessions between, answers out once the log has the record.

A connection is read, everything read is submitted together, and only when all of it is durable
are the answers written and the next bytes read. So records keep their order, one fsync serves
whatever has come meanwhile, and while the log is away nothing is read: TCP holds the sender
back, and this process holds at most one read per connection.
"""

import asyncio
import contextlib
import errno
import resource
import socket
from collections.abc import Container, Mapping
from concurrent.futures import Future
from zoneinfo import ZoneInfo

import structlog

from services.ingest.hj212.session import (
    Action,
    Close,
    Heard,
    LeftOut,
    Reply,
    Session,
    Submit,
)
from services.ingest.port import Submission
from shared.errors import InUse, SlowDown, Unavailable
from shared.model.facility import Station
from shared.observe.metrics import Metrics
from shared.reports.candidate import Source, Verdict

READ_BYTES = 32 * 1024
IDLE_S = 15 * 60
"""An idle connection is kept at least 10 minutes (contract §3)."""
SETTLE_S = 3.0
"""How long a frame that declared too much may hold back what stands behind it. Loggers wait 5 s
or 10 s for an answer (HJ 212-2017 table 1)."""
LOG_AWAY_S = 1.0
SLOW_DOWN_S = 0.1
DRAIN_S = 30.0
MAX_CONNECTIONS = 4_000
MAX_ORPHANS = 2_000
"""From so many connections on, what a sender that has gone left behind is no longer held while
the log is away: a record that wants an answer comes again, and the living need the place."""
_FILES = 16_384

log = structlog.get_logger()


class Hj212Port:
    """`await start(host, port)`, `await stop(timeout_s)`; everything runs on that event loop."""

    def __init__(
        self,
        *,
        submission: Submission,
        stations: Mapping[str, Station],
        catalogue: Container[str],
        flags: Mapping[str, Container[str]],
        zone: ZoneInfo,
        metrics: Metrics,
        idle_s: float = IDLE_S,
        settle_s: float = SETTLE_S,
        log_away_s: float = LOG_AWAY_S,
    ) -> None:
        """`stations` by MN (`session.by_mn`); `catalogue` holds the codes of the indicators, `flags` by
        station those that its own dictionary explains.
        """
        self._submission, self._metrics = submission, metrics
        self._stations, self._catalogue, self._zone = stations, catalogue, zone
        self._flags = flags
        self._idle_s, self._settle_s, self._log_away_s = idle_s, settle_s, log_away_s
        self._server: asyncio.Server | None = None
        self._stopping = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._idle: set[asyncio.Task[None]] = set()
        self._speaking: dict[str, int] = {}

    async def start(self, host: str, port: int) -> int:
        """Listen; the port that is bound (for port 0 the one that was free).

        Raises:
            InUse: another process has it.

        """
        _allow_many_files()
        try:
            self._server = await asyncio.start_server(
                self._connected, host, port, limit=READ_BYTES, backlog=1024
            )
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise InUse(
                    f"{host}:{port} (HJ 212) is in use by another process; "
                    "stop it or give another address with --hj212"
                ) from error
            raise
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def serve(self, taken: socket.socket) -> None:
        """Listen on a socket that was bound before anything else was opened."""
        _allow_many_files()
        self._server = await asyncio.start_server(
            self._connected, sock=taken, limit=READ_BYTES, backlog=1024
        )

    async def stop(self, timeout_s: float) -> None:
        """Take no more, let what was read become durable and answered, then close."""
        self._stopping.set()
        if self._server is not None:
            self._server.close()
        for task in self._idle:
            task.cancel()
        if self._connections:
            _, late = await asyncio.wait(self._connections, timeout=timeout_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=1.0)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MAX_CONNECTIONS or self._stopping.is_set():
            log.warning("hj212_connection_refused", open=len(self._connections))
            writer.close()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self._stations, self._catalogue, self._zone, self._flags)
        self._metrics.connections.inc()
        _keep_alive(writer)
        why = "closed"
        try:
            why = await self._converse(session, reader, writer)
        except (ConnectionError, TimeoutError) as error:
            why = type(error).__name__
        except asyncio.CancelledError:
            # Only `stop` cancels, and it waits for this task to end.
            why = "stopping"
        except Exception:
            # One connection's trouble must not become another's; its sender tries again.
            why = "failed"
            log.exception("hj212_connection_failed")
        finally:
            self._metrics.connections.dec()
            for mn in session.speakers:
                self._speaking[mn] -= 1
                if not self._speaking[mn]:
                    del self._speaking[mn]
            writer.close()
            log.info(
                "hj212_connection_closed",
                reason=why,
                stations=len(session.speakers),
                frames=session.frames,
                skipped_bytes=session.skipped_bytes,
            )

    async def _converse(
        self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> str:
        while not self._stopping.is_set():
            data = await self._read(reader, self._settle_s if session.is_stuck else self._idle_s)
            if data is None and not session.is_stuck:
                return "idle"
            actions = session.receive(data) if data else session.settle()
            closing = await self._carry_out(actions, reader, writer)
            if closing is not None:
                return closing
            if data == b"":
                return "closed"
        return "stopping"

    async def _read(self, reader: asyncio.StreamReader, timeout_s: float) -> bytes | None:
        """What came; nothing: the other side closed; None: nothing came for that long."""
        task = asyncio.current_task()
        assert task is not None
        self._idle.add(task)
        try:
            return await asyncio.wait_for(reader.read(READ_BYTES), timeout_s)
        except TimeoutError:
            return None
        finally:
            self._idle.discard(task)

    async def _carry_out(
        self, actions: list[Action], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> str | None:
        """Do it all, in order; the reason when the connection is to be closed."""
        closing: str | None = None
        submits: list[Submit] = []
        replies: list[bytes] = []
        for action in actions:
            match action:
                case Submit(reply=reply):
                    submits.append(action)
                    replies.append(reply or b"")
                case Reply(data=data):
                    replies.append(data)
                case LeftOut(reason=reason, count=count):
                    self._metrics.rejections.labels(reason).inc(count)
                case Heard(mn=mn):
                    self._hear(mn)
                case Close(reason=closing):
                    pass
        if submits and not await self._make_durable(submits, reader):
            return "given up while the log was away"
        if answer := b"".join(replies):
            writer.write(answer)
            await asyncio.wait_for(writer.drain(), DRAIN_S)
        return closing

    def _hear(self, mn: str) -> None:
        self._speaking[mn] = self._speaking.get(mn, 0) + 1
        if self._speaking[mn] > 1:
            # Served all the same: a logger that lost its line comes back before we notice.
            log.warning("hj212_station_twice", mn=mn, connections=self._speaking[mn])

    async def _make_durable(self, submits: list[Submit], reader: asyncio.StreamReader) -> bool:
        """Submit until the log has everything; False when that must be given up.

        Records of one station go together, so that one try takes all of them or none and their
        order holds; between stations order means nothing.
        """
        waiting: dict[str, list[Submit]] = {}
        for submit in submits:
            waiting.setdefault(submit.mn, []).append(submit)
        while waiting:
            pause_s = 0.0
            futures: dict[str, Future[list[Verdict]]] = {}
            for mn, group in waiting.items():
                try:
                    futures[mn] = self._submission.submit(
                        [(submit.item, submit.raw) for submit in group], Source("hj212", mn)
                    )
                except Unavailable as error:
                    pause_s = max(pause_s, self._pause_s(error))
            for mn, future in futures.items():
                try:
                    # Shielded: a cancelled future would fail the whole group in the writer.
                    await asyncio.shield(asyncio.wrap_future(future))
                    del waiting[mn]
                except Unavailable as error:
                    pause_s = max(pause_s, self._pause_s(error))
            if waiting:
                if reader.at_eof() and len(self._connections) > MAX_ORPHANS:
                    return False
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause_s)
                    return False
        return True

    def _pause_s(self, error: Unavailable) -> float:
        return SLOW_DOWN_S if isinstance(error, SlowDown) else self._log_away_s


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """Find out about lines that died without a word."""
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _allow_many_files() -> None:
    """A thousand connections need more files than the 1,024 a shell gives by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
