"""The interim machine behind the port that pages and callbacks use."""

from collections.abc import Callable, Sequence
from typing import Any

from services.notify import port
from services.notify.interim import desk as rows
from services.notify.interim import views
from services.notify.interim.machine import Notify
from services.notify.interim.replies import on_reply
from shared.model.configuration import Configuration
from shared.model.instants import Instant, parse_instant
from shared.model.transition import Transition

BITS = {"delivered": 1, "failed": 2, "refused": 16, "under_way": 8}


class Adapter:
    """Implements services.notify.port.NotifyPort."""

    def __init__(self, notify: Notify) -> None:
        self._n = notify

    def on_transitions(self, items: Sequence[tuple[int, Transition]], now: Instant) -> None:
        self._n.on_transitions(items, now)

    def after_seq(self) -> int:
        return self._n.after_seq()

    def tick(self, now: Instant, steady_us: int) -> None:
        self._n.tick(now, steady_us)

    def next_due(self) -> Instant | None:
        return None

    def acknowledge(
        self, incident: str, person: str, channel: str, note: str, now: Instant
    ) -> dict[str, Any] | port.Refusal:
        match self._n.acknowledge(incident, person, channel, note, now):
            case "unknown-incident":
                return port.Refusal("not-found", "there is no incident of this id")
            case "unknown-person":
                return port.Refusal("unknown-person", f"person {person!r} is not configured")
            case "resolved":
                return port.Refusal("resolved", "the incident is resolved already")
        found = self.incident(incident)
        assert found is not None
        return found

    def hand_over(self, incident: str, person: str, now: Instant) -> dict[str, Any] | port.Refusal:
        with self._n.desk.begin() as c:
            found = rows.get_incident(c, incident)
            if found is None:
                return port.Refusal("not-found", "there is no incident of this id")
            self._n.hand_over(c, found, person, "api", now)
        shown = self.incident(incident)
        assert shown is not None
        return shown

    def reply(self, channel: str, from_: str, to: str, text: str, now: Instant) -> None:
        on_reply(self._n, channel, from_, text, now)

    def receipt(
        self, channel: str, notification: str, status: port.ReceiptStatus, now: Instant
    ) -> None:
        self._n.receipt(channel, notification, BITS[status], now)

    def set_configuration(self, configuration: Configuration) -> None:
        self._n.set_configuration(configuration)

    def incidents(
        self, state: str | None, facility: str | None, sees: Callable[[str], bool]
    ) -> list[dict[str, Any]]:
        return views.incidents(self._n, state, facility, sees)

    def incident(self, incident: str) -> dict[str, Any] | None:
        return views.incident(self._n, incident, lambda _: True)

    def incident_territory(self, incident: str) -> str | None:
        found = self.incident(incident)
        return None if found is None else str(found["territory"])

    def link_alive(self, incident: str, now: Instant) -> bool:
        return views.link_state(self._n, incident, now) is not None

    def told(self, incident: str) -> list[str]:
        found = self.incident(incident)
        told: list[str] = []
        for entry in reversed(found["timeline"] if found else []):
            if entry["kind"] in ("accepted", "delivered") and entry["person"] not in told:
                told.append(entry["person"])
        return told

    def duty(self, territory: str | None, role: str | None, at: Instant) -> list[dict[str, Any]]:
        return self._n.duty(territory, role, at)

    def why(self, id_: str) -> dict[str, Any] | None:
        return None

    def phones(self, sees: Callable[[str], bool]) -> list[port.ChannelText]:
        latest: dict[tuple[str, str], port.ChannelText] = {}
        for text in views.phones(self._n):
            latest[(text["person"], text["channel"])] = port.ChannelText(
                text["person"], text["name"], text["channel"],
                parse_instant(text["at"], self._n.zone), text["incident"], text["notification"],
                text["text"],
            )  # fmt: skip
        return list(latest.values())

    def audit_verify(self) -> list[str]:
        return views.audit_verify(self._n)[1]

    def audit_export(self, incident: str) -> list[dict[str, Any]] | None:
        return views.audit_export(self._n, incident) or None

    def figures(self, now: Instant) -> port.NotifyFigures:
        return port.NotifyFigures(0.0, 0, {})
