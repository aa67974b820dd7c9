"""Trial: one case through the engine in virtual time; what happened, and what was expected."""

import msgspec

from services.authoring.case_file import Case, Question
from services.authoring.case_log import Arrival, arrivals, tick_times
from services.authoring.comparison import Happened, compare_alerts, compare_transitions
from services.rules.core.engine import Engine
from services.rules.core.view import alerts
from shared.config.nodes import Finding
from shared.model.configuration import Configuration, encode_bundle
from shared.model.instants import Instant, instant_text
from shared.model.report import Activate, Report, Tick
from shared.model.transition import Transition, transition_object

SeriesKey = tuple[str, str, str, str]


class Result(msgspec.Struct, frozen=True):
    """A case passed when nothing failed; each failure is a text of several lines."""

    case: Case
    failures: tuple[str, ...]


def run_case(case: Case, configuration: Configuration) -> Result:
    """The case's log through a new engine; refused inputs fail the case."""
    sent, findings = arrivals(case, configuration)
    if findings:
        return Result(case, tuple(str(each) for each in findings[:20]))
    try:
        return Result(case, tuple(_Trial(case, configuration).run(sent)))
    except ValueError as error:
        return Result(case, (str(Finding(str(case.file), case.line, str(error))),))


class _Trial:
    def __init__(self, case: Case, configuration: Configuration) -> None:
        self.case, self.configuration = case, configuration
        self.zone = configuration.site.zone
        bundle = configuration.bundle()
        name, _ = encode_bundle(bundle)
        self.engine = Engine({name: bundle}.__getitem__)
        self.engine.deaf_never = True
        self.engine.apply([Activate(name)])
        self.newest: dict[SeriesKey, tuple[Instant, str]] = {}
        self.happened: list[Happened] = []
        self.now_us: int | None = None

    def run(self, sent: list[Arrival]) -> list[str]:
        failures: list[str] = []
        asked = [question.at_us for question in self.case.questions]
        ends = [*asked, *(arrival.at_us for arrival in sent[-1:]), self.case.start_us]
        until_us = self.case.until_us or max(ends)
        steps = [(at_us, 0, None) for at_us in tick_times(self.case, until_us)]
        log: list[tuple[int, int, Arrival | Question | None]] = [
            *steps,
            *((a.at_us, 1, a) for a in sent if a.at_us <= until_us),
            *((q.at_us, 2, q) for q in self.case.questions),
            (until_us, 3, None),
        ]
        for at_us, _, item in sorted(log, key=lambda entry: entry[:2]):
            if isinstance(item, Arrival):
                if self.now_us is None or at_us > self.now_us:
                    self._tick(at_us)
                self._take(item)
                continue
            self._tick(at_us)
            if isinstance(item, Question):
                failures += self._answer(item)
        if self.case.transitions is not None:
            failures += compare_transitions(self.case, self.happened, self.zone)
        return failures

    def _tick(self, at_us: int) -> None:
        self.now_us = at_us
        self._note(self.engine.apply([Tick(Instant(at_us))]), None)

    def _take(self, arrival: Arrival) -> None:
        report = arrival.report
        for index, indicator in enumerate(report.indicators):
            key = (report.facility, report.station, indicator, report.interval)
            known = self.newest.get(key)
            if known is None or report.observed_us > known[0]:
                self.newest[key] = (report.observed_us, self._reading(arrival, index))
        self._note(self.engine.apply([report]), arrival)

    def _reading(self, arrival: Arrival, index: int) -> str:
        report: Report = arrival.report
        flag = report.flag(index)
        indicator = report.indicators[index]
        unit = self.configuration.indicators[indicator].unit
        shown = f"{report.values[index]:.12g} {unit}" if flag in "NST" else "no value"
        mark = "" if flag == "N" else f", flag {flag}"
        at = instant_text(report.observed_us, self.zone)
        return f"{at} {indicator} = {shown}{mark} ({arrival.origin})"

    def _note(self, transitions: list[Transition], arrival: Arrival | None) -> None:
        for each in transitions:
            if self.case.model.only and each.rule not in self.case.model.only:
                continue
            words = transition_object(each, self.zone)
            words |= {"at": each.at_us, "episode": each.episode_us}
            why = self._newest(each.facility, each.station, each.indicator, each.interval)
            self.happened.append(Happened(words, why))

    def _newest(self, *key: str) -> str:
        found = self.newest.get((key[0], key[1], key[2], key[3]))
        return found[1] if found else "nothing was sent"

    def _answer(self, question: Question) -> list[str]:
        standing = []
        only = self.case.model.only
        for alert in alerts(self.engine):
            if alert.state not in ("pending", "firing") or (
                question.rule not in (None, alert.rule) or (only and alert.rule not in only)
            ):
                continue
            words = msgspec.structs.asdict(alert)
            words |= {"severity": alert.severity and alert.severity.value}
            words |= {"episode": words.pop("episode_us")}
            why = self._newest(alert.facility, alert.station, alert.indicator, alert.interval)
            standing.append(Happened(words, why))
        return compare_alerts(self.case, question, standing, self._newest_of_rule, self.zone)

    def _newest_of_rule(self, expected: dict[str, object]) -> str:
        """The newest reading of the series that an absent alert would stand on."""
        for key, (_, text) in sorted(self.newest.items(), key=lambda pair: -pair[1][0]):
            wanted = ("facility", "station", "indicator", "interval")
            if all(
                expected.get(name, value) == value for name, value in zip(wanted, key, strict=True)
            ):
                return text
        return "nothing was sent"
