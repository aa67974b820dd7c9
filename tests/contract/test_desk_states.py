"""Flapping, what is kept aside and silences are the desk's: every replica sees the same."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from services.notify.core.reply import decide
from services.notify.core.silence import Silence
from services.notify.machine import Notify
from shared.model.inhibit import Inhibit
from shared.model.instants import Instant, parse_duration
from shared.model.people import Flapping
from tests.contract.test_desk_races import after
from tests.scenario.desks import Desks
from tests.scenario.house import DEFAULT_POLICY, REST, House, configuration

pytestmark = pytest.mark.needs("postgres")
SETTING = Flapping(1, parse_duration("2h"), parse_duration("1h"))
HIDES = (Inhibit("line", frozenset({"load"}), frozenset({"ammonia"})),)


@pytest.fixture
def house() -> Iterator[House]:
    policy = replace(DEFAULT_POLICY, flapping=SETTING)
    with Desks("postgres") as desks:
        yield House(configuration(policies=(policy, REST), inhibits=HIDES), desks.open(desks.url()))


@pytest.fixture
def other(house: House) -> Iterator[Notify]:
    with Desks("postgres") as desks:
        desk = desks.open(house.desk._engine.url.render_as_string(hide_password=False))
        yield Notify(
            desk, house.configuration, house.clock, replica="other",
            read_reply=decide, link=lambda *_: "http://127.0.0.1:1/a/x",
        )  # fmt: skip


def test_the_end_of_flapping_is_told_once(house: House, other: Notify) -> None:
    """Both replicas find it due; one of them resolves it."""
    house.fire()
    house.clear()
    house.clock.advance(60_000_000)
    other.on_transitions([house.transition("cod", "firing", "orange")], house.now)
    house.send()
    assert "反复" in house.wire.sent[-1].text
    house.acknowledge()
    house.clear()
    house.clock.advance(SETTING.calm_us)
    steady_us = house.clock.steady_us()
    done = after(house.desk, "WHERE incidents.due_us", lambda: other.tick(house.now, steady_us))
    house.tick()
    assert len(done) == 1
    assert house.kinds().count("resolved") == 2
    assert "恢复" in house.wire.sent[-1].text
    assert len(house.wire.sent) == 4
    assert house.notify.audit_verify() == []


def test_what_one_keeps_aside_another_lets_go(house: House, other: Notify) -> None:
    house.fire("load", "yellow")
    house.fire("ammonia", "red")
    assert len(house.wire.sent) == 1
    other.on_transitions([house.transition("load", "resolved", "yellow")], house.now)
    house.send()
    assert "氨氮" in house.wire.sent[-1].text
    assert house.incident()["severity"] == "red"


def test_a_silence_given_to_one_is_kept_by_the_other(house: House, other: Notify) -> None:
    until = Instant(house.now + parse_duration("1h"))
    silence = Silence("s1", "420100-f1", None, (), "检修", "chen", house.now, until)
    made = house.notify.silence(silence)
    assert made is not None
    assert made.id == "s1"
    other.on_transitions([house.transition("cod", "firing", "red")], house.now)
    house.send()
    house.no_other_messages()
    assert other.end_silence("s1", "chen") is not None
    house.tick()
    house.phone("li").expect("化学需氧量")
