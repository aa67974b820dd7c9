"""`yujing backtest --history`: any order of the lines gives the same episodes; the stream does not."""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.scenario.history_house import COD
from tests.scenario.test_conditions import BASIS, FILES


def line(minute: int, value: float | None, **more: Any) -> dict[str, Any]:
    reading: dict[str, Any] = {"indicator": "w01018", "unit": "mg/L"}
    if value is None:
        more["withdrawn"] = True
    else:
        reading["value"] = value
    return {
        "facility": "ww", "observed_at": f"2026-02-03T12:{minute:02}:00+08:00",
        "interval": "realtime", "readings": [reading],
    } | more  # fmt: skip


class Trial:
    def __init__(self, folder: Path) -> None:
        self.config, self.input = folder / "config", folder / "input.jsonl"
        self.config.mkdir()
        rules = f"rules:\n  - {{id: cod, title: {{zh: 化学需氧量}}, {COD}, {BASIS}}}\n"
        for name, content in {**FILES, "rules": rules}.items():
            (self.config / f"{name}.yaml").write_text(content, encoding="utf-8")

    def run(self, lines: list[dict[str, Any]], *flags: str, code: int = 0) -> str:
        self.input.write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "services", "backtest", "--config", str(self.config), *flags,
             str(self.input)],
            capture_output=True, text=True, check=False, env=dict(os.environ),
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout

    def episodes(self, lines: list[dict[str, Any]]) -> list[tuple[str, str | None, float]]:
        found = [json.loads(each) for each in self.run(lines, "--history").splitlines()]
        return [(e["episode"][11:16], (e["ended_at"] or "")[11:16], e["value"]) for e in found]


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


def test_named_cases_from_a_file(trial: Trial) -> None:
    said = [line(0, 20), line(1, 120), line(2, 20), line(9, 20)]
    assert trial.episodes(said) == [("12:01", "12:02", 120.0)]
    assert trial.episodes([*said, line(1, 12), line(1, 12)]) == []
    assert trial.episodes([*said, line(1, 12), line(1, 120)]) == []  # a duplicate, as for ingest
    assert trial.episodes([*said, line(1, None)]) == []
    assert trial.episodes([*said, line(5, 130)])[1] == ("12:05", "12:09", 130.0)


def test_every_order_of_the_lines_gives_the_same_bytes(trial: Trial) -> None:
    random = Random(7)
    lines = [
        line(minute, random.choice([20.0, 57.0, 70.0, 120.0, None]), revision=revision)
        for minute in range(20)
        for revision in range(random.choice([1, 1, 2, 3]))
    ]
    first = trial.run(lines, "--history")
    assert first
    streams = {trial.run(lines)}
    for _ in range(3):
        random.shuffle(lines)
        assert trial.run(lines, "--history") == first
        streams.add(trial.run(lines))
    assert len(streams) > 1, "the live stream is a function of the order"


def test_history_and_a_page_are_one_too_many(trial: Trial, tmp_path: Path) -> None:
    trial.run([line(0, 20)], "--history", "--report", str(tmp_path / "out.html"), code=2)
