"""Dead letters: what was refused, why, and the bytes to try again with. A topic of the log."""

import re

import msgspec

from shared.model.instants import Instant

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


def decode(value: bytes) -> DeadLetter:
    return msgspec.msgpack.decode(value, type=DeadLetter)
