"""The conversation: who may speak, what is submitted, what is answered and in which words."""

from zoneinfo import ZoneInfo

import pytest

from services.ingest.hj212.session import (
    UNFRAMED_LIMIT,
    Action,
    Close,
    Heard,
    LeftOut,
    Reply,
    Session,
    Submit,
    by_mn,
)
from shared.model.facility import Hj212Access, Station
from shared.reports.candidate import Candidate, Rejection
from shared.testing.hj212_device import Edition, Hj212Device, frame

ZONE = ZoneInfo("Asia/Shanghai")
MN = "010000A8900016F000169DC0"
TIME = "20260301080000"


def session(password: str = "123456", crc: str = "hj212") -> Session:
    access = Hj212Access(mn=MN, password=password, crc=crc)  # type: ignore[arg-type]
    station = Station(id="s1", facility="f1", hj212=access)
    return Session(by_mn({"s1": station}), {"w01018", "w01001"}, ZONE)


def device(
    edition: Edition = "2017", password: str = "123456", modbus: bool = False
) -> Hj212Device:
    return Hj212Device(mn=MN, password=password, edition=edition, modbus=modbus)


def upload(edition: Edition = "2017", **how: object) -> bytes:
    return device(edition).upload({"w01018": 41}, data_time=TIME, **how)  # type: ignore[arg-type]


def submitted(actions: list[Action]) -> list[Submit]:
    return [action for action in actions if isinstance(action, Submit)]


def reason(actions: list[Action]) -> str:
    (only,) = submitted(actions)
    assert only.reply is None
    assert isinstance(only.item, Rejection)
    return only.item.reason


@pytest.mark.parametrize(
    ("edition", "answer"),
    [
        ("2005", f"ST=91;CN=9014;CP=&&QN={TIME}000;CN=2011;PNO=1;PNUM=1;&&"),
        ("2017", f"QN={TIME}000;ST=91;CN=9014;PW=123456;MN={MN};Flag=4;CP=&&&&"),
        ("2025", f"QN={TIME}000;ST=91;CN=9014;PW=123456;MN={MN};Flag=8;CP=&&&&"),
    ],
)
def test_an_upload_is_submitted_with_its_answer_in_the_dialect_of_the_sender(
    edition: Edition, answer: str
) -> None:
    """2005 carries the QN inside CP; the later ones carry an empty CP."""
    heard, submit = session().receive(upload(edition))
    assert heard == Heard(MN)
    assert isinstance(submit, Submit)
    assert isinstance(submit.item, Candidate)
    assert submit.reply == frame(answer)


def test_the_parts_of_a_split_record_are_acknowledged_each() -> None:
    """Each says its own number, and each is a report of its own."""
    segment = f"QN=1;ST=32;CN=2051;PW=123456;MN={MN};Flag=3;PNUM=2;PNO=2;CP=&&DataTime={TIME};w01018-Avg=1&&"
    (submit,) = submitted(session().receive(frame(segment)))
    assert submit.reply == frame("ST=91;CN=9014;CP=&&QN=1;CN=2051;PNO=2;PNUM=2;&&")


def test_without_bit_a_nothing_is_answered() -> None:
    """The record is taken all the same."""
    (submit,) = submitted(session().receive(upload(answer=False)))
    assert submit.reply is None
    assert isinstance(submit.item, Candidate)


def test_a_repeated_frame_is_submitted_and_answered_again() -> None:
    """The answer may have been lost; ingest knows that it is a duplicate."""
    first, second = submitted(session().receive(upload() * 2))
    assert first == second
    assert first.reply is not None


def test_a_wrong_crc_is_kept_without_an_answer() -> None:
    """An answer would make the logger drop the record."""
    broken = upload()[:-6] + b"00FF\r\n"
    assert reason(session().receive(broken)) == "crc"


@pytest.mark.parametrize(
    ("mode", "modbus", "refused"),
    [
        ("hj212", False, None), ("hj212", True, "modbus-crc"),
        ("modbus", True, None), ("modbus", False, "crc"),
        ("any", False, None), ("any", True, None),
    ],
)  # fmt: skip
def test_the_kind_of_crc_is_accepted_by_station(
    mode: str, modbus: bool, refused: str | None
) -> None:
    """Never silently: a MODBUS CRC that is not expected is named, with the setting to change."""
    data = device(modbus=modbus).upload({"w01018": 41}, data_time=TIME)
    actions = session(crc=mode).receive(data)
    if refused is not None:
        assert reason(actions) == refused
        (only,) = submitted(actions)
        assert isinstance(only.item, Rejection)
        assert "crc:" in only.item.detail
        return
    (submit,) = submitted(actions)
    answer = f"QN={TIME}000;ST=91;CN=9014;PW=123456;MN={MN};Flag=4;CP=&&&&"
    assert submit.reply == frame(answer, modbus=modbus)


def test_a_wrong_password_is_kept_without_it_and_without_an_answer() -> None:
    """The dead letter must not teach anybody a password."""
    data = device(password="sesame").upload({"w01018": 41}, data_time=TIME)
    actions = session().receive(data)
    assert reason(actions) == "password"
    assert b"sesame" not in submitted(actions)[0].raw


def test_an_empty_password_accepts_any() -> None:
    """So says the configuration."""
    data = device(password="whatever").upload({"w01018": 41}, data_time=TIME)
    (submit,) = submitted(session(password="").receive(data))
    assert isinstance(submit.item, Candidate)


def test_an_unknown_station_is_kept_without_an_answer() -> None:
    """It may be a typing error in the configuration."""
    data = Hj212Device(mn="B2").upload({"w01018": 41}, data_time=TIME)
    assert reason(session().receive(data)) == "unknown-station"


def test_a_refused_frame_does_not_stop_the_next_one() -> None:
    """The connection stays open and in step."""
    broken = upload()[:-6] + b"00FF\r\n"
    items = [submit.item for submit in submitted(session().receive(broken + upload()))]
    assert [type(item) for item in items] == [Rejection, Candidate]


def test_left_out_codes_are_counted() -> None:
    """The rest is taken and answered."""
    data = device().upload({"w01018": 41, "x1": 2, "w01001": "null"}, data_time=TIME)
    actions = session().receive(data)
    assert LeftOut("unknown-code", 1) in actions
    assert LeftOut("bad-number", 1) in actions
    assert submitted(actions)[0].reply is not None


def test_a_record_of_unknown_codes_alone_is_kept_and_answered() -> None:
    """It is durable where it can be re-driven; without an answer it would come for days."""
    (submit,) = submitted(session().receive(device().upload({"x1": 2}, data_time=TIME)))
    assert isinstance(submit.item, Rejection)
    assert submit.item.reason == "unknown-code"
    assert submit.reply is not None


@pytest.mark.parametrize("cn", ["9011", "9012", "9013", "9014"])
def test_answers_are_never_answered(cn: str) -> None:
    """Loggers exist whose 9014 asks for an answer; two of them would talk for ever."""
    data = device().frame(cn, "", qn="1", answer=True)
    assert [a for a in session().receive(data) if not isinstance(a, Heard)] == []


@pytest.mark.parametrize("cn", ["1013", "9015"])
def test_notices_are_answered_by_9013(cn: str) -> None:
    """A heartbeat is a notice since 2025."""
    actions = session().receive(device("2025").frame(cn, "", qn="1"))
    answer = f"QN=1;ST=91;CN=9013;PW=123456;MN={MN};Flag=8;CP=&&&&"
    assert actions == [Heard(MN), Reply(frame(answer))]


def test_unknown_commands_are_not_answered() -> None:
    """9021 is a login of nobody's standard."""
    assert session().receive(device().frame("9021", "", qn="1")) == [Heard(MN)]


def test_an_upload_that_is_not_judged_is_kept_before_it_is_answered() -> None:
    """Three unanswered tries make a logger give up its line."""
    actions = session().receive(device().frame("2021", f"DataTime={TIME};SB1-RS=1", qn="1"))
    (submit,) = submitted(actions)
    assert isinstance(submit.item, Rejection)
    assert submit.reply is not None


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n", b"\xfe", b"##9999QN=", b"#" * 7])
def test_64_kib_without_a_frame_close_the_connection(noise: bytes) -> None:
    """A scanner is not a logger."""
    machine = session()
    sent = 0
    while sent < UNFRAMED_LIMIT + 2048:
        actions = machine.receive(noise * (1024 // len(noise)))
        sent += 1024 // len(noise) * len(noise)
        if actions and isinstance(actions[-1], Close):
            break
        assert sent < UNFRAMED_LIMIT + 1024
    assert sent >= UNFRAMED_LIMIT


def test_noise_between_frames_never_closes() -> None:
    """Only what comes without any frame counts."""
    machine = session()
    for _ in range(10):
        actions = machine.receive(b"\xfe" * 20_000 + upload())
        assert not any(isinstance(action, Close) for action in actions)
