"""The schema of the configuration directory: pydantic, strict, an unknown key is an error."""

from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from shared.config.nodes import WrittenInt
from shared.model.instants import Interval, parse_duration
from shared.model.severity import Severity


def _as_text(value: Any) -> Any:
    """An unquoted code such as 420100 is the text that was written."""
    return value.text if isinstance(value, WrittenInt) else value


def _duration(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError("give a duration such as 500ms, 2s, 5m, 4h or 1d")
    return parse_duration(value)


def _clock(value: Any) -> time:
    try:
        hours, minutes = str(value).split(":")
        return time(int(hours), int(minutes))
    except ValueError as error:
        raise ValueError("give a local time such as 08:00") from error


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError("give a date such as 2026-01-01") from error


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("give a number")
    return float(value)


def _severity(value: Any) -> Severity:
    try:
        return Severity(value)
    except ValueError as error:
        raise ValueError("give one of blue, yellow, orange, red") from error


_DURATION_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$"})
Id = Annotated[
    str, BeforeValidator(_as_text), Field(min_length=1, max_length=128, pattern=r"^[^\s/?#]+$")
]
Code = Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^[0-9]{6,12}$")]
Text = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=1000)]
Duration = Annotated[int, BeforeValidator(_duration), _DURATION_SCHEMA]
Clock = Annotated[time, BeforeValidator(_clock), WithJsonSchema({"type": "string"})]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Moment = Annotated[str, BeforeValidator(_as_text)]
Number = Annotated[
    float, BeforeValidator(_number), Field(allow_inf_nan=False), WithJsonSchema({"type": "number"})
]
Sides = Annotated[str, Field(pattern=r"^\s*(>=|<=|>|<)\s*[-+]?\d+(\.\d+)?([eE][-+]?\d+)?\s*$")]
"""One side test such as `>= 80`."""
Colour = Annotated[Severity, BeforeValidator(_severity)]
Kind = Literal[
    "medical_waste", "hospital_wastewater", "sewage_plant", "air_station",
    "surface_water", "water_source", "incinerator", "territory",
]  # fmt: skip


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True, frozen=True)


class SiteModel(Model):
    name: Text
    timezone: Text
    language: Literal["zh-CN", "en"] = "zh-CN"
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    secret_key: Annotated[str, BeforeValidator(_as_text), Field(min_length=32)]


class TimingModel(Model):
    tick: Duration = 1_000_000
    deaf_after: Duration = 30_000_000
    unknown_hold: Duration = 15_000_000
    reopen_within: Duration = 1_800_000_000
    min_step_gap: Duration = 1_000_000


class SiteFile(Model):
    version: Literal[1]
    site: SiteModel
    timing: TimingModel = TimingModel()


class TerritoryModel(Model):
    id: Code
    name: Text
    parent: Code | None = None


class TerritoriesFile(Model):
    territories: list[TerritoryModel] = []


class AccessModel(Model):
    id: Id
    kind: Literal["upstream", "officer", "operator"]
    token: Text
    facilities: list[Text] | None = None
    territory: Code | None = None


class AccessFile(Model):
    access: list[AccessModel] = []


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
    capacity: list[CapacityModel] = []
    note: str = ""


class CodeModel(Model):
    indicator: Id
    unit: Text


class Hj212Model(Model):
    mn: Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^[A-Za-z0-9_.\-]{1,40}$")]
    password: Annotated[str, BeforeValidator(_as_text)] = ""
    crc: Literal["hj212", "modbus", "any"] = "hj212"
    window_label: Literal["start", "end"] = "start"


class StationModel(Model):
    id: Id
    facility: Id
    point: Id | None = None
    hj212: Hj212Model | None = None
    codes: dict[str, CodeModel] = {}


class FacilitiesFile(Model):
    facilities: list[FacilityModel] = []
    stations: list[StationModel] = []


class ContactModel(Model):
    id: Id
    channel: Id
    address: Text


class PersonModel(Model):
    id: Id
    name: Text
    title: str = ""
    territory: Code
    contacts: list[ContactModel] = []


class PeopleFile(Model):
    people: list[PersonModel] = []


class RotationModel(Model):
    people: Annotated[list[Id], Field(min_length=1)]
    every: Annotated[Duration, Field(gt=0)]
    handover: Clock
    first: Day


class RoleModel(Model):
    rotation: RotationModel | None = None
    people: list[Id] | None = None

    @model_validator(mode="after")
    def _one(self) -> "RoleModel":
        if (self.rotation is None) == (self.people is None):
            raise ValueError("give either rotation or people")
        return self


class OverrideModel(Model):
    role: Id
    person: Id
    from_: Moment = Field(alias="from")
    to: Moment


class RosterModel(Model):
    id: Id
    territory: Code
    roles: dict[str, RoleModel] = {}
    overrides: list[OverrideModel] = []


class RostersFile(Model):
    rosters: list[RosterModel] = []


class TargetModel(Model):
    role: Id | None = None
    person: Id | None = None
    territory: Annotated[str | None, BeforeValidator(_as_text)] = None

    @model_validator(mode="after")
    def _one(self) -> "TargetModel":
        if (self.role is None) == (self.person is None):
            raise ValueError("give either role or person")
        if self.person is not None and self.territory is not None:
            raise ValueError("territory goes with role, not with person; delete it")
        return self


class RepeatModel(Model):
    every: Annotated[Duration, Field(gt=0)]
    times: Annotated[int, Field(ge=0, le=1000)]


class StepModel(Model):
    notify: Annotated[list[TargetModel], Field(min_length=1)]
    by: Annotated[list[Id], Field(min_length=1)]
    wait: Duration
    repeat: RepeatModel | None = None


class CatchAllModel(Model):
    notify: Annotated[list[TargetModel], Field(min_length=1)]
    by: Annotated[list[Id], Field(min_length=1)]
    every: Annotated[Duration, Field(gt=0)]


def _several(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class MatchModel(Model):
    severity: Annotated[list[Colour], BeforeValidator(_several)] = []
    kind: Annotated[list[Kind], BeforeValidator(_several)] = []
    territory: Annotated[list[Code], BeforeValidator(_several)] = []
    rule: Annotated[list[Id], BeforeValidator(_several)] = []


class PolicyModel(Model):
    id: Id
    match: MatchModel | None = None
    steps: list[StepModel] = []
    catch_all: CatchAllModel | None = None
    sign_off: Literal["any"] = "any"


class PoliciesFile(Model):
    policies: list[PolicyModel] = []


class BudgetModel(Model):
    per_day: Annotated[int, Field(ge=0)]
    reserve: dict[Colour, Annotated[int, Field(ge=0)]] = {}


class KannelModel(Model):
    id: Id
    kind: Literal["kannel"]
    url: Annotated[str, Field(pattern=r"^https?://\S+$")]
    username: Text
    password: Text
    sender: Text
    signature: Text
    timeout: Annotated[Duration, Field(gt=0)] = 5_000_000
    callbacks_from: list[Text] = ["127.0.0.1"]
    budget: BudgetModel | None = None


class SmtpModel(Model):
    id: Id
    kind: Literal["smtp"]
    host: Text
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    tls: Literal["none", "starttls", "implicit"] = "none"
    from_: Text = Field(alias="from")
    username: str = ""
    password: Annotated[str, BeforeValidator(_as_text)] = ""
    ca_file: str = ""
    timeout: Annotated[Duration, Field(gt=0)] = 10_000_000
    budget: BudgetModel | None = None


class LocalModel(Model):
    id: Id
    kind: Literal["local"]
    signature: Text = "预警"
    callbacks_from: list[Text] = ["127.0.0.1"]
    budget: BudgetModel | None = None


class ChannelsFile(Model):
    channels: list[
        Annotated[KannelModel | SmtpModel | LocalModel, Field(discriminator="kind")]
    ] = []


class TitleModel(Model):
    zh: Text
    en: Text | None = None


class ActionModel(Model):
    zh: Annotated[str, Field(min_length=1, max_length=12)]
    en: str | None = None


class AppliesModel(Model):
    kind: Kind | None = None
    territory: Code | None = None
    facility: Text | None = None
    point: Id | None = None
    attributes: dict[str, Annotated[str, BeforeValidator(_as_text)]] = {}


class ThresholdModel(Model):
    indicator: Id
    interval: Interval
    unit: Text | None = None


class RangeModel(Model):
    indicator: Id
    interval: Interval
    unit: Text | None = None
    low: Number
    high: Number
    deadband: Annotated[Number, Field(ge=0)] = 0.0


class RatioModel(Model):
    of: Annotated[list[Id], BeforeValidator(_several), Field(min_length=1)]
    over: Id
    interval: Interval
    unit: Literal["%", "1"] | None = None


class MissingModel(Model):
    indicator: Id
    interval: Interval
    due: Clock | None = None
    every: Annotated[Duration, Field(gt=0)] | None = None
    grace: Duration = 0


class ConditionModel(Model):
    threshold: ThresholdModel | None = None
    range: RangeModel | None = None
    ratio: RatioModel | None = None
    missing: MissingModel | None = None

    @model_validator(mode="after")
    def _one(self) -> "ConditionModel":
        if sum(c is not None for c in (self.threshold, self.range, self.ratio, self.missing)) != 1:
            raise ValueError("give exactly one of threshold, range, ratio, missing")
        return self


class LevelModel(Model):
    severity: Colour
    raise_: Sides | None = Field(None, alias="raise")
    clear: Sides | None = None


class BasisModel(Model):
    standard: Text
    edition: Text
    clause: Text
    valid_from: Moment
    valid_to: Moment | None = None
    status: Literal["verified", "product default"] = "product default"


class RuleModel(Model):
    id: Id
    title: TitleModel | None = None
    action: ActionModel | None = None
    applies: AppliesModel = AppliesModel()
    condition: ConditionModel
    levels: Annotated[list[LevelModel], Field(min_length=1, max_length=4)]
    for_: Duration | None = Field(None, alias="for")
    keep_firing_for: Duration | None = None
    unknown: Literal["hold", "alert"] | None = None
    basis: BasisModel


class RulesFile(Model):
    packs: list[Id] = []
    rules: list[RuleModel] = []


class PackIndicatorModel(Model):
    zh: Text
    unit: Text


class PackFile(Model):
    """A shipped pack: rules, and the indicators they name that are no HJ 212 codes."""

    title: TitleModel
    indicators: dict[str, PackIndicatorModel] = {}
    rules: list[RuleModel]


FILES: dict[str, type[Model]] = {
    "site": SiteFile,
    "territories": TerritoriesFile,
    "access": AccessFile,
    "facilities": FacilitiesFile,
    "people": PeopleFile,
    "rosters": RostersFile,
    "policies": PoliciesFile,
    "channels": ChannelsFile,
    "rules": RulesFile,
}
