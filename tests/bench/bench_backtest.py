"""How fast a backtest is: a day of minutes of 1,000 stations, and hours of it as CSV and as a log.

    python -m tests.bench.bench_backtest

Three indicators each, by what `yujing backtest` calls; the day is one of `tests.bench.year`, with
its exceedances and gaps (docs/bench-year.md has the year). The limit is decoding the lines.
"""

import io
import tempfile
from collections.abc import Iterable
from pathlib import Path
from time import process_time

import msgspec

from services.rules.backtest import backtest
from services.rules.inputs import read_inputs
from shared.config.load import load
from shared.log.port import REPORTS
from shared.log.sqlite import SqliteLog
from shared.model.configuration import Configuration
from shared.model.instants import instant_text
from shared.model.report import Report, Tick, encode_envelope
from tests.bench.made_minutes import CODES, STATIONS, minutes, put, site_of
from tests.bench.table import Row, markdown

HOUR = 60
IN_ENTRY = 100


def decode_only(path: Path) -> float:
    start, reports = process_time(), 0
    with path.open("rb") as file:
        for line in file:
            msgspec.json.decode(line)
            reports += 1
    return reports / (process_time() - start)


def judged(configuration: Configuration, path: Path, reports: int) -> tuple[float, int]:
    """Reports per second of one core, and transitions."""
    start, notes = process_time(), io.StringIO()
    said = sum(1 for _ in backtest(configuration, [path], notes))
    took = process_time() - start
    assert not notes.getvalue(), notes.getvalue()[:500]
    return reports / took, said


def as_csv(reports: Iterable[Report], times: dict[int, str], path: Path) -> None:
    """A row for each reading."""
    with path.open("w", encoding="utf-8") as file:
        file.write("observed_at,facility,station,interval,indicator,value\n")
        for report in reports:
            head = f"{times[report.observed_us]},{report.facility},{report.station},minute"
            for code, value in zip(report.indicators, report.values, strict=True):
                file.write(f"{head},{code},{value}\n")


def as_log(reports: list[Report], folder: Path) -> None:
    """Entries of 100 reports, with a tick before each."""
    folder.mkdir()
    log = SqliteLog(folder / "log.db")
    for first in range(0, len(reports), IN_ENTRY):
        some = reports[first : first + IN_ENTRY]
        log.append(REPORTS, [("", encode_envelope([Tick(some[0].observed_us), *some]))])
    log.close()


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site, stations = site_of()
        configuration = load(site.write(folder / "config"), site.environment)
        day, hour = folder / "day.jsonl", folder / "hour.jsonl"
        count = 0
        with day.open("wb") as whole, hour.open("wb") as first:
            for minute, lines in enumerate(minutes(1, stations, put(1))):
                whole.write(b"".join(lines))
                if minute < HOUR:
                    first.write(b"".join(lines))
                count += len(lines) - lines.count(b"")
        reports = [each for each in read_inputs([hour], configuration) if isinstance(each, Report)]
        times = {
            each.observed_us: instant_text(each.observed_us, configuration.site.zone)
            for each in reports
        }
        as_csv(reports, times, folder / "hour.csv")
        as_log(reports, folder / "data")
        limit = decode_only(day)
        of_day, said = judged(configuration, day, count)
        of_csv, _ = judged(configuration, folder / "hour.csv", len(reports))
        of_log, _ = judged(configuration, folder / "data", len(reports))
    what = f"backtest: minutes of {STATIONS:,} stations, {len(CODES)} readings each"
    unit = "reports/s of one core"
    return [
        Row(f"{what}, from JSONL", of_day, unit, "decode only", limit,
            f"a day, {count:,} reports; {said:,} transitions; the year: [bench-year.md](bench-year.md)"),
        Row(f"{what}, from CSV", of_csv, unit, "decode only", limit, "an hour"),
        Row(f"{what}, from a data directory", of_log, unit, "decode only", limit, "an hour"),
    ]  # fmt: skip


if __name__ == "__main__":
    print(markdown(run()))
