"""Dead letters: what was refused, why, and the bytes to try again with. A topic of the log."""

import re
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from shared.log.port import DEAD_LETTERS, Log, Position
from shared.model.instants import Instant, instant_text

LONGEST_RAW = 64 * 1024
_PASSWORD = re.compile(rb"\bPW=[^;]*", re.IGNORECASE)


class DeadLetter(msgspec.Struct, frozen=True, array_like=True):
    """One refused item. `raw` is cut at 64 KiB and carries no HJ 212 password."""

    at_us: Instant
    listener: str
    principal: str
    reason: str
    title: str
    detail: str
    pointer: str
    facility: str
    raw: bytes


def redacted(raw: bytes) -> bytes:
    return _PASSWORD.sub(b"PW=", raw[:LONGEST_RAW])


def encode(letter: DeadLetter) -> bytes:
    return msgspec.msgpack.encode(letter)


def listing(log: Log, zone: ZoneInfo, after: int, limit: int) -> list[dict[str, Any]]:
    """Letters after a position, oldest first, without their bytes."""
    batch = log.read(DEAD_LETTERS, 0, Position(after + 1), limit)
    return [_object(entry.position, entry.value, zone) for entry in batch.entries]


def one(log: Log, zone: ZoneInfo, position: int) -> dict[str, Any] | None:
    """One letter with its bytes as text; what is no UTF-8 is shown escaped."""
    batch = log.read(DEAD_LETTERS, 0, Position(position), 1)
    if not batch.entries or batch.entries[0].position != position:
        return None
    value = batch.entries[0].value
    letter = msgspec.msgpack.decode(value, type=DeadLetter)
    return _object(position, value, zone) | {"raw": letter.raw.decode("utf-8", "backslashreplace")}


def _object(position: int, value: bytes, zone: ZoneInfo) -> dict[str, Any]:
    letter = msgspec.msgpack.decode(value, type=DeadLetter)
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
