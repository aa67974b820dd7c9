"""Faust as a thin adapter: it hands out partitions and records; the keeper decides the rest.

Most of Faust's obvious hooks lose data (docs/decisions/0037). The one safe place to restore and
to say where to read on is `Consumer.perform_seek`: after every rebalance, while nothing flows.
The other override saves four tasks a message and changes nothing of what happens.
"""

import asyncio
import os
from asyncio import iscoroutine
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from functools import partial
from typing import Any

import faust
import structlog
from aiokafka.errors import IllegalStateError  # type: ignore[import-untyped]
from aiokafka.structs import (  # type: ignore[import-untyped]
    OffsetAndMetadata,
    TopicPartition,
)
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.services import WaitResults

from services.rules.keeper import Keeper
from shared.errors import NewerData
from shared.log.port import REPORTS
from shared.log.security import Security
from shared.observe.metrics import Metrics

GROUP = "yujing-rules"
EXIT_NEWER = 4
"""Contract §1: a restart would not help."""
SESSION_S, HEARTBEAT_S = 10, 1
"""How long the partitions of a dead worker stand still. The broker's floor is 6 s."""
LARGEST_FETCH = 4 * 1024 * 1024
COMMIT_S = 5.0
ENDS_S = 15.0

log = structlog.get_logger()


class RulesApp(faust.App):  # type: ignore[misc]
    """One agent on one topic; nothing is kept by Faust itself, so it needs no directories."""

    rules: "FaustRules"

    def _create_directories(self) -> None: ...


class _Consumer(driver.Consumer):  # type: ignore[misc]
    async def perform_seek(self) -> None:
        await super().perform_seek()  # to the committed offsets ...
        for tp, offset in (await self.app.rules.take_over(self)).items():
            await self.seek(tp, offset)  # ... and then to ours, which are what counts

    async def wait_first(self, *coros: Any, timeout: Any = None) -> WaitResults:  # noqa: ASYNC109
        """What Faust does with every message; its four tasks are for one that must wait only."""
        if len(coros) == 2 and timeout is None and iscoroutine(coros[0]):
            message, suspended = coros
            try:
                waits_for = message.send(None)
            except StopIteration as done:
                suspended.close()
                return WaitResults([message], [done.value], stopped=False)
            coros = (Rest(message, waits_for), suspended)
        return await super().wait_first(*coros, timeout=timeout)


def records_behind(consumer: Any, partition: int, position: int) -> int:
    """As the consumer knows it; nothing while a rebalance has taken the partition off it.

    aiokafka asserts that it is assigned, and between two rebalances it is not, for a moment in
    which the keeper has not heard of it yet. A measure is no reason to die.
    """
    try:
        end = consumer.highwater(TP(REPORTS, partition))
    except (AssertionError, IllegalStateError):
        return 0
    return 0 if end is None else max(0, end - position)


class Rest:
    """A coroutine that was begun already, as something to await: it goes on where it waits."""

    def __init__(self, begun: Coroutine[Any, Any, Any], waits_for: Any) -> None:
        self._begun, self._waits_for = begun, waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        while True:
            try:
                sent = yield self._waits_for
            except BaseException as error:
                step = partial(self._begun.throw, error)
            else:
                step = partial(self._begun.send, sent)
            try:
                self._waits_for = step()
            except StopIteration as done:
                return done.value


class _Transport(driver.Transport):  # type: ignore[misc]
    Consumer = _Consumer


class FaustRules:
    """Runs a keeper on `yujing.reports.v1` until `stop`. Any failure of its own is `die`."""

    def __init__(
        self, *, bootstrap: str, security: Security, instance: str | None, metrics: Metrics,
        die: Callable[[BaseException], None], group: str = GROUP,
    ) -> None:  # fmt: skip
        self._metrics, self._die = metrics, die
        self.settled = False
        """Partitions are handed out: ours, or none was free."""
        self.keeper: Keeper | None = None
        self.app = RulesApp(**_settings(bootstrap, security, instance, group))
        self.app.rules = self
        self.app.transport = _Transport(self.app.conf.broker, self.app)
        self.app.on_partitions_revoked.connect(self._give_up)  # still a member: may be handed over
        self.app.on_partitions_assigned.connect(self._assigned)
        self.app.on_before_shutdown.connect(self._give_up)  # Faust fires no revoke then
        # acks=False: Faust itself never commits this topic.
        channel = self.app.topic(
            REPORTS, key_serializer="raw", value_serializer="raw", acks=False, internal=False
        )
        self.app.agent(channel, concurrency=1, name="rules")(self._agent)
        self._loops: list[asyncio.Task[None]] = []

    async def start(self, keeper: Keeper) -> None:
        self.keeper = keeper
        await self.app.start()
        for work in (keeper.beat_for_ever, keeper.keep_for_ever, self._measure_for_ever):
            self._loops.append(asyncio.ensure_future(self._or_die(work())))

    async def stop(self) -> None:
        """Hand over: the last checkpoint, then leave."""
        await self.app.stop()
        for loop in self._loops:
            loop.cancel()

    async def run_until(self, stop: asyncio.Event) -> None:
        """Until `stop`, or until Faust crashed (then `die`)."""
        await self.app.wait_first(stop.wait())
        if not stop.is_set():
            reason = getattr(self.app, "_crash_reason", None)
            self._die(reason or RuntimeError("Faust stopped by itself"))

    async def commit(self, partition: int, offset: int) -> None:
        """For dashboards of lag only: that it fails is worth a line, not more."""
        try:
            thread = self.app.consumer._thread
            consumer = thread._ensure_consumer()
            offsets = {TopicPartition(REPORTS, partition): OffsetAndMetadata(offset, "")}
            await asyncio.wait_for(thread.call_thread(consumer.commit, offsets), COMMIT_S)
        except Exception as error:
            log.info("offset_not_committed", partition=partition, detail=str(error))

    def behind(self, partition: int, position: int) -> int:
        """Records after a position, as far as the brokers told us."""
        return records_behind(self.app.consumer, partition, position)

    # -- what Faust calls ----------------------------------------------------------------------

    async def _agent(self, stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            await self._or_die(
                self._keeper.take(message.partition, message.key, message.value, message.offset)
            )

    async def take_over(self, consumer: Any) -> Mapping[TP, int]:
        """Called by the consumer after every rebalance, while no record flows."""
        self._metrics.rebalances.inc()
        assigned = [tp for tp in consumer.assignment() if tp.topic == REPORTS]
        taken: dict[int, int] = {}

        async def take() -> None:
            numbers = [tp.partition for tp in assigned]
            taken.update(
                await self._keeper.take_over(numbers, await self._ends(consumer, assigned))
            )

        await self._or_die(take())
        self.settled = True
        return {TP(REPORTS, number): offset for number, offset in taken.items()}

    async def _assigned(self, *_: object, **__: object) -> None:
        """Faust seeks nowhere when no partition was free for us: then there is nothing to restore."""
        assigned = self.app.consumer.assignment()
        if not any(tp.topic == REPORTS for tp in assigned):
            self.settled = True

    async def _ends(self, consumer: Any, assigned: list[TP]) -> dict[int, int]:
        """Where the log ends; nothing when the broker does not say in time."""
        if not assigned:
            return {}
        try:
            found = await asyncio.wait_for(consumer.highwaters(*assigned), ENDS_S)
        except Exception as error:
            log.warning("log_end_unknown", detail=str(error))
            return {}
        return {tp.partition: end for tp, end in found.items()}

    async def _give_up(self, *_: object, **__: object) -> None:
        self.settled = False
        await self._or_die(self._keeper.give_up())

    # -- around --------------------------------------------------------------------------------

    @property
    def _keeper(self) -> Keeper:
        assert self.keeper is not None
        return self.keeper

    async def _or_die(self, work: Awaitable[None]) -> None:
        """Faust would count the record as done and go on: the process ends instead."""
        try:
            await work
        except Exception as error:
            self._die(error)

    async def _measure_for_ever(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            for number, own in self._keeper.owned.items():
                lag = self.behind(number, own.machine.next)
                self._metrics.consumer_lag.labels(REPORTS, str(number)).set(lag)


def die(error: BaseException) -> None:
    """End without another word to anybody: what is durable says where the next one goes on."""
    log.critical("rules_end", error=type(error).__name__, detail=str(error), exc_info=error)
    os._exit(EXIT_NEWER if isinstance(error, NewerData) else 1)


def _settings(
    bootstrap: str, security: Security, instance: str | None, group: str
) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if security.username is not None:
        more["broker_credentials"] = faust.SASLCredentials(
            username=security.username, password=security.password,
            mechanism="SCRAM-SHA-512", ssl_context=security.context(),
        )  # fmt: skip
    if instance:
        more["consumer_group_instance_id"] = instance
    servers = [f"aiokafka://{server}" for server in bootstrap.split(",")]
    return more | {
        "id": group,
        "broker": servers,
        "store": "memory://",
        "autodiscover": False,
        "topic_disable_leader": True,
        "topic_allow_declare": False,
        "web_enabled": False,
        "stream_wait_empty": False,
        "table_standby_replicas": 0,
        "broker_max_poll_records": 200,
        "stream_buffer_maxsize": 256,
        "consumer_max_fetch_size": LARGEST_FETCH,
        "consumer_auto_offset_reset": "earliest",
        "broker_session_timeout": SESSION_S,
        "broker_heartbeat_interval": HEARTBEAT_S,
        "worker_redirect_stdouts": False,
    }
