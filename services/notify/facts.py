"""Facts: turns a notice and its snapshot into what a text needs, in the site's language."""

import msgspec
from msgspec.structs import replace

from services.notify.core.incident import Alert
from services.notify.desk.unit import Row
from services.notify.port import AlertFact, Facts, Link
from services.notify.work import Snapshot
from shared.model.configuration import Configuration
from shared.model.instants import Instant
from shared.model.rollup import Members

_DECODER = msgspec.msgpack.Decoder(Snapshot)


def facts_of(
    configuration: Configuration,
    row: Row,
    facility: str,
    now: Instant,
    *,
    ticket: str | None,
    nth: int,
    first: str | None,
    link: Link,
    drill: bool,
) -> Facts:
    """What this notice says. `first` is the incident's first notice to him by this way."""
    snapshot = _DECODER.decode(row["body"])
    site = configuration.site
    place = configuration.facilities.get(facility)
    territory = configuration.territories.get(place.territory) if place else None
    person = configuration.people.get(row["person"])
    is_alert = row["kind"] == "alert"
    return Facts(
        kind=row["kind"],
        notification=row["id"],
        incident=row["incident"],
        person=row["person"],
        person_name=person.name if person else row["person"],
        site_name=site.name,
        language=site.language,
        timezone=site.timezone,
        now_us=now,
        territory_name=territory.name if territory else "",
        facility=facility,
        facility_name=place.name if place else facility,
        facility_short_name=place.short_name if place else facility,
        alerts=tuple(_alert(configuration, each) for each in snapshot.alerts),
        severity=snapshot.severity,
        drill=drill,
        resend=bool(row["resend"]),
        nth=nth,
        ticket=ticket if is_alert else None,
        link=link(row["incident"], row["person"]) if is_alert else None,
        first_notification=first,
        free_text=snapshot.words,
        step=row["step"] if is_alert else 0,
        flapping=snapshot.flapping,
    )


def plain_words(facts: Facts) -> str:
    """The alert without any wording that could break: when all else fails, this goes out."""
    if facts.free_text:
        return facts.free_text
    words = ["【演练】"] if facts.drill else []
    words += ["恢复"] if facts.kind == "recovery" else []
    words += ["反复"] if facts.flapping else []
    words += ["重发"] if facts.resend else []
    words.append(facts.facility_short_name)
    for alert in facts.alerts[:1]:
        words.append(alert.title)
        if alert.value is not None:
            words.append(f"{alert.value}{alert.unit or ''}")
        if alert.limit is not None:
            words.append(f"限{alert.limit}")
    if facts.kind == "alert":
        words.append(f"回1收到 {facts.ticket or ''}".rstrip())
    return " ".join(words)


def _named(configuration: Configuration, members: Members | None) -> Members | None:
    """The stations that are missing, by the names people use."""
    if members is None:
        return None
    return replace(members, unknown=configuration.station_names(members.unknown))


def _alert(configuration: Configuration, alert: Alert) -> AlertFact:
    rule = configuration.rules.get(alert.rule)
    indicator = configuration.indicators.get(alert.indicator)
    is_english = configuration.site.language == "en"
    title = (rule.title_en if is_english else rule.title_zh) if rule else ""
    name = (alert.indicator if is_english else indicator.zh) if indicator else alert.indicator
    return AlertFact(
        rule=alert.rule,
        title=title or name or alert.rule,
        action=(rule.action_en if is_english else rule.action_zh) if rule else None,
        indicator=alert.indicator,
        indicator_name=name,
        station=alert.station,
        interval=alert.interval,
        severity=alert.severity,
        cause=alert.cause,
        value=alert.value,
        unit=alert.unit,
        limit=alert.limit,
        since_us=alert.episode_us,
        standard=alert.standard,
        edition=alert.edition,
        clause=alert.clause,
        members=_named(configuration, alert.members),
    )
