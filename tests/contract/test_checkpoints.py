"""Rules keep what they said over crashes: the same transitions under the same numbers."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from prometheus_client import CollectorRegistry

from services.rules.core import state
from services.rules.store import RulesStore
from services.rules.worker import RulesWorker
from shared.errors import NewerData, Unavailable
from shared.log.memory import MemoryBundles, MemoryLog
from shared.log.port import REPORTS, Bundles, Log, Position
from shared.log.sqlite import SqliteLog
from shared.model.configuration import encode_bundle
from shared.model.report import Activate, Report, Tick, encode_envelope
from shared.model.transition import Transition
from shared.observe.metrics import Metrics
from tests.reference.cases import Case, make_case
from tests.reference.compare import in_one_piece

Numbered = list[tuple[int, Transition]]


def memory(path: Path) -> tuple[Log, Bundles]:
    return MemoryLog(), MemoryBundles()


def sqlite(path: Path) -> tuple[Log, Bundles]:
    log = SqliteLog(path / "log.db")
    return log, log


def open_worker(log: Log, bundles: Bundles, path: Path) -> tuple[RulesWorker, RulesStore]:
    store = RulesStore(path / "rules.db")
    return RulesWorker(log, bundles, store, Metrics(CollectorRegistry())), store


def write(case: Case, log: Log, bundles: Bundles, random: Random) -> None:
    for bundle in case.bundles.values():
        bundles.put(*encode_bundle(bundle))
    rest = list(case.records)
    while rest:
        size = random.randint(1, 6)
        log.append(REPORTS, [("", encode_envelope(rest[:size]))])
        rest = rest[size:]


def published(store: RulesStore) -> Numbered:
    return store.read(0, 10_000)


@pytest.mark.parametrize("made", [memory, sqlite])
@pytest.mark.parametrize("seed", range(6))
def test_crashes_anywhere_repeat_the_same_numbers(
    tmp_path: Path, made: Callable[[Path], tuple[Log, Bundles]], seed: int
) -> None:
    """Dropped without warning, with and without a checkpoint, rules say everything once."""
    random, case = Random(seed), make_case(seed + 100)
    log, bundles = made(tmp_path)
    write(case, log, bundles, random)
    worker, store = open_worker(log, bundles, tmp_path)
    while worker.pump(random.randint(1, 4)):
        chance = random.random()
        if chance < 0.3:
            worker.checkpoint()
        if chance < 0.5:
            store.close()
            worker, store = open_worker(log, bundles, tmp_path)
    expected = in_one_piece(case)
    assert [seq for seq, _ in published(store)] == list(range(1, len(expected) + 1))
    said = [t for _, t in published(store)]
    assert [(t.alert, t.episode_us, t.step, t.state, t.at_us, t.value) for t in said] == [
        (t.alert, t.episode_us, t.step, t.state, t.at_us, t.value) for t in expected
    ]
    store.close()
    log.close()


def test_transitions_that_could_not_be_kept_are_kept_later(tmp_path: Path) -> None:
    """A full disk delays; it loses nothing and numbers nothing twice."""
    case = next(c for c in map(make_case, range(1000)) if len(in_one_piece(c)) > 8)
    log, bundles = memory(tmp_path)
    write(case, log, bundles, Random(1))

    class FullDisk(RulesStore):
        full = True

        def publish(self, *what: object) -> None:
            if self.full:
                raise Unavailable("disk full")
            super().publish(*what)  # type: ignore[arg-type]

    store = FullDisk(tmp_path / "rules.db")
    worker = RulesWorker(log, bundles, store, Metrics(CollectorRegistry()))
    failed = 0
    for round_ in range(200):
        store.full = round_ % 2 == 0
        try:
            if worker.pump(1) == 0 and not store.full:
                break
        except Unavailable:
            failed += 1
    assert failed > 0
    assert [seq for seq, _ in published(store)] == list(range(1, len(in_one_piece(case)) + 1))
    store.close()


def test_an_entry_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    log, bundles = memory(tmp_path)
    case = next(c for c in map(make_case, range(1000)) if len(in_one_piece(c)) > 3)
    write(case, log, bundles, Random(2))
    log.append(REPORTS, [("", b"not an envelope")])
    log.append(REPORTS, [("", encode_envelope([Tick(1)]))])
    worker, store = open_worker(log, bundles, tmp_path)
    while worker.pump():
        pass
    assert len(published(store)) == len(in_one_piece(case))
    assert worker.position == Position(log.end(REPORTS, 0))
    store.close()


def test_a_state_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    """Exit code 4 is made of this."""
    log, bundles = memory(tmp_path)
    worker, store = open_worker(log, bundles, tmp_path)
    head, newer = state.save_head(worker.engine), state.STATE_FORMAT + 1
    store.save(Position(1), bytes([head[0], newer, *head[2:]]), [])
    store.close()
    with pytest.raises(NewerData, match=f"format {newer}"):
        open_worker(log, bundles, tmp_path)


def test_a_reader_is_woken_by_what_it_waits_for(tmp_path: Path) -> None:
    case = next(c for c in map(make_case, range(1000)) if len(in_one_piece(c)) > 3)
    log, bundles = memory(tmp_path)
    write(case, log, bundles, Random(3))
    worker, store = open_worker(log, bundles, tmp_path)
    assert not store.wait(0, 0.0)
    while worker.pump():
        pass
    assert store.wait(0, 0.0)
    first = published(store)[0][1]
    assert store.read(0, 100, [first.facility])[0] == (1, first)
    assert store.read(0, 100, []) == []
    store.close()


def test_quiet_cells_are_saved_when_they_change_again(tmp_path: Path) -> None:
    """The quiet path marks a cell for the checkpoint each time it was saved before."""
    case = next(c for c in map(make_case, range(1000)) if len(c.bundles) == 1)
    (name,) = case.bundles
    bundle = case.bundles[name]
    station = bundle.stations[0]
    log, bundles = memory(tmp_path)
    bundles.put(*encode_bundle(bundle))
    log.append(REPORTS, [("", encode_envelope([Activate(name)]))])
    worker, store = open_worker(log, bundles, tmp_path)
    for at in range(1, 6):
        report = Report(
            station.facility, station.id, "hour", at * 3_600_000_000, ("a21026",), (float(at),),
            None, at, "http",
        )  # fmt: skip
        log.append(REPORTS, [("", encode_envelope([report]))])
        worker.pump()
        worker.checkpoint()
        again, other = open_worker(log, bundles, tmp_path)
        assert again.engine.cells[station.id, "hour"].series["a21026"].value == float(at)
        other.close()
    store.close()
