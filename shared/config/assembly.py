"""What every part of the assembly needs: items with their lines, and findings that collect."""

from collections.abc import Container, Iterable, Iterator
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from shared.config.nodes import Document, Finding, KeyPath
from shared.config.schema.rules import PackFile
from shared.config.validate import Left
from shared.model.configuration import Indicator
from shared.model.instants import Instant, local_midnight, parse_instant

Parts = dict[str, list[tuple[Document, Any]]]
Packs = dict[str, tuple[Document, PackFile]]

_LIST = {
    "territory": "territories", "facility": "facilities", "person": "people",
    "channel": "channels", "rule": "rules", "inhibit": "inhibits", "dictionary of flags": "flags", "sheet": "sheets",
    "station": "stations",
}  # fmt: skip


class Item:
    """One item of a list, with where it stands."""

    def __init__(self, document: Document, path: KeyPath, model: Any) -> None:
        self.document, self.path, self.model = document, path, model

    def finding(self, text: str, *keys: str | int, warning: bool = False) -> Finding:
        """Say `text` at the line of `keys` inside this item, or of the nearest that exists."""
        line = self.document.line((*self.path, *keys))
        return Finding(self.document.file, line, text, warning)


class Assembly:
    """Collects findings while the parts are built; nothing is raised."""

    def __init__(
        self, parts: Parts, packs: Packs, shipped: dict[str, Indicator], left: Left
    ) -> None:
        self.parts, self.packs, self.left = parts, packs, left
        self.indicators = dict(shipped)
        self.findings: list[Finding] = []
        self.zone = ZoneInfo("Asia/Shanghai")
        """Until the site says another: only errors come of it when it cannot."""

    def items(self, name: str, key: str | None = None) -> Iterator[Item]:
        """Every item of a list over all files of one part, in the order they are read."""
        key = key or name
        for document, model in self.parts[name]:
            entries = getattr(model, key)
            places = document.places(key, len(entries))
            for place, entry in zip(places, entries, strict=True):
                yield Item(document, (key, place), entry)

    def unique(self, what: str, items: Iterable[Item]) -> dict[str, Item]:
        """Items by id; a second one of an id is an error."""
        kept: dict[str, Item] = {}
        for item in items:
            first = kept.setdefault(item.model.id, item)
            if first is not item:
                at = f"{first.document.file}:{first.document.line((*first.path, 'id'))}"
                text = f"{what} {item.model.id!r} exists already ({at}); give another id"
                self.fail(item, text, "id")
                self.left.ids.setdefault(str(item.path[0]), set()).add(item.model.id)
        return kept

    def fail(self, item: Item, text: str, *keys: str | int) -> None:
        self.findings.append(item.finding(text, *keys))

    def warn(self, item: Item, text: str, *keys: str | int) -> None:
        self.findings.append(item.finding(text, *keys, warning=True))

    def known(
        self, item: Item, what: str, name: str, among: Container[str], *keys: str | int
    ) -> None:
        """A reference must resolve; to something that is itself wrong it may."""
        if name not in among and not self.left.knows(_LIST[what], name):
            self.fail(item, f"{what} {name!r} does not exist; add it or correct it", *keys)

    def moment(self, item: Item, text: str, *keys: str | int) -> Instant | None:
        """A time, or a date, which means its first instant in site time."""
        try:
            if len(text) == len("2026-03-01"):
                return local_midnight(date.fromisoformat(text), self.zone)
            return parse_instant(text, self.zone)
        except (ValueError, OverflowError):
            shown = text if len(text) <= 60 else text[:57] + "..."
            said = f"{shown!r} is neither a date nor a time; give 2026-02-01T08:00:00+08:00"
            self.fail(item, f"{keys[-1]}: {said}", *keys)
            return None
