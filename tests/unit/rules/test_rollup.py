"""Roll-ups: one engine, many engines and a slow evaluator say the same of every territory."""

from random import Random

import msgspec
import pytest

from services.rules.core import sleep, state
from services.rules.core.engine import Engine
from services.rules.core.territory import Territory
from services.rules.shares import split
from shared.config.rollups import nodes_of
from shared.model.configuration import Bundle
from shared.model.facility import Facility, Station
from shared.model.instants import Instant
from shared.model.partition import partition_of
from shared.model.report import (
    Activate,
    Record,
    Report,
    Tick,
    decode_envelope,
    encode_contributions,
)
from shared.model.rollup import LEVELS
from shared.model.rule import Applies
from shared.model.transition import Transition
from tests.reference.compare import bare, restarted
from tests.reference.rollup_cases import make_province
from tests.reference.rollups import evaluate_rolled

Told = dict[str, list[Transition]]


def by_facility(bundle: Bundle, said: list[Transition]) -> Told:
    found: Told = {facility.id: [] for facility in bundle.facilities}
    for transition in said:
        found[transition.facility].append(bare(transition))
    return found


def alone(bundle: Bundle, records: list[Record], random: Random | None = None) -> Told:
    """One engine; with `random`, in random batches and restarted between them."""
    engine, said = Engine(lambda _: bundle), []
    saved: dict[tuple[str, str], bytes] = {}
    asleep: dict[tuple[str, str], sleep.SleepingCell] = {}
    if random is None:
        return by_facility(bundle, engine.apply(records))
    opens = random.random() < 0.5
    rest = list(records)
    while rest:
        size = random.randint(1, 8)
        said += engine.apply(rest[:size])
        rest = rest[size:]
        if random.random() < 0.4 and opens:
            engine = restarted(engine, saved, {"": bundle})
        elif random.random() < 0.4 and engine.book is not None and not opens:
            for key in engine.dirty:
                asleep[key] = sleep.save(engine, key, engine.cells[key])
            head = state.save_head(engine)
            engine = Engine(lambda _: bundle)
            sleep.restore(engine, head, asleep.values())
    return by_facility(bundle, said)


class Part:
    """A partition: its log, its engine, and the checkpoint it falls back to when it dies."""

    def __init__(self, number: int, share: Bundle) -> None:
        self.number, self.share = number, share
        self.log: list[Record] = []
        self.engine, self.place = self.fresh(), 0
        self.saved: dict[tuple[str, str], bytes] = {}
        self.kept: tuple[int, bytes, dict[tuple[str, str], bytes]] | None = None
        self.said: dict[tuple[object, ...], Transition] = {}

    def fresh(self) -> Engine:
        return Engine(lambda _: self.share, alone=False)

    def step(self) -> list[Record]:
        """Judge one record; what is to be sent to other partitions."""
        for t in self.engine.apply([self.log[self.place]]):
            self.said.setdefault((*t.alert, t.episode_us, t.step), t)
        self.place += 1
        sent: list[Record] = list(self.engine.sent)
        self.engine.sent.clear()
        return sent

    def checkpoint(self) -> None:
        for key in self.engine.dirty:
            self.saved[key] = state.save_cell(self.engine.cells[key])
        self.engine.dirty = set()
        self.kept = self.place, state.save_head(self.engine), dict(self.saved)

    def die(self) -> None:
        self.engine, self.place, self.saved = self.fresh(), 0, {}
        if self.kept is not None:
            self.place, head, cells = self.kept
            self.saved = dict(cells)
            state.restore(self.engine, head, cells.values())


def together(bundle: Bundle, records: list[Record], random: Random) -> Told:
    """Partitions that run at their own pace, crash, and say contributions again."""
    count = random.randint(2, 5)
    parts = [Part(n, share) for n, share in enumerate(split(bundle, count))]
    rest = list(records)
    crashes = 6
    while rest or any(part.place < len(part.log) for part in parts):
        if rest and random.random() < 0.3:
            record = rest.pop(0)
            to = (
                [partition_of(record.facility, count)]
                if isinstance(record, Report)
                else range(count)
            )
            for number in to:
                parts[number].log.append(record)
        part = random.choice(parts)
        if random.random() < 0.02 and crashes:
            crashes -= 1
            part.die()
        if random.random() < 0.05:
            part.checkpoint()
        if part.place < len(part.log):
            for each in part.step():
                assert not isinstance(each, Report | Tick | Activate)
                wire = decode_envelope(encode_contributions([each]))
                parts[partition_of(each.territory, count)].log += wire
    return by_facility(bundle, [t for part in parts for t in part.said.values()])


@pytest.mark.parametrize("block", range(8))
def test_a_territory_says_what_the_reference_says(block: int) -> None:
    """In one piece, in batches with restarts, and with cells asleep."""
    for seed in range(block * 50, block * 50 + 50):
        bundle, records = make_province(seed)
        expected = evaluate_rolled(records, bundle)
        assert alone(bundle, records) == expected, seed
        assert alone(bundle, records, Random(seed)) == expected, seed


@pytest.mark.parametrize("block", range(4))
def test_partitions_in_any_pace_say_what_one_engine_says(block: int) -> None:
    """Contributions in any order, twice after a crash, long after the ticks around them."""
    for seed in range(block * 50, block * 50 + 50):
        bundle, records = make_province(seed)
        assert together(bundle, records, Random(seed)) == alone(bundle, records), seed


def test_members_in_any_order_between_two_ticks() -> None:
    """Whoever comes first, the territory says the same, evidence included."""
    for seed in range(100):
        bundle, records = make_province(seed)
        mixed, run, random = [], [], Random(seed)
        for record in [*records, Tick(0)]:
            if isinstance(record, Report):
                run.append(record)
                continue
            # Only the order of one member's own reports matters.
            run.sort(key=lambda r: r.station)
            groups: dict[str, list[Record]] = {}
            for each in run:
                groups.setdefault(each.station, []).append(each)
            while groups:
                name = random.choice(sorted(groups))
                mixed.append(groups[name].pop(0))
                if not groups[name]:
                    del groups[name]
            mixed.append(record)
            run = []
        one, other = Engine(lambda _: bundle), Engine(lambda _: bundle)  # noqa: B023
        expected, said = one.apply(records), other.apply(mixed[:-1])
        key = msgspec.json.encode
        assert sorted(map(key, said)) == sorted(map(key, expected)), seed


def test_random_provinces_are_not_empty() -> None:
    """Territories fire, resolve and are unknown in them."""
    said: list[Transition] = []
    for seed in range(100):
        bundle, records = make_province(seed)
        nodes = {node.territory for node in bundle.rollups[0].nodes}
        said += [t for f in nodes for t in alone(bundle, records)[f]]
    assert len(said) > 200
    assert {"raised", "cleared", "missing", "rose", "fell"} <= {t.cause for t in said}


def test_a_change_of_members_is_the_same_after_any_restart() -> None:
    """Members, levels, columns and roll-ups come and go; nobody waits for who is gone."""
    for seed in range(40, 80):
        bundle, records = make_province(seed)
        random = Random(seed)
        bundles = {"": bundle}
        for name in ("second", "third"):
            bundles[name] = changed(bundle, random)
            records.insert(random.randint(1, len(records)), Activate(name))
        ended = max(r.at_us for r in records if isinstance(r, Tick)) if len(records) > 3 else 0
        # Long enough, without deafness, for every slot that was begun to close.
        records += [Tick(Instant(ended + n * bundle.deaf_after_us)) for n in range(1, 60)]
        whole, cut, saved = Engine(bundles.__getitem__), Engine(bundles.__getitem__), {}
        expected, said = whole.apply(records), []
        for place in range(0, len(records), 3):
            said += cut.apply(records[place : place + 3])
            cut = restarted(cut, saved, bundles)
        assert said == expected, seed
        for cell in whole.cells.values():
            if isinstance(cell.roll, Territory):
                assert not cell.roll.held, (seed, cell.station)


def changed(bundle: Bundle, random: Random) -> Bundle:
    """Another province of the same stations, or none of it rolled up."""
    if random.random() < 0.2:
        return msgspec.structs.replace(bundle, rollups=())
    (rollup,) = bundle.rollups
    members = [f for f in bundle.facilities if f.kind != "territory" and random.random() < 0.7]
    columns = list(rollup.indicators.items())
    if random.random() < 0.3:
        columns = columns[:1]
    territories = {t.id: t for t in bundle.territories}
    stations = {f.id: Station(f.id, f.id) for f in members}
    levels = random.sample(LEVELS, random.randint(1, 4))
    nodes = nodes_of(Applies(), levels, territories, {f.id: f for f in members}, stations)
    made = [Facility(n.territory, "", "", n.territory, "territory") for n in nodes]
    return msgspec.structs.replace(
        bundle,
        facilities=(*(f for f in bundle.facilities if f.kind != "territory"), *made),
        stations=(
            *(Station(f.id, f.id) for f in bundle.facilities if f.kind != "territory"),
            *(Station(f"{n.territory}-x", n.territory) for n in nodes),
        ),
        rollups=(msgspec.structs.replace(rollup, nodes=nodes, indicators=dict(columns)),),
    )
