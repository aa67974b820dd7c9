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
    """Every CSV that windows.json names; a file it names by a path may lie flat as `a__b.csv`.

    Raises:
        ValueError: what cannot be read, with its place.

    """
    windows_file = folder / "windows.json"
    try:
        labels: dict[str, list[list[str]]] = json.loads(windows_file.read_text("utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"{windows_file} does not exist; give the folder in which it lies beside its series"
        ) from None
    except ValueError as error:
        raise ValueError(f"{windows_file} is not JSON: {error}") from error
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
    rows = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for n, row in enumerate(csv.DictReader(file), 2):
            try:
                rows.append((seconds(row["timestamp"]), float(row["value"])))
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(
                    f"{path} line {n}: expected `timestamp,value`, saw {row}: {error}"
                ) from error
    if not rows:
        raise ValueError(f"{path} has no row under its header `timestamp,value`")
    return [at for at, _ in rows], [value for _, value in rows]


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
