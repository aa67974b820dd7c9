"""Outcome: what one configuration makes of recorded inputs: episodes, messages, night pages."""

from collections.abc import Callable, Sequence

import msgspec

from services.authoring.episodes import Episode, Episodes
from services.authoring.rerun import rerun
from services.authoring.telling import Telling, Told
from services.rules.given import Note
from services.rules.input_files import Input
from shared.model.configuration import Configuration
from shared.model.instants import Instant, to_datetime
from shared.model.report import Report, Tick
from shared.model.transition import Transition

NIGHT_FROM, NIGHT_TO = 22, 7
"""Hours of site time between which a telephone wakes somebody."""


class Outcome(msgspec.Struct, frozen=True):
    """`first_us` and `last_us` bound the log time of the inputs; None when nothing was read."""

    configuration: Configuration
    episodes: list[Episode]
    told: list[Told]
    notes: list[Note]
    reports: int
    first_us: Instant | None
    last_us: Instant | None
    orphans: int


def outcome(
    configuration: Configuration,
    paths: Sequence[Input],
    ack_after_us: int | None,
    on_report: Callable[[Report], None] | None = None,
    on_transition: Callable[[Transition], None] | None = None,
    *,
    until_us: Instant | None = None,
) -> Outcome:
    """
    One pass over the inputs; `on_report` sees every report that is judged, `on_transition` what comes.

    The first tick after `until_us` ends it.

    Raises:
        InputError: more messages than could be meant.
    """
    episodes, notes = Episodes(), list[Note]()
    telling = Telling(configuration, ack_after_us)
    first_us: Instant | None = None
    last_us: Instant | None = None
    reports = 0
    for item in rerun(configuration, paths):
        if isinstance(item, Note):
            notes.append(item)
        elif isinstance(item, Tick):
            if until_us is not None and item.at_us > until_us:
                break
            last_us = item.at_us if last_us is None else Instant(max(last_us, item.at_us))
            first_us = last_us if first_us is None else first_us
        elif isinstance(item, Report):
            reports += 1
            if on_report is not None:
                on_report(item)
        else:
            telling.take(item[0].at_us, (came.transition for came in item))
            for came in item:
                episodes.take(came)
                if on_transition is not None:
                    on_transition(came.transition)
    if last_us is not None:
        telling.until(last_us + 1)
    return Outcome(
        configuration, episodes.all, telling.told, notes, reports, first_us, last_us,
        telling.orphans,
    )  # fmt: skip


def rings(configuration: Configuration, told: Told) -> bool:
    """It went out, to a telephone: SMS, or the simulated phone of a site without a gateway."""
    channel = configuration.channels.get(told.channel)
    return told.withheld is None and channel is not None and channel.kind != "smtp"


def is_night(configuration: Configuration, at_us: int) -> bool:
    hour = to_datetime(at_us, configuration.site.zone).hour
    return hour >= NIGHT_FROM or hour < NIGHT_TO


def night_page(configuration: Configuration, told: Told) -> bool:
    """A telephone that rings at night."""
    return rings(configuration, told) and is_night(configuration, told.at_us)
