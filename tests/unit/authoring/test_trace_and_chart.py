"""Trace and chart: bounded whatever comes, and no peak is lost."""

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.authoring.chart import HEIGHT, WIDTH, Axis, Label, apart, draw, nice, time_labels
from services.authoring.limits import Line
from services.authoring.trace import MOST_COLUMNS, Trace
from shared.model.severity import Severity

HOUR = 3_600_000_000
DAY = 24 * HOUR
START = 1_582_473_600_000_000
ZONE = ZoneInfo("Asia/Shanghai")


@given(
    st.lists(st.tuples(st.integers(0, 10**16), st.floats(-1e6, 1e6)), min_size=1, max_size=200),
    st.sampled_from(["realtime", "minute", "hour", "day"]),
)
def test_no_peak_is_lost_in_any_order(readings: list[tuple[int, float]], interval: str) -> None:
    """Whatever the span and order, lowest and highest stay and the columns are bounded."""
    trace = Trace(interval)
    for at_us, value in readings:
        trace.add(at_us, value)
    lowest, highest = min(v for _, v in readings), max(v for _, v in readings)
    assert trace.bounds() == (lowest, highest)
    columns = sorted(trace.columns)
    assert columns[-1] - columns[0] < MOST_COLUMNS
    assert sum(len(run) for run in trace.runs()) == len(columns)


def hours(*values: float | None) -> Trace:
    trace = Trace("hour")
    for number, value in enumerate(values):
        if value is not None:
            trace.add(START + number * HOUR, value)
    return trace


def test_the_line_breaks_where_nothing_was_sent() -> None:
    assert [len(run) for run in hours(1, 2, None, 3, 4, 5).runs()] == [2, 3]


def test_an_unknown_reading_draws_nothing() -> None:
    trace = hours(1)
    trace.add(START + HOUR, None)
    assert trace.readings == 2
    assert len(trace.columns) == 1


def test_a_chart_stays_in_its_box() -> None:
    """Every point of the path is inside, and the limit lies between the readings."""
    lines = [Line(15.0, Severity.RED, True, "> 15", 0, None)]
    chart = draw(hours(10, 20, 10), lines, [], Axis(START, START + 3 * HOUR), {})
    assert chart.path.startswith("M")
    assert 0 < chart.strokes[0].y < HEIGHT
    assert (chart.strokes[0].x1, chart.strokes[0].x2) == (0, WIDTH)
    assert chart.outside == []


def test_a_limit_far_away_is_named_and_does_not_flatten_the_line() -> None:
    lines = [Line(1000.0, Severity.RED, True, "> 1000", 0, None)]
    chart = draw(hours(10, 20, 10), lines, [], Axis(START, START + 3 * HOUR), {})
    assert chart.strokes == []
    assert chart.outside == ["> 1000"]


def test_a_limit_of_another_edition_is_not_drawn() -> None:
    lines = [Line(15.0, Severity.RED, True, "> 15", START + 30 * DAY, None)]
    chart = draw(hours(10, 20, 10), lines, [], Axis(START, START + 3 * HOUR), {})
    assert (chart.strokes, chart.outside) == ([], [])


@given(st.lists(st.floats(0, 100), max_size=8))
def test_labels_do_not_lie_on_one_another(places: list[float]) -> None:
    placed = apart([Label(at, str(n)) for n, at in enumerate(places)])
    heights = [each.at for each in placed]
    assert all(after - before > 10 for before, after in pairwise(heights))
    assert not heights or heights[-1] <= 100


@given(st.floats(-1e5, 1e5), st.floats(1e-3, 1e5))
def test_a_scale_has_few_round_values(low: float, span: float) -> None:
    values = nice(low, low + span)
    assert 1 <= len(values) <= 6
    assert all(low - 1e-6 <= value <= low + span + 1e-6 for value in values)


@pytest.mark.parametrize("days", [0.5, 2, 10, 149, 151, 400, 3000])
def test_the_time_axis_has_a_few_labels(days: float) -> None:
    labels = time_labels(Axis(START, START + round(days * DAY)), ZONE)
    assert 2 <= len(labels) <= 10
    assert all(0 <= label.at <= 100 for label in labels)
