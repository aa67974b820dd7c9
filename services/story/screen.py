"""What the terminal of `make run` shows: progress, loads, alerts, phones, the escalation clock."""

from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from shared.model.instants import to_datetime
from shared.model.numbers import short_text
from shared.model.severity import Severity

STYLE = {
    "blue": "bold blue",
    "yellow": "bold yellow",
    "orange": "bold dark_orange",
    "red": "bold red",
}


class Screen:
    """Lines, in order; plain text when the output is not a terminal."""

    def __init__(self, console: Console, zone: ZoneInfo) -> None:
        self._console = console
        self._zone = zone

    def _line(self, *parts: tuple[str, str] | str) -> None:
        self._console.print(Text.assemble(*parts), soft_wrap=True, highlight=False)

    def at(self, now_us: int) -> str:
        """The scenario clock as people read it."""
        return to_datetime(now_us, self._zone).strftime("%Y-%m-%d %H:%M")

    def say(self, text: str, style: str = "") -> None:
        self._line((text, style))

    def load(self, now_us: int, done: int, total: int, text: str) -> None:
        """Progress: which reports came in, and the loads they mean."""
        width = 20
        filled = round(width * done / total) if total else width
        bar = "█" * filled + "░" * (width - filled)
        self._line((f"{self.at(now_us)} ", "dim"), (f"{bar} ", "cyan"), text)

    def alert(self, transition: dict[str, Any], place: str, title: str, remark: str) -> None:
        """One line a firing or clearing: date, place, load, severity."""
        word = {"firing": "▲ 触发", "resolved": "▽ 解除", "withdrawn": "▽ 撤销"}[
            transition["state"]
        ]
        if transition["cause"] in ("rose", "fell"):
            word = "▲ 升级" if transition["cause"] == "rose" else "▽ 降级"
        severity = Severity(transition["severity"])
        value = transition["value"]
        shown = "" if value is None else f"{short_text(value)} {transition['unit']} "
        self._line(
            (f"{transition['at'][:10]} ", "bold"),
            f"{place} {title} {shown}",
            (f"{severity.zh}色 {severity.value} {word}", STYLE[severity.value]),
            (f"（{remark}）" if remark else "", "dim"),
        )

    def phone(self, now_us: int, person: str, text: str) -> None:
        self._line((f"{self.at(now_us)}   ", "dim"), (f"☎ {person} ", "bold"), text)

    def clock(self, now_us: int, place: str, step: int, left_us: int) -> None:
        minutes, seconds = divmod(max(left_us, 0) // 1_000_000, 60)
        self._line(
            (f"{self.at(now_us)}   ", "dim"),
            (f"⏱ {place} 第{step}步无人答复，{minutes}分{seconds:02d}秒后通知下一位", "magenta"),
        )

    def answered(self, now_us: int, person: str, place: str) -> None:
        self._line((f"{self.at(now_us)}   ", "dim"), (f"✔ {person} 已确认：{place}", "green"))
