"""Figures: values, limits and times as an official reads them."""

import re
from decimal import Decimal
from zoneinfo import ZoneInfo

from services.notify.wording.units import one_line
from shared.model.instants import Interval, to_datetime
from shared.model.numbers import short_text

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_SPANS = {"d": "天", "h": "小时", "min": "分钟"}
_SIGNS = ((" or ", "或"), (">=", "≥"), ("<=", "≤"), (" ", ""))


def number(value: float) -> str:
    """At most 4 significant digits, no trailing zeros, no exponent: 103.2, 0.05, 1235000."""
    return short_text(value)


def number_with_exponent(value: float) -> str:
    """The same digits with a power of ten when that is shorter: 1.235e12."""
    plain = number(value)
    digits = format(Decimal(plain).normalize(), "e").replace("e+", "e")
    return min(plain, digits, key=len)


def limit_words(limit: str, exponent: bool = False) -> str:
    """`>= 100` as ≥100, `< 6.5 or > 10` as <6.5或>10."""
    write = number_with_exponent if exponent else number
    words = _NUMBER.sub(lambda match: write(float(match[0])), limit)
    for sign, zh in _SIGNS:
        words = words.replace(sign, zh)
    return words


def unit_words(unit: str | None) -> str:
    """The unit; nothing for `1`, which has no dimension."""
    return "" if unit in (None, "1") else one_line(unit or "")


def span_words(unit: str | None, *, english: bool) -> str:
    """The same where there is room: spans of time as people say them."""
    return (None if english else _SPANS.get(unit or "")) or unit_words(unit)


def since_words(since_us: int, now_us: int, interval: Interval, zone: ZoneInfo) -> str:
    """`HH:MM` today, else `M月D日` and, unless the interval is day, `HH:MM`."""
    since, now = to_datetime(since_us, zone), to_datetime(now_us, zone)
    clock = f"{since:%H:%M}"
    if since.date() == now.date():
        return clock
    day = f"{since.month}月{since.day}日"
    return day if interval == "day" else day + clock
