"""What derived conditions make of readings, by looking at all of them each time (docs/conditions)."""

from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from statistics import median

from shared.model.report import Tick
from shared.model.rule import (
    Average,
    Count,
    Derived,
    Deviation,
    Drift,
    Flatline,
    Jump,
    Range,
    Rate,
    Threshold,
)  # fmt: skip
from shared.model.timed import Compliance, Discipline, Flagged, Timed, TimeToLimit
from tests.reference.arithmetic import converted, exact, holds, ratio_of, rounded
from tests.reference.history import History, Life
from tests.reference.seen import Seen
from tests.reference.timed import timed

HOUR = 3_600_000_000
LENGTH = {"5m": HOUR // 12, "1h": HOUR, "3h": 3 * HOUR, "8h": 8 * HOUR, "24h": 24 * HOUR}
INTERVAL = {"realtime": 0, "minute": HOUR // 60, "hour": HOUR, "day": 24 * HOUR}


def shown_unit(condition: Threshold | Range | Derived, own: str) -> str:
    if isinstance(condition, Count | Deviation | Drift):
        return "1"
    if isinstance(condition, Jump) and condition.memory_us is not None:
        return "1"
    if isinstance(condition, Compliance | Discipline):
        return "%"
    if isinstance(condition, Flatline | TimeToLimit | Flagged):
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
    if isinstance(condition, Timed):
        return timed(history, life, condition, own, seen)
    by = ratio_of(own, condition.unit or own)
    if isinstance(condition, Average):
        return living(life, averages(history, condition, by, seen))
    if isinstance(condition, Deviation | Drift):
        over = condition.over if isinstance(condition, Deviation) else "24h"
        if over == "reading":
            return places(history, condition, seen)
        hours = Average(condition.indicator, condition.interval, over, HOUR, 0.5, HOUR)
        means = living(life, averages(history, hours, Fraction(1), seen))
        return places(history, condition, sorted(means))
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
    if isinstance(condition, Jump) and condition.memory_us is not None:
        return usual(found, condition.memory_us)
    return found


def living(life: Life, found: list[Seen]) -> list[Seen]:
    return [s for s in found if life.end is None or s.index < life.end]


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
    first: Seen | None = known[0]
    last = known[0]
    for reading in known:
        if condition.above is not None and exact(reading.value) * by <= exact(condition.above):
            first = None
            continue
        if first is None:
            first = last = reading
        apart = abs(exact(reading.value) - exact(first.value)) * by
        gap = reading.at - last.at
        long = condition.max_gap_us is not None and gap > condition.max_gap_us
        if apart > exact(condition.within) or long:
            first = reading
        last = reading
    if first is None:
        return 0.0
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
    if over == "3h":
        begin = begin.replace(hour=local.hour // 3 * 3, tzinfo=None, fold=0)
        end = (begin + timedelta(hours=3)).replace(tzinfo=history.zone)
        begin = begin.replace(tzinfo=history.zone)
        return int(begin.timestamp()) * 1_000_000, int(end.timestamp()) * 1_000_000
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


# -- what is usual ---------------------------------------------------------------------------------


def band(past: list[tuple[int, float]], memory: int, at: int) -> tuple[float, float]:
    """The band of what came before, drawn together until `at`; from the first value on."""
    high = low = past[0][1]
    for (before, _), (when, value) in pairwise([*past, (at, None)]):
        kept = memory / (memory + (when - before))
        middle = high / 2 + low / 2
        high, low = middle + (high - middle) * kept, middle + (low - middle) * kept
        if value is not None:
            high, low = max(high, value), min(low, value)
    return high, low


def place_in(past: list[tuple[int, float]], memory: int, at: int, value: float) -> float | None:
    if len(past) < 21 or at - past[0][0] < 24 * HOUR:
        return None
    high, low = band(past, memory, at)
    return None if high <= low else (value - (high / 2 + low / 2)) / (high / 2 - low / 2)


def usual(steps: list[Seen], memory: int) -> list[Seen]:
    """Jumps beside usual jumps."""
    found, past = [], []
    for step in steps:
        if step.quality == "unknown":
            found.append(step)
            continue
        place = place_in(past, memory, step.at, step.value)
        if step.quality == "known":
            past.append((step.at, step.value))
        if place is not None:
            found.append(step._replace(value=rounded(exact(place))))
    return found


def places(history: History, condition: Deviation | Drift, steps: list[Seen]) -> list[Seen]:
    found = []
    past: list[tuple[int, float]] = []
    for number, step in enumerate(steps):
        if step.quality == "unknown":
            found.append(step)
            continue
        before = [s for s in steps[:number] if s.quality == "known"]
        rest = remainder(history, getattr(condition, "season", "none"), before, step)
        if rest is None:
            continue
        place = place_in(past, condition.memory_us, step.at, rest)
        if step.quality == "known":
            past.append((step.at, rest))
        if place is None or (step.quality == "over" and condition.side == "low"):
            continue
        if step.quality == "over":
            place = max(place, 0.0)
        else:
            place = {"both": abs(place), "high": place, "low": -place}[condition.side]
        found.append(step._replace(value=rounded(exact(place))))
    return found


def remainder(history: History, season: str, before: list[Seen], now: Seen) -> float | None:
    if season == "none":
        return now.value

    def wall(at: int) -> datetime:
        return datetime.fromtimestamp(at // 1_000_000, history.zone).replace(
            minute=0, second=0, tzinfo=None, fold=0
        )

    said = {wall(s.at): s.value for s in before}
    rests = []
    for name, length, count in (("day", 1, 7), ("week", 7, 3)):
        moments = [wall(now.at) - timedelta(days=length * n) for n in range(1, count + 1)]
        same = [said[m] for m in moments if m in said]
        if season in (name, "auto") and len(same) >= 2:
            rests.append(now.value - median(same))
    return min(rests, key=abs) if rests else None
