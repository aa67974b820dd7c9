"""Cell history: what the arrivals since the last look change in the history of one cell. Pure.

before    everything but the late arrivals of this look           what was so far
delayed   and those in their turn that came long after            what they unsaid is amended
final     and the late, corrected and withdrawn ones              every difference is amended
live      everything but late ones, of this look or earlier       what the stream says meanwhile
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

import msgspec

from services.rules.core import amend, history
from shared.model.amendment import AMENDMENT_FORMAT, Amendment, Cause, Span, Why, amendment_id
from shared.model.configuration import Bundle
from shared.model.instants import Instant
from shared.model.report import WITHDRAWN, Report
from shared.model.transition import Transition

Key = tuple[str, str, str]
"""Facility, station, interval."""

LATE, DELAYED, LATE_FOR_FACILITY, LATE_FOR_ROLLUP = 1, 2, 4, 8
"""Bits of the place of an arrival; 0: in its turn for everybody."""


class Arrived(msgspec.Struct):
    """A report, or the part of it that is of one place, with its number in the log."""

    key: Key
    n: int
    place: int
    """LATE: late, corrected or withdrawn. DELAYED: in its turn but long after its window. LATE_FOR_…:
    in its turn, but what it belongs to has been judged without it."""
    report: Report


Found = tuple[amend.Change, list[Arrived]]
"""A change, and the arrivals one of which caused it."""


class CellHistory:
    """One look: `arrived` in log order, those of this look numbered from `open_n` on.

    `late` and `delayed` are the places that are so for whoever looks; of all that `part` says
    only the alerts that it `owns` are compared.
    """

    def __init__(
        self, part: Bundle, arrived: list[Arrived], open_n: int, now_us: int, *,
        owns: Callable[[history.Alert], bool] = lambda _: True, late: int = LATE, delayed: int = DELAYED,
    ) -> None:  # fmt: skip
        self._part, self._arrived, self._open_n, self._now_us = part, arrived, open_n, now_us
        self._owns, self._is_late, self._is_delayed = owns, late, delayed
        self._late = [one for one in arrived if one.place & late]
        self._final: list[Transition] = []

    @property
    def has_late(self) -> bool:
        return bool(self._late)

    def news(self) -> Iterator[Found]:
        """What the arrivals of this look change; to be asked first, and to its end."""
        new = [one for one in self._arrived if one.n >= self._open_n]
        late = [one for one in new if one.place & self._is_late]
        delayed = [one for one in new if one.place & self._is_delayed and one not in late]
        said = self._said(self._but({one.n for one in (*late, *delayed)}))
        if delayed:
            rest = self._but({one.n for one in late})
            grown = self._said(rest)
            one, other = history.by_alert(said), history.by_alert(grown)
            for change in _changes(said, grown):
                own = one.get(change.alert, [])
                if not amend.grew(own, other.get(change.alert, [])):
                    yield change, delayed
            said = grown
        if late:
            final = self._said(self._arrived)
            for change in _changes(said, final):
                yield change, late
            said = final
        self._final = said

    def astray(self, known: list[Amendment]) -> Iterator[Found]:
        """What the stream began or left out for want of late readings, and nothing amended yet."""
        for change in amend.astray(history.episodes(self._live), history.episodes(self._final)):
            span = change.before or change.after
            assert span is not None
            if not any(_speaks_of(each, change.alert, span) for each in known):
                yield change, self._late

    @property
    def facilities(self) -> list[str]:
        """Those that the alerts of this history are about."""
        return sorted({each.facility for each in (*self._live, *self._final)})

    @property
    def stands_apart(self) -> bool:
        """Does something stand in the stream and not in the history, or the other way round?"""
        return amend.standing(self._live) != amend.standing(self._final)

    def amendment(self, found: Found, position: int) -> Amendment:
        change, news = found
        rule, facility, station, indicator, interval = change.alert
        cause = self._cause(_cause_of(change, news, indicator), indicator, (facility, station))
        return Amendment(
            AMENDMENT_FORMAT,
            amendment_id(change.alert, change.before, change.after, cause, self._now_us),
            change.kind, rule, facility, station, indicator, interval,  # type: ignore[arg-type]  # as the report had it
            change.before, change.after, cause, Instant(self._now_us), position,
        )  # fmt: skip

    @cached_property
    def _live(self) -> list[Transition]:
        return self._said([one for one in self._arrived if not one.place & self._is_late])

    def _but(self, left_out: set[int]) -> list[Arrived]:
        return [one for one in self._arrived if one.n not in left_out]

    def _said(self, arrived: list[Arrived]) -> list[Transition]:
        said = history.transitions(self._part, settled(arrived, self._part), self._now_us)
        return [each for each in said if self._owns(each.alert)]

    def _cause(self, one: Arrived, indicator: str, at: tuple[str, str]) -> Cause:
        report = one.report
        index = report.indicators.index(indicator) if indicator in report.indicators else 0
        name, flag = report.indicators[index], report.flag(index)
        was_there = any(
            other.n < one.n
            and other.key == one.key
            and other.report.observed_us == report.observed_us
            and name in other.report.indicators
            for other in self._arrived
        )
        why: Why = "corrected" if was_there else "late"
        if flag == WITHDRAWN:
            why = "withdrawn"
        value = None if flag == WITHDRAWN else report.values[index]
        elsewhere = {} if one.key[:2] == at else {"facility": one.key[0], "station": one.key[1]}
        return Cause(
            why, name, report.observed_us, value, flag, report.id, report.received_us, **elsewhere
        )


def settled(arrived: Iterable[Arrived], part: Bundle) -> list[Report]:
    """What counts in the end, window by window; of several cells in the order of their names."""
    cells: dict[Key, list[Report]] = {}
    for one in arrived:
        cells.setdefault(one.key, []).append(one.report)
    return history.together([history.settled(said) for said in cells.values()], part)


def _changes(one: list[Transition], other: list[Transition]) -> list[amend.Change]:
    return amend.changes(history.episodes(one), history.episodes(other))


def _cause_of(change: amend.Change, news: list[Arrived], indicator: str) -> Arrived:
    """The last of the news that lies in the episode and is of its indicator, else the last."""
    spans = [span for span in (change.before, change.after) if span is not None]
    own = [one for one in news if indicator in one.report.indicators] or news
    inside = [one for one in own if any(_holds(span, one.report.observed_us) for span in spans)]
    return (inside or own)[-1]


def _speaks_of(amendment: Amendment, alert: history.Alert, span: Span) -> bool:
    spans = (amendment.before, amendment.after)
    return amendment.alert == alert and any(
        each is not None and amend.overlap(each, span) for each in spans
    )


def _holds(span: Span, at_us: int) -> bool:
    return span.start_us <= at_us and (span.end_us is None or at_us <= span.end_us)
