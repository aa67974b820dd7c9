"""Facilities as the page shows them: state, last heard, and what is not known.

States come from rules through a port (`FacilityStates`), since services never read each other's
tables. Where rules cannot be asked, every facility stands there as *unknown*: silence about a
state must never look like `normal`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from services.notify.pages.board import quantity
from services.notify.pages.clockwork import Clockwork, Moment
from shared.model.configuration import Configuration
from shared.model.instants import parse_instant

FacilityStates = Callable[[], Sequence[Mapping[str, Any]]]
"""The objects of `GET /v1/facilities`, all of them."""

ORDER = ("firing", "pending", "unknown", "normal")
MOST_VALUES = 4
MINUTE_MS = 60_000
OLD_MS = 26 * 3_600_000
"""A daily report comes once in 24 h; two hours are for lateness."""


class FacilityRow(msgspec.Struct, frozen=True):
    id: str
    name: str
    territory: str
    state: str
    severity: str
    heard: Moment | None
    is_old: bool
    """Nothing came for longer than any daily report takes: whatever the state, look at it."""
    values: tuple[str, ...]
    """Newest values, most recent first, at most `MOST_VALUES`."""
    firing: tuple[str, ...]
    """Titles of rules that fire."""
    silent: int
    """Judged series that never had a reading."""


def facility_rows(
    configuration: Configuration,
    states: Sequence[Mapping[str, Any]],
    sees: Callable[[str], bool],
    clock: Clockwork,
) -> list[FacilityRow]:
    """One row for each configured facility the reader may see: the worst first, then by name."""
    by_id = {str(state.get("id")): state for state in states}
    rows = [
        _row(configuration, facility.id, by_id.get(facility.id, {}), clock)
        for facility in configuration.facilities.values()
        if sees(facility.territory)
    ]
    return sorted(rows, key=lambda row: (ORDER.index(row.state), row.territory, row.id))


def _row(
    configuration: Configuration, facility: str, state: Mapping[str, Any], clock: Clockwork
) -> FacilityRow:
    known = configuration.facilities[facility]
    territory = configuration.territories.get(known.territory)
    rules: Sequence[Mapping[str, Any]] = state.get("rules") or []
    series: Sequence[Mapping[str, Any]] = state.get("series") or []
    heard = _to_the_minute(state.get("last_heard"), clock, configuration)
    worst, silent = state_of(rules, series, heard is not None)
    firing = [rule for rule in rules if rule.get("state") == "firing"]
    return FacilityRow(
        id=facility,
        name=known.name,
        territory=territory.name if territory else known.territory,
        state=worst,
        severity=_worst_severity(firing),
        heard=heard,
        is_old=heard is not None and clock.now // 1000 - heard.ms > OLD_MS,
        values=tuple(_value(configuration, one) for one in _newest(series)),
        firing=tuple(dict.fromkeys(_title(configuration, str(r.get("rule"))) for r in firing)),
        silent=silent,
    )


def state_of(
    rules: Sequence[Mapping[str, Any]], series: Sequence[Mapping[str, Any]], heard: bool
) -> tuple[str, int]:
    """(state of the whole facility, judged series that never reported).

    firing, pending, unknown, normal: the first that any rule is in. A rule whose series never
    had a reading is counted apart once others have: a station that measures five of a pack's
    nine indicators would else be unknown for ever, and *unknown* would say nothing any more.
    Nothing heard, or nothing that judges it, is unknown.
    """
    reported = {(s.get("station"), s.get("indicator"), s.get("interval")) for s in series}
    judged: set[str] = set()
    silent: set[tuple[object, object, object]] = set()
    for rule in rules:
        key = (rule.get("station"), rule.get("indicator"), rule.get("interval"))
        if rule.get("state") == "unknown" and key not in reported:
            silent.add(key)
        else:
            judged.add(str(rule.get("state")))
    if not heard and not judged & {"firing", "pending"}:
        return "unknown", len(silent)
    return next((state for state in ORDER if state in judged), "unknown"), len(silent)


def _newest(series: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """By observation, newest first; RFC 3339 of one zone sorts well enough for a glance."""
    return sorted(series, key=lambda one: str(one.get("observed_at")), reverse=True)[:MOST_VALUES]


def _value(configuration: Configuration, one: Mapping[str, Any]) -> str:
    indicator = configuration.indicators.get(str(one.get("indicator")))
    name = indicator.zh if indicator else str(one.get("indicator"))
    flag = one.get("flag")
    mark = "" if flag in (None, "", "N") else f" [{flag}]"
    return f"{name} {quantity(one.get('value'), one.get('unit'))}{mark}"


def _title(configuration: Configuration, rule: str) -> str:
    known = configuration.rules.get(rule)
    if known is None:
        return rule
    title = known.title_en if configuration.site.language == "en" else known.title_zh
    return title or rule


def _worst_severity(firing: Sequence[Mapping[str, Any]]) -> str:
    given = {str(rule.get("severity")) for rule in firing}
    return next((s for s in ("red", "orange", "yellow", "blue") if s in given), "")


def _to_the_minute(heard: object, clock: Clockwork, configuration: Configuration) -> Moment | None:
    """Whole minutes, so that a steady stream of readings does not redraw every row each second."""
    if not isinstance(heard, str):
        return None
    moment = clock.of(parse_instant(heard, configuration.site.zone))
    return msgspec.structs.replace(moment, ms=moment.ms // MINUTE_MS * MINUTE_MS, full=moment.short)
