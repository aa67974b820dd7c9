"""A request's bytes become items: bounded while they arrive, unpacked, taken apart.

The bounds count what comes out of the decompression, so a small bomb is as large as what it
makes. A body is refused whole here; an item inside it is refused by what it says.
"""

import zlib
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request

from shared.reports.candidate import Candidate, Reason, Rejection
from shared.reports.parse import parse_report, rejection
from shared.reports.plain import plain_report, plain_reports

MOST_BYTES = 16 * 1024 * 1024
MOST_REPORTS = 10_000
PACKED_EXTRA = 64 * 1024
"""Gzip makes incompressible data a little longer."""
MOST_MEMBERS = 1_000
"""Of one gzip body; each costs time even when it holds nothing."""

NDJSON = "application/x-ndjson"
REPORT_TYPES = ("application/json", NDJSON, "text/json")
_BOM = b"\xef\xbb\xbf"
BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_HUGE_NUMBERS = msgspec.json.Decoder(float_hook=float)
"""Reads 1e999 as infinity, so that one number is refused and not the whole body; slower."""
_RAW = msgspec.json.Decoder(list[msgspec.Raw])

Item = tuple[Candidate | Rejection, bytes]
"""What was read, and its bytes for the dead letter."""


class Refused(Exception):
    """The request as a whole is answered with a problem; nothing of it was taken."""

    def __init__(
        self, status: int, name: Reason, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.name, self.detail, self.headers = status, name, detail, headers


async def read_body(request: Request, types: Sequence[str] = REPORT_TYPES) -> tuple[bytes, str]:
    """(the body after decompression, its media type, which is one of `types`).

    Raises:
        Refused: 415, 413 or 400.

    """
    media, _, _ = request.headers.get("content-type", "application/json").partition(";")
    media = media.strip().lower()
    if media not in types:
        raise Refused(
            415, "bad-json", f"content type {media[:64]!r}; send {types[0]} or {types[1]}"
        )
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise Refused(415, "bad-json", f"content encoding {encoding[:64]!r}; send gzip or none")
    unpack = Gunzip() if "gzip" in encoding else None
    chunks: list[bytes] = []
    size = packed = 0
    async for chunk in request.stream():
        packed += len(chunk)
        piece = unpack.feed(chunk, MOST_BYTES + 1 - size) if unpack else chunk
        size += len(piece)
        if size > MOST_BYTES or packed > MOST_BYTES + PACKED_EXTRA:
            raise Refused(
                413,
                "too-large",
                f"over {MOST_BYTES} bytes after decompression; nothing was taken; send it in parts",
            )
        chunks.append(piece)
    if unpack and not unpack.complete:
        raise Refused(400, "bad-json", "the gzip data is cut short")
    return b"".join(chunks), media


def read_items(body: bytes, ndjson: bool, zone: ZoneInfo) -> list[Item]:
    """The reports of a body, in order.

    Raises:
        Refused: 400 for what is not JSON, 413 for too many.

    """
    body = body.removeprefix(_BOM)
    return _lines(body, zone) if ndjson else _document(body, zone)


def _lines(body: bytes, zone: ZoneInfo) -> list[Item]:
    lines = [line for line in body.split(b"\n") if line.strip()]
    check_count(len(lines))
    items: list[Item] = []
    for line in lines:
        plain = plain_report(line, zone)
        if plain is not None:
            items.append((plain, line))
            continue
        try:
            found = decoded(line)
        except BROKEN as error:
            items.append((rejection("bad-json", f"this line is not JSON: {why(error)}"), line))
        else:
            items.append((parse_report(found, zone), line))
    return items


def _document(body: bytes, zone: ZoneInfo) -> list[Item]:
    plain = plain_reports(body, zone)
    if plain is not None:
        check_count(len(plain))
        return list(zip(plain, map(bytes, _RAW.decode(body)), strict=True))
    try:
        found = decoded(body)
    except BROKEN as error:
        raise Refused(400, "bad-json", f"the body is not JSON: {why(error)}") from error
    if not isinstance(found, list):
        return [(parse_report(found, zone), body)]
    check_count(len(found))
    raw = map(bytes, _RAW.decode(body))
    return [(parse_report(item, zone), text) for item, text in zip(found, raw, strict=True)]


def decoded(text: bytes) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.ValidationError:  # the only one there is here: a number out of range
        return _HUGE_NUMBERS.decode(text)


def why(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8; send UTF-8"
    return "it is nested too deep" if isinstance(error, RecursionError) else str(error)


def check_count(count: int) -> None:
    if count > MOST_REPORTS:
        raise Refused(
            413,
            "too-many",
            f"{count} reports; at most {MOST_REPORTS} at once; nothing was taken; "
            "send them in parts",
        )


class Gunzip:
    """Gzip (several members too) that never makes more than it is asked for."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)
        self._members = 1

    @property
    def complete(self) -> bool:
        return self._inflate.eof

    def feed(self, data: bytes, most: int) -> bytes:
        """What `data` unpacks to, at most `most` bytes (at least 1).

        Raises:
            Refused: not gzip.

        """
        made: list[bytes] = []
        size = 0
        while data:
            if self._inflate.eof:
                self._members += 1
                if self._members > MOST_MEMBERS:
                    raise Refused(413, "too-large", f"over {MOST_MEMBERS} gzip members")
                self._inflate = zlib.decompressobj(wbits=31)
            try:
                piece = self._inflate.decompress(data, most - size)
            except zlib.error as error:
                raise Refused(400, "bad-json", f"not gzip: {error}") from error
            made.append(piece)
            size += len(piece)
            if size >= most:
                break
            data = self._inflate.unused_data if self._inflate.eof else b""
        return b"".join(made)
