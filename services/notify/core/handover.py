"""Handover: a campaign's edition takes over an alert of its rule in one and the same record.

The engine says so in order of names (contract §8.17): the rule is withdrawn, then its edition
fires. Taken in that order an incident would resolve, and people would hear of a recovery that
never was. So the edition joins first, and then the rule lets go.
"""

from collections.abc import Callable, Sequence

from shared.model.transition import Transition

MOST_BETWEEN = 64
"""How far apart the two may stand; transitions of one record and instant are few."""


def in_order(
    items: Sequence[tuple[int, Transition]], base_of: Callable[[str], str | None]
) -> list[tuple[int, Transition]]:
    """The same items; each edition that fires stands before the withdrawal that it follows.

    `base_of` names the rule that an edition of a campaign stands for.
    """
    ordered: list[tuple[int, Transition]] = []
    for item in items:
        place = len(ordered)
        base = base_of(item[1].rule) if item[1].state == "firing" else None
        if base is not None:
            for back in range(len(ordered) - 1, max(-1, len(ordered) - 1 - MOST_BETWEEN), -1):
                if _lets_go(ordered[back][1], item[1], base):
                    place = back
                    break
        ordered.insert(place, item)
    return ordered


def _lets_go(one: Transition, edition: Transition, base: str) -> bool:
    return (
        one.rule == base
        and one.state == "withdrawn"
        and (one.facility, one.station, one.indicator, one.interval, one.at_us)
        == (edition.facility, edition.station, edition.indicator, edition.interval, edition.at_us)
    )
