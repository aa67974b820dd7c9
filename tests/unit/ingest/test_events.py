"""`POST /v1/events`: CloudEvents 1.0 around the same report, in all three modes."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.bodies import Refused
from services.ingest.events import read_events
from shared.log.port import DEAD_LETTERS, Position
from shared.reports.dead_letter import decode
from tests.unit.ingest.ingest_house import ZONE, House, report

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


def event(data: Any, **changes: Any) -> dict[str, Any]:
    made = {"specversion": "1.0", "id": "e-1", "source": "/hospital/7", "type": "cn.report"}
    found = made | ({} if data is None else {"data": data}) | changes
    return {name: value for name, value in found.items() if value is not None}


def post(house: House, body: Any, kind: str = STRUCTURED, **headers: str) -> Any:
    return house.post(body, path="/v1/events", kind=kind, **headers)


def test_an_event_is_a_report(house: House) -> None:
    """Structured, batched, binary, and as Base64; the second delivery is a duplicate."""
    days = [f"2026-02-{day:02}T08:00:00+08:00" for day in range(10, 20)]
    assert post(house, event(report(1, days[0]))).json()["accepted"] == 1
    assert post(house, event(report(1, days[0]), id="again")).json()["duplicates"] == 1
    batch = [event(report(2, day)) for day in days[1:4]]
    assert post(house, batch, BATCH).json()["accepted"] == 3
    binary = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/x", "ce_type": "t"}
    answer = post(house, report(3, days[5]), "application/json", **binary)
    assert answer.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    packed = base64.b64encode(json.dumps(report(4, days[6])).encode()).decode()
    assert post(house, event(None, data_base64=packed)).json()["accepted"] == 1
    assert house.count("yujing_reports_total", listener="http", result="accepted") == 6


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"specversion": "0.3"}, "/specversion"), ({"specversion": None}, "/specversion"),
        ({"id": None}, "/id"), ({"source": ""}, "/source"), ({"type": 7}, "/type"),
        ({"datacontenttype": "text/xml"}, "/datacontenttype"), ({"data": None}, "/data"),
        ({"data": None, "data_base64": "%%%"}, "/data_base64"),
        ({"data": {"facility": "x"}}, "/data/interval"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_pointed_at(house: House, changes: dict[str, Any], pointer: str) -> None:
    """In the event, or in the report inside it; the good one beside it is taken."""
    bad = event(report(1, "2026-02-10T08:00:00+08:00")) | changes
    bad = {name: value for name, value in bad.items() if value is not None}
    answer = post(house, [bad, event(report(1, "2026-02-11T08:00:00+08:00"))], BATCH)
    assert answer.status_code == 202
    [rejected] = answer.json()["rejected"]
    assert (answer.json()["accepted"], rejected["index"]) == (1, 0)
    assert rejected["pointer"] == pointer


def test_bodies_that_are_none_are_refused(house: House) -> None:
    """400 with a sentence, 415 for other kinds, and a token is needed as everywhere."""
    assert post(house, b"{").status_code == 400
    assert post(house, b"[", BATCH).status_code == 400
    assert post(house, b"{}", BATCH).status_code == 400
    assert post(house, report(1), "application/json").status_code == 400
    assert post(house, b"x", "text/plain").status_code == 415
    assert post(house, [], BATCH).status_code == 422
    assert house.post(event(report(1)), path="/v1/events", token=None).status_code == 401
    assert post(house, [event(report(1))] * 10_001, BATCH).status_code == 413


def test_a_refused_event_is_kept_as_the_report_that_it_carries(house: House) -> None:
    """So that it can be judged again."""
    stranger = report(1) | {"facility": "420100-nobody"}
    post(house, event(stranger))
    [entry] = house.log.read(DEAD_LETTERS, 0, Position(0)).entries
    assert json.loads(decode(entry.value).raw) == stranger


@given(st.binary(max_size=60), st.sampled_from([STRUCTURED, BATCH]))
def test_any_bytes_are_refused_or_named(body: bytes, kind: str) -> None:
    """Never an exception of another kind."""
    try:
        items = read_events(body, kind, {}, ZONE)
    except Refused as refused:
        assert refused.status in (400, 413)
    else:
        assert all(item for item in items)
