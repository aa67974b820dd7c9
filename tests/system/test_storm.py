"""A storm: more than a thousand facilities fail at once, and the severe one elsewhere is told."""

from collections.abc import Callable

from shared.testing.configs import Site
from shared.testing.parts.gateway import Gateway
from shared.testing.program import Program, now_text, reading, until

STORM = 1500
SOON_S = 5.0

Serve = Callable[..., Program]


def test_a_storm_does_not_delay_a_severe_alert_by_more_than_seconds(
    serve: Serve, site: Site, gateway: Gateway
) -> None:
    """The red one of another officer goes before the yellow ones that came first."""
    for _ in range(STORM):
        site.add_facility()
    elsewhere = site.add_facility(territory=site.province)
    officer = site.add_person(territory=site.province)
    site.add_roster(site.province, {"duty_officer": [officer]})
    program = serve()
    at = now_text()
    storm = [reading(f, site.low * 1.2, at=at) for f in site.facilities if f is not elsewhere]
    assert program.post(storm).status_code == 202
    gateway.wait_for(1)
    begun = gateway.got[-1].at_s
    program.report(elsewhere, site.low * 3)
    until(lambda: gateway.texts(officer.phone), within_s=30.0)
    told = next(m for m in gateway.got if m.recipient == officer.phone)
    print(told.at_s - begun, len(gateway.got))
    assert told.at_s - begun < SOON_S
    assert len(gateway.got) < STORM
