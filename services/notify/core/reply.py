"""Reply: what a text that came back means, given what its sender has been told of.

People answer at night with one character; so every way to write it counts (`１`, `1 t7`,
`收到。`), and what cannot be understood changes nothing and is answered in words.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

from services.notify.port import OutstandingTicket, ReplyDecision

_PLACE_CHARACTERS = 10
"""A place in an answer, so that the whole fits one SMS (70 units)."""
_TICKETS_SHOWN = 4

_Order = Literal["received", "on site", "false alarm", "hand over"]
_WORDS: dict[str, _Order] = {
    "1": "received",
    "收到": "received",
    "已收到": "received",
    "1收到": "received",
    "回1收到": "received",
    "2": "on site",
    "到场": "on site",
    "已到场": "on site",
    "0": "false alarm",
    "误报": "false alarm",
    "3": "hand over",
    "转交": "hand over",
}
_BEFORE = re.compile(r"(?P<order>.+?)(?P<ticket>[A-Z][0-9])", re.ASCII)
_AFTER = re.compile(r"(?P<ticket>[A-Z][0-9])(?P<order>.+)", re.ASCII)


def decide(text: str, tickets: Sequence[OutstandingTicket], language: str) -> ReplyDecision:
    """What to do, and what to say.

    Args:
        text: as it came; any Unicode.
        tickets: what the sender has been told of, the newest telling first; resolved ones too
            while their ticket is remembered, so that a late answer is not called wrong.
        language: of the answer, `zh-CN` or `en`.

    A bare order goes to the newest open incident; when others are open the answer names the one
    taken. An incident that is acknowledged or resolved is left as it is, without an answer.

    """
    order, ticket = _read(text)
    if order is None:
        return ReplyDecision("nothing", answer=_not_understood(language), not_understood=True)
    waiting = [each for each in tickets if each.state == "open"]
    if ticket is None:
        if not waiting:
            return ReplyDecision("nothing")
        chosen, others = waiting[0], waiting[1:]
        answer = _taken(order, chosen, others, language) if others else None
        return _act(order, chosen.incident, answer)
    if not any(each.ticket == ticket for each in tickets):
        return ReplyDecision(
            "nothing", answer=_not_his(ticket, waiting, language), not_understood=True
        )
    # A ticket is free again after recovery, so an open incident wins over an older one.
    his = next((each for each in waiting if each.ticket == ticket), None)
    return ReplyDecision("nothing") if his is None else _act(order, his.incident, None)


def _act(order: _Order, incident: str, answer: str | None) -> ReplyDecision:
    if order == "hand over":
        return ReplyDecision("hand_over", incident, answer=answer)
    return ReplyDecision("acknowledge", incident, note=order, answer=answer)


def _read(text: str) -> tuple[_Order | None, str | None]:
    """(order, ticket), both in their plain form; None for what is not there."""
    folded = unicodedata.normalize("NFKC", text).upper()
    # Letters and numbers only: blanks, punctuation, emoji and marks say nothing here.
    said = "".join(char for char in folded if unicodedata.category(char)[0] in "LN")
    if said in _WORDS:
        return _WORDS[said], None
    for form in (_BEFORE, _AFTER):
        match = form.fullmatch(said)
        if match and match["order"] in _WORDS:
            return _WORDS[match["order"]], match["ticket"]
    return None, None


def _short(place: str) -> str:
    return place[:_PLACE_CHARACTERS]


def _listed(tickets: Sequence[OutstandingTicket]) -> str:
    return " ".join(each.ticket for each in tickets[:_TICKETS_SHOWN])


def _taken(
    order: _Order,
    chosen: OutstandingTicket,
    others: Sequence[OutstandingTicket],
    language: str,
) -> str:
    if language == "en":
        return (
            f"{order}: {_short(chosen.place)} {chosen.ticket}. {len(others)} more open: "
            f"{_listed(others)}"
        )
    done = {"received": "收到", "on site": "到场", "false alarm": "误报", "hand over": "转交"}[
        order
    ]
    return (
        f"已记{done}：{_short(chosen.place)} {chosen.ticket}。"
        f"另有{len(others)}起待回：{_listed(others)}，回1加编号"
    )


def _not_understood(language: str) -> str:
    if language == "en":
        return "Reply 1 received, 2 on site, 0 false alarm, 3 pass on"
    return "没有看懂。请回1收到、2到场、0误报、3转交，多起时加编号，如1 T7"


def _not_his(ticket: str, waiting: Sequence[OutstandingTicket], language: str) -> str:
    if language == "en":
        return f"No {ticket} for you. " + (
            f"Yours: {_listed(waiting)}" if waiting else "None open."
        )
    if not waiting:
        return f"您名下没有编号{ticket}，目前也没有待回的预警"
    return f"您名下没有编号{ticket}。待回的有：{_listed(waiting)}"
