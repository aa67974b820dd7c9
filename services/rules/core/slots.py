"""Slots: what several stations say of one slot waits until all have spoken, or until it is due.

    station a   9:00 ●   10:00 ●   11:00 ●
    station b   9:00 ●             11:00 ●     its 10:00 can no longer be judged
    station c   9:00 ●
                     │
                     ╰ judged at once      10:00 and 11:00 wait for c, until end + grace

Slots are judged in their order: a station that has shown a slot will not show an earlier one
(contract §8.1), so whoever is heard for the later slot is settled for the earlier one too.
"""

from collections.abc import Callable, Collection

from services.rules.core.clock import LogClock
from services.rules.core.memory import NEVER, Slot, SlotsMemory

MOST_WAITING = 256
"""Slots of one group that wait; the oldest of more is judged as it stands."""


def hear(
    memory: SlotsMemory, source: str, slot_us: int, said: tuple[float, str], heard_us: int | None
) -> None:
    """A newer reading of a source; of a slot that was judged it changes nothing."""
    memory.newest[source] = slot_us
    if slot_us <= memory.closed_us:
        return
    waiting = memory.waiting
    place = len(waiting)
    while place and waiting[place - 1].start_us > slot_us:
        place -= 1
    if place and waiting[place - 1].start_us == slot_us:
        waiting[place - 1].values[source] = said
    else:
        waiting.insert(place, Slot(slot_us, heard_us, {source: said}))


def settled(memory: SlotsMemory, expected: tuple[str, ...]) -> list[Slot]:
    """Take the slots which all that are expected have shown, or a later one; in order."""
    found = []
    while memory.waiting and (
        len(memory.waiting) > MOST_WAITING or not _is_behind(memory, expected)
    ):
        found.append(_close(memory))
    return found


def _is_behind(memory: SlotsMemory, expected: tuple[str, ...]) -> bool:
    """Somebody has not shown the first slot that waits; asked from the end, where most are."""
    slot_us, newest = memory.waiting[0].start_us, memory.newest
    if newest.get(memory.behind, NEVER) < slot_us and memory.behind in expected:
        return True
    for source in reversed(expected):
        if newest.get(source, NEVER) < slot_us:
            memory.behind = source
            return True
    return not expected


def overdue(
    memory: SlotsMemory, due_of: Callable[[Slot, LogClock], int], clock: LogClock, at_us: int
) -> list[Slot]:
    """Take the slots that are due at a tick, in order."""
    found = []
    while memory.waiting and due_of(memory.waiting[0], clock) <= at_us:
        found.append(_close(memory))
    return found


def forget(memory: SlotsMemory, stations: Collection[str]) -> None:
    """Stations that are gone leave no trace but in the slots that wait."""
    for source in [s for s in memory.newest if s.partition(" ")[0] not in stations]:
        del memory.newest[source]


def _close(memory: SlotsMemory) -> Slot:
    slot = memory.waiting.pop(0)
    memory.closed_us, memory.last = slot.start_us, slot
    return slot
