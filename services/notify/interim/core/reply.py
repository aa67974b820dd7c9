"""Replies: what a person meant by a text (contract §5). Pure.

`1` received, `2` on site, `0` false alarm acknowledge; `3` hands over. Full-width digits,
`收到`, and blanks or punctuation around are understood; a ticket may follow or precede.
"""

import re
import unicodedata
from typing import Literal

import msgspec

Meaning = Literal["received", "on_site", "false_alarm", "hand_over"]
_CODES: dict[str, Meaning] = {
    "1": "received", "2": "on_site", "0": "false_alarm", "3": "hand_over", "收到": "received",
}  # fmt: skip
MEANING_ZH: dict[Meaning, str] = {
    "received": "收到", "on_site": "已到现场", "false_alarm": "误报", "hand_over": "转交",
}  # fmt: skip
_AROUND = re.compile(r"^[\W_]+|[\W_]+$")
_REPLY = re.compile(
    r"(?P<code>[0123]|收到)[\W_]*(?P<ticket>[A-Z][2-9])?\Z"
    r"|(?P<ticket2>[A-Z][2-9])[\W_]*(?P<code2>[0123]|收到)\Z"
)
LONGEST = 500


class Reply(msgspec.Struct, frozen=True):
    """Meaning, and the ticket when one was given."""

    meaning: Meaning
    ticket: str | None


def understand(text: str) -> Reply | None:
    """None: not understood."""
    plain = unicodedata.normalize("NFKC", text[:LONGEST]).upper()
    plain = _AROUND.sub("", plain)
    match = _REPLY.match(plain)
    if match is None:
        return None
    code = match["code"] or match["code2"]
    return Reply(_CODES[code], match["ticket"] or match["ticket2"])


def plain_number(number: str) -> str:
    """A number without blanks, hyphens, and without +86, 0086 or 86 before eleven digits."""
    digits = re.sub(r"[\s\-‐-―]", "", unicodedata.normalize("NFKC", number))
    match = re.match(r"(?:\+86|0086|86)(\d{11})\Z", digits)
    return match[1] if match else digits


class Open(msgspec.Struct, frozen=True):
    """One incident the person was told of, that is neither acknowledged nor resolved."""

    incident: str
    ticket: str
    told_us: int
    place: str
    person: str = ""


class Decision(msgspec.Struct, frozen=True):
    """What to do: `act` on an incident, and words to answer with, if any."""

    incident: str | None = None
    meaning: Meaning | None = None
    words: str = ""
    confused: bool = False
    """Answered in words, at most three times an hour."""


HELP = "未能识别您的回复。请回复 1 收到、2 已到现场、0 误报、3 转交，可加编号，如 1 T7"


def decide(text: str, opened: list[Open], own_tickets: dict[str, str]) -> Decision:
    """What a reply does.

    Args:
        opened: incidents of this person that still wait for an answer.
        own_tickets: ticket to incident of everything he was told of that is not resolved, also
            what is acknowledged already.

    """
    reply = understand(text)
    if reply is None:
        return Decision(words=HELP, confused=True)
    if reply.ticket is not None:
        for one in opened:
            if one.ticket == reply.ticket:
                return Decision(one.incident, reply.meaning)
        if reply.ticket in own_tickets:
            return Decision()
        listed = "、".join(sorted(one.ticket for one in opened))
        hint = f"您待答复的编号：{listed}" if listed else "您目前没有待答复的预警"
        return Decision(words=f"编号 {reply.ticket} 不是您的。{hint}", confused=True)
    if not opened:
        return Decision()
    newest = max(opened, key=lambda one: (one.told_us, one.ticket))
    words = ""
    if len(opened) > 1:
        others = "、".join(sorted(one.ticket for one in opened if one is not newest))
        words = (
            f"已按「{MEANING_ZH[reply.meaning]}」记入 {newest.place} {newest.ticket}。"
            f"另有待答复：{others}，请回复如 1 {others.split('、')[0]}"
        )
    return Decision(newest.incident, reply.meaning, words)
