"""Verdicts on a series that was heard: of its newest reading, or of what is derived from it."""

from typing import Any
from zoneinfo import ZoneInfo

from services.rules.core import windows
from services.rules.core.book import Judging
from services.rules.core.cell import Series
from services.rules.core.hold import Hold
from services.rules.core.trace import Trace
from services.rules.core.verdict import Verdict, edition, judged, stands, verdict
from shared.model import units
from shared.model.report import EVIDENCE_FLAGS
from shared.model.rule import number_text


def of_series(judging: Judging, hold: Hold, series: Series, zone: ZoneInfo) -> Verdict:
    """Of a threshold, a range or a derived condition on a series that was heard."""
    flag, value = series.flag, series.value
    if judging.derive is None:
        at_us = series.newest_us
        if judging.convert is not None:
            value = units.convert(value, *judging.convert)
        is_known = flag in EVIDENCE_FLAGS
        found = judged(judging, hold, at_us, value if is_known else None, flag == "T", zone)
        if found.stage == "unknown":
            found.reason = f"标记 {flag}：读数不能作为证据，按未知处理"
            found.reason_en = f"flag {flag}: the reading is no evidence, it counts as unknown"
        return found
    return _of_derived(judging, hold, series, zone)


def _of_derived(judging: Judging, hold: Hold, series: Series, zone: ZoneInfo) -> Verdict:
    assert judging.derive is not None
    memory = hold.memory
    shown = windows.window(judging.derive, memory, zone)
    step = judging.derive.last(memory) if isinstance(judging.derive, Trace) else None
    if step is None and hold.phase != "inactive":
        found = judged(judging, hold, series.newest_us, hold.value, False, zone)
    elif step is None:
        found = edition(judging, series.newest_us, zone) or verdict(
            judging, "window", "派生值还没有形成：" + _window_zh(shown),
            "no derived value yet: " + _window_en(shown),
        )  # fmt: skip
    else:
        value, is_over = step.value, step.quality == "over"
        found = judged(judging, hold, step.at_us, value, is_over, zone)
        if found.stage == "unknown":
            found.stage = "window"
            found.reason = "派生值未知（完整率不够，或读数不能作为证据）：" + _window_zh(shown)
            found.reason_en = "the derived value is unknown (too few, or no evidence): "
            found.reason_en += _window_en(shown)
    found.state = stands(hold, memory is None or memory.unknown)
    found.derived = shown
    return found


def _window_zh(shown: dict[str, Any]) -> str:
    if shown.get("window"):
        span = shown["window"]
        return (
            f"窗口 {span['from']} 至 {span['to']} 有 {shown['slots']}/{number_text(shown['expected'])} 个"
            f"（需 {number_text(shown['needed'] * 100)} %）"
        )
    if (band := shown.get("band")) is not None:
        return f"基线已有 {band['values']} 个值（需 {band['needed']}，并满一天）"
    return "还没有可比的读数"


def _window_en(shown: dict[str, Any]) -> str:
    if shown.get("window"):
        span = shown["window"]
        return (
            f"window {span['from']} to {span['to']} has {shown['slots']} of "
            f"{number_text(shown['expected'])} (needs {number_text(shown['needed'] * 100)} %)"
        )
    if (band := shown.get("band")) is not None:
        return f"the baseline has {band['values']} values (needs {band['needed']}, over a day)"
    return "nothing to compare with"
