"""A site for chaos, and who reports to it: facilities that raise one alarm each, others that go on.

What the steady ones say is judged by a rule with delays, a rule without and a rule of silence, in
blue, which tells nobody; so transitions are many and texts can be counted.
"""

from random import Random

from shared.testing.cluster import Cluster
from shared.testing.configs import Site, step
from shared.testing.program import free_ports
from tests.kafka.cluster_load import Load, Sender, WebSender, WireSender, alarms, steady

STEADY = 24
PER_CITY = 50
"""One person has at most 192 tickets open at a time: 24 letters with 8 digits."""


def chaos_site(rng: Random, sms_url: str, loud: int) -> Site:
    """At least `loud` facilities that may raise an alarm, by city, and the steady ones."""
    site = Site(rng, *free_ports(2))
    site.timing.update(tick="500ms", deaf_after="4s")
    site.add_sms(sms_url)
    site.add_policy(
        step("duty_officer", wait="6h"), step("shift_leader", wait="6h"),
        match={"severity": ["yellow", "orange", "red"]},
    )  # fmt: skip
    site.add_threshold(levels=[{"severity": "yellow", "raise": f"> {site.low:g}"}])
    watched = {"applies": {"kind": "sewage_plant"}}
    blue = [{"severity": "blue", "raise": f"> {site.low:g}", "clear": f"<= {site.low * 0.9:g}"}]
    site.add_threshold(**watched, levels=blue)
    site.add_threshold(
        **watched, levels=blue, **{"for": "3s", "keep_firing_for": "5s", "unknown": "alert"}
    )
    site.add_silence("6s", "1s", **watched)
    for number in range((loud + PER_CITY - 1) // PER_CITY):
        city = f"{site.province[:2]}{number + 1:02}00"
        if city != site.city:
            site.documents["territories"]["territories"].append({"id": city, "name": site.word(2)})
        officer, leader = site.add_person(territory=city), site.add_person(territory=city)
        site.add_roster(city, {"duty_officer": [officer], "shift_leader": [leader]})
        for _ in range(PER_CITY):
            site.add_facility(territory=city)
    for _ in range(STEADY):
        site.add_facility(kind="sewage_plant")
    return site


def senders(cluster: Cluster, rng: Random, loud_s: float = 0.4) -> Load:
    """Half by HTTP, half by HJ 212; an alarm every `loud_s` or so by each."""
    site = cluster.site
    may, calm = site.facilities[:-STEADY], site.facilities[-STEADY:]
    made: list[Sender] = []
    for half, kind in enumerate((WebSender, WireSender)):
        plan = steady(Random(rng.random()), calm[half::2], site.low, 0.05)
        made.append(kind(cluster, plan))
        plan = alarms(Random(rng.random()), may[half::2], site.low, loud_s)
        made.append(kind(cluster, plan))
    return Load(made)


def loud(site: Site) -> set[str]:
    """The facilities that may raise an alarm."""
    return {facility.id for facility in site.facilities[:-STEADY]}


def fired(load: Load, site: Site) -> dict[str, float]:
    """Of whom an alarm was acknowledged, and when."""
    may = loud(site)
    return {
        given.facility: moment
        for moment, given in load.acknowledged()
        if given.facility in may and given.value > site.low
    }
