"""Amend: two histories of one cell become a list of what changed, each episode told once. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from services.rules.core.history import Alert, Episode
from shared.model.amendment import Kind, Span
from shared.model.severity import Severity
from shared.model.transition import Transition

History = dict[Alert, list[Episode]]


class Change(NamedTuple):
    """One episode before and after; None where there was none."""

    alert: Alert
    before: Span | None
    after: Span | None

    @property
    def kind(self) -> Kind:
        if self.before is None:
            return "appeared"
        return "vanished" if self.after is None else "changed"


def changes(before: History, after: History) -> list[Change]:
    """
    What is different, by alert and then by time.

    An episode is paired with the one of the same start, else with the first that overlaps it;
    a pair is a change when start, end or worst severity differ.
    """
    found: list[Change] = []
    for alert in sorted({*before, *after}):
        old = [each.span for each in before.get(alert, [])]
        new = [each.span for each in after.get(alert, [])]
        if old != new:
            found += [
                Change(alert, one, other) for one, other in _paired(old, new) if differ(one, other)
            ]
    return found


def differ(one: Span | None, other: Span | None) -> bool:
    if one is None or other is None:
        return True
    return (one.start_us, one.end_us, one.severity) != (
        other.start_us, other.end_us, other.severity,
    )  # fmt: skip


def _paired(old: list[Span], new: list[Span]) -> list[tuple[Span | None, Span | None]]:
    starts = {each.start_us: each for each in new}
    pairs: list[tuple[Span | None, Span | None]] = []
    left_old = []
    for each in old:
        same = starts.pop(each.start_us, None)
        if same is None:
            left_old.append(each)
        else:
            pairs.append((each, same))
    left_new = sorted(starts.values(), key=lambda span: span.start_us)
    for each in left_old:
        found = next((one for one in left_new if overlap(each, one)), None)
        if found is not None:
            left_new.remove(found)
        pairs.append((each, found))
    pairs += [(None, each) for each in left_new]
    return sorted(pairs, key=lambda pair: min(one.start_us for one in pair if one is not None))


def overlap(one: Span, other: Span) -> bool:
    """Do they share an instant? One without an end still stands."""
    return (one.end_us is None or other.start_us <= one.end_us) and (
        other.end_us is None or one.start_us <= other.end_us
    )


def astray(live: History, final: History) -> list[Change]:
    """What the live stream says and the history does not know, and the other way round."""
    found: list[Change] = []
    for alert in sorted({*live, *final}):
        said = [each.span for each in live.get(alert, [])]
        own = [each.span for each in final.get(alert, [])]
        found += [
            Change(alert, one, None) for one in said if not any(overlap(one, each) for each in own)
        ]
        found += [
            Change(alert, None, one) for one in own if not any(overlap(one, each) for each in said)
        ]
    return found


def standing(said: Iterable[Transition]) -> dict[Alert, tuple[int, str, Severity]]:
    """What is pending or firing after these transitions: since when, and at which level."""
    found: dict[Alert, tuple[int, str, Severity]] = {}
    for each in said:
        if each.state in ("pending", "firing"):
            found[each.alert] = (each.episode_us, each.state, each.severity)
        else:
            found.pop(each.alert, None)
    return found


def grew(before: list[Transition], after: list[Transition]) -> bool:
    """Was nothing said so far unsaid? Then a newer reading went on, as the live stream does."""
    return [_said(each) for each in after[: len(before)]] == [_said(each) for each in before]


def _said(transition: Transition) -> tuple[object, ...]:
    return (
        transition.episode_us, transition.step, transition.state, transition.severity,
        transition.cause, transition.at_us,
    )  # fmt: skip
