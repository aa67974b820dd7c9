"""The schema of campaigns.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from shared.config.scalars import Clock, Code, Duration, Id, Moment, Span, Text
from shared.config.schema.base import Items, Model, OneOrMore
from shared.config.schema.conditions import ConditionModel
from shared.config.schema.policies import PolicyModel, TargetModel
from shared.config.schema.rules import LevelModel
from shared.config.schema.words import ActionModel, TitleModel


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
