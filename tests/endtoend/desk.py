"""The world's notify: made, stepped, asked. The one file that knows how it is put together."""

from typing import Any

from services.notify.interim import views
from services.notify.interim.desk import Desk
from services.notify.interim.machine import Notify
from services.notify.interim.replies import on_reply
from services.notify.interim.sender import Sender


class _Channel:
    def __init__(self, gateway: Any) -> None:
        self._gateway = gateway

    def send(self, message: Any) -> Any:
        import msgspec

        from services.notify import port
        from services.notify.interim import port as interim

        f = message.facts
        facts = port.Facts(
            kind="reply" if f.kind == "answer" else f.kind,
            notification=f.notification,
            incident=f.incident,
            person=f.person,
            person_name="",
            site_name="",
            language="zh-CN",
            timezone="UTC",
            now_us=f.now_us,
            severity=f.severity,
            resend=f.repeat,
        )
        m = port.Message(message.notification, f.incident, f.person, "", "", "", facts)
        out = self._gateway.send(m)
        return msgspec.convert(
            msgspec.to_builtins(out), getattr(interim, type(out).__name__)
        ), "text"


def make(world: Any) -> Any:
    desk = Desk.at(world._folder / "desk.db")
    notify = Notify(desk, world.configuration, world.metrics)
    notify.recover_claims(world.now())
    world.sender = Sender(
        notify, {k: _Channel(g) for k, g in world.gateways.items()}, world.clock, drill=False
    )
    return notify


def drop(notify: Any) -> None:
    notify.desk.close()


def step(world: Any) -> int:
    batch = world.store.read(world.notify.after_seq(), 50)
    world.notify.on_transitions(batch, world.now())
    world.notify.tick(world.now(), world.clock.steady_us())
    return len(batch) + world.sender.drain()


def incidents(world: Any) -> list[dict[str, Any]]:
    return views.incidents(world.notify, None, None, lambda _: True)


def transitions_of(world: Any, one: dict[str, Any]) -> set[str]:
    return {e["ref"] for e in views.audit_export(world.notify, one["id"]) if e["ref"]}


def somebody_acknowledges(world: Any) -> None:
    opened = [one for one in incidents(world) if one["state"] == "open"]
    if opened:
        one = world.random.choice(opened)
        world.notify.acknowledge(one["id"], "p0", "api", "", world.now())


def somebody_replies(world: Any) -> None:
    person = world.random.choice(list(world.configuration.people.values()))
    text = world.random.choice(["1", "１", "收到。", "3", "0", "what", "1 A2"])
    on_reply(world.notify, "sms", person.contacts[0].address, text, world.now())
