"""Labelled series in a folder: CSV files `timestamp,value`, and `windows.json` with what is odd."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple


class Labelled(NamedTuple):
    """Times are seconds; `warm` is when the warming up is over (the first 15 %)."""

    name: str
    times: list[float]
    values: list[float]
    windows: list[tuple[float, float]]

    @property
    def warm(self) -> float:
        return self.times[int(len(self.times) * 0.15)]

    @property
    def days(self) -> float:
        return (self.times[-1] - self.warm) / 86_400


def read(folder: Path) -> list[Labelled]:
    """Every CSV that windows.json names; a file it names by a path may lie flat as `a__b.csv`."""
    labels: dict[str, list[list[str]]] = json.loads((folder / "windows.json").read_text("utf-8"))
    found = []
    for name, windows in sorted(labels.items()):
        path = next(
            (p for p in (folder / name, folder / name.replace("/", "__")) if p.exists()), None
        )
        if path is not None:
            spans = [(seconds(a), seconds(b)) for a, b in windows]
            found.append(Labelled(name, *_columns(path), spans))
    return found


def _columns(path: Path) -> tuple[list[float], list[float]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(seconds(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)]
    return [at for at, _ in rows], [value for _, value in rows]


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
