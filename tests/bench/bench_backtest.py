"""How long a backtest of a year of minutes takes: measured on an hour, whole program path.

    python -m tests.bench.bench_backtest

An hour of 1,000 stations with three indicators each, as JSONL, by what `yujing backtest` calls;
the year is that times 8,760 and is called so in its note. The limit is decoding the lines.
"""

import io
import tempfile
from pathlib import Path
from random import Random
from time import process_time

import msgspec

from services.rules.backtest import backtest
from shared.config.load import load
from shared.model.configuration import Configuration
from shared.testing.configs import Site, duty_site
from tests.bench.table import Row, markdown

STATIONS, MINUTES, YEAR_HOURS = 1_000, 60, 8_760
CODES = ("w01018", "w21003", "w01001")


def hour(path: Path, stations: list[tuple[str, str]]) -> int:
    """Quiet minutes of every station, minute by minute; returns how many reports."""
    with path.open("wb") as file:
        for minute in range(MINUTES):
            at = f"2026-02-24T08:{minute:02}:00+08:00"
            for n, (facility, station) in enumerate(stations):
                readings = [
                    {"indicator": code, "value": 3.0 + (minute * 7 + n + k) % 13 / 10}
                    for k, code in enumerate(CODES)
                ]
                report = {"facility": facility, "station": station, "observed_at": at,
                          "interval": "minute", "readings": readings}  # fmt: skip
                file.write(msgspec.json.encode(report) + b"\n")
    return MINUTES * len(stations)


def site_of() -> tuple[Site, list[tuple[str, str]]]:
    """1,000 stations with a limit on each of three indicators, and ten minutes of silence allowed."""
    sms = "http://127.0.0.1:13013/cgi-bin/sendsms"
    site = duty_site(Random(7), http_port=8620, hj212_port=8621, sms_url=sms, facilities=STATIONS)
    site.documents["rules"]["rules"] = []
    for code in CODES:
        condition = {"threshold": {"indicator": code, "interval": "minute"}}
        site.add_threshold(id=f"limit-{code}", condition=condition)
    silence = {
        "missing": {"indicator": CODES[0], "interval": "minute", "every": "1m", "grace": "10m"}
    }
    site.add_silence("1m", "10m", id="silent", condition=silence)
    return site, [(facility.id, facility.station) for facility in site.facilities]


def configuration(folder: Path) -> tuple[Configuration, list[tuple[str, str]]]:
    site, stations = site_of()
    return load(site.write(folder), site.environment), stations


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configured, stations = configuration(folder / "config")
        path = folder / "hour.jsonl"
        reports = hour(path, stations)
        start = process_time()
        with path.open("rb") as file:
            for line in file:
                msgspec.json.decode(line)
        limit = reports / (process_time() - start)
        start, notes = process_time(), io.StringIO()
        said = sum(1 for _ in backtest(configured, [path], notes))
        took = process_time() - start
    assert not notes.getvalue(), notes.getvalue()[:500]
    year = took * YEAR_HOURS / 3600
    note = f"{said} transitions; a year of {STATIONS:,} stations would take {year:.1f} hours of one core"
    what = f"backtest: minutes of {STATIONS:,} stations, {len(CODES)} readings each, from JSONL"
    return [Row(what, reports / took, "reports/s of one core", "decode only", limit, note)]


if __name__ == "__main__":
    print(markdown(run()))
