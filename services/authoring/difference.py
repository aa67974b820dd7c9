"""Difference: two outcomes of the same inputs side by side: alerts, messages, night pages.

An alert is an episode that fired. One of the old and one of the new are the same alert when they
are of one rule and series and overlap in time; a limit that is lower only begins it earlier.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from services.authoring.episodes import AlertKey, Episode
from services.authoring.outcome import Outcome, night_page, rings
from services.authoring.telling import Told
from shared.model.instants import instant_text

FOREVER = 10**18


class Difference(msgspec.Struct, frozen=True):
    old: Outcome
    new: Outcome
    added: list[Episode]
    gone: list[Episode]
    changed: list[tuple[Episode, Episode]]
    """The same alert with another worst severity."""
    moved: int
    """The same alert that begins or ends at another time."""

    def sms(self) -> tuple[int, int]:
        return self._both(rings)

    def night(self) -> tuple[int, int]:
        return self._both(night_page)

    def _both(self, counts: Callable[[Any, Told], bool]) -> tuple[int, int]:
        old = sum(counts(self.old.configuration, each) for each in self.old.told)
        new = sum(counts(self.new.configuration, each) for each in self.new.told)
        return old, new


def difference(old: Outcome, new: Outcome) -> Difference:
    before, after = _by_key(old.episodes), _by_key(new.episodes)
    added: list[Episode] = []
    gone: list[Episode] = []
    changed: list[tuple[Episode, Episode]] = []
    moved = 0
    for key in sorted({*before, *after}):
        pairs, left, more = _paired(before.get(key, []), after.get(key, []))
        gone += left
        added += more
        changed += [pair for pair in pairs if pair[0].severity != pair[1].severity]
        moved += sum((a.fired_us, a.ended_us) != (b.fired_us, b.ended_us) for a, b in pairs)
    by_time: Callable[[Episode], Any] = lambda e: (e.fired_us, e.key)  # noqa: E731
    return Difference(
        old, new, sorted(added, key=by_time), sorted(gone, key=by_time), changed, moved
    )


def _by_key(episodes: Iterable[Episode]) -> dict[AlertKey, list[Episode]]:
    found: dict[AlertKey, list[Episode]] = {}
    for each in episodes:
        found.setdefault(each.key, []).append(each)
    return found


def _paired(
    old: list[Episode], new: list[Episode]
) -> tuple[list[tuple[Episode, Episode]], list[Episode], list[Episode]]:
    """Episodes that overlap, each at most once, in order of time; and those that are left."""
    pairs: list[tuple[Episode, Episode]] = []
    left: list[Episode] = []
    more: list[Episode] = []
    i = j = 0
    while i < len(old) and j < len(new):
        a, b = old[i], new[j]
        if a.start_us <= _end(b) and b.start_us <= _end(a):
            pairs.append((a, b))
            i, j = i + 1, j + 1
        elif _end(a) < b.start_us:
            left.append(a)
            i += 1
        else:
            more.append(b)
            j += 1
    return pairs, left + old[i:], more + new[j:]


def _end(episode: Episode) -> int:
    return FOREVER if episode.ended_us is None else episode.ended_us


def summary(found: Difference, answering: str) -> str:
    """`+14 alerts, −3, 2 with another severity, +41 SMS, +5 at night (…)`."""
    (sms_old, sms_new), (night_old, night_new) = found.sms(), found.night()
    return (
        f"+{len(found.added)} alerts, −{len(found.gone)}, "
        f"{len(found.changed)} with another severity, "
        f"{signed(sms_new - sms_old)} SMS, {signed(night_new - night_old)} at night ({answering})"
    )


def signed(number: int) -> str:
    return f"+{number}" if number > 0 else f"−{-number}" if number < 0 else "±0"


def by_rule(found: Difference) -> list[dict[str, Any]]:
    """One row per rule and facility where anything differs."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}

    def row(episode: Episode) -> dict[str, Any]:
        name = (episode.first.rule, episode.first.facility)
        empty = {"old": 0, "new": 0, "added": 0, "gone": 0, "severity_changed": 0}
        return rows.setdefault(name, {"rule": name[0], "facility": name[1], **empty})

    for side, episodes in (("old", found.old.episodes), ("new", found.new.episodes)):
        for each in episodes:
            row(each)[side] += 1
    for side, episodes in (("added", found.added), ("gone", found.gone)):
        for each in episodes:
            row(each)[side] += 1
    for _, after in found.changed:
        row(after)["severity_changed"] += 1
    told = ("added", "gone", "severity_changed")
    return [each for _, each in sorted(rows.items()) if any(each[key] for key in told)]


def by_person(found: Difference) -> list[dict[str, Any]]:
    """One row per person and channel who is told of anything by either."""
    rows: dict[tuple[str, str], Counter[str]] = {}
    for side, outcome in (("old", found.old), ("new", found.new)):
        for each in outcome.told:
            counts = rows.setdefault((each.person, each.channel), Counter())
            if each.withheld is not None:
                counts[f"{side}_withheld"] += 1
                continue
            counts[side] += 1
            counts[f"{side}_night"] += night_page(outcome.configuration, each)
    keys = ("old", "new", "old_night", "new_night", "old_withheld", "new_withheld")
    return [
        {"person": person, "channel": channel, **{key: counts[key] for key in keys}}
        for (person, channel), counts in sorted(rows.items())
    ]


def as_object(found: Difference, answering: str) -> dict[str, Any]:
    """Everything, for programs."""
    (sms_old, sms_new), (night_old, night_new) = found.sms(), found.night()
    zone = found.new.configuration.site.zone

    def episode(each: Episode) -> dict[str, Any]:
        first = each.first
        return {
            "rule": first.rule, "facility": first.facility, "station": first.station,
            "indicator": first.indicator, "interval": first.interval,
            "episode": instant_text(each.start_us, zone),
            "fired": instant_text(each.fired_us, zone),
            "ended": None if each.ended_us is None else instant_text(each.ended_us, zone),
            "severity": each.severity.value, "value": each.worst_value, "limit": each.worst_limit,
        }  # fmt: skip

    return {
        "summary": summary(found, answering),
        "answering": answering,
        "alerts": {
            "old": len(found.old.episodes), "new": len(found.new.episodes),
            "added": [episode(each) for each in found.added],
            "gone": [episode(each) for each in found.gone],
            "severity_changed": [
                {**episode(b), "old_severity": a.severity.value} for a, b in found.changed
            ],
            "moved": found.moved,
        },
        "rules": by_rule(found),
        "messages": by_person(found),
        "sms": {"old": sms_old, "new": sms_new},
        "night": {"old": night_old, "new": night_new},
    }  # fmt: skip
