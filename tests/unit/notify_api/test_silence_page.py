"""The page of silences: planned with a reason and an end, looked at, ended; refused in words."""

from typing import Any

import pytest

from services.notify.core.silence import Hid, Silence
from services.notify.pages.silence_view import MOST_IN_SELECT, SilenceView
from services.notify.pages.silence_words import EN, ZH
from shared.model.instants import Instant
from shared.model.people import Person
from shared.model.severity import Severity
from tests.unit.notify_api.conftest import Go
from tests.unit.notify_api.desk_house import NOW, OFFICER, OPERATOR, DeskHouse
from tests.unit.notify_api.test_page_door import signed_in

HOUR = 3_600_000_000
FORM = {
    "place": "蓉城示例传染病医院污水站 510100-ww-01", "rule": "", "up_to": "orange", "hours": "4",
    "until": "", "reason": "停炉检修", "person": "li",
}  # fmt: skip


async def pressed(house: DeskHouse, path: str, form: dict[str, str], **headers: str) -> Any:
    async with signed_in(house) as client:
        return await client.post(path, data=form, headers=headers)


def test_a_silence_is_planned_on_the_page(desk_house: DeskHouse, go: Go) -> None:
    """Four hours, orange at most, in the officer's name; the duty page says that it runs."""
    answer = go(pressed(desk_house, "/silences", FORM | {"rule": "化学需氧量日均 cod-day"}))
    assert answer.status_code == 303
    (made,) = desk_house.desk.silent.values()
    assert (made.facility, made.rules, made.reason, made.person) == (
        "510100-ww-01", ("cod-day",), "停炉检修", "li",
    )  # fmt: skip
    assert (made.until_us, made.up_to) == (NOW + 4 * HOUR, Severity.ORANGE)
    assert answer.headers["location"] == f"/silences#{made.id}"

    async def look() -> list[str]:
        async with signed_in(desk_house) as client:
            return [(await client.get(path)).text for path in ("/", "/silences")]

    duty, silences = go(look())
    assert '<a href="/silences">1 项静默中，最早 07:12 结束</a>' in duty
    assert f'data-silence="{made.id}"' in silences
    assert "比橙色更严重的照常通知" in silences


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"place": "没有的地方"}, "silence_no_place"),
        ({"place": "渝北示例医废处置中心 510200-mw-01"}, "silence_no_place"),
        ({"place": "510000"}, "silence_no_place"),
        ({"rule": "gone"}, "silence_no_rule"),
        ({"up_to": "pink"}, "silence_no_level"),
        ({"reason": "  "}, "silence_no_reason"),
        ({"reason": "久" * 201}, "silence_no_reason"),
        ({"person": ""}, "silence_no_person"),
        ({"hours": "721"}, "silence_no_until"),
        ({"hours": "²"}, "silence_no_until"),
        ({"until": "2026-03-09T08:00"}, "silence_no_until"),
        ({"until": "soon"}, "silence_no_until"),
        ({"begin": "soon"}, "silence_no_from"),
        ({"begin": "2026-03-11T08:00", "until": "2026-03-10T08:00"}, "silence_no_from"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    desk_house: DeskHouse, go: Go, changed: dict[str, str], said: str
) -> None:
    """Nothing is silenced by a form that is not whole, and nothing need be typed again."""
    answer = go(pressed(desk_house, "/silences", FORM | changed))
    assert answer.status_code in (404, 422)
    assert ZH[said] in answer.text
    if "reason" not in changed:
        assert ">停炉检修</textarea>" in answer.text
    assert desk_house.desk.silent == {}


def test_the_end_by_a_clock_is_in_the_time_of_the_site(desk_house: DeskHouse, go: Go) -> None:
    """A date field has no offset: it means Shanghai here, whatever the hours say."""
    go(pressed(desk_house, "/silences", FORM | {"until": "2026-03-10T08:00", "place": "蓉市"}))
    (made,) = desk_house.desk.silent.values()
    assert (made.territory, made.until_us) == ("510100", Instant(1_773_100_800_000_000))


def test_one_for_tomorrow_is_planned_today(desk_house: DeskHouse, go: Go) -> None:
    """The hours count from its beginning; the duty page says nothing of it yet."""
    go(pressed(desk_house, "/silences", FORM | {"begin": "2026-03-10T08:00"}))
    (made,) = desk_house.desk.silent.values()
    begin = 1_773_100_800_000_000
    assert (made.from_us, made.until_us, made.planned) == (begin, begin + 4 * HOUR, True)

    async def look() -> list[str]:
        async with signed_in(desk_house) as client:
            return [(await client.get(path)).text for path in ("/", "/silences")]

    duty, silences = go(look())
    assert "项静默中" not in duty
    assert '<span class="chip ended">未开始</span>' in silences


def silence(facility: str | None, territory: str | None, up_to: Severity | None) -> Silence:
    return Silence(
        f"s{facility or territory}", facility, territory, (), "检修", "wu",
        Instant(NOW - HOUR), Instant(NOW + HOUR), up_to,
    )  # fmt: skip


def test_what_each_hides_stands_under_it(desk_house: DeskHouse, go: Go) -> None:
    """Red that is hidden is said aloud; what is silenced above is shown without a button."""
    desk = desk_house.desk
    desk.silence(silence("510100-ww-01", None, None))
    desk.silence(silence(None, "510000", Severity.BLUE))
    desk.hid["s510000"] = [
        Hid("i1", "510100-ww-02", Severity.BLUE, ("cod-day",), NOW, 1, "open", None),
        Hid("i2", "510200-mw-01", Severity.BLUE, (), NOW, 1, "resolved", NOW),
    ]

    async def look(token: str) -> str:
        async with desk_house.client(token) as client:
            return str((await client.get("/silences")).text)

    seen = go(look(OFFICER))
    assert "全部级别都不通知，红色也不" in seen
    assert "上级所设，您不能结束" in seen
    assert "压下 1 起" in seen
    assert "渝北示例医废处置中心" not in seen
    assert seen.count("/end") == 1
    assert "压下 2 起" in go(look(OPERATOR))


def test_ending_it_needs_a_name_and_leaves_what_it_hid(desk_house: DeskHouse, go: Go) -> None:
    """Only one's own; then it stands under those that ended, with its list open."""
    desk, path = desk_house.desk, "/silences/s510100-ww-01/end"
    desk.silence(silence("510100-ww-01", None, None))
    desk.silence(silence(None, "510000", None))
    desk.now = Instant(NOW)
    desk.hid["s510100-ww-01"] = [
        Hid("i1", "510100-ww-01", Severity.RED, ("cod-day",), NOW, 1, "open", None)
    ]
    assert ZH["silence_no_person"] in go(pressed(desk_house, path, {"person": ""})).text
    above = go(pressed(desk_house, "/silences/s510000/end", {"person": "li"}))
    assert (above.status_code, ZH["silence_over"] in above.text) == (404, True)
    assert go(pressed(desk_house, path, {"person": "li"})).status_code == 303

    async def look() -> str:
        async with signed_in(desk_house) as client:
            return str((await client.get("/silences")).text)

    seen = go(look())
    assert "李值 提前结束" in seen
    assert "<details open>" in seen
    assert "仍待确认" in seen


def test_other_sites_cannot_silence_anything(desk_house: DeskHouse, go: Go) -> None:
    """Neither begin nor end, and nobody without a token sees the form."""
    evil = {"Origin": "https://evil.example"}
    assert go(pressed(desk_house, "/silences", FORM, **evil)).status_code == 403
    assert go(pressed(desk_house, "/silences/x/end", FORM, **evil)).status_code == 403
    assert desk_house.desk.silent == {}

    async def look() -> str:
        async with desk_house.client() as client:
            return str((await client.get("/silences")).text)

    assert 'action="/session"' in go(look())


def test_a_facility_is_filled_in_from_its_card(desk_house: DeskHouse, go: Go) -> None:
    """By its id; what is not the reader's stays empty."""

    async def look(facility: str) -> str:
        async with signed_in(desk_house) as client:
            return str((await client.get(f"/silences?facility={facility}")).text)

    assert 'value="锦江示例二院污水站 510100-ww-02" autocomplete' in go(look("510100-ww-02"))
    assert 'name="place" list="places" value=""' in go(look("510200-mw-01"))


def test_where_there_are_many_people_one_types(go: Go) -> None:
    """No select of thousands under every silence: a name, or what the list offers."""
    house = DeskHouse()
    view = SilenceView(house.configuration)
    assert [view.chosen_person(text) for text in ("li", "李值", "李值 值班员 li", "鬼")] == [
        "li", "li", "li", "鬼",
    ]  # fmt: skip
    house.desk.silence(silence("510100-ww-01", None, None))
    house.configuration.people.update(
        {f"p{n}": Person(f"p{n}", f"张{n}", "值班员", "510100", ()) for n in range(MOST_IN_SELECT)}
    )

    async def look() -> str:
        async with signed_in(house) as client:
            return str((await client.get("/silences")).text)

    seen = go(look())
    assert seen.count('list="people"') == 2
    assert '<option value="张7 值班员 p7">' in seen


def test_both_languages_have_the_same_words() -> None:
    assert list(ZH) == list(EN)
