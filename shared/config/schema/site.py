"""The schema of site.yaml."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from shared.config.scalars import Duration, Link, Span, Text, Whole
from shared.config.schema.base import Model

VERSION = 1
"""Of the configuration format: what `version` in site.yaml says."""


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
