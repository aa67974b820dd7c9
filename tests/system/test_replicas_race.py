"""Three replicas on one PostgreSQL, racing: what must never happen does not."""

from random import Random

import pytest
from sqlalchemy import select, text

from services.notify.desk import tables as t
from shared.testing.program import until
from tests.scenario.crew import Crew, Wire
from tests.scenario.desks import Desks
from tests.scenario.province import BUDGET, settled, site, topic

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.timeout(300)]


@pytest.fixture
def desks() -> Desks:
    return Desks("postgres")


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
