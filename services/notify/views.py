"""Views: what may be read of the desk, as the objects of contract §4."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from services.notify.core.incident import Alert, Incident
from services.notify.core.ledger import TIMELINE, Entry, broken
from services.notify.core.owed import next_step_us
from services.notify.core.responsible import House, role_holders
from services.notify.desk import tables as t
from services.notify.desk.unit import decode_incident
from services.notify.port import ChannelText, NotifyFigures
from shared.model.configuration import Configuration, lineage
from shared.model.instants import Instant, instant_text

MOST = 1_000
"""Incidents in one list (contract §4)."""


class Views:
    """Reads for one configuration."""

    def __init__(self, configuration: Configuration) -> None:
        self._c = configuration
        self._zone = configuration.site.zone

    def time(self, at_us: int | None) -> str | None:
        return None if at_us is None else instant_text(at_us, self._zone)

    def incidents(
        self,
        connection: Connection,
        state: str | None,
        facility: str | None,
        sees: Callable[[str], bool],
    ) -> list[dict[str, Any]]:
        """Newest first."""
        i = t.incidents.c
        query = select(i.body, i.territory).order_by(i.opened_us.desc(), i.id)
        if state is not None:
            query = query.where(i.state == state)
        if facility is not None:
            query = query.where(i.facility == facility)
        found: list[Incident] = []
        for body, territory in connection.execute(query):
            if sees(territory):
                found.append(decode_incident(body))
                if len(found) == MOST:
                    break
        timelines = self._timelines(connection, [each.id for each in found])
        return [self._shown(each, timelines.get(each.id, [])) for each in found]

    def incident(self, connection: Connection, id_: str) -> dict[str, Any] | None:
        i = t.incidents.c
        body = connection.execute(select(i.body).where(i.id == id_)).scalar()
        if body is None:
            return None
        return self._shown(decode_incident(body), self._timelines(connection, [id_]).get(id_, []))

    def _timelines(self, connection: Connection, ids: Sequence[str]) -> dict[str, list[Any]]:
        lines: dict[str, list[Any]] = {}
        c = t.ledger.c
        for begin in range(0, len(ids), 500):
            query = (
                select(c.incident, c.at_us, c.kind, c.person, c.channel, c.reason, c.notification)
                .where(c.incident.in_(ids[begin : begin + 500]))
                .order_by(c.incident, c.n)
            )
            for incident, at_us, kind, person, channel, reason, notification in connection.execute(
                query
            ):
                if kind not in TIMELINE:
                    continue
                lines.setdefault(incident, []).append(
                    {
                        "at": self.time(at_us), "kind": kind, "person": person,
                        "channel": channel, "reason": reason, "notification": notification,
                    }
                )  # fmt: skip
        return lines

    def _shown(self, incident: Incident, timeline: list[Any]) -> dict[str, Any]:
        gap = self._c.timing.min_step_gap_us
        return {
            "id": incident.id,
            "state": incident.state,
            "severity": incident.severity.value,
            "facility": incident.facility,
            "territory": incident.territory,
            "opened_at": self.time(incident.opened_us),
            "acknowledged_at": self.time(incident.acknowledged_us),
            "acknowledged_by": incident.acknowledged_by,
            "resolved_at": self.time(incident.resolved_us),
            "step": min(incident.step, len(incident.policy.steps)),
            "next_step_at": self.time(next_step_us(incident, gap)),
            "policy": incident.policy.id,
            **self._states(incident),
            "alerts": [self._alert(each) for each in incident.alerts or incident.last_alerts],
            "timeline": timeline,
        }

    def _states(self, incident: Incident) -> dict[str, Any]:
        """What only incidents have that flap, or where an inhibit keeps alerts aside."""
        shown: dict[str, Any] = {}
        if incident.flap is not None:
            shown["flapping_since"] = self.time(incident.flap.since_us)
            shown["quiet_since"] = self.time(incident.flap.quiet_us)
        if incident.silenced_us is not None and incident.state == "open":
            shown["silenced_until"] = self.time(incident.silenced_us)
        if incident.hidden:
            shown["inhibited"] = [
                self._alert(each.alert) | {"by": each.by} for each in incident.hidden
            ]
        return shown

    def _alert(self, alert: Alert) -> dict[str, Any]:
        return {
            "rule": alert.rule, "station": alert.station, "indicator": alert.indicator,
            "interval": alert.interval, "severity": alert.severity.value, "cause": alert.cause,
            "episode": self.time(alert.episode_us), "since": self.time(alert.episode_us),
            "at": self.time(alert.at_us), "value": alert.value, "unit": alert.unit,
            "limit": alert.limit,
            "basis": {
                "standard": alert.standard, "edition": alert.edition, "clause": alert.clause,
            },
            **({} if alert.members is None else {"members": alert.members.as_object()}),
        }  # fmt: skip

    def duty(self, territory: str | None, role: str | None, at: Instant) -> list[dict[str, Any]]:
        """Who holds which role at `at`; of one territory (climbing), or of every roster."""
        house = House(self._c.territories, self._c.rosters, self._c.people, self._zone)
        found: list[dict[str, Any]] = []
        for code in [territory] if territory else sorted(self._c.rosters):
            start = lineage(code, self._c.territories)
            for name in sorted(self._roles(start) if role is None else {role}):
                held = role_holders(name, start, house, at)
                base = {"territory": code, "role": name, "at": self.time(at)}
                if held is None:
                    found.append(base | {"person": None, "people": [], "from": None})
                    continue
                from_, holders = held
                known = [self._c.people[p] for p in holders.people if p in self._c.people]
                found.append(
                    base
                    | {
                        "person": holders.people[0],
                        "people": [{"id": p.id, "name": p.name, "title": p.title} for p in known],
                        "from": from_,
                        "reason": holders.why,
                    }
                )
        return found

    def _roles(self, territories: list[str]) -> set[str]:
        rosters = [self._c.rosters[code] for code in territories if code in self._c.rosters]
        return {role for each in rosters for role in (*each.rotations, *each.fixed)} | {
            override.role for each in rosters for override in each.overrides
        }

    def phones(self, connection: Connection, sees: Callable[[str], bool]) -> list[ChannelText]:
        rows = connection.execute(select(t.phones).order_by(t.phones.c.at_us.desc())).mappings()
        people = self._c.people
        return [
            ChannelText(person_name=people[row["person"]].name, **row)
            for row in rows
            if row["person"] in people and sees(people[row["person"]].territory)
        ]

    def figures(self, connection: Connection, now: Instant, slack_us: int) -> NotifyFigures:
        o, i = t.outbox.c, t.incidents.c
        oldest = connection.execute(
            select(func.min(o.queued_us)).where(o.state.in_(("queued", "retry")))
        ).scalar()
        overdue = connection.execute(
            select(func.count()).where(i.due_us.is_not(None), i.due_us < now - slack_us)
        ).scalar()
        states = connection.execute(
            select(i.state, i.severity, func.count())
            .where(i.state != "resolved")
            .group_by(i.state, i.severity)
        )
        age = 0.0 if oldest is None else max(now - oldest, 0) / 1e6
        return NotifyFigures(age, overdue or 0, {(s, v): n for s, v, n in states})


def read_chain(connection: Connection, incident: str) -> list[Entry]:
    rows = connection.execute(
        select(t.ledger).where(t.ledger.c.incident == incident).order_by(t.ledger.c.n)
    ).mappings()
    return [Entry(**row) for row in rows]


def verify(connection: Connection, silences: Mapping[str, str | None]) -> list[str]:
    """Broken places of all chains, in words; empty when all is well. `silences`: of their own."""
    i = t.incidents.c
    found = []
    for incident, head, count in connection.execute(select(i.id, i.head, i.entries)).all():
        if (where := broken(read_chain(connection, incident), head, count)) is not None:
            found.append(f"incident {incident}: {where}")
    found += [f"silence {id_}: {where}" for id_, where in silences.items() if where is not None]
    known = select(i.id)
    strays = select(t.ledger.c.incident).where(t.ledger.c.incident.not_in(known)).distinct()
    gone = (each for each in connection.execute(strays).scalars() if each not in silences)
    return found + [f"incident {each}: gone" for each in gone]
