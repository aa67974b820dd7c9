"""A site with shipped packs alone, and what a backtest says of reports to it."""

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from services.rules.backtest import backtest
from shared.config.load import load
from shared.model.configuration import Configuration

SITE = """
version: 1
site: {name: 试, timezone: Asia/Shanghai, language: zh-CN, base_url: "http://127.0.0.1:1", secret_key: 0123456789abcdef0123456789abcdef}
"""
TERRITORIES = """
territories:
  - {id: "420000", name: 湖北省}
  - {id: "420100", name: 武汉市}
"""


def configured(root: Path, packs: Iterable[str], facilities: str) -> Configuration:
    """These packs switched on, with these facilities."""
    root.mkdir(exist_ok=True)
    for name, text in (
        ("site", SITE), ("territories", TERRITORIES), ("facilities", facilities),
        ("rules", f"packs: [{', '.join(packs)}]\n"),
    ):  # fmt: skip
        (root / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load(root, {})


def judged(
    root: Path, config: Configuration, reports: Iterable[dict[str, Any]]
) -> tuple[list[dict[str, Any]], str]:
    """Transitions in their order, and what was refused."""
    log, notes = root / "log.jsonl", io.StringIO()
    log.write_text("".join(json.dumps(report) + "\n" for report in reports), encoding="utf-8")
    said = [msgspec.json.decode(line) for line in backtest(config, [log], notes)]
    return said, notes.getvalue()


def day(facility: str, date: str, **values: float) -> dict[str, Any]:
    """The medical-waste figures of one day, as `collected_t=47`."""
    readings = [{"indicator": f"mw.{name}", "value": value} for name, value in values.items()]
    at = f"{date}T00:00:00+08:00"
    return {"facility": facility, "observed_at": at, "interval": "day", "readings": readings}


def measured(
    facility: str, at: str, interval: str, code: str, value: float, unit: str | None = None
) -> dict[str, Any]:
    """One reading of one report."""
    reading = {"indicator": code, "value": value, **({"unit": unit} if unit else {})}
    return {"facility": facility, "observed_at": at, "interval": interval, "readings": [reading]}


def lines(said: Iterable[dict[str, Any]]) -> list[str]:
    return [f"{t['state']} {t['severity']} {t['rule']} {t['at'][:10]}" for t in said]
