"""Amending: those who were told of an episode hear, once, that its history is another.

Nothing opens, reopens, resolves or escalates: the live stream decides that. An amendment belongs
to every incident in which its alert stood in the stretch that changed. Whoever has a message of
that incident accepted, before or after, is told by the same way.
"""

import hashlib
import json
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select

from services.notify.core.incident import Incident
from services.notify.core.notice import Notice
from services.notify.desk import tables as t
from services.notify.desk.put import put
from services.notify.desk.unit import Row
from services.notify.wording.amendment import amendment_words
from services.notify.work import Snapshot, Work
from shared.model.amendment import Amendment
from shared.model.transition import Transition

AFTER = "after_amendment"
MOST_INCIDENTS = 200
"""Incidents of one facility that are looked through, the newest."""

_TRANSITION = msgspec.msgpack.Decoder(Transition)


def after_amendment(connection: Connection) -> int:
    """The last amendment taken."""
    query = select(t.meta.c.value).where(t.meta.c.key == AFTER)
    return int(connection.execute(query).scalar() or 0)


def take_amendments(work: Work, items: Sequence[tuple[int, Amendment]]) -> None:
    """In the order of their numbers; what is taken already changes nothing."""
    after = after_amendment(work.unit.connection)
    for seq, amendment in items:
        if seq > after:
            after = seq
            take_amendment(work, amendment)
    put(work.unit.connection, t.meta, {"key": AFTER}, {"value": after})


def take_amendment(work: Work, amendment: Amendment) -> None:
    """An incident that holds it already is left alone: a topic may say the same again."""
    for id_ in _incidents(work, amendment):
        incident = work.unit.incident(id_)
        if incident is None or _is_known(work, id_, amendment):
            continue
        words = _words(work, amendment)
        cause = amendment.cause
        work.unit.write(
            id_, work.now, "amended", reason=words,
            detail={
                "amendment": amendment.id, "change": amendment.kind, "rule": amendment.rule,
                "why": cause.why, "observed_us": cause.observed_us, "value": cause.value,
                "report": cause.report_id, "words": words, "generation": incident.generation,
            },
        )  # fmt: skip
        for row in work.unit.notices(id_):
            if row["kind"] == "alert" and row["accepted_us"] is not None:
                _queue(work, incident, row, amendment.id, words)


def _is_known(work: Work, incident: str, amendment: Amendment) -> bool:
    c = t.ledger.c
    query = select(c.detail).where(c.incident == incident, c.kind == "amended")
    details = work.unit.connection.execute(query).scalars()
    return any(json.loads(text)["amendment"] == amendment.id for text in details)


def amend_one(work: Work, incident: Incident, told: Row) -> None:
    """A message was accepted: what was amended before goes the same way, unless it rose since."""
    if work.configuration.history_keep_us is None:
        return
    c = t.ledger.c
    query = select(c.detail).where(c.incident == incident.id, c.kind == "amended").order_by(c.n)
    for text in work.unit.connection.execute(query).scalars().all():
        detail = json.loads(text)
        if told["generation"] <= detail["generation"]:
            _queue(work, incident, told, detail["amendment"], detail["words"])


def _queue(work: Work, incident: Incident, told: Row, amendment: str, words: str) -> None:
    """Once for an amendment, incident and way."""
    seed = json.dumps(["amendment", amendment, incident.id, told["person"], told["contact"]])
    work.queue(
        Notice(
            id=hashlib.sha256(seed.encode()).hexdigest()[:24],
            kind="amendment",
            incident=incident.id,
            generation=told["generation"],
            step=0,
            round=0,
            person=told["person"],
            contact=told["contact"],
            channel=told["channel"],
        ),
        Snapshot((), incident.severity, 0, words),
    )


def _incidents(work: Work, amendment: Amendment) -> list[str]:
    """Those in which this alert stood in the stretch that changed, the oldest first."""
    spans = [span for span in (amendment.before, amendment.after) if span is not None]
    begin = min(span.start_us for span in spans)
    ends = [span.end_us for span in spans]
    end = None if None in ends else max(each for each in ends if each is not None)
    i, x = t.incidents.c, t.inbox.c
    newest = (
        select(i.id)
        .where(i.facility == amendment.facility)
        .order_by(i.opened_us.desc())
        .limit(MOST_INCIDENTS)
    )
    query = select(x.incident, x.body).where(x.incident.in_(newest)).order_by(x.seq)
    stood: dict[tuple[str, int], list[Transition]] = {}
    for incident, body in work.unit.connection.execute(query):
        transition = _TRANSITION.decode(body)
        if transition.alert == amendment.alert:
            stood.setdefault((incident, transition.episode_us), []).append(transition)
    found: dict[str, None] = {}
    for (incident, start_us), steps in stood.items():
        is_over = steps[-1].state in ("resolved", "withdrawn")
        if (end is None or start_us <= end) and (not is_over or steps[-1].at_us >= begin):
            found[incident] = None
    return list(found)


def _words(work: Work, amendment: Amendment) -> str:
    configuration = work.configuration
    site, rule = configuration.site, configuration.rules.get(amendment.rule)
    facility = configuration.facilities.get(amendment.facility)
    indicator = configuration.indicators.get(amendment.cause.indicator)
    is_english = site.language == "en"
    source = configuration.facilities.get(amendment.cause.facility)
    if amendment.cause.facility == amendment.facility:
        source = None  # another station of the same facility
    title = (rule.title_en if is_english else rule.title_zh) if rule else ""
    return amendment_words(
        amendment,
        place=facility.short_name if facility else amendment.facility,
        title=title or (indicator.zh if indicator and not is_english else amendment.indicator),
        unit=indicator.unit if indicator else "",
        now_us=work.now,
        zone=site.zone,
        language=site.language,
        source=source.short_name if source else "",
    )
