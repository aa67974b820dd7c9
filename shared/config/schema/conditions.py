"""The schema of conditions; those about time and discipline stand in `timed`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.config.scalars import Clock, Duration, Id, Number, Sides, Span, Text, Whole
from shared.config.schema.base import Model, OneOrMore
from shared.config.schema.timed import (
    ComplianceModel,
    DisciplineModel,
    FlaggedModel,
    TimeToClearModel,
    TimeToLimitModel,
)
from shared.model.instants import Interval


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
    above: Number | None = None
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


class BesideModel(Model):
    indicator: Id
    interval: Interval
    unit: Text | None = None
    of: Literal["share", "difference"] = "share"
    over: Span | None = None
    memory: Span | None = None
    floor: Annotated[Number, Field(ge=0)] | None = None
    least: Annotated[Whole, Field(ge=2, le=100)] = 2
    side: Literal["both", "high", "low"] = "both"
    grace: Duration | None = None


class BalanceModel(Model):
    in_: Annotated[list[Id], OneOrMore, Field(min_length=1, alias="in")]
    out: Annotated[list[Id], OneOrMore, Field(min_length=1)]
    interval: Interval
    unit: Literal["%", "1"] | None = None
    grace: Duration | None = None


class SilentModel(Model):
    every: Span
    grace: Duration = 0
    settle: Duration | None = None


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
    beside: BesideModel | None = None
    balance: BalanceModel | None = None
    composite: CompositeModel | None = None
    silent: SilentModel | None = None

    @model_validator(mode="after")
    def _one(self) -> "ConditionModel":
        kinds = list(type(self).model_fields)
        if sum(getattr(self, kind) is not None for kind in kinds) != 1:
            raise ValueError(f"give exactly one of {', '.join(kinds)}")
        return self
