"""Frames out of a byte stream: cut anywhere, glued, wrongly measured, with garbage between.

    ##  0101  QN=…;CP=&&RtdInterval=30&&  1C80  CR LF
    head      data segment (`declared`)   CRC   tail, optional

The declared length decides, as long as what stands there can be the end of a frame; where it is
wrong the frame ends at the first `&&` + four digits + line end (or the next `##`). What a stream
means never depends on how it was cut: a frame is the earliest end that fits, except that a
quoted frame inside log text (it has a `##` of its own) never ends the frame around it early.
"""

import re
from typing import NamedTuple

from services.ingest.hj212.crc import CrcKind, diagnose, hj212_crc

MAX_FRAME = 10_240
"""Bytes from `##` on. The standard says 1,036; public logs hold 1,703, four digits allow 9,999."""

_GUESSES = 8
"""Ends tried by CRC in one frame: enough for any real one, a bound for hostile bytes."""

_HEAD_BYTES = 24
_HEAD = re.compile(rb"##(\d{0,4})[\s,;]{0,3}[A-Za-z]{2,6}\s{0,4}=")
_CLOSE = re.compile(rb"&&([0-9A-Fa-f]{4})(?=[\r\n]|##)|##(?=\d)")
_CLOSE_AT_END = re.compile(rb"&&[0-9A-Fa-f]{4}\s*\Z")
_BARE_CRC = re.compile(rb"([0-9A-Fa-f]{4})(?=[\r\n])")
_HEX4 = re.compile(rb"[0-9A-Fa-f]{4}\Z")


class Frame(NamedTuple):
    """One frame as it stood in the stream, good or bad; `raw` is without its line end."""

    raw: bytes
    segment: bytes
    declared: int | None
    """The length it claims; None when it claims none."""
    crc: bytes
    """What stands where the CRC belongs; empty when the frame was cut short."""
    kind: CrcKind | None
    """The algorithm that made the CRC; None: none that is known, or the frame is damaged."""

    @property
    def length_ok(self) -> bool:
        return self.declared == len(self.segment)


class Skipped(NamedTuple):
    """Bytes that belong to no frame."""

    data: bytes


class Deframer:
    """Feed it what arrives; it never holds more than one unfinished frame."""

    def __init__(self) -> None:
        self._pending = b""
        self._forget()

    @property
    def pending(self) -> int:
        """Bytes held back until it is clear what they are."""
        return len(self._pending)

    @property
    def is_stuck(self) -> bool:
        """Waiting for a declared length, though a whole frame may stand in what is held.

        True after a frame that declared more than it has, or was cut off by its sender. When
        nothing more comes for some seconds, `settle` decides with what is there.
        """
        held = self._pending
        return held.find(b"##", 2) > 0 or _CLOSE_AT_END.search(held) is not None

    def feed(self, data: bytes) -> list[Frame | Skipped]:
        """What the new bytes complete, in order."""
        return self._run(self._pending + data if self._pending else data, final=False)

    def settle(self) -> list[Frame | Skipped]:
        """Nothing more comes: everything held becomes frames or skipped bytes."""
        return self._run(self._pending, final=True)

    def _run(self, data: bytes, *, final: bool) -> list[Frame | Skipped]:
        found: list[Frame | Skipped] = []
        at, size = 0, len(data)
        garbage = 0  # where the bytes that belong to no frame begin
        while at < size:
            head = data.find(b"##", at)
            if head < 0:
                at = size if final or data[-1] != 0x23 else size - 1
                break
            if head != at:
                self._forget()
            at = head
            match = _HEAD.match(data, at)
            if match is None:
                if size - at < _HEAD_BYTES and not final:
                    break
                at += 1
                self._forget()
                continue
            digits = match[1]
            end = self._end(data, at, int(digits) if digits else None, len(digits), final=final)
            if end is None:
                if size - at < MAX_FRAME and not final:
                    break
                at += 2
                self._forget()
                continue
            if garbage < at:
                self._skip(found, data[garbage:at])
            frame, at = end
            garbage = at
            found.append(frame)
            self._forget()
        if garbage < at:
            self._skip(found, data[garbage:at])
        if final:
            at = size
        self._pending = data[at:]
        return found

    def _forget(self) -> None:
        """What is known of the frame at the head of the buffer: nothing yet."""
        self._scanned = 0  # bytes from its `##` in which no early end stands
        self._guesses = 0
        self._quoted = False

    @staticmethod
    def _skip(found: list[Frame | Skipped], data: bytes) -> None:
        # Line ends between frames are no garbage.
        if data.strip(b"\r\n"):
            found.append(Skipped(data))

    def _end(
        self, data: bytes, start: int, declared: int | None, digits: int, *, final: bool
    ) -> tuple[Frame, int] | None:
        """The frame that starts at `start` and where it ends; None: not to be said yet."""
        body = start + 2 + digits
        limit = min(len(data), start + MAX_FRAME)
        if declared is not None:
            close = body + declared
            whole = close + 4 <= len(data)
            early = self._early(data, start, body, min(len(data), close + 4))
            if early is not None:
                return self._frame(data, start, body, declared, early)
            if not whole and not final:
                return None
            if whole and (end := _at_length(data, body, close)) is not None:
                return self._frame(data, start, body, declared, end)
        return self._measured(data, start, body, limit, declared, final=final)

    def _early(self, data: bytes, start: int, body: int, limit: int) -> tuple[int, int] | None:
        """A fitting end before the declared one, unless a quoted frame stands before it."""
        if self._quoted or (
            data.find(b"\n", body, limit) < 0
            and data.find(b"\r", body, limit) < 0
            and data.find(b"##", body, limit) < 0
        ):
            return None
        at = max(body, start + self._scanned)
        while (match := _CLOSE.search(data, at, limit)) is not None:
            if match[1] is None or self._guesses == _GUESSES:
                self._quoted = True
                return None
            self._guesses += 1
            segment_end = match.start() + 2
            if diagnose(data[body:segment_end], match[1]) is not None:
                return segment_end, segment_end + 4
            at = match.start() + 1
        # The next search begins where a match that was cut off may begin: 8 bytes are enough.
        self._scanned = max(0, limit - start - 8)
        return None

    def _measured(
        self, data: bytes, start: int, body: int, limit: int, declared: int | None, *, final: bool
    ) -> tuple[Frame, int] | None:
        """Where a frame ends whose length is wrong or absent."""
        close = _CLOSE.search(data, body, limit)
        stop = limit if close is None else close.start() + (2 if close[1] else 0)
        # A relay may have lost the closing &&: then only a CRC that fits makes an end.
        for bare, _ in zip(_BARE_CRC.finditer(data, body, stop), range(_GUESSES), strict=False):
            if int(bare[1], 16) == hj212_crc(data[body : bare.start()]):
                return self._frame(data, start, body, declared, (bare.start(), bare.start() + 4))
        if close is not None and close[1] is not None:
            return self._frame(data, start, body, declared, (stop, stop + 4))
        if close is None and not final:
            return None
        if close is None and limit - start >= MAX_FRAME:
            return None
        # Cut short: by the next frame, or by the end of everything.
        text = data[body:stop].rstrip(b"\r\n")
        end = body + len(text)
        if _HEX4.search(text) and (
            text[-6:-4] == b"&&" or diagnose(text[:-4], text[-4:]) is not None
        ):
            return self._frame(data, start, body, declared, (end - 4, end))
        return self._frame(data, start, body, declared, (end, end))

    @staticmethod
    def _frame(
        data: bytes, start: int, body: int, declared: int | None, ends: tuple[int, int]
    ) -> tuple[Frame, int]:
        segment_end, end = ends
        segment = data[body:segment_end]
        crc = data[segment_end:end]
        kind = diagnose(segment, crc) if crc else None
        return Frame(data[start:end], segment, declared, crc, kind), end


def _at_length(data: bytes, body: int, close: int) -> tuple[int, int] | None:
    """The end of a frame whose declared length is believable, else None.

    Believable is a CRC that fits, or a closing `&&` (not the opening one) at the right place with
    anything after it: a wrong CRC, two raw bytes, none at all.
    """
    segment = data[body:close]
    if segment[-2:] == b"&&" and segment[-3:-2] != b"=":
        crc = data[close : close + 4]
        for stop in (b"\r", b"\n", b"##"):
            crc = crc.split(stop, 1)[0]
        return close, close + len(crc)
    crc = data[close : close + 4]
    if _HEX4.match(crc) and int(crc, 16) == hj212_crc(segment):
        return close, close + 4
    return None
