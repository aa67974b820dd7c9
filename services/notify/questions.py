"""Questions: what the desk knows, for pages, APIs and metrics. Nothing here changes anything."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import func, select

from services.notify import silencing
from services.notify import why as why_
from services.notify.amending import after_amendment
from services.notify.core.silence import Hid, Silence
from services.notify.desk import tables as t
from services.notify.desk.desk import Desk
from services.notify.person_why import why_person
from services.notify.port import ChannelText, NotifyFigures
from services.notify.positions import positions
from services.notify.silenced import broken_silences, hid_by
from services.notify.views import Views, read_chain, verify
from shared.log.port import AMENDMENTS
from shared.model.configuration import Configuration
from shared.model.instants import Instant

LINK_LIFE_US = 86_400_000_000
"""A signed link counts until 24 h after recovery (contract §4)."""


class Questions:
    """The verbs of `NotifyPort` that only read. May be called from any thread."""

    tick_slack_us = 2_000_000

    def __init__(self, desk: Desk, configuration: Configuration) -> None:
        self._desk = desk
        self._configuration = configuration
        self._views = Views(configuration)

    # where reading goes on

    def after_seq(self) -> int:
        with self._desk.read() as connection:
            value = connection.execute(
                select(t.meta.c.value).where(t.meta.c.key == "after_seq")
            ).scalar()
        return int(value or 0)

    def after_amendment(self) -> int:
        with self._desk.read() as connection:
            return after_amendment(connection)

    def positions(self) -> dict[int, int]:
        """Where each partition of the alerts is read on; one that is not named: from 0."""
        with self._desk.read() as connection:
            return positions(connection)

    def amendment_positions(self) -> dict[int, int]:
        """The same of the amendments."""
        with self._desk.read() as connection:
            return positions(connection, AMENDMENTS)

    def next_due(self) -> Instant | None:
        """When a step, a hold or another try is due next."""
        return self._soonest(("unknown", "retry"))

    def next_timer(self) -> Instant | None:
        """When `tick` has something to do; other tries are the sender's."""
        return self._soonest(("unknown",))

    def _soonest(self, states: Sequence[str]) -> Instant | None:
        o = t.outbox.c
        with self._desk.read() as connection:
            found = [connection.execute(select(func.min(t.incidents.c.due_us))).scalar()]
            for state in states:
                query = select(func.min(o.due_us)).where(o.state == state)
                found.append(connection.execute(query).scalar())
        known = [each for each in found if each is not None]
        return Instant(min(known)) if known else None

    # incidents

    def incidents(
        self, state: str | None, facility: str | None, sees: Callable[[str], bool]
    ) -> list[dict[str, Any]]:
        with self._desk.read() as connection:
            return self._views.incidents(connection, state, facility, sees)

    def incident(self, incident: str) -> dict[str, Any] | None:
        with self._desk.read() as connection:
            return self._views.incident(connection, incident)

    def incident_territory(self, incident: str) -> str | None:
        with self._desk.read() as connection:
            query = select(t.incidents.c.territory).where(t.incidents.c.id == incident)
            return connection.execute(query).scalar()

    def link_alive(self, incident: str, now: Instant) -> bool:
        i = t.incidents.c
        with self._desk.read() as connection:
            row = connection.execute(select(i.resolved_us).where(i.id == incident)).first()
        return row is not None and (row[0] is None or now < row[0] + LINK_LIFE_US)

    def told(self, incident: str) -> list[str]:
        """People told of it, the latest first."""
        o = t.outbox.c
        latest = func.max(o.accepted_us)
        query = (
            select(o.person)
            .where(o.incident == incident, o.kind == "alert", o.accepted_us.is_not(None))
            .group_by(o.person)
            .order_by(latest.desc())
        )
        with self._desk.read() as connection:
            return list(connection.execute(query).scalars())

    # people

    def duty(self, territory: str | None, role: str | None, at: Instant) -> list[dict[str, Any]]:
        return self._views.duty(territory, role, at)

    def why(self, id_: str) -> dict[str, Any] | None:
        with self._desk.read() as connection:
            return why_.why(connection, self._configuration, id_)

    def why_person(self, person: str, at: Instant, sees: Callable[[str], bool]) -> dict[str, Any]:
        with self._desk.read() as connection:
            return why_person(connection, self._configuration, person, at, sees)

    def phones(self, sees: Callable[[str], bool]) -> list[ChannelText]:
        with self._desk.read() as connection:
            return self._views.phones(connection, sees)

    def texts(self, limit: int = 200) -> list[dict[str, Any]]:
        """The newest texts that went out, newest last, for the story's screen."""
        o = t.outbox.c
        query = (
            select(o.id, o.person, o.channel, o.text, o.accepted_us, o.state, o.incident)
            .where(o.text.is_not(None))
            .order_by(o.accepted_us.desc(), o.id)
            .limit(limit)
        )
        with self._desk.read() as connection:
            rows = connection.execute(query).all()
        people = self._configuration.people
        return [
            {
                "notification": row.id, "person": row.person, "channel": row.channel,
                "name": people[row.person].name if row.person in people else row.person,
                "text": row.text, "at": self._views.time(row.accepted_us), "state": row.state,
                "incident": row.incident,
            }
            for row in reversed(rows)
        ]  # fmt: skip

    # proof

    def audit_verify(self) -> list[str]:
        with self._desk.read() as connection:
            return verify(connection, broken_silences(connection))

    def audit_export(self, incident: str) -> list[dict[str, Any]] | None:
        with self._desk.read() as connection:
            entries = read_chain(connection, incident)
        shown = [
            {**msgspec.structs.asdict(each), "at": self._views.time(each.at_us)} for each in entries
        ]
        return shown or None

    def figures(self, now: Instant) -> NotifyFigures:
        with self._desk.read() as connection:
            return self._views.figures(connection, now, self.tick_slack_us)

    def silences(self, now: Instant) -> list[Silence]:
        with self._desk.read() as connection:
            return silencing.in_force(connection, now)

    def hid_by(self, silences: Sequence[Silence]) -> dict[str, list[Hid]]:
        with self._desk.read() as connection:
            return hid_by(connection, silences)
