"""Corrections, revisions and withdrawals on the wire: what counts as news, and what is refused."""

from typing import Any

import msgspec
import pytest
from ingest_house import House, report

from shared.model.report import (
    RECORD_FORMAT,
    WITHDRAWN,
    Report,
    decode_envelope,
    encode_envelope,
)


def post(house: House, value: Any, **changes: Any) -> dict[str, Any]:
    found = house.post(report(value, **changes))
    body: dict[str, Any] = found.json()
    return body


def withdrawal(**changes: Any) -> dict[str, Any]:
    return report(**changes) | {"readings": [{"indicator": "mw.disposed_t"}], "withdrawn": True}


def test_correction_from_120_to_12_counts_and_its_duplicate_does_not(house: House) -> None:
    counts = [(post(house, value)["accepted"], value) for value in (120, 12, 12)]
    assert counts == [(1, 120), (1, 12), (0, 12)]
    assert [one.values for one in house.reports()] == [(120.0,), (12.0,)]


def test_withdrawal_names_indicators_and_needs_no_values(house: House) -> None:
    post(house, 120)
    assert house.post(withdrawal()).json()["accepted"] == 1
    assert house.post(withdrawal()).json()["duplicates"] == 1
    last = house.reports()[-1]
    assert (last.values, last.flags) == ((0.0,), (WITHDRAWN,))


def test_one_reading_of_a_report_is_withdrawn_beside_another(house: House) -> None:
    readings = [
        {"indicator": "mw.disposed_t", "value": 41.2},
        {"indicator": "mw.stored_t", "withdrawn": True, "value": 7},
    ]
    house.post(report() | {"readings": readings})
    (logged,) = house.reports()
    assert (logged.values, logged.flags) == ((41.2, 0.0), ("N", WITHDRAWN))


def test_withdrawal_is_of_whoever_may_report_the_facility(house: House) -> None:
    (refused,) = house.post(withdrawal(facility="999999-x")).json()["rejected"]
    assert refused["type"] == "/problems/not-yours"


def test_earlier_value_counts_again_under_a_higher_revision(house: House) -> None:
    assert post(house, 12, revision=1)["accepted"] == 1
    assert post(house, 120, revision=2)["accepted"] == 1
    assert post(house, 12)["duplicates"] == 1
    assert post(house, 12, revision=1)["duplicates"] == 1
    assert post(house, 12, revision=3)["accepted"] == 1
    assert [one.revision for one in house.reports()] == [1, 2, 3]


def test_lower_revision_that_comes_late_is_kept(house: House) -> None:
    assert post(house, 12, revision=2)["accepted"] == 1
    assert post(house, 120, revision=1)["accepted"] == 1


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"revision": -1}, "/revision"),
        ({"revision": True}, "/revision"),
        ({"revision": 1.5}, "/revision"),
        ({"revision": 10**12}, "/revision"),
        ({"withdrawn": "yes"}, "/withdrawn"),
        ({"readings": [{"indicator": "mw.disposed_t", "withdrawn": 1}]}, "/readings/0/withdrawn"),
        ({"readings": [{"indicator": "mw.disposed_t"}]}, "/readings/0/value"),
        (
            {"withdrawn": True, "readings": [{"indicator": "mw.disposed_t", "value": "x"}]},
            "/readings/0/value",
        ),
        (
            {"readings": [{"indicator": "mw.disposed_t", "value": 1, "flag": "withdrawn"}]},
            "/readings/0/flag",
        ),
    ],
)
def test_what_is_wrong_is_pointed_at(house: House, changes: dict[str, Any], pointer: str) -> None:
    (refused,) = house.post(report() | changes).json()["rejected"]
    assert refused["pointer"] == pointer


def test_reader_that_knows_no_revision_finds_everything_else() -> None:
    """A record of today in the hands of the program before this one."""

    class Former(msgspec.Struct, frozen=True, array_like=True, tag="r"):
        facility: str
        station: str
        interval: str
        observed_us: int
        indicators: tuple[str, ...]
        values: tuple[float, ...]
        flags: tuple[str, ...] | None
        received_us: int
        listener: str
        id: str = ""

    class FormerEnvelope(msgspec.Struct, frozen=True, array_like=True):
        format: int
        records: list[Former]

    now = Report("f", "s", "day", 0, ("a",), (0.0,), (WITHDRAWN,), 1, "http", "x", revision=3)
    read = msgspec.msgpack.decode(encode_envelope([now]), type=FormerEnvelope)
    assert (read.records[0].flags, read.records[0].id) == ((WITHDRAWN,), "x")
    before = msgspec.msgpack.encode(FormerEnvelope(RECORD_FORMAT, read.records))
    assert decode_envelope(before) == [msgspec.structs.replace(now, revision=None)]
