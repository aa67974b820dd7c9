"""Missing: a reading that should be there and is not (contract §8.11-8.13)."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import msgspec

from services.rules.core.clock import LogClock
from services.rules.core.edition import Edition
from services.rules.core.hold import Change
from shared.model.instants import Instant, local_day, local_instant, local_midnight
from shared.model.rule import Missing, Silent


class Watch(msgspec.Struct, omit_defaults=True):
    """One missing rule on one series.

    `active_us` is log time when the rule was activated for the station; None means before the
    first tick, which counts as the first tick.
    """

    active_us: int | None
    next_day: int | None = None
    """`due`: ordinal of the next local day to look at."""
    open_us: int | None = None
    """Due instant of the open episode."""
    open_day: int = 0
    step: int = 0
    look_us: int | None = None
    """Of a facility: when a tick must look at it; may be early, never late."""
    back_us: int | None = None
    """Of a facility: log time of the first reading since the newest episode began."""


def episode(watch: Watch, state: str, at_us: int) -> Change:
    """A transition of the open episode: it has no value, limit or unit."""
    assert watch.open_us is not None
    watch.step += 1
    cause = {"firing": "missing", "resolved": "reported", "withdrawn": "withdrawn"}[state]
    return Change(
        state,  # type: ignore[arg-type]  # the three keys above
        cause,  # type: ignore[arg-type]
        at_us, 0, None, False, watch.open_us, watch.step,
    )  # fmt: skip


def reported(watch: Watch, day: int | None, log_us: int) -> list[Change]:
    """A newer reading came; it ends the episode when it is of its slot or a later one."""
    if watch.open_us is None or (day is not None and day < watch.open_day):
        return []
    change = episode(watch, "resolved", log_us)
    watch.open_us = None
    return [change]


def due_of(day: int, condition: Missing, zone: ZoneInfo) -> Instant:
    """When the slot of a local day (ordinal) is due: the first `due` at or after its end."""
    assert condition.due is not None
    return local_instant(date.fromordinal(day) + timedelta(days=1), condition.due, zone)


def look_daily(
    watch: Watch,
    condition: Missing,
    edition: Edition,
    newest_us: int | None,
    clock: LogClock,
    zone: ZoneInfo,
) -> tuple[list[Change], int]:
    """Judge the slots that are due by now; returns what changed and when to look again."""
    assert clock.now_us is not None and clock.first_us is not None
    after = max(clock.first_us, watch.active_us if watch.active_us is not None else clock.first_us)
    if watch.next_day is None:
        watch.next_day = local_day(after, zone).toordinal() - 1
        while due_of(watch.next_day, condition, zone) <= after:
            watch.next_day += 1
    newest_day = None if newest_us is None else local_day(newest_us, zone).toordinal()
    changes: list[Change] = []
    while True:
        due = due_of(watch.next_day, condition, zone)
        missing_us = clock.listened_until(due, condition.grace_us)
        if missing_us > clock.now_us:
            return changes, missing_us
        day = watch.next_day
        watch.next_day += 1
        if watch.open_us is not None or (newest_day is not None and newest_day >= day):
            continue
        start = local_midnight(date.fromordinal(day), zone)
        if edition.holds(start):
            watch.open_us, watch.open_day, watch.step = due, day, 0
            changes.append(episode(watch, "firing", missing_us))


def look_often(
    watch: Watch,
    condition: Missing | Silent,
    edition: Edition,
    heard: tuple[int | None] | None,
    clock: LogClock,
) -> tuple[list[Change], int | None]:
    """Judge the time since the newest reading; None: nothing to look for until it is heard.

    `heard` holds log time when the newest reading was judged; None when there never was one.
    """
    assert (
        clock.now_us is not None and clock.first_us is not None and condition.every_us is not None
    )
    if watch.open_us is not None:
        return [], None
    since = heard[0] if heard is not None else watch.active_us
    start = edition.begins(since if since is not None else clock.first_us)
    if start is None:
        return [], None
    missing_us = clock.listened_until(start, condition.every_us + condition.grace_us)
    if missing_us > clock.now_us:
        return [], missing_us
    watch.open_us, watch.step = start + condition.every_us, 0
    return [episode(watch, "firing", missing_us)], None
