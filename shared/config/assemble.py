"""From validated files to one `Configuration`: ids are unique, references resolve, rules make sense."""

from shared.config import (
    campaigns,
    grouped,
    inhibits,
    people,
    places,
    policies,
    rollups,
    rules,
    sheets,
    silent,
)
from shared.config.assembly import Assembly, Packs, Parts
from shared.config.nodes import Finding
from shared.config.validate import Left
from shared.model.configuration import Configuration, Indicator


def assemble(
    parts: Parts, packs: Packs, shipped: dict[str, Indicator], left: Left
) -> tuple[Configuration | None, list[Finding]]:
    """Build the configuration and say all that is wrong with it.

    What `left` holds could not be checked; references to it are not reported again. None comes
    back when there is an error here, or no site.
    """
    a = Assembly(parts, packs, shipped, left)
    site = places.site(a)
    territories = places.territories(a)
    facilities = places.facilities(a, territories)
    rules.switch_packs_on(a)
    stations = places.stations(a, facilities)
    flags = places.flags(a)
    templates = sheets.sheets(a, facilities)
    rolled = rollups.rollups(a, territories, facilities, stations)
    built_campaigns, built_rules = campaigns.build(a, rules.build(a, territories), territories)
    grouped.checked_circles(a, built_rules)
    grouped.checked_names(a, facilities, built_rules)
    channels = people.channels(a)
    persons = people.people(a, territories, channels)
    rosters = people.rosters(a, territories, persons)
    names = policies.Names(territories, persons, channels, rules.names(a) | built_rules.keys())
    chain = campaigns.policies(a, names, built_campaigns, policies.policies(a, names))
    built_campaigns = campaigns.with_reports(a, names, built_campaigns)
    hiding = inhibits.inhibits(a, built_rules, rules.names(a) | built_rules.keys())
    hiding += silent.hides(built_rules)
    silent.checked_order(a, built_rules)
    access = people.access(a, territories)
    if site is None or any(not finding.warning for finding in a.findings):
        return None, a.findings
    configuration = Configuration(
        *site,
        territories,
        access,
        facilities,
        stations,
        persons,
        rosters,
        chain,
        channels,
        built_rules,
        a.indicators,
        flags,
        templates,
        places.history_keep_us(a),
        inhibits=hiding,
        rollups=rolled,
        campaigns=built_campaigns,
    )
    return configuration, a.findings
