"""A whole site keeps its promises on every seed, and each promise is able to break."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from services.notify.machine import Notify
from services.notify.port import Message, Outcome
from shared.log.memory import MemoryLog
from shared.log.port import DEAD_LETTERS, REPORTS, Addition, Position
from shared.model.report import Report, decode_envelope
from shared.model.transition import Transition
from tests.endtoend import promises
from tests.endtoend.gateway import Gateway, Took
from tests.endtoend.run import play, rest, run
from tests.endtoend.world import World

SEEDS = int(os.environ.get("SEEDS", "8"))
FIRST = int(os.environ.get("START", "0"))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_a_site_keeps_its_promises(seed: int) -> None:
    """Reports, crashes, lost answers, stepped clocks: nothing is lost, nobody is told twice."""
    run(seed)


class LosingLog(MemoryLog):
    """Says yes and forgets one entry of a topic."""

    def __init__(self, topic: str, nth: int) -> None:
        super().__init__()
        self._topic, self._nth, self._count = topic, nth, 0

    def append_all(self, additions: Sequence[Addition]) -> list[Position]:
        kept = []
        lost = None
        for number, each in enumerate(additions):
            matters = each.topic == self._topic and self._matters(each.topic, each.value)
            self._count += matters
            if matters and self._count == self._nth:
                self._count += 1
                lost = number
                continue
            kept.append(each)
        positions = super().append_all(kept)
        if lost is not None:
            positions.insert(lost, Position(self.end(additions[lost].topic, 0) - 1))
        return positions

    def _matters(self, topic: str, value: bytes) -> bool:
        return topic == DEAD_LETTERS or any(
            isinstance(record, Report) for record in decode_envelope(value)
        )


class Deaf:
    """A feed that skips every firing."""

    def __init__(self, world: World) -> None:
        self._store = world.store

    def read(self, after: int, limit: int) -> list[tuple[int, Transition]]:
        return [(n, t) for n, t in self._store.read(after, limit) if t.state != "firing"]


def lose_a_report(world: World) -> None:
    world.log = LosingLog(REPORTS, 3)


def lose_a_dead_letter(world: World) -> None:
    world.log = LosingLog(DEAD_LETTERS, 1)


def forget_firings(world: World) -> None:
    world.feed = lambda: Deaf(world)


def deliver_twice(world: World) -> None:
    class Stutter(Gateway):
        def send(self, message: Message) -> Outcome:
            outcome = super().send(message)
            if self.took and self.took[-1].notification == message.notification:
                self.took.append(self.took[-1])
            return outcome

    world.gateways = {name: Stutter.like(gateway) for name, gateway in world.gateways.items()}


def go_on_after_acknowledgement(world: World) -> None:
    class Stubborn(Notify):
        def acknowledge(self, incident, person, channel, note, now):  # type: ignore[no-untyped-def]
            with self._moments.work() as work:
                work.unit.write(incident, work.now, "acknowledged", person=person, channel=channel)
            return self._shown(incident)

    world.notify_type = Stubborn


def hear_our_deafness(world: World) -> None:
    world.hears_everything = True


def tell_a_stranger_of_recovery(world: World) -> None:
    class Gossip(Gateway):
        def send(self, message: Message) -> Outcome:
            outcome = super().send(message)
            if message.facts.kind == "recovery" and self.took:
                told = Took(message, self.now[0])
                told.person, told.contact = "p9", "p9-sms"
                told.notification = f"n-gossip-{len(self.took)}"
                self.took.append(told)
            return outcome

    world.gateways = {name: Gossip.like(gateway) for name, gateway in world.gateways.items()}


def write_an_address_down(world: World) -> None:
    world.note = world.configuration.people["p1"].contacts[0].address


def break_every_text(world: World) -> None:
    class Broken(Gateway):
        def send(self, message: Message) -> Outcome:
            raise ValueError("this template is broken")

    world.gateways = {name: Broken.like(gateway) for name, gateway in world.gateways.items()}


BUGS: dict[str, Callable[[World], None]] = {
    "1: a report is lost after the yes": lose_a_report,
    "2: firings never reach notify": forget_firings,
    "3: a gateway is called twice": deliver_twice,
    "4: an acknowledgement stops nothing": go_on_after_acknowledgement,
    "7: live judges what a replay does not (our deafness as silence, 6)": hear_our_deafness,
    "2: a broken text reaches nobody (9)": break_every_text,
    "10: a stranger hears of a recovery": tell_a_stranger_of_recovery,
    "11: a refused report is dropped": lose_a_dead_letter,
    "12: a number is written into the ledger": write_an_address_down,
}


@pytest.mark.parametrize("bug", list(BUGS))
def test_a_planted_bug_is_caught(bug: str, tmp_path: Path) -> None:
    """A promise that cannot break would prove nothing."""
    for seed in range(1000, 1012):
        folder = tmp_path / str(seed)
        folder.mkdir()
        world = World(seed, folder, crashes=0.0, plant=BUGS[bug])
        play(world)
        rest(world)
        try:
            promises.check(world)
        except promises.Broken as broken:
            assert str(broken).startswith(bug.split(":", maxsplit=1)[0] + ":"), broken
            return
    pytest.fail(f"twelve seeds and nobody noticed: {bug}")


def test_recovery_without_a_value_is_caught(tmp_path: Path) -> None:
    """5: absence never reads as recovery, so a clearing without a value is a broken promise."""
    for seed in range(20):
        folder = tmp_path / str(seed)
        folder.mkdir()
        world = World(seed, folder, crashes=0.0)
        play(world)
        cleared = [t for _, t in world.store.read(0, 10_000) if t.cause == "cleared"]
        if cleared:
            forged = msgspec.structs.replace(cleared[0], value=None)
            with pytest.raises(promises.Broken, match="5:"):
                promises.unknown_is_no_recovery([*cleared, forged])
            return
    pytest.fail("twenty seeds and nothing ever cleared")
