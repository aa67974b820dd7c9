"""People, rosters, policies and channels: who is told, when and how."""

from datetime import date, time
from typing import Literal

import msgspec

from shared.model.instants import Instant
from shared.model.severity import Severity


class Contact(msgspec.Struct, frozen=True):
    """One way to reach a person. The address never leaves the sender (no log, metric, URL)."""

    id: str
    channel: str
    address: str


class Person(msgspec.Struct, frozen=True):
    id: str
    name: str
    title: str
    territory: str
    contacts: tuple[Contact, ...] = ()


class Rotation(msgspec.Struct, frozen=True):
    """From `first` at `handover` (site time), each person in turn for `every`."""

    people: tuple[str, ...]
    every_us: int
    handover: time
    first: date


class Override(msgspec.Struct, frozen=True):
    """`person` holds `role` from inclusive to exclusive, whatever the rotation says."""

    role: str
    person: str
    from_us: Instant
    to_us: Instant


class Roster(msgspec.Struct, frozen=True):
    """A role is held by a rotation (one at a time) or by fixed people (together)."""

    id: str
    territory: str
    rotations: dict[str, Rotation] = {}
    fixed: dict[str, tuple[str, ...]] = {}
    overrides: tuple[Override, ...] = ()


class Target(msgspec.Struct, frozen=True):
    """A role (climbing from the facility's territory, or one above it) or a person."""

    role: str | None = None
    person: str | None = None
    territory: str | None = None
    """None: the facility's own; "parent": start one above; else a code."""


class Repeat(msgspec.Struct, frozen=True):
    every_us: int
    times: int


class Step(msgspec.Struct, frozen=True):
    notify: tuple[Target, ...]
    by: tuple[str, ...]
    wait_us: int
    repeat: Repeat | None = None


class CatchAll(msgspec.Struct, frozen=True):
    notify: tuple[Target, ...]
    by: tuple[str, ...]
    every_us: int


class PolicyMatch(msgspec.Struct, frozen=True):
    """Empty means any; territory includes those below."""

    severity: tuple[Severity, ...] = ()
    kind: tuple[str, ...] = ()
    territory: tuple[str, ...] = ()
    rule: tuple[str, ...] = ()


class Flapping(msgspec.Struct, frozen=True):
    """From so many reopenings within so long it is one state, until nothing fires for `calm`."""

    reopenings: int
    within_us: int
    calm_us: int


class Policy(msgspec.Struct, frozen=True):
    id: str
    match: PolicyMatch | None
    steps: tuple[Step, ...]
    catch_all: CatchAll | None = None
    sign_off: str = "any"
    flapping: Flapping | None = None
    campaign: str | None = None
    """Of a campaign: it is asked for alerts from `from_us` inclusive to `to_us` exclusive."""
    from_us: Instant | None = None
    to_us: Instant | None = None

    def counts_at(self, at_us: int) -> bool:
        """Does it speak of what changed at this instant?"""
        return (self.from_us is None or self.from_us <= at_us) and (
            self.to_us is None or at_us < self.to_us
        )


class Budget(msgspec.Struct, frozen=True):
    """Messages of one channel to one person in one local day, with a reserve by severity."""

    per_day: int
    reserve: dict[Severity, int] = {}


class Channel(msgspec.Struct, frozen=True):
    """A way out. Fields that a kind does not use stay at their defaults."""

    id: str
    kind: Literal["kannel", "smtp", "local"]
    url: str = ""
    username: str = ""
    password: str = ""
    sender: str = ""
    signature: str = ""
    timeout_us: int = 5_000_000
    callbacks_from: tuple[str, ...] = ()
    budget: Budget | None = None
    host: str = ""
    port: int = 0
    tls: Literal["none", "starttls", "implicit"] = "none"
    ca_file: str = ""
    mail_from: str = ""
