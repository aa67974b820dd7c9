"""The log of a cluster put together again: every facility is judged as in its own partition."""

from random import Random

import pytest

from services.rules.core.engine import Engine
from services.rules.from_cluster import first_at, placed, together
from shared.errors import InputError
from shared.log.memory import MemoryLog
from shared.log.port import REPORTS
from shared.model.instants import Instant
from shared.model.partition import partition_of
from shared.model.report import Activate, Record, Report, Tick, encode_envelope
from shared.model.transition import Transition
from tests.reference.cases import BASE, Case, make_case

PARTITIONS = 3
FIRST = Tick(Instant(BASE - 1))


def by_partition(case: Case) -> list[list[Record]]:
    """As ingest writes it: what is not a report stands in every partition."""
    found: list[list[Record]] = [[] for _ in range(PARTITIONS)]
    for record in [case.records[0], FIRST, *case.records[1:]]:
        if isinstance(record, Report):
            found[partition_of(record.facility, PARTITIONS)].append(record)
        else:
            for part in found:
                part.append(record)
    return found


def said(case: Case, records: list[Record]) -> dict[str, list[Transition]]:
    found: dict[str, list[Transition]] = {}
    for transition in Engine(case.bundles.__getitem__).apply(records):
        found.setdefault(transition.facility, []).append(transition)
    return found


@pytest.mark.parametrize("seed", range(150))
def test_each_facility_hears_what_it_heard_in_its_own_partition(seed: int) -> None:
    """Whatever the other partitions hold; with all of them the order within a facility is kept."""
    case = make_case(seed)
    name = next(iter(case.bundles))
    records = [r for r in case.records if not isinstance(r, Activate)]
    case = Case(case.bundles, [Activate(name), *records])
    parts = by_partition(case)
    whole = said(case, [case.records[0], *together([placed(part) for part in parts])])
    for number, part in enumerate(parts):
        own = {f: w for f, w in said(case, part).items() if partition_of(f, PARTITIONS) == number}
        assert own == {f: w for f, w in whole.items() if partition_of(f, PARTITIONS) == number}


def test_the_beginning_is_found_by_the_ticks() -> None:
    """No tick before it has reached the moment, and the entry is not far before it."""
    random, log, at = Random(7), MemoryLog(), 0
    ticks: list[int] = []
    for _ in range(300):
        records: list[Record] = []
        if random.random() < 0.4:
            at += random.randint(1, 9)
            records.append(Tick(Instant(at)))
        report = Report("f", "f", "day", Instant(at), ("c",), (1.0,), None, Instant(at), "http")
        log.append(REPORTS, [("k", encode_envelope([*records, report]))])
        ticks.append(at if records else -1)
    for since in range(at + 3):
        start = first_at(log, 0, Instant(since))
        before = [tick for tick in ticks[: start - 1] if tick >= since]
        assert before == []
        passed = [n for n, tick in enumerate(ticks) if 0 <= tick < since]
        assert start > (passed[-1] if passed else 0)
    assert first_at(log, 0, None) == 1


def test_an_entry_that_cannot_be_read_is_named() -> None:
    log = MemoryLog()
    log.append(REPORTS, [("k", b"\xc1")])
    with pytest.raises(InputError, match=r"yujing\.reports\.v1-0: entry 1"):
        first_at(log, 0, Instant(1))
