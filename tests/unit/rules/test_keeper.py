"""The keeper's order: acknowledged, rows, checkpoint, offset; and what it does when one is away."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.rules import keeper as keeping
from services.rules.alerts_out import Batch
from services.rules.checkpoints import AnotherLog, Fenced, Saved
from services.rules.keeper import Keeper
from services.rules.partition import Alert, Cut, Partition
from services.rules.shares import Shares
from services.rules.statuses import Statuses
from shared.clock import VirtualClock
from shared.errors import Unavailable
from shared.log.memory import MemoryBundles
from shared.log.port import ALERTS, DEAD_LETTERS, FACILITIES
from shared.model.configuration import encode_bundle
from shared.model.instants import Instant
from shared.model.report import Activate, Report, Tick, encode_envelope
from shared.observe.metrics import Metrics
from shared.reports.dead_letter import decode
from tests.unit.rules.checkpoints_in_memory import Memory, MemoryCheckpoints
from tests.unit.rules.conftest import START, Desk, make_rule

MINUTE = 60_000_000


class Paper:
    """Out on paper: what was handed over waits for `answer`."""

    def __init__(self, happened: list[str], room: int = 1000) -> None:
        self.happened, self.room = happened, room
        self.said: list[tuple[str, bytes, bytes | None, int | None]] = []
        self._owed: list[Batch] = []
        self.answers_at_once = True

    def send(
        self, batch: Batch, topic: str, key: bytes, value: bytes | None, partition: int | None
    ) -> None:
        if len(self._owed) >= self.room:
            raise BufferError("full")
        self.said.append((topic, key, value, partition))
        batch.sent += 1
        self._owed.append(batch)
        if self.answers_at_once:
            self.answer()

    def answer(self, error: str | None = None) -> None:
        if self._owed:
            self.happened.append("acknowledged")
        owed, self._owed = self._owed, []
        for batch in owed:
            batch.acknowledged(error)

    @property
    def waiting(self) -> int:
        return len(self._owed)

    def flush(self, within_s: float) -> int:
        return 0

    def close(self) -> None: ...

    def topics(self, topic: str) -> list[Any]:
        return [each for each in self.said if each[0] == topic]


class Noted(MemoryCheckpoints):
    """Notes what happened, and can be away."""

    def __init__(self, memory: Memory, happened: list[str]) -> None:
        super().__init__(memory)
        self.happened = happened
        self.away = False

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("no database")

    def load(self, partition: int) -> tuple[int, Saved | None]:
        self._answer()
        self.happened.append("loaded")
        return super().load(partition)

    def publish(self, partition: int, epoch: int, alerts: Sequence[Alert]) -> list[Alert]:
        self._answer()
        self.happened.append("rows")
        return super().publish(partition, epoch, alerts)

    def save(self, partition: int, epoch: int, cut: Cut) -> None:
        self._answer()
        self.happened.append("checkpoint")
        super().save(partition, epoch, cut)

    def verify(self, partition: int, epoch: int) -> None:
        self._answer()
        self.happened.append("verified")
        super().verify(partition, epoch)


class House:
    """One partition with one hospital; a COD value above 60 is an alert at once."""

    partitions = 1

    def __init__(self, room: int = 1000, **settings: float) -> None:
        self.settings = settings
        desk = Desk(make_rule(yellow="> 60; <= 54"))
        (bundle,) = desk.bundles.values()
        bundles = MemoryBundles()
        self.name, body = encode_bundle(bundle)
        bundles.put(self.name, body)
        self.happened: list[str] = []
        self.memory = Memory()
        self.out = Paper(self.happened, room)
        self.metrics = Metrics(CollectorRegistry())
        self.shares = Shares(bundles, 1)
        self.checkpoints = Noted(self.memory, self.happened)
        self.keeper = self.another()

    def another(self, checkpoints: Noted | None = None) -> Keeper:
        async def commit(partition: int, offset: int) -> None:
            self.happened.append(f"offset {offset}")

        return Keeper(
            make=lambda number: Partition(number, self.partitions, self.shares.of),
            checkpoints=checkpoints or self.checkpoints, out=self.out,
            statuses=Statuses(self.out, 1, self.metrics), clock=VirtualClock(Instant(START)),
            metrics=self.metrics, commit=commit, behind=lambda *_: 0,
            **self.settings,
        )  # fmt: skip

    async def begin(self) -> None:
        assert await self.keeper.take_over([0], {}) == {0: 0}
        await self.feed(0, Activate(self.name))

    async def feed(self, offset: int, *records: Any) -> None:
        await self.keeper.take(0, b"k", encode_envelope(list(records)), offset)

    def reading(self, minute: int, value: float) -> Report:
        at = Instant(START + minute * MINUTE)
        return Report("f", "s", "realtime", at, ("cod",), (value,), None, Instant(START), "http")


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await work()

    asyncio.run(bounded())


async def soon(claim: Callable[[], Any]) -> None:
    """Let the others run until it is so; `run` bounds how long."""
    while not claim():  # noqa: ASYNC110  what is waited for has no event
        await asyncio.sleep(0)


def test_what_is_durable_when() -> None:
    """The acknowledgement, the rows, the state, the offset; and nothing before the one before."""

    async def work() -> None:
        house = House()
        await house.begin()
        house.out.answers_at_once = False
        await house.feed(1, house.reading(0, 70.0))
        own = house.keeper.owned[0]
        keep = asyncio.ensure_future(house.keeper._keep(own, checkpoint=True))
        for _ in range(5):
            await asyncio.sleep(0)
        assert house.happened == ["loaded"]
        house.out.answer()
        await keep
        assert house.happened == ["loaded", "acknowledged", "rows", "checkpoint", "offset 2"]
        assert [(key, partition) for _, key, _, partition in house.out.topics(ALERTS)] == [
            (b"f", 0)
        ]

    run(work)


def test_a_message_that_is_not_taken_ends_it() -> None:
    """No row, no checkpoint: the next process says it again."""

    async def work() -> None:
        house = House()
        await house.begin()
        house.out.answers_at_once = False
        await house.feed(1, house.reading(0, 70.0))
        keep = asyncio.ensure_future(house.keeper._keep(house.keeper.owned[0], checkpoint=True))
        await asyncio.sleep(0)
        house.out.answer("message timed out")
        with pytest.raises(Unavailable, match="timed out"):
            await keep
        assert house.happened == ["loaded", "acknowledged"]

    run(work)


def test_what_is_left_over_from_before_is_not_judged_again() -> None:
    """A record below the position, or of a partition that is not ours."""

    async def work() -> None:
        house = House()
        await house.begin()
        await house.feed(1, house.reading(0, 70.0))
        await house.feed(1, house.reading(5, 20.0))
        await house.keeper.take(7, None, b"", 0)
        assert len(house.out.topics(ALERTS)) == 1
        assert house.out.topics(DEAD_LETTERS) == []

    run(work)


def test_a_jump_is_counted_and_judged_on() -> None:
    async def work() -> None:
        house = House()
        await house.begin()
        await house.feed(10, house.reading(0, 70.0))
        assert len(house.out.topics(ALERTS)) == 1
        sample = house.metrics.registry.get_sample_value(
            "yujing_offsets_missing_total", {"topic": "yujing.reports.v1", "partition": "0"}
        )
        assert sample == 9

    run(work)


def test_dead_letters_say_where_and_why() -> None:
    async def work() -> None:
        house = House()
        await house.begin()
        await house.keeper.take(0, b"key", None, 1)
        await house.keeper.take(0, None, b"rubbish", 2)
        first, second = (decode(value) for _, _, value, _ in house.out.topics(DEAD_LETTERS))
        assert (first.reason, first.listener) == ("tombstone", "rules")
        assert "partition 0 offset 1" in first.detail
        assert (second.reason, second.raw) == ("bad-record", b"rubbish")
        await house.keeper._keep(house.keeper.owned[0], checkpoint=True)
        assert house.memory.cuts[0].next == 3

    run(work)


def test_a_full_queue_holds_the_checkpoint() -> None:
    """What did not fit goes out later, and the state that knows of it is kept after it."""

    async def work() -> None:
        house = House(room=1)
        await house.begin()
        house.out.answers_at_once = False
        feeding = asyncio.ensure_future(
            house.feed(1, house.reading(0, 70.0), house.reading(1, 20.0), house.reading(2, 70.0))
        )
        await soon(lambda: house.out.topics(ALERTS))
        keep = asyncio.ensure_future(house.keeper._keep(house.keeper.owned[0], checkpoint=True))
        for n in range(1, 4):
            await soon(lambda n=n: len(house.out.topics(ALERTS)) >= n)
            assert len(house.out.topics(ALERTS)) == n
            assert "checkpoint" not in house.happened
            house.out.answer()
        await feeding
        await keep
        assert house.happened[-2:] == ["checkpoint", "offset 2"]
        assert [a.transition.state for a in house.memory.alerts] == [
            "firing", "resolved", "firing",
        ]  # fmt: skip

    run(work)


def test_without_the_database_it_goes_on_telling() -> None:
    async def work() -> None:
        house = House()
        await house.begin()
        house.checkpoints.away = True
        await house.feed(1, house.reading(0, 70.0))
        keep = asyncio.ensure_future(house.keeper._keep(house.keeper.owned[0], checkpoint=True))
        await soon(house.keeper.owned[0].keeping.locked)
        await house.feed(2, house.reading(1, 20.0))
        assert len(house.out.topics(ALERTS)) == 2
        house.checkpoints.away = False
        await keep
        assert house.memory.cuts[0].next == 2

    run(work)


def test_who_stood_still_asks_before_he_speaks() -> None:
    """A process frozen past its session finds its partition taken, and says nothing more."""

    async def work() -> None:
        house = House()
        await house.begin()
        await house.keeper._keep(house.keeper.owned[0], checkpoint=True)
        house.keeper._pulse -= keeping.FROZEN_S + 1
        await house.feed(1, house.reading(0, 70.0))
        assert "verified" in house.happened
        Noted(house.memory, []).load(0)
        house.keeper._pulse -= keeping.FROZEN_S + 1
        with pytest.raises(Fenced):
            await house.feed(2, house.reading(1, 20.0))
        assert len(house.out.topics(ALERTS)) == 1

    run(work)


def test_what_comes_back_at_once_is_not_read_again() -> None:
    async def work() -> None:
        house = House()
        await house.begin()
        await house.feed(1, house.reading(0, 70.0))
        await house.keeper.give_up()
        assert house.keeper.owned == {}
        assert await house.keeper.take_over([0], {0: 2}) == {0: 2}
        assert house.happened.count("loaded") == 1
        await house.keeper.give_up()
        Noted(house.memory, []).load(0)  # somebody had it meanwhile
        assert await house.keeper.take_over([0], {0: 2}) == {0: 2}
        assert house.happened.count("loaded") == 2
        await house.feed(2, house.reading(1, 20.0))
        assert [a.transition.state for a in house.memory.alerts] == ["firing"]

    run(work)


def test_a_log_that_is_shorter_than_the_checkpoint_is_refused() -> None:
    """Topics made anew under an old database: nothing would be judged for a long time."""

    async def work() -> None:
        house = House()
        await house.begin()
        await house.keeper.give_up()
        with pytest.raises(AnotherLog, match="up to offset 1"):
            await house.another().take_over([0], {0: 0})

    run(work)


def test_states_are_told_of_what_changed() -> None:
    """The facility of a transition, and after an activation everybody; once each."""

    async def work() -> None:
        house = House()
        await house.begin()
        own = house.keeper.owned[0]
        statuses = house.keeper._statuses
        statuses._turned_at -= 10
        statuses.begin(idle=True)
        statuses.tell(own.machine, own.batch)
        assert [(key, number) for _, key, _, number in house.out.topics(FACILITIES)] == [(b"f", 0)]
        await house.feed(1, house.reading(0, 70.0), Tick(Instant(START)))
        statuses.tell(own.machine, own.batch)
        statuses.tell(own.machine, own.batch)
        told = house.out.topics(FACILITIES)
        assert len(told) == 2
        assert b'"state":"firing"' in told[-1][2]
        assert house.keeper.owned[0].machine.changed == {}

    run(work)


def test_a_hand_over_without_the_database_is_not_waited_for() -> None:
    """Eight seconds at most; what was not kept is judged again by the next owner."""

    async def work() -> None:
        house = House(last_checkpoint_s=0.3)
        await house.begin()
        await house.feed(1, house.reading(0, 70.0))
        house.checkpoints.away = True
        keep = asyncio.ensure_future(house.keeper._keep(house.keeper.owned[0], checkpoint=False))
        await asyncio.sleep(0)
        await house.keeper.give_up()
        with pytest.raises(Unavailable):
            await keep
        assert house.memory.cuts == {}

    run(work)


def test_the_loop_outlives_a_hand_over_without_the_database() -> None:
    """What it was keeping is given up; that is no reason to end the process with a failure."""

    async def work() -> None:
        house = House(last_checkpoint_s=0.1)
        await house.begin()
        await house.feed(1, house.reading(0, 70.0))
        house.checkpoints.away = True
        own = house.keeper.owned[0]
        loop = asyncio.ensure_future(house.keeper.keep_for_ever())
        await soon(own.keeping.locked)
        await house.keeper.give_up()
        await soon(lambda: not own.keeping.locked())
        await asyncio.sleep(0)
        assert not loop.done()
        loop.cancel()

    run(work)


def test_what_is_given_up_is_not_shown_any_more() -> None:
    """Else a partition that another worker evaluates looks stuck here for ever; deafness counts once."""

    async def work() -> None:
        house = House()
        await house.begin()
        month = 30 * 1440 * MINUTE
        await house.feed(1, Tick(Instant(START)), Tick(Instant(START + month)))
        house.keeper._measure()
        house.keeper._measure()
        shown = {sample.name: sample.value for sample in samples(house)}
        assert shown["yujing_partition_clock_seconds"] == (START + month) / 1e6
        assert shown["yujing_deaf_seconds_total"] == month / 1e6
        await house.keeper.give_up()
        assert not {"yujing_partition_clock_seconds", "yujing_checkpoint_age_seconds"} & {
            sample.name for sample in samples(house)
        }

    def samples(house: House) -> list[Any]:
        return [sample for metric in house.metrics.registry.collect() for sample in metric.samples]

    run(work)
