"""History: the episodes that a set of readings gives, in whatever order they came. Pure.

    reports in log order -> one reading per identity -> one report per window, by time
                         -> the engine, with a tick at every window's end -> episodes

Of one identity (station, interval, indicator, observed_at) the highest revision counts; without
one it is 0, and among equals the later in the log. So the history is the same for every order
of arrival, unless one identity came twice with the same revision and different values.
A rule on several stations, one that counts others, and one on a territory are judged with all the
cells they look at (core.history_units). `missing` and its like are about when a reading came, and
that stays as it was.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import inf
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from services.rules.core.engine import Engine
from services.rules.core.moments import every_moment
from shared.model.amendment import Span
from shared.model.configuration import Bundle
from shared.model.instants import Instant, window_end
from shared.model.report import WITHDRAWN, Activate, Record, Report, Tick
from shared.model.rule import Composite, Condition, Derived, Joint, Range, Threshold
from shared.model.timed import Flagged, is_about_arrival
from shared.model.transition import Transition

Alert = tuple[str, str, str, str, str]


class Reading(NamedTuple):
    """One identity's reading that counts, with the report it came in."""

    value: float
    flag: str
    report: Report


class Episode(NamedTuple):
    """One episode that fired, and everything that was said of it."""

    span: Span
    transitions: tuple[Transition, ...]


def settled(reports: Iterable[Report]) -> list[Report]:
    """
    What counts in the end of reports of one station and interval, the earliest window first.

    `reports` in log order. What is withdrawn is left out; the readings of one window become
    one report, which carries the id of the one of them that ingest had last.
    """
    windows: dict[int, list[Report]] = {}
    for report in reports:
        windows.setdefault(report.observed_us, []).append(report)
    found = []
    for observed_us in sorted(windows):
        said = windows[observed_us]
        counts: Report | None = said[0]
        if len(said) > 1 or WITHDRAWN in (said[0].flags or ()):
            counts = _counting(said)
        if counts is not None:
            found.append(counts)
    return found


def together(cells: Sequence[list[Report]], bundle: Bundle) -> list[Report]:
    """Settled reports of several cells as one log: by window's end, then by window and name."""
    if len(cells) == 1:
        return cells[0]
    zone = ZoneInfo(bundle.timezone)
    return sorted(
        (report for each in cells for report in each),
        key=lambda one: (
            window_end(one.observed_us, one.interval, zone), one.observed_us, one.facility,
            one.station, one.interval,
        ),
    )  # fmt: skip


def _counting(said: list[Report]) -> Report | None:
    """What counts of everything that was said of one window; None: nothing is left."""
    newest: dict[str, Reading] = {}
    for report in said:
        for index, indicator in enumerate(report.indicators):
            known = newest.get(indicator)
            if known is None or (report.revision or 0) >= (known.report.revision or 0):
                newest[indicator] = Reading(report.values[index], report.flag(index), report)
    kept = {name: each for name, each in sorted(newest.items()) if each.flag != WITHDRAWN}
    return _together(kept) if kept else None


def _together(readings: dict[str, Reading]) -> Report:
    flags = tuple(each.flag for each in readings.values())
    last = max(
        (each.report for each in readings.values()), key=lambda one: (one.received_us, one.id)
    )
    return msgspec.structs.replace(
        last,
        indicators=tuple(readings),
        values=tuple(each.value for each in readings.values()),
        flags=None if set(flags) == {"N"} else flags,
        revision=None,
    )


def has_history(condition: Condition) -> bool:
    """Does it look at the readings of one station and interval, and not at when they came?"""
    looks = isinstance(condition, Threshold | Range | Joint | Derived)
    if isinstance(condition, Flagged) and condition.companion is not None:
        return False
    return looks and not is_about_arrival(condition)


def of_facility(bundle: Bundle, facility: str) -> Bundle:
    """The part of a bundle that the history of one facility is a function of."""
    return msgspec.structs.replace(
        bundle,
        facilities=tuple(each for each in bundle.facilities if each.id == facility),
        stations=tuple(each for each in bundle.stations if each.facility == facility),
        rules=tuple(rule for rule in bundle.rules if has_history(rule.condition)),
        rollups=(),
    )


def transitions(bundle: Bundle, reports: Sequence[Report], now_us: int) -> list[Transition]:
    """
    What the engine says of settled reports, had each come when its window was over.

    `bundle` is that of `of_facility`; timers due until `now_us` have run. There is no deafness.
    """
    engine = Engine(lambda _: bundle)
    engine.deaf_never = True
    log = _log(reports, ZoneInfo(bundle.timezone), now_us)
    if any(isinstance(rule.condition, Composite) for rule in bundle.rules):
        log = every_moment(engine, log)
    return engine.apply(log)


def _log(reports: Sequence[Report], zone: ZoneInfo, now_us: int) -> Iterable[Record]:
    yield Activate("")
    log_us = -inf
    for report in reports:
        end_us = window_end(report.observed_us, report.interval, zone)
        if end_us > log_us:
            log_us = end_us
            yield Tick(end_us)
        yield report
    yield Tick(Instant(max(now_us, int(log_us)) if reports else now_us))


def by_alert(said: Iterable[Transition]) -> dict[Alert, list[Transition]]:
    """The same transitions by rule and series, each in its order."""
    found: dict[Alert, list[Transition]] = {}
    for transition in said:
        found.setdefault(transition.alert, []).append(transition)
    return found


def episodes(said: Iterable[Transition]) -> dict[Alert, list[Episode]]:
    """Every episode that fired, by alert, the earliest first."""
    found: dict[Alert, list[Episode]] = {}
    for alert, own in by_alert(said).items():
        starts: dict[int, list[Transition]] = {}
        for transition in own:
            starts.setdefault(transition.episode_us, []).append(transition)
        for _, steps in sorted(starts.items()):
            span = _span(steps)
            if span is not None:
                found.setdefault(alert, []).append(Episode(span, tuple(steps)))
    assert all(
        one.span.start_us < other.span.start_us
        for each in found.values()
        for one, other in pairwise(each)
    )
    return found


def _span(steps: list[Transition]) -> Span | None:
    firing = [step for step in steps if step.state == "firing"]
    if not firing:
        return None
    worst = max(firing, key=lambda step: step.severity.rank)
    last = steps[-1]
    return Span(
        start_us=last.episode_us,
        fired_us=firing[0].at_us,
        end_us=last.at_us if last.state in ("resolved", "withdrawn") else None,
        severity=worst.severity,
        value=worst.value,
        limit=worst.limit,
        unit=worst.unit,
    )
