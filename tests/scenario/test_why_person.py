"""Why did he have no message at that minute? Each incident of his territories gives its reason."""

from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from services.notify.port import Message, Outcome, Refused
from shared.model.inhibit import Inhibit
from shared.model.instants import Instant, parse_duration
from shared.model.people import Flapping, Override, Policy, PolicyMatch, Roster
from shared.model.severity import Severity
from tests.scenario.desks import Houses
from tests.scenario.house import (
    DEFAULT_POLICY,
    REST,
    START,
    House,
    configuration,
    step,
    with_budget,
)


def why(house: House, person: str, after: str | None = None) -> dict[str, Any]:
    """Asked about `after` the start, or about now."""
    at = house.now if after is None else Instant(START + parse_duration(after))
    return house.notify.why_person(person, at, lambda _: True)


def one(house: House, person: str, after: str | None = None) -> dict[str, Any]:
    (found,) = why(house, person, after)["incidents"]
    return dict(found)


def test_his_step_had_not_begun(house: House) -> None:
    """The shift leader is told at 15 minutes; at 3 he had nothing, and the answer says until when."""
    house.fire()
    house.fast_forward("20m")

    early = one(house, "chen", "3m")
    assert (early["stage"], early["step"]) == ("not-his-step", 1)
    assert "2026-02-03T12:15:00+08:00" in early["reason"]
    assert early["told"] == []
    assert one(house, "wu", "3m")["stage"] == "not-his-step"
    assert "12:30" in one(house, "wu", "3m")["reason"]
    assert one(house, "chief", "3m")["stage"] == "not-his-step"
    late = one(house, "chen")
    assert late["stage"] == "told"
    assert [each["kind"] for each in late["told"] if each["channel"] == "sms"] == [
        "queued", "accepted",
    ]  # fmt: skip


def test_somebody_had_acknowledged(house: House) -> None:
    """What was acknowledged does not climb; the one who did it is named."""
    house.fire()
    house.fast_forward("6m")
    house.acknowledge()
    house.fast_forward("1h")

    found = one(house, "chen")
    assert (found["stage"], found["state"]) == ("acknowledged", "acknowledged")
    assert "li 已于 2026-02-03T12:06:00+08:00 确认" in found["reason"]
    assert one(house, "chen", "5m")["stage"] == "not-his-step"


def test_somebody_else_was_on_turn(house: House) -> None:
    """Zhang has the next day; and whoever comes on duty after the step was told was not told."""
    house.fire()
    found = one(house, "zhang")
    assert found["stage"] == "not-on-turn"
    assert "li" in found["reason"]
    answer = why(house, "zhang")
    assert answer["roles"] == []
    assert answer["roles_of_others"] == [
        {"role": "duty_officer", "territory": "420100", "held_by": ["li"]}
    ]
    assert why(house, "li")["roles"][0]["role"] == "duty_officer"
    house.fast_forward("21h")
    found = one(house, "zhang")
    assert found["stage"] == "not-on-turn"
    assert why(house, "zhang")["roles"][0]["role"] == "duty_officer"


def test_an_override_holds_the_role(houses: Houses) -> None:
    base = configuration()
    hour = 3_600_000_000
    swap = Override("duty_officer", "wu", Instant(START - hour), Instant(START + hour))
    wuhan = base.rosters["420100"]
    rosters = base.rosters | {"420100": replace(wuhan, overrides=(swap,))}
    house = houses(configuration(rosters=rosters))
    house.fire()

    assert one(house, "li")["stage"] == "not-on-turn"
    (held,) = [each for each in why(house, "wu")["roles"] if each["territory"] == "420100"]
    assert "override" in held["reason"]
    assert one(house, "wu")["stage"] == "told"


def test_the_way_failed_or_the_budget_was_used_up(houses: Houses) -> None:
    """Withheld and failed are different answers; neither shows a number."""

    def refuse(_: Message) -> Outcome:
        return Refused("no such number")

    house = houses()
    house.wire.fates = {"sms": refuse, "mail": refuse, "screen": refuse}
    house.fire()
    found = one(house, "li")
    assert found["stage"] == "failed"
    assert "no such number" in found["reason"]

    house = houses(configuration(channels=with_budget(0, {})))
    house.fire()
    found = one(house, "li")
    assert "sms" in str(found["told"]) and "budget" in str(found["told"])
    assert "1390000" not in str(why(house, "li"))


def test_he_has_no_contact(houses: Houses) -> None:
    people = configuration().people
    house = houses(configuration(people=people | {"li": replace(people["li"], contacts=())}))
    house.fire()
    house.fast_forward("1s")
    assert one(house, "li")["stage"] == "no-contact"


def test_nobody_held_the_role(houses: Houses) -> None:
    """A vacancy is named beside the reason."""
    rosters = {"420100": Roster("wuhan", "420100", {}, {"shift_leader": ("chen",)})}
    house = houses(configuration(rosters=rosters))
    house.fire()
    found = one(house, "li")
    assert found["stage"] == "not-named"
    assert found["vacant"] == ["nobody holds duty_officer for 420100 or above"]


def test_the_policy_tells_nobody_of_this_severity(houses: Houses) -> None:
    """No policy, a policy without steps, and a rule that is pending are three reasons."""
    house = houses()
    house.fire("cod", "blue")
    house.take(house.transition("ammonia", "pending", "red"))
    house.take(house.transition("load", "pending", "red", "420100-f2"))
    house.fire("load", "red", "420100-f2")
    answer = why(house, "li")
    stages = {each["rule"]: each["stage"] for each in answer["told_nobody"]}
    assert stages == {"cod": "silent-policy", "ammonia": "pending"}
    assert [each["facility"] for each in answer["incidents"]] == ["420100-f2"]

    only = Policy("only-red", PolicyMatch(severity=(Severity.RED,)), (step("duty_officer"),))
    house = houses(configuration(policies=(only,)))
    house.fire("cod", "orange")
    (found,) = why(house, "li")["told_nobody"]
    assert (found["stage"], found["reason"]) == ("no-policy", "没有策略匹配橙色")


def test_a_rise_begins_anew(house: House) -> None:
    """Acknowledged as yellow, then red: from there on it climbs for red."""
    house.fire("cod", "yellow")
    house.acknowledge()
    house.fast_forward("10m")
    house.fire("cod", "red", cause="rose")
    house.fast_forward("5m")

    before = one(house, "chen", "5m")
    assert (before["severity"], before["stage"]) == ("yellow", "acknowledged")
    after = one(house, "chen", "12m")
    assert (after["severity"], after["stage"], after["state"]) == ("red", "not-his-step", "open")
    assert one(house, "li")["stage"] == "told"


def test_what_had_not_opened_or_was_over_is_not_there(house: House) -> None:
    """And what lies elsewhere is not his."""
    house.fast_forward("10m")
    house.fire()
    house.fire(facility="429004-f1")
    house.fast_forward("10m")
    house.clear()
    house.fast_forward("10m")

    assert why(house, "li", "5m")["incidents"] == []
    assert [each["facility"] for each in why(house, "li", "15m")["incidents"]] == ["420100-f1"]
    assert why(house, "li", "25m")["incidents"] == []
    assert "没有未了结的事件" in why(house, "li", "25m")["summary"]
    hidden = house.notify.why_person("li", Instant(START + 900_000_000), lambda _: False)
    assert hidden["incidents"] == []


def test_the_policy_names_him_nowhere(houses: Houses) -> None:
    only = replace(DEFAULT_POLICY, steps=(step("duty_officer"),), catch_all=None)
    house = houses(configuration(policies=(only, REST)))
    house.fire()
    found = one(house, "chen")
    assert (found["stage"], found["policy"]) == ("not-named", "default")


def test_it_flaps_and_nobody_is_told_of_each_time(houses: Houses) -> None:
    """He was told once that it flaps; each later firing says why nothing came."""
    setting = Flapping(2, parse_duration("2h"), parse_duration("1h"))
    house = houses(configuration(policies=(replace(DEFAULT_POLICY, flapping=setting), REST)))
    for _ in range(5):
        house.fire()
        house.acknowledge()
        house.fast_forward("2m")
        house.clear()
        house.fast_forward("2m")
    found = one(house, "li")
    assert (found["stage"], found["policy"]) == ("told", "default")
    assert "按反复处理" in found["reason"]
    assert found["told_nobody"][-1]["reason"] == "flapping: resolved, cod orange"


def test_a_source_hid_it_and_then_let_it_go(houses: Houses) -> None:
    """Red beside its yellow cause rings nobody; when the cause is over, it climbs anew."""
    hides = (Inhibit("line", frozenset({"load"}), frozenset({"cod"})),)
    house = houses(configuration(inhibits=hides))
    house.fire("load", "yellow")
    house.acknowledge()
    house.fast_forward("1m")
    house.fire("cod", "red")
    house.fast_forward("1m")
    house.clear("load", "yellow")
    house.fast_forward("1m")

    hidden = one(house, "li", "90s")
    assert (hidden["severity"], hidden["state"]) == ("yellow", "acknowledged")
    assert "由 load 掩盖" in hidden["reason"]
    assert one(house, "chen", "90s")["stage"] == "acknowledged"
    free = one(house, "chen")
    assert (free["severity"], free["state"], free["stage"]) == ("red", "open", "not-his-step")
    assert one(house, "li")["stage"] == "told"


@pytest.mark.parametrize("seed", range(6))
def test_looking_back_is_having_asked_then(seed: int) -> None:
    """Whatever happens later, the answer about an instant is the one that was given then."""
    random = Random(seed)
    setting = Flapping(3, parse_duration("1h"), parse_duration("30m"))
    policy = replace(DEFAULT_POLICY, flapping=random.choice([None, setting]))
    hides = (Inhibit("line", frozenset({"load"}), frozenset({"cod"})),)
    house = House(
        configuration(policies=(policy, REST), channels=with_budget(6, {}), inhibits=hides)
    )
    people = ["li", "zhang", "chen", "wu", "chief"]
    given = []
    standing: dict[tuple[str, str], str] = {}
    for _ in range(40):
        facility = random.choice(["420100-f1", "420100-f2", "429004-f1"])
        rule = random.choice(["load", "cod", "ammonia"])
        act = random.random()
        if act < 0.4:
            severity = random.choice(["yellow", "orange", "red"])
            cause = "rose" if (rule, facility) in standing else "raised"
            house.fire(rule, severity, facility, cause=cause)
            standing[rule, facility] = severity
        elif act < 0.65 and (rule, facility) in standing:
            house.clear(rule, standing.pop((rule, facility)), facility)
        elif act < 0.8:
            for incident in house.notify.incidents("open", facility, lambda _: True):
                house.notify.acknowledge(incident["id"], "li", "api", "", house.now)
        house.fast_forward(random.choice(["1s", "3m", "16m"]))
        person, at = random.choice(people), house.now
        answer = house.notify.why_person(person, at, lambda _: True)
        given.append((person, at, answer))
        for each in answer["incidents"]:
            shown = house.notify.incident(each["incident"])
            assert shown is not None
            names = ("state", "severity", "policy")
            assert {name: each[name] for name in names} == {name: shown[name] for name in names}
            assert min(each["step"], 3) == shown["step"]
        house.clock.advance(1_000)
    for person, at, answer in given:
        assert house.notify.why_person(person, at, lambda _: True) == answer
    assert any(answer["incidents"] for _, _, answer in given)
