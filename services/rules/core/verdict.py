"""Verdict: where a rule stands on a series, and which of its stages says no.

    reading ── newer? ── known? ── window ── level ── deadband ── for ── firing ── keep_firing_for
               edition                                             "already told" from here on

Every verdict names the stage in one word for programs and in a sentence for people, in Chinese
and English. It reads the engine and changes nothing.
"""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from services.rules.core.book import Judging
from services.rules.core.hold import Hold
from services.rules.core.levels import NONE
from shared.model.instants import Instant, instant_text
from shared.model.rule import number_text


class Verdict(msgspec.Struct):
    """What one rule says. `state` as in `GET /v1/alerts`; `until`: when a delay ends."""

    rule: str
    title: str
    stage: str
    reason: str
    reason_en: str
    state: str = "normal"
    severity: str | None = None
    since: str | None = None
    until: str | None = None
    limit: str | None = None
    clear: str | None = None
    held: str | None = None
    """The held level: of readings alone, whatever the delays."""
    value: float | None = None
    unit: str | None = None
    derived: dict[str, Any] | None = None
    components: list[dict[str, Any]] | None = None
    silence: dict[str, Any] | None = None
    last_transition: dict[str, Any] | None = None


def verdict(judging: Judging, stage: str, zh: str, en: str) -> Verdict:
    return Verdict(judging.rule.id, judging.rule.title_zh, stage, zh, en)


def time(at_us: int, zone: ZoneInfo) -> str:
    return instant_text(Instant(at_us), zone)


def stands(hold: Hold, is_unknown: bool) -> str:
    """The state as `GET /v1/alerts` has it."""
    if hold.phase != "inactive":
        return hold.phase
    return "unknown" if is_unknown else "normal"


def never_heard(judging: Judging) -> Verdict:
    found = verdict(
        judging, "nothing-heard", "当时还没有收到过这个序列的任何读数",
        "no reading of this series had been judged by then",
    )  # fmt: skip
    found.state = "unknown"
    return found


def edition(judging: Judging, at_us: int, zone: ZoneInfo) -> Verdict | None:
    """The no of a rule whose edition does not judge this instant; None when it does."""
    if judging.edition.holds(at_us):
        return None
    name, begin = judging.rule.basis.edition, judging.edition.from_us
    if at_us < begin:
        span = time(begin, zone)
        return verdict(
            judging, "edition", f"版本 {name} 自 {span} 起才生效",
            f"edition {name} is in force from {span} only",
        )  # fmt: skip
    if (campaign := judging.campaign_at(at_us)) is not None:
        return verdict(
            judging, "edition", f"专项行动 {campaign} 期间由 {judging.rule.id}@{campaign} 判定",
            f"campaign {campaign} runs then; {judging.rule.id}@{campaign} judges instead",
        )  # fmt: skip
    span = time(judging.edition.to_us or 0, zone)
    return verdict(
        judging, "edition", f"版本 {name} 已于 {span} 失效",
        f"edition {name} ended at {span}",
    )  # fmt: skip


def judged(
    judging: Judging, hold: Hold, at_us: int, value: float | None, is_over: bool, zone: ZoneInfo
) -> Verdict:
    """What the levels and delays make of a value; None: unknown."""
    ladder, unit = judging.ladder, judging.unit if judging.unit != "1" else ""
    seen = "" if value is None else f"{number_text(value)} {unit or ''}".strip()
    if hold.phase == "inactive":
        found = edition(judging, at_us, zone) or _quiet(judging, value, is_over, seen)
    elif hold.phase == "pending":
        assert hold.timer_us is not None
        until = time(hold.timer_us, zone)
        found = verdict(
            judging, "for", f"已越线，但须持续（for）到 {until} 才报警",
            f"above, but `for` runs until {until}",
        )  # fmt: skip
        found.until = until
    elif hold.timer_us is not None:
        until = time(hold.timer_us, zone)
        found = verdict(
            judging, "keep_firing_for", f"仍在报警：读数已回落，keep_firing_for 到 {until} 才解除",
            f"still firing: it cleared, keep_firing_for runs until {until}",
        )  # fmt: skip
        found.until = until
    else:
        found = _firing(judging, hold, value, seen, zone)
    found.state = stands(hold, value is None)
    if hold.phase != "inactive":
        found.severity = ladder.severities[hold.level].value
        found.since = time(hold.start_us, zone)
        found.limit = ladder.limits[hold.level] if not hold.standing else None
    if found.limit is None and hold.phase == "inactive":
        found.limit = ladder.limits[0]
    shown = max(hold.level, 0)
    found.clear = clear_text(judging, shown)
    found.held = ladder.severities[hold.held].value if hold.held != NONE else None
    found.value, found.unit = value, judging.unit
    return found


def clear_text(judging: Judging, level: int) -> str | None:
    """The test that ends a level, as the configuration has it or as it follows from raise."""
    own = judging.rule.levels[level]
    if own.raises is None:
        return None
    return (own.clears or own.raises.negated()).text


def _quiet(judging: Judging, value: float | None, is_over: bool, seen: str) -> Verdict:
    """Nothing stands: the level says no."""
    ladder = judging.ladder
    limit = ladder.limits[0] or ""
    if value is None:
        return verdict(judging, "unknown", "读数未知", "the reading is unknown")
    if is_over:
        return verdict(
            judging, "over-range", f"超量程（T）：至少 {seen}，不足以触发 {limit}",
            f"over range (T): at least {seen}, which raises nothing ({limit})",
        )  # fmt: skip
    top = len(ladder.severities) - 1
    if ladder.level(value, NONE) == NONE and ladder.level(value, top) != NONE:
        return verdict(
            judging, "deadband", f"{seen} 在解除线与触发线之间，未越过触发线 {limit}",
            f"{seen} lies between clear and raise; it was not raised ({limit})",
        )  # fmt: skip
    return verdict(
        judging, "level", f"{seen} 未越过触发线 {limit}", f"{seen} is below every level ({limit})"
    )


def _firing(
    judging: Judging, hold: Hold, value: float | None, seen: str, zone: ZoneInfo
) -> Verdict:
    since = time(hold.start_us, zone)
    zh, en = f"已在报警（自 {since}）", f"already firing since {since}"
    if hold.standing:
        zh, en = zh + "：因为读数未知", en + ", because the reading is unknown"
    elif value is None:
        zh, en = (
            zh + "；最新读数未知，不能解除",
            en + "; the newest reading is unknown, nothing clears",
        )
    elif judging.ladder.level(value, NONE) == NONE:
        zh, en = zh + f"；{seen} 还没有过解除线", en + f"; {seen} has not cleared (deadband)"
    else:
        zh, en = zh + f"：{seen}；级别不变，不再通知", en + f": {seen}; the level is the same"
    return verdict(judging, "firing", zh, en)
