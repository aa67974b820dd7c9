"""A data directory is a log: backtest says of it again what the running program said."""

import io
from pathlib import Path
from random import Random

import msgspec
import pytest

from services.rules.backtest import backtest, run
from services.rules.core.engine import Engine
from shared.config.load import load
from shared.log.port import REPORTS
from shared.log.sqlite import SqliteLog
from shared.model.configuration import Configuration, encode_bundle
from shared.model.instants import Instant, parse_instant
from shared.model.report import Activate, Record, Report, Tick, encode_envelope
from shared.model.transition import transition_object
from shared.testing.configs import duty_site

MINUTE, TICK = 60_000_000, 5_000_000


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    site = duty_site(
        Random(3), http_port=1, hj212_port=2, sms_url="http://127.0.0.1:3/x", facilities=3
    )
    site.documents["site"]["timing"]["deaf_after"] = "30s"
    site.add_threshold(
        id="limit", condition={"threshold": {"indicator": "w01018", "interval": "minute"}}
    )
    site.add_silence("1m", "3m", id="silent", condition={
        "missing": {"indicator": "w01018", "interval": "minute", "every": "1m", "grace": "3m"}
    })  # fmt: skip
    return load(site.write(tmp_path_factory.mktemp("of-data") / "config"), site.environment)


def night(random: Random, configuration: Configuration) -> list[list[Record]]:
    """Envelopes of some hours: reports up and down, silent stations, an ingest that was down."""
    first = parse_instant("2026-02-24T08:00:00+08:00", configuration.site.zone)
    stations = [(s.facility, s.id) for s in configuration.stations.values()]
    envelopes: list[list[Record]] = []
    down = random.randrange(30, 90)
    for minute in range(150):
        if down <= minute < down + 20:
            continue
        at = Instant(first + minute * MINUTE)
        records: list[Record] = [Tick(Instant(at - MINUTE + n * TICK)) for n in range(1, 13)]
        for facility, station in stations:
            if random.random() < 0.5:
                value = random.choice([1.0, 1.0, 1.0, 5_000.0])
                records.append(
                    Report(facility, station, "minute", at, ("w01018",), (value,), None, at, "http")
                )
        envelopes.append(records)
    return envelopes


@pytest.mark.parametrize("seed", range(5))
def test_a_log_is_judged_as_it_was(configuration: Configuration, tmp_path: Path, seed: int) -> None:
    bundle, zone = configuration.bundle(), configuration.site.zone
    name, _ = encode_bundle(bundle)
    envelopes = night(Random(seed), configuration)
    log = SqliteLog(tmp_path / "log.db")
    log.append(REPORTS, [("", encode_envelope([Activate(name)]))])
    for records in envelopes:
        log.append(REPORTS, [("", encode_envelope(records))])
    log.close()
    engine = Engine({name: bundle}.__getitem__)
    engine.apply([Activate(name)])
    expected = [
        msgspec.json.encode(transition_object(each, zone))
        for records in envelopes
        for each in engine.apply(records)
    ]
    causes = {msgspec.json.decode(each)["cause"] for each in expected}
    assert {"raised", "cleared", "missing", "reported"} <= causes
    notes = io.StringIO()
    assert list(backtest(configuration, [tmp_path], notes)) == expected
    assert not notes.getvalue()


def test_a_directory_without_a_log_is_refused(
    configuration: Configuration, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(configuration, [tmp_path], None) == 1
    assert "no such file, and no data directory with a log.db" in capsys.readouterr().err
