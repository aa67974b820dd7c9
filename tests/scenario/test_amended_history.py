"""Late, corrected, withdrawn: the history of episodes is amended, the live stream is not."""

import shutil
from pathlib import Path
from random import Random

import pytest

from services.rules.amender import Amender
from services.rules.core import history
from services.rules.history_store import HistoryStore
from shared.config.load import ConfigError
from shared.errors import Unavailable
from shared.model.configuration import decode_bundle
from shared.model.instants import Instant
from shared.model.report import WITHDRAWN, Record, Tick
from tests.scenario.history_house import COD, MINUTE, HistoryHouse
from tests.scenario.house import START


@pytest.fixture
def house(tmp_path: Path) -> HistoryHouse:
    return HistoryHouse(tmp_path)


def live(house: HistoryHouse) -> list[tuple[str, float | None]]:
    return [(t.state, t.value) for _, t in house.store.read(0, 1000)]


def test_correction_from_120_to_12_and_its_duplicate(house: HistoryHouse) -> None:
    """What was said stays said, the history has no episode, and once is enough."""
    house.read((0, 20), (1, 120), (2, 20))
    said = live(house)
    assert house.episodes() == ["ended 12:01-12:02 120 | said 12:01-12:02"]
    for minute in (3, 4):
        house.append(house.report(1, 12))
        house.tick(minute)
    assert live(house) == said == [("firing", 120.0), ("resolved", 20.0)]
    assert house.episodes() == ["vanished 12:01-12:02 120 | said 12:01-12:02"]
    assert house.amendments() == ["vanished corrected 12.0"]


def test_withdrawal_after_recovery(house: HistoryHouse) -> None:
    house.read((0, 20), (1, 120), (2, 20), (5, 20))
    house.withdraw(1)
    house.tick(6)
    assert house.amendments() == ["vanished withdrawn None"]


def test_late_reading_inside_a_gap_that_would_have_fired(house: HistoryHouse) -> None:
    house.read((0, 20), (9, 20))
    house.append(house.report(5, 120))
    house.tick(10)
    assert live(house) == []
    assert house.episodes() == ["ended 12:05-12:09 120 | said nothing"]
    assert house.amendments() == ["appeared late 120.0"]


def test_correction_of_the_newest_reading_while_it_fires(house: HistoryHouse) -> None:
    """The live stream goes on from what it said; the history from what is true."""
    house.read((0, 20), (1, 120))
    house.append(house.report(1, 12))
    house.tick(2)
    house.read((3, 12), (4, 130), (5, 20))
    assert live(house)[0] == ("firing", 120.0)
    assert house.episodes() == [
        "ended 12:04-12:05 130 | said 12:04-12:05",
        "vanished 12:01-12:03 120 | said 12:01-12:03",
    ]
    assert house.amendments() == ["vanished corrected 12.0"]


def test_late_clearing_reading_splits_an_episode(house: HistoryHouse) -> None:
    house.read((0, 120), (4, 120), (6, 20))
    house.append(house.report(2, 20))
    house.tick(7)
    assert house.amendments() == ["changed late 20.0", "appeared late 20.0"]
    assert house.episodes() == [
        "ended 12:04-12:06 120 | said 12:00-12:06",
        "ended 12:00-12:02 120 | said 12:00-12:06",
    ]


def test_reading_in_its_turn_after_its_timer_ran(tmp_path: Path) -> None:
    """It was pending and silent, the timer fired; the late truth is that it had cleared before."""
    house = HistoryHouse(tmp_path, f"{COD}, for: 10m")
    house.read((0, 20), (1, 120))
    house.tick(30)
    assert live(house)[-1] == ("firing", 120.0)
    house.append(house.report(3, 20))
    house.tick(31)
    assert house.amendments() == ["vanished late 20.0"]


def test_alarm_that_the_live_stream_raises_after_a_late_reading_is_amended(tmp_path: Path) -> None:
    """It was pending; the late truth is that it had cleared. The stream fires all the same."""
    house = HistoryHouse(tmp_path, f"{COD}, for: 10m")
    house.read((0, 20), (1, 120), (5, 120))
    house.append(house.report(3, 20))
    house.tick(6)
    assert house.amendments() == []
    house.read((11, 120), (12, 20))
    assert live(house)[-2:] == [("firing", 120.0), ("resolved", 20.0)]
    assert house.amendments() == ["vanished late 20.0"]
    house.read((13, 20), (40, 20), (41, 120), (60, 120))
    assert house.amendments() == ["vanished late 20.0"]
    assert house.episodes() == [
        "firing 12:41- 120 | said 12:41-",
        "vanished 12:01-12:12 120 | said 12:01-12:12",
    ]


def test_recovery_that_only_came_late_is_no_amendment(tmp_path: Path) -> None:
    house = HistoryHouse(tmp_path, f"{COD}, for: 10m")
    house.read((0, 20), (1, 120))
    house.tick(30)
    house.append(house.report(15, 20))
    house.tick(31)
    assert live(house)[-1] == ("resolved", 20.0)
    assert house.amendments() == []
    assert house.episodes() == ["ended 12:01-12:15 120 | said 12:01-12:15"]


def test_what_is_older_than_is_kept_amends_nothing(house: HistoryHouse) -> None:
    house.read((0, 20), (1, 120), (2, 20))
    week = 8 * 24 * 60
    house.read((week, 20))
    house.append(house.report(1, 12))
    house.tick(week + 1)
    assert house.amendments() == []
    assert house.episodes() == ["ended 12:01-12:02 120 | said 12:01-12:02"]
    assert house.metrics.registry.get_sample_value("yujing_too_late_reports_total") == 1.0


def test_site_that_does_not_say_how_long_amends_nothing(tmp_path: Path) -> None:
    (tmp_path / "on").mkdir()
    house = HistoryHouse(tmp_path / "on")
    shutil.copytree(house.folder, tmp_path / "off")
    site = tmp_path / "off" / "site.yaml"
    site.write_text(site.read_text().replace("history: {keep: 7d}", ""))
    from shared.config.load import load  # beside its use: one test alone needs it

    assert load(tmp_path / "off", {}).history_keep_us is None
    site.write_text(site.read_text() + "history: {keep: 0s}\n")
    with pytest.raises(ConfigError, match=r"site\.yaml:\d+"):
        load(tmp_path / "off", {})


def test_officer_sees_his_own_territory_only(house: HistoryHouse) -> None:
    house.read((0, 120), (1, 20))
    house.append(house.report(0, 12))
    house.tick(2)
    for path, name in (("/v1/episodes", "episodes"), ("/v1/amendments", "amendments")):
        assert len(house.get(path, token="w" * 20).json()[name]) == 1
        assert house.get(path, token="x" * 20).json()[name] == []
        assert house.get(path, token="").status_code == 401
        assert house.get(path, facility="nobody").json()[name] == []
    assert house.get("/v1/episodes", rule="other").json() == {"episodes": []}
    assert house.get("/v1/amendments", after="1").json() == {"amendments": [], "next": 1}


@pytest.mark.parametrize("seed", range(12))
def test_amendments_are_a_function_of_the_log_and_the_history_of_the_set(
    seed: int, tmp_path: Path
) -> None:
    """Any batches and restarts say the same; any order of arrival ends in the same history."""
    random = Random(seed)
    readings = [
        (minute, random.choice([12.0, 57.0, 70.0, 120.0]), revision, random.random() < 0.1)
        for minute in range(12)
        for revision in range(random.choice([0, 1, 1, 2]))
    ]
    houses = []
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        houses.append(HistoryHouse(folder, f"{COD}, for: 1m, keep_firing_for: 1m"))
    first, batched, shuffled = houses
    order = random.sample(readings, len(readings))
    for house, rows in (
        (first, order), (batched, order), (shuffled, random.sample(order, len(order))),
    ):  # fmt: skip
        waiting: list[Record] = []
        for n, (minute, value, revision, gone) in enumerate(rows):
            flag = WITHDRAWN if gone else "N"
            waiting.append(house.report(minute, value, flag=flag, revision=revision))
            if n % 3 == 2:
                waiting.append(Tick(Instant(START + (12 + n) * MINUTE)))
            if house is not batched or random.random() < 0.3:
                house.append(*waiting)
                waiting = []
                house.judge()
                house.restart()
        house.append(*waiting)
        house.tick(100)
    assert first.everything() == batched.everything()
    finals = [
        history.settled(
            one.report
            for one in house.history.arrived(("ww", "ww", "realtime"), START - MINUTE, 100)
        )
        for house in houses
    ]
    assert finals[0] == finals[1] == finals[2]
    shown = [
        [line.partition(" |")[0] for line in h.episodes() if "vanished" not in line] for h in houses
    ]
    assert shown[0] == shown[1] == shown[2]
    for house in houses:
        for each in house.get("/v1/episodes").json()["episodes"]:
            assert each["said"] or each["amended"], "what nobody said is amended"


def test_disk_that_fails_in_the_middle_loses_nothing(house: HistoryHouse) -> None:
    """Memory is thrown away with the transaction; the same entries are taken again."""
    house.read((0, 20), (1, 120), (2, 20))
    house.append(house.report(1, 12))
    house.append(Tick(Instant(START + 3 * MINUTE)))
    with pytest.raises(Unavailable, match=r"history\.db"), house.history.writing():
        house.amender.pump()  # somebody left the file in the middle of something
    house.judge()
    assert house.amendments() == ["vanished corrected 12.0"]


def test_who_dies_before_the_first_look_still_tells(tmp_path: Path) -> None:
    """The site began to amend when it started, not when it came back."""
    house = HistoryHouse(tmp_path)
    fresh = HistoryStore(tmp_path / "second.db")
    keep_us = house.configuration.history_keep_us
    assert keep_us is not None

    def amender() -> Amender:
        return Amender(
            house.log, lambda name: decode_bundle(house.bundles.get(name)), fresh, keep_us,
            house.metrics,
        )  # fmt: skip

    amender()
    house.read((0, 20), (1, 120))
    house.append(house.report(1, 12, revision=1))
    house.tick(2)
    back = amender()
    while back.pump():
        pass
    assert [each.kind for _, each in fresh.amendments(0, 10, told_only=True)] == ["vanished"]
    fresh.close()
