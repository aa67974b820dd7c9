"""The schema of rollups.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from shared.config.scalars import Clock, Duration, Id, Number
from shared.config.schema.base import Items, Model, OneOrMore
from shared.config.schema.rules import AppliesModel


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
