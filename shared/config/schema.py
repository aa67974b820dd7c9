"""The schema of the configuration directory: pydantic, strict, an unknown key is an error.

What a single value may look like stands in `scalars`; what values mean together in `assemble`.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from shared.config.scalars import (
    Clock,
    Code,
    Colour,
    Day,
    Duration,
    Id,
    Link,
    Moment,
    Number,
    Optional,
    Sides,
    Span,
    Text,
    Whole,
)
from shared.config.schema_timed import (
    ComplianceModel,
    DisciplineModel,
    FlaggedModel,
    TimeToClearModel,
    TimeToLimitModel,
)
from shared.model.instants import Interval

Kind = Literal[
    "medical_waste", "hospital_wastewater", "sewage_plant", "air_station",
    "surface_water", "water_source", "incinerator", "territory",
]  # fmt: skip


LONGEST_FLAG = 8
"""Characters of a flag as it is sent; longer ones are refused where they arrive."""
VERSION = 1
"""Of the configuration format: what `version` in site.yaml says."""


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _several(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _none_is_empty(value: Any) -> Any:
    """`rules:` with nothing behind it is a list without items."""
    return [] if value is None else value


Items = BeforeValidator(_none_is_empty)
OneOrMore = BeforeValidator(_several)


def _digits_are_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


FlagSent = Annotated[
    str, BeforeValidator(_digits_are_text), Field(min_length=1, max_length=LONGEST_FLAG)
]


class SiteModel(Model):
    name: Text
    timezone: Text
    language: Literal["zh-CN", "en"] = "zh-CN"
    base_url: Link
    secret_key: Annotated[Text, Field(min_length=32)]


class TimingModel(Model):
    tick: Span = 1_000_000
    deaf_after: Duration = 30_000_000
    unknown_hold: Duration = 15_000_000
    reopen_within: Duration = 1_800_000_000
    min_step_gap: Duration = 1_000_000


def _known_version(value: Any) -> Any:
    if isinstance(value, int) and value > VERSION:
        raise ValueError(
            f"this configuration is newer than the program, which knows version {VERSION}; "
            "use a newer program"
        )
    return value


class HistoryModel(Model):
    """How long a reading may still come late, be corrected or be withdrawn."""

    keep: Span


class SiteFile(Model):
    version: Annotated[Whole, BeforeValidator(_known_version), Field(ge=VERSION, le=VERSION)]
    site: SiteModel
    timing: TimingModel = TimingModel()
    history: HistoryModel | None = None


class TerritoryModel(Model):
    id: Code
    name: Text
    parent: Code | None = None


class TerritoriesFile(Model):
    territories: Annotated[list[TerritoryModel], Items] = []


class AccessModel(Model):
    id: Id
    kind: Literal["upstream", "officer", "operator"]
    token: Text
    facilities: Annotated[list[Text], OneOrMore] | None = None
    territory: Code | None = None


class AccessFile(Model):
    access: Annotated[list[AccessModel], Items] = []


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


class ContactModel(Model):
    id: Id
    channel: Id
    address: Text


class PersonModel(Model):
    id: Id
    name: Text
    title: Optional = ""
    territory: Code
    contacts: Annotated[list[ContactModel], Items] = []


class PeopleFile(Model):
    people: Annotated[list[PersonModel], Items] = []


class RotationModel(Model):
    people: Annotated[list[Id], Field(min_length=1)]
    every: Span
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
    overrides: Annotated[list[OverrideModel], Items] = []


class RostersFile(Model):
    rosters: Annotated[list[RosterModel], Items] = []


class TargetModel(Model):
    role: Id | None = None
    person: Id | None = None
    territory: Id | None = None

    @model_validator(mode="after")
    def _one(self) -> "TargetModel":
        if (self.role is None) == (self.person is None):
            raise ValueError("give either role or person")
        if self.person is not None and self.territory is not None:
            raise ValueError("territory goes with role, not with person; delete it")
        return self


class RepeatModel(Model):
    every: Span
    times: Annotated[Whole, Field(ge=0, le=1000)]


class StepModel(Model):
    notify: Annotated[list[TargetModel], Field(min_length=1)]
    by: Annotated[list[Id], Field(min_length=1)]
    wait: Duration
    repeat: RepeatModel | None = None


class CatchAllModel(Model):
    notify: Annotated[list[TargetModel], Field(min_length=1)]
    by: Annotated[list[Id], Field(min_length=1)]
    every: Span


class MatchModel(Model):
    severity: Annotated[list[Colour], OneOrMore] = []
    kind: Annotated[list[Kind], OneOrMore] = []
    territory: Annotated[list[Code], OneOrMore] = []
    rule: Annotated[list[Id], OneOrMore] = []


class FlappingModel(Model):
    reopenings: Annotated[Whole, Field(ge=1, le=100)]
    within: Span
    calm: Span


class PolicyModel(Model):
    id: Id
    match: MatchModel | None = None
    steps: list[StepModel] = []
    catch_all: CatchAllModel | None = None
    sign_off: Literal["any"] = "any"
    flapping: FlappingModel | None = None


class InhibitSourceModel(Model):
    rule: Annotated[list[Id], OneOrMore, Field(min_length=1)]


class InhibitTargetModel(Model):
    rule: Annotated[list[Id], OneOrMore] = []
    condition: Annotated[list[Id], OneOrMore] = []

    @model_validator(mode="after")
    def _any(self) -> "InhibitTargetModel":
        if not self.rule and not self.condition:
            raise ValueError("give rule, condition or both")
        return self


class InhibitModel(Model):
    id: Id
    source: InhibitSourceModel
    target: InhibitTargetModel
    equal: Literal["facility", "station"] = "facility"


class PoliciesFile(Model):
    policies: Annotated[list[PolicyModel], Items] = []
    inhibits: Annotated[list[InhibitModel], Items] = []


class BudgetModel(Model):
    per_day: Annotated[Whole, Field(ge=0)]
    reserve: dict[Colour, Annotated[Whole, Field(ge=0)]] = {}


class KannelModel(Model):
    id: Id
    kind: Literal["kannel"]
    url: Link
    username: Text
    password: Text
    sender: Text
    signature: Text
    timeout: Span = 5_000_000
    callbacks_from: Annotated[list[Text], OneOrMore] = ["127.0.0.1"]
    budget: BudgetModel | None = None


class SmtpModel(Model):
    id: Id
    kind: Literal["smtp"]
    host: Text
    port: Annotated[Whole, Field(ge=1, le=65535)] = 25
    tls: Literal["none", "starttls", "implicit"] = "none"
    from_: Text = Field(alias="from")
    username: Optional = ""
    password: Optional = ""
    ca_file: Optional = ""
    timeout: Span = 10_000_000
    budget: BudgetModel | None = None


class LocalModel(Model):
    id: Id
    kind: Literal["local"]
    signature: Text = "预警"
    callbacks_from: Annotated[list[Text], OneOrMore] = ["127.0.0.1"]
    budget: BudgetModel | None = None


class ChannelsFile(Model):
    channels: Annotated[
        list[Annotated[KannelModel | SmtpModel | LocalModel, Field(discriminator="kind")]], Items
    ] = []


class TitleModel(Model):
    zh: Text
    en: Text | None = None


class ActionModel(Model):
    zh: Annotated[Text, Field(max_length=12)]
    en: Text | None = None


class AppliesModel(Model):
    kind: Kind | None = None
    territory: Code | None = None
    facility: Text | None = None
    point: Id | None = None
    attributes: dict[str, Text] = {}


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
    of: Annotated[list[Id], OneOrMore, Field(min_length=1)]
    over: Id
    interval: Interval
    unit: Literal["%", "1"] | None = None


class IndexModel(Model):
    table: Literal["hj633-2012-hour", "hj633-2012-day", "hj633-2026-hour", "hj633-2026-day"]
    interval: Literal["hour", "day"]
    of: Annotated[list[Id], OneOrMore, Field(min_length=1)] | None = None


class LimitModel(Model):
    when: Sides
    limit: Annotated[Number, Field(gt=0)]


class LimitedModel(Model):
    indicator: Id
    interval: Interval
    unit: Text | None = None
    by: Id
    limits: Annotated[list[LimitModel], Field(min_length=1, max_length=8)]


class MissingModel(Model):
    indicator: Id
    interval: Interval
    due: Clock | None = None
    every: Span | None = None
    grace: Duration = 0


class AverageModel(Model):
    indicator: Id
    interval: Interval
    unit: Text | None = None
    over: Literal["5m", "1h", "3h", "8h", "24h", "day"]
    every: Span | None = None
    complete: Annotated[Number, Field(gt=0, le=1)] = 0.75
    grace: Duration | None = None


class RateModel(Model):
    indicator: Id
    interval: Interval
    unit: Text | None = None
    per: Annotated[Text, Field(pattern=r"^\d+(\.\d+)?(ms|s|m|h|d)$")] = "1h"
    max_gap: Span | None = None


class JumpModel(Model):
    indicator: Id
    interval: Interval
    unit: Text | None = None
    max_gap: Span | None = None
    memory: Span | None = None


class FlatlineModel(Model):
    indicator: Id
    interval: Interval
    unit: Text | None = None
    within: Annotated[Number, Field(ge=0)] = 0.0
    over: Span | None = None
    shown_in: Literal["min", "h"] = "h"
    max_gap: Span | None = None


class CountModel(Model):
    indicator: Id
    interval: Interval
    unit: Text | None = None
    of: Sides
    within: Annotated[Whole, Field(ge=2, le=60)]


class DeviationModel(Model):
    indicator: Id
    interval: Interval
    over: Literal["reading", "1h", "3h"] = "3h"
    season: Literal["none", "day", "week", "auto"] = "auto"
    memory: Span = 21 * 86_400_000_000
    side: Literal["both", "high", "low"] = "both"


class DriftModel(Model):
    indicator: Id
    interval: Interval
    memory: Span = 42 * 86_400_000_000
    side: Literal["both", "high", "low"] = "both"


class AcrossModel(Model):
    indicator: Id
    interval: Interval
    unit: Text | None = None
    of: Literal["sum", "mean", "max", "min", "share", "count"]
    than: Sides | None = None
    complete: Annotated[Number, Field(gt=0, le=100_000)] = 0.75
    grace: Duration | None = None


class BalanceModel(Model):
    in_: Annotated[list[Id], OneOrMore, Field(min_length=1, alias="in")]
    out: Annotated[list[Id], OneOrMore, Field(min_length=1)]
    interval: Interval
    unit: Literal["%", "1"] | None = None
    grace: Duration | None = None


class CompositeModel(Model):
    any: Annotated[list[Id], Field(min_length=1)] | None = None
    all: Annotated[list[Id], Field(min_length=1)] | None = None
    at_least: Annotated[Whole, Field(ge=1)] | None = None
    rules: Annotated[list[Id], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one(self) -> "CompositeModel":
        if sum(names is not None for names in (self.any, self.all, self.rules)) != 1:
            raise ValueError("give exactly one of any, all, rules")
        if self.at_least is not None and self.rules is None:
            raise ValueError("at_least goes with rules; give rules instead of any or all")
        return self


class ConditionModel(Model):
    threshold: ThresholdModel | None = None
    range: RangeModel | None = None
    ratio: RatioModel | None = None
    missing: MissingModel | None = None
    average: AverageModel | None = None
    rate: RateModel | None = None
    jump: JumpModel | None = None
    flatline: FlatlineModel | None = None
    count: CountModel | None = None
    deviation: DeviationModel | None = None
    drift: DriftModel | None = None
    time_to_limit: TimeToLimitModel | None = None
    time_to_clear: TimeToClearModel | None = None
    flagged: FlaggedModel | None = None
    compliance: ComplianceModel | None = None
    discipline: DisciplineModel | None = None
    index: IndexModel | None = None
    limited: LimitedModel | None = None
    across: AcrossModel | None = None
    balance: BalanceModel | None = None
    composite: CompositeModel | None = None

    @model_validator(mode="after")
    def _one(self) -> "ConditionModel":
        kinds = list(type(self).model_fields)
        if sum(getattr(self, kind) is not None for kind in kinds) != 1:
            raise ValueError(f"give exactly one of {', '.join(kinds)}")
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
    packs: Annotated[list[Id], Items] = []
    rules: Annotated[list[RuleModel], Items] = []


class RollupModel(Model):
    """Readings of stations, added up or averaged for the territories above them."""

    id: Id
    applies: AppliesModel = AppliesModel()
    interval: Literal["minute", "hour", "day"]
    sum: Annotated[list[Id], OneOrMore] = []
    mean: Annotated[list[Id], OneOrMore] = []
    levels: Annotated[
        list[Literal["county", "city", "province", "nation"]], OneOrMore, Field(min_length=1)
    ] = ["county", "city", "province", "nation"]
    due: Clock | None = None
    grace: Duration = 0
    complete: Annotated[Number, Field(gt=0, le=1)] = 0.75


class RollupsFile(Model):
    rollups: Annotated[list[RollupModel], Items] = []


class CampaignRuleModel(Model):
    """What a campaign changes about a rule; what it leaves out stays as it is."""

    rule: Id
    title: TitleModel | None = None
    action: ActionModel | None = None
    condition: ConditionModel | None = None
    every: Span | None = None
    due: Clock | None = None
    grace: Duration | None = None
    levels: Annotated[list[LevelModel], Field(min_length=1, max_length=4)] | None = None
    for_: Duration | None = Field(None, alias="for")
    keep_firing_for: Duration | None = None
    unknown: Literal["hold", "alert"] | None = None


class CampaignBasisModel(Model):
    standard: Text
    edition: Text
    clause: Text
    status: Literal["verified", "product default"] = "product default"


class ReportToModel(Model):
    notify: Annotated[list[TargetModel], Field(min_length=1)]
    by: Annotated[list[Id], Field(min_length=1)]


class CampaignModel(Model):
    id: Id
    title: TitleModel
    from_: Moment = Field(alias="from")
    to: Moment
    territories: Annotated[list[Code], OneOrMore, Field(min_length=1)]
    rules: Annotated[list[CampaignRuleModel], Items] = []
    policies: Annotated[list[PolicyModel], Items] = []
    basis: CampaignBasisModel
    report_to: ReportToModel | None = None


class CampaignsFile(Model):
    campaigns: Annotated[list[CampaignModel], Items] = []


class PackIndicatorModel(Model):
    zh: Text
    unit: Text


class PackFile(Model):
    """A shipped pack: rules, and the indicators they name that are no HJ 212 codes.

    `about` and `absent` are for its page (docs/packs.md): what it applies to, and what it leaves
    out of the standard and why, so that nobody takes its silence for compliance.
    """

    title: TitleModel
    about: Text
    absent: list[Text] = []
    indicators: dict[str, PackIndicatorModel] = {}
    rules: list[RuleModel]


class SheetIndicatorModel(Model):
    indicator: Id
    unit: Text | None = None


class SheetFlagModel(Model):
    flag_of: Id


def _column_kind(value: Any) -> str:
    if isinstance(value, dict):
        return "flag" if "flag_of" in value else "indicator"
    if isinstance(value, SheetFlagModel):
        return "flag"
    return "indicator" if isinstance(value, SheetIndicatorModel) else "column"


SheetField = Literal["observed_at", "facility", "facility_name", "station", "id", "ignore"]
SheetMeaning = Annotated[
    Annotated[SheetField, Tag("column")]
    | Annotated[SheetIndicatorModel, Tag("indicator")]
    | Annotated[SheetFlagModel, Tag("flag")],
    Discriminator(_column_kind),
]


class SheetModel(Model):
    """How a table that people fill in becomes reports: a report a row."""

    id: Id
    title: TitleModel | None = None
    tab: Text | None = None
    interval: Interval
    facility: Id | None = None
    columns: Annotated[dict[Text, SheetMeaning], Field(min_length=1, max_length=500)]
    others: Literal["refuse", "ignore"] = "refuse"


class SheetsFile(Model):
    sheets: Annotated[list[SheetModel], Items] = []


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
    "rollups": RollupsFile,
    "sheets": SheetsFile,
    "campaigns": CampaignsFile,
}
