"""`POST /v1/reports` in all its forms, and the dead letters for operators.

Bounds come first: 16 MiB and 10,000 reports, both after decompression; over them nothing is
taken. A whole-body error is one problem; an item's error is one of `rejected`.
"""

import asyncio
import zlib
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from services.ingest import dead_letters
from services.ingest.port import Submission
from shared.access import Gate, Principal
from shared.errors import SlowDown, Unavailable
from shared.http.problems import item_problem, problem
from shared.log.port import Log
from shared.reports.candidate import Accepted, Candidate, Duplicate, Rejection, Source, Verdict
from shared.reports.parse import parse_report, rejection

MOST_BYTES = 16 * 1024 * 1024
MOST_REPORTS = 10_000
BIG_BYTES = 64 * 1024
"""Bodies above this are decoded on another thread, so that small ones are not kept waiting."""
PATIENCE_S = 10.0
"""A sender that waits longer for the log is told to slow down."""

_JSON_TYPES = ("application/json", "application/x-ndjson", "text/json")
Item = tuple[Candidate | Rejection, bytes]


class _Refused(Exception):
    def __init__(self, response: Response) -> None:
        self.response = response


def routes(submission: Submission, gate: Gate, zone: ZoneInfo, log: Log) -> list[Route]:
    api = ReportsApi(submission, gate, zone, log)
    return [
        Route("/v1/reports", api.post, methods=["POST"]),
        Route("/v1/dead-letters", api.letters, methods=["GET"]),
        Route("/v1/dead-letters/{id:int}", api.letter, methods=["GET"]),
    ]


class ReportsApi:
    def __init__(self, submission: Submission, gate: Gate, zone: ZoneInfo, log: Log) -> None:
        self._submission, self._gate, self._zone, self._log = submission, gate, zone, log

    async def post(self, request: Request) -> Response:
        try:
            principal = self._principal(request, "upstream")
            body, ndjson = await self._body(request)
            if len(body) > BIG_BYTES:
                items = await asyncio.to_thread(self._items, body, ndjson)
            else:
                items = self._items(body, ndjson)
            verdicts = await self._verdicts(request, principal, items)
        except _Refused as refused:
            return refused.response
        except ClientDisconnect:
            return Response(status_code=400)
        return _answer(verdicts)

    def _principal(self, request: Request, kind: str) -> Principal:
        principal = self._gate.principal(request.headers.get("authorization"))
        if principal is None:
            raise _Refused(
                problem(
                    401,
                    "unauthorized",
                    "give the token as Authorization: Bearer TOKEN",
                    {"WWW-Authenticate": "Bearer"},
                )
            )
        if principal.kind != kind:
            raise _Refused(
                problem(
                    403,
                    "forbidden",
                    f"this is a token of kind {principal.kind}; one of kind {kind} is needed",
                )
            )
        return principal

    async def _body(self, request: Request) -> tuple[bytes, bool]:
        media, _, _ = request.headers.get("content-type", "application/json").partition(";")
        media = media.strip().lower()
        if media not in _JSON_TYPES:
            raise _Refused(
                problem(
                    415,
                    "bad-json",
                    f"content type {media[:64]!r}; send application/json or application/x-ndjson",
                )
            )
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip", ""):
            raise _Refused(
                problem(415, "bad-json", f"content encoding {encoding[:64]!r}; send gzip or none")
            )
        unpack = _Gunzip() if "gzip" in encoding else None
        chunks: list[bytes] = []
        size = 0
        async for chunk in request.stream():
            piece = unpack.feed(chunk, MOST_BYTES + 1 - size) if unpack else chunk
            size += len(piece)
            if size > MOST_BYTES:
                raise _Refused(
                    problem(
                        413,
                        "too-large",
                        f"over {MOST_BYTES} bytes after decompression; "
                        "nothing was taken; send it in parts",
                    )
                )
            chunks.append(piece)
        if unpack and not unpack.complete:
            raise _Refused(problem(400, "bad-json", "the gzip data is cut short"))
        return b"".join(chunks), media == "application/x-ndjson"

    def _items(self, body: bytes, ndjson: bool) -> list[Item]:
        return self._lines(body) if ndjson else self._json(body)

    def _lines(self, body: bytes) -> list[Item]:
        lines = [line for line in body.split(b"\n") if line.strip()]
        _check_count(len(lines))
        items: list[Item] = []
        for line in lines:
            try:
                decoded = msgspec.json.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                items.append((rejection("bad-json", f"this line is not JSON: {error}"), line))
            else:
                items.append((parse_report(decoded, self._zone), line))
        return items

    def _json(self, body: bytes) -> list[Item]:
        try:
            decoded = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _Refused(problem(400, "bad-json", f"the body is not JSON: {error}")) from error
        if not isinstance(decoded, list):
            return [(parse_report(decoded, self._zone), body)]
        _check_count(len(decoded))
        raw = [bytes(item) for item in msgspec.json.decode(body, type=list[msgspec.Raw])]
        return [
            (parse_report(item, self._zone), text) for item, text in zip(decoded, raw, strict=True)
        ]

    async def _verdicts(
        self, request: Request, principal: Principal, items: list[Item]
    ) -> list[Verdict]:
        source = Source("http", principal.id, principal.facilities)
        try:
            if request.query_params.get("dry_run") == "1":
                return await asyncio.to_thread(self._submission.dry_run, items, source)
            if not items:
                return []
            waiting = asyncio.wrap_future(self._submission.submit(items, source))
            return await asyncio.wait_for(asyncio.shield(waiting), PATIENCE_S)
        except (SlowDown, TimeoutError) as error:
            raise _Refused(
                problem(
                    429,
                    "slow-down",
                    "the log is slower than its senders; send it again after Retry-After",
                    {"Retry-After": "2"},
                )
            ) from error
        except Unavailable as error:
            raise _Refused(
                problem(
                    503,
                    "log-away",
                    f"{error}; nothing was taken, send it again",
                    {"Retry-After": "5"},
                )
            ) from error

    async def letters(self, request: Request) -> Response:
        return await self._for_operator(request, self._listing)

    async def letter(self, request: Request) -> Response:
        return await self._for_operator(request, self._one)

    async def _for_operator(
        self, request: Request, read: Callable[[Request], Response]
    ) -> Response:
        try:
            self._principal(request, "operator")
            return await asyncio.to_thread(read, request)
        except _Refused as refused:
            return refused.response

    def _listing(self, request: Request) -> Response:
        try:
            after = int(request.query_params.get("after", "0"))
            limit = min(max(int(request.query_params.get("limit", "100")), 1), 1000)
        except ValueError:
            return problem(400, "bad-number", "after and limit are whole numbers")
        found = dead_letters.listing(self._log, self._zone, after, limit)
        return _json({"dead-letters": found, "next": found[-1]["id"] if found else after})

    def _one(self, request: Request) -> Response:
        found = dead_letters.one(self._log, self._zone, request.path_params["id"])
        if found is None:
            return problem(404, "not-found", "there is no dead letter of this number")
        return _json(found)


def _check_count(count: int) -> None:
    if count > MOST_REPORTS:
        raise _Refused(
            problem(
                413,
                "too-many",
                f"{count} reports; at most {MOST_REPORTS} at once; nothing "
                "was taken; send them in parts",
            )
        )


def _answer(verdicts: list[Verdict]) -> Response:
    rejected = [
        item_problem(index, verdict)
        for index, verdict in enumerate(verdicts)
        if isinstance(verdict, Rejection)
    ]
    body: dict[str, Any] = {
        "accepted": sum(isinstance(verdict, Accepted) for verdict in verdicts),
        "duplicates": sum(isinstance(verdict, Duplicate) for verdict in verdicts),
        "rejected": rejected,
    }
    if len(rejected) == len(verdicts):
        detail = "every item was refused; see rejected" if verdicts else "there was no report"
        return problem(422, rejected_name(verdicts), detail, **body)
    return _json(body, 202)


def rejected_name(verdicts: list[Verdict]) -> Any:
    """The reason of the first item names the problem as a whole."""
    first = verdicts[0] if verdicts else None
    return first.reason if isinstance(first, Rejection) else "bad-field"


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


class _Gunzip:
    """Gzip that never makes more than it is asked for."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)

    @property
    def complete(self) -> bool:
        return self._inflate.eof

    def feed(self, data: bytes, most: int) -> bytes:
        made: list[bytes] = []
        size = 0
        while data:
            try:
                piece = self._inflate.decompress(data, most - size)
            except zlib.error as error:
                raise _Refused(problem(400, "bad-json", f"not gzip: {error}")) from error
            made.append(piece)
            size += len(piece)
            data = self._inflate.unconsumed_tail
            if size >= most:
                break
            if self._inflate.eof:
                data = self._inflate.unused_data
                if data:  # another member follows
                    self._inflate = zlib.decompressobj(wbits=31)
        return b"".join(made)
