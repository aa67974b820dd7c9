"""A whole site on a virtual clock: reports in, texts out, and a crash between any two effects.

The log is in memory and survives, as a disk would; rules.db and desk.db are files. Everything
random comes from one seed, which a failure prints.
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Protocol

from prometheus_client import CollectorRegistry

from services.ingest.seen import Seen
from services.ingest.writer import Writer
from services.notify.desk.desk import Desk
from services.notify.machine import Notify
from services.notify.sender import Sender
from services.rules.store import RulesStore
from services.rules.worker import RulesWorker
from shared.clock import VirtualClock
from shared.log.memory import MemoryBundles, MemoryLog
from shared.model.configuration import encode_bundle
from shared.model.instants import Instant, window_start
from shared.model.report import Activate, Tick
from shared.model.transition import Transition
from shared.observe.metrics import Metrics
from shared.reports.candidate import Accepted, Candidate, CandidateReading, Rejection, Source
from shared.reports.judge import Judge
from tests.endtoend import desk
from tests.endtoend.gateway import Crash, Gateway
from tests.endtoend.site import MINUTE, START, build

SECOND = 1_000_000
LISTEN_US = 30 * SECOND
UPSTREAM = Source("http", "up", ("*",))


class Feed(Protocol):
    def read(self, after_seq: int, limit: int) -> list[tuple[int, Transition]]: ...


class World:
    def __init__(
        self,
        seed: int,
        folder: Path,
        *,
        trouble: float = 0.3,
        crashes: float = 0.02,
        plant: Callable[["World"], None] | None = None,
    ) -> None:
        self.random = Random(seed)
        self.configuration = build(self.random)
        self.clock = VirtualClock(Instant(START))
        self._now = [START]
        self.log, self.bundles = MemoryLog(), MemoryBundles()
        self.gateways = {
            name: Gateway(self.random, self._now, trouble) for name in self.configuration.channels
        }
        self._crashes = 0.0
        for gateway in self.gateways.values():
            gateway.crash_rate = crashes
        self.folder = folder
        self.accepted: list[Candidate] = []
        self.refused = 0
        self.crashed = 0
        self.desk: Desk
        self.sender: Sender
        self.feed: Callable[[], Feed] = lambda: self.store
        self.notify_type: type[Notify] = Notify
        self.hears_everything = False
        self.note = ""
        if plant is not None:
            plant(self)
        self.boot(first=True)
        self._crashes = crashes

    # -- life --------------------------------------------------------------------------------

    def boot(self, *, first: bool = False) -> None:
        """Start the process on what is durable."""
        self.metrics = Metrics(CollectorRegistry())
        self.seen = Seen(":memory:", self.log)
        self.writer = Writer(
            log_=self.log, seen=self.seen, judge=Judge(self.configuration), clock=self.clock,
            metrics=self.metrics,
        )  # fmt: skip
        self.seen.catch_up()
        if first:
            name, body = encode_bundle(self.configuration.bundle())
            self.bundles.put(name, body)
            self._append(Activate(name))
        self.store = RulesStore(self.folder / "rules.db")
        self.rules = RulesWorker(self.log, self.bundles, self.store, self.metrics)
        self.rules.engine.deaf_never = self.hears_everything
        self.notify = desk.make(self)

    def crash(self) -> None:
        """kill -9: what is not durable is gone."""
        while True:
            self.crashed += 1
            self.store.close()
            desk.drop(self)
            try:
                return self.boot()
            except Crash:
                continue

    def now(self) -> Instant:
        self._now[0] = int(self.clock.now())
        return self.clock.now()

    def _append(self, record: Tick | Activate) -> None:
        self.writer.append_control(record)
        self.writer.step()

    # -- what happens ------------------------------------------------------------------------

    def report(self, facility: str, value: float, flag: str = "N", minutes_ago: int = 0) -> None:
        at = window_start(self.now() - minutes_ago * MINUTE, "minute", self.configuration.site.zone)
        candidate = Candidate(
            facility, None, "minute", at, (CandidateReading("cod", value, None, flag),)
        )
        self._submit(candidate)

    def again(self) -> None:
        """A sender that lost our answer sends the same once more."""
        if self.accepted:
            self._submit(self.random.choice(self.accepted[-5:]))

    def _submit(self, candidate: Candidate) -> None:
        answer = self.writer.submit([(candidate, b"{}")], UPSTREAM)
        self.writer.step()
        (verdict,) = answer.result(0)
        if isinstance(verdict, Accepted):
            self.accepted.append(candidate)
        elif isinstance(verdict, Rejection):
            self.refused += 1

    def pass_time(self, us: int, *, listening: bool = True) -> None:
        """Time goes on, a tick every 30 seconds (or none, when the process is stopped meanwhile)."""
        end = self.clock.now() + us
        while self.clock.now() < end:
            self.clock.advance(min(LISTEN_US if listening else us, end - self.clock.now()))
            self.now()
            if listening:
                self._append(Tick(self.now()))
                self.settle()

    def settle(self, rounds: int = 50) -> None:
        """Rules, notify and sender do what they have to do; any of it may be cut short."""
        for _ in range(rounds):
            try:
                if self._crash_now():
                    self.crash()
                    continue
                while self.rules.pump():
                    if self._crash_now():
                        raise Crash
                if self.random.random() < 0.1:
                    self.rules.checkpoint()
                if not desk.step(self):
                    return
            except Crash:
                self.crash()

    def fault(self, _point: str) -> None:
        """Asked before and after every commit of the desk: the process may end there."""
        if self._crash_now():
            raise Crash

    def _crash_now(self) -> bool:
        return self.random.random() < self._crashes

    def calm(self) -> None:
        """From here on nothing fails, so that everything owed can come to its end."""
        self._crashes = 0.0
        for gateway in self.gateways.values():
            gateway.trouble = gateway.crash_rate = 0.0

    def took(self) -> list[Any]:
        return [took for gateway in self.gateways.values() for took in gateway.took]


def temporary() -> Path:
    """A folder in memory where the machine has one: a thousand worlds need no disk."""
    shm = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="yujing-", dir=shm if shm.is_dir() else None))


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
