"""`yujing ingest`: the listeners of a cluster. Many may run; each keeps an index of its own.

Order of birth: configuration, topics, ports, data directory, log, threads, listen.
"""

import faulthandler
import os
import signal
import socket
import threading
from contextlib import suppress
from typing import Any

import structlog
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.ingest import api
from services.ingest.activation import activate, tick_us
from services.ingest.hj212.session import by_mn
from services.ingest.hj212_port import Hj212Port
from services.ingest.inbox import Inbox
from services.ingest.seen import Seen
from services.ingest.ticker import Ticker
from services.ingest.writer import Writer
from shared import data_directory
from shared.access import Gate
from shared.clock import Clock, ScenarioClock
from shared.config.load import load
from shared.data_directory import DataDirectory
from shared.errors import ConfigError
from shared.http.basics import basic_routes, openapi_route, problem_handlers
from shared.http.openapi import document
from shared.http.serving import Serving, block_signals, wait_for_end
from shared.log.kafka import KafkaLog
from shared.log.kafka_bundles import KafkaBundles
from shared.log.port import BUNDLES, DEAD_LETTERS, INBOX, REPORTS
from shared.log.security import Security
from shared.log.topics import verify
from shared.model.configuration import Configuration
from shared.model.instants import Instant
from shared.observe import logs
from shared.observe.metrics import Metrics
from shared.options import Options, bind, clock_of
from shared.reports.judge import Judge
from shared.version import version

log = structlog.get_logger()

TOPICS = (INBOX, REPORTS, BUNDLES, DEAD_LETTERS)


class Ingest:
    """Everything that lives in the process, and the order in which it ends."""

    def __init__(
        self, options: Options, configuration: Configuration, clock: Clock, security: Security,
        ports: tuple[socket.socket, socket.socket],
    ) -> None:  # fmt: skip
        self.options, self.configuration, self.clock = options, configuration, clock
        self.metrics = Metrics(CollectorRegistry())
        self.metrics.build.labels(version()).set(1)
        self.directory = DataDirectory(options.data)
        self.log = KafkaLog(options.kafka, security)
        self.seen = Seen(self.directory.path / "ingest.db", self.log)
        self.writer = Writer(
            log_=self.log, seen=self.seen, judge=Judge(configuration), clock=clock,
            metrics=self.metrics,
        )  # fmt: skip
        self.writer.start()
        if isinstance(clock, ScenarioClock) and self.seen.last_tick_us is not None:
            clock.go_on_from(Instant(self.seen.last_tick_us))
        activate(configuration, self.seen, KafkaBundles(self.log), self.writer, clock)
        self.ticker = Ticker(
            self.writer, clock, lambda: tick_us(configuration, clock), self.metrics,
            self.seen.last_tick_us,
        )  # fmt: skip
        zone = configuration.site.zone
        self.inbox = Inbox(options.kafka, security.kafka_python(), self.writer, zone, self.metrics)
        self.hj212 = Hj212Port(
            submission=self.writer, stations=by_mn(configuration.stations),
            catalogue=configuration.indicators, flags=configuration.flags, zone=zone, metrics=self.metrics,
        )  # fmt: skip
        self._hj212_socket = ports[1]
        self.serving = Serving(
            ports[0], self._app, start_beside=self._open_hj212, stop_beside=self._close_hj212
        )

    def start(self) -> None:
        self.ticker.start()
        self.serving.start()
        self.inbox.start()

    def stop(self) -> None:
        """Stop listening, make durable and answer what was taken, then go."""
        log.info("stopping")
        self.serving.stop()
        self.inbox.close()
        self.ticker.close()
        self.writer.close()
        with suppress(Exception):
            self.seen.close()
        self.log.close()
        self.directory.close()
        log.info("stopped")

    async def _open_hj212(self) -> None:
        await self.hj212.serve(self._hj212_socket)

    async def _close_hj212(self) -> None:
        await self.hj212.stop(2.0)

    def _app(self) -> Starlette:
        gate = Gate(self.configuration)
        routes: list[Any] = [
            *basic_routes(self.metrics.registry, self._ready, self._refresh),
            openapi_route(document(version())),
            *api.routes(self.writer, gate, self.configuration, self.log, self.metrics),
        ]
        return Starlette(routes=routes, exception_handlers=problem_handlers())

    def _ready(self) -> str | None:
        if not self.writer.healthy:
            return "the log cannot be written; look at the broker"
        return None

    def _refresh(self) -> None:
        self.metrics.clock.set(self.clock.now() / 1e6)
        self.metrics.log_available.set(int(self.writer.healthy))


def run(options: Options) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    logs.configure(options.log_level)
    faulthandler.register(signal.SIGUSR1)
    block_signals()
    configuration = load(options.config, os.environ)
    clock = clock_of(options, configuration)
    security = Security.from_environment(os.environ)
    if not options.kafka:
        raise ConfigError("--kafka: give the brokers as HOST:PORT[,HOST:PORT], or use yujing serve")
    data_directory.check(options.data)
    verify(options.kafka, security, options.topics, TOPICS)
    ports = bind(options.http, "--http"), bind(options.hj212, "--hj212")
    ingest = Ingest(options, configuration, clock, security, ports)
    ingest.start()
    log.info("serving", service="ingest", threads=threading.active_count())
    wait_for_end()
    ingest.stop()
    return 0
