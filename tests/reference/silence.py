"""Missing reports, found slot by slot and silence by silence (contract §8.11-8.13)."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from shared.model.report import Report, Tick
from shared.model.rule import Missing, Silent
from tests.reference.history import History, Life, Reading, applying


class Silence(NamedTuple):
    """A change of a missing episode: the record that causes it, and what is said."""

    index: int
    episode: int
    state: str
    cause: str
    at: int


def silences(history: History, life: Life) -> list[Silence]:
    condition = life.rule.condition
    if not history.ticks:
        return []
    if isinstance(condition, Silent):
        return _of_facility(history, life, condition)
    assert isinstance(condition, Missing)
    readings = history.series(life.facility, life.station, condition.interval, condition.indicator)
    if condition.due is not None:
        return _daily(history, life, condition, readings)
    return _often(history, life, condition, readings)


def _of_facility(history: History, life: Life, condition: Silent) -> list[Silence]:
    """Record by record: when was anything heard of the stations that there are now?"""
    found: list[Silence] = []
    is_open, episode, back = False, 0, -1
    stop = len(history.records) if life.end is None else life.end
    for index in range(life.begin + 1, stop):
        bundle = history.bundle(index)
        assert bundle is not None
        stations = {s for r, f, s in applying(bundle) if (r, f) == (life.rule.id, life.facility)}
        heard = sorted(
            reading.index
            for record in history.records[: index + 1]
            if isinstance(record, Report) and record.station in stations
            for code in record.indicators
            for reading in history.series(life.facility, record.station, record.interval, code)
            if reading.index <= index
        )
        now = history.log_time(index)
        record = history.records[index]
        assert now is not None
        if is_open and back < 0 and heard and heard[-1] == index:
            back = now
            if not condition.settle_us:
                found.append(Silence(index, episode, "resolved", "reported", now))
                is_open = False
        if is_open and back >= 0 and isinstance(record, Tick):
            at = history.becomes_missing(index, back, condition.settle_us)
            if at <= now:
                found.append(Silence(index, episode, "resolved", "reported", at))
                is_open = False
        if not is_open and isinstance(record, Tick):
            since = history.log_time(heard[-1] if heard else life.begin)
            assert since is not None
            since = max(since, back)  # who ended the last one may be gone
            start = history.first_in_force(life, since, index)
            if start is None:
                continue
            at = history.becomes_missing(index, start, condition.every_us + condition.grace_us)
            if at <= now:
                is_open, back, episode = True, -1, start + condition.every_us
                found.append(Silence(index, episode, "firing", "missing", at))
    if is_open and life.end is not None:
        at_end = history.log_time(life.end)
        assert at_end is not None
        found.append(Silence(life.end, episode, "withdrawn", "withdrawn", at_end))
    return found


def _end(history: History, life: Life, episode: int, reading: Reading | None) -> list[Silence]:
    """What ends an open episode: a reading, or the loss of the rule; nothing else."""
    if reading is not None and (life.end is None or reading.index < life.end):
        at = history.log_time(reading.index)
        assert at is not None
        return [Silence(reading.index, episode, "resolved", "reported", at)]
    if life.end is not None:
        at = history.log_time(life.end)
        assert at is not None
        return [Silence(life.end, episode, "withdrawn", "withdrawn", at)]
    return []


def _first_tick(
    history: History, life: Life, after: int, until: int | None,
    due_at: Callable[[int], int | None], grace: int,
) -> tuple[int, int] | None:  # fmt: skip
    """The first tick in the life at which it is missing, and the instant it became so.

    `due_at` says what is due, as the configuration of a record has it; None: nothing.
    """
    for index, _ in history.ticks:
        if index <= max(after, life.begin):
            continue
        if until is not None and index > until:
            return None
        if life.end is not None and index > life.end:
            return None
        due = due_at(index)
        if due is None:
            continue
        at = history.becomes_missing(index, due, grace)
        now = history.log_time(index)
        assert now is not None
        if at <= now:
            return index, at
    return None


def _local(day: date, history: History, hour: int = 0, minute: int = 0) -> int:
    moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=history.zone)
    return round(moment.timestamp()) * 1_000_000


def _daily(
    history: History, life: Life, condition: Missing, readings: list[Reading]
) -> list[Silence]:
    assert condition.due is not None
    activated = history.log_time(life.begin)
    assert activated is not None
    counts_after = max(history.ticks[0][1], activated)
    last = max(at for _, at in history.ticks)
    day = datetime.fromtimestamp(counts_after / 1e6, history.zone).date() - timedelta(days=3)
    final = datetime.fromtimestamp(last / 1e6, history.zone).date()
    found: list[Silence] = []
    closed = -1
    """The record up to which an episode was open."""
    candidates = []
    while day <= final:
        due = _local(day + timedelta(days=1), history, condition.due.hour, condition.due.minute)
        if due > counts_after:
            hit = _first_tick(
                history, life, life.begin, None, lambda _, due=due: due, condition.grace_us
            )
            if hit is not None and history.is_in_force(life, _local(day, history), hit[0]):
                candidates.append((hit[0], day, due, hit[1]))
        day += timedelta(days=1)
    for index, day, due, at in sorted(candidates):

        def is_of(reading: Reading, day: date = day) -> bool:
            return datetime.fromtimestamp(reading.at / 1e6, history.zone).date() >= day

        if index < closed or any(is_of(r) for r in readings if r.index < index):
            continue
        if found and found[-1].state == "firing":
            continue
        ending = next((r for r in readings if r.index > index and is_of(r)), None)
        found.append(Silence(index, due, "firing", "missing", at))
        end = _end(history, life, due, ending)
        found += end
        closed = end[0].index if end else closed
    return found


def _often(
    history: History, life: Life, condition: Missing, readings: list[Reading]
) -> list[Silence]:
    assert condition.every_us is not None
    found: list[Silence] = []
    before = [r for r in readings if r.index < life.begin]
    within = [r for r in readings if r.index > life.begin]
    if life.end is not None:
        within = [r for r in within if r.index < life.end]
    starts = [before[-1].index if before else life.begin, *(r.index for r in within)]
    for number, index in enumerate(starts):
        following = within[number] if number < len(within) else None
        heard = history.log_time(index)
        assert heard is not None

        def start(now: int, heard: int = heard) -> int | None:
            return history.first_in_force(life, heard, now)

        hit = _first_tick(
            history, life, index, following.index if following else None, start,
            condition.every_us + condition.grace_us,
        )  # fmt: skip
        if hit is not None:
            begun = start(hit[0])
            assert begun is not None
            episode = begun + condition.every_us
            found.append(Silence(hit[0], episode, "firing", "missing", hit[1]))
            found += _end(history, life, episode, following)
    return found
