"""The scorer scores as its data says, and the conditions find what was put into a made series."""

import json
from datetime import UTC, datetime, timedelta
from math import sin
from pathlib import Path

import pytest

from tests.eval.constant import best_of_one
from tests.eval.detector import detections, rules
from tests.eval.scoring import score, together
from tests.eval.series import Labelled, read

START = datetime(2020, 1, 6, tzinfo=UTC)
HOUR = 3600.0


def made(name: str, odd: dict[int, float], windows: list[tuple[int, int]]) -> Labelled:
    """Twenty days of half hours with a daily peak; `odd` replaces values by place."""
    begin = START.timestamp()
    times = [begin + n * HOUR / 2 for n in range(20 * 48)]
    values = [
        odd.get(n, 50 + 20 * (18 <= n % 48 <= 32) + 2 * sin(n * n)) for n in range(len(times))
    ]
    return Labelled(name, times, values, [(times[a], times[b]) for a, b in windows])


QUIET = made("quiet", {}, [])
NIGHT = made("night", dict.fromkeys(range(482, 492), 70.0), [(470, 518)])
SPIKE = made("spike", {700: 300.0}, [(690, 738)])


def test_worth_falls_from_the_start_of_a_window_to_its_end() -> None:
    begin, end = NIGHT.windows[0]
    assert score(NIGHT, [begin]).total == pytest.approx(100)
    assert score(NIGHT, [end]).total == pytest.approx(50)
    assert score(NIGHT, []).total == 0


def test_one_detection_per_window_counts_and_the_warming_up_does_not() -> None:
    begin, end = NIGHT.windows[0]
    found = score(NIGHT, [NIGHT.times[3], begin, begin + 60, end + 60])
    assert (found.found, found.false, found.worth) == (1, 1, pytest.approx(0.89))


def test_a_false_alarm_costs_a_little() -> None:
    assert score(QUIET, [QUIET.times[600], QUIET.times[800]]).worth == pytest.approx(-0.22)


def test_one_setting_finds_what_no_constant_threshold_can() -> None:
    """A peak at night is as high as every noon."""
    every = [QUIET, NIGHT, SPIKE]
    found = together(score(series, detections(series, rules())) for series in every)
    assert (found.found, found.windows) == (2, 2)
    assert found.total > 70
    _, constant = best_of_one(every)
    assert constant.total < 60


def test_series_are_read_by_path(tmp_path: Path) -> None:
    """Names with a folder may lie flat."""
    rows = [f"{(START + timedelta(minutes=5 * n)):%Y-%m-%d %H:%M:%S},{n}" for n in range(20)]
    (tmp_path / "a__b.csv").write_text("timestamp,value\n" + "\n".join(rows), encoding="utf-8")
    window = ["2020-01-06 00:30:00.000000", "2020-01-06 01:00:00.000000"]
    labels = {"a/b.csv": [window], "absent.csv": []}
    (tmp_path / "windows.json").write_text(json.dumps(labels), encoding="utf-8")
    (series,) = read(tmp_path)
    assert series.values == [float(n) for n in range(20)]
    assert series.windows == [(series.times[6], series.times[12])]
    assert series.warm == series.times[3]


@pytest.mark.parametrize(
    ("windows", "rows", "seen"),
    [
        (None, "", "windows.json does not exist"),
        ("{", "", "windows.json is not JSON"),
        ('{"a.csv": []}', "timestamp,value\n2020-01-06 00:00:00,1\n2020-01-06 00:05:00,x\n", "a.csv line 3"),
        ('{"a.csv": []}', "time,value\n2020-01-06 00:00:00,1\n", "expected `timestamp,value`"),
        ('{"a.csv": []}', "timestamp,value\n", "a.csv has no row"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(
    tmp_path: Path, windows: str | None, rows: str, seen: str
) -> None:
    if windows is not None:
        (tmp_path / "windows.json").write_text(windows, encoding="utf-8")
    (tmp_path / "a.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(ValueError, match=seen):
        read(tmp_path)
