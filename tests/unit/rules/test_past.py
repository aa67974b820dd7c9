"""The past is what the live engine was: random logs, looked back at from random instants."""

import threading
from contextlib import AbstractContextManager
from random import Random

import pytest

from services.rules.core import view
from services.rules.core.beside import BesideOf
from services.rules.core.engine import Engine
from services.rules.core.verdict import Verdict
from services.rules.judged_again import Question
from services.rules.log_time import first_place, place_at
from services.rules.past import ASKING, Past
from services.rules.series_why import verdict_of
from shared.errors import SlowDown
from shared.log.memory import MemoryLog
from shared.log.port import REPORTS, Position
from shared.model.report import Record, Report, Tick, encode_envelope
from shared.testing.program import until
from tests.reference.cases import Case, make_case

BLOCK = 25


def logged(case: Case, random: Random) -> MemoryLog:
    """In envelopes of any size."""
    log, rest = MemoryLog(), list(case.records)
    while rest:
        count = random.randint(1, 5)
        log.append(REPORTS, [("", encode_envelope(rest[:count]))])
        rest = rest[count:]
    return log


def live(case: Case, at_us: int) -> Engine:
    """An engine of everything that had come in when log time showed the instant."""
    engine = Engine(case.bundles.__getitem__)
    had: list[Record] = []
    for record in case.records:
        if isinstance(record, Tick) and record.at_us > at_us:
            break
        if not (isinstance(record, Report) and record.received_us > at_us):
            had.append(record)
    engine.apply(had)
    return engine


def look_back(seed: int) -> int:
    """One case, one instant: every facility stands as the live engine had it; how many stood."""
    random = Random(seed)
    case = make_case(seed)
    ticks = [record.at_us for record in case.records if isinstance(record, Tick)]
    if not ticks:
        return 0
    at_us = max(random.choice(ticks), ticks[0]) + random.choice([0, 1, 59_999_999])
    past = Past(logged(case, random), case.bundles.__getitem__, lambda: None, lambda: 0.0)
    engine = live(case, at_us)
    assert engine.book is not None
    stood = 0
    for facility in engine.book.facilities:
        for station in engine.book.stations_of(facility):
            for judging in engine.book.rules_of(station):
                asked = Question(facility, station, judging.indicator, judging.interval, at_us)
                stand = past.stand(asked)
                assert (stand.by, stand.complete, stand.assumed) == ("log", True, False)
                assert view.one_facility(stand.engine, facility) == view.one_facility(
                    engine, facility
                )
                stood += agrees(verdict_of(stand.engine, judging, asked), stand.engine, asked)
    return stood


def agrees(said: Verdict, engine: Engine, asked: Question) -> bool:
    """The verdict's state is the one that alerts show."""
    found = view.one_facility(engine, asked.facility)
    assert found is not None
    states = {
        (alert.rule, alert.station): (alert.state, alert.severity and alert.severity.value)
        for alert in found[1]
        if alert.station in (asked.station, asked.facility)
    }
    shown_at = asked.station
    group = engine.book.rules[said.rule].group if engine.book is not None else None
    if group is not None and not isinstance(group, BesideOf):
        shown_at = asked.facility
    state, severity = states[said.rule, shown_at]
    assert said.state == state, said
    assert said.severity == severity, said
    assert said.reason and said.reason_en
    assert said.stage != "window" or state == "unknown", said
    return state in ("pending", "firing")


@pytest.mark.parametrize("first", range(0, 8 * BLOCK, BLOCK))
def test_looking_back_is_having_been_there(first: int) -> None:
    for seed in range(first, first + BLOCK):
        look_back(seed)


def test_the_cases_look_back_at_something() -> None:
    assert sum(look_back(seed) for seed in range(100)) > 20


def test_a_place_is_found_by_log_time() -> None:
    """Whatever the instant, the place is before it and not far before it."""
    log = MemoryLog()
    for n in range(5_000):
        log.append(REPORTS, [("", encode_envelope([Tick(1_000 * n)]))])  # type: ignore[arg-type]
    first, end = first_place(log, 0), log.end(REPORTS, 0)
    assert first == 1
    for at in (0, 1, 777_777, 2_500_000, 4_999_000, 10**12):
        place = place_at(log, 0, Position(1), end, at)
        reached = min(at // 1_000, 4_999)
        assert place - 1 <= reached <= place - 1 + 513


def test_who_asks_while_others_ask_is_told_to_come_back() -> None:
    """One at a time and three that wait: the server has threads for everything else."""
    asked = Question("f", "s", "cod", "day", 0)
    past = Past(MemoryLog(), {}.__getitem__, lambda: None, lambda: 0.0)
    waiting = [past.turn() for _ in range(ASKING)]
    waiting[0].__enter__()
    others = [threading.Thread(target=_turn, args=(turn,)) for turn in waiting[1:]]
    for other in others:
        other.start()
    until(lambda: past._room._value == 0)
    with pytest.raises(SlowDown, match="ask again"):
        past.stand(asked)
    waiting[0].__exit__(None, None, None)
    for other in others:
        other.join()
    assert past.stand(asked).records == 0


def _turn(turn: AbstractContextManager[None]) -> None:
    with turn:
        pass
