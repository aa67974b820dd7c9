"""Why did the province say nothing at ten, and who was missing? From one log, or from its own."""

from pathlib import Path
from typing import Any

import pytest

from services.rules.core.engine import Engine
from services.rules.judged_again import Question
from services.rules.past import Past
from services.rules.series_why import answer
from shared.log.memory import MemoryBundles, MemoryLog
from shared.log.port import REPORTS
from shared.model.configuration import decode_bundle, encode_bundle
from shared.model.instants import parse_instant
from shared.model.report import (
    Activate,
    Record,
    Report,
    Tick,
    encode_contributions,
    encode_envelope,
)
from tests.scenario.test_province_load import Hubei


class Looking:
    """The log of a province, whole, or as the partition of the province alone has it."""

    def __init__(self, folder: Path, *, one_log: bool) -> None:
        self.hubei = Hubei(folder)
        self.log, self.bundles, self.one_log = MemoryLog(), MemoryBundles(), one_log
        bundle = self.hubei.configuration.bundle()
        self.name, body = encode_bundle(bundle)
        self.bundles.put(self.name, body)
        self.others = Engine(lambda _: bundle, alone=False)
        """All the other partitions; what they send to the province is in its log."""
        self.append(Activate(self.name))

    def append(self, record: Record) -> None:
        if self.one_log or not isinstance(record, Report):
            self.log.append(REPORTS, [("", encode_envelope([record]))])
        self.others.apply([record])
        while self.others.sent:
            each = self.others.sent.popleft()
            if each.territory != "420000":
                self.others.apply([each])
            elif not self.one_log:
                self.log.append(REPORTS, [("", encode_contributions([each]))])

    def at(self, time: str) -> Any:
        text = f"2020-02-{time.replace(' ', 'T')}:00+08:00"
        return parse_instant(text, self.hubei.configuration.site.zone)

    def day(self, plant: str, tonnes: float, received: str) -> None:
        self.append(
            Report(
                plant, plant, "day", self.at("24 00:00"), ("mw.disposed_t",), (tonnes,), None,
                self.at(received), "http",
            )
        )  # fmt: skip

    def why(self, time: str) -> dict[str, Any]:
        past = Past(
            self.log, lambda name: decode_bundle(self.bundles.get(name)), lambda: self.name,
            lambda: 0.0, one_log=self.one_log,
        )  # fmt: skip
        asked = Question("420000", "420000-mw", "mw.disposed_t", "day", self.at(time))
        return answer(past.stand(asked), asked, self.hubei.configuration)


@pytest.mark.parametrize("one_log", [True, False])
def test_why_names_who_was_missing(tmp_path: Path, one_log: bool) -> None:
    """At ten the sixth plant was still waited for; an hour later it was unknown, and named."""
    looking = Looking(tmp_path, one_log=one_log)
    for time in ("24 23:00", "25 00:00"):
        looking.append(Tick(looking.at(time)))
    for plant, tonnes in (
        ("wh-1", 50.0),
        ("wh-2", 30.0),
        ("wh-3", 20.0),
        ("xt-1", 5.0),
        ("xt-2", 5.0),
    ):
        looking.day(plant, tonnes, "25 00:00")
    for time in ("25 10:00", "25 11:00", "25 12:00"):
        looking.append(Tick(looking.at(time)))

    early = looking.why("25 10:00")
    assert early["reading"] is None
    assert [rule["state"] for rule in early["rules"]] == ["unknown"]
    late = looking.why("25 11:00")
    assert late["reading"]["value"] == 110.0
    assert late["reading"]["members"] == {"known": 5, "of": 6, "unknown": ["xt-3"]}
    assert [(rule["rule"], rule["state"]) for rule in late["rules"]] == [
        ("territory-load", "firing")
    ]
