"""Replies: every way people write one character, and what changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.core.phone import plain_number
from services.notify.core.reply import decide
from services.notify.port import OutstandingTicket
from services.notify.wording.units import units
from shared.model.instants import Instant


def told(ticket: str, state: str = "open", place: str = "武汉一厂") -> OutstandingTicket:
    return OutstandingTicket(ticket, f"inc-{ticket}", state, Instant(0), place)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "１",
        " 1 ",
        "1。",
        "收到",
        "收到。",
        "　收到！",
        "1收到",
        "“1”",
        "1\r\n",
        "①",
        "1️⃣",
        "👌1",
    ],
)
def test_a_bare_yes_in_any_spelling_acknowledges(text: str) -> None:
    """One character at 3 a.m. is enough, however the phone writes it."""
    decision = decide(text, [told("T7")], "zh-CN")
    assert (
        decision.act,
        decision.incident,
        decision.note,
        decision.answer,
    ) == ("acknowledge", "inc-T7", "received", None)


@pytest.mark.parametrize(
    "text", ["1 T7", "1T7", "１ｔ７", "1 t7", "1-T7。", "收到T7", "T7 1", "1、 T 7"]
)
def test_a_ticket_names_its_incident(text: str) -> None:
    """A ticket wins over what is newest, and needs no answer."""
    decision = decide(text, [told("K3"), told("T7")], "zh-CN")
    assert (decision.act, decision.incident, decision.answer) == ("acknowledge", "inc-T7", None)


@pytest.mark.parametrize(
    ("text", "note"), [("2", "on site"), ("０", "false alarm"), ("2 T7", "on site")]
)
def test_two_and_zero_acknowledge_with_their_meaning(text: str, note: str) -> None:
    """On site and false alarm are acknowledgements that say more."""
    decision = decide(text, [told("T7")], "zh-CN")
    assert ("acknowledge", note) == (decision.act, decision.note)


def test_three_hands_over() -> None:
    """The next step starts at once."""
    assert (
        decide("３ T7", [told("T7")], "zh-CN").act,
        decide("3", [told("T7")], "zh-CN").incident,
    ) == ("hand_over", "inc-T7")


def test_a_bare_order_takes_the_newest_open_one_and_says_which() -> None:
    """With others open, the person must know which one was meant."""
    decision = decide("1", [told("K3", "acknowledged"), told("T7"), told("P2")], "zh-CN")
    assert decision.incident == "inc-T7"
    assert decision.answer is not None
    assert "T7" in decision.answer
    assert "P2" in decision.answer
    assert "K3" not in decision.answer
    assert not decision.not_understood


@pytest.mark.parametrize("text", ["1", "1 T7", "3", "3 T7"])
@pytest.mark.parametrize("state", ["acknowledged", "resolved"])
def test_a_second_or_late_answer_changes_nothing(text: str, state: str) -> None:
    """Neither an error nor an effect."""
    decision = decide(text, [told("T7", state)], "zh-CN")
    assert (decision.act, decision.answer, decision.not_understood) == ("nothing", None, False)


def test_nothing_open_changes_nothing() -> None:
    """A person told of nothing gets no answer to an order."""
    assert decide("1", [], "zh-CN").answer is None


@pytest.mark.parametrize("text", ["5", "11", "什么情况", "", "1 T", "T7", "1 77", "谢谢", "12"])
def test_what_is_not_understood_is_answered_in_words(text: str) -> None:
    """And changes nothing."""
    decision = decide(text, [told("T7")], "zh-CN")
    assert decision.act == "nothing"
    assert decision.not_understood
    assert decision.answer


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_ticket_that_is_not_his_changes_nothing_and_is_answered(language: str) -> None:
    """The answer names those that are his."""
    decision = decide("1 K9", [told("T7")], language)
    assert (decision.act, decision.not_understood) == ("nothing", True)
    assert decision.answer is not None
    assert "K9" in decision.answer
    assert "T7" in decision.answer


def test_a_ticket_used_again_means_the_open_incident() -> None:
    """Tickets are short, so they come back; an old owner of it does not shadow the new one."""
    old = OutstandingTicket("T7", "old", "resolved", Instant(9), "x")
    new = OutstandingTicket("T7", "new", "open", Instant(5), "y")
    assert decide("1T7", [old, new], "zh-CN").incident == "new"


@given(st.text(max_size=40), st.sampled_from(["zh-CN", "en"]))
def test_any_text_is_read_and_answers_fit_one_sms(text: str, language: str) -> None:
    """Whatever comes, there is a decision; answers leave room for a signature and the drill mark."""
    tickets = [
        told(f"{letter}5", place="湖北省武汉市江夏区医疗废物处置中心") for letter in "ABCDEF"
    ]
    for each in (decide(text, tickets, language), decide("1", tickets, language)):
        assert each.answer is None or units(each.answer) <= 70 - 12


@pytest.mark.parametrize(
    "typed",
    ["13900000001", "+8613900000001", "+86 139 0000 0001", "008613900000001", "8613900000001",
     " 8613900000001", "139-0000-0001", "１３９００００００01", "+86-139—0000 0001"],
)  # fmt: skip
def test_the_same_phone_however_typed(typed: str) -> None:
    """`+` comes as a blank where a gateway does not quote it."""
    assert plain_number(typed) == "13900000001"


@pytest.mark.parametrize(("typed", "plain"), [("1069 0123", "10690123"), ("+852 1234 5678", "+85212345678"), ("86123456789", "86123456789")])  # fmt: skip
def test_other_numbers_keep_their_prefix(typed: str, plain: str) -> None:
    """Only what stands before eleven digits is a mainland prefix."""
    assert plain == plain_number(typed)


@given(st.text())
def test_a_plain_number_stays_plain(typed: str) -> None:
    """Applying it twice changes nothing."""
    assert plain_number(typed) == plain_number(plain_number(typed))
