"""Replicas are killed and the database is restarted under load: nothing lost, nothing twice."""

import contextlib
import os
import signal
import socketserver
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select, text

from services.notify.core.reply import decide
from services.notify.desk import tables as t
from services.notify.desk.desk import Desk
from services.notify.machine import Notify
from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.testing.parts.postgres import Postgres
from shared.testing.program import until
from tests.scenario.crew import Crew, Wire
from tests.scenario.desks import Desks
from tests.scenario.province import settled, site, topic

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.timeout(300)]
ROUNDS = int(os.environ.get("ROUNDS", "4"))


class Provider:
    """A line per message. `hold` keeps the answers back, as a gateway does that hangs."""

    def __init__(self) -> None:
        self.unmarked: Counter[str] = Counter()
        self.marked: Counter[str] = Counter()
        self.hold = False
        self.released = threading.Event()
        provider = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                id_, marked = self.rfile.readline().decode().split()
                (provider.marked if marked == "1" else provider.unmarked)[id_] += 1
                if provider.hold:
                    provider.released.wait(10)
                with contextlib.suppress(OSError):
                    self.wfile.write(b"ok\n")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


class Children:
    """Replicas as processes; started, killed with -9, and all gone at the end."""

    def __init__(self, url: str, port: int, seed: int, log: Path) -> None:
        self._url, self._port, self._seed, self._log = url, port, seed, log
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        command = [
            sys.executable, "-m", "tests.scenario.child_replica",
            self._url, name, str(self._port), str(self._seed),
        ]  # fmt: skip
        with self._log.open("ab") as out:
            self.running[name] = subprocess.Popen(command, stdout=out, stderr=out)

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def end(self) -> None:
        for name in list(self.running):
            self.kill(name)


def left(desk: Desk) -> Counter[str]:
    """Notices that are not at their end, by state."""
    with desk.read() as connection:
        o = t.outbox.c
        rows = connection.execute(
            select(o.state, func.count())
            .where(o.state.in_(("queued", "retry", "sending")) | (o.due_us.is_not(None)))
            .group_by(o.state)
        )
        return Counter({row[0]: row[1] for row in rows})


def taken(desk: Desk) -> int:
    with desk.read() as connection:
        return connection.execute(select(func.count()).select_from(t.inbox)).scalar_one()


def test_replicas_killed_under_load_lose_nothing_and_repeat_nothing_unmarked(
    provider: Provider, tmp_path: Path
) -> None:
    """kill -9 at any moment, also of one that has just come; the name may stay or be new."""
    seed = 5
    random = Random(seed)
    with Desks("postgres") as desks:
        url = desks.url()
        desk = desks.open(url)
        children = Children(url, provider.port, seed, tmp_path / "children.log")
        try:
            for n in range(3):
                children.start(f"r{n}")
            until(lambda: provider.unmarked, 30)
            for n in range(ROUNDS):
                more = sum(provider.unmarked.values()) + 3
                with contextlib.suppress(TimeoutError):  # a killed one may have to be missed first
                    until(lambda n=more: sum(provider.unmarked.values()) > n, 3, 0.005)  # type: ignore[misc]
                name = random.choice(sorted(children.running))
                children.kill(name)
                children.start(name if random.random() < 0.5 else f"{name}-{n}")
            everything = sum(len(each) for each in topic(site(), seed).values())
            until(lambda: taken(desk) == everything and not left(desk), 60, 0.2)
        finally:
            children.end()
        assert [id_ for id_, n in provider.unmarked.items() if n > 1] == []
        assert [id_ for id_, n in provider.marked.items() if n > 1] == []
        judge = Notify(desk, site(), SystemClock(), read_reply=decide, link=lambda *_: "")
        assert judge.audit_verify() == []
        with desk.read() as connection:
            o = t.outbox.c
            sent = set(connection.execute(select(o.id).where(o.accepted_us.is_not(None))).scalars())
        assert sent <= set(provider.unmarked) | set(provider.marked)


def test_what_a_killed_replica_was_sending_is_sent_once_more_and_marked(
    provider: Provider, tmp_path: Path
) -> None:
    """Its outcome is unknown: not lost, not silently repeated."""
    with Desks("postgres") as desks:
        url = desks.url()
        desk = desks.open(url)
        children = Children(url, provider.port, 5, tmp_path / "children.log")
        try:
            provider.hold = True
            children.start("first")
            until(lambda: provider.unmarked, 30, 0.005)
            children.kill("first")
            provider.hold = False
            begun = dict(provider.unmarked)
            children.start("second")
            until(lambda: taken(desk) and not left(desk), 60, 0.1)
        finally:
            children.end()
        assert all(n == 1 for n in provider.unmarked.values())
        assert all(provider.marked[id_] == 1 for id_ in begun)
        with desk.read() as connection:
            c = t.ledger.c
            for id_ in begun:
                kinds = connection.execute(
                    select(c.kind).where(c.notification == id_).order_by(c.n)
                ).scalars()
                assert list(kinds) == ["queued", "unknown", "repeated", "accepted"]


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_the_database_restarted_under_load_is_a_pause(how: str) -> None:
    """Three replicas racing; the server goes and comes, in order or by kill -9."""
    server = Postgres().start()
    read = topic(site(), 1)
    wire = Wire(Random(1), sure=("sms", "mail"))
    crew = Crew([Desk.at_url(server.url()) for _ in range(3)], site(), read, wire, seed=1)
    crew.settled = settled
    crew.work()
    try:
        for n in range(1, 4):
            until(lambda n=n: len(wire.sent) > 8 * n, 30, 0.01)  # type: ignore[misc]
            if how == "restart":
                server.restart()
            else:
                server.kill()
                server.start()
        until(lambda: _is_done(crew), 60, 0.2)
    finally:
        crew.end()
    assert crew.away > 0
    crew.judge()
    assert [id_ for id_, n in wire.sent.items() if n > 1] == []
    assert taken(crew.desks[0]) == sum(len(each) for each in read.values())
    with crew.desks[0].read() as connection:
        accepted = connection.execute(
            text("SELECT count(*) FROM outbox WHERE accepted_us IS NOT NULL")
        ).scalar()
    assert accepted == len(wire.sent)
    for desk in crew.desks:
        desk.close()
    server.stop()


def _is_done(crew: Crew) -> bool:
    try:
        return crew.is_done()
    except Unavailable:
        return False
