"""Campaign: a dated regime for territories: other limits, delays, frequency and recipients."""

from typing import Literal

import msgspec

from shared.model.configuration import Configuration
from shared.model.rule import Campaign

LATE_US = 86_400_000_000
"""The reports of the last day come within a day after the end."""
STALE_US = 7 * 86_400_000_000
"""A campaign that was over longer ago has no report by itself; the command still makes one."""
State = Literal["planned", "running", "ended"]


def state_of(campaign: Campaign, now_us: int) -> State:
    """`to` is exclusive: at that instant it has ended."""
    if now_us < campaign.from_us:
        return "planned"
    return "running" if now_us < campaign.to_us else "ended"


def owes_report(campaign: Campaign, now_us: int) -> bool:
    """It is over, all its reports are in, and not so long ago that nobody waits."""
    over_us = campaign.to_us + LATE_US
    return over_us <= now_us < over_us + STALE_US


def without(configuration: Configuration, campaign: str) -> Configuration:
    """The same site had the campaign never been: its editions, pauses and policies are gone."""
    rules = {
        code: msgspec.structs.replace(
            rule, pauses=tuple(each for each in rule.pauses if each.campaign != campaign)
        )
        for code, rule in configuration.rules.items()
        if rule.campaign != campaign
    }
    policies = tuple(each for each in configuration.policies if each.campaign != campaign)
    left = {code: each for code, each in configuration.campaigns.items() if code != campaign}
    return msgspec.structs.replace(configuration, rules=rules, policies=policies, campaigns=left)
