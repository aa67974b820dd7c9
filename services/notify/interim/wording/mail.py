"""The mail of an alert: plain text and HTML that say the same, one link that acknowledges."""

from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, select_autoescape

from services.notify.interim.port import Facts
from services.notify.interim.wording.sms import cleaned, limit_text, marks, since_text, value_text

_TEMPLATES = Environment(
    loader=PackageLoader("services.notify.interim.wording", "templates"),
    autoescape=select_autoescape(["html"]),
    trim_blocks=True,
    lstrip_blocks=True,
)


def subject(facts: Facts) -> str:
    """One line: marks, colour, place, what."""
    place = cleaned(facts.place)
    if facts.kind == "answer":
        return f"{marks(facts)}预警答复"
    title = cleaned(facts.alerts[0].title)
    return f"{marks(facts)}[{facts.severity.zh}色预警] {place} {title}"


def bodies(facts: Facts) -> tuple[str, str]:
    """(text, HTML)."""
    zone = ZoneInfo(facts.timezone)
    rows = [
        {
            "title": cleaned(alert.title),
            "colour": alert.severity.zh,
            "value": value_text(alert),
            "limit": limit_text(alert),
            "since": since_text(alert, facts.now_us, zone),
            "basis": cleaned(f"{alert.standard} {alert.clause}"),
            "action": cleaned(alert.action or "请核实处置"),
        }
        for alert in facts.alerts
    ]
    context = {"facts": facts, "rows": rows, "marks": marks(facts)}
    return (
        _TEMPLATES.get_template("mail.txt").render(context),
        _TEMPLATES.get_template("mail.html").render(context),
    )
