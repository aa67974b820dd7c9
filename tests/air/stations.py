"""Stations: hourly air series from files of the multi-site data set, by path.

`No,year,month,day,hour,PM2.5,PM10,SO2,NO2,CO,O3,…,station`, missing as `NA`, all in µg/m³, the
hour is the start of its window in local time. Every hour must be there, with or without values.
"""

import csv
import gzip
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
HOUR_US = 3_600_000_000
HOURS_A_DAY = 24
CODES = {"PM2.5": "a34004", "PM10": "a34002", "SO2": "a21026", "NO2": "a21004", "CO": "a21005", "O3": "a05024"}  # fmt: skip


class Station(NamedTuple):
    """`series[code][n]` is the value of the hour that starts n hours after `begin`, or None."""

    name: str
    begin: datetime
    series: dict[str, list[float | None]]

    @property
    def begin_us(self) -> int:
        return round(self.begin.timestamp()) * 1_000_000

    @property
    def hours(self) -> int:
        return len(next(iter(self.series.values())))

    def place(self, at_us: int) -> int:
        """Which hour an instant lies in."""
        return (at_us - self.begin_us) // HOUR_US


def read(folder: Path) -> list[Station]:
    """Every `*.csv` and `*.csv.gz` of a folder, in order of name."""
    return [_station(path) for path in sorted(folder.glob("*.csv*"))]


def _station(path: Path) -> Station:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    series: dict[str, list[float | None]] = {code: [] for code in CODES.values()}
    begin: datetime | None = None
    for count, row in enumerate(csv.DictReader(text.decode().splitlines())):
        at = datetime(
            int(row["year"]), int(row["month"]), int(row["day"]), int(row["hour"]), tzinfo=ZONE
        )
        begin = begin or at
        if at != begin + timedelta(hours=count):
            raise ValueError(f"{path.name}: row {count + 1} is {at}, not the hour after the last")
        for column, code in CODES.items():
            series[code].append(None if row[column] == "NA" else float(row[column]))
    if begin is None:
        raise ValueError(f"{path.name}: no rows")
    return Station(path.name.split(".")[0], begin, series)


def log_rows(stations: list[Station]) -> Iterator[tuple[str, ...]]:
    """All stations hour by hour as a backtest reads them; an hour without values is not reported."""
    yield ("observed_at", "facility", "station", "indicator", "interval", "value", "unit", "flag")
    for hour in range(max(station.hours for station in stations)):
        for station in stations:
            if hour >= station.hours:
                continue
            at = (station.begin + timedelta(hours=hour)).isoformat()
            for code, values in station.series.items():
                value = values[hour]
                if value is not None:
                    name = station.name.lower()
                    yield (at, name, name, code, "hour", f"{value:g}", "µg/m³", "N")
