"""All three services in one process on SQLite: `yujing serve`.

Order of birth: configuration, look at the data directory, take the ports, lock the directory,
open the databases, start the threads, listen. Order of death: stop listening, finish what was
accepted, judge it, finish attempts under way, keep the state.
"""

import faulthandler
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.authoring.campaign_reports import CampaignReports, by_command_line, written_report
from services.authoring.campaign_reports import run as run_campaign_reports
from services.ingest import api as ingest_api
from services.ingest.activation import activate, tick_us
from services.ingest.hj212.session import by_mn
from services.ingest.hj212_port import Hj212Port
from services.ingest.lookup import ReportLookup
from services.ingest.seen import Seen
from services.ingest.ticker import Ticker
from services.ingest.writer import Writer
from services.notify import app as notify_app
from services.notify.amendments_feed import run as run_amendments
from services.notify.api.app import notify_routes
from services.notify.desk.desk import Desk
from services.notify.receipts import receipt_status
from services.notify.sender import run as run_sender
from services.rules import api as rules_api
from services.rules import why_api
from services.rules import worker as rules_worker
from services.rules.amender import history_of
from services.rules.amender import run as run_amender
from services.rules.episodes_api import EpisodesApi
from services.rules.past import Past
from services.rules.store import RulesStore
from services.rules.worker import RulesWorker
from services.why import Why
from shared import data_directory
from shared.access import Gate
from shared.clock import Clock, ScenarioClock, real_monotonic
from shared.config.load import load
from shared.data_directory import DataDirectory
from shared.errors import Unavailable
from shared.http.basics import basic_routes, openapi_route, problem_handlers
from shared.http.openapi import document
from shared.http.serving import Serving, block_signals, wait_for_end
from shared.log.sqlite import SqliteLog
from shared.model.configuration import Configuration, decode_bundle
from shared.model.instants import Instant
from shared.observe import logs
from shared.observe.metrics import Metrics
from shared.options import Options, bind, clock_of
from shared.reports.judge import Judge
from shared.version import version

log = structlog.get_logger()

SENDERS = 4
STOP_S = 9.0


class Running:
    """Everything that lives in the process, and the order in which it ends."""

    def __init__(self, options: Options, configuration: Configuration, clock: Clock, *,
                 ports: tuple[socket.socket, socket.socket]) -> None:  # fmt: skip
        self.options, self.configuration, self.clock = options, configuration, clock
        self._ports = ports
        self._wake_sender = threading.Event()
        self._threads: list[tuple[threading.Thread, threading.Event]] = []
        self.metrics = Metrics(CollectorRegistry())
        self.metrics.build.labels(version()).set(1)
        self.directory = DataDirectory(options.data)
        path = self.directory.path
        self.log = SqliteLog(path / "log.db")
        self.seen = Seen(path / "ingest.db", self.log)
        self.writer = Writer(
            log_=self.log, seen=self.seen, judge=Judge(configuration), clock=clock,
            metrics=self.metrics,
        )  # fmt: skip
        self.writer.start()
        if isinstance(clock, ScenarioClock) and self.seen.last_tick_us is not None:
            clock.go_on_from(Instant(self.seen.last_tick_us))
        activate(configuration, self.seen, self.log, self.writer, clock)
        self.ticker = Ticker(self.writer, clock, self.tick_us, self.metrics, self.seen.last_tick_us)
        self.store = RulesStore(path / "rules.db")
        self.rules = RulesWorker(self.log, self.log, self.store, self.metrics)
        self.past = Past(
            self.log, lambda name: decode_bundle(self.log.get(name)), self.rules.bundle_name,
            real_monotonic,
        )  # fmt: skip
        self.history, self.amender = history_of(
            path / "history.db", configuration, self.log, self.metrics
        )
        self.desk = Desk.at(path / "desk.db")
        self.notify, self.sender, self.links, self.channels = notify_app.build(
            self.desk, configuration, clock, self.metrics
        )
        lookup = ReportLookup(path / "ingest.db", self.log)
        self.notify.explain = Why(
            configuration,
            lookup,
            self.rules,
            self.store,
            self.notify.told_why,
            self.past,
            self.history,
        )
        self.gate = Gate(configuration)
        self._hj212 = Hj212Port(
            submission=self.writer, stations=by_mn(configuration.stations),
            catalogue=configuration.indicators, flags=configuration.flags,
            zone=configuration.site.zone, metrics=self.metrics,
        )  # fmt: skip
        self._serving = Serving(
            ports[0], self._app, start_beside=self._open_hj212, stop_beside=self._close_hj212
        )

    def tick_us(self) -> int:
        """Program time between two ticks now."""
        return tick_us(self.configuration, self.clock)

    # -- life --------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the threads and listen; returns when both ports answer."""
        self.notify.recover_claims(self.clock.now())
        wake = self._wake_sender
        self._thread("rules", lambda stop: rules_worker.run(self.rules, self.log, stop))
        if (amender := self.amender) is not None and (history := self.history) is not None:
            self._thread("amender", lambda stop: run_amender(amender, self.log, stop))
            self._thread(
                "amendments",
                lambda stop: run_amendments(
                    self.notify, history, self.rules.decided, self.clock, stop, wake
                ),
            )
        self._thread(
            "notify",
            lambda stop: notify_app.run(
                self.notify, self.store, self.clock, self.tick_us, self.metrics, stop, wake
            ),
        )
        for number in range(SENDERS):
            self._thread(f"sender-{number}", lambda stop: run_sender(self.sender, stop, wake))
        if self.configuration.campaigns:
            self._thread("campaign-reports", self._write_campaign_reports)
        self.ticker.start()
        self._serving.start()

    def _write_campaign_reports(self, stop: threading.Event) -> None:
        configuration, data = self.configuration, self.directory.path
        make = by_command_line(self.options.config, data, stop)
        reports = CampaignReports(configuration.campaigns, configuration.site.zone, data, make)
        run_campaign_reports(reports, self.clock, stop)

    def _thread(self, name: str, target: Callable[[threading.Event], None]) -> None:
        """A thread with a stop of its own: they end in the order in which a reading passes them."""
        stop = threading.Event()
        thread = threading.Thread(target=target, args=(stop,), name=name, daemon=True)
        thread.start()
        self._threads.append((thread, stop))

    def stop(self) -> None:
        """Within 15 seconds: nothing lost, nothing sent twice."""
        log.info("stopping")
        self._serving.stop()
        self.ticker.close()
        self.writer.close()
        for thread, stop in self._threads:
            stop.set()
            self._wake_sender.set()
            thread.join(STOP_S)
        self.desk.close()
        self.store.close()
        if self.history is not None:
            self.history.close()
        with suppress(Exception):
            self.seen.close()
        self.log.close()
        self.directory.close()
        log.info("stopped")

    # -- listening ---------------------------------------------------------------------------

    async def _open_hj212(self) -> None:
        await self._hj212.serve(self._ports[1])

    async def _close_hj212(self) -> None:
        await self._hj212.stop(2.0)

    def _app(self) -> Starlette:
        configuration = self.configuration
        served = notify_routes(
            self.notify, configuration, self.clock, read_link=self.links.read,
            read_status=receipt_status, facility_states=self.rules.facilities,
            demo=self.options.demo,
            campaign_report=lambda campaign: written_report(
                self.directory.path, campaign, configuration.site.zone
            ),
        )  # fmt: skip
        routes: list[Any] = [
            *basic_routes(self.metrics.registry, self._ready, self._refresh),
            openapi_route(document(version())),
            *ingest_api.routes(self.writer, self.gate, configuration, self.log, self.metrics),
            *rules_api.routes(self.rules, self.store, self.gate, configuration),
            *why_api.routes(self.past, self.gate, configuration),
            *EpisodesApi(
                rules_api.RulesApi(self.rules, self.store, self.gate, configuration),
                self.store,
                self.history,
                self.log,
                configuration.history_keep_us or 0,
            ).routes(),
            *served,
        ]
        return Starlette(routes=routes, exception_handlers=problem_handlers())

    def _ready(self) -> str | None:
        if not self.writer.healthy:
            return "the log cannot be written; free disk space or mend the disk"
        return None

    def _refresh(self) -> None:
        now = self.clock.now()
        self.metrics.clock.set(now / 1e6)
        self.metrics.log_available.set(int(self.writer.healthy))
        self.rules.refresh_metrics()
        with suppress(Unavailable):
            notify_app.refresh_metrics(self.notify, self.metrics, self.clock)

    @property
    def http_address(self) -> tuple[str, int]:
        host, port = self._ports[0].getsockname()[:2]
        return host, port

    @property
    def hj212_address(self) -> tuple[str, int]:
        host, port = self._ports[1].getsockname()[:2]
        return host, port


def prepare(
    options: Options, *, clock: Callable[[Options, Configuration], Clock] = clock_of
) -> Running:
    """Check everything, then open everything.

    Raises:
        ConfigError, InUse, NewerData: nothing was opened for writing, no port is open.
    """
    configuration = load(options.config, os.environ)
    chosen = clock(options, configuration)
    data_directory.check(options.data)
    http = bind(options.http, "--http")
    try:
        hj212 = bind(options.hj212, "--hj212")
    except BaseException:
        http.close()
        raise
    try:
        return Running(options, configuration, chosen, ports=(http, hj212))
    except BaseException:
        http.close()
        hj212.close()
        raise


def serve(options: Options) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    logs.configure(options.log_level)
    faulthandler.register(signal.SIGUSR1)  # where every thread stands, for operators
    block_signals()
    running = prepare(options)
    running.start()
    (http, http_port), (hj212, hj212_port) = running.http_address, running.hj212_address
    log.info("serving", http=f"{http}:{http_port}", hj212=f"{hj212}:{hj212_port}")
    wait_for_end()
    running.stop()
    return 0
