"""The world's notify: made, stepped, asked. The one file that knows how it is put together."""

import json
from typing import TYPE_CHECKING, Any

from services.notify.app import RegisteredCounts
from services.notify.core.reply import decide
from services.notify.desk.desk import Desk
from services.notify.machine import Notify
from services.notify.sender import Sender

if TYPE_CHECKING:
    from tests.endtoend.world import World


def make(world: "World") -> Notify:
    """Notify on the desk.db that survived; what was being sent has an unknown outcome."""
    world.desk = Desk.at(world.folder / "desk.db").reopened(world.fault)
    notify = world.notify_type(
        world.desk, world.configuration, world.clock, read_reply=decide,
        link=lambda incident, person: f"http://127.0.0.1:1/a/{incident}.{person}",
        counts=RegisteredCounts(world.metrics),
    )  # fmt: skip
    notify.recover_claims(world.now())
    world.sender = Sender(notify, world.gateways, world.clock)
    return notify


def drop(world: "World") -> None:
    world.desk.close()


def step(world: "World") -> int:
    """Take transitions, let time pass, send; how much there was to do."""
    batch = world.feed().read(world.notify.after_seq(), 50)
    if batch:
        world.notify.on_transitions(batch, world.now())
    world.notify.tick(world.now(), world.clock.steady_us())
    return len(batch) + world.sender.drain()


def incidents(world: "World") -> list[dict[str, Any]]:
    return world.notify.incidents(None, None, lambda _: True)


def transitions_of(world: "World", incident: dict[str, Any]) -> set[str]:
    """Every transition that the incident's ledger names."""
    entries = world.notify.audit_export(incident["id"]) or []
    details = [json.loads(entry["detail"]) for entry in entries if entry.get("detail")]
    return {detail["transition"] for detail in details if "transition" in detail}


def somebody_acknowledges(world: "World") -> None:
    opened = [one for one in incidents(world) if one["state"] == "open"]
    if opened:
        one = world.random.choice(opened)
        world.notify.acknowledge(one["id"], "p0", "api", world.note, world.now())


def somebody_replies(world: "World") -> None:
    person = world.random.choice(list(world.configuration.people.values()))
    text = world.random.choice(["1", "１", "收到。", "3", "0", "what", "1 A2"])
    world.notify.reply("sms", person.contacts[0].address, "1069", text, world.now())
