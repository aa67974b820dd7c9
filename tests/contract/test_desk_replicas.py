"""Three replicas on one PostgreSQL, racing: what must never happen does not."""

from random import Random

import pytest
from sqlalchemy import select, text

from services.notify.desk import tables as t
from shared.model.configuration import Configuration, Timing
from shared.model.facility import Facility
from shared.model.people import Policy, PolicyMatch, Repeat
from shared.model.severity import Severity
from shared.model.transition import Transition
from shared.testing.program import until
from tests.scenario.crew import PARTITIONS, Crew, Wire
from tests.scenario.desks import Desks
from tests.scenario.house import DEFAULT_POLICY, House, configuration, step, with_budget

pytestmark = pytest.mark.needs("postgres")
FACILITIES = 40
BUDGET = 30


@pytest.fixture
def desks() -> Desks:
    return Desks("postgres")


def settled(facility: str) -> bool:
    return int(facility[1:]) % 2 == 0


def site() -> Configuration:
    """Many facilities, few people, steps of a fifth of a second."""
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
        channels=with_budget(BUDGET, {}),
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


def outcome(crew: Crew) -> dict[str, list[tuple[object, ...]]]:
    """What became of the facilities, but for when and who answered."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for one in crew.replicas[0].incidents(None, None, lambda _: True):
        is_over = one["state"] == "resolved"
        alerts = [(a["rule"], a["severity"], a["value"]) for a in one["alerts"]]
        found.setdefault(one["facility"], []).append((is_over, one["severity"], alerts))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_three_replicas_racing_break_no_promise(desks: Desks, seed: int) -> None:
    """Takes, ticks, claims, outcomes, receipts, replies and acknowledgements at once."""
    with desks:
        configured = site()
        url = desks.url()
        wire = Wire(Random(seed), sure=("sms",))
        read = topic(configured, seed)
        crew = Crew([desks.open(url) for _ in range(3)], configured, read, wire, seed=seed)
        crew.settled = settled
        crew.work()
        try:
            until(crew.is_done, 60, 0.2)
        finally:
            crew.end()
        crew.judge()
        with crew.desks[0].read() as connection:
            taken = set(connection.execute(select(t.inbox.c.transition)).scalars())
            assert len(taken) == sum(len(each) for each in read.values())
            deadlocks = connection.execute(
                text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            ).scalar()
            assert deadlocks == 0
            used = dict(
                connection.execute(
                    text(
                        "SELECT person, count(*) FROM attempts WHERE channel = 'sms' AND counts = 1 GROUP BY person"
                    )
                ).all()
            )
        assert max(used.values()) == BUDGET  # it was asked for more, and given all of it
        assert [id_ for id_, n in wire.sent.items() if n > 1 + wire.resent[id_]] == []
        alone = Crew([desks.open(desks.url())], configured, read, Wire(Random(seed)), seed=seed)
        for partition, items in read.items():
            alone.replicas[0].take_entries(partition, list(enumerate(items)), len(items))
        assert outcome(crew) == outcome(alone)
