"""The commands `dead-letters list show redrive`: of a running ingest, or of a data directory.

With a token they ask over HTTP; without one `list` and `show` read the log in the directory,
which is safe beside a running service. They give an exit code: 0, or 1 with a sentence.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from services.ingest import dead_letters
from shared.errors import Unavailable
from shared.http.client import Answer, Failed, answer_of
from shared.log.sqlite import SqliteLog

PAGE = 1_000
UTC = ZoneInfo("UTC")
T = TypeVar("T")


class Letters:
    """Where the letters are: `url` with a token, else the log in `data`."""

    def __init__(self, url: str, token: str, data: Path | None, zone: ZoneInfo = UTC) -> None:
        self._url, self._token, self._zone = url, token, zone
        self._data = None if token else data

    def page(self, after: int) -> list[dict[str, Any]]:
        if self._data is not None:
            return self._read(lambda log: dead_letters.listing(log, self._zone, after, PAGE))
        asked: dict[str, int] = {"after": after, "limit": PAGE}
        answer = self._ask("GET", "", params=asked)
        found: list[dict[str, Any]] = answer["dead-letters"]
        return found

    def one(self, number: int) -> Answer:
        if self._data is None:
            return self._ask("GET", f"/{number}")
        found = self._read(lambda log: dead_letters.one(log, self._zone, number))
        if found is None:
            raise Failed(f"there is no dead letter {number}")
        return found

    def redrive(self, number: int) -> Answer:
        if self._data is not None:
            raise Failed(
                "redrive needs a running ingest: give --token (YUJING_TOKEN) of an operator"
            )
        return self._ask("POST", f"/{number}/redrive")

    def _ask(self, method: str, path: str, **more: Any) -> Answer:
        return answer_of(
            self._url,
            self._token,
            lambda client: client.request(method, f"/v1/dead-letters{path}", **more),
        )

    def _read(self, ask: Callable[[SqliteLog], T]) -> T:
        assert self._data is not None
        path = self._data / "log.db"
        if not path.is_file():
            raise Failed(f"{path}: there is no log; give the data directory with --data")
        log = SqliteLog(path)
        try:
            return ask(log)
        finally:
            log.close()


def run_list(letters: Letters, *, as_json: bool = False) -> int:
    """Each letter on a line: number, time, where from, why; or a JSON object a line."""

    def show() -> None:
        after = 0
        while found := letters.page(after):
            for letter in found:
                print(json.dumps(letter, ensure_ascii=False) if as_json else _line(letter))
            after = found[-1]["id"]

    return _told(show)


def run_show(letters: Letters, number: int) -> int:
    """All that is known of one letter, and its bytes."""
    return _told(lambda: print(json.dumps(letters.one(number), ensure_ascii=False, indent=2)))


def run_redrive(letters: Letters, numbers: list[int]) -> int:
    """Judge each again; 1 when one was refused again."""
    worst = 0
    for number in numbers:
        worst = max(worst, _told(lambda number=number: _redriven(letters, number)))  # type: ignore[misc]  # mypy cannot infer a default of a lambda
    return worst


def _redriven(letters: Letters, number: int) -> None:
    answer = letters.redrive(number)
    print(f"{number}: {'accepted' if answer['accepted'] else 'known already'}")


def _told(show: Callable[[], None]) -> int:
    try:
        show()
    except (Failed, Unavailable) as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def _line(letter: dict[str, Any]) -> str:
    where = " ".join(str(letter[name]) for name in ("listener", "principal", "facility"))
    return (
        f"{letter['id']}  {letter['at']}  {letter['reason']}  {where.strip()}  {letter['detail']}"
    )
