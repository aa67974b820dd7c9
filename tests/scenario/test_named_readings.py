"""Readings that are easily judged wrongly: around midnight, and before a silence."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import pytest

from services.rules.core.engine import Engine
from shared.config.load import load
from shared.model.configuration import encode_bundle
from shared.model.instants import Instant
from shared.model.report import Activate, Record, Report, Tick
from tests.scenario.test_conditions import BASIS, FILES

MINUTE = 60_000_000
Judged = Callable[[str, Iterable[Record]], list[str]]


def at(text: str) -> Instant:
    return Instant(int(datetime.fromisoformat(f"{text}+08:00").timestamp()) * 1_000_000)


def ticks(first: str, last: str, every: int = 1) -> list[Record]:
    """Ingest listens, minute by minute."""
    return [Tick(Instant(us)) for us in range(at(first), at(last) + 1, every * MINUTE)]


@pytest.fixture
def judged(tmp_path: Path) -> Judged:
    """Transitions in words, of one rule on COD of one hospital."""

    def judge(rules: str, records: Iterable[Record]) -> list[str]:
        site = FILES["site"] + "timing: {deaf_after: 5m}\n"
        for name, content in {**FILES, "site": site, "rules": f"rules:\n{rules}"}.items():
            (tmp_path / f"{name}.yaml").write_text(content, encoding="utf-8")
        configuration = load(tmp_path, {})
        bundle = configuration.bundle()
        name, _ = encode_bundle(bundle)
        engine = Engine({name: bundle}.__getitem__)
        said = engine.apply([Activate(name), *records])
        zone = configuration.site.zone
        return [
            f"{t.rule} {t.state} {t.cause} "
            f"{datetime.fromtimestamp(t.at_us / 1e6, zone):%m-%d %H:%M} {t.value}"
            for t in said
        ]

    return judge


DAILY = (
    "  - {id: late, applies: {kind: hospital_wastewater}, condition: {missing: {indicator: w01018, "
    'interval: day, due: "10:00", grace: 30m}}, levels: [{severity: yellow}], ' + BASIS + "}\n"
)


def day(of: str, value: float = 40.0) -> Report:
    return Report("ww", "ww", "day", at(f"{of}T00:00"), ("w01018",), (value,), None, 0, "http")


@pytest.mark.parametrize("arrives", ["2026-02-03T23:59", "2026-02-04T00:01"])
def test_a_daily_report_counts_for_its_day_on_either_side_of_midnight(
    judged: Judged, arrives: str
) -> None:
    """A minute before the day is over or a minute after it: that day has reported, once."""
    records = [
        *ticks("2026-02-03T20:00", arrives),
        day("2026-02-03"),
        *ticks(arrives, "2026-02-05T12:00"),
    ]
    assert judged(DAILY, records) == ["late firing missing 02-05 10:30 None"]


def test_a_day_that_begins_is_no_day_that_ended(judged: Judged) -> None:
    """A first figure of the new day, just after midnight, excuses nobody from the day before…

    …but it is of a later slot, which contract §8.11 takes as a sign of life: nothing is missing.
    """
    records = [
        *ticks("2026-02-03T20:00", "2026-02-04T00:01"),
        day("2026-02-04"),
        *ticks("2026-02-04T00:01", "2026-02-05T12:00"),
    ]
    assert judged(DAILY, records) == []


def test_what_is_pending_fires_although_the_station_falls_silent(judged: Judged) -> None:
    """Too high at 8:00, then not a word: it fires at 8:10, the silence at 8:32; nothing recovers."""
    rules = (
        "  - {id: high, applies: {kind: hospital_wastewater}, condition: {threshold: {indicator: "
        'w01018, interval: realtime}}, levels: [{severity: orange, raise: "> 60", clear: "< 54"}], '
        f"for: 10m, {BASIS}}}\n"
        "  - {id: silent, applies: {kind: hospital_wastewater}, condition: {missing: {indicator: "
        f"w01018, interval: realtime, every: 30m, grace: 2m}}}}, levels: [{{severity: blue}}], {BASIS}}}\n"
    )

    def reading(time: str, value: float) -> Report:
        return Report("ww", "ww", "realtime", at(time), ("w01018",), (value,), None, 0, "http")

    first, last = "2026-02-03T08:00", "2026-02-03T11:00"
    silent = [
        *ticks("2026-02-03T07:50", first), reading(first, 75.0), *ticks(first, last),
    ]  # fmt: skip
    assert judged(rules, silent) == [
        "high pending raised 02-03 08:00 75.0",
        "high firing raised 02-03 08:10 75.0",
        "silent firing missing 02-03 08:32 None",
    ]
    back = [*silent, reading(last, 50.0), *ticks(last, "2026-02-03T11:02")]
    assert judged(rules, back)[3:] == [
        "high resolved cleared 02-03 11:00 50.0",
        "silent resolved reported 02-03 11:00 None",
    ]
