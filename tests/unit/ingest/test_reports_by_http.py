"""Contract §3: reports by HTTP in every form, and every way to be refused."""

import gzip
import json
from typing import Any

import pytest
from ingest_house import OFFICER, OPERATOR, UPSTREAM, House, report

NDJSON = "application/x-ndjson"


def answer(**changes: Any) -> dict[str, Any]:
    return {"accepted": 0, "duplicates": 0, "rejected": []} | changes


def names(body: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [
        (one["index"], one["type"].removeprefix("/problems/"), one["pointer"])
        for one in body["rejected"]
    ]


def test_a_single_report_is_taken(house: House) -> None:
    """202 with one accepted; the log has it, at the start of its window."""
    found = house.post(report(id="x-1"))
    assert (found.status_code, found.json()) == (202, answer(accepted=1))
    (logged,) = house.reports()
    assert (logged.station, logged.values, logged.id) == ("420100-mw-01", (41.2,), "x-1")


def test_an_array_counts_each_of_its_items(house: House) -> None:
    """Accepted, duplicate and refused ones stand in one answer."""
    items = [report(1), report(1), report(2), report("x"), report(facility="420100-zz")]
    found = house.post(items)
    assert found.status_code == 202
    assert (found.json()["accepted"], found.json()["duplicates"]) == (2, 1)
    assert names(found.json()) == [
        (3, "bad-number", "/readings/0/value"),
        (4, "unknown-facility", "/facility"),
    ]


def test_ndjson_counts_lines_that_are_not_empty(house: House) -> None:
    """A broken line is one rejection; indexes skip empty lines."""
    lines = [json.dumps(report(1)), "", "{broken", "  ", json.dumps(report(2))]
    found = house.post("\r\n".join(lines).encode(), kind=NDJSON)
    assert found.status_code == 202
    assert found.json()["accepted"] == 2
    assert names(found.json()) == [(1, "bad-json", "")]


def test_gzip_is_unpacked(house: House) -> None:
    """Also in several members, and with a charset beside the type."""
    assert house.post([report(1)], packed=True).json()["accepted"] == 1
    text = json.dumps([report(2), report(3)]).encode()
    packed = gzip.compress(text[:20]) + gzip.compress(text[20:])
    found = house.post(packed, kind="application/json; charset=utf-8", content_encoding="gzip")
    assert found.json()["accepted"] == 2


def test_only_duplicates_is_still_202(house: House) -> None:
    """The sender may repeat itself until it hears an answer."""
    house.post(report(1))
    found = house.post(report(1))
    assert (found.status_code, found.json()) == (202, answer(duplicates=1))
    assert len(house.reports()) == 1


def test_nothing_taken_is_422(house: House) -> None:
    """When every item was refused, and when there was none."""
    for body in ([], [report("x")], report("x"), 5, "text", None, [[]], {}):
        found = house.post(body)
        assert found.status_code == 422, body
        assert found.headers["content-type"] == "application/problem+json"
        assert found.json()["accepted"] == 0
    assert house.post(b"", kind=NDJSON).status_code == 422
    assert house.reports() == []


@pytest.mark.parametrize("body", [b"", b"{", b"[1,", b"\xff\xfe{\x00}\x00", b"[" * 5000, b"[NaN]"])
def test_what_is_not_json_is_400(house: House, body: bytes) -> None:
    """The whole body is refused, with a problem."""
    found = house.post(body)
    assert (found.status_code, found.json()["type"]) == (400, "/problems/bad-json")
    assert house.count("yujing_rejections_total", reason="bad-json") == 1


@pytest.mark.parametrize("body", [b"not gzip", gzip.compress(b"[]", mtime=0)[:-4], b""])
def test_what_is_not_gzip_is_400(house: House, body: bytes) -> None:
    """Cut short counts as not gzip."""
    assert house.post(body, content_encoding="gzip").status_code == 400


def test_a_bomb_takes_nothing(house: House) -> None:
    """17 MiB of blanks in 17 KiB of gzip is too large all the same."""
    bomb = gzip.compress(b" " * (17 * 1024 * 1024))
    found = house.post(bomb, content_encoding="gzip")
    assert (found.status_code, found.json()["type"]) == (413, "/problems/too-large")
    members = gzip.compress(b"") * 1_001
    assert house.post(members, content_encoding="gzip").status_code == 413


def test_10_000_reports_and_not_one_more(house: House) -> None:
    """The bound is taken; above it nothing is."""
    line = json.dumps(report(1)).encode()
    found = house.post(b"\n".join([line] * 10_001), kind=NDJSON)
    assert (found.status_code, found.json()["type"]) == (413, "/problems/too-many")
    assert house.reports() == []
    found = house.post(b"[" + b",".join([line] * 10_000) + b"]")
    assert (found.json()["accepted"], found.json()["duplicates"]) == (1, 9_999)


def test_other_types_and_encodings_are_415(house: House) -> None:
    """A form or a spreadsheet is no report."""
    assert house.post(report(), kind="text/csv").status_code == 415
    assert house.post(report(), content_encoding="br").status_code == 415


def test_tokens(house: House) -> None:
    """None or a wrong one: 401 and how; a token of another kind: 403; never by the URL."""
    for token in (None, "wrong", "", UPSTREAM + "x"):
        found = house.post(report(), token=token)
        assert (found.status_code, found.headers["www-authenticate"]) == (401, "Bearer")
    for token in (OFFICER, OPERATOR):
        found = house.post(report(), token=token)
        assert (found.status_code, found.json()["type"]) == (403, "/problems/forbidden")
    found = house.post(report(), token=None, path=f"/v1/reports?token={UPSTREAM}")
    assert found.status_code == 401
    assert house.count("yujing_rejections_total", reason="unauthorized") == 5


def test_an_outsider_learns_nothing(house: House) -> None:
    """`not-yours` whether it exists or not."""
    items = [report(facility="429004-ww-01"), report(facility="429004-none")]
    found = house.post(items)
    assert found.status_code == 422
    assert names(found.json()) == [(0, "not-yours", "/facility"), (1, "not-yours", "/facility")]


def test_a_dry_run_answers_and_leaves_no_trace(house: House) -> None:
    """No report, no dead letter, no count; twice the same answer."""
    items = [report(1), report(1), report("x")]
    for _ in range(2):
        found = house.post(items, path="/v1/reports?dry_run=1")
        assert found.status_code == 202
        assert (found.json()["accepted"], found.json()["duplicates"]) == (1, 1)
    assert house.records() == []
    assert house.ask("GET", "/v1/dead-letters", headers=bearer(OPERATOR)).json()["next"] == 0
    assert house.count("yujing_reports_total", listener="http", result="accepted") == 0


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_a_number_out_of_range_refuses_its_item_only(house: House) -> None:
    """1e999 is JSON, so its neighbours are taken."""
    good = json.dumps(report(1)).encode()
    huge = good.replace(b": 1}", b": 1e999}")
    long = good.replace(b": 1}", b": " + b"9" * 400 + b"}")
    found = house.post(b"[" + good + b"," + huge + b"," + long + b"]")
    assert found.json()["accepted"] == 1
    assert names(found.json()) == [
        (1, "bad-number", "/readings/0/value"),
        (2, "bad-number", "/readings/0/value"),
    ]
    assert house.post(huge).status_code == 422


def test_refused_ones_are_kept_and_can_be_judged_again(house: House) -> None:
    """What was refused, why, and again once the cause is gone."""
    early = report(at="2026-03-01T13:00:00+08:00", interval="realtime")
    house.post([report("x"), early])
    found = house.ask("GET", "/v1/dead-letters", headers=bearer(OPERATOR)).json()
    assert [one["reason"] for one in found["dead-letters"]] == ["bad-number", "in-the-future"]
    number = found["dead-letters"][1]["id"]
    shown = house.ask("GET", f"/v1/dead-letters/{number}", headers=bearer(OPERATOR)).json()
    assert json.loads(shown["raw"]) == early
    house.clock.advance(3_600_000_000)
    again = house.ask("POST", f"/v1/dead-letters/{number}/redrive", headers=bearer(OPERATOR))
    assert (again.status_code, again.json()) == (202, answer(accepted=1))
    missing = house.ask("GET", "/v1/dead-letters/99", headers=bearer(OPERATOR))
    assert missing.status_code == 404
    assert house.ask("GET", "/v1/dead-letters", headers=bearer(UPSTREAM)).status_code == 403
    far = house.ask("GET", f"/v1/dead-letters?after={10**30}", headers=bearer(OPERATOR))
    assert far.json()["dead-letters"] == []


def test_results_and_reasons_are_counted(house: House) -> None:
    """Reports by result, rejections by reason."""
    house.post([report(1), report(1), report("x"), report(at="soon")])
    for result, count in (("accepted", 1), ("duplicate", 1), ("rejected", 2)):
        assert house.count("yujing_reports_total", listener="http", result=result) == count
    assert house.count("yujing_rejections_total", reason="bad-number") == 1
    assert house.count("yujing_rejections_total", reason="bad-time") == 1


def test_a_byte_order_mark_is_forgiven(house: House) -> None:
    """Windows programs write one."""
    text = b"\xef\xbb\xbf" + json.dumps(report()).encode()
    assert house.post(text).status_code == 202


def test_every_problem_has_a_page(house: House) -> None:
    """`type` can be followed."""
    for name in [
        "not-yours",
        "unknown-facility",
        "unknown-station",
        "unknown-indicator",
        "unknown-unit",
        "bad-json",
        "bad-field",
        "bad-time",
        "bad-number",
        "in-the-future",
        "too-large",
        "too-many",
        "unauthorized",
        "forbidden",
        "not-found",
        "log-away",
        "slow-down",
    ]:
        assert house.ask("GET", f"/problems/{name}").status_code == 200
    assert house.ask("GET", "/problems/none").status_code == 404


def test_other_pages_and_methods_are_problems_too(house: House) -> None:
    """404 and 405 speak the same language."""
    for method, path, status in (("GET", "/nowhere", 404), ("GET", "/v1/reports", 405)):
        found = house.ask(method, path)
        assert (found.status_code, found.json()["status"]) == (status, status)
        assert found.headers["content-type"] == "application/problem+json"
