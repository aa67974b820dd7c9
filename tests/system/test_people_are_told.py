"""Who is told what: names of any length, territories without a roster, rises, the metrics page."""

import subprocess
from collections.abc import Callable

import pytest

from shared.testing.configs import Site, step
from shared.testing.parts.gateway import Gateway
from shared.testing.program import Program, until

Serve = Callable[..., Program]


def units(text: str) -> int:
    """UTF-16 code units, as a message is charged."""
    return len(text.encode("utf-16-le")) // 2


def test_every_text_fits_seventy_units_whatever_the_names(
    serve: Serve, site: Site, gateway: Gateway
) -> None:
    """Long names, emoji and rare characters are shortened; value, limit, 回1收到, ticket stay."""
    names = [site.word(60), "𠮷" * 40, "🏥" * 30, "A" * 100, "医" * 5 + "🏥" * 20, site.word(4)]
    rule = site.documents["rules"]["rules"][0]
    rule["title"] = {"zh": site.word(40) + "𠮷" * 10}
    rule["action"] = {"zh": "立即停止排放并复测上报"}
    facilities = [site.add_facility(name=name, short_name=name) for name in names]
    program = serve()
    for facility in facilities:
        program.report(facility, 123456.789)
    for message in gateway.wait_for(len(names), 15.0):
        assert units(message.text) <= 70, message.text
        assert "�" not in message.text
        message.text.encode("utf-8")  # no half of a pair
        assert "回1收到" in message.text
        assert "123500" in message.text or "1.235" in message.text, message.text
        assert f"{site.low * 2:g}" in message.text


def test_territory_without_a_roster_climbs_to_its_province(
    serve: Serve, site: Site, gateway: Gateway
) -> None:
    """429004 is no prefix of anything: its parent is given, and the province's officer is told."""
    site.documents["territories"]["territories"] += [
        {"id": "420000", "name": "湖北省"} if site.province != "420000" else
        {"id": "429000", "name": "直管"},
        {"id": "429004", "name": "仙桃市", "parent": "420000"},
    ]  # fmt: skip
    officer = site.add_person(territory="420000")
    site.add_roster("420000", {"duty_officer": [officer]})
    facility = site.add_facility(territory="429004")
    program = serve()
    program.report(facility, site.low * 1.2)
    assert gateway.wait_for(1)[0].recipient == officer.phone
    assert program.incident(facility)["territory"] == "429004"


def test_up_and_down_tells_yellow_once_and_orange_twice(
    serve: Serve, site: Site, gateway: Gateway
) -> None:
    """yellow → orange → yellow → orange inside one episode."""
    program = serve()
    facility = site.facilities[0]
    counts = (1, 2, 2, 3)
    for factor, count in zip((1.2, 1.7, 1.2, 1.7), counts, strict=True):
        program.report(facility, site.low * factor)
        gateway.wait_for(count)
        until(lambda: program.incident(facility))
    with pytest.raises(TimeoutError):
        gateway.wait_for(4, 2.0)
    assert [t["cause"] for t in program.transitions()] == ["raised", "rose", "fell", "rose"]
    assert len({m.notification for m in gateway.got}) == 3


def test_acknowledgement_ends_repeats_and_steps(serve: Serve, site: Site, gateway: Gateway) -> None:
    """Repeats come marked 第N次 until somebody answers; then nothing more."""
    site.documents["policies"]["policies"][0]["steps"] = [
        step("duty_officer", wait="20s", repeat={"every": "1s", "times": 10}),
        step("shift_leader"),
    ]
    program = serve()
    facility = site.facilities[0]
    program.report(facility, site.low * 1.2)
    texts = [message.text for message in gateway.wait_for(3)]
    assert "次" not in texts[0]
    assert "第2次" in texts[1]
    assert "第3次" in texts[2]
    incident = program.incident(facility)["id"]
    answer = program.acknowledge(incident, site.people[0].id)
    assert answer.status_code == 200
    assert answer.json()["state"] == "acknowledged"
    assert program.acknowledge(incident, site.people[0].id).status_code == 200
    assert program.acknowledge(incident, "nobody-" + site.word(1)).status_code == 422
    seen = len(gateway.got)
    with pytest.raises(TimeoutError):
        gateway.wait_for(seen + 2, 3.0)
    assert len(gateway.got) <= seen + 1, "only one in flight may still land"


def test_officer_sees_his_territory_only(serve: Serve, site: Site) -> None:
    """Outside it everything is 404; an upstream token reads nothing; no token is 401."""
    elsewhere = "110100" if site.city != "110100" else "120100"
    site.documents["territories"]["territories"].append({"id": elsewhere, "name": "别处市"})
    other = site.add_facility(territory=elsewhere)
    program = serve()
    program.report(other, site.low * 1.2)
    incident = until(lambda: program.incident(other))["id"]
    path = f"/v1/incidents/{incident}"
    officer = program.authorization(site.officer_token)
    assert program.client.get(path, headers=officer).status_code == 404
    body = {"person": site.people[0].id}
    acknowledgement = program.client.post(path + "/acknowledgements", json=body, headers=officer)
    assert acknowledgement.status_code == 404
    upstream = program.authorization(site.upstream_token)
    assert program.client.get(path, headers=upstream).status_code == 403
    nobody = program.client.get(path)
    assert nobody.status_code == 401
    assert "WWW-Authenticate" in nobody.headers


@pytest.mark.needs("promtool")
def test_metrics_are_clean(serve: Serve, site: Site, gateway: Gateway) -> None:
    """`promtool check metrics` has nothing to say, and the names of contract §6 are there."""
    program = serve()
    program.report(site.facilities[0], site.low * 1.2)
    gateway.wait_for(1)
    page = program.client.get("/metrics").content
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=page, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
    for name in (
        "yujing_reports_total", "yujing_rejections_total", "yujing_transitions_total",
        "yujing_alerts", "yujing_notifications_total", "yujing_outbox_oldest_seconds",
        "yujing_timers_overdue", "yujing_clock_seconds", "yujing_deaf_seconds_total",
        "yujing_report_to_gateway_seconds", "yujing_consumer_lag", "yujing_build_info",
    ):  # fmt: skip
        assert f"# TYPE {name} ".encode() in page, name
