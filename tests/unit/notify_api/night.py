"""A night as it may be: two incidents wait, one is in hand, one is over, and data are missing."""

from typing import Any
from zoneinfo import ZoneInfo

from services.notify.port import ChannelText
from shared.model.instants import Instant, instant_text
from tests.unit.notify_api.desk_house import NOW, DeskHouse

MIN = 60_000_000


SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(minutes: float) -> Instant:
    return Instant(NOW + int(minutes * MIN))


def text_at(minutes: float) -> str:
    return instant_text(at(minutes), SHANGHAI)


def entry(minutes: float, kind: str, person: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "at": text_at(minutes), "kind": kind, "person": person, "channel": None,
        "reason": None, "notification": None,
    } | more  # fmt: skip


def alert(severity: str, value: float | None, minutes: float) -> dict[str, Any]:
    return {
        "rule": "cod-day", "station": "510100-ww-01", "indicator": "w01018", "interval": "day",
        "state": "firing", "severity": severity, "value": value, "unit": "mg/L",
        "limit": "> 60", "since": text_at(minutes),
    }  # fmt: skip


def busy_night(house: DeskHouse) -> None:
    desk = house.desk
    desk.write(
        "i-red", "510100-ww-01", at(-12), severity="red", step=2, next_step_at=text_at(3.2),
        alerts=[alert("red", 131.46, -14), alert("orange", 71.0, -13)],
        timeline=[
            entry(-12, "opened"),
            entry(-12, "step", reason="step 1"),
            entry(-12, "queued", "li", channel="sms", notification="n1"),
            entry(-11.9, "accepted", "li", channel="sms", notification="n1"),
            entry(-11.8, "delivered", "li", channel="sms", notification="n1"),
            entry(-7, "accepted", "li", channel="sms", notification="n2"),
            entry(-2, "step", reason="step 2"),
            entry(-2, "accepted", "chen", channel="sms", notification="n3"),
            entry(-1.5, "failed", "wu", channel="mail", notification="n4", reason="550 no such box"),
        ],
    )  # fmt: skip
    desk.write(
        "i-blue", "510200-mw-01", at(-1), severity="blue", next_step_at=text_at(14),
        alerts=[alert("blue", None, -1) | {"limit": None, "station": "510200-mw-01"}],
        timeline=[entry(-1, "opened"), entry(-1, "queued", "yu", channel="sms", notification="n5")],
    )  # fmt: skip
    desk.write(
        "i-hand", "510100-ww-02", at(-95), severity="orange", state="acknowledged",
        next_step_at=None, acknowledged_at=text_at(-90), acknowledged_by="li",
        alerts=[alert("orange", 64.2, -95) | {"station": "510100-ww-02"}],
        timeline=[
            entry(-95, "opened"),
            entry(-95, "delivered", "li", channel="sms", notification="n6"),
            entry(-90, "acknowledged", "li", channel="page"),
        ],
    )  # fmt: skip
    desk.write("i-old", "510200-mw-01", at(-600), severity="yellow", acknowledged_by="yu",
               acknowledged_at=text_at(-590))  # fmt: skip
    desk.resolve("i-old", at(-300))
    desk.texts = [
        ChannelText("li", "李值", "sms", at(-7), "i-red", "n2",
                    "【预警】第2次蓉城示例传染病医院污水站化学需氧量日均131.5mg/L，限值>60，"
                    "02:58起，请核实处置，回1收到 T7"),
        ChannelText("chen", "陈带", "sms", at(-2), "i-red", "n3",
                    "【预警】蓉城示例传染病医院污水站化学需氧量日均131.5mg/L，限值>60，"
                    "02:58起，请核实处置，回1收到 K3"),
    ]  # fmt: skip


def states() -> list[dict[str, Any]]:
    def series(station: str, value: float, flag: str = "N") -> dict[str, Any]:
        return {
            "station": station, "indicator": "w01018", "interval": "day",
            "observed_at": text_at(-14), "value": value, "unit": "mg/L", "flag": flag,
        }  # fmt: skip

    def rule(station: str, state: str, severity: str | None = None) -> dict[str, Any]:
        return {
            "rule": "cod-day", "station": station, "indicator": "w01018", "interval": "day",
            "state": state, "severity": severity,
        }  # fmt: skip

    def facility(id_: str, heard: str | None, series_: Any, rules: Any) -> dict[str, Any]:
        return {"id": id_, "last_heard": heard, "series": series_, "rules": rules}

    return [
        facility("510100-ww-01", text_at(-0.5), [series("510100-ww-01", 131.46)],
                 [rule("510100-ww-01", "firing", "red")]),
        facility("510100-ww-02", text_at(-200), [series("510100-ww-02", 64.2, "D")],
                 [rule("510100-ww-02", "unknown")]),
        facility("510200-mw-01", text_at(-3), [series("510200-mw-01", 41.2)],
                 [rule("510200-mw-01", "normal")]),
    ]  # fmt: skip
