"""Session: one connection as a machine without I/O; bytes in, things to do out.

Who may speak is decided frame by frame, for a gateway carries many stations on one connection:
CRC of the kind the station is configured for, then MN, then PW. What fails is kept and counted,
gets no answer, and the connection stays open.

An answer says: the log has the record durably. That is also so for a record of a known station
that had to be refused (a time in the future, no code with a meaning): it is kept as a dead letter
from where it can be re-driven, while a logger without an answer would send the same bytes for
days. Uploads that carry nothing we judge (running states, logs, boot times) are treated alike
when they ask for an answer, for three unanswered tries make a logger give up the line.
"""

import re
from collections.abc import Container, Mapping
from zoneinfo import ZoneInfo

import msgspec

from services.ingest.hj212.answers import DATA_ANSWER, NOTICE_ANSWER, NOTICES, answer
from services.ingest.hj212.crc import CrcKind
from services.ingest.hj212.frame import Deframer, Frame, Skipped
from services.ingest.hj212.packet import Packet, parse_packet, redacted
from services.ingest.hj212.readings import UPLOADS, read_upload
from shared.model.facility import Station
from shared.reports.candidate import Candidate, Reason, Rejection

UNFRAMED_LIMIT = 64 * 1024
"""Bytes without a frame after which a connection is closed (contract §3)."""

ANSWERS = frozenset({"9011", "9012", "9013", "9014"})
OTHER_UPLOADS = frozenset({"2013", "2021", "2041", "2052", "2062", "2071", "2081", "2111", "3020"})
"""Uploads of the standards whose content is not judged here."""

_MN = re.compile(r"[A-Za-z0-9_.-]{1,40}\Z", re.ASCII)


class Submit(msgspec.Struct, frozen=True):
    """Hand this to ingest; send `reply` once ingest has it durably, whatever the verdict."""

    item: Candidate | Rejection
    raw: bytes
    """The frame for the dead letter, passwords hidden."""
    mn: str
    reply: bytes | None


class Reply(msgspec.Struct, frozen=True):
    """Send this; nothing has to be durable for it."""

    data: bytes


class LeftOut(msgspec.Struct, frozen=True):
    """Parts of a record that were left out while the rest was taken: to be counted."""

    reason: Reason
    count: int


class Heard(msgspec.Struct, frozen=True):
    """A station spoke on this connection for the first time."""

    mn: str


class Close(msgspec.Struct, frozen=True):
    """Close the connection; nothing after this counts."""

    reason: str


Action = Submit | Reply | LeftOut | Heard | Close


class Session:
    """Feed it bytes; do what it says, in order. One per connection."""

    def __init__(
        self,
        stations: Mapping[str, Station],
        catalogue: Container[str],
        zone: ZoneInfo,
        flags: Mapping[str, Container[str]] = {},
    ) -> None:
        self._stations, self._catalogue, self._zone = stations, catalogue, zone
        self._flags = flags
        self._deframer = Deframer()
        self._unframed = 0
        self._heard: set[str] = set()
        self.skipped_bytes = 0
        self.frames = 0

    @property
    def is_stuck(self) -> bool:
        """A frame may be waiting behind one that never ends; `settle` when nothing comes."""
        return self._deframer.is_stuck

    @property
    def speakers(self) -> frozenset[str]:
        """The stations that have spoken here."""
        return frozenset(self._heard)

    def receive(self, data: bytes) -> list[Action]:
        """What to do after these bytes."""
        actions = self._judge(self._deframer.feed(data))
        if self._unframed + self._deframer.pending >= UNFRAMED_LIMIT and not _closes(actions):
            actions.append(Close("no frame in 64 KiB"))
        return actions

    def settle(self) -> list[Action]:
        """What to do when nothing more comes for some seconds, or at all."""
        return self._judge(self._deframer.settle())

    def _judge(self, pieces: list[Frame | Skipped]) -> list[Action]:
        actions: list[Action] = []
        for piece in pieces:
            if isinstance(piece, Frame):
                self._unframed = 0 if piece.crc else self._unframed + len(piece.raw)
                self.frames += 1
                self._frame(piece, actions)
            else:
                self._unframed += len(piece.data)
                self.skipped_bytes += len(piece.data)
            if self._unframed >= UNFRAMED_LIMIT:
                actions.append(Close("no frame in 64 KiB"))
                break
        return actions

    def _frame(self, frame: Frame, actions: list[Action]) -> None:
        packet = parse_packet(frame.segment)
        mn, cn = packet.get("MN"), packet.get("CN")
        station = self._stations.get(mn)
        refused = _refusal(frame, packet, station)
        if refused is not None:
            shown = mn if _MN.match(mn) else ""
            actions.append(Submit(refused, redacted(frame.raw), shown, None))
            return
        if station is None or frame.kind is None:
            return  # an answer of ours come back, or a device's: nothing to say to it
        if mn not in self._heard:
            self._heard.add(mn)
            actions.append(Heard(mn))
        if cn in UPLOADS:
            self._upload(frame, packet, station, frame.kind, actions)
        elif cn in NOTICES:
            _reply(answer(packet, NOTICE_ANSWER, frame.kind), actions)
        elif cn in OTHER_UPLOADS and packet.wants_answer:
            kept = Rejection(
                "unknown-code",
                "An upload that is not judged",
                f"CN={cn} carries no readings that are judged here; it is kept as it came",
            )
            reply = answer(packet, DATA_ANSWER, frame.kind)
            actions.append(Submit(kept, redacted(frame.raw), mn, reply))

    def _upload(
        self,
        frame: Frame,
        packet: Packet,
        station: Station,
        kind: CrcKind,
        actions: list[Action],
    ) -> None:
        own_flags = self._flags.get(station.id, ())
        found = read_upload(packet, station, self._catalogue, self._zone, own_flags)
        reply = answer(packet, DATA_ANSWER, kind)
        if found.item is None:
            _reply(reply, actions)
            return
        if isinstance(found.item, Candidate):
            # Else the whole frame is the rejection, and counts as one.
            if found.unknown_codes:
                actions.append(LeftOut("unknown-code", len(found.unknown_codes)))
            if found.bad_numbers:
                actions.append(LeftOut("bad-number", len(found.bad_numbers)))
        raw = redacted(frame.raw, packet.get("PW"))
        actions.append(Submit(found.item, raw, packet.get("MN"), reply))


def by_mn(stations: Mapping[str, Station]) -> dict[str, Station]:
    """The stations that speak HJ 212, by MN."""
    return {station.hj212.mn: station for station in stations.values() if station.hj212}


def _closes(actions: list[Action]) -> bool:
    return bool(actions) and isinstance(actions[-1], Close)


def _reply(data: bytes | None, actions: list[Action]) -> None:
    if data is not None:
        actions.append(Reply(data))


def _refusal(frame: Frame, packet: Packet, station: Station | None) -> Rejection | None:
    """Why this frame may not speak; None: it may."""
    if not frame.crc:
        return Rejection(
            "bad-frame",
            "A frame cut short",
            f"declared {frame.declared} bytes, {len(frame.segment)} came and no CRC",
        )
    access = station.hj212 if station else None
    if (wrong := _wrong_crc(frame, access.crc if access else "hj212")) is not None:
        return wrong
    if packet.get("CN") in ANSWERS:
        return None
    if access is None:
        return Rejection(
            "unknown-station",
            "No station has this MN",
            f"MN={packet.get('MN')[:40]!r} stands under hj212 of no station in facilities.yaml",
        )
    if access.password and packet.get("PW") != access.password:
        return Rejection(
            "password",
            "The password is wrong",
            f"PW of MN={access.mn!r} is not the one configured for it under hj212",
        )
    return None


def _wrong_crc(frame: Frame, mode: str) -> Rejection | None:
    if frame.kind is None:
        return Rejection("crc", "The CRC is wrong", _crc_detail(frame))
    is_modbus = frame.kind is not CrcKind.HJ212
    if mode == "any" or is_modbus == (mode == "modbus"):
        return None
    if is_modbus:
        return Rejection(
            "modbus-crc",
            "The CRC is CRC-16/MODBUS, not that of HJ 212",
            "the logger computes plain CRC-16/MODBUS; HJ 212 shifts the register before each "
            "byte (appendix A). Mend the logger, or set crc: modbus (or any) under hj212 of "
            "the station",
        )
    return Rejection(
        "crc",
        "The CRC is that of HJ 212, not CRC-16/MODBUS",
        "the station is configured with crc: modbus, the frame carries the CRC of HJ 212; "
        "set crc: hj212 (or any) under hj212 of the station",
    )


def _crc_detail(frame: Frame) -> str:
    seen = frame.crc.decode("ascii", errors="backslashreplace")
    area = frame.segment.partition(b"CP=&&")[2]
    if area.startswith(b"{0x") or any(byte > 0x7F for byte in area[:16]):
        return f"{seen} fits nothing; CP looks encrypted (HJ 212-2025, 6.4), only plain CP is read"
    return f"{seen} fits neither HJ 212 nor MODBUS: bytes were lost or changed on the line"
