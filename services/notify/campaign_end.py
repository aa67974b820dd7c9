"""Campaign end: those whom a campaign names are told once, in plain words, that it has ended."""

import hashlib

from services.notify.core.notice import Notice, first_ways, next_way
from services.notify.core.responsible import responsible
from services.notify.work import Snapshot, Work
from shared.model.instants import to_datetime
from shared.model.rule import Campaign

STALE_US = 7 * 86_400_000_000
"""A campaign that ended longer ago than this was over before anybody could be told."""
Ended = tuple[str, int]
"""A campaign and its end: one that is prolonged after its end has another."""


def ended(work: Work, told: set[Ended]) -> list[Campaign]:
    """Campaigns whose end is to be told now; without a campaign this asks nothing."""
    return [
        each
        for each in work.configuration.campaigns.values()
        if each.report_to is not None
        and each.to_us <= work.now < each.to_us + STALE_US
        and (each.id, each.to_us) not in told
    ]


def tell_end(work: Work, campaign: Campaign) -> None:
    """Into the outbox; the ids are derived, so another replica or a restart adds nothing."""
    report = campaign.report_to
    assert report is not None
    words = _words(work, campaign)
    seen: set[tuple[str, str]] = set()
    for territory in campaign.territories:
        people, _ = responsible(report.notify, report.by, territory, None, work.house, work.now)
        for each in people:
            person = work.configuration.people[each.person]
            ways = first_ways(person, each.by)
            if not ways and (other := next_way(person, set())) is not None:
                ways = [other]
            for contact, channel in ways:
                if (person.id, contact) not in seen:
                    seen.add((person.id, contact))
                    work.queue(
                        _notice(campaign, person.id, contact, channel),
                        Snapshot((), None, 0, words),
                    )


def _notice(campaign: Campaign, person: str, contact: str, channel: str) -> Notice:
    seed = f"campaign-end\n{campaign.id}\n{campaign.to_us}\n{person}\n{contact}"
    return Notice(
        id=hashlib.sha256(seed.encode()).hexdigest()[:24],
        kind="reply", incident="", generation=0, step=0, round=0,
        person=person, contact=contact, channel=channel,
    )  # fmt: skip


def _words(work: Work, campaign: Campaign) -> str:
    site = work.configuration.site
    at = to_datetime(campaign.to_us, site.zone)
    command = f"yujing campaigns report {campaign.id}"
    if site.language == "zh-CN":
        when = f"{at.month}月{at.day}日{at:%H:%M}"
        return f"行动“{campaign.title_zh}”{when}结束，报告：{command}"
    return f"Campaign {campaign.title_en} ended at {at:%Y-%m-%d %H:%M}. Report: {command}"
