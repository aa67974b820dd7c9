"""Who is told, when, how often, and when it ends."""

from dataclasses import dataclass
from typing import Any

import pytest

from services.notify.desk.unit import FaultPoint
from services.notify.port import Accepted, Message, Outcome, Refusal, Refused, Retry, Unknown
from shared.errors import Unavailable
from shared.model.configuration import Timing
from shared.model.facility import Facility
from shared.model.people import CatchAll, Policy, PolicyMatch, Repeat, Step, Target
from shared.model.severity import Severity
from tests.scenario.desks import Houses
from tests.scenario.house import (
    REST,
    House,
    configuration,
    step,
    with_budget,
)


def test_silence_climbs_to_the_catch_all_and_repeats(house: House) -> None:
    """Silence is not consent."""
    house.fire()
    house.phone("li").expect("化学需氧量", "66mg/L", "回1收到")
    house.no_other_messages()
    house.fast_forward("5m")
    house.phone("li").expect("第2次")
    house.fast_forward("5m")
    house.phone("li").expect("第3次")
    house.no_other_messages()
    house.fast_forward("5m")
    house.phone("chen").expect("化学需氧量")
    house.phone("chen", "mail").expect()
    house.no_other_messages()
    house.fast_forward("15m")
    house.phone("wu").expect("化学需氧量")
    house.no_other_messages()
    house.fast_forward("15m")
    house.phone("chief", "mail").expect()
    house.fast_forward("2h")
    house.phone("chief", "mail").expect("第2次")
    house.phone("chief", "mail").expect("第3次")
    house.no_other_messages()


def test_an_acknowledgement_ends_all_of_it(house: House) -> None:
    """Once somebody has it, nobody is rung again."""
    house.fire()
    house.phone("li").expect()
    answer = house.acknowledge()
    assert not isinstance(answer, Refusal)
    assert answer["state"] == "acknowledged"
    assert answer["next_step_at"] is None
    house.fast_forward("1d")
    house.no_other_messages()
    assert house.acknowledge() == house.incident()


def test_recovery_goes_once_to_those_who_were_told(house: House) -> None:
    """Whoever was woken may sleep again, nobody else is woken for it."""
    house.fire()
    house.fast_forward("16m")
    for _ in range(3):
        house.phone("li").expect()
    house.phone("chen").expect()
    house.phone("chen", "mail").expect()
    house.clear()
    house.phone("li").expect("恢复")
    recovery = house.phone("chen").expect("恢复")
    assert "回1收到" not in recovery.text
    house.phone("chen", "mail").expect("恢复")
    house.fast_forward("1d")
    house.no_other_messages()
    assert house.incident()["state"] == "resolved"


def test_yellow_orange_yellow_orange_tells_yellow_once_and_orange_twice(house: House) -> None:
    """Every rise is news, no fall is."""
    t = house.transition
    house.take(
        t("cod", "firing", "yellow"), t("cod", "firing", "orange", cause="rose"),
        t("cod", "firing", "yellow", cause="fell"), t("cod", "firing", "orange", cause="rose"),
    )  # fmt: skip
    sent = house.phone("li").all()
    assert [each.message.facts.severity for each in sent] == [
        Severity.YELLOW, Severity.ORANGE, Severity.ORANGE,
    ]  # fmt: skip
    assert all("次" not in each.text for each in sent)
    assert len(house.wire.sent) == 3


def test_a_rise_cancels_the_acknowledgement(house: House) -> None:
    """What was acknowledged was the lesser thing."""
    house.fire(severity="yellow")
    house.acknowledge()
    house.phone("li").expect()
    house.fire(severity="red", cause="rose")
    house.phone("li").expect()
    assert house.incident()["state"] == "open"
    house.fast_forward("15m")
    house.phone("li").expect("第2次")
    house.phone("li").expect("第3次")
    house.phone("chen").expect()


def test_a_joining_alert_of_no_higher_severity_tells_nobody(house: House) -> None:
    """One facility is one incident."""
    house.fire("cod", "orange")
    house.phone("li").expect()
    house.fire("ammonia", "yellow")
    house.fire("load", "orange")
    house.no_other_messages()
    assert house.kinds().count("joined") == 2
    house.clear("cod")
    house.clear("load")
    assert house.incident()["severity"] == "yellow"
    house.no_other_messages()
    house.clear("ammonia", "yellow")
    house.phone("li").expect("恢复")
    house.no_other_messages()


def test_a_new_firing_soon_after_reopens(house: House) -> None:
    """Half an hour of quiet is not the end."""
    house.fire()
    house.clear()
    first = house.incident()["id"]
    house.fast_forward("29m")
    house.fire()
    assert house.incident()["id"] == first
    house.fast_forward("1s")
    house.clear()
    texts = [each.text for each in house.phone("li").all()]
    assert ["恢复" in text for text in texts] == [False, True, False, True]
    assert not any("第" in text for text in texts)
    house.fast_forward("31m")
    house.fire()
    assert house.incident()["id"] != first


def test_what_no_policy_wants_opens_no_incident(house: House) -> None:
    """Blue is for the page, not for the phone."""
    house.fire(severity="blue")
    assert house.notify.incidents(None, None, lambda _: True) == []
    why = house.notify.why("report-1")
    assert why is not None
    assert "no policy" in why["transitions"][0]["reason"]
    house.fire(severity="orange", cause="rose")
    house.phone("li").expect()
    house.no_other_messages()


def test_a_territory_without_a_roster_climbs_to_its_parent(house: House) -> None:
    """仙桃 has no roster; Hubei answers for it."""
    house.fire(facility="429004-f1")
    house.phone("wu").expect()
    house.no_other_messages()


def test_a_role_nobody_holds_goes_to_the_catch_all_and_is_shown(
    house: House, houses: Houses
) -> None:
    """An orphan rings somebody and is counted."""
    policy = Policy(
        "p", None, (step("nobody"),), CatchAll((Target(person="chief"),), ("mail",), 10**9)
    )
    lonely = houses(configuration(policies=(policy,)))
    lonely.fire()
    lonely.phone("chief", "mail").expect()
    assert "orphan" in lonely.kinds()
    assert lonely.counts.orphans == 1


def test_nobody_to_reach_starts_the_next_step_at_once(houses: Houses) -> None:
    """A dead number does not cost a quarter of an hour."""
    house = houses()
    house.wire.fates["sms"] = lambda m: Refused("no") if m.person == "li" else Accepted("", "x")
    house.wire.fates["mail"] = lambda m: Refused("no") if m.person == "li" else Accepted("", "x")
    house.wire.fates["screen"] = lambda m: Refused("no")
    house.fire()
    house.fast_forward("3s")
    assert [each.message.person for each in house.wire.sent] == ["chen", "chen"]


def test_when_every_way_failed_the_other_contacts_are_tried_in_order(house: House) -> None:
    """The next way at once."""
    house.wire.fates["sms"] = lambda _: Refused("no such number")
    house.fire()
    house.phone("li", "mail").expect()
    house.no_other_messages()
    assert "failed" in house.kinds()


def test_a_gateway_that_is_away_is_tried_again_and_then_another_way(house: House) -> None:
    """1, 2, 4 s; from the third failure by the next way."""
    tries: list[int] = []

    def away(_: Message) -> Outcome:
        tries.append((house.clock.now() - begin) // 1_000_000)
        return Retry("503")

    begin = house.clock.now()
    house.wire.fates["sms"] = away
    house.fire()
    house.fast_forward("20s")
    assert tries[:3] == [0, 1, 3]
    house.phone("li", "mail").expect()
    house.no_other_messages()
    assert len(tries) == 3  # the mail told him


def test_an_answer_that_was_lost_is_resent_once_and_marked(house: House) -> None:
    """The one repeat there may be says that it is one."""
    fates = iter([Unknown("arrived"), Accepted("", "x")])
    house.wire.fates["sms"] = lambda _: next(fates)
    house.fire()
    house.fast_forward("14s")
    assert len(house.wire.sent) == 1
    house.fast_forward("2s")
    first, second = house.wire.sent
    assert first.message.notification == second.message.notification
    assert "重发" in second.text
    assert "重发" not in first.text
    house.acknowledge()
    house.fast_forward("1h")
    assert len(house.wire.sent) == 2
    assert house.kinds().count("repeated") == 1


def test_a_receipt_proves_a_lost_answer(house: House) -> None:
    """With a receipt nothing is said twice."""
    house.wire.fates["sms"] = lambda _: Unknown("arrived")
    house.fire()
    house.notify.receipt("sms", house.wire.sent[0].message.notification, "delivered", house.now)
    house.acknowledge()
    house.fast_forward("1h")
    assert len(house.wire.sent) == 1
    assert [k for k in house.kinds() if k in ("accepted", "delivered")] == ["accepted", "delivered"]
    house.wire.fates.clear()
    house.clear()
    assert "恢复" in house.wire.sent[-1].text


def test_two_lost_answers_have_failed(house: House) -> None:
    """Not a third time."""
    house.wire.fates["sms"] = lambda _: Unknown("arrived")
    house.fire()
    house.fast_forward("1m")
    assert len([s for s in house.wire.sent if s.message.channel == "sms"]) == 2
    house.phone("li", "mail").expect()


def test_a_crash_in_flight_waits_for_its_receipt(house: House) -> None:
    """kill -9 between the claim and the answer is an unknown outcome."""
    house.notify.on_transitions([house.transition("cod", "firing", "red")], house.now)
    claimed = house.notify.claim(house.now)
    assert claimed is not None
    house.restart()
    house.send()
    house.fast_forward("10s")
    assert house.wire.sent == []
    house.fast_forward("6s")
    house.phone("li").expect("重发")
    house.acknowledge()
    house.fast_forward("1h")
    house.no_other_messages()


def test_a_claim_whose_commit_was_not_heard_of_is_sent_once(house: House) -> None:
    """The connection broke between the commit and its answer: nobody was given the claim."""
    broken = [False]

    def fault(point: FaultPoint) -> None:
        if broken[0] and point == "after commit":
            broken[0] = False
            raise Unavailable("the connection broke")

    house.restart(fault)
    house.notify.on_transitions([house.transition("cod", "firing", "red")], house.now)
    broken[0] = True
    with pytest.raises(Unavailable):
        house.sender.drain()
    assert house.wire.sent == []
    house.send()
    sent = house.phone("li").expect("化学需氧量")
    assert not sent.message.facts.resend
    house.fast_forward("1m")
    house.no_other_messages()


def test_the_budget_keeps_its_reserves(houses: Houses) -> None:
    """10 a day with orange 2 and red 3: yellow 5, orange 7, red 10."""
    house = houses(configuration(channels=with_budget(10, {"orange": 2, "red": 3})))
    seen = []
    for severity, n in (("yellow", 7), ("orange", 4), ("red", 5)):
        for i in range(n):
            facility = f"420100-f{i % 5 + 1}"
            house.fire("cod", severity, facility)
            house.acknowledge("li", facility)
            house.notify.on_transitions(
                [house.transition("cod", "resolved", severity, facility, "cleared")], house.now
            )
            house.fast_forward("31m")
        seen.append(len(house.phone("li").all()))
    assert seen == [5, 7, 10]
    assert house.counts.notifications[("sms", "withheld")] > 0


def test_a_clock_that_is_set_rings_nobody(house: House) -> None:
    """Forward and backward, nobody is rung up the ladder, and nobody is forgotten."""
    house.fire()
    house.phone("li").expect()
    for by in (7200_000_000, -10_800_000_000):
        house.clock.step(by)
        house.tick()
        house.tick()
        house.no_other_messages()
    house.fast_forward("5m")
    house.phone("li").expect("第2次")
    house.no_other_messages()
    house.fast_forward("10m")
    house.phone("li").expect("第3次")
    house.phone("chen").expect()


def test_a_clock_set_back_while_down_forgets_nobody(house: House) -> None:
    """The next step is not an hour late because the clock was corrected during a restart."""
    house.fire()
    house.phone("li").expect()
    house.clock.step(-3600_000_000)
    house.restart()
    house.fast_forward("5m")
    house.phone("li").expect("第2次")
    house.no_other_messages()


def test_a_clock_set_back_is_followed_once_however_often_it_starts(house: House) -> None:
    """What was written by the old clock stays in the ledger and is no news at the next start."""
    house.fire()
    house.phone("li").expect()
    house.clock.step(-3600_000_000)
    house.tick()
    for _ in range(3):
        house.restart()
        house.fast_forward("1m")
        house.no_other_messages()
    house.fast_forward("2m")
    house.phone("li").expect("第2次")
    house.no_other_messages()


def test_steps_missed_while_down_collapse_into_one(house: House) -> None:
    """An hour down is one step, not four at once."""
    house.fire()
    house.phone("li").expect()
    house.clock.advance(7200_000_000)
    house.restart()
    house.tick()
    house.phone("chen").expect()
    house.phone("chen", "mail").expect()
    house.tick()
    house.no_other_messages()


def test_the_policy_is_that_of_the_opening(house: House) -> None:
    """A policy that changes in the night does not change what runs."""
    house.fire()
    house.phone("li").expect()
    other = Policy("other", None, (step("nobody"),), None)
    house.notify.set_configuration(configuration(policies=(other,)))
    house.fast_forward("16m")
    assert {each.message.person for each in house.wire.sent} == {"li", "chen"}


def test_an_override_wins_at_that_moment(house: House, houses: Houses) -> None:
    """At eight the next one is on duty."""
    policy = Policy(
        "p", None, (step("duty_officer", wait="30h", repeat=Repeat(20 * 3600_000_000, 1)),)
    )
    changing = houses(configuration(policies=(policy,)))
    changing.fire()
    changing.fast_forward("21h")
    assert [each.message.person for each in changing.wire.sent] == ["li", "zhang"]


def test_a_reply_of_one_acknowledges(house: House) -> None:
    """One character at three in the morning."""
    house.fire()
    house.phone("li").expect()
    house.phone("li").reply("１")
    assert house.incident()["state"] == "acknowledged"
    assert house.incident()["acknowledged_by"] == "li"
    house.phone("li").reply("1")
    house.send()
    house.no_other_messages()
    house.clear()
    house.phone("li").expect("恢复")
    house.phone("li").reply("收到。")
    house.send()
    house.no_other_messages()


def test_a_bare_one_takes_the_newest_and_says_so(house: House) -> None:
    """With two open he is told which one was taken."""
    house.fire(facility="420100-f1")
    house.fast_forward("1s")
    house.fire(facility="420100-f2")
    one, two = house.phone("li").expect(), house.phone("li").expect()
    assert one.message.facts.ticket != two.message.facts.ticket
    house.phone("li").reply("1")
    house.send()
    assert house.incident("420100-f2")["state"] == "acknowledged"
    assert house.incident("420100-f1")["state"] == "open"
    house.phone("li").expect(str(two.message.facts.ticket))
    house.phone("li").reply(f"1 {one.message.facts.ticket}".lower())
    house.send()
    assert house.incident("420100-f1")["state"] == "acknowledged"
    house.no_other_messages()


def test_three_hands_over_at_once(house: House) -> None:
    """He cannot; the next one is told now."""
    house.fire()
    house.phone("li").expect()
    house.fast_forward("5s")
    house.phone("li").reply("3")
    house.send()
    house.phone("chen").expect()
    house.phone("chen", "mail").expect()
    house.no_other_messages()


def test_strangers_change_nothing_and_nonsense_is_answered_three_times(house: House) -> None:
    """No loop of machines costs more than three answers an hour."""
    house.fire()
    house.phone("li").expect()
    house.notify.reply("sms", "13911112222", "1069", "1", house.now)
    assert house.counts.strangers == 1
    assert house.incident()["state"] == "open"
    for _ in range(6):
        house.fast_forward("1s")
        house.phone("li").reply("你好？")
        house.send()
    assert len(house.phone("li").all()) == 1 + 3
    assert house.incident()["state"] == "open"


def test_the_same_transition_twice_is_once(house: House) -> None:
    """At least once anywhere is once in effect."""
    item = house.transition("cod", "firing", "red")
    house.take(item)
    house.take(item)
    house.restart()
    house.take(item, (item[0] + 7, item[1]))
    assert len(house.wire.sent) == 1


def test_a_broken_wording_still_tells(house: House) -> None:
    """The alert gets out in plain words, and the owner of the defect hears of it."""
    real = house.wire.send

    @dataclass
    class Broken:
        def send(self, message: Message) -> Outcome:
            if message.plain is None:
                raise KeyError("template")
            return real(message)

    house.sender._channels = {"sms": Broken()}  # type: ignore[dict-item]
    house.fire()
    house.phone("li").expect("设施", "化学需氧量")
    assert house.counts.broken == 1


def test_the_ledger_is_whole_and_tells_tampering(houses: Houses) -> None:
    """Every chain verifies; one changed word is found."""
    house = houses()
    house.fire()
    house.acknowledge()
    house.clear()
    assert house.notify.audit_verify() == []
    entries = house.notify.audit_export(house.incident()["id"])
    assert entries is not None
    assert [each["n"] for each in entries] == list(range(1, len(entries) + 1))
    with house.desk.unit() as unit:
        drop = "DROP TRIGGER ledger_no_update"
        unit.connection.exec_driver_sql(drop + (" ON ledger" if house.desk.is_served else ""))
        unit.connection.exec_driver_sql("UPDATE ledger SET person='wu' WHERE kind='acknowledged'")
    assert len(house.notify.audit_verify()) == 1


def test_a_storm_does_not_delay_a_severe_alert(houses: Houses) -> None:
    """A red one goes before hundreds of yellow ones that came first."""
    base = configuration()
    many = {
        f"x{n}": Facility(f"x{n}", f"厂{n}", f"厂{n}", "420100", "hospital_wastewater")
        for n in range(500)
    }
    house = houses(configuration(facilities=base.facilities | many))
    house.notify.on_transitions(
        [house.transition("cod", "firing", "yellow", name) for name in many], house.now
    )
    house.notify.on_transitions([house.transition("cod", "firing", "red", "429004-f1")], house.now)
    claimed = house.notify.claim(house.now)
    assert claimed is not None
    assert claimed.message.person == "wu"


def test_steps_keep_their_gap_and_one_tick_takes_one(houses: Houses) -> None:
    """A ladder of empty rungs is climbed one a tick."""
    steps = tuple(Step((Target(role="nobody"),), ("sms",), 0) for _ in range(3))
    policy = Policy("p", PolicyMatch(), (*steps, step("shift_leader")), None)
    house = houses(configuration(policies=(policy, REST), timing=Timing(min_step_gap_us=2_000_000)))
    house.fire()
    house.fast_forward("10s")
    at = [e["at"] for e in house.incident()["timeline"] if e["kind"] == "step"]
    assert [text[17:19] for text in at] == ["00", "02", "04", "06"]
    house.phone("chen").expect()


def test_why_leads_from_a_report_to_a_message_and_back(house: House) -> None:
    """Who knew what, on what evidence."""
    house.fire()
    sent = house.phone("li").expect()
    forward = house.notify.why("report-1")
    back = house.notify.why(sent.message.notification)
    assert forward is not None
    assert back is not None
    assert forward["notifications"][0]["id"] == sent.message.notification
    assert back["reports"] == ["report-1"]
    assert house.notify.why("nothing") is None


def test_what_was_sent_while_the_disk_was_full_is_not_sent_again(house: House) -> None:
    """The outcome waits in memory until it can be written."""
    house.notify.on_transitions([house.transition("cod", "firing", "red")], house.now)
    full = [True]
    record = house.notify.record

    def on_a_full_disk(*args: Any) -> None:
        if full[0]:
            raise Unavailable("disk full")
        record(*args)

    house.notify.record = on_a_full_disk  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        house.sender.drain()
    with pytest.raises(Unavailable):
        house.sender.drain()
    full[0] = False
    house.send()
    house.fast_forward("20s")
    house.phone("li").expect()
    house.no_other_messages()
    assert house.kinds().count("accepted") == 1
    assert "unknown" not in house.kinds()
