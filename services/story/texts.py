"""Texts of the story: what appeared on phones since the last look, asked of notify."""

import httpx
import msgspec


class Text(msgspec.Struct, frozen=True):
    person: str
    text: str


class Texts:
    """What was there before the first look is not news."""

    def __init__(self, http: httpx.Client, operator: dict[str, str]) -> None:
        self._http, self._operator = http, operator
        self._known: set[str] = set()
        self.new()

    def new(self) -> list[Text]:
        """In the order in which a provider took them."""
        answer = self._http.get("/v1/texts", headers=self._operator)
        answer.raise_for_status()
        found = [each for each in answer.json()["texts"] if each["notification"] not in self._known]
        self._known.update(each["notification"] for each in found)
        return [Text(each["name"], each["text"]) for each in found]
