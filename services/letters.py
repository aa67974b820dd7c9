"""`yujing dead-letters list | show | redrive`: clients of a running ingest, for operators."""

import sys
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table


def run_list(url: str, token: str, after: int, limit: int, *, as_json: bool) -> int:
    """What was refused after a number, oldest first."""
    answer = _ask(url, token, "GET", "/v1/dead-letters", {"after": after, "limit": limit})
    if answer is None:
        return 1
    if as_json:
        print(_text(answer))
        return 0
    table = Table("id", "at", "from", "reason", "detail", box=None)
    for letter in answer["dead-letters"]:
        source = f"{letter['listener']} {letter['principal']}"
        table.add_row(
            str(letter["id"]), letter["at"], source, letter["reason"], letter["detail"]
        )  # fmt: skip
    Console(soft_wrap=True).print(table)
    return 0


def run_show(url: str, token: str, number: int) -> int:
    """One letter with its bytes."""
    answer = _ask(url, token, "GET", f"/v1/dead-letters/{number}")
    if answer is None:
        return 1
    print(_text(answer))
    return 0


def run_redrive(url: str, token: str, numbers: list[int]) -> int:
    """Judge letters again, as their senders; 1 when one of them was refused again."""
    code = 0
    for number in numbers:
        answer = _ask(url, token, "POST", f"/v1/dead-letters/{number}/redrive")
        if answer is None:
            code = 1
            continue
        print(f"{number}: accepted {answer['accepted']} duplicates {answer['duplicates']}")
    return code


def _ask(
    url: str, token: str, method: str, path: str, query: dict[str, Any] | None = None
) -> dict[str, Any] | None:
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False) as http:
            response = http.request(method, path, params=query)
    except httpx.HTTPError as error:
        reason = type(error).__name__
        print(f"{url} does not answer ({reason}); is yujing running? --url", file=sys.stderr)
        return None
    try:
        answer: dict[str, Any] = response.json()
    except ValueError:
        print(f"{url} answers {response.status_code} and no JSON", file=sys.stderr)
        return None
    if response.is_success:
        return answer
    rejected = answer.get("rejected") or [answer]
    for each in rejected:
        print(f"{path}: {each.get('detail', response.status_code)}", file=sys.stderr)
    return None


def _text(answer: dict[str, Any]) -> str:
    import json

    return json.dumps(answer, ensure_ascii=False, indent=1)
