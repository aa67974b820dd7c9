"""Why, of one series and minute: the answer of `GET /v1/why/series` from a stand of the past."""

from typing import Any

import msgspec

from services.rules.core.beside import BesideOf
from services.rules.core.book import Book, Judging
from services.rules.core.cell import NEVER, Cell, Series
from services.rules.core.engine import Engine
from services.rules.core.outside import outside
from services.rules.core.verdict import Verdict, never_heard, time
from services.rules.core.verdict_group import of_group
from services.rules.core.verdict_other import of_ratio, of_silence
from services.rules.core.verdict_series import of_series
from services.rules.core.view import members
from services.rules.judged_again import Question, Stand
from shared.model.configuration import Configuration
from shared.model.rule import Joint, Missing
from shared.model.transition import transition_id, transition_object


def answer(stand: Stand, asked: Question, configuration: Configuration) -> dict[str, Any]:
    """Every rule of the book of then: those that looked, then, shortly, those that did not."""
    zone, engine = configuration.site.zone, stand.engine
    place = configuration.facilities.get(asked.facility)
    looked: list[Verdict] = []
    others: list[dict[str, Any]] = []
    book = engine.book
    if book is not None:
        for _, judging in sorted(book.rules.items()):
            no = outside(book, judging, asked.station, asked.indicator, asked.interval)
            if no is None:
                looked.append(_with_last(stand, verdict_of(engine, judging, asked), zone))
            else:
                others.append(
                    {"rule": no.rule, "stage": no.stage, "reason": no.reason,
                     "reason_en": no.reason_en}
                )  # fmt: skip
    now_us = engine.clock.now_us
    return {
        "is": "series",
        "facility": asked.facility,
        "territory": place.territory if place is not None else None,
        "station": asked.station,
        "indicator": asked.indicator,
        "interval": asked.interval,
        "at": time(asked.at_us, zone),
        "by": stand.by,
        "log_time": None if now_us is None else time(now_us, zone),
        "configuration": engine.bundle_name,
        "reading": _reading(engine, asked, zone),
        "summary": _summary(looked, book is not None),
        "rules": [msgspec.to_builtins(each) for each in looked],
        "others": others,
        "not_newer": [
            {
                "observed_at": time(each.observed_us, zone), "value": each.value,
                "flag": each.flag, "received_at": time(each.received_us, zone),
                "reason": "不比已判读的新：实时判断里不改变任何事",
                "reason_en": "not newer than the newest judged: it changes nothing live",
            }
            for each in stand.passed
        ],
        "read": {
            "records": stand.records, "readings": stand.heard, "complete": stand.complete,
            "since": None if stand.since_us is None else time(stand.since_us, zone),
            "configuration_assumed": stand.assumed, "note": _note(stand),
        },
    }  # fmt: skip


def verdict_of(engine: Engine, judging: Judging, asked: Question) -> Verdict:
    """What a rule that looks says; its state may be nowhere yet."""
    assert engine.book is not None
    if judging.group is not None:
        is_own = isinstance(judging.group, BesideOf)
        return of_group(engine, judging, asked.station if is_own else asked.facility)
    cell = engine.cell((asked.station, asked.interval))
    if cell is None or cell.facility != asked.facility:
        return never_heard(judging)
    cell.settle()
    condition = judging.rule.condition
    if isinstance(condition, Joint):
        return _ratio(engine.book, cell, judging)
    series = cell.series.get(judging.indicator)
    if series is None:
        return never_heard(judging)
    if isinstance(condition, Missing):
        for own, watch in series.watches:
            if own.rule.id == judging.rule.id:
                return of_silence(own, watch, series.heard, engine.clock, engine.zone)
        return never_heard(judging)
    for own, hold in series.holds:
        if own.rule.id == judging.rule.id:
            if series.newest_us == NEVER and hold.memory is None:
                break  # what time alone derives has a memory without any reading
            return of_series(own, hold, series, engine.zone)
    return never_heard(judging)


def _ratio(book: Book, cell: Cell, judging: Judging) -> Verdict:
    for state in cell.ratios:
        if state.judging.rule.id == judging.rule.id:
            return of_ratio(book, cell, state)
    return never_heard(judging)


def _with_last(stand: Stand, found: Verdict, zone: Any) -> Verdict:
    last = stand.said.get(found.rule)
    if last is not None:
        shown = transition_object(last, zone)
        found.last_transition = {"id": transition_id(last, zone)} | {
            key: shown[key] for key in ("state", "cause", "severity", "at", "value", "limit")
        }
    return found


def _reading(engine: Engine, asked: Question, zone: Any) -> dict[str, Any] | None:
    cell = engine.cell((asked.station, asked.interval))
    if cell is None or cell.facility != asked.facility:
        return None
    cell.settle()
    series: Series | None = cell.series.get(asked.indicator)
    if series is None or series.newest_us == NEVER or engine.book is None:
        return None
    indicator = engine.book.indicators.get(asked.indicator)
    return {
        "observed_at": time(series.newest_us, zone), "value": series.value,
        "unit": indicator.unit if indicator else None, "flag": series.flag,
        "heard_at": None if series.heard_us is None else time(series.heard_us, zone),
        **members(cell),
    }  # fmt: skip


def _summary(looked: list[Verdict], has_book: bool) -> str:
    if not has_book:
        return "当时还没有生效的配置"
    if not looked:
        return "没有一条规则看这个序列"
    firing = [each for each in looked if each.state == "firing"]
    pending = [each for each in looked if each.state == "pending"]
    unknown = [each for each in looked if each.state == "unknown"]
    parts = [f"{len(looked)} 条规则看这个序列"]
    for name, group in (("在报警", firing), ("待定", pending), ("未知", unknown)):
        if group:
            parts.append(f"{len(group)} 条{name}（{'、'.join(each.rule for each in group[:5])}）")
    if not firing and not pending:
        parts.append("没有一条越线")
    return "，".join(parts)


def _note(stand: Stand) -> str:
    if not stand.complete and not stand.ended:
        return "时间不够，没有读完日志：以下只到已读之处"
    if not stand.complete:
        return "日志只从 since 起可读：更早开始的级别和事件不可知"
    return ""


__all__ = ["answer", "verdict_of"]
