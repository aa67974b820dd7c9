"""Dear looks are shared for a moment, and never for long."""

import threading
from collections.abc import Iterator

import pytest

from services.notify.api.glance import LONGEST_S, SHORTEST_S, Glance
from tests.unit.notify_api.conftest import Go
from tests.unit.notify_api.desk_house import NOW, OPERATOR, DeskHouse


class Watch:
    """A stopwatch that only the test moves."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.mark.parametrize(("cost", "kept"), [(0.0, SHORTEST_S), (0.1, 0.5), (9.0, LONGEST_S)])
def test_the_dearer_the_look_the_longer_it_is_kept(cost: float, kept: float) -> None:
    """Within bounds on both sides."""
    watch, looks = Watch(), []

    def look() -> int:
        watch.s += cost
        looks.append(1)
        return len(looks)

    glance = Glance(look, watch)
    assert glance.get() == 1
    watch.s += kept - 0.01
    assert glance.get() == 1
    watch.s += 0.02
    assert glance.get() == 2
    glance.forget()
    assert glance.get() == 3


def test_a_failed_look_is_not_remembered() -> None:
    """The next one asks again."""
    answers: Iterator[ValueError | int] = iter([ValueError("away"), 7])

    def look() -> int:
        answer = next(answers)
        if isinstance(answer, ValueError):
            raise answer
        return answer

    glance = Glance(look, Watch())
    with pytest.raises(ValueError, match="away"):
        glance.get()
    assert glance.get() == 7


def test_many_pages_look_once() -> None:
    """Whoever comes while one is looking waits for that look."""
    entered, go_on, looks = threading.Event(), threading.Event(), []

    def look() -> int:
        entered.set()
        assert go_on.wait(5)
        looks.append(1)
        return len(looks)

    glance = Glance(look, Watch())
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.append(glance.get())) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert entered.wait(5)
    go_on.set()
    for thread in threads:
        thread.join(5)
    assert seen == [1] * 5


def test_the_one_who_answers_sees_it_at_once(go: Go) -> None:
    """Also while the last look would still be kept."""
    house = DeskHouse(demo=True, monotonic=Watch())
    house.desk.write("i-1", "510100-ww-01", NOW)

    async def press() -> tuple[bool, bool]:
        async with house.client() as client:
            before = (await client.get("/page/board")).text
            form = {"incident": "i-1", "person": "li"}
            await client.post("/page/acknowledge", data=form)
            after = (await client.get("/page/board")).text
            return 'data-incident="i-1"' in before, 'data-incident="i-1"' in after

    assert go(press()) == (True, False)


def test_a_storm_stays_a_page(go: Go) -> None:
    """A thousand incidents, each with its button, in a few megabytes."""
    house = DeskHouse()
    for n in range(1_000):
        house.desk.write(f"i-{n}", "510100-ww-01", NOW)

    async def look() -> str:
        async with house.client(OPERATOR) as ops:
            return str((await ops.get("/page/board")).text)

    page = go(look())
    assert page.count("data-ack=") == 1_000
    assert len(page) < 4_000_000
