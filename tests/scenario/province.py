"""A site and a topic for several replicas: many facilities, few people, steps of split seconds."""

from random import Random

from msgspec.structs import replace

from shared.model.configuration import Configuration, Timing
from shared.model.facility import Facility
from shared.model.people import Policy, PolicyMatch, Repeat
from shared.model.severity import Severity
from shared.model.transition import Transition
from tests.scenario.house import DEFAULT_POLICY, House, configuration, step, with_budget

PARTITIONS = 4
FACILITIES = 40
BUDGET = 30


def settled(facility: str) -> bool:
    return int(facility[1:]) % 2 == 0


def site(budget: int = BUDGET) -> Configuration:
    base = configuration()
    places = {
        f"x{n}": Facility(f"x{n}", f"厂{n}", f"厂{n}", "420100", "hospital_wastewater")
        for n in range(FACILITIES)
    }
    quick = Policy(
        "quick",
        PolicyMatch(severity=(Severity.YELLOW, Severity.ORANGE, Severity.RED)),
        (
            step("duty_officer", by=("sms", "mail"), wait="400ms", repeat=Repeat(150_000, 2)),
            step("shift_leader", by=("sms", "mail"), wait="300ms"),
            step("duty_officer", territory="parent", wait="1h"),
        ),
        DEFAULT_POLICY.catch_all,
    )
    return configuration(
        facilities=base.facilities | places,
        policies=(quick,),
        channels={
            name: replace(each, timeout_us=500_000)
            for name, each in with_budget(budget, {}).items()
        },
        timing=Timing(min_step_gap_us=50_000, unknown_hold_us=100_000),
    )


def topic(configured: Configuration, seed: int) -> dict[int, list[Transition]]:
    """Half the facilities fire once; the others rise, fall, end and come back."""
    random = Random(seed)
    scribe = House(configured)
    partitions: dict[int, list[Transition]] = {n: [] for n in range(PARTITIONS)}
    firing: dict[str, str] = {}
    names = [f"x{n}" for n in range(FACILITIES)]
    for name in names:
        if settled(name):
            partitions[int(name[1:]) // 2 % PARTITIONS].append(
                scribe.transition("cod", "firing", "orange", name)[1]
            )
    for _ in range(160):
        scribe.clock.advance(1_000_000)
        name = random.choice([each for each in names if not settled(each)])
        if name in firing and random.random() < 0.4:
            made = scribe.transition("cod", "resolved", firing.pop(name), name, "cleared")
        else:
            cause = "rose" if name in firing else "raised"
            firing[name] = random.choice(("yellow", "orange", "red"))
            made = scribe.transition("cod", "firing", firing[name], name, cause)
        partitions[int(name[1:]) // 2 % PARTITIONS].append(made[1])
    scribe.desk.close()
    return partitions
