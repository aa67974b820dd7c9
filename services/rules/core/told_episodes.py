"""Told episodes: the amended history with what was said at the time beside it. Pure.

said live      |--- 120 ---|            one alert, two episodes of the live stream
|- 130 -|
history              (nothing)          after the correction to 12: both are `vanished`
"""

from collections.abc import Iterable, Mapping

import msgspec

from services.rules.core.amend import overlap
from services.rules.core.history import Alert, Episode
from shared.model.amendment import Amendment, Span


class Account(msgspec.Struct, frozen=True):
    """One episode of the history (None: it vanished), what was said of it, what amended it."""

    alert: Alert
    now: Span | None
    said: tuple[Span, ...]
    amendments: tuple[Amendment, ...]

    @property
    def start_us(self) -> int:
        return (self.now or self.said[0]).start_us


History = Mapping[Alert, list[Episode]]


def accounts(
    live: History, final: History, since_us: Mapping[Alert, int], amendments: Iterable[Amendment]
) -> list[Account]:
    """
    Every episode of every alert, the newest first.

    `final` holds the histories of amended alerts, good from `since_us` of the alert on; before
    it, and of all other alerts, the history is what was said.
    """
    changed: dict[Alert, list[Amendment]] = {}
    for each in amendments:
        changed.setdefault(each.alert, []).append(each)
    found: list[Account] = []
    for alert in {*live, *final}:
        said = [each.span for each in live.get(alert, [])]
        pairs: list[tuple[Span | None, tuple[Span, ...]]]
        if alert not in since_us:
            pairs = [(span, (span,)) for span in said]
        else:
            own = [each.span for each in final.get(alert, [])]
            pairs = _paired(said, own, since_us[alert], changed.get(alert, []))
        for now, spans in pairs:
            about = [each for each in changed.get(alert, []) if _is_about(each, now, spans)]
            found.append(Account(alert, now, spans, tuple(about)))
    return sorted(found, key=lambda one: (-one.start_us, one.alert))


def _paired(
    said: list[Span], own: list[Span], since_us: int, amendments: list[Amendment]
) -> list[tuple[Span | None, tuple[Span, ...]]]:
    """
    History first; what was said and has no part in it has vanished, if it was amended.

    Else it stands: the days that are kept may be too few to say it again, or its rule changed.
    """
    pairs: list[tuple[Span | None, tuple[Span, ...]]] = []
    older = [each for each in said if each.end_us is not None and each.end_us < since_us]
    newer = [each for each in said if each not in older]
    for span in own:
        beside = tuple(each for each in newer if overlap(each, span))
        first = beside[0] if beside else None
        if first is not None and first.start_us < since_us <= span.start_us == _first(own):
            # It stood already when the days that are kept begin.
            span = msgspec.structs.replace(span, start_us=first.start_us, fired_us=first.fired_us)
        pairs.append((span, beside))
    kept = {each for _, beside in pairs for each in beside}
    for each in newer:
        if each not in kept:
            is_gone = any(_is_about(one, None, (each,)) for one in amendments)
            pairs.append((None if is_gone else each, (each,)))
    return pairs + [(each, (each,)) for each in older]


def _first(spans: list[Span]) -> int:
    return min(each.start_us for each in spans)


def _is_about(amendment: Amendment, now: Span | None, said: tuple[Span, ...]) -> bool:
    spans = [each for each in (amendment.before, amendment.after) if each is not None]
    return any(overlap(one, other) for one in spans for other in ([now] if now else said))
