"""What the page says: order, who was told, and what is not known."""

from typing import Any

import pytest
from msgspec.structs import replace

from services.notify.pages.board import BoardMaker, limit_text, quantity
from services.notify.pages.clockwork import Clockwork
from services.notify.pages.facilities import facility_rows, state_of
from services.notify.pages.words import EN, ZH
from shared.model.instants import Instant, parse_instant
from shared.model.rule import Campaign
from tests.unit.notify_api.conftest import Go
from tests.unit.notify_api.desk_house import NOW, OPERATOR, DeskHouse
from tests.unit.notify_api.night import SHANGHAI, at, busy_night, entry, states, text_at

CLOCK = Clockwork(NOW, SHANGHAI)


def everything(_territory: str) -> bool:
    return True


def test_least_time_left_stands_first_and_no_next_step_last(desk_house: DeskHouse) -> None:
    """One officer at night works from the top."""
    for id_, next_ in (("late", text_at(9)), ("never", None), ("soon", text_at(2))):
        desk_house.desk.write(id_, "510100-ww-01", NOW, next_step_at=next_)
    papers = desk_house.desk.incidents(None, None, everything)
    board = BoardMaker(desk_house.configuration).board(papers, [], CLOCK)
    assert [card.id for card in board.open] == ["soon", "late", "never"]


def test_campaigns_that_run_are_named_with_their_end(desk_house: DeskHouse) -> None:
    """Planned ones and those that have ended are not."""
    hour = 3_600_000_000

    def campaign(name: str, begin: int, end: int) -> Campaign:
        return Campaign(name, name, name, Instant(NOW + begin), Instant(NOW + end), ("000000",))

    there = [campaign("过", -2 * hour, 0), campaign("今", 0, 72 * hour), campaign("来", 1, hour)]
    configured = replace(desk_house.configuration, campaigns={each.id: each for each in there})
    (line,) = BoardMaker(configured).board([], [], CLOCK).campaigns
    assert line == f"专项行动进行中：今（至 {CLOCK.of(NOW + 72 * hour).short}）"
    assert BoardMaker(desk_house.configuration).board([], [], CLOCK).campaigns == ()


def test_dates_are_written_in_the_language_of_the_page() -> None:
    """The day only when it is not today, in the zone of the site."""
    for language, day in (("zh-CN", "3月9日 22:12"), ("en", "9 Mar 22:12")):
        clock = Clockwork(NOW, SHANGHAI, language)
        assert (clock.of(at(-300)).short, clock.of(NOW).short) == (day, "03:12")


def test_the_one_reached_last_is_preselected(desk_house: DeskHouse) -> None:
    """A failed mail reached nobody; who was told stands before who could have been."""
    busy_night(desk_house)
    paper = desk_house.desk.papers["i-red"]
    card = BoardMaker(desk_house.configuration).card(paper, CLOCK)
    assert card.chosen == "chen"
    assert [choice.id for choice in card.people] == ["chen", "li", "wu", "yu"]


def test_nobody_told_yet_still_leaves_somebody_to_answer(desk_house: DeskHouse) -> None:
    """The people of the territory come first, then those above."""
    paper = desk_house.desk.write("i", "510100-ww-01", NOW)
    card = BoardMaker(desk_house.configuration).card(paper, CLOCK)
    assert [choice.id for choice in card.people] == ["li", "chen", "wu", "yu"]
    assert card.told == ()


def test_the_card_says_why_less_is_told(desk_house: DeskHouse) -> None:
    """Flapping, silenced, or the cause of others: nobody has to wonder why the phone is quiet."""
    desk_house.desk.write(
        "i1", "510100-ww-01", NOW,
        flapping_since=text_at(-9), silenced_until=text_at(60), inhibited=[
            {"rule": "a", "severity": "blue"}, {"rule": "cod-day", "severity": "red"},
            {"rule": "b", "severity": "blue"}, {"rule": "c", "severity": "blue"},
        ],
    )  # fmt: skip
    maker = BoardMaker(desk_house.configuration)
    card = maker.card(desk_house.desk.papers["i1"], CLOCK)
    assert card.standing == (
        "03:03 起反复，不再逐次通知",
        "静默至 04:12，到时仍异常即通知",
        "另有 4 项由此引起，暂不通知：化学需氧量日均 红色、a 蓝色、b 蓝色、还有 1 项",
    )
    desk_house.desk.write("i2", "510100-ww-01", NOW)
    assert maker.card(desk_house.desk.papers["i2"], CLOCK).standing == ()


def test_one_message_counts_once_whatever_became_of_it(desk_house: DeskHouse) -> None:
    """Queued, accepted and delivered are one telling; the last fate is shown."""
    timeline = [
        entry(-9, "queued", "li", channel="sms", notification="n1"),
        entry(-8, "accepted", "li", channel="sms", notification="n1"),
        entry(-7, "delivered", "li", channel="sms", notification="n1"),
        entry(-3, "accepted", "li", channel="sms", notification="n2"),
        entry(-2, "withheld", "li", channel="mail", notification="n3", reason="budget"),
    ]
    told = BoardMaker(desk_house.configuration).told(timeline, CLOCK)
    assert [(line.channel, line.times, line.outcome, line.reason) for line in told] == [
        ("邮件", 0, "withheld", "当天条数已用完"),
        ("短信", 2, "accepted", ""),
    ]


@pytest.mark.parametrize(
    ("rules", "reported", "heard", "state", "silent"),
    [
        ([], [], True, "unknown", 0),
        ([("a", "normal")], ["a"], True, "normal", 0),
        ([("a", "normal"), ("b", "unknown")], ["a", "b"], True, "unknown", 0),
        ([("a", "normal"), ("b", "unknown")], ["a"], True, "normal", 1),
        ([("a", "unknown"), ("b", "unknown")], [], False, "unknown", 2),
        ([("a", "normal")], [], False, "unknown", 0),
        ([("a", "firing"), ("b", "unknown")], ["b"], True, "firing", 0),
        ([("a", "firing")], [], False, "firing", 0),
        ([("a", "pending"), ("b", "unknown")], ["a", "b"], True, "pending", 0),
        ([("a", "unknown")], ["b"], True, "unknown", 1),
    ],
)
def test_absence_never_reads_as_normal(
    rules: list[tuple[str, str]], reported: list[str], heard: bool, state: str, silent: int
) -> None:
    """Firing, pending, unknown, normal: the worst of what is judged and was ever heard."""
    judged = [{"station": "s", "indicator": i, "interval": "day", "state": s} for i, s in rules]
    series = [{"station": "s", "indicator": i, "interval": "day"} for i in reported]
    assert state_of(judged, series, heard) == (state, silent)


def test_without_rules_to_ask_every_facility_is_unknown(desk_house: DeskHouse) -> None:
    """And none of the configured ones is left out."""
    rows = facility_rows(desk_house.configuration, [], everything, CLOCK)
    assert {row.id for row in rows} == set(desk_house.configuration.facilities)
    assert {row.state for row in rows} == {"unknown"}


def test_the_worst_facility_stands_first(desk_house: DeskHouse) -> None:
    """With what fires, the newest value, and the flag of a value that is no evidence."""
    rows = facility_rows(desk_house.configuration, states(), everything, CLOCK)
    assert [row.state for row in rows] == ["firing", "unknown", "normal"]
    assert rows[0].firing == ("化学需氧量日均",)
    assert rows[1].values == ("化学需氧量 64.2 mg/L [D]",)


def test_a_fragment_is_sent_again_only_when_it_changed(go: Go) -> None:
    """304 with the program's clock while nothing changes; the new board when something does."""
    house = DeskHouse(states=states)
    busy_night(house)

    async def look() -> list[Any]:
        async with house.client(OPERATOR) as ops:
            found: list[Any] = []
            for path in ("/page/board", "/page/facilities"):
                first = await ops.get(path)
                house.clock.advance(1_000_000)
                again = await ops.get(path, headers={"If-None-Match": first.headers["etag"]})
                found.append((first.status_code, again.status_code))
                passed = int(again.headers["yujing-now"]) - int(first.headers["yujing-now"])
                found.append((passed, again.headers["yujing-speed"]))
            tag = (await ops.get("/page/board")).headers["etag"]
            house.desk.acknowledge("i-red", "li", "api", "", at(1))
            changed = await ops.get("/page/board", headers={"If-None-Match": tag})
            found.append(('data-handled="i-red"' in changed.text, changed.status_code))
            return found

    assert go(look()) == [(200, 304), (1000, "1.0"), (200, 304), (1000, "1.0"), (True, 200)]


def test_names_are_escaped(desk_house: DeskHouse, go: Go) -> None:
    """What others wrote into files and timelines is text, never markup."""
    desk_house.desk.write(
        "i", "510100-ww-01", NOW,
        alerts=[{"rule": "<img src=x>", "severity": "red", "value": 1.0, "limit": "<xb>"}],
        timeline=[entry(0, "failed", "<xi>", channel="<xu>", reason='"><script>')],
    )  # fmt: skip

    async def look() -> str:
        async with desk_house.client(OPERATOR) as ops:
            return str((await ops.get("/")).text)

    page = go(look())
    for foreign in ("<img src=x>", "<xb>", "<xi>", "<xu>", '"><script>'):
        assert foreign not in page


def test_english_is_second_and_complete(go: Go) -> None:
    """Both languages have the same words with the same places."""
    assert set(EN) == set(ZH)
    assert {k: v.count("{") for k, v in EN.items()} == {k: v.count("{") for k, v in ZH.items()}
    house = DeskHouse(language="en", states=states)
    busy_night(house)

    async def look() -> str:
        async with house.client(OPERATOR) as ops:
            return str((await ops.get("/")).text)

    page = go(look())
    assert '<html lang="en">' in page
    assert "Daily COD" in page


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(103.2, "%", "103.2 %"), (0.0512345, "mg/L", "0.05123 mg/L"), (123456.0, "1", "123456"),
     (60.0, None, "60"), (None, "mg/L", "")],
)  # fmt: skip
def test_numbers_are_short(value: float | None, unit: str | None, text: str) -> None:
    """At most four significant digits, no exponent for ordinary sizes, no unit of one."""
    assert quantity(value, unit) == text


def test_limits_and_moments_read_as_people_write() -> None:
    """Signs for comparisons; the day only when it is not today, the hour only when it says more."""
    assert limit_text(">= 100") == "≥ 100"
    assert limit_text(None) == ""
    shown = [
        CLOCK.of(parse_instant(text, SHANGHAI)).short
        for text in ("2026-03-10T00:30:00", "2026-03-09T00:00:00", "2026-02-01T23:05:00")
    ]
    assert shown == ["00:30", "3月9日", "2月1日 23:05"]
