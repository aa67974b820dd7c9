"""Dead letters as operators read them: a page of them, or one with its bytes."""

from typing import Any
from zoneinfo import ZoneInfo

from shared.log.port import DEAD_LETTERS, Log, Position
from shared.model.instants import instant_text
from shared.reports.dead_letter import DeadLetter, decode

FURTHEST = 1 << 62
"""Positions that a caller gives are cut here: the log counts in 64 bits."""


def listing(log: Log, zone: ZoneInfo, after: int, limit: int) -> list[dict[str, Any]]:
    """Letters after a position, oldest first, without their bytes."""
    batch = log.read(DEAD_LETTERS, 0, Position(min(after, FURTHEST) + 1), limit)
    return [_object(entry.position, decode(entry.value), zone) for entry in batch.entries]


def one(log: Log, zone: ZoneInfo, position: int) -> dict[str, Any] | None:
    """One letter with its bytes as text; what is no UTF-8 is shown escaped."""
    letter = letter_at(log, position)
    if letter is None:
        return None
    return _object(position, letter, zone) | {"raw": letter.raw.decode("utf-8", "backslashreplace")}


def letter_at(log: Log, position: int) -> DeadLetter | None:
    """The letter that stands exactly there."""
    batch = log.read(DEAD_LETTERS, 0, Position(min(position, FURTHEST)), 1)
    if not batch.entries or batch.entries[0].position != position:
        return None
    return decode(batch.entries[0].value)


def _object(position: int, letter: DeadLetter, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "id": int(position),
        "at": instant_text(letter.at_us, zone),
        "listener": letter.listener,
        "principal": letter.principal,
        "reason": letter.reason,
        "title": letter.title,
        "detail": letter.detail,
        "pointer": letter.pointer,
        "facility": letter.facility,
    }
