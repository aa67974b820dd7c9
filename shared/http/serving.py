"""Serving: a Starlette app on a socket that is bound already, in a thread of its own.

The loop of the thread is there for other listeners too (`beside`): they start before HTTP answers
and end after it.
"""

import asyncio
import signal
import socket
import threading
from collections.abc import Awaitable, Callable

import structlog
import uvicorn
from starlette.applications import Starlette

log = structlog.get_logger()

END = {signal.SIGTERM, signal.SIGINT}
STOP_S = 3
READY_S = 30.0


def block_signals() -> None:
    """Before any thread exists, so that every thread inherits it and `wait_for_end` gets them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, END)


def wait_for_end() -> None:
    """Until SIGTERM or SIGINT, whichever thread the kernel would have chosen."""
    signal.sigwait(END)


class Serving:
    """`start` returns when the port answers; `stop` finishes requests under way."""

    def __init__(
        self,
        http: socket.socket,
        app: Callable[[], Starlette],
        *,
        start_beside: Callable[[], Awaitable[None]] | None = None,
        stop_beside: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._http, self._app = http, app
        self._start_beside, self._stop_beside = start_beside, stop_beside
        self._server: uvicorn.Server | None = None
        self._listening = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="listeners", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._listening.wait(READY_S)
        if self._failed is not None:
            raise self._failed

    def stop(self) -> None:
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(STOP_S + 3)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failed = error
            log.exception("listeners_failed")
        finally:
            self._listening.set()

    async def _serve(self) -> None:
        config = uvicorn.Config(
            self._app(), log_config=None, access_log=False, lifespan="off", server_header=False,
            timeout_graceful_shutdown=STOP_S, timeout_keep_alive=30, limit_concurrency=4_000,
            proxy_headers=False, h11_max_incomplete_event_size=64 * 1024, backlog=2048,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        if self._start_beside is not None:
            await self._start_beside()
        serving = asyncio.ensure_future(self._server.serve(sockets=[self._http]))
        while not self._server.started and not serving.done():  # noqa: ASYNC110  uvicorn has no event
            await asyncio.sleep(0.01)
        self._listening.set()
        await serving
        if self._stop_beside is not None:
            await self._stop_beside()
