"""The player: sends the scenes through the real ports and lets the scenario clock race or walk."""

import threading
from collections.abc import Callable
from typing import Any, Protocol

import httpx

from services.story.ledger import Row
from services.story.official import answer_after, told_at
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
from shared.clock import ScenarioClock
from shared.model.configuration import Configuration
from shared.model.instants import Instant, parse_instant, window_start

RACE, DAY_RACE, FEED, WALK, SERVE = 5_000_000.0, 300_000.0, 1_800.0, 360.0, 1.0
"""Speeds of the scenario clock: between years, between days, while stations report, while an
incident is unanswered (six minutes a second), and after the story."""

MONTH_US = 30 * 86_400_000_000
SETTLE_S = 0.25


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
    ) -> None:
        self._configuration, self._clock, self._http = configuration, clock, http
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
            if not self._reach(upload.at_us, FEED):
                return
            self._upload(upload)
            self._show()
            self._follow(until_us=upload.at_us + FEED_EVERY_US)
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

    def _reach(self, at_us: int, speed: float | None = None) -> bool:
        """Let the clock run to `at_us`; False when the program is stopping."""
        left = at_us - self._clock.now()
        self._clock.set_speed(speed or (RACE if left > MONTH_US else DAY_RACE))
        while (left := at_us - self._clock.now()) > 0:
            if self._clock.speed == RACE and left < MONTH_US:
                self._clock.set_speed(DAY_RACE)
            step = left - MONTH_US if self._clock.speed == RACE else left
            if self._clock.wait(self._stop, max(step, 1)):
                return False
        self._clock.set_speed(WALK)
        return not self._stop.is_set()

    def _ledger(self, scene: LedgerScene, number: int, total: int) -> None:
        self._post([row.report() for row in scene.rows])
        self.readings += sum(len(row.readings) for row in scene.rows)
        loads = "  ".join(filter(None, (_load(row) for row in scene.rows)))
        self._screen.load(scene.at_us, number + 1, total, f"{scene.rows[0].day} 日报 {loads}")
        self._stop.wait(SETTLE_S)
        self._show()

    def _upload(self, upload: Upload) -> None:
        self._device.send(upload)
        self.readings += len(upload.values)

    # -- while somebody has to answer --------------------------------------------------------

    def _follow(self, until_us: int | None = None) -> None:
        """Walk while an incident is unanswered, and let the scripted officials answer."""
        while not self._stop.is_set():
            incidents = self._incidents()
            self._show()
            waiting = [i for i in incidents if i["state"] == "open"]
            if not waiting or (until_us is not None and self._clock.now() >= until_us):
                return
            self._clock.set_speed(WALK)
            for incident in waiting:
                self._clockline(incident)
                self._answer(incident)
            self._stop.wait(0.1)

    def _incidents(self) -> list[dict[str, Any]]:
        answer = self._http.get("/v1/incidents", params={"state": "open"}, headers=self._operator)
        answer.raise_for_status()
        incidents: list[dict[str, Any]] = answer.json()["incidents"]
        return incidents

    def _answer(self, incident: dict[str, Any]) -> None:
        step, after_us = answer_after(incident)
        told = told_at(incident, step)
        if told is None or self._clock.now() < parse_instant(told[1], self._zone) + after_us:
            return
        answer = self._http.post(
            f"/v1/incidents/{incident['id']}/acknowledgements",
            json={"person": told[0], "note": "演示答复"},
            headers=self._operator,
        )
        if answer.status_code == 200:
            place = self._configuration.facilities[incident["facility"]].short_name
            name = self._configuration.people[told[0]].name
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
