"""Gateways that do not answer as they should, and what the person and the ledger then see."""

from collections.abc import Callable

import pytest

from shared.testing.configs import Facility, Site, step
from shared.testing.parts.gateway import Gateway
from shared.testing.program import Program, free_ports, until

Serve = Callable[..., Program]


def kinds(program: Program, facility: Facility) -> list[str]:
    return [entry["kind"] for entry in program.incident(facility)["timeline"]]


@pytest.mark.parametrize("mood", ["hang", "reset"])
def test_lost_answer_waits_then_is_resent_once_marked(
    serve: Serve, site: Site, gateway: Gateway, mood: str
) -> None:
    """Unknown outcome without a receipt: once more, same id, marked 重发, in the ledger."""
    gateway.moods = [mood]  # type: ignore[list-item]  # one of Mood
    site.documents["channels"]["channels"][0]["timeout"] = "500ms"
    program = serve()
    facility = site.facilities[0]
    program.report(facility, site.low * 1.2)
    first, second = gateway.wait_for(2, 15.0)[:2]
    assert first.notification == second.notification
    assert "重发" not in first.text
    assert "重发" in second.text
    assert second.at_s - first.at_s > 1.5, "it waits unknown_hold for the receipt"
    until(lambda: {"unknown", "repeated"} <= set(kinds(program, facility)))
    until(lambda: kinds(program, facility).count("accepted") == 1)
    assert len(gateway.got) == 2


def test_receipt_for_a_lost_answer_counts_as_accepted(
    serve: Serve, site: Site, gateway: Gateway
) -> None:
    """The receipt is proof enough: nothing is sent again."""
    gateway.moods = ["reset"]
    program = serve()
    facility = site.facilities[0]
    program.report(facility, site.low * 1.2)
    gateway.receipt(gateway.wait_for(1)[0], 1)
    until(lambda: "accepted" in kinds(program, facility))
    until(lambda: "delivered" in kinds(program, facility))
    with pytest.raises(TimeoutError):
        gateway.wait_for(2, 4.0)


def test_two_lost_answers_are_a_failure(serve: Serve, site: Site, gateway: Gateway) -> None:
    """If the answer of the resend is lost too, it has failed; the next step starts at once."""
    gateway.moods = ["reset", "reset"]
    program = serve()
    facility = site.facilities[0]
    duty, leader = site.people[:2]
    program.report(facility, site.low * 1.2)
    third = gateway.wait_for(3, 20.0)[2]
    assert third.recipient == leader.phone
    assert [m.recipient for m in gateway.got] == [duty.phone, duty.phone, leader.phone]
    assert "failed" in kinds(program, facility)


@pytest.mark.parametrize("mood", ["lie", "refuse"])
def test_refused_is_never_tried_again_by_this_contact(
    serve: Serve, site: Site, gateway: Gateway, mood: str
) -> None:
    """200 with an error text and 403 are refusals: the next step starts at once."""
    gateway.moods = [mood]  # type: ignore[list-item]  # one of Mood
    program = serve()
    duty, leader = site.people[:2]
    program.report(site.facilities[0], site.low * 1.2)
    gateway.wait_for(2)
    assert [m.recipient for m in gateway.got] == [duty.phone, leader.phone]
    assert "failed" in kinds(program, site.facilities[0])


@pytest.mark.parametrize("mood", ["busy", "crash"])
def test_busy_gateway_is_asked_again(serve: Serve, site: Site, gateway: Gateway, mood: str) -> None:
    """429 and 5xx: again after 1 s, and the person gets it once."""
    gateway.moods = [mood]  # type: ignore[list-item]  # one of Mood
    program = serve()
    program.report(site.facilities[0], site.low * 1.2)
    first, second = gateway.wait_for(2)
    assert first.notification == second.notification
    assert first.text == second.text
    assert 0.8 < second.at_s - first.at_s < 4
    until(lambda: "accepted" in kinds(program, site.facilities[0]))


def test_gateway_that_is_down_is_asked_until_it_is_up(serve: Serve, site: Site) -> None:
    """A refused connection is tried again while it is owed; nothing is lost or doubled."""
    (port,) = free_ports(1)
    site.documents["channels"]["channels"][0]["url"] = f"http://127.0.0.1:{port}/cgi-bin/sendsms"
    policies = site.documents["policies"]["policies"]
    policies[0]["steps"] = [step("duty_officer")]
    program = serve()
    program.report(site.facilities[0], site.low * 1.2)
    until(lambda: program.incident(site.facilities[0]))
    with Gateway(port) as late:
        assert late.wait_for(1, 20.0)[0].recipient == site.people[0].phone
        until(lambda: "accepted" in kinds(program, site.facilities[0]))
        assert len(late.got) == 1
