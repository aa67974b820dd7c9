"""What a campaign made different: recorded inputs with it and without it, in its period.

An alert of an edition and one of the rule it stands for are the same alert when they overlap.
Alerts count by the instant at which they fired, messages by when they were sent, up to a day
after the end: the reports of the last day come then.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from services.authoring.difference import Difference, difference
from services.authoring.episodes import Episode
from services.authoring.outcome import Outcome, night_page, outcome, rings
from services.rules.input_files import Input
from shared.model.campaign import LATE_US, without
from shared.model.configuration import Configuration, lineage
from shared.model.instants import Instant
from shared.model.rule import Campaign


class Region(msgspec.Struct):
    """Of one city: (without, with) the campaign."""

    territory: str
    name: str
    alerts: list[int]
    added: int = 0
    gone: int = 0
    changed: int = 0
    sms: list[int] = msgspec.field(default_factory=lambda: [0, 0])
    night: list[int] = msgspec.field(default_factory=lambda: [0, 0])


def campaign_difference(
    configuration: Configuration,
    campaign: Campaign,
    inputs: Sequence[Input],
    ack_after_us: int | None,
) -> Difference:
    """Both passes over the inputs; `old` is without the campaign."""
    until_us = Instant(campaign.to_us + LATE_US)
    plain = without(configuration, campaign.id)
    old = outcome(plain, inputs, ack_after_us, until_us=until_us)
    new = outcome(configuration, inputs, ack_after_us, until_us=until_us)
    whole = difference(old, _by_base(new))

    def fired(each: Episode) -> bool:
        return campaign.from_us <= each.fired_us < campaign.to_us

    def part(one: Outcome) -> Outcome:
        told = [each for each in one.told if campaign.from_us <= each.at_us < until_us]
        return replace(one, episodes=[each for each in one.episodes if fired(each)], told=told)

    return Difference(
        part(whole.old),
        part(whole.new),
        [each for each in whole.added if fired(each)],
        [each for each in whole.gone if fired(each)],
        [pair for pair in whole.changed if fired(pair[1])],
        whole.moved,
    )


def _by_base(one: Outcome) -> Outcome:
    """Episodes of editions under the names of their rules."""
    episodes = []
    for each in one.episodes:
        base = one.configuration.base_of(each.first.rule)
        first = each.first if base is None else replace(each.first, rule=base)
        episodes.append(replace(each, first=first))
    return replace(one, episodes=sorted(episodes, key=lambda each: each.fired_us))


def by_city(found: Difference) -> list[Region]:
    """One row for each city where anything happened, in order of its code."""
    c = found.new.configuration
    rows: dict[str, Region] = {}

    def row(facility: str) -> Region:
        code = _city(c, facility)
        name = c.territories[code].name if code in c.territories else code
        return rows.setdefault(code, Region(code, name, [0, 0]))

    for side, one in enumerate((found.old, found.new)):
        for episode in one.episodes:
            row(episode.first.facility).alerts[side] += 1
        for told in one.told:
            here = row(told.facility)
            here.sms[side] += rings(one.configuration, told)
            here.night[side] += night_page(one.configuration, told)
    for field, episodes in (("added", found.added), ("gone", found.gone), ("changed", _new(found))):
        for episode in episodes:
            here = row(episode.first.facility)
            setattr(here, field, getattr(here, field) + 1)
    return [each for _, each in sorted(rows.items())]


def _new(found: Difference) -> Iterable[Episode]:
    return (after for _, after in found.changed)


def _city(c: Configuration, facility: str) -> str:
    """The third from the root (nation, province, city), or the lowest there is."""
    known = c.facilities.get(facility)
    above = lineage(known.territory if known else "", c.territories)[::-1]
    return above[min(2, len(above) - 1)]


def as_rows(regions: list[Region]) -> list[dict[str, Any]]:
    keys = ("alerts", "sms", "night")
    return [
        {"territory": each.territory, "name": each.name, "added": each.added, "gone": each.gone,
         "severity_changed": each.changed}
        | {key: {"without": getattr(each, key)[0], "with": getattr(each, key)[1]} for key in keys}
        for each in regions
    ]  # fmt: skip
