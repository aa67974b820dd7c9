"""An incident that reopens again and again is one state with one message."""

from msgspec.structs import replace

from services.notify.port import Refusal
from shared.model.configuration import Configuration, Timing
from shared.model.instants import parse_duration
from shared.model.people import Flapping
from tests.scenario.desks import Houses
from tests.scenario.house import DEFAULT_POLICY, REST, House, configuration


def flapping(reopenings: int = 3, within: str = "2h", calm: str = "1h") -> Configuration:
    setting = Flapping(reopenings, parse_duration(within), parse_duration(calm))
    return configuration(policies=(replace(DEFAULT_POLICY, flapping=setting), REST))


def come_and_go(house: House, times: int, severity: str = "orange") -> None:
    """Fires for two minutes, ends, and is quiet for two."""
    for _ in range(times):
        house.fire(severity=severity)
        house.fast_forward("2m")
        house.clear(severity=severity)
        house.fast_forward("2m")


def test_the_third_reopening_tells_once_and_the_rest_is_withheld(houses: Houses) -> None:
    """Eleven times in 44 minutes: three openings by the letter, then 反复, then quiet."""
    house = houses(flapping())
    come_and_go(house, 3)
    for _ in range(3):
        house.phone("li").expect("化学需氧量")
        house.phone("li").expect("恢复")
    house.no_other_messages()
    house.fire()
    assert house.phone("li").expect().text.startswith("【预警】反复设施4201")
    house.acknowledge()
    house.fast_forward("2m")
    house.clear()
    come_and_go(house, 7)
    house.no_other_messages()
    shown = house.incident()
    assert shown["state"] == "acknowledged"
    assert shown["flapping_since"] == "2026-02-03T12:12:00+08:00"
    reasons = [e["reason"] for e in shown["timeline"] if e["kind"] == "withheld"]
    assert reasons.count("flapping: reopened, cod orange") == 7
    assert reasons.count("flapping: resolved, cod orange") == 8
    house.fast_forward("55m")
    house.no_other_messages()
    house.fast_forward("10m")
    recovery = house.phone("li").expect("【预警】恢复设施4201").text
    assert "反复" not in recovery
    assert house.incident()["state"] == "resolved"
    house.fast_forward("1d")
    house.no_other_messages()
    assert house.notify.audit_verify() == []


def test_without_the_key_every_reopening_tells(house: House) -> None:
    """The contract's way stands as long as nobody asks for the other."""
    come_and_go(house, 8)
    assert len(house.phone("li").all()) == 16
    assert "flapping_since" not in house.incident()


def test_nobody_answers_a_flapping_incident_and_it_climbs_to_the_end(houses: Houses) -> None:
    """One state does not mean that silence is consent."""
    house = houses(flapping())
    come_and_go(house, 3)
    told = len(house.wire.sent)
    for _ in range(15):
        come_and_go(house, 1)
    steps = [
        e["reason"] for e in house.incident()["timeline"] if e["kind"] in ("step", "catch_all")
    ]
    assert steps[-4:] == ["step 1", "step 2", "step 3", None]
    assert [each.message.person for each in house.wire.sent[told:]] == [
        "li", "li", "li", "chen", "chen", "wu", "chief",
    ]  # fmt: skip
    assert all("反复" in each.text for each in house.wire.sent[told:])


def test_a_rise_tells_at_once_and_cancels_the_acknowledgement(houses: Houses) -> None:
    """What was withheld was the same thing again; this is not."""
    house = houses(flapping())
    come_and_go(house, 4, "yellow")
    house.acknowledge()
    before = len(house.wire.sent)
    house.fire(severity="red")
    assert [each.message.facts.severity for each in house.wire.sent[before:]] == ["red"]
    assert house.incident()["state"] == "open"
    house.fast_forward("1m")
    house.clear(severity="red")
    house.fire(severity="yellow")
    house.fire(severity="red", cause="rose")
    assert len(house.wire.sent) == before + 1


def test_those_told_before_hear_it_once_although_step_one_is_another(houses: Houses) -> None:
    """The leader who was woken at 02:00 is told that it is one state, not left to guess."""
    house = houses(flapping(reopenings=1))
    house.fire()
    house.fast_forward("16m")
    house.clear()
    before = len(house.wire.sent)
    house.fire()
    said = [(each.message.person, each.message.channel) for each in house.wire.sent[before:]]
    assert sorted(said) == [("chen", "mail"), ("chen", "sms"), ("li", "sms")]
    assert all("反复" in each.text for each in house.wire.sent[before:])
    assert not isinstance(house.acknowledge("chen"), Refusal)
    house.clear()
    house.fast_forward("1h")
    assert sorted(
        (each.message.person, each.message.channel)
        for each in house.wire.sent[before + 3 :]
        if each.message.facts.kind == "recovery"
    ) == [("chen", "mail"), ("chen", "sms"), ("li", "sms")]


def test_reopenings_that_are_far_apart_are_not_flapping(houses: Houses) -> None:
    house = houses(
        replace(flapping(within="1h"), timing=Timing(reopen_within_us=parse_duration("30m")))
    )
    for _ in range(8):
        house.fire()
        house.acknowledge()
        house.fast_forward("10m")
        house.clear()
        house.fast_forward("25m")
    assert not any("反复" in each.text for each in house.wire.sent)


def test_it_survives_a_restart_and_a_clock_that_was_set(houses: Houses) -> None:
    """The state is in the desk; a step of the wall clock neither ends nor prolongs the calm."""
    house = houses(flapping())
    come_and_go(house, 4)
    house.acknowledge()
    before = len(house.wire.sent)
    house.restart()
    come_and_go(house, 1)
    house.clock.step(parse_duration("5h"))
    house.tick()
    assert len(house.wire.sent) == before
    assert house.incident()["state"] == "acknowledged"
    house.fast_forward("50m")
    assert len(house.wire.sent) == before
    house.fast_forward("10m")
    assert len(house.wire.sent) == before + 1
    assert house.incident()["state"] == "resolved"


def test_after_the_calm_it_begins_to_count_anew(houses: Houses) -> None:
    house = houses(flapping())
    come_and_go(house, 4)
    house.fast_forward("1h")
    come_and_go(house, 1)
    assert "反复" not in house.wire.sent[-1].text
    assert house.incident()["state"] == "resolved"
    assert house.kinds().count("resolved") == 5
