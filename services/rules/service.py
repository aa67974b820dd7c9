"""`yujing rules`: partitions of the judged log on Kafka, state in PostgreSQL. Many may run.

Order of birth: configuration, topics, port, database, out, HTTP, partitions. Order of death: the
last checkpoint and the group, then HTTP.
"""

import asyncio
import faulthandler
import os
import signal
import socket
import threading
from contextlib import suppress
from typing import Any

import msgspec
import structlog
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.rules import api, why_api
from services.rules.alerts_out import ConfluentOut
from services.rules.amenders import Amenders
from services.rules.episodes_api import EpisodesApi
from services.rules.faust_app import FaustRules, die
from services.rules.history_replies import HistoryReplies
from services.rules.keeper import Keeper
from services.rules.partition import Partition
from services.rules.partition_store import PartitionStore
from services.rules.past import Past
from services.rules.postgres import Session
from services.rules.report_api import ReportWhy
from services.rules.shares import Shares
from services.rules.statuses import Statuses
from shared.access import Gate
from shared.clock import Clock, real_monotonic
from shared.config.load import load
from shared.errors import ConfigError, Unavailable
from shared.http.basics import basic_routes, openapi_route, problem_handlers
from shared.http.openapi import document
from shared.http.serving import Serving
from shared.log.facility_states import FacilityStates
from shared.log.kafka import KafkaLog
from shared.log.kafka_bundles import KafkaBundles
from shared.log.port import ALERTS, AMENDMENTS, BUNDLES, DEAD_LETTERS, FACILITIES, REPORTS
from shared.log.security import Security
from shared.log.topics import verify
from shared.model.configuration import Bundle, Configuration, decode_bundle, encode_bundle
from shared.model.partition import partition_of
from shared.observe import logs
from shared.observe.metrics import Metrics
from shared.options import Options, bind, clock_of
from shared.version import version

log = structlog.get_logger()

TOPICS = (REPORTS, ALERTS, FACILITIES, BUNDLES, DEAD_LETTERS)
STOP_S = 12.0
LAST_AMENDED_S = 1.0
"""What is not finished by then is made again by the next owner."""
AMENDING_S = 60
"""The longest statement of an amender: the readings of one station and interval."""


class Rules:
    """Everything that lives in the process, and the order in which it ends."""

    def __init__(
        self, options: Options, configuration: Configuration, clock: Clock, security: Security,
        http: socket.socket,
    ) -> None:  # fmt: skip
        self.configuration, self.clock = configuration, clock
        self.metrics = Metrics(CollectorRegistry())
        self.metrics.build.labels(version()).set(1)
        self.log = KafkaLog(options.kafka, security)
        self.partitions = same_partitions(self.log, topics_of(configuration))
        self.store = PartitionStore(options.database_url)
        self.history = self._history(options.database_url)
        self.out = ConfluentOut(options.kafka, security)
        self.states = FacilityStates(self.log)
        self.bundles = KafkaBundles(self.log)
        self._reread = KafkaLog(options.kafka, security)
        """A connection of its own for questions about the past; none before the first."""
        self._kept = KafkaLog(options.kafka, security)
        """And one for what amends it."""
        self.past = self._past()
        self._stop = threading.Event()
        self._reader = threading.Thread(
            target=self._read_states, name="facility-states", daemon=True
        )
        self._amender: threading.Thread | None = None
        self._amended = threading.Event()
        self.serving = Serving(http, self._app)
        self.faust: FaustRules | None = None
        self._security, self._options = security, options

    async def run(self) -> int:
        """Until SIGTERM or SIGINT."""
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        self._reader.start()
        self.serving.start()
        options = self._options
        self.faust = FaustRules(
            bootstrap=options.kafka, security=self._security, instance=options.instance or None,
            metrics=self.metrics, die=die,
        )  # fmt: skip
        shares = Shares(self.bundles, self.partitions)
        keeper = Keeper(
            make=lambda number: Partition(number, self.partitions, shares.of),
            checkpoints=self.store, out=self.out,
            statuses=Statuses(self.out, self.partitions, self.metrics), clock=self.clock,
            metrics=self.metrics, commit=self.faust.commit, behind=self.faust.behind,
        )  # fmt: skip
        await self.faust.start(keeper)
        log.info("serving", service="rules", partitions=self.partitions)
        self._amend(keeper, shares)
        await self.faust.run_until(stop)
        log.info("stopping")
        self._amended.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self.faust.stop()
        await asyncio.to_thread(self._close)
        log.info("stopped")
        return 0

    def _history(self, url: str) -> HistoryReplies | None:
        """None for a site that amends nothing: it has none of the tables."""
        return None if self.configuration.history_keep_us is None else HistoryReplies(url)

    def _amend(self, keeper: Keeper, shares: Shares) -> None:
        """A thread beside the judging, with connections of its own; it may die with the process."""
        keep_us = self.configuration.history_keep_us
        if keep_us is None:
            return

        def share_of(name: str, number: int) -> Bundle:
            # A territory's members are spread over partitions: its roll-ups are not amended here.
            return msgspec.structs.replace(shares.of(name, number), rollups=())

        amenders = Amenders(
            owned=lambda: dict(keeper.owned), log_=self._kept, keep_us=keep_us,
            session=Session(self._options.database_url, AMENDING_S), share_of=share_of,
            metrics=self.metrics,
        )  # fmt: skip
        self._amender = threading.Thread(
            target=amenders.run, args=(self._amended, die), name="amenders", daemon=True
        )
        self._amender.start()

    def _read_states(self) -> None:
        """Not before our partitions are judged again: that is what everybody waits for."""
        while not self._stop.wait(0.2):
            if self.faust is not None and self.faust.settled:
                self.states.run(self._stop)

    def _close(self) -> None:
        self._stop.set()
        self.serving.stop()
        if self._amender is not None:
            self._amender.join(LAST_AMENDED_S)
            if not self._amender.is_alive():
                self._kept.close()
        self.out.close()
        self.store.close()
        if self.history is not None:
            self.history.close()
        self._reread.close()
        self.log.close()

    def _past(self) -> Past:
        """Any worker answers for any partition: it reads that one. Where the log no longer names a
        configuration, the one we were started with is taken, and the answer says so.
        """
        own = self.configuration.bundle()
        own_name, _ = encode_bundle(own)

        def bundle_of(name: str) -> Bundle:
            return own if name == own_name else decode_bundle(self.bundles.get(name))

        return Past(
            self._reread, bundle_of, lambda: own_name, real_monotonic,
            partition_of=self._partition_of, keeps_all=False,
            one_log=False,
        )  # fmt: skip

    def _report_why(self, gate: Gate) -> ReportWhy:
        return ReportWhy(
            self._reread, self.past, self.store, gate, self.configuration, self._partition_of,
            real_monotonic, self.history,
        )  # fmt: skip

    def _partition_of(self, facility: str) -> int:
        return partition_of(facility, self.partitions)

    def _app(self) -> Starlette:
        gate = Gate(self.configuration)
        routes: list[Any] = [
            *basic_routes(self.metrics.registry, self._ready, self._refresh),
            openapi_route(document(version())),
            *api.routes(self.states, self.store, gate, self.configuration),
            *self._episodes(gate).routes(),
            *why_api.routes(self.past, gate, self.configuration),
            *self._report_why(gate).routes(),
        ]
        return Starlette(routes=routes, exception_handlers=problem_handlers())

    def _episodes(self, gate: Gate) -> EpisodesApi:
        asked = api.RulesApi(self.states, self.store, gate, self.configuration)
        keep_us = self.configuration.history_keep_us or 0
        return EpisodesApi(asked, self.store, self.history, self.bundles, keep_us)

    def _ready(self) -> str | None:
        if self.faust is None or not self.faust.settled:
            return "partitions are being handed out; look at the broker if this stays"
        return None

    def _refresh(self) -> None:
        self.metrics.clock.set(self.clock.now() / 1e6)


def topics_of(configuration: Configuration) -> tuple[str, ...]:
    """What is used; the amendments only where there may be some."""
    return TOPICS if configuration.history_keep_us is None else (*TOPICS, AMENDMENTS)


def same_partitions(log_: KafkaLog, topics: tuple[str, ...]) -> int:
    """How many partitions the judged log has; what leaves has as many, so that topics can be joined.

    Raises:
        ConfigError: they differ.

    """
    counts = {
        topic: log_.partitions(topic)
        for topic in (REPORTS, ALERTS, AMENDMENTS, FACILITIES)
        if topic in topics
    }
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{topic} has {count}" for topic, count in counts.items())
        raise ConfigError(
            f"topics.yaml: {told} partitions; they must have the same number, or a facility's "
            "transitions leave its partition: make the topics anew with yujing topics apply"
        )
    return counts[REPORTS]


def run(options: Options) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    logs.configure(options.log_level)
    faulthandler.register(signal.SIGUSR1)
    configuration = load(options.config, os.environ)
    clock = clock_of(options, configuration)
    security = Security.from_environment(os.environ)
    for flag, value in (("--kafka", options.kafka), ("--database-url", options.database_url)):
        if not value:
            raise ConfigError(f"{flag} is needed by yujing rules, or use yujing serve")
    verify(options.kafka, security, options.topics, topics_of(configuration))
    http = bind(options.http, "--http")
    try:
        rules = Rules(options, configuration, clock, security, http)
    except Unavailable:
        http.close()
        raise
    return asyncio.run(rules.run())
