"""The real program: a typing error rings a phone, its correction rings it once more, kill -9 or not."""

from collections.abc import Callable
from typing import Any

from shared.testing.configs import Site
from shared.testing.parts.gateway import Gateway
from shared.testing.program import Program, now_text, reading, until

Serve = Callable[..., Program]


def test_correction_reaches_whoever_was_told_and_the_history(
    serve: Serve, site: Site, gateway: Gateway
) -> None:
    """120 for 12: the alarm went out; the history has no episode, and he is told so once."""
    site.documents["site"]["history"] = {"keep": "30d"}
    program = serve()
    facility = site.facilities[0]
    at = now_text()
    program.report(facility, site.low * 1.2, at=at)
    gateway.wait_for(1)

    wrong = reading(facility, site.low / 10, at=at)
    assert program.post(wrong).json()["accepted"] == 1
    gateway.wait_for(2)
    program.kill()
    program.start()
    assert program.post(wrong).json()["duplicates"] == 1

    def vanished() -> dict[str, Any]:
        (episode,) = program.get("/v1/episodes", facility=facility.id)["episodes"]
        assert episode["state"] == "vanished", episode
        return dict(episode)

    episode = until(vanished, what="the history")
    assert [each["cause"]["why"] for each in episode["amendments"]] == ["corrected"]
    assert len(episode["said"]) == 1
    program.report(facility, site.low / 2)
    until(lambda: program.incident(facility, "resolved"), what="resolved")
    gateway.wait_for(3)
    texts = gateway.texts()
    assert ["更正" in text for text in texts] == [False, True, False]
    assert {each.recipient for each in gateway.got} == {site.people[0].phone}
    kinds = [each["kind"] for each in program.incident(facility)["timeline"]]
    assert kinds.count("amended") == 1


def test_withdrawal_over_http(serve: Serve, site: Site, gateway: Gateway) -> None:
    site.documents["site"]["history"] = {"keep": "30d"}
    program = serve()
    facility = site.facilities[0]
    at = now_text()
    program.report(facility, site.low * 1.2, at=at)
    gateway.wait_for(1)
    withdrawn = reading(facility, 0.0, at=at) | {"withdrawn": True, "revision": 1, "id": "gone-1"}
    assert program.post(withdrawn).json()["accepted"] == 1
    gateway.wait_for(2)
    assert "已撤回" in gateway.texts()[1]

    told = program.get("/v1/why/gone-1", token=site.officer_token)
    (amended,) = told["amended"]
    assert (amended["kind"], amended["cause"]["report"]) == ("vanished", "gone-1")
    assert told["rules"][0]["reason"].startswith("its sender took it back")
    assert program.get(f"/v1/why/{amended['id']}")["is"] == "amendment"
