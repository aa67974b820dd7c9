"""An ASGI application on a real loopback port, in a thread, for tests with a browser."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """Serve until the block ends; gives the address, such as `http://127.0.0.1:41234`."""
    # Listening before the thread starts: early connections wait in the backlog, nobody polls.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = uvicorn.Config(app, log_level="error", access_log=False, proxy_headers=False)
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run, args=([listener],), name="served", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
