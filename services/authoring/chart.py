"""Chart: one series as SVG paths in a box of 1440 x 400, and labels for HTML to place in percent.

The SVG is stretched to the width of the page, so text stays out of it; strokes do not scale.
"""

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from services.authoring.episodes import Episode
from services.authoring.limits import Line
from services.authoring.trace import Trace
from shared.model.instants import from_datetime, to_datetime
from shared.model.numbers import short_text

WIDTH, HEIGHT = 1440, 400
MARGIN = 0.07
"""Of the height, above and below what is drawn."""
FAR = 1.5
"""A limit that is farther from the readings than so many times their span is named, not drawn."""
LABEL_APART = 11.0
"""Percent of the height between two labels beside the chart."""
MOST_TICKS = 8


class Label(msgspec.Struct, frozen=True):
    """A text beside the chart: where, in percent from the left or from the top."""

    at: float
    text: str
    severity: str = ""


class Shade(msgspec.Struct, frozen=True):
    x: int
    width: int
    severity: str
    title: str


class Stroke(msgspec.Struct, frozen=True):
    """A limit line from x1 to x2 at y."""

    x1: int
    x2: int
    y: int
    severity: str
    raises: bool


class Chart(msgspec.Struct, frozen=True):
    path: str
    shades: list[Shade]
    strokes: list[Stroke]
    y_labels: list[Label]
    limits: list[Label]
    outside: list[str]
    """Limits too far away to be drawn."""


class Axis(msgspec.Struct, frozen=True):
    """The time that all charts of a report share."""

    from_us: int
    to_us: int

    def x(self, at_us: int) -> int:
        span = max(self.to_us - self.from_us, 1)
        return min(max(round((at_us - self.from_us) * WIDTH / span), 0), WIDTH)


def draw(
    trace: Trace, lines: list[Line], episodes: list[Episode], axis: Axis, titles: dict[int, str]
) -> Chart:
    """`titles` by place of the episode: what a pointer that rests on it is told."""
    near, outside = _near(trace, [each for each in lines if _in_view(each, axis)])
    low, high = _bounds(trace, near)

    def y(value: float) -> int:
        return round((high - value) * HEIGHT / (high - low))

    strokes = []
    for each in near:
        end_us = axis.to_us if each.to_us is None else each.to_us
        x1, x2 = axis.x(each.from_us), axis.x(end_us)
        stroke = Stroke(x1, x2, y(each.value), each.severity.value, each.raises)
        if stroke not in strokes:
            strokes.append(stroke)
    named = {(each.text, each.severity.value): each for each in near if each.raises}
    limits = [
        Label(100 * y(line.value) / HEIGHT, text, severity)
        for (text, severity), line in named.items()
    ]
    marks = [Label(100 * y(value) / HEIGHT, short_text(value)) for value in nice(low, high)]
    return Chart(
        _path(trace, axis, y), _shades(episodes, axis, titles), strokes, marks, apart(limits),
        sorted({f"{each.text}" for each in outside if each.raises}),
    )  # fmt: skip


def _in_view(line: Line, axis: Axis) -> bool:
    return line.from_us < axis.to_us and (line.to_us is None or line.to_us > axis.from_us)


def _near(trace: Trace, lines: list[Line]) -> tuple[list[Line], list[Line]]:
    bounds = trace.bounds()
    if bounds is None:
        return lines, []
    low, high = bounds
    reach = FAR * max(high - low, abs(high) * 0.5, 1e-9)
    near = [each for each in lines if low - reach <= each.value <= high + reach]
    return near, [each for each in lines if each not in near]


def _bounds(trace: Trace, lines: list[Line]) -> tuple[float, float]:
    values = [each.value for each in lines] + list(trace.bounds() or ())
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if 0 <= low < 0.4 * high:
        low = 0.0
    span = high - low or abs(high) or 1.0
    bottom = low if low == 0 else low - MARGIN * span
    return bottom, high + MARGIN * span


def _path(trace: Trace, axis: Axis, y: object) -> str:
    """Lowest to highest of each column, one stroke for each unbroken run."""
    assert callable(y)
    parts: list[str] = []
    for run in trace.runs():
        last: tuple[int, int] | None = None
        for at_us, low, high in run:
            x = axis.x(at_us)
            ends = [y(low), y(high)] if low != high else [y(low)]
            if (
                last is not None
                and len(ends) == 2
                and abs(last[1] - ends[1]) < abs(last[1] - ends[0])
            ):
                ends.reverse()
            for end in ends:
                if last is None:
                    parts.append(f"M{x} {end}h0")
                elif (x, end) != last:
                    parts.append(f"l{x - last[0]} {end - last[1]}")
                last = (x, end)
    return "".join(parts)


def _shades(episodes: list[Episode], axis: Axis, titles: dict[int, str]) -> list[Shade]:
    """One rectangle for each severity an episode stood at; those of one column are one."""
    shades: dict[tuple[int, int, str], Shade] = {}
    for place, each in enumerate(episodes):
        ends = [at for at, _ in each.changes[1:]] + [each.ended_us or axis.to_us]
        for (begin_us, severity), end_us in zip(each.changes, ends, strict=True):
            x = axis.x(begin_us)
            wide = max(axis.x(end_us) - x, 2)
            key = (x, wide, severity.value)
            shades.setdefault(key, Shade(x, wide, severity.value, titles.get(place, "")))
    return list(shades.values())


def apart(labels: list[Label]) -> list[Label]:
    """Labels from top to bottom, moved where they would lie on one another."""
    placed: list[Label] = []
    for label in sorted(labels, key=lambda each: each.at):
        at = max(label.at, placed[-1].at + LABEL_APART) if placed else label.at
        placed.append(Label(at, label.text, label.severity))
    over = placed[-1].at - 100 if placed else 0
    if over > 0:
        placed = [Label(each.at - over, each.text, each.severity) for each in placed]
    return placed


def nice(low: float, high: float) -> list[float]:
    """Three to six round values between two bounds."""
    step = 10.0 ** math.floor(math.log10((high - low) / 3))
    for times in (1, 2, 5, 10):
        if (high - low) / (step * times) <= 5:
            step *= times
            break
    first = math.ceil(low / step)
    return [round(n * step, 12) for n in range(first, math.floor(high / step) + 1)]


def time_labels(axis: Axis, zone: ZoneInfo) -> list[Label]:
    """Midnights, Mondays, first days of months or years, so that there are at most eight."""
    begin, end = to_datetime(axis.from_us, zone), to_datetime(axis.to_us, zone)
    days = (end - begin) / timedelta(days=1)
    moments: list[datetime] = []
    if days <= 2:
        hours = 3 if days <= 1 else 6
        at = begin.replace(hour=0, minute=0, second=0, microsecond=0)
        while at <= end:
            moments.append(at)
            at += timedelta(hours=hours)
        form = "%m-%d %H:%M"
    elif days <= 150:
        each = math.ceil(days / MOST_TICKS)
        at = begin.replace(hour=0, minute=0, second=0, microsecond=0)
        while at <= end:
            moments.append(at)
            at += timedelta(days=each)
        form = "%m-%d"
    else:
        months = math.ceil(days / 30.4 / MOST_TICKS)
        number = begin.year * 12 + begin.month - 1
        while number // 12 <= end.year:
            at = datetime(number // 12, number % 12 + 1, 1, tzinfo=zone)
            moments.append(at)
            number += months
        form = "%Y-%m"
    span = max(axis.to_us - axis.from_us, 1)
    return [
        Label(100 * (from_datetime(at) - axis.from_us) / span, at.strftime(form))
        for at in moments
        if begin <= at <= end
    ]
