"""The world's notify: made, stepped, asked. The one file that knows how it is put together."""

from typing import Any

from services.notify.app import RegisteredCounts
from services.notify.core.reply import decide
from services.notify.desk.desk import Desk
from services.notify.machine import Notify
from services.notify.sender import Sender


def make(world: Any) -> Any:
    world.desk = Desk.at(world._folder / "desk.db")
    notify = Notify(
        world.desk, world.configuration, world.clock, read_reply=decide,
        link=lambda incident, person: f"http://127.0.0.1/a/{incident}.{person}",
        counts=RegisteredCounts(world.metrics),
    )  # fmt: skip
    notify.recover_claims(world.now())
    world.sender = Sender(notify, world.gateways, world.clock)
    return notify


def drop(notify: Notify) -> None:
    notify._desk.close()


def step(world: Any) -> int:
    batch = world.store.read(world.notify.after_seq(), 50)
    world.notify.on_transitions(batch, world.now())
    world.notify.tick(world.now(), world.clock.steady_us())
    return len(batch) + int(world.sender.drain())


def incidents(world: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.notify.incidents(None, None, lambda _: True)
    return found


def transitions_of(world: Any, one: dict[str, Any]) -> set[str]:
    answer = world.notify.why(one["id"])
    return {each["id"] for each in answer["transitions"]} if answer else set()


def somebody_acknowledges(world: Any) -> None:
    opened = [one for one in incidents(world) if one["state"] == "open"]
    if opened:
        one = world.random.choice(opened)
        world.notify.acknowledge(one["id"], "p0", "api", "", world.now())


def somebody_replies(world: Any) -> None:
    person = world.random.choice(list(world.configuration.people.values()))
    text = world.random.choice(["1", "１", "收到。", "3", "0", "what", "1 A2"])
    world.notify.reply("sms", person.contacts[0].address, "1069", text, world.now())
