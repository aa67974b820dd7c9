"""The keeper: which partitions this process judges, and what is durable when.

    transitions acknowledged by Kafka -> rows of transitions -> checkpoint -> group offset

So group offset <= checkpoint <= what was told: a crash anywhere repeats work with the same
identities and never skips it. The checkpoint says where to read on; the group's offset is for
dashboards. Nothing here knows Faust; everything runs in one event loop but what PostgreSQL does.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import structlog

from services.rules.alerts_out import Batch, Out
from services.rules.checkpoints import Checkpoints, Fenced
from services.rules.collector import Collector
from services.rules.contributions_out import contribution_words
from services.rules.owned import Owned, taken
from services.rules.partition import Alert, Partition, Reject
from services.rules.statuses import Statuses
from shared.clock import Clock, real_monotonic
from shared.errors import Unavailable
from shared.log.port import ALERTS, DEAD_LETTERS, REPORTS
from shared.model.severity import Severity
from shared.observe.metrics import Metrics
from shared.reports.dead_letter import DeadLetter, encode, redacted

CHECKPOINT_S = 10.0
CHECKPOINT_SHARE = 0.05
"""A checkpoint may take at most this part of the time: of many changed series it comes later."""
PUBLISH_S = 0.2
MEASURE_S = 1.0
CURRENT = 50
"""Records not yet judged; with fewer there is time to tell more facility states."""
LETTERS_TOLD = 20
"""Lines in the log about records set aside, each second; all of them are counted and kept."""
FROZEN_S = 8.0
"""Nothing moved for so long: another process may own our partitions by now (session: 10 s)."""
MOST_UNKEPT = 100_000
"""Transitions and dead letters under way; judging waits while there are more."""
LAST_CHECKPOINT_S = 8.0
"""How long handing over may take; without it the next owner judges a little again."""
TAKE_OVER_S = 60.0

T = TypeVar("T")
Word = tuple[str, bytes, bytes, int | None]
"""Topic, key, value, partition: something to be said."""
log = structlog.get_logger()


class Keeper:
    """`take` for every record; two loops beside it; `take_over` and `give_up` around it."""

    def __init__(
        self, *, make: Callable[[int], Partition], checkpoints: Checkpoints,
        out: Out, statuses: Statuses, clock: Clock, metrics: Metrics,
        commit: Callable[[int, int], Awaitable[None]],
        behind: Callable[[int, int], int], checkpoint_s: float = CHECKPOINT_S, last_checkpoint_s: float = LAST_CHECKPOINT_S,
    ) -> None:  # fmt: skip
        self.owned: dict[int, Owned] = {}
        self._warm: dict[int, tuple[int, Partition]] = {}
        """Given up at a rebalance with everything saved: often they come back at once."""
        self._make, self._checkpoints = make, checkpoints
        self._out, self._statuses, self._clock, self._metrics = out, statuses, clock, metrics
        self._behind, self._checkpoint_s = behind, checkpoint_s
        self._commit, self._last_checkpoint_s = commit, last_checkpoint_s
        self._collector = Collector()
        self._pulse = real_monotonic()
        self._letters = 0

    # -- records -----------------------------------------------------------------------------

    async def take(
        self, partition: int, key: bytes | None, value: bytes | None, offset: int
    ) -> None:
        """Judge one record. Left-overs from before a rebalance are not ours, or known already.

        Raises:
            Fenced: another process owns the partition.
            Unavailable: the broker does not take what was said.

        """
        own = self.owned.get(partition)
        if own is None or offset < own.machine.next:
            return
        if own.suspect or self._was_frozen() or own.unkept > MOST_UNKEPT:
            try:
                await self._allowed(own)
            except Unavailable:
                if not own.ended:
                    raise
            if self.owned.get(partition) is not own or offset < own.machine.next:
                return
        if offset > own.machine.next:
            self._jumped(own, offset)
        while True:
            try:
                applied = own.machine.apply(value, offset)
                break
            except Unavailable as error:
                log.error("rules_waiting", partition=partition, detail=str(error))
                await asyncio.sleep(1.0)
                if self.owned.get(partition) is not own:
                    return
        # No await from here to the end of the hand-over: position, state and words move together.
        words: list[Word] = [
            (ALERTS, alert.transition.facility.encode(), alert.value, partition)
            for alert in applied.alerts
        ]
        words += [self._letter(own, offset, key, reject) for reject in applied.rejects]
        if applied.contributions:
            words += contribution_words(applied.contributions, own.machine.partitions)
        own.alerts += applied.alerts
        for n, word in enumerate(words):
            try:
                self._out.send(own.batch, *word)
            except BufferError:
                await self._rest(own.batch, words[n:])
                break

    def _was_frozen(self) -> bool:
        return real_monotonic() - self._pulse > FROZEN_S

    async def _allowed(self, own: Owned) -> None:
        """Before a word leaves: is the partition still ours, and is there room?"""
        if own.suspect or self._was_frozen():
            number = own.machine.number
            log.warning("was_frozen", partition=number, seconds=real_monotonic() - self._pulse)
            own.suspect = True
            await self._patiently(lambda: self._checkpoints.verify(number, own.epoch), own)
            own.suspect = False
        while own.unkept > MOST_UNKEPT:  # noqa: ASYNC110  many things make room
            await asyncio.sleep(0.05)

    async def _rest(self, batch: Batch, words: list[Word]) -> None:
        """The queue is full: hold the batch open, since its checkpoint must wait for all of it."""
        batch.hold()
        for word in words:
            while True:
                try:
                    self._out.send(batch, *word)
                    break
                except BufferError:
                    await asyncio.sleep(0.02)
        batch.release()

    def _jumped(self, own: Owned, offset: int) -> None:
        first, number = own.machine.next, own.machine.number
        log.warning("offsets_missing", partition=number, first=first, last=offset - 1)
        self._metrics.offsets_missing.labels(REPORTS, str(number)).inc(offset - first)

    def _letter(self, own: Owned, offset: int, key: bytes | None, reject: Reject) -> Word:
        number = own.machine.number
        self._letters += 1
        if self._letters <= LETTERS_TOLD:
            log.error("record_not_judged", partition=number, offset=offset, reason=reject.reason,
                  detail=reject.detail)  # fmt: skip
        self._metrics.failures.labels("rules").inc()
        self._metrics.rejections.labels(reject.reason).inc()
        letter = DeadLetter(
            self._clock.now(), "rules", "", reject.reason, reject.reason,
            f"{REPORTS} partition {number} offset {offset}: {reject.detail}", "", reject.facility,
            redacted(reject.raw),
        )  # fmt: skip
        return DEAD_LETTERS, key or reject.facility.encode(), encode(letter), None

    # -- keeping -----------------------------------------------------------------------------

    async def beat_for_ever(self) -> None:
        """Tells facility states and measures; its pulse shows when the process was frozen."""
        measured, turn = 0.0, 0
        while True:
            await asyncio.sleep(PUBLISH_S)
            if self._was_frozen():
                for own in self.owned.values():
                    own.suspect = True
            self._pulse = real_monotonic()
            lag = sum(self._behind(n, own.machine.next) for n, own in self.owned.items())
            self._statuses.begin(idle=lag < CURRENT)
            turn += 1
            owned = [own for own in self.owned.values() if not own.suspect]
            for n in range(len(owned)):
                own = owned[(turn + n) % len(owned)]
                self._statuses.tell(own.machine, own.batch)
            if self._pulse - measured >= MEASURE_S:
                measured = self._pulse
                self._measure()
                self._collector.turn()

    async def keep_for_ever(self) -> None:
        """Transitions are readable within a second; checkpoints come when they are due."""
        while True:
            await asyncio.sleep(PUBLISH_S)
            for own in list(self.owned.values()):
                try:
                    if own.suspect:
                        await self._allowed(own)
                    if not own.ended:
                        await self._keep(own, checkpoint=self._is_due(own))
                except Unavailable:
                    # Given up while the database was away: its next owner says it again.
                    if not own.ended:
                        raise

    def _is_due(self, own: Owned) -> bool:
        wait = max(self._checkpoint_s, own.cost_s / CHECKPOINT_SHARE)
        return own.machine.next != own.saved and real_monotonic() - own.saved_at >= wait

    async def _keep(self, own: Owned, *, checkpoint: bool) -> None:
        """Make durable what was said, and perhaps the state; nothing between the steps is lost."""
        if not checkpoint and not own.alerts:
            if not own.keeping.locked():
                own.told = own.machine.next
            return
        async with own.keeping:
            number, epoch, cut, judged = own.machine.number, own.epoch, None, own.machine.next
            alerts, own.alerts = own.alerts, []
            batch, own.batch = own.batch, Batch()
            own.under_way = len(alerts) + batch.pending
            if checkpoint:
                began = real_monotonic()
                cut = own.machine.cut()
                own.cost_s = real_monotonic() - began
                for reject in cut.unkept:
                    self._out.send(batch, *self._letter(own, cut.next, None, reject))
            await batch.settled()
            try:
                if alerts:
                    new = await self._patiently(
                        lambda: self._checkpoints.publish(number, epoch, alerts), own
                    )
                    self._count(new)
                own.under_way, own.told = 0, judged
                if cut is not None:
                    kept = cut
                    await self._patiently(lambda: self._checkpoints.save(number, epoch, kept), own)
                    own.saved, own.saved_at = cut.next, real_monotonic()
            except Fenced:
                if not own.ended:
                    raise
                return  # it was given up while the database was away; its new owner says it again
            if cut is not None:
                await self._commit(number, cut.next)

    def _count(self, new: list[Alert]) -> None:
        now, transitions = self._clock.now(), self._metrics.transitions
        for key, count in Counter((a.transition.rule, a.transition.state) for a in new).items():
            transitions.labels(*key).inc(count)
        for alert in new:
            received_us = alert.transition.received_us
            if received_us is not None:
                self._metrics.report_to_transition.observe(max(0, now - received_us) / 1e6)

    async def _patiently(self, work: Callable[[], T], own: Owned) -> T:
        """Let PostgreSQL work in a thread; wait while it is away and the partition is ours."""
        while True:
            try:
                return await asyncio.to_thread(work)
            except Unavailable as error:
                log.error("rules_waiting", partition=own.machine.number, detail=str(error))
                if own.ended:
                    raise
                await asyncio.sleep(0.5)

    # -- partitions come and go --------------------------------------------------------------

    async def take_over(self, assigned: Iterable[int], ends: dict[int, int]) -> dict[int, int]:
        """Make these partitions ours; where to read each of them on.

        Raises:
            TimeoutError: PostgreSQL did not answer for a minute.
            AnotherLog: the checkpoint is not of this log.
            NewerData: the state was saved by a newer program.

        """
        self._collector.begin()
        wanted = set(assigned)
        self._warm = {number: kept for number, kept in self._warm.items() if number in wanted}
        for number in sorted(wanted - self.owned.keys()):
            async with asyncio.timeout(TAKE_OVER_S):
                self.owned[number] = await self._taken(number, ends.get(number))
        self._collector.turn(at_once=True)
        self._metrics.partitions_owned.set(len(self.owned))
        log.info("partitions_taken", partitions=sorted(self.owned))
        return {number: own.machine.next for number, own in self.owned.items()}

    async def _taken(self, number: int, end: int | None) -> Owned:
        warm = self._warm.pop(number, None)
        while True:
            try:
                own = await asyncio.to_thread(
                    taken, self._checkpoints, self._make, number, warm, end
                )
                break
            except Unavailable as error:
                log.error("rules_waiting", partition=number, detail=str(error))
                await asyncio.sleep(0.5)
        return own

    async def give_up(self) -> None:
        """The last checkpoint, as far as time allows; then nothing is ours.

        Raises:
            Fenced: it was not ours any more.

        """
        owned, self.owned = self.owned, {}
        self._metrics.partitions_owned.set(0)
        self._metrics.forget(REPORTS, owned)
        kept = await asyncio.gather(
            *(self._last(own) for own in owned.values()), return_exceptions=True
        )
        for own, error in zip(owned.values(), kept, strict=True):
            own.ended = True
            if error is None:
                self._warm[own.machine.number] = own.epoch, own.machine
            elif isinstance(error, Unavailable | TimeoutError):
                log.error("not_handed_over", partition=own.machine.number, detail=str(error))
            else:
                raise error
        log.info("partitions_given_up", partitions=sorted(owned))

    async def _last(self, own: Owned) -> None:
        async with asyncio.timeout(self._last_checkpoint_s):
            await self._keep(own, checkpoint=own.machine.next != own.saved)

    # -- looking -----------------------------------------------------------------------------

    def _measure(self) -> None:
        if self._letters > LETTERS_TOLD:
            log.error("records_not_judged", count=self._letters, told=LETTERS_TOLD)
        self._letters = 0
        counts: dict[tuple[str, Severity], int] = {}
        for number, own in self.owned.items():
            clock = own.machine.engine.clock
            if clock.now_us is not None:
                self._metrics.partition_clock.labels(str(number)).set(clock.now_us / 1e6)
            if number == 0:  # every partition has the same ticks: one of them counts
                self._metrics.deaf.inc(max(0, clock.deaf_us - own.deaf_us) / 1e6)
                own.deaf_us = clock.deaf_us
            age = self._pulse - own.saved_at if own.machine.next != own.saved else 0.0
            self._metrics.checkpoint_age.labels(str(number)).set(age)
            for alert, count in own.machine.counts().items():
                counts[alert] = counts.get(alert, 0) + count
        for state in ("pending", "firing"):
            for severity in Severity:
                count = counts.get((state, severity), 0)
                self._metrics.alerts.labels(state, severity.value).set(count)
