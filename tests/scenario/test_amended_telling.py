"""更正: those who were told hear once that it was otherwise; nothing reopens or climbs for it."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.facts import plain_words
from services.notify.wording.amendment import LONGEST_UNITS, amendment_words
from services.notify.wording.mail import MailWording
from services.notify.wording.units import units
from shared.model.amendment import Amendment, Cause, Span
from shared.model.instants import Instant
from shared.model.report import WITHDRAWN
from shared.model.severity import Severity
from tests.scenario.history_house import HistoryHouse
from tests.scenario.house import START


@pytest.fixture
def house(tmp_path: Path) -> HistoryHouse:
    return HistoryHouse(tmp_path)


def test_correction_from_120_to_12_is_told_once_to_whoever_was_told(house: HistoryHouse) -> None:
    """From YAML to the phone: the alarm, the recovery, then one correction, and never again."""
    house.read((0, 20), (1, 120), (2, 20))
    house.tell()
    assert "120mg/L" in house.message()
    assert "恢复" in house.message()
    for minute in (3, 4):
        house.append(house.report(1, 12))
        house.tick(minute)
        house.tell()
    assert house.message() == (
        "【预警】更正：武汉医院 化学需氧量 12:01起的预警不成立（数据更正为12mg/L）"
    )
    house.people.no_other_messages()
    incident = house.people.incident("ww")
    assert incident["state"] == "resolved"
    (line,) = [each for each in incident["timeline"] if each["kind"] == "amended"]
    assert line["reason"] == "更正：武汉医院 化学需氧量 12:01起的预警不成立（数据更正为12mg/L）"
    assert house.people.notify.audit_verify() == []


def test_withdrawal_after_recovery_is_told_without_reopening(house: HistoryHouse) -> None:
    house.read((0, 20), (1, 120), (2, 20))
    house.tell()
    house.message(), house.message()
    house.withdraw(1)
    house.tick(3)
    house.tell()
    assert house.message().endswith("12:01起的预警不成立（数据已撤回）")
    house.people.fast_forward("2h")
    house.people.no_other_messages()
    assert house.people.incident("ww")["state"] == "resolved"


def test_late_reading_that_would_have_fired_tells_nobody_who_heard_nothing(
    house: HistoryHouse,
) -> None:
    house.read((0, 20), (9, 20))
    house.append(house.report(5, 120))
    house.tick(10)
    house.tell()
    house.people.no_other_messages()
    assert house.people.notify.incidents(None, "ww", lambda _: True) == []


def test_whoever_is_told_later_hears_the_correction_after_it(house: HistoryHouse) -> None:
    """The live incident climbs as ever; the next official must not be left with the untruth."""
    house.read((0, 20), (1, 120))
    house.tell()
    house.message()
    house.append(house.report(1, 12))
    house.tick(2)
    house.tell()
    assert "更正" in house.message()
    house.people.fast_forward("16m")
    assert "120mg/L" in house.message("chen")
    assert "更正" in house.message("chen")
    house.people.no_other_messages()


def test_acknowledgement_does_not_keep_the_truth_from_anybody(house: HistoryHouse) -> None:
    house.read((0, 20), (1, 120))
    house.tell()
    house.message()
    house.people.acknowledge("li", "ww")
    house.append(house.report(1, 12))
    house.tick(2)
    house.tell()
    assert "更正" in house.message()
    assert house.people.incident("ww")["state"] == "acknowledged"
    house.people.no_other_messages()


def test_changed_end_is_said_as_it_is(house: HistoryHouse) -> None:
    house.read((0, 120), (4, 120), (6, 20))
    house.tell()
    house.message(), house.message()
    house.append(house.report(2, 20))
    house.tick(7)
    house.tell()
    assert house.message().endswith("12:00起的预警应为12:02结束（补报20mg/L）")
    assert house.message().endswith("12:04起另有预警（补报20mg/L）")
    house.people.no_other_messages()


def test_amendment_waits_for_the_transition_it_amends(house: HistoryHouse) -> None:
    """It would find nobody told, and the alarm would go out uncorrected."""
    house.read((0, 20))
    house.append(house.report(1, 120), house.report(1, 12))
    house.tick(2)
    assert house.amend() is None
    house.tell()
    assert "120mg/L" in house.message()
    assert "更正" in house.message()
    house.people.restart()
    assert house.amend() is False
    house.people.no_other_messages()


def test_site_that_begins_to_amend_does_not_tell_of_old_corrections(tmp_path: Path) -> None:
    house = HistoryHouse(tmp_path)
    house.read((0, 20), (1, 120), (2, 20))
    house.append(house.report(1, 12))
    house.tick(3)
    house.history.close()
    for file in tmp_path.glob("history.db*"):
        file.unlink()
    house.open_history()
    house.judge()
    house.tell()
    assert not any("更正" in text for text in (house.message(), house.message()))
    assert house.amendments() == ["vanished corrected 12.0"]
    house.people.no_other_messages()


SPANS = st.builds(
    Span,
    st.integers(0, 10**6).map(lambda n: Instant(START + n * 10**9)),
    st.just(Instant(START)),
    st.one_of(st.none(), st.just(Instant(START + 10**15))),
    st.sampled_from(Severity),
    st.floats(allow_nan=False, allow_infinity=False),
    st.just("> 60"),
    st.just("mg/L"),
)


@given(
    st.one_of(st.none(), SPANS), SPANS, st.booleans(), st.text(max_size=60), st.text(max_size=60),
    st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20),
    st.sampled_from(["zh-CN", "en"]), st.sampled_from(["late", "corrected", "withdrawn"]),
)  # fmt: skip
def test_words_fit_one_message_whatever_the_names(
    one: Span | None, other: Span, turned: bool, place: str, title: str, value: float, unit: str,
    language: str, why: str,
) -> None:  # fmt: skip
    before, after = (other, one) if turned else (one, other)
    cause = Cause(why, "w01018", Instant(START), value, WITHDRAWN, "", Instant(START))  # type: ignore[arg-type]
    amendment = Amendment(
        1, "x", "changed", "cod", "ww", "ww", "w01018", "hour", before, after, cause,
        Instant(START), 1,
    )  # fmt: skip
    text = amendment_words(
        amendment, place=place, title=title, unit=unit, now_us=Instant(START),
        zone=ZoneInfo("Asia/Shanghai"), language=language,
    )  # fmt: skip
    assert units(text) <= LONGEST_UNITS


def test_mail_says_the_same_and_asks_for_nothing(house: HistoryHouse) -> None:
    house.read((0, 20), (1, 120), (2, 20))
    house.tell()
    house.append(house.report(1, 12))
    house.tick(3)
    house.tell()
    facts = house.people.wire.sent[-1].message.facts
    words = MailWording().write(facts)
    said = "更正：武汉医院 化学需氧量 12:01起的预警不成立（数据更正为12mg/L）"
    assert said in words.subject
    assert said in words.text
    assert said in words.html
    assert "http" not in words.text
    assert plain_words(facts) == said
