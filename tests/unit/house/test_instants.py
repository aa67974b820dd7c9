"""Instants, windows and durations: exact, in the site's zone whatever TZ the process has."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.instants import (
    INTERVALS,
    Interval,
    instant_text,
    parse_duration,
    parse_instant,
    window_end,
    window_start,
)

SHANGHAI, KOLKATA, NEW_YORK = (
    ZoneInfo("Asia/Shanghai"), ZoneInfo("Asia/Kolkata"), ZoneInfo("America/New_York"),
)  # fmt: skip
INSTANTS = st.integers(min_value=0, max_value=4_000_000_000_000_000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-02-24T08:00:00+08:00", "2020-02-24T08:00:00+08:00"),
        ("2020-02-24T00:00:00Z", "2020-02-24T08:00:00+08:00"),
        ("2020-02-24T08:00:00", "2020-02-24T08:00:00+08:00"),
        ("2020-02-24t08:00:00.1234567z", "2020-02-24T16:00:00.123456+08:00"),
        ("2020-02-24T08:00:00.500+08:00", "2020-02-24T08:00:00.5+08:00"),
        ("2026-02-01T08:00+08:00", "2026-02-01T08:00:00+08:00"),
    ],
)
def test_times_come_out_in_the_sites_zone(text: str, expected: str) -> None:
    """With its offset, and no fraction when it is zero."""
    assert instant_text(parse_instant(text, SHANGHAI), SHANGHAI) == expected


@pytest.mark.parametrize("text", ["", "2020-02-30T00:00:00Z", "2020-02-24", "24.02.2020 8:00",
                                  "2020-02-24T25:00:00Z", "２０２０-02-24T08:00:00Z", "0000-01-01T00:00:00Z"])  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    """The message shows what was seen."""
    with pytest.raises(ValueError):
        parse_instant(text, SHANGHAI)


@pytest.mark.parametrize(
    ("text", "us"), [("500ms", 500_000), ("2s", 2_000_000), ("5m", 300_000_000),
                     ("4h", 14_400_000_000), ("1d", 86_400_000_000), ("0s", 0)]
)  # fmt: skip
def test_durations(text: str, us: int) -> None:
    """No hidden minimum."""
    assert parse_duration(text) == us


@given(INSTANTS, st.sampled_from(INTERVALS), st.sampled_from([SHANGHAI, KOLKATA, NEW_YORK]))
def test_a_window_holds_its_instant_and_starts_itself(
    instant: int, interval: Interval, zone: ZoneInfo
) -> None:
    """Two readings of one window are the same reading."""
    start = window_start(instant, interval, zone)

    assert start <= instant
    assert interval == "realtime" or instant < window_end(start, interval, zone)
    assert window_start(start, interval, zone) == start
