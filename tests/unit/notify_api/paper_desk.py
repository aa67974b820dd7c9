"""A desk on paper: the queries of notify over incidents that a test writes down itself."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from services.notify.core.silence import Hid, Silence
from services.notify.port import ChannelText, NotifyFigures, ReceiptStatus, Refusal
from shared.model.configuration import Configuration
from shared.model.instants import Instant, instant_text
from shared.model.transition import Transition

DAY_US = 86_400_000_000


class PaperDesk:
    """Keeps incidents as the JSON they are shown as; knows people from the configuration."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.papers: dict[str, dict[str, Any]] = {}
        self.texts: list[ChannelText] = []
        self.receipts: list[tuple[str, str, str]] = []
        self.replies: list[tuple[str, str, str, str]] = []
        self.acks: list[tuple[str, str, str, str]] = []
        self.reasons: dict[str, dict[str, Any]] = {}
        self.broken: list[str] = []
        self.resolved_us: dict[str, int] = {}
        self.silent: dict[str, Silence] = {}
        self.hid: dict[str, list[Hid]] = {}
        self.now = Instant(0)

    def write(self, id_: str, facility: str, at: Instant, **more: Any) -> dict[str, Any]:
        known = self.configuration.facilities[facility]
        paper: dict[str, Any] = {
            "id": id_,
            "state": "open",
            "severity": "orange",
            "facility": facility,
            "territory": known.territory,
            "opened_at": self._text(at),
            "acknowledged_at": None,
            "acknowledged_by": None,
            "resolved_at": None,
            "step": 1,
            "next_step_at": self._text(Instant(at + 900_000_000)),
            "alerts": [],
            "timeline": [{"at": self._text(at), "kind": "opened", "person": None}],
        }
        self.papers[id_] = paper | more
        return self.papers[id_]

    def resolve(self, id_: str, at: Instant) -> None:
        self.papers[id_] |= {
            "state": "resolved", "resolved_at": self._text(at), "next_step_at": None,
        }  # fmt: skip
        self.resolved_us[id_] = at

    def silence(self, silence: Silence, channel: str = "api", access: str = "") -> Silence | None:
        return self.silent.setdefault(silence.id, silence)

    def end_silence(
        self, id_: str, person: str, channel: str = "api", access: str = ""
    ) -> Silence | None:
        over = replace(self.silent[id_], until_us=self.now, ended_by=person)
        self.silent[id_] = over
        return over

    def silences(self, now: Instant) -> list[Silence]:
        found = [each for each in self.silent.values() if each.until_us > now]
        return sorted(found, key=lambda each: each.until_us)

    def hid_by(self, silences: Sequence[Silence]) -> dict[str, list[Hid]]:
        return {each.id: self.hid.get(each.id, []) for each in silences}

    def _text(self, at: Instant) -> str:
        return instant_text(at, self.configuration.site.zone)

    def acknowledge(
        self, incident: str, person: str, channel: str, note: str, now: Instant
    ) -> dict[str, Any] | Refusal:
        paper = self.papers.get(incident)
        if paper is None:
            return Refusal("not-found", "no such incident")
        if paper["state"] == "resolved":
            return Refusal("resolved", f"incident {incident} has recovered")
        if person not in self.configuration.people:
            return Refusal("unknown-person", f"person {person!r} is not in people.yaml")
        self.acks.append((incident, person, channel, note))
        if paper["state"] == "open":
            paper |= {
                "state": "acknowledged", "acknowledged_at": self._text(now),
                "acknowledged_by": person, "next_step_at": None,
            }  # fmt: skip
            paper["timeline"].append(
                {
                    "at": self._text(now),
                    "kind": "acknowledged",
                    "person": person,
                    "channel": channel,
                }
            )
        return paper

    def reply(self, channel: str, from_: str, to: str, text: str, now: Instant) -> None:
        self.replies.append((channel, from_, to, text))

    def receipt(self, channel: str, notification: str, status: ReceiptStatus, now: Instant) -> None:
        self.receipts.append((channel, notification, status))

    def incidents(
        self, state: str | None, facility: str | None, sees: Callable[[str], bool]
    ) -> list[dict[str, Any]]:
        return [
            paper
            for paper in reversed(self.papers.values())
            if state in (None, paper["state"])
            and facility in (None, paper["facility"])
            and sees(paper["territory"])
        ]

    def incident(self, incident: str) -> dict[str, Any] | None:
        return self.papers.get(incident)

    def incident_territory(self, incident: str) -> str | None:
        paper = self.papers.get(incident)
        return paper["territory"] if paper else None

    def link_alive(self, incident: str, now: Instant) -> bool:
        resolved = self.resolved_us.get(incident)
        return incident in self.papers and (resolved is None or now < resolved + DAY_US)

    def told(self, incident: str) -> list[str]:
        return []

    def duty(self, territory: str | None, role: str | None, at: Instant) -> list[dict[str, Any]]:
        return [
            {"territory": roster.territory, "role": name, "person": people[0], "at": self._text(at)}
            for roster in self.configuration.rosters.values()
            for name, people in roster.fixed.items()
            if territory in (None, roster.territory) and role in (None, name)
        ]

    def why(self, id_: str) -> dict[str, Any] | None:
        return self.reasons.get(id_)

    def why_person(self, person: str, at: Instant, sees: Callable[[str], bool]) -> dict[str, Any]:
        return {"person": person, "at": self._text(at)}

    def phones(self, sees: Callable[[str], bool]) -> list[ChannelText]:
        people = self.configuration.people
        return [text for text in self.texts if sees(people[text.person].territory)]

    def audit_verify(self) -> list[str]:
        return self.broken

    def audit_export(self, incident: str) -> list[dict[str, Any]] | None:
        paper = self.papers.get(incident)
        return paper["timeline"] if paper else None

    def on_transitions(self, items: Sequence[tuple[int, Transition]], now: Instant) -> None:
        raise AssertionError("no transition reaches a desk on paper")

    def after_seq(self) -> int:
        return 0

    def tick(self, now: Instant, steady_us: int) -> None:
        raise AssertionError("a desk on paper has no timers")

    def next_due(self) -> Instant | None:
        return None

    def hand_over(self, incident: str, person: str, now: Instant) -> dict[str, Any] | Refusal:
        return Refusal("not-found", "a desk on paper hands nothing over")

    def set_configuration(self, configuration: Configuration) -> None:
        self.configuration = configuration

    def figures(self, now: Instant) -> NotifyFigures:
        return NotifyFigures(0.0, 0, {})
