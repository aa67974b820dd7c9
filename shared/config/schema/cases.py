"""The schema of the case files of `yujing rules test`."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from shared.config.scalars import Duration, Id, Moment, Optional, Span, Text
from shared.config.schema.base import Items, Model

MINUTE_US = 60_000_000
START = "2026-01-01T00:00:00+08:00"
"""When a case does not say: any fixed instant makes the same words every day."""
_TIME = {"type": ["string", "integer"]}
"""A duration after the start, a time, or 0."""
_TEXT = {"type": ["string", "null"]}
EXPECTED: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("rule", "facility", "station", "indicator", "limit", "unit"), _TEXT),
    "interval": {"enum": ["realtime", "minute", "hour", "day"]},
    "state": {"enum": ["pending", "firing", "resolved", "withdrawn"]},
    "severity": {"enum": ["blue", "yellow", "orange", "red"]},
    "cause": {"enum": ["raised", "rose", "fell", "cleared", "withdrawn", "missing", "reported"]},
    "value": {"type": ["number", "null"]},
    "step": {"type": "integer"},
    "at": _TIME,
    "episode": _TIME,
}
"""What a case may say of an alert or a transition; what it leaves out may be anything."""
_LABELS = {"type": "object", "properties": EXPECTED, "additionalProperties": False}
Expected = Annotated[
    dict[str, Any],
    WithJsonSchema(_LABELS | {"properties": EXPECTED | {"exp_labels": _LABELS}}),
]
Report = Annotated[
    dict[str, Any],
    WithJsonSchema({"type": "object", "required": ["observed_at", "readings"]}),
]
"""As `POST /v1/reports` takes it, with `arrives`; ingest's own checks say what is wrong with it."""
Values = Annotated[
    str,
    BeforeValidator(lambda value: getattr(value, "text", value)),
    WithJsonSchema({"type": ["string", "number"]}),
]


class SeriesModel(Model):
    series: Text
    values: Values


class AlertTestModel(Model):
    eval_time: Annotated[Any, WithJsonSchema(_TIME)]
    rule: Id | None = None
    alertname: Id | None = None
    exp_alerts: Annotated[list[Expected], Items] = Field(default_factory=list)


class CaseModel(Model):
    name: Optional = ""
    start: Moment = START
    interval: Span | None = None
    only: Annotated[list[Id], Items] = Field(default_factory=list)
    input_series: Annotated[list[SeriesModel], Items] = Field(default_factory=list)
    reports: Annotated[list[Report], Items] = Field(default_factory=list)
    csv: Optional = ""
    inputs: Annotated[list[Text], Items] = Field(default_factory=list)
    until: Duration | None = None
    alert_rule_test: Annotated[list[AlertTestModel], Items] = Field(default_factory=list)
    transitions: list[Expected] | None = None


class CaseFile(Model):
    """promtool's `rule_files` has no meaning here: rules stand inline or in `config`.

    The keys of a configuration that stand beside these are checked by their own schemas.
    """

    config: Text | None = None
    evaluation_interval: Span = MINUTE_US
    tests: Annotated[list[CaseModel], Field(min_length=1)]
