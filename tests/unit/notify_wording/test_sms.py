"""The text on the phone: its parts, their order, and 70 units whatever the names."""

import re
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.port import AlertFact, Facts
from services.notify.wording.sms import sms_text
from services.notify.wording.units import units
from shared.model.instants import Instant, parse_instant
from shared.model.rollup import Members
from shared.model.severity import Severity

ZONE = ZoneInfo("Asia/Shanghai")


def at(text: str) -> Instant:
    return parse_instant(text, ZONE)


ALERT = AlertFact(
    rule="r", title="医废处置负荷", action="协调外运", indicator="mw.disposed_t", indicator_name="处置量",
    station="s", interval="day", severity=Severity.ORANGE, cause="raised", value=103.2, unit="%",
    limit=">= 100", since_us=at("2020-02-24T00:00:00"),
)  # fmt: skip
FACTS = Facts(
    kind="alert", notification="n1", incident="i1", person="li", person_name="李值", site_name="示例",
    language="zh-CN", timezone="Asia/Shanghai", now_us=at("2020-02-25T09:00:00"),
    facility_short_name="武汉医废一厂", facility_name="武汉示例医废处置中心", alerts=(ALERT,), ticket="T7",
)  # fmt: skip


def text_of(facts: Facts = FACTS, signature: str = "预警", **alert: object) -> str:
    if alert:
        facts = msgspec.structs.replace(facts, alerts=(msgspec.structs.replace(ALERT, **alert),))
    return sms_text(facts, signature)


def test_the_parts_stand_in_order() -> None:
    """Place, what, value and limit, since when, what to do, how to answer."""
    assert (
        text_of()
        == "【预警】武汉医废一厂：医废处置负荷103.2%（限≥100），2月24日起，协调外运，回1收到 T7"
    )


def test_marks_stand_in_order() -> None:
    """Drill, resend, and how often."""
    facts = msgspec.structs.replace(FACTS, drill=True, resend=True, nth=3)
    assert text_of(facts).startswith("【预警】【演练】重发第3次武汉医废一厂：")
    again = text_of(msgspec.structs.replace(facts, flapping=True))
    assert again.startswith("【预警】【演练】反复重发第3次武汉医废一厂：")
    assert units(again) <= 70


def test_a_territory_says_how_many_are_missing_while_there_is_room() -> None:
    """Nothing of a text that is in the contract gives way for it."""
    members = Members(5, 6, ("仙桃三厂",))
    assert text_of(members=members).endswith("2月24日起，缺1家，协调外运，回1收到 T7")
    assert text_of(members=Members(6, 6)) == text_of()
    for extra in range(40):
        long = "协调外运处置" + "甲" * extra
        text, without = text_of(members=members, action=long), text_of(action=long)
        assert units(text) <= 70
        assert text.replace("，缺1家", "") == without
    facts = msgspec.structs.replace(FACTS, kind="recovery")
    assert "缺" not in text_of(facts, members=members)


def test_recovery_asks_for_no_answer() -> None:
    """There is nothing left to do."""
    text = text_of(msgspec.structs.replace(FACTS, kind="recovery", ticket=None, drill=True))
    assert text.startswith("【预警】【演练】恢复武汉医废一厂：")
    assert "回1收到" not in text
    assert "T7" not in text


def test_without_an_action_it_asks_to_check() -> None:
    """Every alert says what to do."""
    assert "，请核实处置，" in text_of(action=None)


def test_missing_data_has_no_number() -> None:
    """Silence is not a value."""
    text = text_of(title="日报缺失", value=None, limit=None, unit=None, cause="missing")
    assert text == "【预警】武汉医废一厂：日报缺失无数据，2月24日起，协调外运，回1收到 T7"


@pytest.mark.parametrize(
    ("since", "interval", "words"),
    [("2020-02-25T00:00:00", "day", "，00:00起"), ("2020-02-25T08:05:59", "hour", "，08:05起"),
     ("2020-02-24T23:59:00", "realtime", "，2月24日23:59起"), ("2019-12-01T00:00:00", "day", "，12月1日起")],
)  # fmt: skip
def test_since_when(since: str, interval: str, words: str) -> None:
    """The clock today, else the day, and the clock unless the interval is a day."""
    assert words in text_of(since_us=at(since), interval=interval)


@pytest.mark.parametrize(
    ("value", "limit", "words"),
    [(103.249, "> 60.50", "103.2%（限>60.5）"), (5.0, "< 6.5 or > 10", "5%（限<6.5或>10）"),
     (1234567.0, ">= 1e6", "1235000%（限≥1000000）"), (-0.00012345, "<= -2.0", "-0.0001234%（限≤-2）")],
)  # fmt: skip
def test_numbers_have_four_digits_and_no_trailing_zero(
    value: float, limit: str, words: str
) -> None:
    """Nobody reads twelve digits at night."""
    assert words in text_of(value=value, limit=limit)


def test_what_to_do_gives_way_first_then_the_title_then_the_place() -> None:
    """Each gives only once those before it have given."""
    place, title, action = (
        "武汉市江夏区医疗废物处置中心",
        "医疗废物集中处置日负荷占批复能力之比",
        "立即协调外运处置",
    )
    for extra in range(40):
        facts = msgspec.structs.replace(FACTS, facility_short_name=place + "甲" * (extra // 2))
        text = text_of(facts, title=title + "乙" * extra, action=action)
        assert units(text) <= 70
        if (title + "乙" * extra) not in text:
            assert action[:2] not in text
        if facts.facility_short_name not in text:
            assert (title + "乙" * extra)[:5] not in text
        assert re.search(r"103\.2%（限≥100），2月24日起，(\S+，)?回1收到 T7$", text)
        assert place[:4] in text


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=80) | st.text(
    "😀𠮷甲A7【】\n\u0301\u202e", min_size=1, max_size=80
)


@given(
    place=NAMES, title=NAMES, action=st.none() | NAMES, drill=st.booleans(), resend=st.booleans(),
    nth=st.integers(1, 120), value=st.floats(-1e6, 1e9).filter(lambda v: v == 0 or abs(v) > 1e-4),
    unit=st.sampled_from(["%", "mg/L", "μg/m³", "1", "t"]),
    limit=st.sampled_from([">= 100", "< 6.5 or > 10", "> 0.05", "<= 12345.6"]),
    interval=st.sampled_from(["day", "hour", "realtime"]), signature=st.text("预警湖北", min_size=2, max_size=12),
)  # fmt: skip
def test_never_more_than_one_sms(
    place: str, title: str, action: str | None, drill: bool, resend: bool, nth: int, value: float,
    unit: str, limit: str, interval: str, signature: str,
) -> None:  # fmt: skip
    """Names may be anything; figures, the way to answer and the ticket stay."""
    alert = msgspec.structs.replace(
        ALERT, title=title, action=action, value=value, unit=unit, limit=limit, interval=interval
    )
    facts = msgspec.structs.replace(
        FACTS, facility_short_name=place, drill=drill, resend=resend, nth=nth, alerts=(alert,)
    )
    text = sms_text(facts, signature)
    assert units(text) <= 70
    assert text.endswith("回1收到 T7")
    assert text.startswith("【")
    assert text.count("【") == (2 if drill else 1)
    assert "2月24日" in text
    assert not re.search(r"[\x00-\x1f\ud800-\udfff\u202e]", text)
    for number in re.findall(r"\d+\.?\d*", limit):
        assert {"12345.6": "123"}.get(number, number) in text


def test_words_of_an_answer_are_signed_and_cut() -> None:
    """An answer is one SMS too."""
    facts = msgspec.structs.replace(
        FACTS, kind="reply", alerts=(), free_text="没有看懂" * 40, drill=True
    )
    text = text_of(facts)
    assert text.startswith("【预警】【演练】没有看懂")
    assert units(text) == 70
