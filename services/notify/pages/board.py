"""The board: what the page shows, made from the JSON of incidents, and pure.

Incidents that wait for an answer stand first, the one with the least time left on top: that is
the order in which a single officer at night should work.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from services.notify.core.silence import Silence
from services.notify.pages.clockwork import Clockwork, Moment
from services.notify.pages.members import members_text
from services.notify.pages.reasons import Reasons
from services.notify.pages.silence_view import SilenceView
from services.notify.pages.words import words
from services.notify.port import ChannelText
from services.notify.wording.clauses import clause_words
from shared.model.campaign import state_of
from shared.model.configuration import Configuration, lineage
from shared.model.facility import Station
from shared.model.rule import Rule
from shared.model.severity import Severity

MOST_PEOPLE = 60
MOST_ENTRIES = 60
"""Of one history; the whole of it is in the ledger."""
MOST_RECOVERED = 5
MOST_HIDDEN = 3
"""Named of what an incident hides."""
_OUTCOMES = ("queued", "accepted", "delivered", "failed", "unknown", "repeated", "withheld")
_REACHED = ("accepted", "delivered", "repeated", "unknown")
_SIGNS = {">=": "≥", "<=": "≤"}


class AlertLine(msgspec.Struct, frozen=True):
    title: str
    severity: str
    value: str
    limit: str
    since: Moment | None
    place: str
    action: str
    """What to do, in the words of the rule."""
    basis: str
    members: str = ""
    """Of a territory: who stands in its value, and who does not."""


class Told(msgspec.Struct, frozen=True):
    """One person on one channel: how often, when last, and what became of it."""

    person: str
    name: str
    title: str
    channel: str
    times: int
    at: Moment | None
    outcome: str
    reason: str


class Entry(msgspec.Struct, frozen=True):
    at: Moment | None
    kind: str
    name: str
    channel: str
    reason: str


class Choice(msgspec.Struct, frozen=True):
    id: str
    label: str


class Card(msgspec.Struct, frozen=True):
    id: str
    state: str
    severity: str
    facility: str
    facility_id: str
    territory: str
    opened: Moment | None
    next_step: Moment | None
    step: int
    acknowledged: Moment | None
    acknowledged_by: str
    resolved: Moment | None
    alerts: tuple[AlertLine, ...]
    told: tuple[Told, ...]
    timeline: tuple[Entry, ...]
    people: tuple[Choice, ...]
    chosen: str
    """Preselected, so that one tap is enough: whoever was reached last, else who is nearest."""
    standing: tuple[str, ...] = ()
    """Why less is told than happens: it flaps, is silenced, or hides others."""


class Phone(msgspec.Struct, frozen=True):
    person: str
    name: str
    title: str
    channel: str
    at: Moment
    text: str


class Board(msgspec.Struct, frozen=True):
    open: tuple[Card, ...]
    handled: tuple[Card, ...]
    recovered: tuple[Card, ...]
    phones: tuple[Phone, ...]
    campaigns: tuple[str, ...] = ()
    """Those that run now, each with its end."""
    silences: str = ""
    """How many run; empty: none."""


class BoardMaker:
    """Makes cards for one configuration, with names where the JSON has ids."""

    def __init__(self, configuration: Configuration) -> None:
        self._c = configuration
        self._english = configuration.site.language == "en"
        self._reasons = Reasons(configuration)
        self._silences = SilenceView(configuration)
        self._ways = _way_names(configuration, words(configuration.site.language))

    def board(
        self,
        incidents: Sequence[Mapping[str, Any]],
        phones: Sequence[ChannelText],
        clock: Clockwork,
        silences: Sequence[Silence] = (),
    ) -> Board:
        cards = [self.card(incident, clock) for incident in incidents]
        resolved = [card for card in cards if card.state == "resolved"]
        return Board(
            open=tuple(sorted((c for c in cards if c.state == "open"), key=_urgency)),
            handled=tuple(sorted((c for c in cards if c.state == "acknowledged"), key=_urgency)),
            recovered=tuple(sorted(resolved, key=lambda c: -(c.resolved.ms if c.resolved else 0)))[
                :MOST_RECOVERED
            ],
            phones=tuple(
                Phone(
                    person=text.person,
                    name=text.person_name,
                    title=self._title(text.person),
                    channel=self.way(text.channel),
                    at=clock.of(text.at_us),
                    text=text.text,
                )
                for text in sorted(phones, key=lambda text: (-text.at_us, text.person))
            ),
            campaigns=tuple(self._campaigns(clock)),
            silences=self._silences.standing(silences, clock),
        )

    def _campaigns(self, clock: Clockwork) -> Iterator[str]:
        form = words(self._c.site.language)["campaign_runs"]
        for each in sorted(self._c.campaigns.values(), key=lambda one: (one.to_us, one.id)):
            if state_of(each, clock.now) == "running":
                title = each.title_en if self._english else each.title_zh
                yield form.format(title=title, end=clock.of(each.to_us).short)

    def card(self, incident: Mapping[str, Any], clock: Clockwork) -> Card:
        timeline = incident.get("timeline") or []
        told = self.told(timeline, clock)
        territory = str(incident.get("territory") or "")
        reached = [line.person for line in told if line.outcome in _REACHED]
        people = self._people(territory, [*reached, *(line.person for line in told)])
        return Card(
            id=str(incident["id"]),
            state=str(incident["state"]),
            severity=str(incident.get("severity") or "blue"),
            facility=self._facility(str(incident.get("facility") or "")),
            facility_id=str(incident.get("facility") or ""),
            territory=self._territory(territory),
            opened=clock.of_text(incident.get("opened_at")),
            next_step=clock.of_text(incident.get("next_step_at")),
            step=int(incident.get("step") or 0),
            acknowledged=clock.of_text(incident.get("acknowledged_at")),
            acknowledged_by=self.name(incident.get("acknowledged_by")),
            resolved=clock.of_text(incident.get("resolved_at")),
            alerts=self._alerts(incident, clock),
            told=told,
            timeline=tuple(
                Entry(
                    at=clock.of_text(entry.get("at")),
                    kind=str(entry.get("kind")),
                    name=self.name(entry.get("person")),
                    channel=self.way(entry.get("channel")),
                    reason=self._reasons.text(str(entry.get("reason") or ""), clock),
                )
                for entry in reversed(timeline[-MOST_ENTRIES:])
            ),
            people=people,
            chosen=people[0].id if people else "",
            standing=self._standing(incident, clock),
        )

    def _standing(self, incident: Mapping[str, Any], clock: Clockwork) -> tuple[str, ...]:
        t = words("en" if self._english else "zh-CN")
        found = []
        for key in ("flapping_since", "silenced_until"):
            if (at := clock.of_text(incident.get(key))) is not None:
                found.append(t[key].format(at=at.short))
        if hidden := incident.get("inhibited"):
            found.append(t["inhibited"].format(n=len(hidden), what=self._hidden(hidden)))
        return tuple(found)

    def _hidden(self, hidden: Sequence[Mapping[str, Any]]) -> str:
        """The worst in front, so that a red one is not overlooked."""
        t = words(self._c.site.language)
        worst = sorted(hidden, key=lambda each: -_rank(each.get("severity")))
        said = [
            f"{self._rule_title(str(each.get('rule')))} {t.get(str(each.get('severity')), '')}"
            for each in worst[:MOST_HIDDEN]
        ]
        more = [t["more_alerts"].format(n=len(worst) - len(said))] if len(worst) > len(said) else []
        return (", " if self._english else "、").join([*(each.strip() for each in said), *more])

    def told(self, timeline: Sequence[Mapping[str, Any]], clock: Clockwork) -> tuple[Told, ...]:
        """Latest first. A notification counts once, however many of its fates are known."""
        lines: dict[tuple[str, str], Told] = {}
        seen: dict[tuple[str, str], set[str]] = {}
        for entry in timeline:
            kind, person = entry.get("kind"), entry.get("person")
            if kind not in _OUTCOMES or not person:
                continue
            key = (str(person), str(entry.get("channel") or ""))
            notifications = seen.setdefault(key, set())
            if kind != "withheld":
                notifications.add(str(entry.get("notification") or entry.get("at")))
            known = self._c.people.get(key[0])
            lines.pop(key, None)
            lines[key] = Told(
                person=key[0],
                name=self.name(key[0]),
                title=known.title if known else "",
                channel=self.way(key[1]),
                times=len(notifications),
                at=clock.of_text(entry.get("at")),
                outcome=str(kind),
                reason=self._reasons.text(str(entry.get("reason") or ""), clock),
            )
        return tuple(reversed(lines.values()))

    def name(self, person: str | None) -> str:
        known = self._c.people.get(person or "")
        return known.name if known else (person or "")

    def way(self, channel: str | None) -> str:
        """短信, 邮件 …; the id where it is not one of ours."""
        return self._ways.get(channel or "", channel or "")

    def _title(self, person: str) -> str:
        known = self._c.people.get(person)
        return known.title if known else ""

    def _facility(self, facility: str) -> str:
        known = self._c.facilities.get(facility)
        return known.name if known else facility

    def _territory(self, territory: str) -> str:
        known = self._c.territories.get(territory)
        return known.name if known else territory

    def _alerts(self, incident: Mapping[str, Any], clock: Clockwork) -> tuple[AlertLine, ...]:
        lines = sorted(
            (alert for alert in incident.get("alerts") or [] if isinstance(alert, Mapping)),
            key=lambda alert: -_rank(alert.get("severity")),
        )
        return tuple(self._alert(alert, clock) for alert in lines)

    def _alert(self, alert: Mapping[str, Any], clock: Clockwork) -> AlertLine:
        rule = self._c.rules.get(str(alert.get("rule")))
        station = self._c.stations.get(str(alert.get("station")))
        return AlertLine(
            title=self._rule_title(str(alert.get("rule"))),
            severity=str(alert.get("severity") or "blue"),
            value=quantity(alert.get("value"), self._unit(alert.get("unit"))),
            limit=limit_text(alert.get("limit")),
            since=clock.of_text(alert.get("since") or alert.get("episode") or alert.get("at")),
            place=_place(station, alert),
            action=self._action(rule),
            basis=_basis(rule, self._english),
            members=members_text(alert.get("members"), self._c),
        )

    def _unit(self, unit: str | None) -> str | None:
        return words(self._c.site.language).get(f"unit_{unit}", unit)

    def _rule_title(self, rule: str) -> str:
        known = self._c.rules.get(rule)
        if known is None:
            return rule
        title = known.title_en if self._english else known.title_zh
        return title or rule

    def _action(self, rule: Rule | None) -> str:
        if rule is None:
            return ""
        return (rule.action_en if self._english else rule.action_zh) or ""

    def _people(self, territory: str, told: Sequence[str]) -> tuple[Choice, ...]:
        """Who may be the one that answers: those told, then the territory's, then those above."""
        above = lineage(territory, self._c.territories)
        near = sorted(
            (p for p in self._c.people.values() if p.territory in above),
            key=lambda p: above.index(p.territory),
        )
        order = dict.fromkeys([*told, *(p.id for p in near)])
        for person in self._c.people:
            if len(order) >= MOST_PEOPLE:
                break
            order.setdefault(person)
        return tuple(
            Choice(id=p, label=f"{self.name(p)} {self._title(p)}".strip())
            for p in list(order)[:MOST_PEOPLE]
            if p in self._c.people
        )


def _way_names(configuration: Configuration, t: Mapping[str, str]) -> dict[str, str]:
    """Channels by their kind; two of one kind are told apart by their ids."""
    kinds = [channel.kind for channel in configuration.channels.values()]
    names = {way: t[f"way_{way}"] for way in ("api", "page", "link", "cli")}
    for channel in configuration.channels.values():
        name = t[f"way_{channel.kind}"]
        names[channel.id] = name if kinds.count(channel.kind) == 1 else f"{name} {channel.id}"
    return names


def _place(station: Station | None, alert: Mapping[str, Any]) -> str:
    """The station, where it says more than the facility; that of a territory is only a name."""
    if station is None or station.id == station.facility or alert.get("members"):
        return ""
    return station.id


def _basis(rule: Rule | None, english: bool) -> str:
    if rule is None or rule.basis.standard == "product default":
        return ""
    return f"{rule.basis.standard} {clause_words(rule.basis.clause, english=english)}".strip()


def last_resolved(incidents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The few that resolved last; RFC 3339 of one site sorts by text."""
    return sorted(incidents, key=lambda one: str(one.get("resolved_at")), reverse=True)[
        :MOST_RECOVERED
    ]


def _urgency(card: Card) -> tuple[bool, int, int, int]:
    """Least time left first; without a next step last; then the more severe, then the older."""
    return (
        card.next_step is None,
        card.next_step.ms if card.next_step else 0,
        -_rank(card.severity),
        card.opened.ms if card.opened else 0,
    )


def _rank(severity: object) -> int:
    return Severity(severity).rank if severity in {s.value for s in Severity} else 0


def quantity(value: float | None, unit: str | None) -> str:
    """At most 4 significant digits, as in the texts; "1" is no unit."""
    if value is None:
        return ""
    digits = f"{value:.4g}"
    if "e" in digits:
        digits = f"{value:.0f}" if abs(value) >= 1 else f"{value:.4g}"
    return digits if unit in (None, "", "1") else f"{digits} {unit}"


def limit_text(limit: str | None) -> str:
    text = limit or ""
    for plain, sign in _SIGNS.items():
        text = text.replace(plain, sign)
    return text
