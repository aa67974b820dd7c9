"""The player: sends the scenes through the real ports and lets the scenario clock race or walk."""

import threading
from collections.abc import Callable
from typing import Any, Protocol

import httpx

from services.story.ledger import Row
from services.story.official import answering
from services.story.screen import Screen
from services.story.script import (
    EXAMPLE_DAY,
    FEED_EVERY_US,
    LedgerScene,
    Upload,
    example_uploads,
    feed_at,
    ledger_scenes,
)
from services.story.texts import Text
from shared.clock import ScenarioClock, real_monotonic
from shared.model.configuration import Configuration
from shared.model.instants import Instant, parse_instant, window_start

RACE, DAY_RACE, FEED, WALK, SERVE = 5_000_000.0, 300_000.0, 900.0, 360.0, 1.0
"""Speeds of the scenario clock: between years, between days, while stations report, while an
incident is unanswered (six minutes a second; YUJING_STORY_WALK slows it for a slow machine), and
after the story."""

MONTH_US = 30 * 86_400_000_000
LOOK_S = 0.1
SETTLE_S = 20.0
"""What was sent is judged and, where it fires, an incident: until then the clock walks."""


class Device(Protocol):
    def send(self, upload: Upload) -> bool:
        """Send one upload; True when it was answered."""


class Player:
    """Plays once; `play` blocks until the story ends, `serve` until `stop` is set."""

    def __init__(
        self,
        *,
        configuration: Configuration,
        clock: ScenarioClock,
        http: httpx.Client,
        upstream: dict[str, str],
        operator: dict[str, str],
        device: Device,
        screen: Screen,
        texts: Callable[[], list[Text]],
        stop: threading.Event,
        walk: float = WALK,
    ) -> None:
        self._configuration, self._clock, self._http = configuration, clock, http
        self._walk = walk
        self._upstream, self._operator, self._device = upstream, operator, device
        self._screen, self._texts, self._stop = screen, texts, stop
        self._zone = configuration.site.zone
        self._seq = 0
        self._sent = 0
        self._clock_shown: dict[str, int] = {}
        self._acknowledged: list[tuple[str, str]] = []
        self._remarks: dict[tuple[str, str], str] = {}
        self.readings = 0
        self.episodes = 0

    # -- the story -------------------------------------------------------------------------

    def play(self, rows: list[Row]) -> None:
        scenes = ledger_scenes(rows, self._zone)
        uploads = example_uploads(self._zone)
        self._remarks = {
            (row.facility, row.day.isoformat()): "组合数据" for row in rows if row.composed
        }
        total = len(scenes) + 1
        began = self._clock.now()
        self._resume(began, scenes)
        for number, scene in enumerate(scenes):
            if scene.at_us <= began:
                continue
            if not self._reach(scene.at_us):
                return
            self._ledger(scene, number, total)
            self._follow()
        self._screen.load(self._clock.now(), total - 1, total, f"{EXAMPLE_DAY} 示例站点开始上报")
        for upload in uploads:
            if upload.at_us <= began:
                continue
            if not self._feed_until(upload.at_us):
                return
            self._upload(upload)
        self._follow()
        self._screen.load(self._clock.now(), total, total, "故事结束")

    def _resume(self, began: int, scenes: list[LedgerScene]) -> None:
        """Started again on the same data: what was shown is not shown again.

        The figures up to now are sent once more; ingest knows them and nothing happens twice.
        """
        past = [row for scene in scenes if scene.at_us <= began for row in scene.rows]
        if not past:
            return
        self._screen.say(f"从 {self._screen.at(began)} 继续")
        self._post([row.report() for row in past])
        self.readings += sum(len(row.readings) for row in past)
        self._show(quiet=True)
        self._follow()

    def _post(self, reports: list[dict[str, Any]]) -> None:
        answer = self._http.post("/v1/reports", json=reports, headers=self._upstream)
        answer.raise_for_status()
        if rejected := answer.json()["rejected"]:
            raise RuntimeError(f"the story's own figures were refused: {rejected[0]['detail']}")

    def serve(self) -> None:
        """Go on after the story: the 示例 stations keep reporting, at the pace of life."""
        self._clock.set_speed(SERVE)
        at = Instant(self._clock.now() // FEED_EVERY_US * FEED_EVERY_US + FEED_EVERY_US)
        while not self._stop.is_set():
            if (left := at - self._clock.now()) > 0:
                self._clock.wait(self._stop, left)
                continue
            for upload in feed_at(at, self._zone):
                self._upload(upload)
            self._show()
            at = Instant(at + FEED_EVERY_US)

    def _reach(self, at_us: int) -> bool:
        """Let the clock race to `at_us`; False when the program is stopping."""
        left = at_us - self._clock.now()
        self._clock.set_speed(RACE if left > MONTH_US else DAY_RACE)
        while (left := at_us - self._clock.now()) > 0:
            if self._clock.speed == RACE and left < MONTH_US:
                self._clock.set_speed(DAY_RACE)
            step = left - MONTH_US if self._clock.speed == RACE else left
            if self._clock.wait(self._stop, max(step, 1)):
                return False
        self._clock.set_speed(self._walk)
        return not self._stop.is_set()

    def _feed_until(self, at_us: int) -> bool:
        """Let the stations' morning pass; slower while somebody has to answer."""
        while (left := at_us - self._clock.now()) > 0 and not self._stop.is_set():
            waiting = self._attend()
            self._clock.set_speed(self._walk if waiting else FEED)
            self._clock.wait(self._stop, min(left, int(LOOK_S * 1e6 * self._clock.speed)))
        return not self._stop.is_set()

    def _ledger(self, scene: LedgerScene, number: int, total: int) -> None:
        self._post([row.report() for row in scene.rows])
        self.readings += sum(len(row.readings) for row in scene.rows)
        loads = "  ".join(filter(None, (_load(row) for row in scene.rows)))
        self._screen.load(scene.at_us, number + 1, total, f"{scene.rows[0].day} 日报 {loads}")
        self._settle({row.facility: scene.rows[0].report()["observed_at"] for row in scene.rows})
        self._show()

    def _settle(self, sent: dict[str, str]) -> None:
        """Wait until rules have judged what was sent and notify has what came of it."""
        deadline = real_monotonic() + SETTLE_S
        while not self._stop.is_set() and real_monotonic() < deadline:
            if self._are_judged(sent) and self._are_known():
                return
            self._stop.wait(0.02)

    def _are_judged(self, sent: dict[str, str]) -> bool:
        answer = self._http.get("/v1/facilities", headers=self._operator)
        answer.raise_for_status()
        newest = {
            each["id"]: max((one["observed_at"] for one in each["series"]), default="")
            for each in answer.json()["facilities"]
        }
        return all(newest.get(facility, "") >= at for facility, at in sent.items())

    def _are_known(self) -> bool:
        """Every transition so far has reached notify."""
        answer = self._http.get(
            "/v1/transitions", params={"after": self._seq, "limit": 1000}, headers=self._operator
        )
        answer.raise_for_status()
        for transition in answer.json()["transitions"]:
            if transition["state"] == "pending":
                continue
            why = self._http.get(f"/v1/why/{transition['id']}", headers=self._operator)
            if why.status_code != 200 or not _told(why.json()):
                return False
        return True

    def _upload(self, upload: Upload) -> None:
        self._device.send(upload)
        self.readings += len(upload.values)

    # -- while somebody has to answer --------------------------------------------------------

    def _follow(self) -> None:
        """Walk while an incident is unanswered, and let the scripted officials answer."""
        while not self._stop.is_set() and self._attend():
            self._clock.set_speed(self._walk)
            self._stop.wait(LOOK_S)

    def _attend(self) -> bool:
        """Show what is new, answer what the script answers now; whether anybody is waited for."""
        waiting = [each for each in self._incidents() if each["state"] == "open"]
        self._show()
        for incident in waiting:
            self._clockline(incident)
            self._answer(incident)
        return bool(waiting)

    def _incidents(self) -> list[dict[str, Any]]:
        answer = self._http.get("/v1/incidents", params={"state": "open"}, headers=self._operator)
        answer.raise_for_status()
        incidents: list[dict[str, Any]] = answer.json()["incidents"]
        return incidents

    def _answer(self, incident: dict[str, Any]) -> None:
        person = answering(incident)
        if person is None:
            return
        answer = self._http.post(
            f"/v1/incidents/{incident['id']}/acknowledgements",
            json={"person": person, "note": "演示答复"},
            headers=self._operator,
        )
        if answer.status_code == 200:
            place = self._configuration.facilities[incident["facility"]].short_name
            name = self._configuration.people[person].name
            self._acknowledged.append((name, place))
            self._screen.answered(self._clock.now(), name, place)

    def _clockline(self, incident: dict[str, Any]) -> None:
        if (
            incident["next_step_at"] is None
            or self._clock_shown.get(incident["id"]) == incident["step"]
        ):
            return
        self._clock_shown[incident["id"]] = incident["step"]
        left = parse_instant(incident["next_step_at"], self._zone) - self._clock.now()
        place = self._configuration.facilities[incident["facility"]].short_name
        self._screen.clock(self._clock.now(), place, incident["step"], left)

    # -- the screen --------------------------------------------------------------------------

    def _show(self, *, quiet: bool = False) -> None:
        answer = self._http.get(
            "/v1/transitions", params={"after": self._seq, "limit": 1000}, headers=self._operator
        )
        answer.raise_for_status()
        body = answer.json()
        self._seq = body["next"]
        for transition in body["transitions"]:
            self._count(transition)
            if transition["state"] != "pending" and not quiet:
                self._alert(transition)
        for text in self._texts():
            self._sent += 1
            self._screen.phone(self._clock.now(), text.person, text.text)

    def _count(self, transition: dict[str, Any]) -> None:
        begins = transition["state"] == "firing" and transition["cause"] in ("raised", "missing")
        self.episodes += begins

    def _alert(self, transition: dict[str, Any]) -> None:
        facility = self._configuration.facilities[transition["facility"]]
        territory = self._configuration.territories[facility.territory].name
        place = territory if facility.kind == "medical_waste" else facility.short_name
        at = window_start(parse_instant(transition["at"], self._zone), "day", self._zone)
        day = self._screen.at(at)[:10]
        remark = self._remarks.get((transition["facility"], day), "")
        title = self._configuration.rules[transition["rule"]].title_zh
        self._screen.alert(transition, place, title, remark)

    def summary(self) -> str:
        answered = "、".join(f"{name}（{place}）" for name, place in self._acknowledged) or "无"
        return (
            f"小结 读数 {self.readings}，告警 {self.episodes} 次，"
            f"短信 {self._sent} 条，答复 {len(self._acknowledged)} 起：{answered}"
        )


def _told(why: dict[str, Any]) -> bool:
    """Whether notify has the transition that this explains, in either mode."""
    return "kind" in why or "kind" in why.get("led_to", {})


def _load(row: Row) -> str:
    """The loads a row means, for the progress line; the engine computes its own."""
    capacity = row.readings.get("mw.capacity_t")
    disposed, made = row.readings.get("mw.disposed_t"), row.readings.get("mw.generated_t")
    parts = []
    if capacity and disposed is not None:
        parts.append(f"负荷 {100 * disposed / capacity:.1f} %")
    if capacity and made is not None:
        backlog = row.readings.get("mw.backlog_t", 0.0)
        parts.append(f"需求 {100 * (made + backlog) / capacity:.1f} %")
    return f"{row.name} {' '.join(parts)}" if parts else ""
