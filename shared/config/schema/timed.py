"""The schema of conditions about time and discipline."""

import re
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from shared.config.nodes import Indirect, number_or_text
from shared.config.scalars import Duration, Id, Number, Sides, Span, Text, Whole
from shared.config.schema.base import Model
from shared.model.instants import Interval


def _limit(value: Any) -> float | None:
    if value == "capacity":
        return None
    if isinstance(value, Indirect):
        value = number_or_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError("give a number, or capacity")
    return float(value)


Limit = Annotated[
    float | None,
    BeforeValidator(_limit),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"const": "capacity"}]}),
]
"""A number, or None for the word `capacity`."""


def _percent(value: Any) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?%", value) if isinstance(value, str) else None
    if match is None or not 0 < float(match[1]) <= 50:
        raise ValueError("give a share such as 5%, above 0 and at most 50%")
    return float(match[1])


Percent = Annotated[
    float,
    BeforeValidator(_percent),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)? ?%$"}),
]
"""`5%` is 5."""
Mute = Literal["D", "B", "F", "M", "C"]


class ComplianceModel(Model):
    indicator: Id
    interval: Interval
    at_least: Annotated[Whole, Field(ge=1)]
    per: Literal["day", "week", "month"]
    apart: Duration = 0
    grace: Annotated[Duration, Field(le=31 * 86_400_000_000)] = 3_600_000_000


class DisciplineModel(Model):
    indicator: Id
    interval: Interval
    unit: Text | None = None
    of: Literal["late", "gaps", "heaping", "marks", "edits"]
    within: Annotated[Whole, Field(ge=10, le=240)]
    allowed: Duration | None = None
    every: Span | None = None
    limit: Number | None = None
    below: Percent | None = None
    least: Annotated[Whole, Field(ge=1, le=240)] | None = None
    flags: Annotated[list[Mute], Field(min_length=1)] | None = None
    undoes: Sides | None = None


class TimeToClearModel(Model):
    backlog: Id
    intake: Id
    capacity: Id = "mw.capacity_t"
    interval: Literal["day"]
    horizon: Span = 28 * 86_400_000_000
    shown_in: Literal["min", "h", "d"] = "h"


class CompanionModel(Model):
    indicator: Id
    interval: Interval | None = None
    unit: Text | None = None
    runs: Sides
    station: Id | None = None
    point: Id | None = None
    max_age: Span | None = None
    despite: Annotated[list[Mute], Field(min_length=1)] | None = None


class FlaggedModel(Model):
    indicator: Id
    interval: Interval
    flags: Annotated[list[Mute], Field(min_length=1)]
    while_: CompanionModel | None = Field(None, alias="while")
    over: Span | None = None
    shown_in: Literal["min", "h", "d"] = "h"


class TimeToLimitModel(Model):
    indicator: Id
    interval: Interval
    unit: Text | None = None
    limit: Limit
    over: Annotated[Span, Field(le=366 * 86_400_000_000)]
    horizon: Span | None = None
    least: Annotated[Whole, Field(ge=3, le=32)] = 4
    towards: Literal["up", "down"] = "up"
    judge: Literal["middle", "early", "late"] = "middle"
    shown_in: Literal["min", "h", "d"] = "d"
