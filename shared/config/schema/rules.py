"""The schema of rules.yaml and of shipped packs."""

from typing import Annotated, Literal

from pydantic import Field

from shared.config.scalars import Code, Colour, Duration, Id, Moment, Sides, Text
from shared.config.schema.base import Items, Model
from shared.config.schema.conditions import ConditionModel
from shared.config.schema.places import Kind
from shared.config.schema.words import ActionModel, TitleModel


class AppliesModel(Model):
    kind: Kind | None = None
    territory: Code | None = None
    facility: Text | None = None
    point: Id | None = None
    attributes: dict[str, Text] = {}


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
