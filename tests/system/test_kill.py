"""kill -9 at random moments while reports stream in: counted at the message centre, not by us.

Every acknowledged report is judged, every firing told, unmarked repeats are 0, and each marked
one is explained in the ledger. Twenty rounds; `make kill ROUNDS=200` for more.
"""

import os
import re
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from shared.testing.configs import STATION_CODE, Facility, Site, step
from shared.testing.parts.kannel import Kannel
from shared.testing.parts.smsc import MessageCentre
from shared.testing.program import Program, device, free_ports, reading, until

ROUNDS = int(os.environ.get("ROUNDS") or 20)
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  naive: site time on both sides
PER_ROUND = 10
PER_CITY = 50
"""One person has at most 192 tickets open at a time: 24 letters with 8 digits."""

pytestmark = [pytest.mark.needs("kannel"), pytest.mark.timeout(120 + 20 * ROUNDS)]


class Upstream(threading.Thread):
    """Sends each facility's readings in order, each again until it is acknowledged."""

    def __init__(self, program: Program, facilities: list[Facility], seed: int) -> None:
        super().__init__(daemon=True)
        self.program = program
        self.facilities = facilities
        self.rng = Random(seed)
        self.over = threading.Event()
        self.acknowledged: dict[str, datetime] = {}
        """Newest acknowledged `observed_at` by facility."""
        self.fired: set[str] = set()
        """Facilities whose reading above the limit was acknowledged."""
        self.wrong: list[str] = []

    def run(self) -> None:
        for facility in self.facilities:
            for high in (False, False, True):
                if not self.deliver(facility, high=high):
                    return
            self.over.wait(self.rng.uniform(0, 0.8))

    def deliver(self, facility: Facility, *, high: bool) -> bool:
        """Until it is acknowledged; False when the test is over."""
        at = datetime.now(UTC) + timedelta(hours=8)
        at = max(at.replace(microsecond=0, tzinfo=None), self.next_second(facility))
        value = round(self.program.site.low * (1.2 if high else 0.3), 3)
        # What has been begun is carried to its end even when the rounds are over.
        while not self.over.is_set() or high:
            try:
                taken = self.attempt(facility, value, at)
            except OSError:
                taken = False
            if taken:
                self.acknowledged[facility.id] = at
                if high:
                    self.fired.add(facility.id)
                return True
            self.over.wait(0.05)
        return False

    def close(self) -> None:
        """Nothing is open by HTTP."""

    def next_second(self, facility: Facility) -> datetime:
        last = self.acknowledged.get(facility.id)
        return last + timedelta(seconds=1) if last else EPOCH

    def attempt(self, facility: Facility, value: float, at: datetime) -> bool:
        raise AssertionError("one of the two listeners")


class WebUpstream(Upstream):
    """By HTTP."""

    def attempt(self, facility: Facility, value: float, at: datetime) -> bool:
        try:
            answer = self.program.post(reading(facility, value, at=at.isoformat() + "+08:00"))
        except Exception as error:
            raise OSError from error
        if answer.status_code == 202 and not answer.json()["rejected"]:
            return True
        if answer.status_code not in (429, 503):
            self.wrong.append(answer.text)
        return False


class WireUpstream(Upstream):
    """By HJ 212, one connection until it breaks."""

    line: Any = None

    def attempt(self, facility: Facility, value: float, at: datetime) -> bool:
        frame = device(facility).upload({STATION_CODE: value}, data_time=f"{at:%Y%m%d%H%M%S}")
        try:
            if self.line is None:
                self.line = self.program.line(timeout_s=5.0)
            answer = self.line.ask(frame)
        except OSError:
            answer = b""
        if b"CN=9014" in answer:
            return True
        self.close()
        return False

    def close(self) -> None:
        """Let go of the line; the next attempt opens another."""
        if self.line is not None:
            self.line.close()
            self.line = None


@pytest.fixture
def centre() -> Iterator[MessageCentre]:
    with MessageCentre() as running:
        yield running


def city_site(rng: Random, sms_url: str) -> Site:
    """As many cities as it takes, each with its officer; nobody climbs during the test."""
    http_port, hj212_port = free_ports(2)
    site = Site(rng, http_port, hj212_port)
    site.add_sms(sms_url)
    # The second step is for whom an attempt was lost twice: it has failed, the next one is told.
    site.add_policy(step("duty_officer", wait="6h"), step("shift_leader", wait="6h"))
    site.add_threshold()
    for number in range(ROUNDS * PER_ROUND // PER_CITY + 1):
        city = f"{site.province[:2]}{number + 1:02}00"
        if city != site.city:
            site.documents["territories"]["territories"].append({"id": city, "name": site.word(2)})
        officer, leader = site.add_person(territory=city), site.add_person(territory=city)
        site.add_roster(city, {"duty_officer": [officer], "shift_leader": [leader]})
        for _ in range(PER_CITY):
            site.add_facility(territory=city)
    return site


def test_killed_at_random_moments_nothing_is_lost_or_told_twice_unmarked(
    rng: Random, tmp_path: Path, centre: MessageCentre
) -> None:
    """The promise of the whole thread."""
    site = city_site(rng, "http://127.0.0.1:1/")
    reply_url = f"http://127.0.0.1:{site.http_port}/gateway/sms/reply"
    with Kannel(tmp_path / "kannel", centre.port, reply_url) as kannel:
        site.documents["channels"]["channels"][0]["url"] = kannel.url
        program = Program(site, tmp_path / "program").start()
        try:
            senders = kill_while_streaming(program, rng)
            settle(program, senders, centre)
            examine(program, senders, centre)
        finally:
            program.close()


def kill_while_streaming(program: Program, rng: Random) -> list[Upstream]:
    """ROUNDS times kill -9, now and then while it is still starting."""
    half = len(program.site.facilities) // 2
    senders: list[Upstream] = [
        WebUpstream(program, program.site.facilities[:half], rng.getrandbits(32)),
        WireUpstream(program, program.site.facilities[half:], rng.getrandbits(32)),
    ]
    for sender in senders:
        sender.start()
    for number in range(ROUNDS):
        threading.Event().wait(rng.uniform(0.0, 1.5))
        program.kill()
        if rng.random() < 0.2:
            program.spawn()
            threading.Event().wait(rng.uniform(0.0, 1.5))
            program.kill()
        program.start()
        print(f"round {number + 1}: {sum(len(s.fired) for s in senders)} fired", flush=True)
    for sender in senders:
        sender.over.set()
    for sender in senders:
        sender.join(60)
        assert not sender.is_alive(), "a reading was never acknowledged"
        sender.close()
    return senders


def settle(program: Program, senders: list[Upstream], centre: MessageCentre) -> None:
    """Wait until everything owed was sent and every unknown outcome was decided."""
    fired = set().union(*(sender.fired for sender in senders))
    until(lambda: {t["facility"] for t in program.transitions()} >= fired, 30.0, 0.5, "judged")
    until(lambda: len(told(program.site, centre)) >= len(fired), 60.0, 0.5, "told")
    until(lambda: program.metrics()["yujing_outbox_oldest_seconds"] == 0, 30.0, 0.5, "outbox")
    threading.Event().wait(3.0)  # unknown_hold, and one more moment for what must not come


def told(site: Site, centre: MessageCentre) -> dict[str, dict[str, list[str]]]:
    """The texts at the message centre by facility (the number in its short name) and phone."""
    names = {re.search(r"\d+号", f.short_name)[0]: f.id for f in site.facilities}  # type: ignore[index]  # each has one
    found: dict[str, dict[str, list[str]]] = {}
    for person in site.people:
        for text in centre.texts(person.phone):
            number = re.search(r"\d+号", text)
            assert number, text
            found.setdefault(names[number[0]], {}).setdefault(person.id, []).append(text)
    return found


def examine(program: Program, senders: list[Upstream], centre: MessageCentre) -> None:
    """The four promises, one by one."""
    fired = set().union(*(sender.fired for sender in senders))
    assert [w for sender in senders for w in sender.wrong] == []

    newest = {
        facility["id"]: max(
            (datetime.fromisoformat(s["observed_at"]) for s in facility["series"]), default=None
        )
        for facility in program.get("/v1/facilities")["facilities"]
    }
    for sender in senders:
        for facility, at in sender.acknowledged.items():
            judged = newest[facility]
            assert judged is not None, f"{facility}: acknowledged and never judged"
            assert judged.replace(tzinfo=None) >= at, facility

    transitions = program.transitions()
    assert [t["seq"] for t in transitions] == list(range(1, len(transitions) + 1))
    assert Counter((t["facility"], t["cause"]) for t in transitions) == Counter(
        (facility, "raised") for facility in fired
    )

    texts = told(program.site, centre)
    assert set(texts) == fired, "every firing told, nothing else"
    marked = failed = 0
    for facility, phones in texts.items():
        (incident,) = program.incidents(facility=facility)
        timeline = program.get(f"/v1/incidents/{incident['id']}")["timeline"]
        for person, received in phones.items():
            kinds = [entry["kind"] for entry in timeline if entry["person"] == person]
            plain = [text for text in received if "重发" not in text]
            assert len(plain) <= 1, f"unmarked repeat: {received} {timeline}"
            assert len(received) <= 2, f"{received} {timeline}"
            if len(plain) < len(received):
                marked += 1
                assert "unknown" in kinds, timeline
                assert "repeated" in kinds, timeline
        if len(phones) > 1:
            # The leader hears of it only when the officer's message was lost twice.
            failed += 1
            assert "failed" in [entry["kind"] for entry in timeline], timeline
    print(f"{len(fired)} firings, {marked} marked repeats, {failed} lost twice", flush=True)
