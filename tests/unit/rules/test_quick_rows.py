"""CSV read the quick way says what the long way says, whatever the cells."""

import csv
import io
from itertools import groupby
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from services.rules.csv_quick import QuickRows
from services.rules.csv_rows import item_of, row_of, same_report
from services.rules.given import Given, Note, judged
from services.rules.inputs import read_inputs
from shared.config.load import load
from shared.model.configuration import Configuration
from shared.model.report import Report
from shared.reports.judge import Judge
from shared.testing.configs import duty_site

HEADERS = [
    "observed_at,facility,station,indicator,interval,value,unit,flag",
    "value,indicator,interval,observed_at,facility",
    "observed_at,facility,interval,indicator,value,revision,withdrawn,unit",
    "observed_at,station,indicator,interval,value",
    "observed_at,facility,indicator,value",
]
TIMES = ["2026-02-24T08:00:00+08:00", "2026-02-24T00:00:00Z", "2026-02-24T08:01:00+08:00", " 2026-02-24 08:02 ", "soon", ""]  # fmt: skip
VALUES = ["3.4", "12", " 7 ", "1e-3", "1e999", "nan", "1_0", "٣", "x", ""]
FLAGS = ["", "", "", "N", " N", "D", "T", "X"]
UNITS = ["", "", "", "mg/L", " mg/L", "µg/L", "kg"]


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    site = duty_site(
        Random(3), http_port=1, hj212_port=2, sms_url="http://127.0.0.1:3/x", facilities=3
    )
    places = site.documents["facilities"]
    places["flags"] = [{"id": "odd", "meanings": {"N": "M", "X": "N"}}]
    places["stations"] = [
        {"id": "second", "facility": site.facilities[0].id},
        {"id": "odd", "facility": site.facilities[1].id, "flags": "odd"},
    ]
    return load(site.write(tmp_path_factory.mktemp("rows") / "config"), site.environment)


def table(random: Random, configuration: Configuration) -> str:
    """Runs of alike rows, and now and then a cell, a blank, a quote or a line that is not."""
    header = random.choice(HEADERS)
    names = header.split(",")
    stations = [(s.facility, s.id) for s in configuration.stations.values()] * 3 + [("nobody", "")]
    lines = [header]
    for _ in range(120):
        facility, station = random.choice(stations)
        fixed = {
            "observed_at": random.choice(TIMES[:3] * 4 + TIMES), "facility": facility,
            "station": random.choice([station, station, ""]),
            "interval": random.choice(["minute", "minute", "hour", " day", "week"]),
        }  # fmt: skip
        for code in random.choice([["w01018"], ["w21003", "w01018"], ["w01018", "w01018"]]):
            row = fixed | {"indicator": code, "value": random.choice(VALUES[:2])}
            if random.random() < 0.4:
                row |= {"unit": random.choice(UNITS), "flag": random.choice(FLAGS)}
            if random.random() < 0.1:
                row |= {
                    "value": random.choice(VALUES), "revision": random.choice(["", "1", "x"]),
                    "withdrawn": random.choice(["", "是", "0", "perhaps"]),
                    "observed_at": random.choice(TIMES), "facility": random.choice([f" {facility}", ""]),
                }  # fmt: skip
            cells = [row.get(name, "") for name in names]
            if random.random() < 0.05:
                cells = random.choice([cells[:-1], [*cells, ""], [*cells, "more"], [], [""], [" "] * len(names)])  # fmt: skip
            lines.append(",".join(cells))
    return "\n".join(lines)


def long_way(path: Path, judge: Judge, zone: ZoneInfo) -> list[Given]:
    """Every row by its names, every report for itself."""
    reader = csv.reader(io.StringIO(path.read_text("utf-8")))
    header = next(reader)
    found: list[Given] = []
    rows = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            text = f"bad-field: {len(cells)} cells under {len(header)} columns"
            found.append(Note(str(path), reader.line_num, text))
            continue
        rows.append((reader.line_num, row_of(header, cells)))
    for _, alike in groupby(rows, lambda row: same_report(row[1], zone)):
        found.append(judged(judge, zone, path, item_of(list(alike))))
    return found


@pytest.mark.parametrize("seed", range(60))
def test_both_ways_give_the_same(configuration: Configuration, tmp_path: Path, seed: int) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(table(Random(seed), configuration), encoding="utf-8")
    expected = long_way(path, Judge(configuration), configuration.site.zone)
    found = list(read_inputs([path], configuration))

    def notes(given: list[Given]) -> list[str]:
        return sorted(str(each) for each in given if isinstance(each, Note))

    assert notes(found) == notes(expected)
    assert [each for each in found if not isinstance(each, Note)] == [
        each for each in expected if not isinstance(each, Note)
    ]


def test_what_was_seen_before_is_quick(configuration: Configuration) -> None:
    """Else the property above would hold of nothing."""
    judge, zone = Judge(configuration), configuration.site.zone
    header = HEADERS[0].split(",")
    quick = QuickRows(header, judge, zone)
    facility = next(s.facility for s in configuration.stations.values() if s.id == "odd")
    at = "2026-02-24T08:00:00+08:00"
    rows = [[at, facility, "odd", "w01018", "minute", "3.5", "mg/L", "X"]]
    assert quick.read(rows) is None
    item = item_of([(2, row_of(header, rows[0]))])
    first = judged(judge, zone, Path("a.csv"), item)
    assert isinstance(first, Report)
    quick.learn(rows, item, first)
    assert quick.read(rows) == first
    again = quick.read([[TIMES[2], facility, "odd", "w01018", "minute", "9", "mg/L", "X"]])
    assert again is not None
    assert again.values == (9.0,)
    assert quick.read([[at, facility, "odd", "w01018", "minute", "9", "mg/L", "N"]]) is None
