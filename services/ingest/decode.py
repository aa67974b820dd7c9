"""`yujing decode hj212`: what is in a capture, one JSON object per line.

A header field stands in the object as the frame carries it, and is absent when it does not; a
header that is only read with forgiveness (`FLAG=`, `,MN=`) stands under `read_as` beside. What is no frame becomes
`{"error": …}`; where a piece still reads as a data segment (a relay ate the `##`, the sender was
cut off), its fields stand beside the error, so that a person sees what was lost.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO

import msgspec

from services.ingest.hj212.crc import CrcKind, diagnose
from services.ingest.hj212.frame import Deframer, Frame, Skipped
from services.ingest.hj212.packet import nested, parse_packet, plain_header
from services.ingest.hj212.sm4 import TEST_KEY, decrypt

_HEADER = ("QN", "ST", "CN", "PW", "MN", "Flag", "PNUM", "PNO", "RF")
_PRINTED = re.compile(rb"\{((?:\s*0x[0-9A-Fa-f]{2}\s*,?)+)\}")
_SEGMENT = re.compile(rb"[A-Za-z]{2,4}\s*=[^=]*;.*CP\s*=\s*&", re.DOTALL)
_TAIL = re.compile(rb"(.*&&)([0-9A-Fa-f]{4})\s*\Z", re.DOTALL)
_SHOWN = 60


def decode_lines(data: bytes, key: bytes = TEST_KEY) -> Iterator[dict[str, Any]]:
    """
    One object per frame or per line of what is none, in the order of the bytes.

    Frames of 2025 whose CP is encrypted are read with `key`, by default the test key of the
    standard; with another key they stand here undecrypted, with `crc_ok` false.
    """
    deframer = Deframer()
    for piece in (*deframer.feed(data), *deframer.settle()):
        if isinstance(piece, Skipped):
            yield from _no_frames(piece.data)
        else:
            yield _frame_object(piece, key)


def decode_stream(source: BinaryIO, out: TextIO) -> int:
    """
    Print the objects of `source`; the exit code.

    0 when there was anything to read, also when some of it was no frame; 1 when no frame at
    all could be read.
    """
    readable = 0
    for item in decode_lines(source.read()):
        readable += "CP" in item
        out.write(msgspec.json.encode(item).decode() + "\n")
    return 0 if readable else 1


def _frame_object(frame: Frame, key: bytes) -> dict[str, Any]:
    segment, kind, length_ok = frame.segment, frame.kind, frame.length_ok
    if kind is None and (plain := _decrypted(segment, key)) is not None:
        plain_kind = diagnose(plain, frame.crc)
        if plain_kind is not None:
            # The length is that of the text before encryption, or what was really sent.
            segment, kind = plain, plain_kind
            length_ok = length_ok or frame.declared == len(plain)
    shown = _segment_object(segment, crc_ok=kind is CrcKind.HJ212, length_ok=length_ok)
    if not frame.crc:
        return {"error": "the frame is cut short: there is no CRC where one belongs", **shown}
    if kind in (CrcKind.MODBUS, CrcKind.MODBUS_SWAPPED):
        shown["crc_kind"] = kind.value
    return shown


def _segment_object(segment: bytes, *, crc_ok: bool, length_ok: bool) -> dict[str, Any]:
    packet = parse_packet(segment)
    exact = plain_header(segment)
    shown: dict[str, Any] = {name: exact[name] for name in _HEADER if name in exact}
    shown["CP"] = nested(packet.groups)
    shown["CP_groups"] = packet.groups
    shown["crc_ok"] = crc_ok
    shown["length_ok"] = length_ok
    if packet.header != exact:
        shown["read_as"] = packet.header
    return shown


def _decrypted(segment: bytes, key: bytes) -> bytes | None:
    """The segment with its CP in clear; None when it has none."""
    at = segment.find(b"CP=&&")
    if at < 0 or not segment.endswith(b"&&"):
        return None
    head, area = segment[: at + 5], segment[at + 5 : -2]
    if (printed := _PRINTED.match(area)) is not None:
        numbers = re.findall(rb"0x([0-9A-Fa-f]{2})", printed[1])
        area = bytes(int(number, 16) for number in numbers) + area[printed.end() :]
    return head + decrypt(area, key) + b"&&"


def _no_frames(data: bytes) -> Iterator[dict[str, Any]]:
    for line in re.split(rb"[\r\n]+", data):
        if not line.strip():
            continue
        seen = line[:_SHOWN].decode("utf-8", errors="backslashreplace")
        more = "" if len(line) <= _SHOWN else f" … ({len(line)} bytes)"
        error = {"error": f"no frame: {seen}{more}"}
        if _SEGMENT.search(line) is None:
            yield error
            continue
        tail = _TAIL.match(line)
        segment = line if tail is None else tail[1]
        yield {**error, **_segment_object(segment, crc_ok=False, length_ok=False)}
