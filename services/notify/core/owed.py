"""Owed: what one incident owes now, and when to ask again.

```
generation ─ step 1 ─ repeats … ─ wait ─ step 2 ─ … ─ wait ─ catch-all ─ every …
     ▲                                                           │
     └─ opened, rose, reopened          acknowledged, resolved ──┴─▶ nothing is owed
```
Late timers collapse: whoever asks late gets one step, which begins then; missed repeats of a
step are one repeat. Asking twice with the same answer taken once in between owes nothing.
"""

from typing import Literal

import msgspec
from msgspec.structs import replace

from services.notify.core.flapping import calm_at
from services.notify.core.incident import Incident
from shared.model.instants import Instant
from shared.model.people import CatchAll, Step, Target

SHORTEST_US = 1_000
"""A repeat of less than a millisecond is a slip of the pen; it must not spin."""


class Due(msgspec.Struct, frozen=True):
    """The next thing to do and the earliest instant to do it."""

    what: Literal["step", "round", "calm"]
    at_us: Instant


class Call(msgspec.Struct, frozen=True):
    """Tell these targets by these ways: step and round are part of each notice's identity."""

    step: int
    round: int
    is_catch_all: bool
    targets: tuple[Target, ...]
    by: tuple[str, ...]


def due(incident: Incident, min_step_gap_us: int) -> Due | None:
    """What is owed next, or None while nothing will ever be unless something happens."""
    told, calm = _telling_due(incident, min_step_gap_us), calm_at(incident)
    if calm is None or (told is not None and told.at_us < calm):
        return told
    return Due("calm", calm)


def is_silent(incident: Incident, now: Instant) -> bool:
    return incident.silenced_us is not None and now < incident.silenced_us


def _telling_due(incident: Incident, min_step_gap_us: int) -> Due | None:
    """A silence puts off whatever is due."""
    told, until = _told_at(incident, min_step_gap_us), incident.silenced_us
    if told is None or until is None or told.at_us >= until:
        return told
    return Due(told.what, until)


def _told_at(incident: Incident, min_step_gap_us: int) -> Due | None:
    if incident.state != "open":
        return None
    step = _step_due(incident, min_step_gap_us)
    repeat = _round_due(incident)
    if step is None or (repeat is not None and repeat < step):
        return None if repeat is None else Due("round", Instant(repeat))
    return Due("step", Instant(step))


def owed_at(
    incident: Incident, min_step_gap_us: int, now: Instant
) -> Literal["step", "round", "calm"] | None:
    """
    What to do at `now`. A step that is due swallows the repeats missed before it.

    The end of flapping swallows both: who asks late is told that it is over.
    """
    calm = calm_at(incident)
    if calm is not None and calm <= now:
        return "calm"
    next_one = _telling_due(incident, min_step_gap_us)
    if next_one is None or next_one.at_us > now:
        return None
    step = _step_due(incident, min_step_gap_us)
    return "step" if step is not None and step <= now else next_one.what


def next_step_us(incident: Incident, min_step_gap_us: int) -> Instant | None:
    """When the next step or round of the catch-all starts unless somebody acknowledges."""
    if incident.state != "open":
        return None
    step = _step_due(incident, min_step_gap_us)
    if step is None and incident.step > len(incident.policy.steps):
        step = _round_due(incident)
    return None if step is None else Instant(max(step, incident.silenced_us or step))


def advance(incident: Incident, what: Literal["step", "round"], now: Instant) -> Incident:
    """The incident once the owed thing has been done at `now`."""
    if what == "step":
        return replace(
            incident,
            step=incident.step + 1,
            step_us=now,
            rounds=1,
            last_step_us=now,
            step_now=False,
            silenced_us=None,
        )
    every = _every_us(incident)
    assert every is not None
    latest = (now - incident.step_us) // every
    running = _running(incident)
    if isinstance(running, Step) and running.repeat is not None:
        latest = min(latest, running.repeat.times)
    return replace(incident, rounds=max(latest, incident.rounds) + 1, silenced_us=None)


def call(incident: Incident) -> Call:
    """Whom the step and round that the incident stands at tell."""
    running = _running(incident)
    assert running is not None
    return Call(
        step=incident.step,
        round=incident.rounds - 1,
        is_catch_all=isinstance(running, CatchAll),
        targets=running.notify,
        by=running.by,
    )


def _running(incident: Incident) -> Step | CatchAll | None:
    steps = incident.policy.steps
    if 1 <= incident.step <= len(steps):
        return steps[incident.step - 1]
    return incident.policy.catch_all if incident.step == len(steps) + 1 else None


def _step_due(incident: Incident, min_step_gap_us: int) -> int | None:
    """When the next step, or the catch-all after the last, starts."""
    steps = incident.policy.steps
    last = len(steps) + (incident.policy.catch_all is not None)
    if incident.step >= last:
        return None
    if incident.step == 0:
        return incident.step_us
    at = incident.step_us + steps[incident.step - 1].wait_us
    if incident.step_now:
        at = incident.step_us
    if incident.last_step_us is not None:
        at = max(at, incident.last_step_us + min_step_gap_us)
    return at


def _round_due(incident: Incident) -> int | None:
    """When the running step's next repeat, or the catch-all's next round, is told."""
    every = _every_us(incident)
    if every is None:
        return None
    running = _running(incident)
    if isinstance(running, Step):
        assert running.repeat is not None
        if incident.rounds > running.repeat.times:
            return None
        at = incident.step_us + incident.rounds * every
        # At the very end of the step the next one speaks, or, after the last, nobody.
        return at if incident.rounds * every < running.wait_us else None
    return incident.step_us + incident.rounds * every


def _every_us(incident: Incident) -> int | None:
    running = _running(incident)
    if isinstance(running, CatchAll):
        return max(running.every_us, SHORTEST_US)
    if isinstance(running, Step) and running.repeat is not None:
        return max(running.repeat.every_us, SHORTEST_US)
    return None
