"""Habits of a reporter, by looking at all of its readings again at each of them."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from shared.model.instants import window_end
from shared.model.timed import Discipline
from tests.reference.arithmetic import exact, ratio_of, rounded
from tests.reference.edits import edits
from tests.reference.history import History, Life
from tests.reference.seen import Seen

DAY = 86_400_000_000


def discipline(
    history: History, life: Life, condition: Discipline, own: str, seen: list[Seen]
) -> list[Seen]:
    if condition.of == "edits":
        return edits(history, life, condition, own, seen)
    found = []
    for place, now in enumerate(seen):
        past = seen[: place + 1]
        if condition.of == "heaping":
            found += heaping(condition, own, past)
            continue
        if condition.of == "late":
            marks = [is_late(history, condition, s) for s in past]
        elif condition.of == "marks":
            key = (life.facility, life.station, condition.interval, condition.indicator)
            flags = {r.index: r.flag for r in history.series(*key)}
            marks = [flags[s.index] in condition.flags for s in past]
        else:
            last = None if place == 0 else slot(history, condition, seen[place - 1].at)
            if last == slot(history, condition, now.at):
                continue
            marks = gaps(history, condition, past)
        share = rounded(Fraction(100 * sum(marks[-condition.within :]), condition.within))
        quality = "known" if len(marks) >= condition.within else "over"
        found.append(now._replace(quality=quality, value=share))
    return found


def is_late(history: History, condition: Discipline, reading: Seen) -> bool:
    now = history.log_time(int(reading.index), looking_ahead=False)
    if now is None:
        return False
    end = window_end(reading.at, condition.interval, history.zone)  # type: ignore[arg-type]
    return now > history.becomes_missing(int(reading.index), end, condition.allowed_us)


def slot(history: History, condition: Discipline, at: int) -> int:
    if condition.every_us == DAY:
        return datetime.fromtimestamp(at / 1e6, history.zone).toordinal()
    return at // condition.every_us


def begin(zone: ZoneInfo, condition: Discipline, number: int) -> int:
    if condition.every_us == DAY:
        day = date.min + timedelta(days=number - 1)
        moment = datetime(day.year, day.month, day.day, tzinfo=zone)
        return round(moment.timestamp()) * 1_000_000
    return number * condition.every_us


def gaps(history: History, condition: Discipline, past: list[Seen]) -> list[bool]:
    """Slot by slot; what is missing is known when the next reading comes."""
    marks: list[bool] = []
    before: int | None = None
    for reading in past:
        here = slot(history, condition, reading.at)
        index = int(reading.index)
        now = history.log_time(index, looking_ahead=False)
        for missed in range(here if before is None else before + 1, here):
            start, end, after = (begin(history.zone, condition, missed + n) for n in range(3))
            heard = now is not None and end <= now
            deaf = any(a < after and b > start for a, b in history.deaf(index))
            if here - missed <= condition.within and heard and not deaf:
                marks.append(True)
        if here != before:
            marks.append(False)
        before = here
    return marks


def heaping(condition: Discipline, own: str, past: list[Seen]) -> list[Seen]:
    now = past[-1]
    if now.quality == "unknown":
        return [now]
    by = ratio_of(own, condition.unit or own)
    assert condition.limit is not None
    limit = exact(condition.limit)
    width = limit * exact(condition.below) / 100
    last = [s for s in past if s.quality != "unknown"][-condition.within :]
    if len(last) < condition.within:
        return []
    values = [exact(s.value) * by for s in last if s.quality == "known"]
    heap = sum(limit - width <= v <= limit for v in values)
    below = sum(limit - 2 * width <= v < limit - width for v in values)
    share = Fraction(100 * heap, max(heap + below, condition.least))
    return [now._replace(quality="known", value=rounded(share))]
