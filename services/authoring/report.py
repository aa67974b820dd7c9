"""Report: the outcome of a backtest as one HTML file that needs nothing else.

Everything is bounded: a year of a province stays a file that a mail carries.
"""

from collections import Counter
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.authoring.chart import HEIGHT, WIDTH, Axis, Chart, draw, time_labels
from services.authoring.computed import is_computed
from services.authoring.day_bars import day_bars
from services.authoring.episodes import Episode
from services.authoring.outcome import Outcome, is_night, night_page, rings
from services.authoring.report_words import duration, words
from services.authoring.telling import Told
from services.authoring.trace import Trace
from services.authoring.traces import Key, Traces
from shared.model.instants import instant_text, local_day, to_datetime
from shared.model.numbers import short_text
from shared.model.rule import Missing, Rule, Silent

MOST_ROWS = 2000
MOST_CHARTS = 240
MOST_TOLD = 8
"""Messages that are listed for one alert."""
MOST_NOTES = 20
SPARSE = 120
"""Columns up to which a series is drawn with a thicker line: single points must be seen."""
MOST_DAYS = 400
SEVERITIES = ("red", "orange", "yellow", "blue")


class Report:
    def __init__(self, outcome: Outcome, traces: Traces, ack_after_us: int | None) -> None:
        self.outcome, self.traces = outcome, traces
        self.c = outcome.configuration
        self.zone = self.c.site.zone
        self.t = words(self.c.site.language)
        self.english = self.c.site.language == "en"
        self.ack = self.t["ack_never"]
        if ack_after_us is not None:
            self.ack = self.t["ack_after"].format(after=duration(ack_after_us, self.t))
        first_us = min((e.fired_us for e in outcome.episodes), default=outcome.first_us or 0)
        first_us = min(first_us, outcome.first_us or first_us)
        self.axis = Axis(self._first_reading(first_us), outcome.last_us or first_us + 1)

    def _first_reading(self, first_us: int) -> int:
        begins = [t.begin_us for t in self.traces.traces.values() if t.begin_us is not None]
        return min([first_us, *begins])

    def html(self) -> str:
        environment = Environment(
            loader=PackageLoader("services.authoring"), autoescape=True, trim_blocks=True,
            lstrip_blocks=True, undefined=StrictUndefined,
        )  # fmt: skip
        charts = self._charts()
        loud = [each for each in charts if each["episodes"]]
        quiet = [each for each in charts if not each["episodes"]]
        shown_loud = loud[:MOST_CHARTS]
        shown_quiet = quiet[: max(MOST_CHARTS - len(shown_loud), 0)]
        for each in shown_loud + shown_quiet:
            each["chart"] = self._chart(each)
        return environment.get_template("report.html").render(
            t=self.t, site=self.c.site.name, figures=self._figures(), ack=self.ack,
            period=(self._time(self.axis.from_us), self._time(self.axis.to_us)),
            people=self._people(), loud=shown_loud, quiet=shown_quiet,
            undrawn=len(charts) - len(shown_loud) - len(shown_quiet),
            unruled=len(self.traces.unruled), ticks=time_labels(self.axis, self.zone),
            rows=self._rows(), all_rows=len(self.outcome.episodes), width=WIDTH, height=HEIGHT,
            notes=[str(n) for n in self.outcome.notes[:MOST_NOTES]],
            more_notes=max(len(self.outcome.notes) - MOST_NOTES, 0), reports=self.outcome.reports,
            skipped=len(self.outcome.notes),
            has_days=any(each["key"][3] == "day" for each in loud),
        )  # fmt: skip

    # figures

    def _figures(self) -> list[tuple[str, str, str]]:
        """(what, how many, more about it)."""
        told = [each for each in self.outcome.told if each.withheld is None]
        by_severity = Counter(each.severity.value for each in self.outcome.episodes)
        parts = "，" if not self.english else ", "
        severities = parts.join(
            f"{self.t[s]} {by_severity[s]}" for s in SEVERITIES if by_severity[s]
        )
        days = Counter((each.person, self._day(each.at_us)) for each in told if rings(self.c, each))
        most = max(days.items(), key=lambda pair: pair[1], default=(("", ""), 0))
        figures = [
            (self.t["episodes"], str(len(self.outcome.episodes)), severities),
            (self.t["messages"], str(len(told)), ""),
            (self.t["sms"], str(sum(rings(self.c, each) for each in told)), ""),
            (self.t["night"], str(sum(night_page(self.c, each) for each in told)), ""),
            (self.t["most_a_day"], str(most[1]), self._name(most[0][0]) + " " + most[0][1]),
        ]
        withheld = len(self.outcome.told) - len(told)
        if withheld:
            figures.append((self.t["withheld"], str(withheld), ""))
        if self.outcome.orphans:
            figures.append((self.t["nobody"], str(self.outcome.orphans), ""))
        return figures

    # people

    def _people(self) -> list[dict[str, Any]]:
        """Who gets most, first."""
        people: dict[str, dict[str, Any]] = {}
        for each in self.outcome.told:
            row = people.setdefault(
                each.person,
                {"name": self._name(each.person), "title": self._title(each.person), "total": 0,
                 "sms": 0, "mail": 0, "night": 0, "withheld": 0, "days": Counter(),
                 "nights": Counter()},
            )  # fmt: skip
            if each.withheld is not None:
                row["withheld"] += 1
                continue
            row["total"] += 1
            if not rings(self.c, each):
                row["mail"] += 1
                continue
            day = local_day(each.at_us, self.zone)
            row["sms"] += 1
            row["days"][day] += 1
            if is_night(self.c, each.at_us):
                row["night"] += 1
                row["nights"][day] += 1
        for row in people.values():
            days: Counter[Any] = row["days"]
            row["most"] = max(days.values(), default=0)
            row["most_day"] = "" if not days else min(d for d in days if days[d] == row["most"])
            row["bars"] = day_bars(days, row["nights"], self.axis, self.zone)
            row["listed"] = [
                self.t["day_of"].format(day=day.isoformat(), count=count)
                + (self.t["night_of"].format(count=n) if (n := row["nights"][day]) else "")
                for day, count in sorted(days.items())[:MOST_DAYS]
            ]
        return sorted(people.values(), key=lambda row: (-row["sms"], -row["total"], row["name"]))

    # charts

    def _charts(self) -> list[dict[str, Any]]:
        """One entry for each series with a rule, those with most alerts first; not drawn yet."""
        found: dict[Key, list[Episode]] = {key: [] for key in self.traces.traces}
        for each in self.outcome.episodes:
            found.setdefault(self._key_of(each), []).append(each)
        entries = [
            {"key": key, "episodes": episodes, **self._heading(key)}
            for key, episodes in found.items()
        ]
        return sorted(entries, key=lambda each: (-len(each["episodes"]), each["key"]))

    def _key_of(self, episode: Episode) -> Key:
        first = episode.first
        rule = self.c.rules[first.rule]
        name = rule.id if is_computed(rule) else ""
        return (first.facility, first.station, first.indicator, first.interval, name)

    def _heading(self, key: Key) -> dict[str, Any]:
        facility, station, indicator, interval, computing = key
        named = self.c.indicators.get(indicator)
        name = indicator if named is None or self.english else named.zh
        if computing:
            name = self._rule_title(self.c.rules[computing])
        point = self.c.stations[station].point if station in self.c.stations else None
        return {
            "place": self.c.facilities[facility].short_name,
            "station": station if station != facility else "", "point": point or "",
            "name": name, "code": indicator, "interval": self.t[interval],
            "unit": self.traces.unit_of(key),
        }  # fmt: skip

    def _chart(self, entry: dict[str, Any]) -> Chart:
        key: Key = entry["key"]
        titles = {
            place: f"{self._rule_title(self.c.rules[each.first.rule])} {self.t[each.severity.value]} "
            f"{self._time(each.fired_us)} – {self._end(each)}"
            for place, each in enumerate(entry["episodes"])
        }
        entry["rules"] = [self._rule_line(rule) for rule in self.traces.rules_on(key)]
        trace = self.traces.traces.get(key) or Trace(key[3])
        entry["sparse"] = len(trace.columns) <= SPARSE
        return draw(trace, list(self.traces.lines(key)), entry["episodes"], self.axis, titles)

    def _rule_line(self, rule: Rule) -> str:
        text, status = self._basis(rule)
        validity, basis = [], rule.basis
        if basis.valid_from_us > self.axis.from_us:
            validity.append(self.t["valid_from"].format(day=self._day(basis.valid_from_us)))
        if basis.valid_to_us is not None and basis.valid_to_us < self.axis.to_us:
            validity.append(self.t["valid_to"].format(day=self._day(basis.valid_to_us)))
        more = " · ".join(part for part in (status, *validity) if part)
        return f"{self._rule_title(rule)}: {text}" + (f" ({more})" if more else "")

    def _basis(self, rule: Rule) -> tuple[str, str]:
        """Standard, edition and clause, and whether somebody read it there."""
        basis = rule.basis
        if basis.standard == "product default":
            return self.t["product default"], ""
        edition = "" if basis.standard.endswith(basis.edition) else basis.edition
        parts = (basis.standard, edition, "" if basis.clause == "-" else basis.clause)
        return " ".join(part for part in parts if part), self.t.get(basis.status, basis.status)

    # the list of alerts

    def _rows(self) -> list[dict[str, Any]]:
        heard = self._heard()
        worst = sorted(self.outcome.episodes, key=lambda e: (-e.severity.rank, e.fired_us, e.key))[
            :MOST_ROWS
        ]
        return [self._row(each, heard) for each in sorted(worst, key=lambda e: (e.fired_us, e.key))]

    def _heard(self) -> dict[tuple[Any, ...], list[Told]]:
        """Messages by the alerts that they speak of."""
        found: dict[tuple[Any, ...], list[Told]] = {}
        for each in self.outcome.told:
            for alert in each.alerts:
                key = (each.facility, alert.series, alert.episode_us)
                rows = found.setdefault(key, [])
                rows.append(each)
        return found

    def _row(self, episode: Episode, heard: dict[tuple[Any, ...], list[Told]]) -> dict[str, Any]:
        first, rule = episode.first, self.c.rules[episode.first.rule]
        series = (first.rule, first.station, first.indicator, first.interval)
        told = heard.get((first.facility, series, first.episode_us), [])
        value = episode.worst_value
        missing = isinstance(rule.condition, Missing | Silent)
        basis, status = self._basis(rule)
        return {
            "rule": self._rule_title(rule), "id": rule.id,
            "place": self.c.facilities[first.facility].short_name,
            "station": first.station if first.station != first.facility else "",
            "from": self._time(episode.fired_us), "to": self._end(episode),
            "lasted": duration((episode.ended_us or self.axis.to_us) - episode.fired_us, self.t),
            "severity": episode.severity.value, "limit": episode.worst_limit or "",
            "value": f"{short_text(value)} {first.unit or ''}".strip() if value is not None
            else self.t["missing" if missing else "unknown"],
            "basis": basis,
            "status": status,
            "told": [self._told(each) for each in told[:MOST_TOLD]],
            "more_told": max(len(told) - MOST_TOLD, 0),
        }  # fmt: skip

    def _told(self, told: Told) -> dict[str, str]:
        mark = self.t["recovery"] if told.kind == "recovery" else ""
        mark = self.t["withheld_mark"] if told.withheld else mark
        at = to_datetime(told.at_us, self.zone).strftime("%m-%d %H:%M")
        return {"at": at, "who": self._name(told.person), "by": told.channel, "mark": mark}

    # words

    def _rule_title(self, rule: Rule) -> str:
        return rule.title_en if self.english else rule.title_zh

    def _name(self, person: str) -> str:
        known = self.c.people.get(person)
        return known.name if known else person

    def _title(self, person: str) -> str:
        known = self.c.people.get(person)
        return known.title if known else ""

    def _end(self, episode: Episode) -> str:
        return self.t["still"] if episode.ended_us is None else self._time(episode.ended_us)

    def _time(self, at_us: int) -> str:
        return to_datetime(at_us, self.zone).strftime("%Y-%m-%d %H:%M")

    def _day(self, at_us: int) -> str:
        return instant_text(at_us, self.zone)[:10]
