"""`yujing dead-letters`: what was refused, why, and again."""

import json
from pathlib import Path

import pytest
from ingest_house import OPERATOR, UPSTREAM, ZONE, House, report
from typer.testing import CliRunner

from services.cli import app
from services.ingest.clients import Letters, run_list, run_redrive, run_show
from shared.reports.dead_letter import redacted
from shared.testing.served import served

Captured = pytest.CaptureFixture[str]


def test_over_http_and_from_the_directory_the_same_is_told(
    house: House, tmp_path: Path, capsys: Captured
) -> None:
    """Beside a running service, or without one."""
    house.post([report("x"), report(facility="420100-none"), report(1)])
    with served(house.app) as url:
        assert run_list(Letters(url, OPERATOR, tmp_path), as_json=True) == 0
    over_http = capsys.readouterr().out
    assert run_list(Letters("", "", tmp_path, ZONE), as_json=True) == 0
    assert capsys.readouterr().out == over_http
    found = [json.loads(line) for line in over_http.splitlines()]
    assert [(one["id"], one["reason"]) for one in found] == [
        (1, "bad-number"),
        (2, "unknown-facility"),
    ]
    assert run_show(Letters("", "", tmp_path, ZONE), 1) == 0
    assert json.loads(json.loads(capsys.readouterr().out)["raw"]) == report("x")


def test_again_once_the_cause_is_gone(house: House, capsys: Captured) -> None:
    """1 while it is refused again, 0 when it was taken; twice is known already."""
    house.post(report(at="2026-03-01T13:00:00+08:00", interval="realtime"))
    with served(house.app) as url:
        letters = Letters(url, OPERATOR, None)
        assert run_redrive(letters, [1]) == 1
        assert "every item was refused" in capsys.readouterr().err
        house.clock.advance(3_600_000_000)
        assert run_redrive(letters, [1, 1]) == 0
        assert capsys.readouterr().out == "1: accepted\n1: known already\n"
        assert run_redrive(letters, [77]) == 1


def test_what_cannot_be_asked_is_said(tmp_path: Path, house: House, capsys: Captured) -> None:
    """One sentence that says what to do."""
    assert run_list(Letters("", "", tmp_path / "none")) == 1
    assert "--data" in capsys.readouterr().err
    assert run_redrive(Letters("", "", tmp_path), [1]) == 1
    assert "YUJING_TOKEN" in capsys.readouterr().err
    with served(house.app) as url:
        assert run_list(Letters(url, UPSTREAM, None)) == 1
    assert "operator" in capsys.readouterr().err


def test_the_commands_are_there(house: House, tmp_path: Path) -> None:
    """As contract §1 names them."""
    house.post(report("x"))
    environment = {"YUJING_DATA": str(tmp_path), "YUJING_TOKEN": "", "YUJING_CONFIG": ""}
    found = CliRunner().invoke(app, ["dead-letters", "list"], env=environment)
    assert (found.exit_code, "bad-number" in found.output) == (0, True), found.output
    found = CliRunner().invoke(app, ["dead-letters", "show", "1"], env=environment)
    assert json.loads(found.output)["reason"] == "bad-number"


def test_no_password_is_kept() -> None:
    """Refused frames are kept without PW, and not longer than 64 KiB."""
    assert redacted(b"##0101QN=1;PW=123456;MN=A;CP=&&&&") == b"##0101QN=1;PW=;MN=A;CP=&&&&"
    assert redacted(b"QN=1;PW=1234") == b"QN=1;PW="
    assert len(redacted(b"x" * 100_000)) == 65_536
