"""House: a whole notify on a virtual clock, with phones that remember what they were sent.

    house.fire("cod", "orange")
    house.phone("li").expect("COD")
    house.fast_forward("15m")
    house.phone("chen").expect("COD")
    house.no_other_messages()

Nothing sleeps and nothing is patched: the desk is SQLite in memory, the ways out write down.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

from msgspec.structs import replace

from services.notify.core.reply import decide
from services.notify.desk.desk import Desk
from services.notify.desk.unit import FaultPoint
from services.notify.machine import Notify
from services.notify.port import Accepted, Message, Outcome, Refusal
from services.notify.sender import Sender
from services.notify.wording.sms import sms_text
from shared.clock import VirtualClock
from shared.model.configuration import Configuration, Indicator, Site, Timing
from shared.model.facility import Facility, Station, Territory
from shared.model.instants import Instant, from_datetime, parse_duration
from shared.model.people import (
    Budget,
    CatchAll,
    Channel,
    Contact,
    Person,
    Policy,
    PolicyMatch,
    Repeat,
    Roster,
    Rotation,
    Step,
    Target,
)
from shared.model.rule import Applies, Basis, Comparison, Level, Rule, Threshold
from shared.model.severity import Severity
from shared.model.transition import Transition

START = from_datetime(datetime(2026, 2, 3, 4, 0, tzinfo=UTC))
"""Noon in Shanghai."""
RULES = {"cod": "化学需氧量", "ammonia": "氨氮", "load": "处置负荷"}


class Sent:
    def __init__(self, message: Message, text: str, at_us: int) -> None:
        self.message, self.text, self.at_us = message, text, at_us
        self.is_expected = False


class Wire:
    """Everything that reached a provider, in order. Verified by the contract suite of channels."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.sent: list[Sent] = []
        self.fates: dict[str, Callable[[Message], Outcome]] = {}
        """By channel: what becomes of a message; else it is accepted."""
        self.on_send: Callable[[Message], None] | None = None

    def send(self, message: Message) -> Outcome:
        text = message.plain or sms_text(message.facts, "预警")
        fate = self.fates.get(message.channel)
        outcome = fate(message) if fate else Accepted("ref", text)
        arrived = isinstance(outcome, Accepted) or getattr(outcome, "reason", "") == "arrived"
        if arrived:
            self.sent.append(Sent(message, text, self.clock.now()))
        if self.on_send is not None:
            self.on_send(message)
        return outcome


class Phone:
    def __init__(self, house: "House", person: str, channel: str) -> None:
        self._house, self._person, self._channel = house, person, channel

    def all(self) -> list[Sent]:
        return [
            each
            for each in self._house.wire.sent
            if (each.message.person, each.message.channel) == (self._person, self._channel)
        ]

    def expect(self, *parts: str) -> Sent:
        """The oldest text not yet looked at holds these words."""
        for each in self.all():
            if not each.is_expected:
                each.is_expected = True
                for part in parts:
                    assert part in each.text, f"{part!r} is not in {each.text!r}"
                return each
        raise AssertionError(f"{self._person} got nothing more by {self._channel}")

    def expect_nothing(self) -> None:
        left = [each.text for each in self.all() if not each.is_expected]
        assert left == []

    def reply(self, text: str) -> None:
        address = next(
            contact.address
            for contact in self._house.configuration.people[self._person].contacts
            if contact.channel == self._channel
        )
        self._house.notify.reply(self._channel, address, "1069", text, self._house.now)


def person(id_: str, number: int, *channels: str) -> Person:
    contacts = tuple(
        Contact(
            f"{id_}-{channel}",
            channel,
            f"1390000{number:04}" if channel != "mail" else f"{id_}@example.org",
        )
        for channel in channels or ("sms", "mail")
    )
    return Person(id_, f"{id_}名", "值班员", "420100", contacts)


def rule(
    id_: str, title: str, severities: tuple[str, ...] = ("blue", "yellow", "orange", "red")
) -> Rule:
    levels = tuple(
        Level(Severity(name), Comparison(">=", 50.0 + 10 * n, f">= {50 + 10 * n}"))
        for n, name in enumerate(severities)
    )
    basis = Basis("GB 18466-2005", "2005", "table 1", Instant(0))
    return Rule(
        id_,
        title,
        id_,
        None,
        None,
        Applies(),
        Threshold("w01018", "hour"),
        levels,
        0,
        0,
        "hold",
        basis,
    )


def step(
    *roles: str,
    by: tuple[str, ...] = ("sms",),
    wait: str = "15m",
    repeat: Repeat | None = None,
    **target: Any,
) -> Step:
    targets = tuple(Target(role=role, **target) for role in roles)
    return Step(targets, by, parse_duration(wait), repeat)


DEFAULT_POLICY = Policy(
    "default",
    PolicyMatch(severity=(Severity.YELLOW, Severity.ORANGE, Severity.RED)),
    (
        step("duty_officer", repeat=Repeat(parse_duration("5m"), 2)),
        step("shift_leader", by=("sms", "mail")),
        step("duty_officer", territory="parent"),
    ),
    CatchAll((Target(person="chief"),), ("mail",), parse_duration("1h")),
)
REST = Policy("rest", None, ())


def configuration(**changed: Any) -> Configuration:
    """A small province; any field of Configuration may be given anew."""
    territories = {
        "000000": Territory("000000", "全国", None),
        "420000": Territory("420000", "湖北省", "000000"),
        "420100": Territory("420100", "武汉市", "420000"),
        "429004": Territory("429004", "仙桃市", "420000"),
    }
    facilities = {
        f"{code}-f{n}": Facility(
            f"{code}-f{n}", f"示例设施{code}{n}", f"设施{code[:4]}{n}", code, "hospital_wastewater"
        )
        for code in ("420100", "429004")
        for n in range(1, 6)
    }
    people = {
        each.id: each
        for each in (
            person("li", 1, "sms", "mail", "screen"), person("zhang", 2), person("chen", 3),
            person("wu", 4), person("chief", 5, "mail"),
        )
    }  # fmt: skip
    rotation = Rotation(("li", "zhang"), parse_duration("1d"), time(8, 0), date(2026, 2, 3))
    rosters = {
        "420100": Roster(
            "wuhan", "420100", {"duty_officer": rotation}, {"shift_leader": ("chen",)}
        ),
        "420000": Roster("hubei", "420000", {}, {"duty_officer": ("wu",)}),
    }
    base = Configuration(
        site=Site("湖北示例", "Asia/Shanghai", "zh-CN", "http://127.0.0.1:1", "s" * 32),
        timing=Timing(),
        territories=territories,
        access=(),
        facilities=facilities,
        stations={f"{f}-a": Station(f"{f}-a", f) for f in facilities},
        people=people,
        rosters=rosters,
        policies=(DEFAULT_POLICY, REST),
        channels={
            "sms": Channel("sms", "kannel", signature="预警"),
            "mail": Channel("mail", "smtp"),
            "screen": Channel("screen", "local"),
        },
        rules={id_: rule(id_, title) for id_, title in RULES.items()},
        indicators={"w01018": Indicator("w01018", "化学需氧量", "mg/L")},
    )
    return replace(base, **changed)


class MemoryCounts:
    def __init__(self) -> None:
        self.notifications: dict[tuple[str, str], int] = {}
        self.strangers = self.orphans = self.broken = 0

    def notification(self, channel: str, outcome: str) -> None:
        key = (channel, outcome)
        self.notifications[key] = self.notifications.get(key, 0) + 1

    def report_to_gateway(self, seconds: float) -> None:
        assert seconds >= 0

    def reply_from_nobody(self, channel: str) -> None:
        self.strangers += 1

    def orphan(self) -> None:
        self.orphans += 1

    def wording_failed(self, channel: str) -> None:
        self.broken += 1


class House:
    def __init__(self, configured: Configuration | None = None, desk: Desk | None = None) -> None:
        self.configuration = configured or configuration()
        self.clock = VirtualClock(START)
        self.desk = desk or Desk.in_memory()
        self.wire = Wire(self.clock)
        self.counts = MemoryCounts()
        self.seq = 0
        self._steps: dict[tuple[str, str, str], tuple[int, Instant]] = {}
        self._start()

    def _start(self) -> None:
        self.notify = Notify(
            self.desk, self.configuration, self.clock, read_reply=decide,
            link=lambda incident, who: f"http://127.0.0.1:1/a/{incident}.{who}", counts=self.counts,
        )  # fmt: skip
        self.sender = Sender(
            self.notify, dict.fromkeys(self.configuration.channels, self.wire), self.clock
        )
        self.notify.recover_claims(self.clock.now())

    def restart(self, fault: Callable[[FaultPoint], None] | None = None) -> None:
        """As after kill -9: nothing is left but the desk."""
        self.desk = self.desk.reopened(fault) if fault else self.desk.reopened()
        self._start()

    @property
    def now(self) -> Instant:
        return self.clock.now()

    def transition(
        self, rule_id: str, state: str, severity: str, facility: str = "420100-f1",
        cause: str = "raised", value: float | None = 66.0,
    ) -> tuple[int, Transition]:  # fmt: skip
        key = (facility, rule_id, "w01018")
        number, episode = self._steps.get(key, (0, self.now))
        if number == 0:
            episode = self.now
        number += 1
        ends = state in ("resolved", "withdrawn")
        self._steps[key] = (0, self.now) if ends else (number, episode)
        self.seq += 1
        return self.seq, Transition(
            rule=rule_id, facility=facility, station=f"{facility}-a", indicator="w01018",
            interval="hour", episode_us=Instant(episode + self.seq if number == 1 else episode),
            step=number, state=state, severity=Severity(severity), cause=cause,  # type: ignore[arg-type]
            at_us=self.now, value=value, limit=">= 60", unit="mg/L", standard="GB 18466-2005",
            edition="2005", clause="table 1", report_id=f"report-{self.seq}", received_us=self.now,
        )  # fmt: skip

    def send(self) -> None:
        while self.sender.drain():
            pass

    def take(self, *items: tuple[int, Transition]) -> None:
        self.notify.on_transitions(list(items), self.now)
        self.send()

    def fire(
        self,
        rule_id: str = "cod",
        severity: str = "orange",
        facility: str = "420100-f1",
        **more: Any,
    ) -> None:
        self.take(self.transition(rule_id, "firing", severity, facility, **more))

    def clear(
        self, rule_id: str = "cod", severity: str = "orange", facility: str = "420100-f1"
    ) -> None:
        self.take(self.transition(rule_id, "resolved", severity, facility, "cleared", 40.0))

    def tick(self) -> None:
        self.notify.tick(self.clock.now(), self.clock.steady_us())
        self.send()

    def fast_forward(self, duration: str) -> None:
        """Let time pass, stopping at every instant at which something is due."""
        end = self.clock.now() + parse_duration(duration)
        while self.clock.now() < end:
            due = self.notify.next_due()
            soonest = self.clock.now() + 250_000
            at = end if due is None else min(max(due, soonest), end)
            self.clock.advance(at - self.clock.now())
            self.tick()

    def phone(self, who: str, channel: str = "sms") -> Phone:
        return Phone(self, who, channel)

    def no_other_messages(self) -> None:
        left = [
            (s.message.person, s.message.channel, s.text)
            for s in self.wire.sent
            if not s.is_expected
        ]
        assert left == []

    def incident(self, facility: str = "420100-f1") -> dict[str, Any]:
        found = self.notify.incidents(None, facility, lambda _: True)
        assert found, f"no incident at {facility}"
        return found[0]

    def kinds(self, facility: str = "420100-f1") -> list[str]:
        return [entry["kind"] for entry in self.incident(facility)["timeline"]]

    def acknowledge(self, who: str = "li", facility: str = "420100-f1") -> dict[str, Any] | Refusal:
        return self.notify.acknowledge(self.incident(facility)["id"], who, "api", "", self.now)


def with_budget(per_day: int, reserve: dict[str, int]) -> dict[str, Channel]:
    budget = Budget(per_day, {Severity(name): n for name, n in reserve.items()})
    return {
        "sms": Channel("sms", "kannel", signature="预警", budget=budget),
        "mail": Channel("mail", "smtp"),
        "screen": Channel("screen", "local"),
    }
