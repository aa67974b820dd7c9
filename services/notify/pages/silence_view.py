"""Silence view: the silences and the form, as their page shows them, and pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from services.notify.core.silence import Hid, Silence
from services.notify.pages.clockwork import Clockwork, Moment
from services.notify.pages.words import words
from shared.model.configuration import Configuration
from shared.model.severity import Severity

MOST_HID = 50
"""Incidents named under one silence; the rest is counted."""
MOST_PLACES = 5_000
MOST_RULES = 1_000
"""Offered to choose from; about 100 bytes each. What is not offered may be typed by its id."""
MOST_IN_SELECT = 60
"""People; a select of more stands under every silence and is long on a phone: typed then."""
HOURS = (1, 2, 4, 8, 24, 72, 168, 720)
USUAL_HOURS = "4"


class HidLine(msgspec.Struct, frozen=True):
    facility: str
    severity: str
    rules: str
    since: Moment
    now: str


class SilenceCard(msgspec.Struct, frozen=True):
    id: str
    place: str
    rules: str
    tells: str
    """What is told all the same."""
    hides_red: bool
    planned: bool
    times: str
    by: str
    end: str
    """How it ended; empty while it runs."""
    reason: str
    hid: tuple[HidLine, ...]
    hid_count: int
    may_end: bool


class SilenceForm(msgspec.Struct, frozen=True):
    """What was typed, so that a refused form need not be typed again."""

    place: str = ""
    rule: str = ""
    up_to: str = Severity.ORANGE.value
    begin: str = ""
    hours: str = USUAL_HOURS
    until: str = ""
    reason: str = ""
    person: str = ""


class SilenceView:
    def __init__(self, configuration: Configuration) -> None:
        self._c = configuration
        self._english = configuration.site.language == "en"
        self._t: Mapping[str, str] = words(configuration.site.language)

    def card(
        self, silence: Silence, hid: Sequence[Hid], clock: Clockwork, *, may_end: bool
    ) -> SilenceCard:
        t, is_over = self._t, silence.until_us <= clock.now
        worst = silence.up_to
        tells = t["silence_tells_none"]
        if worst not in (None, Severity.RED):
            assert worst is not None
            tells = t["silence_tells_above"].format(severity=t[worst.value])
        end = ""
        if is_over:
            ended_by = t["silence_ended_by"].format(person=self._name(silence.ended_by))
            end = ended_by if silence.ended_by else t["silence_ran_out"]
        return SilenceCard(
            id=silence.id,
            place=self._place(silence),
            rules="、".join(self._rule(each) for each in silence.rules) or t["silence_all_rules"],
            tells=tells,
            hides_red=worst in (None, Severity.RED),
            planned=silence.state_at(clock.now) == "planned",
            times=t["silence_times"].format(
                start=clock.of(silence.from_us).short, end=clock.of(silence.until_us).short
            ),
            by=t["silence_by"].format(person=self._name(silence.person)),
            end=end,
            reason=silence.reason,
            hid=tuple(self._hid(each, clock) for each in hid[:MOST_HID]),
            hid_count=len(hid),
            may_end=may_end and not is_over,
        )

    def _hid(self, hid: Hid, clock: Clockwork) -> HidLine:
        now = self._t[f"hid_{hid.state}"]
        if hid.resolved_us is not None:
            now = now.format(at=clock.of(hid.resolved_us).short)
        return HidLine(
            facility=self._facility(hid.facility),
            severity=hid.severity.value,
            rules="、".join(self._rule(each) for each in hid.rules),
            since=clock.of(hid.since_us),
            now=now,
        )

    def standing(self, silences: Sequence[Silence], clock: Clockwork) -> str:
        """One line for the duty page: how many, until when, and whether red is hidden."""
        running = [each for each in silences if each.from_us <= clock.now < each.until_us]
        if not running:
            return ""
        end = clock.of(min(each.until_us for each in running)).short
        line = self._t["silences_now"].format(n=len(running), end=end)
        red = [each for each in running if each.up_to in (None, Severity.RED)]
        return f"{line} · {self._t['silences_red'].format(n=len(red))}" if red else line

    # the form

    def places(self, sees: Callable[[str], bool]) -> list[str]:
        """Name and id of each place that may be chosen; territories first."""
        found = [
            *(f"{each.name} {code}" for code, each in self._c.territories.items() if sees(code)),
            *(f"{f.name} {f.id}" for f in self._c.facilities.values() if sees(f.territory)),
        ]
        return found[:MOST_PLACES]

    def rules(self) -> list[str]:
        return [f"{self._rule(id_)} {id_}" for id_ in list(self._c.rules)[:MOST_RULES]]

    def people(self, sees: Callable[[str], bool]) -> list[tuple[str, str]]:
        """Those of the reader's territories."""
        return [
            (person.id, f"{person.name} {person.title}".strip())
            for person in self._c.people.values()
            if sees(person.territory)
        ][:MOST_PLACES]

    def hours(self) -> list[tuple[str, str]]:
        t = self._t
        return [
            (
                str(n),
                t["silence_hours"].format(n=n) if n < 72 else t["silence_days"].format(n=n // 24),
            )
            for n in HOURS
        ]

    def levels(self) -> list[tuple[str, str]]:
        t = self._t
        found = [
            (each.value, t["silence_level_to"].format(severity=t[each.value]))
            for each in (Severity.BLUE, Severity.YELLOW, Severity.ORANGE)
        ]
        return [*found, (Severity.RED.value, t["silence_level_red"])]

    def chosen_place(
        self, text: str, sees: Callable[[str], bool]
    ) -> tuple[str | None, str | None] | None:
        """(facility, territory) of what was typed: an id, a name that only one has, or both."""
        facilities = {f.id: (f.name, f.short_name) for f in self._c.facilities.values()
                      if sees(f.territory)}  # fmt: skip
        found = _chosen(text, facilities)
        if found is not None:
            return found, None
        territories = {code: (each.name,) for code, each in self._c.territories.items()
                       if sees(code)}  # fmt: skip
        found = _chosen(text, territories)
        return None if found is None else (None, found)

    def chosen_person(self, text: str) -> str:
        """What was typed stays, to be refused, when it is nobody."""
        return _chosen(text, {p.id: (p.name,) for p in self._c.people.values()}) or text

    def chosen_rule(self, text: str) -> str | None:
        return _chosen(text, {id_: (self._rule(id_),) for id_ in self._c.rules})

    # names

    def _place(self, silence: Silence) -> str:
        if silence.facility is not None:
            return self._facility(silence.facility)
        known = self._c.territories.get(silence.territory or "")
        return known.name if known else str(silence.territory)

    def _facility(self, id_: str) -> str:
        known = self._c.facilities.get(id_)
        return known.name if known else id_

    def _name(self, id_: str) -> str:
        known = self._c.people.get(id_)
        return known.name if known else id_

    def _rule(self, id_: str) -> str:
        known = self._c.rules.get(id_)
        if known is None:
            return id_
        return (known.title_en if self._english else known.title_zh) or id_


def _chosen(text: str, known: Mapping[str, Iterable[str]]) -> str | None:
    text = text.strip()
    last = text.rpartition(" ")[2]
    for id_ in (text, last):
        if id_ in known:
            return id_
    named = [id_ for id_, names in known.items() if text and text in names]
    return named[0] if len(named) == 1 else None
