"""What a member says to its territory is durable before the checkpoint of the record behind it."""

import asyncio

from services.rules.contributions_out import MOST_PER_ENTRY, contribution_words
from services.rules.shares import Shares
from shared.log.memory import MemoryBundles
from shared.log.port import REPORTS
from shared.model.configuration import BUNDLE_FORMAT, Bundle, Indicator, encode_bundle
from shared.model.facility import Facility, Station, Territory
from shared.model.instants import Instant
from shared.model.partition import partition_of
from shared.model.report import Activate, Record, Report, Tick, decode_envelope, encode_envelope
from shared.model.rollup import Contribution, Node, Rollup
from tests.unit.rules.checkpoints_in_memory import Memory
from tests.unit.rules.conftest import START
from tests.unit.rules.test_keeper import House, Noted, run

BUNDLE = Bundle(
    BUNDLE_FORMAT, "Asia/Shanghai", 1 << 60,
    (Territory("000000", "全国", None), Territory("420000", "省", "000000")),
    (
        Facility("f", "厂", "厂", "420000", "medical_waste"),
        Facility("420000", "省", "省", "420000", "territory"),
    ),
    (Station("f", "f"), Station("420000-mw", "420000")),
    (Indicator("mw.disposed_t", "处置量", "t"),), (),
    (
        Rollup(
            "mw", "day", {"mw.disposed_t": "sum"}, None, 0, 1.0, (Node("420000", ("f",), (), 1),)
        ),
    ),
)  # fmt: skip


class Province(House):
    """One plant in a province, each with the partition its id gives it."""

    partitions = 3

    def __init__(self) -> None:
        super().__init__()
        self.number = partition_of("f", 3)
        bundles = MemoryBundles()
        self.name, body = encode_bundle(BUNDLE)
        bundles.put(self.name, body)
        self.shares = Shares(bundles, 3)

    async def day(self, tonnes: float) -> None:
        """From the beginning of the log: the configuration, a tick, a day of the plant."""
        await self.keeper.take_over([self.number], {})
        at = Instant(START)
        report = Report("f", "f", "day", at, ("mw.disposed_t",), (tonnes,), None, at, "http")
        entries: list[list[Record]] = [[Activate(self.name), Tick(Instant(START - 1))], [report]]
        for offset, records in enumerate(entries):
            await self.keeper.take(self.number, b"k", encode_envelope(records), offset)

    def crash(self) -> None:
        """The process is gone, and no checkpoint was there."""
        self.checkpoints = Noted(Memory(), self.happened)
        self.keeper = self.another()


def test_contributions_are_durable_before_the_checkpoint() -> None:
    async def work() -> None:
        province = Province()
        province.out.answers_at_once = False
        await province.day(12.5)
        own = province.keeper.owned[province.number]
        keep = asyncio.ensure_future(province.keeper._keep(own, checkpoint=True))
        for _ in range(5):
            await asyncio.sleep(0)
        assert province.happened == ["loaded"]
        province.out.answer()
        await keep
        assert province.happened == ["loaded", "acknowledged", "checkpoint", "offset 2"]

    run(work)


def test_a_crash_says_the_same_again_to_the_partition_of_the_territory() -> None:
    async def work() -> None:
        province = Province()
        await province.day(12.5)
        province.crash()
        await province.day(12.5)
        first, again = province.out.topics(REPORTS)
        assert first == again
        _, key, value, partition = first
        assert (key, partition) == (b"420000", partition_of("420000", 3))
        assert value is not None
        (said,) = decode_envelope(value)
        assert isinstance(said, Contribution)
        assert (said.territory, said.member, said.values, said.known) == (
            "420000", "f", (12.5,), 1,
        )  # fmt: skip

    run(work)


def test_many_contributions_are_entries_of_bounded_size() -> None:
    """A slot that closes for ten thousand silent stations is not one message."""
    many = [
        Contribution("420000", "mw", f"f{n}", "day", Instant(START), ("a",), (), (), 0, (f"f{n}",), Instant(0))
        for n in range(2 * MOST_PER_ENTRY + 1)
    ]  # fmt: skip
    words = contribution_words(many, 3)
    read = [record for _, _, value, _ in words for record in decode_envelope(value)]
    assert read == many
    assert [len(value) < 1_000_000 for _, _, value, _ in words] == [True] * 3
