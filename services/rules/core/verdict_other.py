"""Verdicts of rules that judge more than a value: a ratio of a report, and silence."""

from typing import Any
from zoneinfo import ZoneInfo

from services.rules.core import index, joint
from services.rules.core.book import Book, Judging
from services.rules.core.cell import NEVER, Cell, RatioState
from services.rules.core.clock import LogClock
from services.rules.core.missing import Watch, due_of
from services.rules.core.ratio import CAPACITY, Components
from services.rules.core.verdict import Verdict, edition, judged, never_heard, stands, time, verdict
from shared.model.report import EVIDENCE_FLAGS
from shared.model.rule import Index, Joint, Missing, Silent


def of_ratio(book: Book, cell: Cell, state: RatioState) -> Verdict:
    """Of the newest slot that any component has shown."""
    judging, zone = state.judging, book.zone
    condition = judging.rule.condition
    assert isinstance(condition, Joint)
    known = {
        name: cell.series[name]
        for name in condition.parts
        if name in cell.series and cell.series[name].newest_us != NEVER
    }
    if not known:
        return never_heard(judging)
    slot_us = max(series.newest_us for series in known.values())
    there = {
        name: (series.value, series.flag)
        for name, series in known.items()
        if series.newest_us == slot_us
    }
    capacity = book.capacity(cell.facility, slot_us)
    quality, value = joint.result(condition, there, capacity)
    found = judged(judging, state.hold, slot_us, value, quality == "over", zone)
    if found.stage == "unknown":
        absent = [name for name in condition.parts if name not in there]
        bad = [name for name, (_, flag) in there.items() if flag not in EVIDENCE_FLAGS]
        found.reason = (
            f"由多项算出的值未知：缺 {'、'.join(absent) or '无'}，不能作证 {'、'.join(bad) or '无'}"
        )
        found.reason_en = f"it is unknown: absent {absent}, no evidence {bad}"
    found.state = stands(state.hold, state.last_unknown)
    found.components = [
        {
            "indicator": name,
            "value": there[name][0] if name in there else None,
            "flag": there[name][1] if name in there else None,
            "configured": capacity if name == CAPACITY and name not in there else None,
        }
        for name in condition.parts
    ]
    if isinstance(condition, Index):
        _say_primary(book, condition, there, found)
    return found


def _say_primary(book: Book, condition: Index, there: Components, found: Verdict) -> None:
    """Of an index: that of each pollutant, and which of them it is that of (HJ 633)."""
    parts = index.parts(condition, there)
    for component in found.components or ():
        each = parts.get(component["indicator"])
        component["index"] = None if each is None else each.iaqi
    first = index.primary(parts)
    if first:
        names = "、".join(book.indicators[name].zh for name in first)
        found.reason += f"；首要污染物：{names}"
        found.reason_en += f"; primary pollutant: {', '.join(first)}"


def of_silence(
    judging: Judging,
    watch: Watch,
    heard: tuple[int | None] | None,
    clock: LogClock,
    zone: ZoneInfo,
) -> Verdict:
    """Of a `missing` or `silent` rule: when silence would be, or has been, told."""
    condition = judging.rule.condition
    assert isinstance(condition, Missing | Silent)
    heard_us = heard[0] if heard is not None else None
    silence: dict[str, Any] = {
        "heard_at": None if heard_us is None else time(heard_us, zone),
        "deaf_seconds": clock.deaf_us / 1e6,
    }
    if watch.open_us is not None:
        since = time(watch.open_us, zone)
        found = verdict(
            judging,
            "firing",
            f"已在报缺报（自 {since}），不再重复",
            f"already missing since {since}",
        )
        found.state, found.since = "firing", since
        found.severity = judging.ladder.severities[0].value
    elif clock.now_us is None or clock.first_us is None:
        found = verdict(judging, "no-tick", "日志里还没有时钟", "log time has not begun")
    else:
        found = _waits(judging, condition, watch, heard_us, clock, zone, silence)
        if heard is None:
            found.state = "unknown"
    found.silence = silence
    return found


def _waits(
    judging: Judging, condition: Missing | Silent, watch: Watch, heard_us: int | None, clock: LogClock,
    zone: ZoneInfo, silence: dict[str, Any],
) -> Verdict:  # fmt: skip
    assert clock.now_us is not None and clock.first_us is not None
    if condition.every_us is None:
        if watch.next_day is None:
            return verdict(judging, "no-tick", "还没有到第一次查看", "not looked at yet")
        assert isinstance(condition, Missing)
        start, wanted = int(due_of(watch.next_day, condition, zone)), condition.grace_us
    else:
        since = heard_us if heard_us is not None else watch.active_us
        heard_us = since if since is not None else clock.first_us
        begun = judging.edition.begins(heard_us)
        if begun is None:
            over = edition(judging, max(heard_us, judging.edition.from_us), zone)
            assert over is not None
            return over
        start = begun
        wanted = condition.every_us + condition.grace_us
    due_us = clock.listened_until(start, wanted)
    deaf_us = due_us - start - wanted
    silence["due_at"], until = time(start, zone), time(due_us, zone)
    silence["deaf_seconds_since"] = deaf_us / 1e6
    zh, en = f"到 {until} 仍无读数才报缺报", f"missing at {until} unless a reading comes"
    if deaf_us:
        zh += f"（其间本系统停听 {deaf_us / 1e6:g} 秒，不算在内）"
        en += f" ({deaf_us / 1e6:g} s of our own deafness do not count)"
    found = verdict(judging, "silence", zh, en)
    found.until = until
    return found
