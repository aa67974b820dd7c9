"""The schema of territories.yaml and facilities.yaml."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from shared.config.scalars import Code, Day, Id, Number, Optional, Text
from shared.config.schema.base import Items, Model

Kind = Literal[
    "medical_waste", "hospital_wastewater", "sewage_plant", "air_station",
    "surface_water", "water_source", "incinerator", "territory",
]  # fmt: skip


LONGEST_FLAG = 8
"""Characters of a flag as it is sent; longer ones are refused where they arrive."""


def _digits_are_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


FlagSent = Annotated[
    str, BeforeValidator(_digits_are_text), Field(min_length=1, max_length=LONGEST_FLAG)
]


class TerritoryModel(Model):
    id: Code
    name: Text
    parent: Code | None = None


class TerritoriesFile(Model):
    territories: Annotated[list[TerritoryModel], Items] = []


class CapacityModel(Model):
    from_: Day = Field(alias="from")
    t_per_day: Annotated[Number, Field(ge=0)]


class FacilityModel(Model):
    id: Id
    name: Text
    short_name: Text | None = None
    territory: Code
    kind: Kind
    attributes: dict[str, Text] = {}
    capacity: Annotated[list[CapacityModel], Items] = []
    note: Optional = ""


class CodeModel(Model):
    indicator: Id
    unit: Text | None = None


class Hj212Model(Model):
    mn: Annotated[Text, Field(max_length=64, pattern=r"^[^\s;=&#,]+$")]
    password: Optional = ""
    crc: Literal["hj212", "modbus", "any"] = "hj212"
    window_label: Literal["start", "end"] = "start"


Flag = Literal["N", "T", "D", "B", "F", "M", "C", "S"]


class FlagsModel(Model):
    """What the quality flags of one kind of source mean, in those of HJ 212."""

    id: Id
    meanings: Annotated[dict[FlagSent, Flag], Field(min_length=1)]


class StationModel(Model):
    id: Id
    facility: Id
    point: Id | None = None
    hj212: Hj212Model | None = None
    codes: dict[str, CodeModel] = {}
    flags: Id | None = None


class FacilitiesFile(Model):
    flags: Annotated[list[FlagsModel], Items] = []
    facilities: Annotated[list[FacilityModel], Items] = []
    stations: Annotated[list[StationModel], Items] = []
