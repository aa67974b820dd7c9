"""`why` across the services of one process: report, transition, incident, notification."""

from collections.abc import Callable
from typing import Any

from services.ingest.lookup import ReportLookup
from services.rules.episodes_api import amendment_object
from services.rules.history_store import HistoryStore
from services.rules.past import Past
from services.rules.report_why import led_to, rules_of, shown
from services.rules.store import RulesStore
from services.rules.worker import RulesWorker
from shared.model.configuration import Configuration, lineage
from shared.model.report import Report
from shared.model.transition import Transition, transition_object

NotifyWhy = Callable[[str], dict[str, Any] | None]


class Why:
    """Both directions: what led to it, and what came of it, with the reason of each step."""

    def __init__(
        self, configuration: Configuration, lookup: ReportLookup, rules: RulesWorker, store: RulesStore,
        notify: NotifyWhy, past: Past, history: HistoryStore | None = None,
    ) -> None:  # fmt: skip
        self._configuration, self._zone = configuration, configuration.site.zone
        self._lookup, self._rules, self._store, self._notify = lookup, rules, store, notify
        self._past, self._history = past, history

    def __call__(self, name: str) -> dict[str, Any] | None:
        """None: nothing of this name is known."""
        told = self._notify(name)
        kept = self._store.by_id(name)
        if kept is not None:
            return self._transition(name, *kept, told)
        amended = None if self._history is None else self._history.by_id(name)
        if amended is not None:
            return {"is": "amendment"} | amendment_object(amended, self._zone)
        report = self._lookup.find(name)
        if report is None or (told is not None and told.get("kind") != "report"):
            return told
        return self._report(report) | (told or {})

    def _with_above(self, facility: str) -> list[str]:
        """A facility, and the territories in whose roll-ups it may stand."""
        place = self._configuration.facilities.get(facility)
        if place is None:
            return [facility]
        return [facility, *lineage(place.territory, self._configuration.territories)]

    def _transition(
        self, name: str, seq: int, transition: Transition, told: dict[str, Any] | None
    ) -> dict[str, Any]:
        answer: dict[str, Any] = {"id": name, "is": "transition", "seq": seq}
        answer |= transition_object(transition, self._zone)
        rule = self._configuration.rules.get(transition.rule)
        answer["title"] = rule.title_zh if rule else None
        report = self._lookup.find(transition.report_id) if transition.report_id else None
        answer["caused_by"] = (
            shown(report, self._zone)
            if report is not None
            else {"reason": "a timer or a missing report" if transition.received_us is None
                  else "a report that its sender did not name"}
        )  # fmt: skip
        answer["led_to"] = told or {"reason": "no policy tells anybody about it, or it ended there"}
        return answer

    def _report(self, report: Report) -> dict[str, Any]:
        answer = {"id": report.id, "is": "report"} | shown(report, self._zone)
        with self._rules.looking() as engine:
            book = engine.book
        answer["rules"] = rules_of(book, report, self._past)
        answer["led_to"] = [
            each | {"incident": self._notify(each["id"])}
            for each in led_to(self._store, report, self._zone)
        ]
        if self._history is not None:
            amended = self._history.by_report(self._with_above(report.facility), report.id)
            answer["amended"] = [amendment_object(each, self._zone) for each in amended]
        if not answer["led_to"] and not answer.get("amended"):
            answer["reason"] = "it changed no episode"
        return answer
