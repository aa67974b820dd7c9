"""How far the log of a cluster reaches back, and what that leaves without a beginning.

One process keeps its log for ever; a broker lets go of it. Whatever is configured runs in both, but
the report of a campaign is judged from the log and has only what is there.
"""

from collections.abc import Iterator
from pathlib import Path

from services.doctor import Line
from shared.errors import ConfigError
from shared.log.port import REPORTS
from shared.log.topics import read_topics
from shared.model.campaign import LATE_US, STALE_US
from shared.model.configuration import Configuration

DAY_US = 86_400_000_000
MARGIN_US = DAY_US
"""A broker lets go of whole segments, and a report is not made in the first second."""


def examine_reach(configuration: Configuration, topics: Path | None, now_us: int) -> Iterator[Line]:
    """A line for each campaign whose report will have no beginning; one when all is well."""
    waiting = [
        each
        for each in configuration.campaigns.values()
        if now_us < each.to_us + LATE_US + STALE_US
    ]
    if not waiting:
        return
    try:
        kept_us = _kept_us(topics)
    except ConfigError as error:
        yield Line("fail", "topics file", str(error), "correct --topics")
        return
    well = 0
    for each in waiting:
        wanted_us = each.to_us - each.from_us + LATE_US + MARGIN_US
        if kept_us is None or wanted_us <= kept_us:
            well += 1
            continue
        yield Line(
            "warn", f"campaign {each.id}",
            f"it lasts {_days(each.to_us - each.from_us)} days and {REPORTS} keeps "
            f"{_days(kept_us)}: its report will not have its beginning",
            f"retention.ms of {REPORTS} in topics.yaml: {wanted_us // 1000} or more, "
            "then yujing topics apply, before the campaign begins",
        )  # fmt: skip
    if well:
        yield Line("ok", "campaigns", f"{REPORTS} reaches back over {well} of {len(waiting)}")


def _kept_us(topics: Path | None) -> int | None:
    """None: for ever. What the broker has otherwise is said beside the topics."""
    (reports,) = [each for each in read_topics(topics).topics if each.name == REPORTS]
    text = reports.config.get("retention.ms", "604800000")
    return None if int(text) < 0 else int(text) * 1000


def _days(us: int) -> str:
    return f"{us / DAY_US:.3g}"
