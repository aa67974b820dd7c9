"""The script: what happens when, and which official answers which incident at which step.

Pure: scenes from the ledger, then a morning of invented 示例 stations over HJ 212.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from datetime import time as wall_time
from itertools import groupby
from zoneinfo import ZoneInfo

import msgspec

from services.story.ledger import Row, due
from shared.model.instants import Instant, from_datetime

EXAMPLE_DAY = date(2022, 5, 3)
CONTACT_TANK, AIR, SECOND_TANK = (
    "99010000000000000000A001",
    "99010000000000000000B001",
    "99010000000000000000A002",
)
FEED_EVERY_US = 300_000_000


class LedgerScene(msgspec.Struct, frozen=True):
    """All territories of one day, sent the next morning."""

    at_us: Instant
    rows: tuple[Row, ...]


class Upload(msgspec.Struct, frozen=True):
    """One HJ 212 upload: `cn` 2011 (realtime) or 2061 (hour), values by code, local time text."""

    at_us: Instant
    mn: str
    st: str
    cn: str
    data_time: str
    values: dict[str, float]


class Answer(msgspec.Struct, frozen=True):
    """Who answers an incident: the first person told at `step`, at the `nth` message of it.

    At a message, not at a minute: how often a phone rang must not depend on how fast this machine
    is today, so that the story is the same in every mode.
    """

    step: int
    nth: int = 1


ANSWERS: dict[tuple[str, str], Answer] = {
    ("420100-mw", "2020-02"): Answer(step=1, nth=1),
    ("420100-mw", "2020-03"): Answer(step=2, nth=1),
    ("231000-mw", "2020-04"): Answer(step=1, nth=2),
    ("150781-mw", "2020-04"): Answer(step=3, nth=1),
    ("310000-mw", "2022-05"): Answer(step=5, nth=1),
    ("990100-ww-01", "2022-05"): Answer(step=1, nth=2),
    ("990100-air-01", "2022-05"): Answer(step=2, nth=1),
    ("990100-ww-02", "2022-05"): Answer(step=1, nth=1),
}
"""By facility and month of opening; Shanghai climbs past every step to the catch-all (5)."""
DEFAULT_ANSWER = Answer(step=1)


def ledger_scenes(rows: list[Row], zone: ZoneInfo) -> list[LedgerScene]:
    ordered = sorted(rows, key=lambda row: (row.day, row.territory))
    return [
        LedgerScene(due(day, zone), tuple(group))
        for day, group in groupby(ordered, key=lambda row: row.day)
    ]


def example_uploads(zone: ZoneInfo) -> list[Upload]:
    """From 06:05 to 10:30 of the example day; the second tank is silent from 07:35 to 09:00."""
    start = datetime.combine(EXAMPLE_DAY, wall_time(6, 5), zone)
    uploads: list[Upload] = []
    for step in range(54):
        moment = start + timedelta(minutes=5 * step)
        uploads += feed_at(from_datetime(moment), zone)
    return uploads


def feed_at(at_us: Instant, zone: ZoneInfo) -> Iterator[Upload]:
    """What the 示例 stations send at one five-minute mark."""
    moment = datetime.fromtimestamp(at_us / 1e6, zone)
    clock = moment.time()
    on_day = moment.date() == EXAMPLE_DAY
    stamp = moment.strftime("%Y%m%d%H%M%S")
    low = on_day and wall_time(8, 0) <= clock < wall_time(8, 45)
    silent = on_day and wall_time(7, 35) <= clock < wall_time(9, 0)
    yield Upload(at_us, CONTACT_TANK, "32", "2011", stamp, {"w19011": 5.1 if low else 7.6})
    if not silent:
        yield Upload(at_us, SECOND_TANK, "32", "2011", stamp, {"w19011": 4.8})
    if moment.minute == 5:
        hour = moment - timedelta(hours=1, minutes=5)
        ozone = 231.0 if on_day and clock.hour == 9 else 118.0
        yield Upload(
            at_us, AIR, "22", "2061", hour.strftime("%Y%m%d%H%M%S"),
            {"a05024": ozone, "a34004": 61.0},
        )  # fmt: skip
