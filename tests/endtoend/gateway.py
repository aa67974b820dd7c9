"""The gateway of a simulated world: remembers everything it took, and loses answers at random."""

from random import Random

from services.notify.port import Accepted, Message, Outcome, Refused, Retry, Unknown


class Took:
    """One text that arrived at a phone."""

    def __init__(self, message: Message, at_us: int) -> None:
        facts = message.facts
        self.notification, self.incident, self.person = (
            message.notification, facts.incident, facts.person,
        )  # fmt: skip
        self.kind, self.marked, self.at_us = facts.kind, facts.resend, at_us
        self.severity = facts.severity
        self.contact = message.contact


class Crash(BaseException):
    """The process ends here."""


class Gateway:
    """One channel. `trouble` is the share of messages that meet something else than success."""

    def __init__(self, random: Random, now: "list[int]", trouble: float) -> None:
        self.random, self.now, self.trouble = random, now, trouble
        self.took: list[Took] = []
        self.crash_rate = 0.0

    @classmethod
    def like(cls, other: "Gateway") -> "Gateway":
        """The same gateway with another behaviour."""
        return cls(other.random, other.now, other.trouble)

    def send(self, message: Message) -> Outcome:
        if self.random.random() < self.crash_rate / 2:
            raise Crash  # before anything was written
        fate = self.random.random()
        if fate < self.trouble * 0.3:
            return Retry("busy")
        if fate < self.trouble * 0.4:
            return Refused("no")
        self.took.append(Took(message, self.now[0]))
        if self.random.random() < self.crash_rate:
            raise Crash  # taken, and the answer never recorded
        if fate < self.trouble * 0.7:
            return Unknown("the answer was lost")
        return Accepted()
