"""The SMS of an alert: at most 70 UTF-16 units, no link, always answerable (contract §5).

【签名】 marks place what value unit limit since what-to-do 回1收到 ticket
When it is too long, first what-to-do, then the title, then the place is shortened.
"""

import unicodedata
from zoneinfo import ZoneInfo

from services.notify.interim.port import AlertFacts, Facts
from shared.model.instants import Instant, to_datetime
from shared.model.numbers import short_text

LONGEST_UNITS = 70
SHORTEST_PLACE = 4
DEFAULT_ACTION = "请核实处置"
ANSWER = "回1收到"


def units(text: str) -> int:
    """Length as the network counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cleaned(text: str) -> str:
    """One line of printable characters; brackets of a signature are not for names."""
    out = []
    for char in text:
        category = unicodedata.category(char)
        if char in "【】" or category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            out.append(" ")
        else:
            out.append(char)
    return " ".join("".join(out).split())


def shortened(text: str, most: int) -> str:
    """The longest beginning of at most `most` units that ends on a whole character."""
    used, kept = 0, []
    for char in text:
        size = 2 if ord(char) > 0xFFFF else 1
        if used + size > most:
            break
        used += size
        kept.append(char)
    return "".join(kept)


def since_text(alert: AlertFacts, now_us: int, zone: ZoneInfo) -> str:
    """`HH:MM` today, else `M月D日` and, unless the interval is day, `HH:MM`."""
    since = to_datetime(Instant(alert.since_us), zone)
    clock = f"{since.hour:02d}:{since.minute:02d}"
    if since.date() == to_datetime(Instant(now_us), zone).date():
        return clock
    day = f"{since.month}月{since.day}日"
    return day if alert.interval == "day" else f"{day}{clock}"


def value_text(alert: AlertFacts) -> str:
    if alert.missing:
        return "无数据"
    if alert.value is None:
        return "数据不明"
    unit = "" if alert.unit in (None, "1") else cleaned(alert.unit or "")
    return f"{short_text(alert.value)}{unit}"


def limit_text(alert: AlertFacts) -> str:
    return "" if alert.limit is None else f"限{alert.limit.replace(' ', '')}"


def marks(facts: Facts) -> str:
    """In this order: drill, recovery, resend, how manyth time."""
    parts = []
    if facts.drill:
        parts.append("【演练】")
    if facts.kind == "recovery":
        parts.append("恢复")
    if facts.repeat:
        parts.append("重发")
    if facts.kind == "alert" and facts.nth > 1:
        parts.append(f"第{facts.nth}次")
    return "".join(parts)


def sms(facts: Facts) -> str:
    """The text for one person; of several alerts the worst is told."""
    head = f"【{shortened(cleaned(facts.signature), 12)}】{marks(facts)}"
    if facts.kind == "answer":
        return head + facts.words
    alert = facts.alerts[0]
    zone = ZoneInfo(facts.timezone)
    place, title = cleaned(facts.place) or facts.incident, cleaned(alert.title)
    action = cleaned(alert.action or DEFAULT_ACTION) if facts.kind == "alert" else ""
    fixed = [value_text(alert), limit_text(alert), f"{since_text(alert, facts.now_us, zone)}起"]
    tail = f"{ANSWER} {facts.ticket}" if facts.kind == "alert" else ""
    return _fitted(head, place, title, [part for part in fixed if part], action, tail)


def _fitted(head: str, place: str, title: str, fixed: list[str], action: str, tail: str) -> str:
    def joined(place: str, title: str, action: str) -> str:
        told = "，".join(part for part in (f"{place}{title}", *fixed, action) if part)
        return f"{head}{told}。{tail}" if tail else f"{head}{told}"

    def room(place: str, title: str, action: str) -> int:
        return LONGEST_UNITS - units(joined(place, title, action))

    if room(place, title, action) < 0:
        action = shortened(action, max(0, units(action) + room(place, title, action)))
    if room(place, title, action) < 0:
        title = shortened(title, max(0, units(title) + room(place, title, action)))
    if room(place, title, action) < 0:
        most = max(SHORTEST_PLACE, units(place) + room(place, title, action))
        place = _place(place, most)
    return joined(place, title, action)


def _place(place: str, most: int) -> str:
    """Never below four characters, nor inside a surrogate pair."""
    kept = shortened(place, most)
    return kept if len(kept) >= min(SHORTEST_PLACE, len(place)) else place[:SHORTEST_PLACE]


def plain_words(facts: Facts) -> str:
    """When the wording itself breaks: enough to act on, built from nothing that can break."""
    return f"【预警】{facts.facility[:20]} {facts.severity.zh}色预警 {facts.incident}。{ANSWER} {facts.ticket}"
