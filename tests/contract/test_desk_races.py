"""What was read without a lock is read again under it: another replica may have been quicker.

Each test lets the other act at the very moment between the two.
"""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import event, select

from services.notify.core.reply import decide
from services.notify.desk import tables as t
from services.notify.desk.desk import Desk
from services.notify.machine import Notify
from services.notify.port import Accepted, Retry
from tests.scenario.desks import Desks
from tests.scenario.house import House

pytestmark = pytest.mark.needs("postgres")


@pytest.fixture
def desks() -> Iterator[Desks]:
    with Desks("postgres") as made:
        yield made


@pytest.fixture
def house(desks: Desks) -> House:
    return House(desk=desks.open(desks.url()))


@pytest.fixture
def other(desks: Desks, house: House) -> Notify:
    desk = desks.open(house.desk._engine.url.render_as_string(hide_password=False))
    return Notify(
        desk, house.configuration, house.clock, replica="other",
        read_reply=decide, link=lambda *_: "http://127.0.0.1:1/a/x",
    )  # fmt: skip


def after(desk: Desk, words: str, act: Callable[[], object]) -> list[object]:
    """Let `act` happen once, right after the first statement with these words was answered."""
    done: list[object] = []

    def look(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if words in statement and not done:
            done.append(None)
            done[0] = act()

    event.listen(desk._engine, "after_cursor_execute", look)
    return done


def fire(house: House, *facilities: str) -> None:
    house.notify.on_transitions(
        [house.transition("cod", "firing", "red", each) for each in facilities], house.now
    )


def state(house: House, notification: str) -> str:
    with house.desk.read() as connection:
        o = t.outbox.c
        return connection.execute(select(o.state).where(o.id == notification)).scalar_one()


def test_a_candidate_that_another_has_claimed_is_not_claimed_again(
    house: House, other: Notify
) -> None:
    """The next one is."""
    fire(house, "420100-f1", "420100-f2")
    theirs = after(house.desk, "ORDER BY outbox.rank", lambda: other.claim(house.now))
    mine = house.notify.claim(house.now)
    assert theirs[0] is not None
    assert mine is not None
    assert mine.notification != theirs[0].notification  # type: ignore[attr-defined]
    assert house.notify.claim(house.now) is None


def test_a_candidate_of_what_was_acknowledged_meanwhile_is_not_claimed(
    house: House, other: Notify
) -> None:
    """Once somebody has it, nobody is rung again."""
    fire(house, "420100-f1")
    incident = house.incident()["id"]
    after(
        house.desk, "ORDER BY outbox.rank",
        lambda: other.acknowledge(incident, "li", "api", "", house.now),
    )  # fmt: skip
    assert house.notify.claim(house.now) is None


def test_an_outcome_after_a_receipt_does_not_undo_it(house: House, other: Notify) -> None:
    """The receipt was quicker and knows better."""
    fire(house, "420100-f1")
    claimed = house.notify.claim(house.now)
    assert claimed is not None
    id_ = claimed.notification
    after(house.desk, "WHERE outbox.id", lambda: other.receipt("sms", id_, "delivered", house.now))
    house.notify.record(claimed, Retry("no answer"), house.now)
    assert state(house, id_) == "delivered"


def test_a_receipt_after_a_receipt_counts_once(house: House, other: Notify) -> None:
    """Gateways say everything twice, to any replica."""
    fire(house, "420100-f1")
    claimed = house.notify.claim(house.now)
    assert claimed is not None
    house.notify.record(claimed, Accepted("r", "text"), house.now)
    id_ = claimed.notification
    after(house.desk, "WHERE outbox.id", lambda: other.receipt("sms", id_, "delivered", house.now))
    house.notify.receipt("sms", id_, "delivered", house.now)
    assert house.kinds().count("delivered") == 1


def test_a_step_that_another_has_taken_is_not_taken_again(house: House, other: Notify) -> None:
    """Due once is told once."""
    fire(house, "420100-f1")
    house.clock.advance(16 * 60 * 1_000_000)
    after(
        house.desk, "WHERE incidents.due_us", lambda: other.tick(house.now, house.clock.steady_us())
    )
    house.notify.tick(house.now, house.clock.steady_us())
    assert house.kinds().count("step") == 2


def test_a_hold_that_another_has_ended_is_not_ended_again(house: House, other: Notify) -> None:
    """Resent once: the other has resent it already, and it has arrived."""
    fire(house, "420100-f1")
    claimed = house.notify.claim(house.now)
    assert claimed is not None
    house.restart()
    house.clock.advance(20_000_000)

    def quicker() -> None:
        other.tick(house.now, house.clock.steady_us())
        again = other.claim(house.now)
        assert again is not None
        assert again.message.facts.resend
        other.record(again, Accepted("r", "text"), house.now)

    after(house.desk, "outbox.state = ", quicker)
    house.notify.tick(house.now, house.clock.steady_us())
    assert state(house, claimed.notification) == "accepted"


def test_a_claim_does_not_wait_for_an_incident_that_another_has_in_hand(
    house: House, other: Notify
) -> None:
    """It takes the next; the other goes on in its own time."""
    fire(house, "420100-f1", "420100-f2")
    first = house.incident("420100-f1")["id"]
    second = house.incident("420100-f2")["id"]
    with other._desk.unit() as unit:
        assert unit.incident(first) is not None
        claimed = house.notify.claim(house.now)
        assert claimed is not None
        assert claimed.message.incident == second
        house.notify.record(claimed, Accepted("r", "text"), house.now)
        assert house.notify.claim(house.now) is None
        house.notify.tick(house.now, house.clock.steady_us())
    assert house.notify.claim(house.now) is not None


def test_a_tick_takes_what_is_free_and_leaves_the_rest_for_later(
    house: House, other: Notify
) -> None:
    """One incident in another's hands does not hold up the ladder of all."""
    fire(house, "420100-f1", "420100-f2")
    first = house.incident("420100-f1")["id"]
    house.clock.advance(16 * 60 * 1_000_000)
    with other._desk.unit() as unit:
        assert unit.incident(first) is not None
        house.notify.tick(house.now, house.clock.steady_us())
    assert house.kinds("420100-f1").count("step") == 1
    assert house.kinds("420100-f2").count("step") == 2
    house.notify.tick(house.now, house.clock.steady_us())
    assert house.kinds("420100-f1").count("step") == 2
