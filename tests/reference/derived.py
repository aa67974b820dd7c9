"""What derived conditions make of readings, by looking at all of them each time (docs/conditions)."""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from shared.model.report import Tick
from shared.model.rule import Average, Count, Derived, Flatline, Jump, Range, Rate, Threshold
from tests.reference.arithmetic import converted, exact, holds, ratio_of, rounded
from tests.reference.history import History, Life

HOUR = 3_600_000_000
LENGTH = {"5m": HOUR // 12, "1h": HOUR, "8h": 8 * HOUR, "24h": 24 * HOUR}
INTERVAL = {"realtime": 0, "minute": HOUR // 60, "hour": HOUR, "day": 24 * HOUR}


class Seen(NamedTuple):
    """A judged reading in the unit of its indicator, or what was derived of some."""

    index: float
    at: int
    quality: str
    value: float


def shown_unit(condition: Threshold | Range | Derived, own: str) -> str:
    if isinstance(condition, Count):
        return "1"
    if isinstance(condition, Flatline):
        return condition.shown_in
    unit = condition.unit or own
    return f"{unit}/{condition.per}" if isinstance(condition, Rate) else unit


def numbered(steps: list[Seen]) -> list[Seen]:
    """Several of one record become places within it, in order of time."""
    done: list[Seen] = []
    for step in sorted(steps, key=lambda s: (s.index, s.at)):
        before = [s for s in done if int(s.index) == step.index]
        done.append(step._replace(index=step.index + len(before) / 1000))
    return done


def derived(
    history: History, life: Life, condition: Derived, own: str, seen: list[Seen]
) -> list[Seen]:
    by = ratio_of(own, condition.unit or own)
    if isinstance(condition, Average):
        found = averages(history, condition, by, seen)
        return [s for s in found if life.end is None or s.index < life.end]
    found = []
    for place, reading in enumerate(seen):
        before = [s for s in seen[:place] if s.quality == "known"]
        if reading.quality == "unknown":
            found.append(reading)
        elif isinstance(condition, Rate | Jump):
            found += change(condition, by, before, reading)
        elif isinstance(condition, Flatline):
            if reading.quality == "known":
                found.append(reading._replace(value=stood(condition, by, [*before, reading])))
        else:
            found += count(condition, own, seen[:place], reading)
    return found


def change(condition: Rate | Jump, by: Fraction, before: list[Seen], now: Seen) -> list[Seen]:
    if not before:
        return []
    last = before[-1]
    gap = now.at - last.at
    if condition.max_gap_us is not None and gap > condition.max_gap_us:
        return [now._replace(quality="unknown")]
    grown = (exact(now.value) - exact(last.value)) * by
    if isinstance(condition, Rate):
        return [now._replace(value=rounded(grown * condition.per_us / gap))]
    return [
        now._replace(value=rounded(max(grown, Fraction(0) if now.quality == "over" else -grown)))
    ]


def stood(condition: Flatline, by: Fraction, known: list[Seen]) -> float:
    """Walks all known readings again, from the first."""
    first = last = known[0]
    for reading in known:
        apart = abs(exact(reading.value) - exact(first.value)) * by
        gap = reading.at - last.at
        long = condition.max_gap_us is not None and gap > condition.max_gap_us
        if apart > exact(condition.within) or long:
            first = reading
        last = reading
    unit = HOUR // 60 if condition.shown_in == "min" else HOUR
    return rounded(Fraction(last.at - first.at, unit))


def count(condition: Count, own: str, before: list[Seen], now: Seen) -> list[Seen]:
    def answer(reading: Seen) -> bool | None:
        value = converted(reading.value, own, condition.unit or own)
        yes = holds(condition.of, value)
        if reading.quality == "known":
            return yes
        sure = reading.quality == "over" and condition.of.op in (">", ">=") and yes
        return True if sure else None

    if answer(now) is None:
        return []
    answers = [a for a in map(answer, [*before, now]) if a is not None]
    last = answers[-condition.within :]
    quality = "known" if len(last) == condition.within else "over"
    return [now._replace(quality=quality, value=float(sum(last)))]


# -- averages --------------------------------------------------------------------------------------


def step_of(history: History, over: str, at: int) -> tuple[int, int]:
    """The 5 minutes, hour or day of the site's calendar that hold an instant."""
    local = datetime.fromtimestamp(at // 1_000_000, history.zone)
    begin = local.replace(minute=0, second=0)
    if over == "day":
        begin = begin.replace(hour=0)
        end = (begin.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=history.zone)
        return int(begin.timestamp()) * 1_000_000, int(end.timestamp()) * 1_000_000
    past = local.minute * 60 + local.second
    if over == "5m":
        past %= 300
    start = (at // 1_000_000 - past) * 1_000_000
    return start, start + min(LENGTH[over], HOUR)


def averages(history: History, condition: Average, by: Fraction, seen: list[Seen]) -> list[Seen]:
    windows: set[tuple[int, int]] = set()
    for reading in seen:
        start, end = step_of(history, condition.over, reading.at)
        if condition.over in ("8h", "24h"):
            length = LENGTH[condition.over]
            ends = range(end, start + length + 1, HOUR)
            windows |= {(e - length, e) for e in ends}
        else:
            windows.add((start, end))
    found = []
    for start, end in windows:
        inside = [s for s in seen if start <= s.at < end]
        index = closing(history, condition, end, inside[0].index, seen)
        if index is not None:
            heard = [s for s in inside if s.index <= index]
            found.append(mean(condition, by, start, end, index, heard))
    return found


def closing(
    history: History, condition: Average, end: int, first: float, seen: list[Seen]
) -> int | None:
    """The record with which the window is over."""
    apart = INTERVAL[condition.interval]
    after = [s.index for s in seen if s.index >= first and s.at + apart >= end]
    hits = [int(i) for i in after[:1]]
    for index, record in enumerate(history.records):
        if index <= first or not isinstance(record, Tick):
            continue
        newest = int([s for s in seen if s.index < index][-1].index)
        heard = history.log_time(newest)
        assert heard is not None
        if history.becomes_missing(index, max(end, heard), condition.grace_us) <= record.at_us:
            hits.append(index)
            break
    return min(hits, default=None)


def mean(
    condition: Average, by: Fraction, start: int, end: int, index: int, heard: list[Seen]
) -> Seen:
    known = [s for s in heard if s.quality != "unknown"]
    slots = {(s.at - start) // condition.every_us for s in known}
    enough = len(slots) * condition.every_us >= exact(condition.complete) * (end - start)
    if not known or not enough:
        return Seen(index, start, "unknown", 0.0)
    value = sum((exact(s.value) for s in known), Fraction(0)) / len(known) * by
    over = any(s.quality == "over" for s in known)
    return Seen(index, start, "over" if over else "known", rounded(value))
