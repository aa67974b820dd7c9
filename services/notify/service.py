"""`yujing notify`: one replica of a cluster. Any number may run on one database; any may die.

Order of birth: configuration, topics, port, database, log, threads, listen. Order of death: stop
listening, finish attempts under way, give the lease back.
"""

import faulthandler
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.notify import amendments_topic
from services.notify import app as notify_app
from services.notify.alerts_feed import KafkaAlerts
from services.notify.amendments_topic import KafkaAmendments
from services.notify.api.app import notify_routes
from services.notify.campaign_writer import CampaignWriter, from_kafka
from services.notify.campaign_writer import run as run_campaign_writer
from services.notify.desk.desk import Desk
from services.notify.receipts import receipt_status
from services.notify.report_shelf import ReportShelf
from services.notify.sender import LOOK_EVERY_S
from services.notify.sender import run as run_sender
from shared.clock import Clock, ScenarioClock
from shared.config.load import load
from shared.errors import ConfigError, Unavailable
from shared.http.basics import basic_routes, openapi_route, problem_handlers
from shared.http.openapi import document
from shared.http.serving import Serving, block_signals, wait_for_end
from shared.log.facility_states import FacilityStates
from shared.log.kafka import KafkaLog
from shared.log.last_tick import last_tick
from shared.log.port import ALERTS, AMENDMENTS, FACILITIES
from shared.log.security import Security
from shared.log.topics import verify
from shared.model.configuration import Configuration
from shared.observe import logs
from shared.observe.metrics import Metrics
from shared.options import Options, bind, clock_of
from shared.version import version

log = structlog.get_logger()

TOPICS = (ALERTS, FACILITIES)
SENDERS = 4
REST_S = 2.0
STOP_S = 9.0


class Replica:
    """Everything that lives in the process, and the order in which it ends."""

    def __init__(
        self, options: Options, configuration: Configuration, clock: Clock, security: Security,
        http: socket.socket,
    ) -> None:  # fmt: skip
        self.options, self.configuration, self.clock = options, configuration, clock
        self.metrics = Metrics(CollectorRegistry())
        self.metrics.build.labels(version()).set(1)
        self.log = KafkaLog(options.kafka, security)
        if isinstance(clock, ScenarioClock) and (tick := last_tick(self.log)) is not None:
            clock.go_on_from(tick)
        self.desk = Desk.at_url(options.database_url)
        name = options.instance or f"{socket.gethostname()}-{os.getpid()}"
        self.notify, self.sender, self.links, self.channels = notify_app.build(
            self.desk, configuration, clock, self.metrics, replica=name
        )
        self.feed = KafkaAlerts(self.log, self.metrics)
        self._amendments_log = KafkaLog(options.kafka, security)
        """A connection of its own; none for a site that amends nothing."""
        self.states = FacilityStates(self.log)
        self.shelf = ReportShelf(self.desk, name)
        self.serving = Serving(http, self._app)
        self._wake_sender = threading.Event()
        self._threads: list[tuple[threading.Thread, threading.Event]] = []

    def start(self) -> None:
        wake = self._wake_sender
        self._thread("facility-states", self.states.run)
        self._thread(
            "notify",
            lambda stop: notify_app.run_partitions(
                self.notify, self.feed, self.clock, self._tick_us, self.metrics, stop, wake
            ),
        )
        if self.configuration.history_keep_us is not None:
            amendments = KafkaAmendments(self._amendments_log, self.metrics)
            self._thread(
                "amendments",
                lambda stop: amendments_topic.run(self.notify, amendments, stop, wake),
            )
        for number in range(SENDERS):
            # One looks for what other replicas left; all are woken when something is queued here.
            look_s = LOOK_EVERY_S if number == 0 else REST_S
            self._thread(f"sender-{number}", partial(self._send, look_s))
        if self.configuration.campaigns:
            self._thread("campaign-reports", self._write_campaign_reports)
        self.serving.start()

    def _write_campaign_reports(self, stop: threading.Event) -> None:
        writer = CampaignWriter(
            self.configuration.campaigns.values(), self.shelf,
            from_kafka(self.options.config, self.options.kafka, stop),
            lambda: last_tick(self.log),
        )  # fmt: skip
        run_campaign_writer(writer, self.clock, stop)

    def stop(self) -> None:
        """Within 15 seconds; what others have to know is in the database."""
        log.info("stopping")
        self.serving.stop()
        for thread, stop in self._threads:
            stop.set()
            self._wake_sender.set()
            thread.join(STOP_S)
        with suppress(Unavailable):
            self.notify.leave()
        self.desk.close()
        self._amendments_log.close()
        self.log.close()
        log.info("stopped")

    def _thread(self, name: str, target: Callable[[threading.Event], None]) -> None:
        stop = threading.Event()
        thread = threading.Thread(target=target, args=(stop,), name=name, daemon=True)
        thread.start()
        self._threads.append((thread, stop))

    def _send(self, look_s: float, stop: threading.Event) -> None:
        run_sender(self.sender, stop, self._wake_sender, look_s)

    def _tick_us(self) -> int:
        return self.configuration.timing.tick_us

    def _app(self) -> Starlette:
        served = notify_routes(
            self.notify, self.configuration, self.clock, read_link=self.links.read,
            read_status=receipt_status, facility_states=self.states.facilities,
            demo=self.options.demo, campaign_report=self.shelf.report,
        )  # fmt: skip
        routes: list[Any] = [
            *basic_routes(self.metrics.registry, self._ready, self._refresh),
            openapi_route(document(version())),
            *served,
        ]
        return Starlette(routes=routes, exception_handlers=problem_handlers())

    def _ready(self) -> str | None:
        try:
            self.notify.positions()
        except Unavailable as error:
            return str(error)
        return None

    def _refresh(self) -> None:
        self.metrics.clock.set(self.clock.now() / 1e6)
        with suppress(Unavailable):
            notify_app.refresh_metrics(self.notify, self.metrics, self.clock)
            self.feed.lag(self.notify.positions())


def topics_of(configuration: Configuration) -> tuple[str, ...]:
    """What is read; the amendments only where there may be some."""
    return TOPICS if configuration.history_keep_us is None else (*TOPICS, AMENDMENTS)


def run(options: Options) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    logs.configure(options.log_level)
    faulthandler.register(signal.SIGUSR1)
    block_signals()
    configuration = load(options.config, os.environ)
    clock = clock_of(options, configuration)
    security = Security.from_environment(os.environ)
    if not options.kafka or not options.database_url:
        raise ConfigError(
            "--kafka and --database-url: give the brokers as HOST:PORT[,HOST:PORT] and the "
            "database as postgresql://HOST/NAME, or use yujing serve"
        )
    verify(options.kafka, security, options.topics, topics_of(configuration))
    http = bind(options.http, "--http")
    try:
        replica = Replica(options, configuration, clock, security, http)
    except BaseException:
        http.close()
        raise
    replica.start()
    log.info("serving", service="notify", instance=options.instance)
    wait_for_end()
    replica.stop()
    return 0
