"""Readings: which field counts, when it was, what its flag means."""

from zoneinfo import ZoneInfo

import pytest

from services.ingest.hj212.packet import parse_packet
from services.ingest.hj212.readings import Yield, read_upload
from shared.model.facility import CodeMeaning, Hj212Access, Station
from shared.model.instants import parse_instant
from shared.reports.candidate import Candidate, CandidateReading, Rejection

ZONE = ZoneInfo("Asia/Shanghai")
CATALOGUE = {"w01018", "w01001", "a34004", "a21026"}
STATION = Station(
    id="s1",
    facility="f1",
    hj212=Hj212Access(mn="A1"),
    codes={"w19011": CodeMeaning("residual_chlorine", "mg/L")},
)
END = Station(id="s1", facility="f1", hj212=Hj212Access(mn="A1", window_label="end"))


def read(area: str, cn: str = "2011", st: str = "32", station: Station = STATION) -> Yield:
    packet = parse_packet(f"ST={st};CN={cn};MN=A1;CP=&&{area}&&".encode())
    return read_upload(packet, station, CATALOGUE, ZONE)


def candidate(area: str, cn: str = "2011", st: str = "32", station: Station = STATION) -> Candidate:
    found = read(area, cn, st, station).item
    assert isinstance(found, Candidate)
    return found


@pytest.mark.parametrize(
    ("cn", "interval", "value"),
    [
        ("2011", "realtime", 1.0),
        ("2051", "minute", 2.0),
        ("2061", "hour", 2.0),
        ("2031", "day", 2.0),
    ],
)
def test_realtime_takes_rtd_and_the_means_take_avg(cn: str, interval: str, value: float) -> None:
    """Minima, maxima, amounts and values at reference oxygen are other quantities."""
    found = candidate(
        "DataTime=20260301080000;w01018-Rtd=1,w01018-Min=0,w01018-Avg=2,w01018-Max=9,"
        "w01018-Cou=7,w01018-ZsRtd=5,w01018-ZsAvg=6,w01018-Flag=N",
        cn,
    )
    assert found.interval == interval
    assert found.readings == (CandidateReading("w01018", value),)


def test_an_hour_without_a_mean_has_no_reading() -> None:
    """A momentary value is no mean of an hour."""
    refused = read("DataTime=20260301080000;w01018-Rtd=1", "2061").item
    assert isinstance(refused, Rejection)


def test_codes_mean_what_the_station_says_first() -> None:
    """HJ 212-2017 has no code for residual chlorine; platforms agree on one of their own."""
    found = candidate("DataTime=20260301080000;w19011-Rtd=7.5")
    assert found.readings == (CandidateReading("residual_chlorine", 7.5, "mg/L"),)


def test_codes_of_2005_are_read_as_those_of_2017() -> None:
    """Envelope and code list age separately."""
    found = candidate("DataTime=20260301080000000;011-Rtd=41;001-Rtd=7.1;02-Rtd=3;W01001-Rtd=7.2")
    assert [(r.indicator, r.value) for r in found.readings] == [
        ("w01018", 41.0),
        ("w01001", 7.2),
        ("a21026", 3.0),
    ]


def test_unknown_codes_and_bad_numbers_are_left_out_and_the_rest_is_taken() -> None:
    """One broken sensor does not silence a station."""
    found = read("DataTime=20260301080000;w01018-Rtd=41;x9-Rtd=1;w01001-Rtd=null;a34004-Rtd=nan")
    assert isinstance(found.item, Candidate)
    assert [r.indicator for r in found.item.readings] == ["w01018"]
    assert (found.unknown_codes, found.bad_numbers) == (("x9",), ("w01001", "a34004"))


@pytest.mark.parametrize("text", ["", "null", "NaN", "inf", "1e999", "1_0", "0x10", "٣", "--1"])
def test_only_finite_decimal_numbers_are_numbers(text: str) -> None:
    """Python would read more than a logger can mean."""
    found = read(f"DataTime=20260301080000;w01018-Rtd={text}")
    assert isinstance(found.item, Rejection)
    assert found.item.reason == "bad-number"


@pytest.mark.parametrize(
    ("st", "sent", "meant"),
    [
        ("32", "", "N"), ("32", "n", "N"), ("32", "d", "D"), ("32", "T", "T"), ("32", "Td", "Td"),
        ("32", "3", "3"), ("22", "0", "C"), ("22", "1", "N"), ("22", "2", "D"), ("22", "3", "N"),
    ],
)  # fmt: skip
def test_flags_are_those_of_the_house(st: str, sent: str, meant: str) -> None:
    """Air stations of 2005 use digits; what nobody knows is kept and is no evidence."""
    found = candidate(f"DataTime=20260301080000;w01018-Rtd=1,w01018-Flag={sent}", st=st)
    assert found.readings[0].flag == meant


def test_a_bare_flag_is_that_of_the_whole_record() -> None:
    """Unless a code brings its own."""
    found = candidate("DataTime=20260301080000;w01018-Rtd=1;w01001-Rtd=7,w01001-Flag=N;Flag=D")
    assert [reading.flag for reading in found.readings] == ["D", "N"]


@pytest.mark.parametrize(
    ("cn", "label", "start"),
    [
        ("2061", "20260301090000", "2026-03-01T08:00:00"),
        ("2051", "20260301090000", "2026-03-01T08:59:00"),
        ("2031", "20260301000000", "2026-02-28T00:00:00"),
        ("2031", "20260228235959", "2026-02-28T00:00:00"),
        ("2011", "20260301090000", "2026-03-01T09:00:00"),
    ],
)
def test_a_label_at_the_end_is_moved_to_the_start(cn: str, label: str, start: str) -> None:
    """2005 never said which, so the station's configuration does."""
    found = candidate(f"DataTime={label};w01018-Rtd=1,w01018-Avg=1", cn, station=END)
    assert found.observed_us == parse_instant(start, ZONE)


def test_datatime_is_local_and_may_have_milliseconds() -> None:
    """Whatever time zone the server has."""
    found = candidate("DataTime=20260301080000250;w01018-Rtd=1")
    assert found.observed_us == parse_instant("2026-03-01T08:00:00.25+08:00", ZONE)


@pytest.mark.parametrize("label", ["", "2026030108", "20261301080000", "20260301080000 1", "abc"])
def test_a_record_without_a_time_is_refused(label: str) -> None:
    """A reading without an instant belongs to no series."""
    found = read(f"DataTime={label};w01018-Rtd=1").item
    assert isinstance(found, Rejection)
    assert found.reason == "bad-time"


def test_a_flag_of_the_station_s_own_dictionary_stays_as_it_was_sent() -> None:
    """`St` is no HJ 212 flag, `B` one with another meaning here; ingest looks both up."""
    area = "DataTime=20260301080000;w01018-Rtd=1,w01018-Flag=St;w01001-Rtd=7,w01001-Flag=b"
    packet = parse_packet(f"ST=31;CN=2011;MN=A1;CP=&&{area}&&".encode())
    found = read_upload(packet, STATION, CATALOGUE, ZONE, {"St", "b"}).item
    assert isinstance(found, Candidate)
    assert [reading.flag for reading in found.readings] == ["St", "b"]
