"""The whole configuration as one value, and the part of it that rules are a function of."""

import hashlib
from collections.abc import Sequence
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from shared.model.facility import Facility, Station, Territory
from shared.model.inhibit import Inhibit
from shared.model.people import Channel, Person, Policy, Roster
from shared.model.rollup import Rollup, station_of
from shared.model.rule import Campaign, Rule
from shared.model.sheet import Sheet

BUNDLE_FORMAT = 2
"""2: rules of campaigns. A site without goes on writing 1, which the program before reads."""


class Site(msgspec.Struct, frozen=True):
    name: str
    timezone: str
    language: Literal["zh-CN", "en"]
    base_url: str
    secret_key: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Timing(msgspec.Struct, frozen=True):
    """All in microseconds of the program's clock."""

    tick_us: int = 1_000_000
    deaf_after_us: int = 30_000_000
    unknown_hold_us: int = 15_000_000
    reopen_within_us: int = 1_800_000_000
    min_step_gap_us: int = 1_000_000


class Access(msgspec.Struct, frozen=True):
    """Who may do what. `facilities` are patterns (upstream), `territory` a code (officer)."""

    id: str
    kind: Literal["upstream", "officer", "operator"]
    token: str
    facilities: tuple[str, ...] = ()
    territory: str | None = None


class Indicator(msgspec.Struct, frozen=True):
    """What is measured. `unit` is the one its readings have in the log; "1" has no dimension."""

    code: str
    zh: str
    unit: str


class Bundle(msgspec.Struct, frozen=True):
    """Everything the engine is a function of besides the log; named by its content."""

    format: int
    timezone: str
    deaf_after_us: int
    territories: tuple[Territory, ...]
    facilities: tuple[Facility, ...]
    stations: tuple[Station, ...]
    indicators: tuple[Indicator, ...]
    rules: tuple[Rule, ...]
    rollups: tuple[Rollup, ...] = ()


class Configuration(msgspec.Struct, frozen=True):
    """A checked configuration directory. Ids are unique, references resolve."""

    site: Site
    timing: Timing
    territories: dict[str, Territory]
    access: tuple[Access, ...]
    facilities: dict[str, Facility]
    stations: dict[str, Station]
    """Every facility has at least one: without one listed, a station with its own id."""
    people: dict[str, Person]
    rosters: dict[str, Roster]
    """By territory code."""
    policies: tuple[Policy, ...]
    channels: dict[str, Channel]
    rules: dict[str, Rule]
    indicators: dict[str, Indicator]
    flags: dict[str, dict[str, str]] = {}
    """By station: what the flags of its source mean, in those of HJ 212. Others mean themselves."""
    sheets: dict[str, Sheet] = {}
    history_keep_us: int | None = None
    """How far back a reading may amend the history of episodes; None: nothing is amended."""
    inhibits: tuple[Inhibit, ...] = ()
    rollups: tuple[Rollup, ...] = ()
    campaigns: dict[str, Campaign] = {}
    """Their editions stand among the rules, their policies before the others."""

    def base_of(self, rule: str) -> str | None:
        """The rule that an edition of a campaign stands for."""
        known = self.rules.get(rule)
        return known.base if known else None

    def rolled_stations(self) -> frozenset[str]:
        """Stations that only rules speaks for: those of territories that are rolled up."""
        return frozenset(
            station_of(node.territory, rollup.id)
            for rollup in self.rollups
            for node in rollup.nodes
        )

    def station_names(self, ids: Sequence[str]) -> tuple[str, ...]:
        """As people say them: the facility's short name; with the id where two would be one."""
        names = []
        for id_ in ids:
            station = self.stations.get(id_)
            facility = self.facilities.get(station.facility) if station else None
            names.append((facility.short_name or facility.name) if facility else id_)
        return tuple(
            f"{name} {id_}" if names.count(name) > 1 and name != id_ else name
            for name, id_ in zip(names, ids, strict=True)
        )

    def stations_of(self, facility: str) -> list[Station]:
        return [station for station in self.stations.values() if station.facility == facility]

    def bundle(self) -> Bundle:
        """The part that rules are a function of. HJ 212 passwords are not in it."""
        stations = tuple(
            Station(id=s.id, facility=s.facility, point=s.point) for s in self.stations.values()
        )
        return Bundle(
            format=BUNDLE_FORMAT if any(rule.campaign for rule in self.rules.values()) else 1,
            timezone=self.site.timezone,
            deaf_after_us=self.timing.deaf_after_us,
            territories=tuple(self.territories.values()),
            facilities=tuple(self.facilities.values()),
            stations=stations,
            indicators=tuple(self.indicators.values()),
            rules=tuple(self.rules.values()),
            rollups=self.rollups,
        )


def lineage(territory: str, territories: dict[str, Territory]) -> list[str]:
    """A territory and those above it, up to the root; unknown codes end the walk."""
    walk: list[str] = []
    current: str | None = territory
    while current is not None and current not in walk:
        walk.append(current)
        known = territories.get(current)
        current = known.parent if known else None
    return walk


def encode_bundle(bundle: Bundle) -> tuple[str, bytes]:
    """(name, bytes): the name is the hash of the bytes, so equal bundles are one."""
    body = msgspec.msgpack.encode(bundle)
    return hashlib.sha256(body).hexdigest()[:32], body


def decode_bundle(body: bytes) -> Bundle:
    bundle = msgspec.msgpack.decode(body, type=Bundle)
    if bundle.format > BUNDLE_FORMAT:
        raise ValueError(f"bundle has format {bundle.format}, this program knows {BUNDLE_FORMAT}")
    return bundle
