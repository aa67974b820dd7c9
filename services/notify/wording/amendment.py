"""Amendment: what was told turns out otherwise, in words that fit one SMS with any signature.

    更正：武汉医院 化学需氧量 3月1日08:00起的预警不成立（数据更正为12mg/L）

The place gives first, then the title, then the bracket; when and what is so now stay whole.
"""

from zoneinfo import ZoneInfo

from services.notify.wording.figures import number, since_words, unit_words
from services.notify.wording.units import cut, one_line, units
from shared.model.amendment import Amendment, Span
from shared.model.instants import Instant

LONGEST_UNITS = 56
"""One SMS (70) less a signature of 6 with its brackets, and 【演练】 or 重发."""
_LEAST = 4
_SEVERITY = {"blue": "蓝色", "yellow": "黄色", "orange": "橙色", "red": "红色"}


def amendment_words(
    amendment: Amendment, *, place: str, title: str, unit: str, now_us: Instant, zone: ZoneInfo,
    language: str, source: str = "",
) -> str:  # fmt: skip
    """`unit` is that of the reading that changed it, `source` whose it is, if not the place's."""
    since = (amendment.before or amendment.after or _none()).start_us
    when = since_words(since, now_us, amendment.interval, zone)
    is_english = language == "en"
    core = (_english if is_english else _chinese)(amendment, when, now_us, zone)
    because = _because(amendment, unit, one_line(source), is_english)
    place, title = one_line(place), one_line(title)
    while True:
        text = _put(is_english, place, title, core, because)
        excess = units(text) - LONGEST_UNITS
        if excess <= 0:
            return text
        if len(place) > _LEAST:
            place = cut(place, max(units(place) - excess, _LEAST))
        elif len(title) > _LEAST:
            title = cut(title, max(units(title) - excess, _LEAST))
        elif because:
            because = ""
        else:
            return cut(text, LONGEST_UNITS)


def _put(is_english: bool, place: str, title: str, core: str, because: str) -> str:
    if is_english:
        return f"Correction: {place} {title} {core}" + (f" ({because})" if because else "")
    return f"更正：{place} {title} {core}" + (f"（{because}）" if because else "")


def _none() -> Span:
    raise AssertionError("an amendment has an episode before or after")


def _chinese(amendment: Amendment, when: str, now_us: Instant, zone: ZoneInfo) -> str:
    before, after = amendment.before, amendment.after
    if after is None:
        return f"{when}起的预警不成立"
    if before is None:
        return f"{when}起另有预警"
    parts = []
    if after.start_us != before.start_us:
        parts.append(f"{since_words(after.start_us, now_us, amendment.interval, zone)}开始")
    if after.end_us != before.end_us:
        if after.end_us is None:
            parts.append("尚未结束")
        else:
            parts.append(f"{since_words(after.end_us, now_us, amendment.interval, zone)}结束")
    if after.severity != before.severity:
        parts.append(f"最高{_SEVERITY[after.severity.value]}")
    return f"{when}起的预警应为{'、'.join(parts)}"


def _english(amendment: Amendment, when: str, now_us: Instant, zone: ZoneInfo) -> str:
    before, after = amendment.before, amendment.after
    if after is None:
        return f"{when}: no alert"
    if before is None:
        return f"{when}: one more alert"
    parts = []
    if after.start_us != before.start_us:
        parts.append(f"from {since_words(after.start_us, now_us, amendment.interval, zone)}")
    if after.end_us != before.end_us:
        if after.end_us is None:
            parts.append("not over")
        else:
            parts.append(f"to {since_words(after.end_us, now_us, amendment.interval, zone)}")
    if after.severity != before.severity:
        parts.append(after.severity.value)
    return f"{when}: {', '.join(parts)}"


def _because(amendment: Amendment, unit: str, source: str, is_english: bool) -> str:
    cause = amendment.cause
    whose = f"{source}: " if source and is_english else source
    if cause.why == "withdrawn" or cause.value is None:
        return whose + ("reading withdrawn" if is_english else "数据已撤回")
    figure = number(cause.value) + unit_words(unit)
    if cause.why == "corrected":
        return whose + (f"corrected to {figure}" if is_english else f"数据更正为{figure}")
    return whose + (f"late {figure}" if is_english else f"补报{figure}")
