"""The running program and `yujing backtest` say the same about one log, killed in between or not."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.log.port import REPORTS, Position
from shared.log.sqlite import SqliteLog
from shared.model.instants import instant_text
from shared.model.report import Activate, Report, Tick, decode_envelope
from shared.testing.configs import STATION_CODE, Facility, Site
from shared.testing.program import ROOT, Program, free_ports, now_text, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]
ZONE = ZoneInfo("Asia/Shanghai")


def site(rng: Random) -> Site:
    http, hj212 = free_ports(2)
    made = Site(rng, http, hj212)
    for _ in range(4):
        made.add_facility()
    made.add_threshold()
    made.add_threshold(**{"for": "700ms", "keep_firing_for": "900ms", "unknown": "alert"})
    made.add_silence("1s", "300ms")
    return made


def random_report(site: Site, rng: Random) -> dict[str, Any]:
    facility: Facility = rng.choice(site.facilities[:3])
    value = round(site.low * rng.choice([0.5, 0.85, 0.95, 1.2, 1.7, 2.2]), 3)
    return {
        "facility": facility.id, "observed_at": now_text(rng.choice([0, 0, 0, -0.4, -30])),
        "interval": "realtime",
        "readings": [
            {"indicator": STATION_CODE, "value": value, "flag": rng.choice("NNNNNNSTDB")},
            {"indicator": "w01001", "value": 7.1},
        ],
    }  # fmt: skip


def recorded(data: Path) -> list[dict[str, Any]]:
    """The judged log as lines for a backtest: what was accepted, and every tick."""
    log, lines, position = SqliteLog(data / "log.db"), [], Position(0)
    while batch := log.read(REPORTS, 0, position).entries:
        position = Position(batch[-1].position + 1)
        for entry in batch:
            for record in decode_envelope(entry.value):
                lines += [] if isinstance(record, Activate) else [line_of(record)]
    log.close()
    return lines


def line_of(record: Report | Tick) -> dict[str, Any]:
    if isinstance(record, Tick):
        return {"tick": instant_text(record.at_us, ZONE)}
    readings = [
        {"indicator": indicator, "value": value, "flag": record.flag(index)}
        for index, (indicator, value) in enumerate(
            zip(record.indicators, record.values, strict=True)
        )
    ]
    return {
        "facility": record.facility, "station": record.station, "interval": record.interval,
        "observed_at": instant_text(record.observed_us, ZONE), "readings": readings,
    }  # fmt: skip


def backtested(program: Program, file: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "services", "backtest", "--config", str(program.config), str(file)],
        cwd=ROOT, env=program.child_environment(), capture_output=True, check=True,
    )  # fmt: skip
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("seed", [1, 2])
def test_live_equals_backtest_over_a_kill(tmp_path: Path, seed: int) -> None:
    """Every accepted report is judged once, in log order, and numbered without a gap."""
    rng = Random(seed)
    with Program(site(rng), tmp_path / "现场 1") as program:
        sent: list[dict[str, Any]] = []
        for round_ in range(40):
            batch = [random_report(program.site, rng) for _ in range(rng.randint(1, 5))]
            batch += rng.sample(sent, min(len(sent), 1))
            sent += batch
            assert program.post(batch).status_code == 202
            threading.Event().wait(0.05)
            if round_ == 20:
                program.kill()
                program.start()
        silent = program.site.facilities[3].id
        until(lambda: any(t["facility"] == silent for t in program.transitions()))
        assert program.stop() == 0
        program.start()
        live = program.transitions()
        program.kill()
    lines = recorded(program.data)
    # What came after `live` was read is left out: the log goes on with ticks.
    file = tmp_path / "log.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    expected = backtested(program, file)
    assert [t["seq"] for t in live] == list(range(1, len(live) + 1))
    assert len({t["id"] for t in live}) == len(live) > 20
    bare = [{k: v for k, v in t.items() if k not in ("id", "seq")} for t in live]
    assert bare == expected[: len(live)]
    assert len(expected) - len(live) < 10
