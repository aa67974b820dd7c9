"""Campaigns: from what the file says to editions of rules and dated policies.

A campaign makes of each rule it names another one, `RULE@CAMPAIGN`, which judges in its
territories while it runs; the rule itself pauses there. Engine and notify know nothing else.
"""

from msgspec.structs import replace

from shared.config import rules as rules_
from shared.config.assembly import Assembly, Item
from shared.config.campaign_editions import edition
from shared.config.policies import Names, policy, targets
from shared.config.schema.campaigns import CampaignModel
from shared.model.configuration import lineage
from shared.model.facility import Territory
from shared.model.people import Policy, PolicyMatch
from shared.model.rule import Campaign, Pause, ReportTo, Rule

Territories = dict[str, Territory]


def build(
    a: Assembly, rules: dict[str, Rule], territories: Territories
) -> tuple[dict[str, Campaign], dict[str, Rule]]:
    """Every campaign by id, and all rules with its editions and pauses."""
    campaigns: dict[str, Campaign] = {}
    items = a.unique("campaign", a.items("campaigns"))
    written = rules_.models(a) if items else {}
    names = rules_.names(a) if items else set()
    for code, item in items.items():
        campaign = _campaign(a, item, territories)
        if campaign is None:
            continue
        campaigns[code] = campaign
        pause = Pause(code, campaign.from_us, campaign.to_us, campaign.territories)
        for place, model in enumerate(item.model.rules):
            part = Item(item.document, (*item.path, "rules", place), model)
            a.known(part, "rule", model.rule, names, "rule")
            base = rules.get(model.rule)
            if base is None or model.rule not in written:
                continue
            _stand_alone(a, part, base, pause, territories)
            made = edition(a, part, item.model, written[model.rule], base, pause, territories)
            if made is None:
                continue
            if made.id in names:
                text = f"rule {made.id!r} exists already; give it another id"
                a.fail(part, text, "rule")
            rules[made.id] = made
            pauses = sorted((*base.pauses, pause), key=lambda each: each.from_us)
            rules[base.id] = replace(base, pauses=tuple(pauses))
    return campaigns, rules


def _campaign(a: Assembly, item: Item, territories: Territories) -> Campaign | None:
    model: CampaignModel = item.model
    for place, code in enumerate(model.territories):
        a.known(item, "territory", code, territories, "territories", place)
    if not model.rules and not model.policies:
        a.fail(item, "this campaign changes nothing; give it rules or policies", "id")
    begin, end = a.moment(item, model.from_, "from"), a.moment(item, model.to, "to")
    if begin is None or end is None:
        return None
    if end <= begin:
        text = f"to ({model.to}) is not after from ({model.from_}); swap them"
        a.fail(item, text, "to")
        return None
    return Campaign(
        model.id, model.title.zh, model.title.en or model.title.zh, begin, end,
        tuple(model.territories), tuple(each.rule for each in model.rules),
        tuple(each.id for each in model.policies),
    )  # fmt: skip


def _stand_alone(
    a: Assembly, part: Item, base: Rule, pause: Pause, territories: Territories
) -> None:
    """One edition judges a series at any time."""
    for other in base.pauses:
        if pause.from_us >= other.to_us or other.from_us >= pause.to_us:
            continue
        shared = [
            code
            for one, more in ((pause, other), (other, pause))
            for code in one.within
            if set(lineage(code, territories)) & set(more.within)
        ]
        if shared:
            which = (
                "this campaign itself" if other.campaign == pause.campaign else
                f"campaign {other.campaign!r}"
            )  # fmt: skip
            text = (
                f"rule {base.id!r} is changed in {shared[0]} at the same time by {which}; "
                "let one end before the other begins, or part their territories"
            )
            a.fail(part, text, "rule")
            return


def policies(
    a: Assembly, names: Names, campaigns: dict[str, Campaign], others: tuple[Policy, ...]
) -> tuple[Policy, ...]:
    """Those of campaigns before the others; one that names a rule means its editions, too."""
    if not campaigns:
        return others
    taken = {each.id for each in others}
    found: list[Policy] = []
    for item in a.unique("campaign", a.items("campaigns")).values():
        campaign = campaigns.get(item.model.id)
        if campaign is None:
            continue
        for place, model in enumerate(item.model.policies):
            part = Item(item.document, (*item.path, "policies", place), model)
            if model.id in taken:
                a.fail(part, f"policy {model.id!r} exists already; give another id", "id")
            taken.add(model.id)
            found.append(_dated(a, part, policy(a, part, names), campaign, names.territories))
    return tuple(_with_editions(each, campaigns) for each in (*found, *others))


def with_reports(a: Assembly, names: Names, campaigns: dict[str, Campaign]) -> dict[str, Campaign]:
    """The same campaigns with whom they tell of their end."""
    for item in a.items("campaigns"):
        campaign, report = campaigns.get(item.model.id), item.model.report_to
        if campaign is not None and report is not None:
            notify = targets(a, item, report, names, "report_to")
            told = ReportTo(notify, tuple(report.by))
            campaigns[campaign.id] = replace(campaign, report_to=told)
    return campaigns


def _dated(
    a: Assembly, part: Item, own: Policy, campaign: Campaign, territories: Territories
) -> Policy:
    match = own.match or PolicyMatch()
    for code in match.territory:
        if not set(lineage(code, territories)) & set(campaign.territories):
            text = f"territory {code!r} lies outside this campaign; delete it or add it there"
            a.fail(part, text, "match", "territory")
    match = replace(match, territory=match.territory or campaign.territories)
    return replace(
        own, match=match, campaign=campaign.id, from_us=campaign.from_us, to_us=campaign.to_us
    )


def _with_editions(one: Policy, campaigns: dict[str, Campaign]) -> Policy:
    if one.match is None or not one.match.rule:
        return one
    more = [
        f"{rule}@{campaign.id}"
        for rule in one.match.rule
        for campaign in campaigns.values()
        if rule in campaign.rules
    ]
    return replace(one, match=replace(one.match, rule=(*one.match.rule, *more)))
