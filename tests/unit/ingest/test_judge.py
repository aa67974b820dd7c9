"""Reading and judging a report: contract §3, word by word, without a server."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_house import NOON, ZONE, configuration, report

from shared.model.instants import instant_text
from shared.model.report import Report
from shared.reports.candidate import Candidate, Rejection
from shared.reports.judge import Judge
from shared.reports.parse import parse_report

JUDGE = Judge(configuration())
MINUTE = 60_000_000


def judged(item: object, facilities: tuple[str, ...] | None = None) -> Report | Rejection:
    found = parse_report(item, ZONE)
    return found if isinstance(found, Rejection) else JUDGE.judge(found, NOON, facilities)


def refused(item: object) -> tuple[str, str]:
    found = judged(item)
    assert isinstance(found, Rejection), found
    return found.reason, found.pointer


def taken(item: object) -> Report:
    found = judged(item)
    assert isinstance(found, Report), found
    return found


def reading(**changes: Any) -> dict[str, Any]:
    return report(readings=[{"indicator": "mw.disposed_t", "value": 1.5} | changes])


@pytest.mark.parametrize(
    ("interval", "given", "start"),
    [
        ("day", "2026-02-28T23:59:59.999+08:00", "2026-02-28T00:00:00+08:00"),
        ("day", "2026-02-28T16:30:00Z", "2026-03-01T00:00:00+08:00"),
        ("hour", "2026-02-28T10:59:59Z", "2026-02-28T18:00:00+08:00"),
        ("minute", "2026-02-28T10:59:59.5", "2026-02-28T10:59:00+08:00"),
        ("realtime", "2026-02-28T10:59:59.25", "2026-02-28T10:59:59.25+08:00"),
    ],
)
def test_a_time_is_taken_down_to_the_start_of_its_window(
    interval: str, given: str, start: str
) -> None:
    """In the site's time zone; without an offset it is in that zone."""
    found = taken(report(at=given, interval=interval))
    assert instant_text(found.observed_us, ZONE) == start


def test_the_window_start_may_be_ten_minutes_ahead() -> None:
    """Not the time itself: the day's figure may be sent in the morning of that day."""
    assert taken(report(at="2026-03-01T23:00:00+08:00")).observed_us < NOON
    assert taken(report(at="2026-03-01T12:10:00+08:00", interval="realtime"))
    assert refused(report(at="2026-03-01T12:10:00.000001+08:00", interval="realtime")) == (
        "in-the-future",
        "/observed_at",
    )
    assert refused(report(at="2026-03-02T00:00:00+08:00"))[0] == "in-the-future"


@pytest.mark.parametrize(
    "at", ["1970-01-01T00:00:00Z", "1900-06-01T00:00:00+08:00", "0001-02-01T00:00:00"]
)
def test_the_past_has_no_bound(at: str) -> None:
    """Old ledgers can be sent."""
    assert taken(report(at=at))


@pytest.mark.parametrize(
    "at",
    [None, 5, "", "soon", "2026-02-30T00:00:00Z", "2026-03-01", "2026-03-01T25:00:00Z",
     "9999-12-31T23:59:59Z", "9999-12-20T00:00:00Z", "0001-01-01T00:00:00+23:00", "２０２６-03-01T00:00:00Z"],
)  # fmt: skip
def test_what_is_no_time_is_refused(at: Any) -> None:
    """And what the calendar cannot hold."""
    assert refused(report(at=at)) == ("bad-time", "/observed_at")


def test_a_station_may_be_left_out_where_there_is_only_one() -> None:
    """With several it must be said; a station of another facility is unknown."""
    assert taken(report()).station == "420100-mw-01"
    two = report(facility="420100-ww-01", readings=[{"indicator": "w01018", "value": 1}])
    assert refused(two) == ("unknown-station", "/station")
    assert taken(two | {"station": "ww-b"}).station == "ww-b"
    assert refused(two | {"station": "xt-a"}) == ("unknown-station", "/station")


@pytest.mark.parametrize(
    ("indicator", "unit", "value", "expected"),
    [
        ("mw.disposed_t", None, 1.5, 1.5),
        ("mw.disposed_t", "kg", 1234.5, 1.2345),
        ("mw.disposed_t", "g", 1, 1e-6),
        ("w01018", "g/L", 0.0601, 60.1),
        ("w01018", "ug/L", 7, 0.007),
        ("w01018", "μg/L", 7, 0.007),
        ("w01018", "µg/l", 7, 0.007),
        ("a34004", "mg/m3", 0.035, 35.0),
        ("a34004", "ng/m³", 1, 0.001),
        ("w01001", "1", 7.25, 7.25),
    ],
)
def test_units_of_one_family_are_converted(
    indicator: str, unit: str | None, value: float, expected: float
) -> None:
    """To the indicator's own unit, exactly to 12 digits."""
    item = report(readings=[{"indicator": indicator, "value": value, "unit": unit}])
    assert taken(item).values == (expected,)


@pytest.mark.parametrize(
    ("indicator", "unit"),
    [("w01018", "mg/m³"), ("a34004", "mg/L"), ("mw.disposed_t", "mg/L"), ("w01018", "mg"),
     ("w01001", "mg/L"), ("w01018", "furlong")],
)  # fmt: skip
def test_units_of_other_families_are_refused(indicator: str, unit: str) -> None:
    """Never between water, air and mass."""
    item = report(readings=[{"indicator": indicator, "value": 1, "unit": unit}])
    assert refused(item) == ("unknown-unit", "/readings/0/unit")


@pytest.mark.parametrize(
    "value", [None, "1", "NaN", True, [], {}, float("inf"), float("nan"), 10**400]
)
def test_what_is_no_finite_number_is_refused(value: Any) -> None:
    """Strings and booleans too."""
    assert refused(reading(value=value)) == ("bad-number", "/readings/0/value")


def test_a_value_that_outgrows_its_unit_is_refused() -> None:
    """1e306 g/L is no finite number of mg/L."""
    item = report(readings=[{"indicator": "w01018", "value": 1e306, "unit": "g/L"}])
    assert refused(item) == ("bad-number", "/readings/0/value")


def test_flags_default_to_n_and_unknown_ones_are_kept() -> None:
    """What a flag means is for the rules."""
    assert taken(reading()).flags is None
    assert taken(reading(flag="N")).flags is None
    for flag in ("D", "T", "X", "zz"):
        assert taken(reading(flag=flag)).flags == (flag,)


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        (report(facility=5), "/facility"),
        (report(facility=""), "/facility"),
        (report(facility="x" * 129), "/facility"),
        (report(station=[]), "/station"),
        (report(id=7), "/id"),
        (report(interval="week"), "/interval"),
        (report(interval=None), "/interval"),
        (report(readings=[]), "/readings"),
        (report(readings={}), "/readings"),
        (report(readings=[5]), "/readings/0"),
        (report(**{"a/b~c": 1}), "/a~1b~0c"),
        (reading(indicator=5), "/readings/0/indicator"),
        (reading(unit=5), "/readings/0/unit"),
        (reading(flag=5), "/readings/0/flag"),
        (reading(colour="red"), "/readings/0/colour"),
        (report(readings=[{"indicator": "w01018", "value": 1}] * 2), "/readings/1/indicator"),
        ("text", ""),
        ([], ""),
    ],
)
def test_a_wrong_field_is_pointed_at(item: object, pointer: str) -> None:
    """RFC 6901, inside the item."""
    assert refused(item) == ("bad-field", pointer)


def test_one_bad_reading_refuses_the_whole_report() -> None:
    """Half a report would look whole."""
    good = {"indicator": "mw.disposed_t", "value": 1}
    assert refused(report(readings=[good, {"indicator": "none", "value": 1}])) == (
        "unknown-indicator",
        "/readings/1/indicator",
    )


def test_rights_come_first() -> None:
    """An outsider hears `not-yours` before anything about what exists."""
    found = [judged(report(facility=name), ("42-*",)) for name in ("420100-mw-01", "none")]
    assert [one.reason for one in found if isinstance(one, Rejection)] == ["not-yours"] * 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["facility", "station", "observed_at", "interval", "readings", "value", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_anything_is_read_or_refused_in_words(item: object) -> None:
    """No input makes it fail, and every refusal says something."""
    found = parse_report(item, ZONE)
    if isinstance(found, Rejection):
        assert found.detail
        assert found.title
    else:
        assert isinstance(found, Candidate)


def test_a_refusal_does_not_choke_on_depth() -> None:
    """Nested as deep as JSON readers allow."""
    value: list[Any] = []
    for _ in range(5_000):
        value = [value]
    assert refused(reading(value=value))[0] == "bad-number"


def test_flags_mean_what_the_dictionary_of_the_source_says() -> None:
    """A furnace banked for the night is stopped, not out of touch; other stations keep theirs."""
    own = configuration()
    (station,) = own.stations_of("420100-mw-01")
    judge = Judge(
        msgspec.structs.replace(own, flags={station.id: {"B": "F", "St": "F", "ok": "N"}})
    )
    for sent, meant in (("B", "F"), ("St", "F"), ("ok", None), ("M", "M"), ("?", "?")):
        candidate = parse_report(reading(flag=sent), ZONE)
        assert isinstance(candidate, Candidate)
        found = judge.judge(candidate, NOON)
        assert isinstance(found, Report), found
        assert found.flags == (None if meant is None else (meant,))
    assert taken(reading(flag="B")).flags == ("B",)
