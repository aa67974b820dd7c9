"""Messages and channels for the tests of the ways out."""

from zoneinfo import ZoneInfo

import msgspec

from services.notify.port import AlertFact, Facts, Message
from shared.model.instants import parse_instant
from shared.model.people import Channel
from shared.model.severity import Severity

_ZONE = ZoneInfo("Asia/Shanghai")

ALERT = AlertFact(
    rule="mw-load", title="医废处置负荷", action="协调外运", indicator="mw.disposed_t", indicator_name="处置量",
    station="s-1", interval="day", severity=Severity.ORANGE, cause="raised", value=103.2, unit="%",
    limit=">= 100", since_us=parse_instant("2020-02-24T00:00:00", _ZONE), standard="示例标准", edition="2026", clause="1",
)  # fmt: skip


def facts(**changes: object) -> Facts:
    known = Facts(
        kind="alert", notification="n1", incident="i1", person="li", person_name="李值", site_name="湖北示例",
        language="zh-CN", timezone="Asia/Shanghai", now_us=parse_instant("2020-02-25T09:00:00", _ZONE),
        territory_name="武汉市", facility="f-1", facility_short_name="武汉医废一厂", facility_name="武汉示例医废处置中心",
        alerts=(ALERT,), severity=Severity.ORANGE, ticket="T7", link="http://127.0.0.1:8620/a/abc.def",
    )  # fmt: skip
    return msgspec.structs.replace(known, **changes)


def message(address: str = "13900000001", **changes: object) -> Message:
    known = facts(**changes)
    return Message(
        notification=known.notification, incident=known.incident, person="li", channel="way",
        contact="c", address=address, facts=known,
    )  # fmt: skip


def answer(text: str, address: str = "13900000001") -> Message:
    """A message that says just `text` (and the signature)."""
    return message(address, kind="reply", alerts=(), free_text=text)


def kannel(url: str, timeout_us: int = 2_000_000, **changes: object) -> Channel:
    known = Channel(
        id="sms", kind="kannel", url=url, username="yujing", password="secret", sender="1069",
        signature="预警", timeout_us=timeout_us,
    )  # fmt: skip
    return msgspec.structs.replace(known, **changes)
