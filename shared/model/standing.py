"""Standing: one rule on one series as it is now, which is what lists of alerts are made of."""

from typing import Any, Literal

import msgspec

from shared.model.severity import Severity

RuleState = Literal["normal", "pending", "firing", "unknown"]


class AlertNow(msgspec.Struct, frozen=True):
    """One rule on one series as it stands now.

    `severity`, `episode_us`, `value` and `limit` only while pending or firing; the last two are
    None also while it stands there only for being unknown.
    """

    rule: str
    facility: str
    station: str
    indicator: str
    interval: str
    state: RuleState
    severity: Severity | None = None
    episode_us: int | None = None
    value: float | None = None
    limit: str | None = None
    unit: str | None = None


class FacilityState(msgspec.Struct, frozen=True):
    """One value of `yujing.facilities.v1`: the object of GET /v1/facilities, and its alerts."""

    facility: dict[str, Any]
    alerts: list[AlertNow]
