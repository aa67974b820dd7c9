"""Reasons of the timeline in the language of the page: no id where there is a name."""

import re

import pytest

from services.notify.pages.clockwork import Clockwork
from services.notify.pages.members import members_text
from services.notify.pages.reasons import Reasons
from services.notify.wording.clauses import clause_words
from tests.unit.notify_api.desk_house import NOW, province
from tests.unit.notify_api.night import SHANGHAI

CLOCK = Clockwork(NOW, SHANGHAI)


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("cod-day orange, policy default", "化学需氧量日均 橙色，策略 default"),
        (
            "cod-day red, policy default, flapping from now on",
            "化学需氧量日均 红色，策略 default，由此按反复处理",
        ),
        ("flapping: reopened, cod-day orange", "反复中再次异常，化学需氧量日均 橙色"),
        ("inhibited by cod-day, load red", "由“化学需氧量日均”引起，load red"),
        ("inhibited by cod-day, and ended, cod-day red",
         "由“化学需氧量日均”引起，且已结束，化学需氧量日均 红色"),
        ("cod-day red, no longer inhibited by cod-day",
         "化学需氧量日均 红色，“化学需氧量日均”已结束，不再由它掩盖"),
        ("silenced by li until 2026-03-10T08:00:00+08:00: 停炉, 检修: 二号",
         "李值 设了静默至 08:00：停炉, 检修: 二号"),
        ("step 2", "第 2 级"),
        ("step 2, handed over by chen", "第 2 级，陈带 转交"),
        ("nobody holds duty_officer for 510100 or above", "蓉市及上级无人担任 duty_officer"),
        ("nothing fired for calm", "已持续平静"),
        ("access rong-desk", "令牌 rong-desk"),
        ("budget", "当天条数已用完"),
        ("HTTP 403", "网关拒绝（HTTP 403）"),
        ("unknown twice: the answer was cut off", "两次结果未知：回音中断"),
        ("550 no such box", "550 no such box"),
        ("", ""),
        ("更正：武汉医院 化学需氧量 12:01起的预警不成立", "武汉医院 化学需氧量 12:01起的预警不成立"),
    ],
)  # fmt: skip
def test_what_the_ledger_says_is_read_in_chinese(kept: str, shown: str) -> None:
    """Names for ids, our own words translated; what a provider said stays as it was."""
    assert Reasons(province()).text(kept, CLOCK) == shown


def test_english_keeps_its_words_and_names_who_silenced() -> None:
    reasons = Reasons(province("en"))
    assert reasons.text("flapping: reopened, cod-day orange", CLOCK) == (
        "flapping: reopened, cod-day orange"
    )
    silenced = reasons.text("silenced by li until 2026-03-11T08:00:00+08:00: repair", CLOCK)
    assert re.fullmatch(r"silenced by 李值 until 3月11日 08:00: repair", silenced)


def test_who_is_missing_in_a_territory_has_a_name() -> None:
    """Short names; the id only where two would be one; what is not named is counted."""
    c = province()
    members = {"known": 3, "of": 6, "unknown": ["510100-ww-01", "gone"]}
    assert members_text(members, c) == "6 家中已知 3 家，未知：蓉城示例传染、gone 等 3 家"
    assert members_text(members | {"known": 6, "unknown": []}, c) == "6 家中已知 6 家"
    assert members_text(None, c) == ""
    assert members_text(members, province("en")) == (
        "3 of 6 reported; unknown: 蓉城示例传染, gone and others, 3 in all"
    )


@pytest.mark.parametrize(
    ("clause", "zh"),
    [
        ("table 1", "表 1"), ("tables 1 and 2", "表 1、表 2"), ("Annex A, table 3", "附录 A，表 3"),
        ("clause 4.1.2", "第 4.1.2 条"), ("二", "二"), ("-", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_clause_is_cited_in_the_language_of_the_reader(clause: str, zh: str) -> None:
    assert clause_words(clause, english=False) == zh
    assert clause_words(clause, english=True) == clause.removeprefix("-")
