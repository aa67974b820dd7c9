"""The cluster of `make run-kafka`: broker, PostgreSQL and the three services as processes here.

Everything listens on loopback and ends with us. The data is kept in one folder; started again on
it, the story goes on.
"""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Self

import httpx

from shared.clock import LedClock
from shared.log.kafka import KafkaLog
from shared.log.last_tick import last_tick
from shared.log.security import Security
from shared.log.topics import Topics, read_topics
from shared.model.instants import Instant
from shared.options import LED
from shared.testing.parts.kafka import Broker
from shared.testing.parts.postgres import Postgres
from shared.testing.program import ROOT, free_ports, until

READY_S = 60.0
STOP_S = 15.0


class Routed(httpx.BaseTransport):
    """One client for the three services: each path goes to the one that answers it."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._ports = ports
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        name = "notify"
        if request.url.path.startswith("/v1/reports"):
            name = "ingest"
        elif request.url.path.startswith(("/v1/transitions", "/v1/facilities", "/v1/alerts")):
            name = "rules"
        request.url = request.url.copy_with(port=self._ports[name])
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


class Cluster:
    """`with Cluster(…) as cluster:` starts it in order, and ends it in the other."""

    def __init__(
        self, config: Path, folder: Path, start: Instant, fastest: float, *,
        http_port: int | None = None, hj212_port: int | None = None,
    ) -> None:  # fmt: skip
        self._config, self._folder, self._start, self._fastest = config, folder, start, fastest
        ingest, rules, notify, hj212 = free_ports(4)
        self.ports = {"ingest": ingest, "rules": rules, "notify": http_port or notify}
        self.hj212_port = hj212_port or hj212
        self._stack = ExitStack()
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        folder = self._folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            broker = stack.enter_context(Broker(folder / "kafka"))
            self._topics(broker)
            postgres = Postgres(folder / "postgres")
            stack.callback(postgres.stop)
            postgres.start()
            self.clock = LedClock(folder / "clock", leads=(self._going_on(broker), self._fastest))
            for verb in self.ports:
                stack.callback(self._end, verb)
                self._spawn(verb, broker.bootstrap, postgres.url())
                until(partial(self._is_ready, verb), READY_S, 0.1, f"yujing {verb}")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(None, None, None)

    def client(self) -> httpx.Client:
        """Speaks to whichever service answers a path."""
        return httpx.Client(
            base_url="http://127.0.0.1", timeout=30, trust_env=False,
            transport=Routed(self.ports),
        )  # fmt: skip

    def _topics(self, broker: Broker) -> None:
        topics = Topics(broker.bootstrap, Security(), read_topics())
        try:
            topics.apply()
        finally:
            topics.close()

    def _going_on(self, broker: Broker) -> Instant:
        log = KafkaLog(broker.bootstrap)
        try:
            return last_tick(log) or self._start
        finally:
            log.close()

    def _spawn(self, verb: str, kafka: str, database: str) -> None:
        command = [
            # Ends with us, however we end.
            *(("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()),
            sys.executable, "-m", "services", verb, "--config", str(self._config),
            "--data", str(self._folder / verb), "--http", f"127.0.0.1:{self.ports[verb]}",
            "--kafka", kafka, "--database-url", database, "--instance", f"story-{verb}",
            "--clock", f"{LED}{self._folder.resolve() / 'clock'}",
        ]  # fmt: skip
        if verb == "ingest":
            command += ["--hj212", f"127.0.0.1:{self.hj212_port}"]
        if verb == "notify":
            command += ["--demo"]
        with (self._folder / f"{verb}.log").open("ab") as out:
            self.children[verb] = subprocess.Popen(  # noqa: S603  our own program
                command, cwd=ROOT, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )  # fmt: skip

    def _is_ready(self, verb: str) -> bool:
        child = self.children[verb]
        if child.poll() is not None:
            tail = (self._folder / f"{verb}.log").read_text("utf-8", "replace")[-2_000:]
            raise RuntimeError(f"yujing {verb} ended with {child.returncode}: {tail}")
        with suppress(httpx.TransportError):
            url = f"http://127.0.0.1:{self.ports[verb]}/readyz"
            return httpx.get(url, timeout=2, trust_env=False).status_code == 200
        return False

    def _end(self, verb: str) -> None:
        child = self.children.get(verb)
        if child is None or child.poll() is not None:
            return
        child.terminate()
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
