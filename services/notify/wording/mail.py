"""Mail: subject, plain text and HTML of one notification, in the site's language.

The one address in it is the link that acknowledges, the same in both parts; a recovery has none.
"""

from zoneinfo import ZoneInfo

import jinja2
import msgspec

from services.notify.port import AlertFact, Facts
from services.notify.wording.clauses import clause_words
from services.notify.wording.figures import number, span_words
from services.notify.wording.units import one_line
from shared.model.instants import to_datetime
from shared.model.rollup import Members

_SUBJECT_CHARACTERS = 120
_SHOWN_ALERTS = 30
_NAMED_MEMBERS = 8


class MailWords(msgspec.Struct, frozen=True):
    subject: str
    text: str
    html: str


class _Row(msgspec.Struct, frozen=True):
    """One alert as the templates show it."""

    title: str
    station: str
    severity: str
    severity_word: str
    value: str
    limit: str
    since: str
    action: str
    basis: str
    members: str


class MailWording:
    """Holds the compiled templates. Raises jinja2.TemplateError when one is broken."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("services.notify.wording", "templates"),
            autoescape=jinja2.select_autoescape(("html.j2",)),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def write(self, facts: Facts) -> MailWords:
        """The words of `facts`; a reply's are its free text."""
        language = "en" if facts.language == "en" else "zh"
        words = {
            "facts": facts,
            "marks": _marks(facts, language),
            "place": _place(facts),
            "site": one_line(facts.site_name),
            "territory": one_line(facts.territory_name),
            "person": one_line(facts.person_name),
            "rows": [_row(alert, facts, language) for alert in facts.alerts[:_SHOWN_ALERTS]],
            "more": max(len(facts.alerts) - _SHOWN_ALERTS, 0),
            "recovery": facts.kind == "recovery",
            "answer": facts.kind in ("reply", "handover") or not facts.alerts,
            "severity": facts.severity.value if facts.severity else "",
            "severity_word": _severity_word(facts, language),
            "next_step": _time(facts.next_step_us, facts),
            "link": None if facts.kind == "recovery" else facts.link,
        }
        return MailWords(
            subject=self._subject(facts, language),
            text=self._templates.get_template(f"mail.{language}.txt.j2").render(words),
            html=self._templates.get_template(f"mail.{language}.html.j2").render(words),
        )

    def _subject(self, facts: Facts, language: str) -> str:
        site = one_line(facts.site_name)
        head = f"[{site}]" if language == "en" else f"【{site}】"
        marks = _marks(facts, language)
        gap = " " if language == "en" and marks else ""
        if not facts.alerts:
            return f"{head} {marks}{gap}{one_line(facts.free_text)}"[:_SUBJECT_CHARACTERS]
        row = _row(facts.alerts[0], facts, language)
        colour = _severity_word(facts, language)
        colon = "：" if language == "zh" else ": "
        subject = f"{head} {marks}{gap}{_place(facts)}{colon}{colour} {row.title} {row.value}"
        return " ".join(subject.split())[:_SUBJECT_CHARACTERS]


def _place(facts: Facts) -> str:
    return one_line(facts.facility_name or facts.facility_short_name or facts.facility)


def _marks(facts: Facts, language: str) -> str:
    english = language == "en"
    pieces = []
    if facts.drill:
        pieces.append("【演练】")
    if facts.kind == "recovery":
        pieces.append("Recovered" if english else "恢复")
    if facts.flapping:
        pieces.append("Flapping" if english else "反复")
    if facts.resend:
        pieces.append("Resent" if english else "重发")
    if facts.nth > 1:
        pieces.append(f"No. {facts.nth}" if english else f"第{facts.nth}次")
    return (" " if english else "").join(pieces)


def _severity_word(facts: Facts, language: str) -> str:
    if facts.severity is None:
        return ""
    return facts.severity.value if language == "en" else f"{facts.severity.zh}色"


def _time(instant: int | None, facts: Facts) -> str:
    if instant is None:
        return ""
    return f"{to_datetime(instant, ZoneInfo(facts.timezone)):%Y-%m-%d %H:%M}"


def _row(alert: AlertFact, facts: Facts, language: str) -> _Row:
    english = language == "en"
    gone = "no data" if english else "无数据"
    value = (
        gone
        if alert.value is None
        else f"{number(alert.value)} {span_words(alert.unit, english=english)}"
    )
    default = "Check and respond" if english else "请核实处置"
    colour = alert.severity.value if english else f"{alert.severity.zh}色"
    clause = clause_words(alert.clause, english=english)
    standard = alert.standard
    if standard == "product default" and not english:
        standard = "产品默认值（不是法定限值）"
    basis = [standard, alert.edition if alert.edition not in alert.standard else ""]
    return _Row(
        title=one_line(alert.title) or one_line(alert.rule),
        station=one_line(alert.station),
        severity=alert.severity.value,
        severity_word=colour,
        value=value.strip(),
        limit=one_line(alert.limit or ""),
        since=_time(alert.since_us, facts),
        action="" if facts.kind == "recovery" else one_line(alert.action or "") or default,
        basis=" ".join(one_line(part) for part in (*basis, clause) if part and part != "-"),
        members=_members(alert.members, english),
    )


def _members(members: Members | None, english: bool) -> str:
    """How many of a territory's stations are known, and some of those that are not."""
    if members is None:
        return ""
    named = [one_line(station) for station in members.unknown[:_NAMED_MEMBERS]]
    more = members.of - members.known - len(named)
    if english:
        absent = ", ".join(named) + (f" and {more} more" if more else "")
        said = f"{members.known} of {members.of} reported"
        return f"{said}; unknown: {absent}" if absent else said
    absent = "、".join(named) + (f" 等 {more} 家" if more and named else "")
    said = f"{members.of} 家中已知 {members.known} 家"
    return f"{said}，未知：{absent}" if absent else said
