"""Why was nobody told at 03:10? Every rule that looked answers, and names the stage that said no."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from services.rules.core.engine import Engine
from services.rules.past import SECONDS
from services.why_ask import run_series, series_of
from shared.log.port import REPORTS, Position
from shared.model.report import Activate, decode_envelope
from shared.testing.served import served
from tests.scenario.why_house import BASIS, OPS, WhyHouse

HIGH = (
    "  - {id: high, title: {zh: 需氧量高}, applies: {kind: hospital_wastewater}, condition: {threshold: "
    "{indicator: w01018, interval: realtime, unit: mg/L}}, levels: [{severity: yellow, "
    'raise: "> 8", clear: "< 6"}], %s' + BASIS + "}\n"
)
Make = Callable[[str], WhyHouse]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda rules: WhyHouse(tmp_path, rules)


def test_the_delay_was_still_running(make: Make) -> None:
    """Above the limit since 03:05, but the rule waits ten minutes: at 03:10 it had not fired."""
    house = make(HIGH % "for: 10m, ")
    house.listen("03:00", 4)
    house.read("03:05", 9.5)
    house.listen("03:05", 15)

    said = house.rule("high", "03:10")
    assert (said["stage"], said["state"]) == ("for", "pending")
    assert said["until"] == "2026-03-02T03:15:00+08:00"
    assert "03:15" in said["reason"]
    later = house.rule("high", "03:16")
    assert (later["stage"], later["state"], later["severity"]) == ("firing", "firing", "yellow")
    assert later["last_transition"]["at"] == "2026-03-02T03:15:00+08:00"


def test_what_came_in_later_was_not_known_then(make: Make) -> None:
    """A reading of 03:08 that arrived at 03:40 told nobody anything at 03:10."""
    house = make(HIGH % "")
    house.listen("03:00", 5)
    house.read("03:05", 7.0)
    house.listen("03:06", 30)
    house.read("03:08", 12.0, received="03:40")
    house.listen("03:41", 5)

    assert house.rule("high", "03:10")["stage"] == "deadband"
    assert house.why("03:10")["reading"]["value"] == 7.0
    assert house.rule("high", "03:42")["stage"] == "firing"
    assert house.rule("high", "03:10", by="observed")["state"] == "firing"


def test_a_reading_that_is_not_newer_changes_nothing(make: Make) -> None:
    """It came late, and it is named."""
    house = make(HIGH % "")
    house.listen("03:00", 9)
    house.read("03:09", 5.0)
    house.read("03:08", 12.0, received="03:09:30")
    house.listen("03:10", 1)

    answer = house.why("03:10")
    assert answer["rules"][0]["stage"] == "level"
    (late,) = answer["not_newer"]
    assert (late["value"], late["observed_at"]) == (12.0, "2026-03-02T03:08:00+08:00")


def test_a_flag_is_no_evidence_and_a_rule_has_its_edition(make: Make) -> None:
    """Unknown is neither normal nor firing; the next edition does not judge yet."""
    later = HIGH.replace("id: high", "id: later").replace("2020-01-01", "2031-01-01")
    house = make(HIGH % "" + later % "")
    house.listen("03:00", 5)
    house.read("03:05", 12.0, "D")
    house.listen("03:06", 10)

    said = house.rule("high", "03:10")
    assert (said["stage"], said["state"]) == ("unknown", "unknown")
    assert "D" in said["reason"]
    assert house.rule("later", "03:10")["stage"] == "edition"


def test_it_had_cleared_but_is_kept_firing(make: Make) -> None:
    house = make(HIGH % "keep_firing_for: 30m, ")
    house.listen("02:50", 5)
    house.read("02:55", 9.0)
    house.read("03:05", 5.0)
    house.listen("03:06", 10)

    said = house.rule("high", "03:10")
    assert (said["stage"], said["until"]) == ("keep_firing_for", "2026-03-02T03:35:00+08:00")


def test_rules_that_do_not_look_say_what_keeps_them_away(make: Make) -> None:
    """Kind, point, territory, indicator and interval, each by its name."""
    rules = HIGH % ""
    for name, applies in {
        "waste": "kind: medical_waste", "outlet": "point: outlet", "xiantao": 'territory: "429004"',
        "one": "facility: nobody-*", "infectious": "attributes: {hospital: infectious}",
    }.items():  # fmt: skip
        rules += (
            (HIGH % "")
            .replace("id: high", f"id: {name}")
            .replace("kind: hospital_wastewater", applies)
        )
    rules += (HIGH % "").replace("id: high", "id: ammonia").replace("w01018", "w21003")
    rules += (HIGH % "").replace("id: high", "id: hourly").replace("realtime", "hour")
    house = make(rules)
    house.listen("03:00", 10)

    others = {each["rule"]: each["stage"] for each in house.why("03:10")["others"]}
    assert others == {
        "waste": "kind", "outlet": "point", "xiantao": "territory", "one": "facility",
        "infectious": "attributes", "ammonia": "indicator", "hourly": "interval",
    }  # fmt: skip
    assert house.rule("high", "03:10")["stage"] == "nothing-heard"


def test_a_campaign_judges_instead(make: Make, tmp_path: Path) -> None:
    """Where it runs, its edition answers and the rule names it; elsewhere it is the other way."""
    (tmp_path / "campaigns.yaml").write_text(
        "campaigns:\n  - {id: march, title: {zh: 三月行动}, from: 2026-03-01, to: 2026-04-01, "
        'territories: ["420100"], rules: [{rule: high, levels: [{severity: orange, raise: "> 4"}]}], '
        'basis: {standard: 文件, edition: "2026", clause: "-"}}\n',
        encoding="utf-8",
    )
    house = make(HIGH % "")
    house.listen("03:00", 4)
    house.read("03:05", 5.0)
    house.read("03:05", 5.0, facility="other")
    house.listen("03:05", 10)

    here = {each["rule"]: each for each in house.why("03:10")["rules"]}
    assert (here["high"]["stage"], here["high@march"]["state"]) == ("edition", "firing")
    assert "high@march" in here["high"]["reason"]
    there = house.why("03:10", facility="other", station="other-a")
    assert [(each["rule"], each["stage"]) for each in there["rules"]] == [("high", "level")]
    (campaign,) = there["others"]
    assert (campaign["stage"], "420100" in campaign["reason"]) == ("territory", True)


def test_a_derived_rule_after_a_campaign(make: Make, tmp_path: Path) -> None:
    """What it counted stands, though a campaign judged instead for a while."""
    rule = (
        "  - {id: often, title: {zh: 多次}, applies: {kind: hospital_wastewater}, condition: {count: "
        '{indicator: w01018, interval: realtime, of: "> 8", within: 2}}, levels: [{severity: yellow, '
        'raise: ">= 2"}], ' + BASIS + "}\n"
    )
    (tmp_path / "campaigns.yaml").write_text(
        "campaigns:\n  - {id: early, title: {zh: 早}, from: 2026-01-01, to: 2026-03-01, "
        'territories: ["420100"], rules: [{rule: often, for: 1h}], '
        'basis: {standard: 文件, edition: "2026", clause: "-"}}\n',
        encoding="utf-8",
    )
    house = make(rule)
    house.listen("03:00", 1)
    for minute in range(2, 6):
        if minute == 4:
            house.append(Activate(house.bundle))  # the same again
        house.read(f"03:{minute:02d}", 5.0)
        house.listen(f"03:{minute:02d}", 0)
    said = house.rule("often", "03:10")
    assert (said["stage"], said["value"], said["state"]) == ("level", 0, "normal")


def test_what_a_mean_had_of_its_window(make: Make) -> None:
    """Forty of sixty minutes are there at 03:41: the mean of the hour is not judged yet."""
    house = make(
        "  - {id: mean, title: {zh: 小时均值}, applies: {kind: hospital_wastewater}, condition: "
        "{average: {indicator: w01018, interval: minute, over: 1h, unit: mg/L}}, "
        'levels: [{severity: yellow, raise: "> 8"}], ' + BASIS + "}\n"
    )
    for minute in range(40):
        house.tick(f"03:{minute:02d}:30")
        house.read(f"03:{minute:02d}", 9.0, interval="minute", received=f"03:{minute:02d}:40")
    house.tick("03:41", "03:42")

    said = house.rule("mean", "03:41", interval="minute")
    assert (said["stage"], said["state"]) == ("window", "unknown")
    assert said["derived"]["window"]["from"] == "2026-03-02T03:00:00+08:00"
    assert (said["derived"]["slots"], said["derived"]["expected"]) == (40, 60)
    assert "40/60" in said["reason"]


def test_silence_says_when_it_would_be_told(make: Make) -> None:
    """Our own deafness does not count as the station's silence."""
    house = make(
        "  - {id: silent, title: {zh: 失联}, applies: {kind: hospital_wastewater}, condition: {missing: "
        "{indicator: w01018, interval: realtime, every: 5m, grace: 2m}}, "
        "levels: [{severity: blue}], " + BASIS + "}\n"
    )
    house.listen("03:00", 1)
    house.read("03:00:30", 5.0, received="03:01")
    house.tick("03:01:10", "03:01:30", "03:06:30", "03:06:50", "03:10")

    said = house.rule("silent", "03:06:55")
    assert (said["stage"], said["until"]) == ("silence", "2026-03-02T03:13:00+08:00")
    assert said["silence"]["deaf_seconds_since"] == 300
    assert "300" in said["reason"]


def test_an_officer_asks_about_his_own_territory_only(make: Make) -> None:
    """Elsewhere nothing exists; an upstream may not ask; nobody may ask without a token."""
    house = make(HIGH % "")
    query = {"facility": "ww", "indicator": "w01018", "at": "2026-03-02T03:10:00+08:00"}
    for token, status in {"w" * 20: 200, "x" * 20: 404, "u" * 20: 403, "": 401}.items():
        assert house.get(token, **query).status_code == status
    assert house.get(**query | {"facility": "nobody"}).status_code == 404
    for wrong in ({"at": "at ten"}, {"interval": "week"}, {"indicator": "what"}, {"by": "luck"}):
        assert house.get(**query | wrong).status_code == 400


def test_a_log_too_long_is_read_from_its_newest_part(make: Make) -> None:
    """The answer says from when on it knows."""
    house = make(HIGH % "")
    for hour in range(24):
        for minute in range(60):
            house.tick(f"{hour:02d}:{minute:02d}")
    house.read("23:59:10", 9.0)
    house.tick("23:59:40", "23:59:50")
    house.each_look = SECONDS / 4.5

    answer = house.why("23:59:45")
    assert answer["read"]["complete"] is False
    assert answer["read"]["since"] > "2026-03-02T08:00:00+08:00"
    assert answer["rules"][0]["state"] == "firing"


def test_the_same_engine_as_the_live_one(make: Make) -> None:
    """Judged again up to the end, every transition is the live one's."""
    house = make(HIGH % "for: 3m, keep_firing_for: 2m, ")
    live = Engine(lambda name: house.configuration.bundle())
    house.listen("03:00", 2)
    for n, value in enumerate([5.0, 9.0, 9.0, 7.0, 5.0, 5.0, 9.5, 9.0, 9.0, 12.0]):
        house.read(f"03:{n + 3:02d}", value)
        house.listen(f"03:{n + 3:02d}", 0)
    house.listen("03:13", 5)
    said = []
    for entry in house.log.read(REPORTS, 0, Position(0)).entries:
        said += live.apply(decode_envelope(entry.value))
    last = house.rule("high", "03:30")["last_transition"]
    assert (last["state"], last["value"]) == (said[-1].state, said[-1].value)


def test_what_the_terminal_says(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """Chinese first; `--json` is what the API says; a path is as good as three options."""
    house = make(HIGH % "for: 10m, ")
    house.listen("03:00", 4)
    house.read("03:05", 9.5)
    house.listen("03:05", 15)
    series = series_of("ww/ww-a/w01018", None, None, None)
    assert series == series_of(None, "ww", "ww-a", "w01018")
    assert series_of("ww/w01018", None, None, None) == {"facility": "ww", "indicator": "w01018"}
    query = series | {"interval": "realtime", "at": "2026-03-02T03:10:00+08:00"}
    with served(house.app) as url:
        assert run_series(url, OPS, query) == 0
        shown = capsys.readouterr().out
        assert run_series(url, OPS, query, as_json=True) == 0
        assert json.loads(capsys.readouterr().out)["rules"][0]["stage"] == "for"
        assert run_series(url, "x" * 20, query) == 1
    assert "需氧量高" in shown and "待定" in shown and "持续时间未到" in shown
    assert "9.5 mg/L" in shown
