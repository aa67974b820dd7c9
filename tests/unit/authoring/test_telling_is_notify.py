"""The trial of who would be told says what the real machine with its desk says."""

from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from services.authoring.telling import Telling
from shared.model.inhibit import Inhibit
from shared.model.instants import Instant, parse_duration
from shared.model.people import (
    Budget,
    CatchAll,
    Channel,
    Flapping,
    Policy,
    PolicyMatch,
    Repeat,
    Target,
)
from shared.model.rule import Campaign
from shared.model.severity import Severity
from shared.model.transition import Transition
from tests.scenario.house import REST, START, House, configuration, step

MINUTE = 60_000_000
Line = tuple[int, str, str, str]


def drawn_configuration(rng: Random, flaps: bool) -> Any:
    steps = tuple(
        step(
            *rng.sample(["duty_officer", "shift_leader", "nobody"], rng.choice([1, 1, 2])),
            by=tuple(rng.sample(["sms", "mail", "screen"], rng.choice([1, 2]))),
            wait=rng.choice(["3m", "7m", "15m"]),
            repeat=rng.choice([None, Repeat(parse_duration("2m"), 2)]),
            **rng.choice([{}, {}, {"territory": "parent"}]),
        )
        for _ in range(rng.randint(1, 3))
    )
    catch_all = CatchAll((Target(person="chief"),), ("mail",), parse_duration("20m"))
    severities = (Severity.YELLOW, Severity.ORANGE, Severity.RED)
    base = Policy("p", PolicyMatch(severity=severities), steps, rng.choice([None, catch_all]))
    if flaps:
        calm = rng.choice([5, 50]) * MINUTE
        base = replace(base, flapping=Flapping(rng.randint(1, 3), 120 * MINUTE, calm))
    hides = Inhibit("hides", frozenset({"cod"}), frozenset({"ammonia"}))
    budget = Budget(rng.randint(3, 12), {Severity.ORANGE: 1, Severity.RED: 1})
    return configuration(
        policies=(base, REST),
        inhibits=(hides,) if flaps and rng.random() < 0.7 else (),
        channels={
            "sms": Channel("sms", "kannel", signature="预警", budget=rng.choice([None, budget])),
            "mail": Channel("mail", "smtp"),
            "screen": Channel("screen", "local"),
        },
    )


def drawn_transitions(rng: Random) -> list[tuple[int, Transition]]:
    """A walk of alerts at two facilities: fire, rise, fall, end, some soon after another."""
    standing: dict[tuple[str, str], tuple[int, int]] = {}
    found = []
    at_us = int(START)
    for _ in range(rng.randint(4, 25)):
        at_us += rng.randint(1, 40 * MINUTE)
        facility, rule = rng.choice(["420100-f1", "420100-f2"]), rng.choice(["cod", "ammonia"])
        episode, number = standing.pop((facility, rule), (at_us, 0))
        state = "firing" if number == 0 or rng.random() < 0.4 else "resolved"
        severity = rng.choice(list(Severity))
        if state == "firing":
            standing[facility, rule] = (episode, number + 1)
        found.append(
            (
                at_us,
                Transition(
                    rule, facility, f"{facility}-a", "w01018", "hour", Instant(episode), number + 1,
                    state, severity, "raised" if state == "firing" else "cleared",  # type: ignore[arg-type]
                    Instant(at_us), 70.0, ">= 60", "mg/L", "s", "e", "c",
                ),
            )
        )  # fmt: skip
    return found


def real(
    configured: Any, log: list[tuple[int, Transition]], ack_us: int | None, end: int
) -> list[Line]:
    """The machine, the desk in memory and the sender; somebody acknowledges when it is time."""
    house = House(configured)
    due_acks: dict[str, tuple[int, int]] = {}
    causes: dict[str, int] = {}
    seen = 0

    def look() -> None:
        nonlocal seen
        for sent in house.wire.sent[seen:]:
            facts = sent.message.facts
            id_ = sent.message.incident
            if ack_us is None or facts.kind != "alert":
                continue
            cause = sum(
                entry["reason"] == "step 1"
                for entry in (house.notify.incident(id_) or {})["timeline"]
            )
            if causes.get(id_) != cause:
                causes[id_] = cause
                due_acks[id_] = (sent.at_us + ack_us, cause)
        seen = len(house.wire.sent)

    def move(to: int) -> None:
        house.clock.advance(to - house.clock.now())

    waiting = list(enumerate(log, 1))
    while True:
        due = house.notify.next_due()
        now = house.clock.now()
        timer = end + 1 if due is None else due if due > now else now + 1_000_000
        acks = sorted((at, id_) for id_, (at, _) in due_acks.items())
        ack = acks[0][0] if acks else end + 1
        came = waiting[0][1][0] if waiting else end + 1
        now = min(timer, ack, came)
        if now > end:
            break
        move(now)
        if now == came:
            seq, (_, transition) = waiting.pop(0)
            house.take((seq, transition))
        elif now == ack:
            id_ = acks[0][1]
            del due_acks[id_]
            shown = house.notify.incident(id_) or {}
            if shown["state"] == "open":
                house.notify.acknowledge(id_, "li", "api", "", house.now)
        else:
            house.tick()
        for id_ in list(due_acks):
            shown = house.notify.incident(id_) or {}
            cause = sum(e["reason"] == "step 1" for e in shown["timeline"])
            if cause != due_acks[id_][1]:
                del due_acks[id_]
        look()
    return sorted(
        (s.at_us, s.message.person, s.message.channel, s.message.facts.kind)
        for s in house.wire.sent
    )


def in_a_campaign(configured: Any) -> Any:
    """For some hours another policy is asked first."""
    hour = 60 * MINUTE
    begin, end = Instant(START + hour), Instant(START + 5 * hour)
    command = Policy(
        "command", PolicyMatch(rule=("cod",)), (step("shift_leader", by=("mail",), wait="4m"),),
        campaign="c", from_us=begin, to_us=end,
    )  # fmt: skip
    campaign = Campaign("c", "行动", "Campaign", begin, end, ("420000",), (), ("command",))
    return replace(configured, policies=(command, *configured.policies), campaigns={"c": campaign})


@pytest.mark.parametrize("seed", range(8))
def test_so_it_does_while_a_campaign_begins_and_ends(seed: int) -> None:
    agree(Random(seed), in_a_campaign(drawn_configuration(Random(seed), False)))


@pytest.mark.parametrize("flaps", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_the_trial_tells_whom_the_machine_tells(seed: int, flaps: bool) -> None:
    """Same people, same ways, same instants, budgets and acknowledgements included."""
    rng = Random(seed)
    agree(rng, drawn_configuration(rng, flaps))


def agree(rng: Random, configured: Any) -> None:
    log = drawn_transitions(rng)
    ack_us = rng.choice([None, 5 * MINUTE + 7, 18 * MINUTE + 11])
    end = log[-1][0] + 90 * MINUTE
    trial = Telling(configured, ack_us)
    for at_us, transition in log:
        trial.take(at_us, [transition])
    trial.until(end + 1)
    told = sorted((t.at_us, t.person, t.channel, t.kind) for t in trial.told if t.withheld is None)
    assert real(configured, log, ack_us, end) == told
