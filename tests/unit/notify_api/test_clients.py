"""The commands that ask a running notify: what they print, and what they say when it fails."""

import json
import socket
from collections.abc import Iterator

import pytest

from services.notify import clients
from services.notify.core.silence import Hid
from shared.model.severity import Severity
from shared.testing.served import served
from tests.unit.notify_api.desk_house import NOW, OFFICER, OPERATOR, UPSTREAM, DeskHouse
from tests.unit.notify_api.night import busy_night

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def live() -> Iterator[tuple[DeskHouse, str]]:
    house = DeskHouse()
    busy_night(house)
    with served(house.app) as url:
        yield house, url


def test_incidents_are_listed_whole(live: tuple[DeskHouse, str], capsys: Captured) -> None:
    """Ids are never cut, and `--json` is what the API says."""
    _, url = live
    assert clients.run_incidents(url, OPERATOR) == 0
    shown = capsys.readouterr().out
    assert all(id_ in shown for id_ in ("i-red", "i-blue", "i-hand", "i-old"))
    assert clients.run_incidents(url, OPERATOR, "open", "510200-mw-01", as_json=True) == 0
    found = json.loads(capsys.readouterr().out)["incidents"]
    assert [one["id"] for one in found] == ["i-blue"]
    assert clients.run_incidents(url, OFFICER, facility="none") == 0
    assert capsys.readouterr().out == "no incident\n"


def test_ack_says_who_and_when(capsys: Captured) -> None:
    """0 for it and again for it; 1 with the reason when it cannot be."""
    house = DeskHouse()
    house.desk.write("i/1 x", "510100-ww-01", NOW)
    house.desk.write("i-over", "510100-ww-01", NOW)
    house.desk.resolve("i-over", NOW)
    with served(house.app) as url:
        assert clients.run_ack(url, OFFICER, "i-over", "li") == 1
        assert "recovered" in capsys.readouterr().err
        assert clients.run_ack(url, OFFICER, "i-over", "ghost") == 1
        capsys.readouterr()
        assert clients.run_ack(url, OFFICER, "nothing", "li") == 1
        assert "no incident" in capsys.readouterr().err


def test_duty_why_and_ledger_are_readable(live: tuple[DeskHouse, str], capsys: Captured) -> None:
    """Tables and trees for people; the ledger one object a line."""
    house, url = live
    house.desk.reasons["n1"] = {
        "id": "n1", "before": [{"kind": "step", "reason": "[no] holder"}], "after": [], "x": None,
    }  # fmt: skip
    assert clients.run_on_call(url, OFFICER, "510100", at="2026-03-10T08:00:00+08:00") == 0
    assert "duty_officer" in capsys.readouterr().out
    assert clients.run_why(url, OPERATOR, "n1") == 0
    assert "step [no] holder" in capsys.readouterr().out
    assert clients.run_why(url, OPERATOR, "n2") == 1
    assert "no report, transition" in capsys.readouterr().err
    assert clients.run_audit_export(url, OPERATOR, "i-red") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["kind"] for line in lines][:2] == ["opened", "step"]


def test_a_broken_chain_is_exit_1(live: tuple[DeskHouse, str], capsys: Captured) -> None:
    """And names the place."""
    house, url = live
    assert clients.run_audit_verify(url, OPERATOR) == 0
    assert capsys.readouterr().out == "ok: every hash chain holds\n"
    house.desk.broken = ["i-red entry 3"]
    try:
        assert clients.run_audit_verify(url, OPERATOR) == 1
        assert "i-red entry 3" in capsys.readouterr().out
    finally:
        house.desk.broken = []


@pytest.mark.parametrize(
    ("token", "said"),
    [("", "YUJING_TOKEN"), ("wrong", "YUJING_TOKEN"), ("\u4ee4\u724c", "YUJING_TOKEN"),
     (UPSTREAM, "upstream")],
)  # fmt: skip
def test_a_wrong_token_says_what_to_set(
    live: tuple[DeskHouse, str], capsys: Captured, token: str, said: str
) -> None:
    """Exit 1, one line, no traceback."""
    assert clients.run_incidents(live[1], token) == 1
    said_on_stderr = capsys.readouterr().err
    assert said in said_on_stderr
    assert said_on_stderr.count("\n") == 1


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://127.0.0.1:port", ""])
def test_a_wrong_address_says_what_to_give(capsys: Captured, url: str) -> None:
    """Exit 1 with an example."""
    assert clients.run_incidents(url, OPERATOR) == 1
    assert "http://127.0.0.1:8620" in capsys.readouterr().err


def test_nobody_at_the_address_says_how_to_start(capsys: Captured) -> None:
    """The address, the command, and the variable."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert clients.run_incidents(f"http://127.0.0.1:{port}", OPERATOR) == 1
    said = capsys.readouterr().err
    assert str(port) in said
    assert "YUJING_URL" in said


def test_a_silence_is_planned_looked_at_and_ended(
    live: tuple[DeskHouse, str], capsys: Captured
) -> None:
    """What, up to how bad, until when, by whom; and at the end what it hid."""
    house, url = live
    order = {
        "match": {"facility": "510100-ww-01", "rule": ["cod-day"]}, "reason": "停炉[检修]",
        "until": "2026-03-10T08:00:00+08:00", "person": "li", "up_to": "orange",
    }  # fmt: skip
    assert clients.run_silences_add(url, OFFICER, order) == 0
    shown = capsys.readouterr().out
    assert "510100-ww-01 cod-day, up to orange, 2026-03-10T03:12:05+08:00 to" in shown
    assert "停炉[检修]\nit hid nothing\n" in shown
    (id_,) = house.desk.silent
    house.desk.hid[id_] = [
        Hid("i-red", "510100-ww-01", Severity.ORANGE, ("cod-day",), NOW, 2, "open", None)
    ]
    assert clients.run_silences(url, OFFICER, ended=False) == 0
    assert id_ in capsys.readouterr().out
    assert clients.run_silence(url, OFFICER, id_) == 0
    assert "i-red" in capsys.readouterr().out
    house.desk.now = NOW
    assert clients.run_silences_end(url, OFFICER, id_, "ghost") == 1
    assert "'ghost' is not in people.yaml" in capsys.readouterr().err
    assert clients.run_silences_end(url, OFFICER, id_, "li") == 0
    assert f"{id_} ended" in capsys.readouterr().out
    assert clients.run_silences(url, OFFICER, ended=False) == 0
    assert capsys.readouterr().out == "no silence; everything is told\n"
    assert clients.run_silences_add(url, OFFICER, order | {"up_to": "pink"}) == 1
    assert "pink" in capsys.readouterr().err
