"""Leases: whose claims count when a replica dies, freezes, or meets another of its name."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from services.notify.core.reply import decide
from services.notify.desk import tables as t
from services.notify.machine import Notify
from services.notify.port import Accepted
from shared.clock import VirtualClock
from shared.errors import Unavailable
from shared.model.configuration import Configuration
from shared.testing.program import until
from tests.scenario.desks import Desks
from tests.scenario.house import House, configuration

pytestmark = pytest.mark.needs("postgres")
MARGIN_US = 400_000
"""Beside the time-outs of the channels, which are as short here."""


@pytest.fixture
def desks() -> Iterator[Desks]:
    with Desks("postgres") as made:
        yield made


def quick() -> Configuration:
    base = configuration()
    return replace(
        base, channels={k: replace(v, timeout_us=100_000) for k, v in base.channels.items()}
    )


def replica(desks: Desks, url: str, name: str, clock: VirtualClock) -> Notify:
    made = Notify(
        desks.open(url), quick(), clock, replica=name, margin_us=MARGIN_US,
        read_reply=decide, link=lambda *_: "http://127.0.0.1:1/a/x",
    )  # fmt: skip
    made.recover_claims(clock.now())
    return made


def two(desks: Desks, url: str = "") -> tuple[House, Notify, Notify]:
    url = url or desks.url()
    house = House(quick(), desks.open(url))
    house.notify.leave()
    one, other = (replica(desks, url, name, house.clock) for name in ("one", "other"))
    one.on_transitions([house.transition("cod", "firing", "red")], house.now)
    return house, one, other


def states(house: House) -> list[str]:
    why = house.notify.why(house.incident()["id"])
    assert why is not None
    return [each["state"] for each in why["notifications"]]


def test_what_a_dead_replica_was_sending_becomes_unknown_after_its_lease(desks: Desks) -> None:
    """And not before: it might be sending still."""
    house, one, other = two(desks)
    claimed = one.claim(house.now)
    assert claimed is not None
    other.beat()
    assert states(house) == ["sending"]

    def taken_over() -> bool:
        other.beat()
        return states(house) == ["unknown"]

    until(taken_over, 10)
    assert house.kinds().count("unknown") == 1


def test_a_replica_that_beats_keeps_its_claims(desks: Desks) -> None:
    """For longer than a lease."""
    house, one, other = two(desks)
    claimed = one.claim(house.now)
    assert claimed is not None
    rounds = []
    boots = (one._replica.boot, other._replica.boot)

    def long_enough() -> bool:
        one.beat()
        other.beat()
        rounds.append(states(house))
        return len(rounds) > 40

    until(long_enough, 20)
    assert rounds == [["sending"]] * len(rounds)
    assert (one._replica.boot, other._replica.boot) == boots
    one.record(claimed, Accepted("r", "text"), house.now)
    assert states(house) == ["accepted"]


def test_a_frozen_replica_wakes_to_a_new_boot(desks: Desks) -> None:
    """What it was sending is not its own any more; what it claims now is."""
    house, one, other = two(desks)
    claimed = one.claim(house.now)
    assert claimed is not None
    until(lambda: other.beat() or states(house) == ["unknown"], 10)
    one.record(claimed, Accepted("r", ""), house.now)
    assert states(house) == ["unknown"]
    house.clock.advance(20_000_000)
    other.tick(house.now, house.clock.steady_us())
    again = one.claim(house.now)
    assert again is not None
    assert again.boot > claimed.boot
    assert again.message.facts.resend
    one.record(claimed, Accepted("r", "late"), house.now)
    assert states(house) == ["sending"]
    one.record(again, Accepted("r", "text"), house.now)
    assert states(house) == ["accepted"]


def test_a_lease_that_ran_out_unnoticed_goes_on(desks: Desks) -> None:
    """The server was away, say: what is known is recorded, nothing is sent again."""
    house, one, _ = two(desks)
    claimed = one.claim(house.now)
    assert claimed is not None
    one._replica.margin_us = -1_000_000  # a lease that is over at once
    with house.desk.unit() as unit:
        one._replica.renew(unit)
    one._replica.margin_us = MARGIN_US
    one.record(claimed, Accepted("r", "text"), house.now)
    one.beat()
    assert states(house) == ["accepted"]
    assert one._replica.boot == claimed.boot


def test_when_the_server_was_away_nobody_is_taken_for_dead(desks: Desks) -> None:
    """Everybody's lease is over then; who comes back first gives the others time."""
    house, one, other = two(desks)
    claimed = one.claim(house.now)
    assert claimed is not None
    with house.desk.unit() as unit:
        unit.connection.execute(update(t.replicas).values(alive_until_us=1))
    other.beat()
    assert states(house) == ["sending"]
    one.beat()
    other.beat()
    one.record(claimed, Accepted("r", "text"), house.now)
    assert states(house) == ["accepted"]


def test_two_of_one_name_do_not_both_send(desks: Desks) -> None:
    """The one that started last has the name."""
    url = desks.url()
    house, one, _ = two(desks, url)
    claimed = one.claim(house.now)
    assert claimed is not None
    twin = replica(desks, url, "one", house.clock)
    assert states(house) == ["unknown"]
    with pytest.raises(Unavailable, match="name of its own"):
        one.claim(house.now)
    assert twin.claim(house.now) is None


def test_one_that_leaves_is_not_missed(desks: Desks) -> None:
    """A clean end needs no lease to run out, and no warning."""
    house, one, other = two(desks)
    one.leave()
    claimed = other.claim(house.now)
    assert claimed is not None
    other.record(claimed, Accepted("r", "text"), house.now)
    assert states(house) == ["accepted"]
