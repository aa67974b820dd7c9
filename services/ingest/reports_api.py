"""`POST /v1/reports` in all its forms, and the dead letters for operators.

A whole-body error is one problem (services.ingest.bodies); an item's error is one of `rejected`.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from services.ingest import dead_letters
from services.ingest.bodies import NDJSON, REPORT_TYPES, Item, Refused, read_body, read_items
from services.ingest.events import BATCH, STRUCTURED, read_events
from services.ingest.port import Submission
from shared.access import Gate, Principal
from shared.errors import SlowDown, Unavailable
from shared.http.problems import item_problem, problem
from shared.log.port import Log
from shared.observe.metrics import Metrics
from shared.reports.candidate import Accepted, Duplicate, Listener, Rejection, Source, Verdict

EVENT_TYPES = (STRUCTURED, BATCH, "application/json")
Reading = Callable[[bytes, str, Request], list[Item]]
Describing = Callable[[int, Rejection], dict[str, Any]]
"""What is said of a refused item."""
BIG_BYTES = 64 * 1024
"""Bodies above this, and sheets, are read on another thread: small ones are not kept waiting."""
PATIENCE_S = 10.0
"""A sender that waits longer for the log is told to slow down."""


class ReportsApi:
    def __init__(
        self, submission: Submission, gate: Gate, zone: ZoneInfo, log: Log, metrics: Metrics
    ) -> None:
        self._submission, self._gate, self._zone, self._log = submission, gate, zone, log
        self._metrics = metrics
        self.patience_s = PATIENCE_S

    def routes(self) -> list[Route]:
        return [
            Route("/v1/reports", self.post, methods=["POST"]),
            Route("/v1/events", self.events, methods=["POST"]),
            Route("/v1/dead-letters", self.letters, methods=["GET"]),
            Route("/v1/dead-letters/{id:int}", self.letter, methods=["GET"]),
            Route("/v1/dead-letters/{id:int}/redrive", self.redrive, methods=["POST"]),
        ]

    async def post(self, request: Request) -> Response:
        return await self.take(request, REPORT_TYPES, self._reports)

    async def events(self, request: Request) -> Response:
        """The same report as the data of CloudEvents 1.0."""
        return await self.take(request, EVENT_TYPES, self._events)

    async def take(
        self, request: Request, types: Sequence[str], read: Reading, listener: Listener = "http",
        describe: Describing = item_problem,
    ) -> Response:  # fmt: skip
        """A body of reports, whatever its form: read, judged, logged, answered."""
        try:
            principal = self.principal(request, "upstream")
            body, media = await read_body(request, types)
            if len(body) > BIG_BYTES or listener == "sheet":
                items = await asyncio.to_thread(read, body, media, request)
            else:
                items = read(body, media, request)
            source = Source(listener, principal.id, principal.facilities)
            dry = request.query_params.get("dry_run") == "1"
            verdicts = await self._verdicts(source, items, dry=dry)
        except Refused as refused:
            return self.refuse(refused)
        except ClientDisconnect:
            return Response(status_code=400)
        return _answer(verdicts, describe)

    def _reports(self, body: bytes, media: str, _request: Request) -> list[Item]:
        return read_items(body, media == NDJSON, self._zone)

    def _events(self, body: bytes, media: str, request: Request) -> list[Item]:
        return read_events(body, media, request.headers, self._zone)

    def principal(self, request: Request, kind: str) -> Principal:
        principal = self._gate.principal(request.headers.get("authorization"))
        if principal is None:
            raise Refused(
                401,
                "unauthorized",
                "give the token as Authorization: Bearer TOKEN",
                {"WWW-Authenticate": "Bearer"},
            )
        if principal.kind != kind:
            raise Refused(
                403,
                "forbidden",
                f"this is a token of kind {principal.kind}; one of kind {kind} is needed",
            )
        return principal

    def refuse(self, refused: Refused) -> Response:
        """The answer to a request that was refused as a whole."""
        self._metrics.rejections.labels(refused.name).inc()
        return problem(refused.status, refused.name, refused.detail, refused.headers)

    async def _verdicts(self, source: Source, items: list[Item], *, dry: bool) -> list[Verdict]:
        try:
            if dry:
                return await asyncio.to_thread(self._submission.dry_run, items, source)
            if not items:
                return []
            return await self._durable(items, source)
        except SlowDown as error:
            raise Refused(
                429,
                "slow-down",
                "the log is slower than its senders; send it again after Retry-After",
                {"Retry-After": "2"},
            ) from error
        except Unavailable as error:
            raise Refused(
                503, "log-away", f"{error}; send the same again", {"Retry-After": "5"}
            ) from error

    async def _durable(self, items: list[Item], source: Source) -> list[Verdict]:
        """Wait for the log; who has waited long enough is taken out of the queue again."""
        submitted = self._submission.submit(items, source)
        waiting = asyncio.wrap_future(submitted)
        waiting.add_done_callback(_looked_at)
        for _ in range(2):
            done, _ = await asyncio.wait({waiting}, timeout=self.patience_s)
            if done:
                return waiting.result()
            if submitted.cancel():
                raise SlowDown("it stood in the queue for too long")
        # The log has had it for seconds and says nothing.
        raise Unavailable("the log does not answer; whether it has this nobody can tell")

    async def letters(self, request: Request) -> Response:
        return await self._for_operator(request, self._listing)

    async def letter(self, request: Request) -> Response:
        return await self._for_operator(request, self._one)

    async def _for_operator(
        self, request: Request, read: Callable[[Request], Response]
    ) -> Response:
        try:
            self.principal(request, "operator")
            return await asyncio.to_thread(read, request)
        except Refused as refused:
            return self.refuse(refused)
        except Unavailable as error:
            return problem(503, "log-away", str(error), {"Retry-After": "5"})

    async def redrive(self, request: Request) -> Response:
        """Judge a refused report once more, with the rights its sender has now."""
        try:
            self.principal(request, "operator")
            number = request.path_params["id"]
            letter = await asyncio.to_thread(dead_letters.letter_at, self._log, number)
            if letter is None:
                raise Refused(404, "not-found", "there is no dead letter of this number")
            if letter.listener != "http":
                raise Refused(
                    422, "bad-frame", "only reports of HTTP can be judged again; a device repeats"
                )
            sender = self._gate.by_id(letter.principal)
            if sender is None or sender.kind != "upstream":
                raise Refused(
                    422, "forbidden", f"access.yaml knows no upstream {letter.principal!r} any more"
                )
            items = read_items(letter.raw, ndjson=False, zone=self._zone)
            source = Source("http", sender.id, sender.facilities)
            return _answer(await self._verdicts(source, items, dry=False))
        except Refused as refused:
            return self.refuse(refused)
        except Unavailable as error:
            return problem(503, "log-away", str(error), {"Retry-After": "5"})

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


def _looked_at(waiting: "asyncio.Future[list[Verdict]]") -> None:
    """Whoever asked may have stopped waiting; then nobody else looks at a failure."""
    if not waiting.cancelled():
        waiting.exception()


def _answer(verdicts: list[Verdict], describe: Describing = item_problem) -> Response:
    rejected = [
        describe(index, verdict)
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
