"""The schema of policies.yaml: who is told when, and what hides what."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.config.scalars import Code, Colour, Duration, Id, Span, Whole
from shared.config.schema.base import Items, Model, OneOrMore
from shared.config.schema.places import Kind


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
