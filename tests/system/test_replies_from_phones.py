"""What people type on their phones, through the program's reply callback."""

import re
from collections.abc import Callable

import pytest

from shared.testing.configs import Facility, Site
from shared.testing.parts.gateway import Gateway
from shared.testing.program import Program, until

Serve = Callable[..., Program]


def ticket(text: str) -> str:
    """The letter and digit at the end of a text."""
    found = re.search(r"([A-HJ-NP-Z][2-9])$", text)
    assert found, text
    return found[1]


def fire(program: Program, gateway: Gateway, facility: Facility) -> str:
    """Raise an alert; the text that came for it."""
    count = len(gateway.got)
    program.report(facility, program.site.low * 1.2)
    return gateway.wait_for(count + 1)[count].text


def answer(program: Program, gateway: Gateway, phone: str, text: str) -> None:
    url = f"http://127.0.0.1:{program.site.http_port}"
    response = gateway.say(url, phone, text)
    assert (response.status_code, response.content) == (200, b"")


TYPED = ("1", "１", "收到。", " 1 ", "收到", "1{t}", "１{tl}", "1 {t}", "2", "0", "1。")


@pytest.mark.parametrize(
    ("prefix", "typed"), [("", typed) for typed in TYPED] + [("+86", "1"), ("0086", "收到。")]
)
def test_what_people_type_acknowledges(
    serve: Serve, site: Site, gateway: Gateway, typed: str, prefix: str
) -> None:
    """Full width, words, blanks, punctuation, tickets in either case, +86 before the number."""
    program = serve()
    t = ticket(fire(program, gateway, site.facilities[0]))
    answer(program, gateway, prefix + site.people[0].phone, typed.format(t=t, tl=t.lower()))
    whole = until(lambda: program.incident(site.facilities[0], "acknowledged"))
    assert whole["acknowledged_by"] == site.people[0].id


def test_replies_that_change_nothing(serve: Serve, site: Site, gateway: Gateway) -> None:
    """A stranger, a second time, after recovery: nothing changes and nobody is answered."""
    program = serve()
    facility = site.facilities[0]
    fire(program, gateway, facility)
    answer(program, gateway, "13700000000", "1")
    answer(program, gateway, "10086", "TD")
    assert program.incident(facility)["state"] == "open"
    answer(program, gateway, site.people[0].phone, "1")
    first = until(lambda: program.incident(facility, "acknowledged"))
    answer(program, gateway, site.people[0].phone, "1")
    program.report(facility, site.low / 3)
    gateway.wait_for(2)  # the recovery
    until(lambda: program.incident(facility, "resolved"))
    answer(program, gateway, site.people[0].phone, "1")
    with pytest.raises(TimeoutError):
        gateway.wait_for(3, 2.0)
    last = program.incident(facility)
    assert last["acknowledged_at"] == first["acknowledged_at"]
    assert [e["kind"] for e in last["timeline"]].count("acknowledged") == 1


def test_bare_one_with_two_open_takes_the_newest_and_says_which(
    serve: Serve, site: Site, gateway: Gateway
) -> None:
    """The newest message is meant; a message of its own tells which incident was taken."""
    program = serve()
    older, newer = site.facilities[:2]
    first = ticket(fire(program, gateway, older))
    second = ticket(fire(program, gateway, newer))
    assert first != second
    answer(program, gateway, site.people[0].phone, "1")
    until(lambda: program.incident(newer, "acknowledged"))
    assert program.incident(older)["state"] == "open"
    assert newer.short_name in gateway.wait_for(3)[2].text
    answer(program, gateway, site.people[0].phone, f"1{first}")
    until(lambda: program.incident(older, "acknowledged"))


def test_three_hands_over_at_once(serve: Serve, site: Site, gateway: Gateway) -> None:
    """`3` starts the next step without waiting."""
    program = serve()
    fire(program, gateway, site.facilities[0])
    answer(program, gateway, site.people[0].phone, "3")
    assert gateway.wait_for(2)[1].recipient == site.people[1].phone
    assert program.incident(site.facilities[0])["state"] == "open"


def test_not_understood_is_answered_at_most_three_times_an_hour(
    serve: Serve, site: Site, gateway: Gateway
) -> None:
    """Words back, but no storm of them."""
    program = serve()
    fire(program, gateway, site.facilities[0])
    for number in range(5):
        answer(program, gateway, site.people[0].phone, f"什么{number}意思")
    gateway.wait_for(4)
    with pytest.raises(TimeoutError):
        gateway.wait_for(5, 2.0)
    assert program.incident(site.facilities[0])["state"] == "open"


def test_callback_from_a_stranger_is_refused(serve: Serve, site: Site, gateway: Gateway) -> None:
    """An address outside `callbacks_from` gets 403; receipts are checked for form."""
    site.documents["channels"]["channels"][0]["callbacks_from"] = ["192.0.2.7"]
    program = serve()
    fire(program, gateway, site.facilities[0])
    url = "/gateway/sms/reply"
    params = {"from": site.people[0].phone, "to": "1", "text": "1"}
    forged = {"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=192.0.2.7"}
    assert program.client.get(url, params=params, headers=forged).status_code == 403
    assert program.incident(site.facilities[0])["state"] == "open"
    assert site.people[0].phone not in program.log_text()


def test_receipt_without_sense_is_400(serve: Serve, site: Site) -> None:
    """No id, or a status that is no number."""
    program = serve()
    get = program.client.get
    assert get("/gateway/sms/receipt", params={"status": "1"}).status_code == 400
    assert get("/gateway/sms/receipt", params={"id": "x", "status": "%d"}).status_code == 400
    answer_ = get("/gateway/sms/receipt", params={"id": "unheard-of", "status": "1"})
    assert (answer_.status_code, answer_.content) == (200, b"")
