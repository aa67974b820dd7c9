"""The ledger: published and composed figures of medical waste, one report a row."""

import csv
from datetime import date, datetime, timedelta
from datetime import time as wall_time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from shared.model.instants import Instant, from_datetime

COLUMNS = {
    "capacity_t": "mw.capacity_t",
    "standby_t": "mw.standby_t",
    "generated_t": "mw.generated_t",
    "collected_t": "mw.collected_t",
    "disposed_t": "mw.disposed_t",
    "epidemic_t": "mw.epidemic_t",
    "carry_over_t": "mw.carry_over_t",
    "backlog_t": "mw.backlog_t",
}


class Row(msgspec.Struct, frozen=True):
    """One territory on one day; tonnes. `composed` figures join several published ones."""

    day: date
    territory: str
    name: str
    readings: dict[str, float]
    composed: bool
    note: str

    @property
    def facility(self) -> str:
        return f"{self.territory}-mw"

    def report(self) -> dict[str, Any]:
        """The report as `POST /v1/reports` takes it."""
        return {
            "id": f"ledger-{self.territory}-{self.day.isoformat()}",
            "facility": self.facility,
            "observed_at": self.day.isoformat() + "T00:00:00",
            "interval": "day",
            "readings": [
                {"indicator": indicator, "value": value, "unit": "t"}
                for indicator, value in self.readings.items()
            ],
        }


def read(path: Path) -> list[Row]:
    """All rows, by day as in the file. Empty cells were not published and are not sent."""
    rows = []
    with path.open(encoding="utf-8", newline="") as file:
        for cells in csv.DictReader(file):
            rows.append(
                Row(
                    day=date.fromisoformat(cells["date"]),
                    territory=cells["territory"],
                    name=cells["name"],
                    readings={COLUMNS[c]: float(cells[c]) for c in COLUMNS if cells[c]},
                    composed=cells["status"] == "composed",
                    note=cells["note"],
                )
            )
    return rows


def due(day: date, zone: ZoneInfo) -> Instant:
    """When the report of `day` comes in: at 08:00 on the next, as the daily reports did."""
    return from_datetime(datetime.combine(day + timedelta(days=1), wall_time(8), zone))
