"""The schema of conditions about time and discipline."""

from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from shared.config.nodes import Indirect, number_or_text
from shared.config.scalars import Duration, Id, Span, Text, Whole
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


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ComplianceModel(_Strict):
    indicator: Id
    interval: Interval
    at_least: Annotated[Whole, Field(ge=1)]
    per: Literal["day", "week", "month"]
    apart: Duration = 0
    grace: Annotated[Duration, Field(le=31 * 86_400_000_000)] = 3_600_000_000


class FlaggedModel(_Strict):
    indicator: Id
    interval: Interval
    flags: Annotated[list[Literal["D", "B", "F", "M", "C"]], Field(min_length=1)]
    over: Span | None = None
    shown_in: Literal["min", "h", "d"] = "h"


class TimeToLimitModel(_Strict):
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
