"""What conditions about time and discipline make of readings, by looking at all of them each time."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import combinations, pairwise
from math import ceil, floor, sqrt
from statistics import median

from shared.model.timed import (
    Companion,
    Compliance,
    Discipline,
    Flagged,
    Timed,
    TimeToClear,
    TimeToLimit,
)
from tests.reference.arithmetic import exact, ratio_of, rounded
from tests.reference.discipline import discipline
from tests.reference.history import History, Life
from tests.reference.seen import Seen

SHOWN = {"min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}


def capacity(history: History, life: Life, index: float, at: int) -> float | None:
    """The configured one with the latest start not after the local day."""
    bundle = history.bundle(int(index))
    assert bundle is not None
    facility = next(f for f in bundle.facilities if f.id == life.facility)
    day = datetime.fromtimestamp(at / 1e6, history.zone).date()
    begun = sorted((c.since, c.t_per_day) for c in facility.capacity if c.since <= day)
    return begun[-1][1] if begun else None


def timed(history: History, life: Life, condition: Timed, own: str, seen: list[Seen]) -> list[Seen]:
    if isinstance(condition, TimeToLimit):
        return time_to_limit(history, life, condition, own, seen)
    if isinstance(condition, Compliance):
        return compliance(history, life, condition, seen)
    if isinstance(condition, Discipline):
        return discipline(history, life, condition, own, seen)
    return flagged(history, life, condition, seen)


def periods(history: History, per: str, first: int, last: int) -> list[tuple[int, int]]:
    """From the one that holds `first` to the one that holds `last`, day by day."""

    def midnight(day: date) -> int:
        moment = datetime(day.year, day.month, day.day, tzinfo=history.zone)
        return round(moment.timestamp()) * 1_000_000

    def begins(day: date) -> bool:
        return per == "day" or (day.weekday() == 0 if per == "week" else day.day == 1)

    day = datetime.fromtimestamp(first / 1e6, history.zone).date()
    while not begins(day):
        day -= timedelta(days=1)
    edges = [midnight(day)]
    while edges[-1] <= last:
        day += timedelta(days=1)
        if begins(day):
            edges.append(midnight(day))
    return list(pairwise(edges))


def compliance(history: History, life: Life, condition: Compliance, seen: list[Seen]) -> list[Seen]:
    begin = history.log_time(life.begin)
    if begin is None:
        return []
    ticks = [i for i, _ in history.ticks if i > life.begin and (life.end is None or i < life.end)]
    moments = [begin, *(at for _, at in history.ticks), *(s.at for s in seen)]
    spans = periods(history, condition.per, min(moments), max(moments))
    watched = [s for s in spans if s[1] > begin]
    judged: dict[tuple[int, int], int] = {}
    for span in watched:
        for index in ticks:
            due = history.becomes_missing(index, span[1], condition.grace_us)
            if due <= history.records[index].at_us:  # type: ignore[union-attr]  # a tick
                judged[span] = index
                break
    counted: dict[tuple[int, int], int] = {}
    last: int | None = None
    for s in seen:
        span = next(span for span in spans if span[0] <= s.at < span[1])
        early = span not in watched and any(i < s.index for i, _ in history.ticks)
        if s.quality == "unknown" or early or judged.get(span, 10**9) < s.index:
            continue
        if last is None or s.at - last >= condition.apart_us:
            counted[span] = counted.get(span, 0) + 1
            last = s.at
    found = []
    for span, index in judged.items():
        start, end = span
        deaf = sum(max(0, min(b, end) - max(a, start)) for a, b in history.deaf(index))
        required = ceil(Fraction(condition.at_least * (end - start - deaf), end - start))
        if required == 0:
            found.append(Seen(index, start, "unknown", 0.0))
        else:
            share = rounded(Fraction(100 * counted.get(span, 0), required))
            found.append(Seen(index, start, "over" if start < begin else "known", share))
    return found


def flags(history: History, life: Life, condition: Flagged) -> dict[float, str]:
    """Of each judged reading, by its record."""
    place = (life.facility, life.station, condition.interval, condition.indicator)
    return {r.index: r.flag for r in history.series(*place)}


def flagged(history: History, life: Life, condition: Flagged, seen: list[Seen]) -> list[Seen]:
    said = flags(history, life, condition)
    if condition.companion is not None:
        return running(history, life, condition, condition.companion, said, seen)
    found = []
    for place, now in enumerate(seen):
        if now.quality != "unknown":
            found.append(now._replace(quality="known", value=0.0))
            continue
        proofs = [n for n in range(place) if seen[n].quality != "unknown"]
        since = seen[proofs[-1] + 1 if proofs else 0 : place + 1]
        listed = [s.at for s in since if said[s.index] in condition.flags]
        if listed:
            stood = rounded(Fraction(now.at - listed[0], SHOWN[condition.shown_in]))
            found.append(now._replace(quality="known", value=stood))
        else:
            found.append(now)
    return found


def running(
    history: History, life: Life, condition: Flagged, companion: Companion,
    said: dict[float, str], seen: list[Seen],
) -> list[Seen]:  # fmt: skip
    """The spans between readings without evidence in which the plant ran, added up each time."""
    found = []
    for place, now in enumerate(seen):
        if now.quality != "unknown":
            found.append(now._replace(quality="known", value=0.0))
            continue
        proofs = [n for n in range(place) if seen[n].quality != "unknown"]
        since = seen[proofs[-1] + 1 if proofs else 0 : place + 1]
        listed = [n for n, s in enumerate(since) if said[s.index] in condition.flags]
        if not listed:
            found.append(now)
            continue
        spans = list(pairwise(since[listed[0] :]))
        states = [ran(history, life, companion, int(after.index), after.at) for _, after in spans]
        total = sum(b.at - a.at for (a, b), s in zip(spans, states, strict=True) if s == "runs")
        quality = "over" if "unknown" in states else "known"
        value = rounded(Fraction(total, SHOWN[condition.shown_in]))
        found.append(now._replace(quality=quality, value=value))
    return found


def ran(history: History, life: Life, companion: Companion, index: int, at: int) -> str:
    """runs, stands or unknown, by the newest readings up to and in this record."""
    bundle = history.bundle(index)
    assert bundle is not None
    stations = [life.station]
    if companion.station is not None or companion.point is not None:
        stations = [
            s.id
            for s in bundle.stations
            if s.facility == life.facility
            and companion.station in (None, s.id)
            and companion.point in (None, s.point)
        ]
    states = []
    for station in stations:
        place = (life.facility, station, companion.interval, companion.indicator)
        newest = [r for r in history.series(*place) if r.index <= index][-1:]
        states.append("unknown")
        for r in newest:
            if abs(r.at - at) > companion.max_age_us:
                continue
            value = rounded(exact(r.value) * ratio_of(companion.own, companion.unit))
            holds = companion.runs.holds(value if companion.own != companion.unit else r.value)
            if r.flag in ("N", "S", *companion.despite):
                states[-1] = "runs" if holds else "stands"
            elif r.flag == "T" and holds and companion.runs.op in (">", ">="):
                states[-1] = "runs"
    if "runs" in states:
        return "runs"
    return "unknown" if "unknown" in states or not states else "stands"


def time_to_limit(
    history: History, life: Life, condition: TimeToLimit, own: str, seen: list[Seen]
) -> list[Seen]:
    by = ratio_of(own, condition.unit or own)
    found = []
    for place, now in enumerate(seen):
        if now.quality == "unknown":
            found.append(now)
            continue
        limit = condition.limit
        if limit is None:
            limit = capacity(history, life, now.index, now.at)
        if now.quality == "over":
            up = condition.towards == "up"
            if limit is not None and up and exact(now.value) * by >= exact(limit):
                found.append(now._replace(quality="known", value=0.0))
            continue
        slot = condition.over_us // 32
        newest = {
            s.at // slot: s
            for s in seen[: place + 1]
            if s.quality == "known" and s.at > now.at - condition.over_us
        }
        points = [(s.at, exact(s.value) * by) for s in newest.values()]
        if (
            limit is None
            or len(points) < condition.least
            or 2 * (points[-1][0] - points[0][0]) < condition.over_us
        ):
            found.append(now._replace(quality="unknown"))
            continue
        found.append(now._replace(value=forecast(condition, points, exact(limit))))
    return found


def clearing(
    condition: TimeToClear, parts: dict[str, tuple[float, str]], configured: float | None
) -> tuple[str, float]:
    """(value, known | over | unknown) of what a slot has."""
    known = dict(parts)
    if condition.capacity == "mw.capacity_t" and configured is not None:
        known = {"mw.capacity_t": (configured, "known"), **parts}
    names = (condition.backlog, condition.intake, condition.capacity)
    said = [known.get(name, (0.0, "unknown")) for name in names]
    qualities = [quality for _, quality in said]
    if "unknown" in qualities or qualities[2] == "over":
        return "unknown", 0.0
    backlog, intake, most = (exact(value) for value, _ in said)
    days = Fraction(condition.horizon_us, SHOWN["d"])
    if most > intake:
        days = min(days, backlog / (most - intake))
    if backlog <= 0:
        days = Fraction(0)
    value = rounded(days * SHOWN["d"] / SHOWN[condition.shown_in])
    return ("over" if "over" in qualities else "known"), value


def forecast(condition: TimeToLimit, points: list[tuple[int, Fraction]], limit: Fraction) -> float:
    """Along the line: Theil and Sen; its edges by Sen's ranks."""
    slopes = sorted((w - v) / (t - s) for (s, v), (t, w) in combinations(points, 2))
    n, count = len(points), len(slopes)
    middle = median(slopes)
    now = points[-1][0]
    level = median([v + middle * (now - t) for t, v in points])
    ranks = floor(1.282 * sqrt(n * (n - 1) * (2 * n + 5) / 18))
    edge = max(0, (count - ranks) // 2 - 1)
    edges = (slopes[edge], slopes[-1 - edge])
    if condition.towards == "down":
        level, limit, middle = -level, -limit, -middle
        edges = (-edges[1], -edges[0])
    slope = {"middle": middle, "early": edges[1], "late": edges[0]}[condition.judge]
    longest = Fraction(condition.horizon_us)
    if level >= limit:
        time = Fraction(0)
    elif slope <= 0:
        time = longest
    else:
        time = min((limit - level) / slope, longest)
    return rounded(time / SHOWN[condition.shown_in])
