"""Territories, facilities and stations: what is watched, and where."""

from datetime import date
from typing import Literal

import msgspec

NATION = "000000"

FacilityKind = Literal[
    "medical_waste", "hospital_wastewater", "sewage_plant", "air_station",
    "surface_water", "water_source", "incinerator", "territory",
]  # fmt: skip


class Territory(msgspec.Struct, frozen=True):
    """An administrative division; `parent` is None only for the root 000000."""

    id: str
    name: str
    parent: str | None


class Capacity(msgspec.Struct, frozen=True):
    """Tonnes a day from a local day on, until the next."""

    since: date
    t_per_day: float


class Facility(msgspec.Struct, frozen=True):
    id: str
    name: str
    short_name: str
    territory: str
    kind: FacilityKind
    attributes: dict[str, str] = {}
    capacity: tuple[Capacity, ...] = ()
    note: str = ""


class CodeMeaning(msgspec.Struct, frozen=True):
    """What an HJ 212 code of one station means."""

    indicator: str
    unit: str


class Hj212Access(msgspec.Struct, frozen=True):
    """How a station speaks HJ 212. An empty password means: any is accepted."""

    mn: str
    password: str = ""
    crc: Literal["hj212", "modbus", "any"] = "hj212"
    window_label: Literal["start", "end"] = "start"


class Station(msgspec.Struct, frozen=True):
    id: str
    facility: str
    point: str | None = None
    hj212: Hj212Access | None = None
    codes: dict[str, CodeMeaning] = {}
