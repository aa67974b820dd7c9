"""Facts: what a text may say about an incident to one person, gathered when it is sent."""

from typing import Any

from services.notify.interim.core.incident import Alert, Incident
from services.notify.interim.machine import Notify
from services.notify.interim.port import AlertFacts, Facts
from shared.model.configuration import Configuration
from shared.model.rule import Rule


def facts_of(
    notify: Notify, row: Any, incident: Incident | None, now_us: int, *, drill: bool
) -> Facts:
    """For one row of the outbox; the incident is as it was when the row was claimed."""
    configuration = notify.configuration
    facility = configuration.facilities.get(incident.facility) if incident else None
    territory = configuration.territories.get(incident.territory) if incident else None
    channel = configuration.channels.get(row.channel)
    alerts: tuple[AlertFacts, ...] = ()
    if incident is not None:
        known = incident.last if row.kind == "recovery" else incident.alerts
        ordered = sorted(known.values(), key=lambda a: (-a.severity.rank, -a.at_us, a.rule))
        alerts = tuple(_alert(configuration, alert) for alert in ordered)
    return Facts(
        kind=row.kind,
        notification=row.id,
        incident=row.incident,
        person=row.person,
        place=facility.short_name if facility else row.incident,
        facility=facility.name if facility else row.incident,
        territory=territory.name if territory else "",
        severity=incident.severity if incident else notify.severity_of(row),
        alerts=alerts,
        now_us=now_us,
        timezone=configuration.site.timezone,
        language=configuration.site.language,
        signature=(channel.signature if channel else "") or "预警",
        base_url=configuration.site.base_url,
        ticket=incident.tickets.get(row.person, "") if incident else "",
        nth=row.nth,
        drill=drill,
        repeat=bool(row.repeats),
        link=notify.links.address(row.incident, row.person) if row.kind == "alert" else "",
        first_notification=notify.first_notification(row),
        words=row.words,
    )


def _alert(configuration: Configuration, alert: Alert) -> AlertFacts:
    rule: Rule | None = configuration.rules.get(alert.rule)
    indicator = configuration.indicators.get(alert.indicator)
    english = configuration.site.language == "en"
    return AlertFacts(
        title=(rule.title_en if english else rule.title_zh) if rule else alert.rule,
        action=(rule.action_en if english else rule.action_zh) if rule else None,
        indicator=indicator.zh if indicator else alert.indicator,
        interval=alert.interval,
        severity=alert.severity,
        value=alert.value,
        unit=alert.unit,
        limit=alert.limit,
        since_us=alert.since_us,
        missing=alert.cause == "missing" and alert.value is None and alert.unit is None,
        standard=rule.basis.standard if rule else "",
        clause=rule.basis.clause if rule else "",
    )
