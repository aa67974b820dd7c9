"""Asking a running service over HTTP: its answer, or one sentence for whoever typed the command."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx

TIMEOUT_S = 10.0
Answer = dict[str, Any]
Ask = Callable[[httpx.Client], httpx.Response]


class Failed(Exception):
    """A sentence for the one who typed the command."""


def answer_of(url: str, token: str, ask: Ask) -> Answer:
    """What the service answered.

    Raises:
        Failed: it did not answer, or refused; the sentence says what to do.

    """
    if not token:
        raise Failed(
            "no token: set YUJING_TOKEN to the token of an officer or operator of access.yaml"
        )
    try:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        # trust_env=False: a proxy of the environment must not see tokens of the duty room.
        with httpx.Client(
            base_url=url, headers=headers, timeout=TIMEOUT_S, trust_env=False
        ) as client:
            response = ask(client)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise Failed(f"--url {url!r} is no address such as http://127.0.0.1:8620") from error
    except UnicodeEncodeError as error:
        raise Failed("YUJING_TOKEN holds signs that no token has; set it again") from error
    except httpx.TimeoutException as error:
        raise Failed(f"{url} did not answer within {TIMEOUT_S:.0f} s; try again") from error
    except httpx.TransportError as error:
        raise Failed(
            f"nobody answers at {url}; start `yujing serve`, or give the address of the service "
            "with --url or YUJING_URL"
        ) from error
    return _read(url, response)


def _read(url: str, response: httpx.Response) -> Answer:
    try:
        body = response.json()
    except ValueError:
        body = None
    if response.is_success and isinstance(body, dict):
        return body
    detail = body.get("detail") if isinstance(body, Mapping) else None
    said = detail if isinstance(detail, str) else f"HTTP {response.status_code}"
    if response.status_code == 401:
        raise Failed(f"{url} does not know this token; check YUJING_TOKEN against access.yaml")
    if detail is None:
        raise Failed(f"{url} answered {said}, which Yujing does not; check --url or YUJING_URL")
    raise Failed(said)
