"""Amenders of a cluster: one for each partition that is ours, behind the judging, told after it.

    record judged -> history and amendments, one fenced transaction -> alerts acknowledged
                  -> `yujing.amendments.v1` -> marked as published

A crash anywhere repeats work with the same ids: the position stands with its effects, and what is
not marked is published again, which notify knows. One thread for all partitions of the process.
"""

import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple

import structlog

from services.rules.amender import Amender
from services.rules.checkpoints import Fenced
from services.rules.history_database import PartitionHistory
from services.rules.owned import Owned
from services.rules.postgres import Session
from shared.clock import real_monotonic
from shared.errors import NewerData, Unavailable
from shared.log.port import AMENDMENTS, Log
from shared.model.amendment import encode_amendment
from shared.model.configuration import Bundle
from shared.observe.metrics import Metrics

ENTRIES = 50
"""Of one partition before it is another one's turn."""
PUBLISHED = 200
REST_S = 0.2
AWAY_S = 1.0

log = structlog.get_logger()


class Ours(NamedTuple):
    """The amender of a partition as long as we own it under this epoch."""

    epoch: int
    amender: Amender
    history: PartitionHistory


class Amenders:
    """`turn` is one round; `run` goes on until it is stopped."""

    def __init__(
        self, *, owned: Callable[[], Mapping[int, Owned]], log_: Log, session: Session,
        share_of: Callable[[str, int], Bundle], keep_us: int, metrics: Metrics,
        monotonic: Callable[[], float] = real_monotonic,
    ) -> None:  # fmt: skip
        self._owned, self._log, self._session = owned, log_, session
        self._share_of, self._keep_us, self._metrics = share_of, keep_us, metrics
        self._monotonic = monotonic
        self._ours: dict[int, Ours] = {}
        self._stuck: dict[int, float] = {}
        """Until when a partition that failed is let alone; the others go on."""

    def turn(self) -> bool:
        """
        Once round our partitions; whether anything moved.

        Raises:
            NewerData: a newer program wrote the history of a partition.

        """
        owned = self._owned()
        for number, ours in list(self._ours.items()):
            if number not in owned or owned[number].epoch != ours.epoch:
                del self._ours[number]
        is_moved = False
        for number, own in sorted(owned.items()):
            if own.suspect or self._monotonic() < self._stuck.get(number, 0.0):
                continue
            try:
                is_moved |= self._one(number, own)
                self._stuck.pop(number, None)
            except NewerData:
                raise
            except Exception as error:
                self._failed(number, error)
        return is_moved

    def _failed(self, number: int, error: Exception) -> None:
        """What is in memory is ahead of what is kept: it is made anew from there."""
        self._ours.pop(number, None)
        self._stuck[number] = self._monotonic() + AWAY_S
        if isinstance(error, Fenced):
            log.info("amender_ended", partition=number, detail=str(error))
        elif isinstance(error, Unavailable):
            log.error("amender_waiting", partition=number, detail=str(error))
        else:
            log.error("amender_step_failed", partition=number, exc_info=error)
            self._metrics.failures.labels("rules").inc()

    def _one(self, number: int, own: Owned) -> bool:
        ours = self._ours.get(number)
        if ours is None:
            ours = self._ours[number] = self._made(number, own)
        is_moved = False
        # Judging goes first: what it has not reached is not looked at here.
        if ours.amender.position <= own.machine.next:
            is_moved = ours.amender.pump(ENTRIES) > 0
        if ours.history.owes:
            is_moved |= self._publish(number, own, ours.history)
        return is_moved

    def _made(self, number: int, own: Owned) -> Ours:
        history = PartitionHistory(self._session, number, own.epoch)
        amender = Amender(
            self._log, lambda name: self._share_of(name, number), history, self._keep_us,
            self._metrics, partition=number, begins=own.began,
        )  # fmt: skip
        return Ours(own.epoch, amender, history)

    def _publish(self, number: int, own: Owned, history: PartitionHistory) -> bool:
        """What the brokers have every alert for; the rest waits, in its order."""
        ready = []
        for seq, amendment in history.unpublished(PUBLISHED):
            if amendment.position > own.told:
                break
            ready.append((seq, amendment))
        if ready:
            entries = [(each.facility, encode_amendment(each)) for _, each in ready]
            self._log.append(AMENDMENTS, entries, number)
            history.published([seq for seq, _ in ready])
        return bool(ready)

    def run(self, stop: threading.Event, die: Callable[[BaseException], None]) -> None:
        """Until `stop`; `die` when a newer program was here."""
        while not stop.is_set():
            try:
                if not self.turn():
                    stop.wait(REST_S)
            except NewerData as error:
                die(error)
                return
