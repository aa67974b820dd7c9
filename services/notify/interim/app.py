"""Notify's loop and its routes, put together: the composition root of this service."""

import threading
from collections.abc import Callable
from typing import Protocol

import structlog

from services.notify.interim.machine import Notify
from shared.clock import Clock
from shared.errors import Unavailable
from shared.model.transition import Transition

log = structlog.get_logger()
BATCH = 100


class TransitionFeed(Protocol):
    """Where transitions come from: rules.db here, a topic elsewhere."""

    def read(self, after_seq: int, limit: int) -> list[tuple[int, Transition]]: ...

    def wait(self, after_seq: int, timeout_s: float) -> bool: ...


def run(
    notify: Notify,
    feed: TransitionFeed,
    clock: Clock,
    tick_us: Callable[[], int],
    stop: threading.Event,
    wake_sender: threading.Event,
) -> None:
    """Take transitions as they come and let time pass every tick, until `stop`."""
    after: int | None = None
    last_tick = -(1 << 62)
    while True:
        try:
            if after is None:
                after = notify.after_seq()
            batch = feed.read(after, BATCH)
            if batch:
                notify.on_transitions(batch, clock.now())
                after = batch[-1][0]
                wake_sender.set()
            steady = clock.steady_us()
            every = tick_us()
            if steady - last_tick >= every:
                notify.late_us = max(2_000_000, 3 * every)
                notify.tick(clock.now(), steady)
                last_tick = steady
                wake_sender.set()
            if not batch:
                if stop.is_set():
                    return
                feed.wait(after, 0.05)
        except Unavailable as error:
            log.error("notify_waiting", detail=str(error))
            after = None
            if stop.wait(1.0):
                return
        except Exception:
            log.exception("notify_step_failed")
            notify.metrics.failures.labels("notify").inc()
            after = None
            if stop.wait(1.0):
                return


def routes(notify, configuration, gate, clock, *, demo):  # type: ignore[no-untyped-def]
    """Interim."""
    import asyncio

    import msgspec
    from starlette.responses import Response
    from starlette.routing import Route

    from services.notify.interim import views
    from services.notify.interim.replies import on_reply
    from shared.http.problems import problem

    def js(x, status=200):  # type: ignore[no-untyped-def]
        return Response(msgspec.json.encode(x), status, media_type="application/json")

    async def many(request):  # type: ignore[no-untyped-def]
        p = gate.request(request)
        if p is None or p.kind == "upstream":
            return problem(401, "unauthorized", "token")
        q = request.query_params
        return js(
            {
                "incidents": await asyncio.to_thread(
                    views.incidents, notify, q.get("state"), q.get("facility"), p.sees
                )
            }
        )

    async def one(request):  # type: ignore[no-untyped-def]
        p = gate.request(request)
        if p is None or p.kind == "upstream":
            return problem(401, "unauthorized", "token")
        found = await asyncio.to_thread(views.incident, notify, request.path_params["id"], p.sees)
        return js(found) if found else problem(404, "not-found", "none")

    async def ack(request):  # type: ignore[no-untyped-def]
        p = gate.request(request)
        body = msgspec.json.decode(await request.body())
        r = await asyncio.to_thread(
            notify.acknowledge,
            request.path_params["id"],
            body["person"],
            "api",
            body.get("note", ""),
            clock.now(),
        )
        if r == "resolved":
            return problem(409, "bad-field", "resolved")
        if r == "unknown-person":
            return problem(422, "bad-field", "person")
        if r:
            return problem(404, "not-found", "none")
        return js(
            await asyncio.to_thread(views.incident, notify, request.path_params["id"], p.sees)
        )

    async def receipt(request):  # type: ignore[no-untyped-def]
        q = request.query_params
        await asyncio.to_thread(
            notify.receipt, request.path_params["channel"], q["id"], int(q["status"]), clock.now()
        )
        return Response()

    async def reply(request):  # type: ignore[no-untyped-def]
        q = request.query_params
        await asyncio.to_thread(
            on_reply,
            notify,
            request.path_params["channel"],
            q["from"],
            q.get("text", ""),
            clock.now(),
        )
        return Response()

    return [
        Route("/v1/incidents", many),
        Route("/v1/incidents/{id}", one),
        Route("/v1/incidents/{id}/acknowledgements", ack, methods=["POST"]),
        Route("/gateway/{channel}/receipt", receipt),
        Route("/gateway/{channel}/reply", reply),
    ]
