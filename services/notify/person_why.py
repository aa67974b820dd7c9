"""Why, of one person and minute: what was open in his territories, and what he was told of it."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, or_, select

from services.notify.core.not_told import NOTICES, may_hold, people_of, reason
from services.notify.core.past_incident import PastIncident, stood
from services.notify.core.policy import policy_for
from services.notify.core.responsible import House, role_holders
from services.notify.desk import tables as t
from services.notify.desk.unit import decode_incident
from services.notify.views import read_chain
from shared.model.configuration import Configuration, lineage
from shared.model.instants import Instant, instant_text
from shared.model.transition import Transition

MOST = 200
"""Incidents looked at, and firings that opened none: the newest."""
MOST_ROWS = 20_000
"""Transitions looked through for those, some 20 MB."""
BEFORE_US = 86_400_000_000
"""How long before the instant a firing that told nobody is still listed."""

Sees = Callable[[str], bool]


def why_person(
    connection: Connection, configuration: Configuration, person: str, at: Instant, sees: Sees
) -> dict[str, Any]:
    """The answer of `GET /v1/why/person`. Rosters and people as they are configured now."""
    return PersonWhy(connection, configuration, person, at, sees).answer()


class PersonWhy:
    def __init__(
        self, connection: Connection, configuration: Configuration, person: str, at: Instant,
        sees: Sees,
    ) -> None:  # fmt: skip
        self._db, self._c, self._at, self._sees = connection, configuration, at, sees
        self._person = configuration.people[person]
        self._zone = configuration.site.zone
        self._house = House(
            configuration.territories, configuration.rosters, configuration.people, self._zone
        )

    def answer(self) -> dict[str, Any]:
        held, others = self._roles()
        incidents, left_off = self._incidents()
        nobody = self._told_nobody()
        return {
            "is": "person",
            "person": self._person.id,
            "name": self._person.name,
            "title": self._person.title,
            "territory": self._person.territory,
            "at": self._time(self._at),
            "summary": _summary(held, incidents, nobody),
            "roles": held,
            "roles_of_others": others,
            "incidents": incidents,
            "told_nobody": nobody,
            "left_off": left_off,
        }

    def _time(self, at_us: int) -> str:
        return instant_text(Instant(at_us), self._zone)

    # -- roles ---------------------------------------------------------------------------------

    def _roles(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Roles that he held then, and those he takes turns in that somebody else held."""
        held: list[dict[str, Any]] = []
        others: list[dict[str, Any]] = []
        for code, roster in sorted(self._c.rosters.items()):
            roles = {*roster.rotations, *roster.fixed, *(each.role for each in roster.overrides)}
            for role in sorted(roles):
                own = House(
                    self._c.territories, {code: roster}, self._c.people, self._zone
                )  # of this roster alone
                found = role_holders(role, [code], own, self._at)
                if found is not None and self._person.id in found[1].people:
                    held.append({"role": role, "territory": code, "reason": found[1].why})
                elif may_hold(self._person.id, role, own):
                    people = list(found[1].people) if found is not None else []
                    others.append({"role": role, "territory": code, "held_by": people})
        return held, others

    # -- incidents -----------------------------------------------------------------------------

    def _incidents(self) -> tuple[list[dict[str, Any]], int]:
        i = t.incidents.c
        query = (
            select(i.body, i.territory)
            .where(i.opened_us <= self._at, or_(i.resolved_us.is_(None), i.resolved_us > self._at))
            .order_by(i.opened_us.desc(), i.id)
        )
        rows = [row for row in self._db.execute(query) if self._sees(row.territory)]
        found = []
        for row in rows[:MOST]:
            incident = decode_incident(row.body)
            facility = self._c.facilities.get(incident.facility)
            above = lineage(incident.territory, self._c.territories)
            chain = read_chain(self._db, incident.id)
            kind = facility.kind if facility else None
            past = stood(incident, chain, kind, above, self._at)
            if past is None or past.state == "resolved" or not self._concerns(past, above):
                continue
            found.append(self._shown(past))
        return found, max(0, len(rows) - MOST)

    def _concerns(self, past: PastIncident, above: list[str]) -> bool:
        """It lies in his territory or below, or it has to do with him all the same."""
        if self._person.territory in above:
            return True
        if any(entry.person == self._person.id for entry in past.entries):
            return True
        return any(
            self._person.id in people_of(past, step, self._house, self._at)
            for step in range(1, past.last + 1)
        )

    def _shown(self, past: PastIncident) -> dict[str, Any]:
        why = reason(past, self._person.id, self._house, self._at)
        return {
            "incident": past.id,
            "facility": past.facility,
            "territory": past.territory,
            "state": past.state,
            "severity": past.severity.value,
            "since": self._time(past.since_us),
            "policy": past.policy.id,
            "step": past.step,
            "acknowledged_by": past.acknowledged_by,
            "stage": why.stage,
            "reason": why.zh,
            "reason_en": why.en,
            "told": [
                {
                    "at": self._time(entry.at_us), "kind": entry.kind, "channel": entry.channel,
                    "reason": entry.reason, "notification": entry.notification,
                }
                for entry in past.entries
                if entry.person == self._person.id and entry.kind in NOTICES
            ],
            "vacant": past.orphans,
            "told_nobody": [
                {"at": self._time(entry.at_us), "reason": entry.reason} for entry in past.muted
            ],
        }  # fmt: skip

    # -- what told nobody ----------------------------------------------------------------------

    def _told_nobody(self) -> list[dict[str, Any]]:
        """Episodes at facilities of his territories of which nobody was told by then."""
        c = t.inbox.c
        query = (
            select(c.taken_us, c.facility, c.incident, c.effect, c.body)
            .where(c.taken_us <= self._at, c.taken_us > self._at - BEFORE_US)
            .order_by(c.taken_us.desc(), c.seq.desc())
            .limit(MOST_ROWS)
        )
        newest: dict[tuple[Any, ...], tuple[Any, Transition]] = {}
        for row in reversed(self._db.execute(query).all()):
            if not self._is_his(row.facility):
                continue
            told = msgspec.msgpack.decode(row.body, type=Transition)
            key = (told.rule, told.facility, told.station, told.indicator, told.interval)
            newest.pop(key, None)
            if row.incident is None and told.state in ("pending", "firing"):
                newest[key] = row, told
        return [self._nobody(row, told) for row, told in list(newest.values())[-MOST:]]

    def _is_his(self, facility: str) -> bool:
        known = self._c.facilities.get(facility)
        if known is None or not self._sees(known.territory):
            return False
        return self._person.territory in lineage(known.territory, self._c.territories)

    def _nobody(self, row: Any, told: Transition) -> dict[str, Any]:
        stage, zh, en = "pending", "待定：还没有报警，不通知任何人", "pending: nobody is told yet"
        if told.state == "firing":
            stage, zh, en = self._silent_policy(told)
        return {
            "at": self._time(row.taken_us), "facility": told.facility, "station": told.station,
            "rule": told.rule, "indicator": told.indicator, "state": told.state,
            "severity": told.severity.value, "stage": stage, "reason": zh, "reason_en": en,
        }  # fmt: skip

    def _silent_policy(self, told: Transition) -> tuple[str, str, str]:
        known = self._c.facilities[told.facility]
        policy = policy_for(
            self._c.policies, told.severity, told.rule, known.kind,
            lambda: lineage(known.territory, self._c.territories), told.at_us,
        )  # fmt: skip
        level = told.severity.zh
        if policy is None:
            return (
                "no-policy",
                f"没有策略匹配{level}色",
                f"no policy matches {told.severity.value}",
            )
        return (
            "silent-policy", f"{level}色归策略 {policy.id}，它不通知任何人",
            f"{told.severity.value} falls under policy {policy.id}, which tells nobody",
        )  # fmt: skip


def _summary(
    held: list[dict[str, Any]], incidents: list[dict[str, Any]], nobody: list[dict[str, Any]]
) -> str:
    roles = "、".join(f"{each['territory']} {each['role']}" for each in held) or "没有职务"
    if not incidents:
        told = "辖区内没有未了结的事件"
        if nobody:
            told += f"，有 {len(nobody)} 个报警或待定没有通知任何人"
        return f"当时{roles}；{told}"
    reached = sum(each["stage"] == "told" for each in incidents)
    return f"当时{roles}；{len(incidents)} 个未了结的事件，已通知他 {reached} 个"
