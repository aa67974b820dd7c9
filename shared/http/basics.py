"""What every service answers without a token: healthz, readyz, metrics, problem pages."""

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from shared.errors import Unavailable
from shared.http.problems import problem, problem_pages


def basic_routes(
    registry: CollectorRegistry, ready: Callable[[], str | None], before_metrics: Callable[[], None]
) -> list[Route]:
    """`ready` gives None, or why this service cannot take anything now."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        reason = ready()
        if reason is None:
            return PlainTextResponse("ready\n")
        return problem(503, "log-away", reason, {"Retry-After": "5"})

    async def metrics(_request: Request) -> Response:
        before_metrics()
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
        *problem_pages(),
    ]


def problem_handlers() -> dict[Any, Any]:
    """For Starlette's `exception_handlers`: no such page or method, and our own failures."""

    async def http_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem(error.status_code, "not-found", error.detail, dict(error.headers or {}))

    async def away(_request: Request, error: Exception) -> Response:
        return problem(503, "log-away", f"{error}; ask again", {"Retry-After": "5"})

    async def failure(_request: Request, error: Exception) -> Response:
        return problem(
            500, "log-away", f"the request failed inside ({type(error).__name__}); see the log"
        )

    return {HTTPException: http_error, Unavailable: away, Exception: failure}


def openapi_route(document: dict[str, object]) -> Route:
    async def openapi(_request: Request) -> Response:
        return JSONResponse(document)

    return Route("/openapi.json", openapi)
