"""Diff: what another configuration would have changed for the people who are told."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from services.authoring.run_diff import run
from services.authoring.table import table
from shared.errors import InputError
from tests.unit.authoring.trial_site import FILES, write_hours, write_site

LOWER = FILES["rules"].replace("> 60", "> 50").replace("<= 54", "<= 45")
HIGHER = FILES["rules"].replace("> 100", "> 75")
F1 = "20 20 70 80 40 20 52 55 20 20 20 20"
"""02:00 to 04:00 over 60; 06:00 and 07:00 over 50."""
F2 = "20 20 20 20 20 20 20 20 90 90 20 20"


@pytest.fixture
def hours(tmp_path: Path) -> Path:
    return write_hours(tmp_path / "hours.csv", f1=F1, f2=F2)


def diff(folder: Path, hours: Path, ack: str = "10m", **changed: str) -> dict[str, Any]:
    old = write_site(folder / "old")
    new = write_site(folder / "new", **changed)
    out, err = io.StringIO(), io.StringIO()
    assert run(old, new, [hours], ack, {}, out, err, as_json=True) == 0, err.getvalue()
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_a_lower_limit_adds_alerts_and_says_where(tmp_path: Path, hours: Path) -> None:
    """One alert more, and one that ends later is the same alert."""
    found = diff(tmp_path, hours, rules=LOWER)
    assert [a["episode"] for a in found["alerts"]["added"]] == ["2026-02-03T06:00:00+08:00"]
    assert found["alerts"]["gone"] == []
    assert found["rules"] == [
        {"rule": "cod", "facility": "f1", "old": 1, "new": 2, "added": 1, "gone": 0,
         "severity_changed": 0}
    ]  # fmt: skip
    assert found["summary"].startswith(
        "+1 alerts, −0, 0 with another severity, +2 SMS, ±0 at night"
    )
    assert "acknowledged after 10m" in found["summary"]


def test_the_way_back_takes_them_away(tmp_path: Path, hours: Path) -> None:
    there = diff(tmp_path / "there", hours, rules=LOWER)
    old, new = write_site(tmp_path / "a", rules=LOWER), write_site(tmp_path / "b")
    out = io.StringIO()
    assert run(old, new, [hours], "10m", {}, out, io.StringIO(), as_json=True) == 0
    back = json.loads(out.getvalue())
    assert back["alerts"]["gone"] == there["alerts"]["added"]
    assert back["sms"] == {"old": there["sms"]["new"], "new": there["sms"]["old"]}


def test_another_severity_is_the_same_alert(tmp_path: Path, hours: Path) -> None:
    found = diff(tmp_path, hours, rules=HIGHER)
    changed = found["alerts"]["severity_changed"]
    assert [(a["facility"], a["old_severity"], a["severity"]) for a in changed] == [
        ("f1", "yellow", "orange"),
        ("f2", "yellow", "orange"),
    ]
    assert found["alerts"]["added"] == found["alerts"]["gone"] == []


def test_messages_are_counted_by_person_and_way(tmp_path: Path, hours: Path) -> None:
    """Nobody acknowledges: the catch-all has its turn; the night is 22 to 7 of the site."""
    policies = FILES["policies"].replace("by: [mail]", "by: [mail, sms]")
    found = diff(tmp_path, hours, "never", policies=policies)
    assert found["answering"] == "nobody acknowledges"
    rows = {(row["person"], row["channel"]): row for row in found["messages"]}
    assert rows["li", "sms"]["old"] == rows["li", "sms"]["new"] == 4
    assert (rows["chen", "sms"]["old"], rows["chen", "sms"]["new"]) == (0, 4)
    assert rows["chen", "sms"]["new_night"] == 2
    assert rows["chen", "mail"]["new_night"] == 0
    assert found["sms"] == {"old": 4, "new": 8}


def test_the_same_twice_differs_in_nothing(tmp_path: Path, hours: Path) -> None:
    old, new = write_site(tmp_path / "old"), write_site(tmp_path / "new")
    out, err = io.StringIO(), io.StringIO()
    assert run(old, new, [hours], "10m", {}, out, err, as_json=False) == 0
    assert (
        out.getvalue()
        .splitlines()[-1]
        .startswith("+0 alerts, −0, 0 with another severity, ±0 SMS, ±0 at night")
    )
    assert err.getvalue() == ""


def test_tables_and_what_was_skipped_are_for_people(tmp_path: Path, hours: Path) -> None:
    hours.write_text(hours.read_text() + "2026-02-03T09:00:00+08:00,nowhere,hour,w01018,1\n")
    old, new = write_site(tmp_path / "old"), write_site(tmp_path / "new", rules=LOWER)
    out, err = io.StringIO(), io.StringIO()
    assert run(old, new, [hours], "10m", {}, out, err, as_json=False) == 0
    assert "cod   f1          1    2     +1    −0         0" in out.getvalue()
    assert err.getvalue().count("unknown-facility") == 1


def test_a_wait_that_is_none_is_refused(tmp_path: Path, hours: Path) -> None:
    with pytest.raises(InputError, match="ack-after"):
        diff(tmp_path, hours, "soon")


def test_columns_line_up_with_wide_characters() -> None:
    shown = table(("人", "n"), [("李值", 5), ("ab", 10)])
    assert shown.splitlines() == ["人     n", "李值   5", "ab    10"]
