"""The desk keeps a verb whole, and a replay says the same again."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notify.desk.desk import Desk
from services.notify.desk.turns import Turns
from services.notify.desk.unit import FaultPoint
from shared.model.transition import Transition
from tests.scenario.desks import Houses
from tests.scenario.house import House

ON_SERVER = 10
"""Examples tried on PostgreSQL, where each needs two databases."""


class Died(Exception):
    """The process is gone."""


def dying_at(n: int) -> Callable[[FaultPoint], None]:
    left = [n]

    def fault(_: FaultPoint) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Died

    return fault


def story(house: House) -> list[tuple[int, Transition]]:
    t = house.transition
    return [
        t("cod", "firing", "yellow"), t("cod", "firing", "red", cause="rose"),
        t("ammonia", "firing", "orange", "420100-f2"), t("ammonia", "firing", "yellow"),
        t("cod", "resolved", "red"), t("ammonia", "resolved", "yellow"),
        t("cod", "firing", "orange"),
    ]  # fmt: skip


def seen(house: House) -> list[Any]:
    """What is owed and known, but for how often the process was started."""
    shown = house.notify.incidents(None, None, lambda _: True)
    return [
        (one["id"], one["state"], one["severity"], one["alerts"],
         [(e["kind"], e["person"], e["notification"]) for e in one["timeline"] if e["kind"] != "accepted"])
        for one in shown
    ]  # fmt: skip


@given(
    st.lists(st.integers(1, 7), min_size=1, max_size=5), st.lists(st.integers(0, 6), max_size=12)
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_batching_and_any_crash_end_in_the_same_incidents(
    houses: Houses, sizes: list[int], crashes: list[int]
) -> None:
    """Transitions are taken once in effect, wherever the process dies between two of them."""
    if houses.desks.kind == "postgres" and houses.desks.made >= 2 * ON_SERVER:
        return
    houses.desks.clear()
    whole = houses()
    items = story(whole)
    for item in items:
        whole.notify.on_transitions([item], whole.now)
    broken = houses()
    pending = list(crashes)
    k = 0
    while broken.notify.after_seq() < items[-1][0]:
        after = broken.notify.after_seq()
        batch = [item for item in items if item[0] > after][: sizes[k % len(sizes)]]
        k += 1
        if pending:
            broken.desk = broken.desk.reopened(dying_at(pending.pop() % 3 + 1))
            with pytest.raises(Died):
                broken._start()
                for _ in range(3):
                    broken.notify.on_transitions(batch, broken.now)
            broken.restart()
        else:
            broken.notify.on_transitions(batch, broken.now)
    broken.notify.on_transitions(items, broken.now)
    assert seen(broken) == seen(whole)
    assert broken.notify.audit_verify() == []


def test_the_writer_is_given_in_the_order_it_was_asked_for() -> None:
    """Nobody who comes later goes first, and nobody is in it together with another."""
    turns, order, inside = Turns(), [], []
    threads = []

    def work(n: int) -> None:
        with turns:
            inside.append(n)
            assert len(inside) == 1
            order.append(n)
            inside.pop()

    with turns:
        for n in range(8):
            thread = threading.Thread(target=work, args=(n,))
            thread.start()
            threads.append(thread)
            while len(turns._waiting) <= n:
                threading.Event().wait(0.001)
    for thread in threads:
        thread.join(5)
    assert order == list(range(8))


def test_a_file_is_opened_again_with_all_that_was_told(tmp_path: Path) -> None:
    """Also where the path has blanks, percent signs and Chinese."""
    path = tmp_path / "值班 50%" / "desk.db"
    path.parent.mkdir()
    house = House(desk=Desk.at(path))
    house.fire()
    before = house.incident()
    house.desk.close()
    again = House(desk=Desk.at(path))
    assert again.incident() == before
    assert again.notify.after_seq() == 1
    again.desk.close()


def test_an_attempt_of_an_earlier_process_cannot_speak(house: House) -> None:
    """A zombie's outcome changes nothing."""
    from services.notify.port import Refused

    house.notify.on_transitions([house.transition("cod", "firing", "red")], house.now)
    claimed = house.notify.claim(house.now)
    assert claimed is not None
    old = house.notify
    house.restart()
    old.record(claimed, Refused("late"), house.now)
    assert "failed" not in house.kinds()
