"""SMS: one alert in at most 70 UTF-16 units, so that it arrives as one message.

    【签名】 marks place：what value unit（限limit），since起，what to do，回1收到 ticket

A territory's text says how many of its stations are missing (缺1家), as long as there is room.
When it is too long, what to do is shortened first, then what (the rule's title), then the place.
Value, limit, time, the order to answer and the ticket stay whole: they are why it is sent.
"""

from zoneinfo import ZoneInfo

import msgspec

from services.notify.port import AlertFact, Facts
from services.notify.wording.figures import (
    limit_words,
    number,
    number_with_exponent,
    since_words,
    unit_words,
)
from services.notify.wording.units import cut, one_line, units

LONGEST_UNITS = 70
"""One SMS in UCS-2 (3GPP TS 23.040: 140 octets)."""
_PLACE_LEAST = 4
"""Characters; contract §5."""
_TITLE_LEAST_UNITS = 4
"""The title keeps this much while the place can still give: a place alone says nothing."""
_ACTION = "请核实处置"


class _Pieces(msgspec.Struct):
    """A text in the making."""

    head: str
    place: str
    title: str
    others: str
    figures: str
    limit: str
    since: str
    action: str
    answer: str
    compact: bool = False
    absent: str = ""
    """Of a territory: how many of its stations are not in the value."""

    def text(self) -> str:
        comma = " " if self.compact else "，"
        opened, closed = (" ", "") if self.compact else ("（限", "）")
        title = self.title + self.others
        # A title that ends like a number must not run into the value.
        gap = " " if title and title[-1:].isascii() and self.figures else ""
        colon = "：" if self.place and (title or self.figures) else ""
        limit = f"{opened}{self.limit}{closed}" if self.limit else ""
        since = f"{comma}{self.since}" + ("" if self.compact else "起")
        since += f"{comma}{self.absent}" if self.absent else ""
        action = f"{comma}{self.action}" if self.action else ""
        answer = f"{comma}{self.answer}" if self.answer else ""
        return f"{self.head}{self.place}{colon}{title}{gap}{self.figures}{limit}{since}{action}{answer}"

    def excess(self) -> int:
        return units(self.text()) - LONGEST_UNITS


def sms_text(facts: Facts, signature: str) -> str:
    """What the phone shows. Never above 70 units, whatever names it is given.

    An empty signature writes none (some providers add their own).
    """
    if facts.kind in ("reply", "handover") or not facts.alerts:
        return cut(_head(facts, signature) + one_line(facts.free_text), LONGEST_UNITS)
    pieces = _pieces(facts, signature, facts.alerts[0])
    if pieces.excess() > 0:
        _shorten(pieces)
    if pieces.excess() > 0:
        _squeeze(pieces, facts, signature)
    return cut(pieces.text(), LONGEST_UNITS)


def _head(facts: Facts, signature: str) -> str:
    signed = f"【{one_line(signature)}】" if one_line(signature) else ""
    drill = "【演练】" if facts.drill else ""
    recovery = "恢复" if facts.kind == "recovery" else ""
    flapping = "反复" if facts.flapping else ""
    resend = "重发" if facts.resend else ""
    again = f"第{facts.nth}次" if facts.nth > 1 else ""
    return signed + drill + recovery + flapping + resend + again


def _pieces(facts: Facts, signature: str, alert: AlertFact) -> _Pieces:
    recovery = facts.kind == "recovery"
    place = one_line(facts.facility_short_name) or one_line(facts.facility_name)
    ticket = f" {facts.ticket}" if facts.ticket else ""
    return _Pieces(
        head=_head(facts, signature),
        place=place or one_line(facts.facility),
        title=one_line(alert.title) or one_line(alert.indicator_name) or one_line(alert.rule),
        others=f"等{len(facts.alerts)}项" if len(facts.alerts) > 1 else "",
        figures="无数据已解除" if recovery and alert.value is None else _figures(alert, False),
        limit="" if alert.value is None or alert.limit is None else limit_words(alert.limit),
        since=since_words(alert.since_us, facts.now_us, alert.interval, ZoneInfo(facts.timezone)),
        action="" if recovery else one_line(alert.action or "") or _ACTION,
        answer="" if recovery else f"回1收到{ticket}",
        absent="" if recovery else _absent(alert),
    )


def _absent(alert: AlertFact) -> str:
    members = alert.members
    missing = 0 if members is None else members.of - members.known
    return f"缺{missing}家" if missing > 0 else ""


def _figures(alert: AlertFact, exponent: bool) -> str:
    if alert.value is None:
        return "无数据"
    write = number_with_exponent if exponent else number
    return write(alert.value) + unit_words(alert.unit)


def _shorten(pieces: _Pieces) -> None:
    """Who is missing, then what to do, then the title, then the place: only as far as needed."""
    pieces.absent = ""
    if pieces.excess() <= 0:
        return
    pieces.action = cut(pieces.action, max(units(pieces.action) - pieces.excess(), 0))
    if len(pieces.action) < 2:
        pieces.action = ""  # one character of an order is no order, and its comma costs as much
    if pieces.excess() > 0:
        pieces.others = ""
    if pieces.excess() > 0:
        left = units(pieces.title) - pieces.excess()
        pieces.title = cut(pieces.title, max(left, _TITLE_LEAST_UNITS))
    while pieces.excess() > 0 and len(pieces.place) > _PLACE_LEAST:
        pieces.place = pieces.place[:-1]
    while pieces.excess() > 0 and pieces.title:
        pieces.title = pieces.title[:-1]


def _squeeze(pieces: _Pieces, facts: Facts, signature: str) -> None:
    """Beyond ordinary names: without ornament, with powers of ten, with less signature."""
    alert = facts.alerts[0]
    pieces.compact = True
    if pieces.excess() > 0 and alert.value is not None:
        pieces.figures = _figures(alert, exponent=True)
        pieces.limit = limit_words(alert.limit, exponent=True) if alert.limit else ""
    shown = one_line(signature)
    while pieces.excess() > 0 and len(shown) > 2:
        shown = shown[:-1]
        pieces.head = _head(facts, shown)
    if pieces.excess() > 0 and alert.value is not None:
        unit = unit_words(alert.unit)
        keep = max(units(unit) - pieces.excess(), 0)
        pieces.figures = number_with_exponent(alert.value) + cut(unit, keep)
