"""The evaluator: episodes are found by searching forward in the history (contract §8).

The engine keeps timers and states; this looks for the first record that does something, and
then for the next. It is quadratic and does not care.
"""

from typing import NamedTuple

from shared.model.configuration import Bundle
from shared.model.report import Record, Tick
from shared.model.rule import (
    Composite,
    Group,
    Index,
    Limited,
    Missing,
    Range,
    Ratio,
    Rule,
    Silent,
    number_text,
)
from shared.model.timed import TimeToClear
from shared.model.transition import Transition
from tests.reference.arithmetic import exact, holds, rounded
from tests.reference.composed import composed, depth
from tests.reference.derived import shown_unit
from tests.reference.grouped import shown_group_unit
from tests.reference.history import History, Life
from tests.reference.judged import Judged, judged
from tests.reference.silence import silences

FOREVER = 10**9


class Found(NamedTuple):
    """A transition without its step, and the record that caused it."""

    index: int
    transition: Transition


def evaluate(records: list[Record], bundles: dict[str, Bundle]) -> list[Transition]:
    """Every transition of a log, in the order of the contract (§8.17)."""
    history = History(records, bundles)
    found: list[Found] = []
    lives = history.lives()
    for life in sorted(lives, key=lambda life: depth(life, lives)):
        if isinstance(life.rule.condition, Missing | Silent):
            found += [_silence(history, life, *s) for s in silences(history, life)]
        else:
            if isinstance(life.rule.condition, Composite):
                judgements = composed(history, life, found)
            else:
                judgements = judged(history, life)
            for stretch, over in in_force(history, life, judgements):
                found += Episodes(history, life, stretch, over).all()
    return _numbered(found)


def _numbered(found: list[Found]) -> list[Transition]:
    """Steps from 1 in each episode, then the order of §8.17."""
    steps: dict[tuple[object, ...], int] = {}
    done = []
    for index, t in found:
        key = (*t.alert, t.episode_us)
        steps[key] = steps.get(key, 0) + 1
        fields = {name: getattr(t, name) for name in t.__struct_fields__} | {"step": steps[key]}
        done.append((index, Transition(**fields)))
    done.sort(
        key=lambda pair: (
            pair[0], pair[1].at_us, pair[1].facility, pair[1].station, pair[1].rule,
            pair[1].indicator, pair[1].interval, pair[1].episode_us, pair[1].step,
        )
    )  # fmt: skip
    return [t for _, t in done]


def _silence(
    history: History, life: Life, index: int, episode: int, state: str, cause: str, at: int
) -> Found:
    condition = life.rule.condition
    assert isinstance(condition, Missing | Silent)
    rule = life.rule
    return Found(
        index,
        Transition(
            rule.id, life.facility, life.station, condition.indicator, condition.interval,
            episode, 0, state, rule.levels[0].severity, cause, at, None, None, None,
            rule.basis.standard, rule.basis.edition, rule.basis.clause,
        ),
    )  # fmt: skip


class Stand(NamedTuple):
    """Where the series stands after a judgement."""

    judged: Judged
    level: int
    """-1: below every level."""
    unknown: bool
    """It stands there only for being unknown."""
    clears: bool
    value: float | None
    """Of the newest reading that counted."""


def level_of(rule: Rule, value: float, held: int) -> int:
    """§8.2 as it is written."""
    condition = rule.condition
    if isinstance(condition, Range):
        outside = value < condition.low or value > condition.high
        band = exact(condition.deadband)
        low = rounded(exact(condition.low) + band)
        high = rounded(exact(condition.high) - band)
        clear = low <= value <= high
        return 0 if outside or (held >= 0 and not clear) else -1
    candidates = []
    for number, level in enumerate(rule.levels):
        assert level.raises is not None
        raised = holds(level.raises, value)
        cleared = holds(level.clears, value) if level.clears else not raised
        if raised or (number <= held and not cleared):
            candidates.append(number)
    return max(candidates, default=-1)


def raised_by_more(rule: Rule, value: float) -> int:
    """§8.7: what a lower bound raises by `>`, `>=` or above `high`."""
    condition = rule.condition
    if isinstance(condition, Range):
        return 0 if value > condition.high else -1
    return max(
        (
            number
            for number, level in enumerate(rule.levels)
            if level.raises and level.raises.op in (">", ">=") and holds(level.raises, value)
        ),
        default=-1,
    )


def stands(rule: Rule, judgements: list[Judged]) -> list[Stand]:
    held, unknown, value, found = -1, False, None, []
    for j in judgements:
        clears = False
        if j.quality == "unknown":
            if rule.unknown == "alert" and held < 0:
                unknown, value = True, None
        elif j.quality == "over":
            raised = raised_by_more(rule, j.value)
            if raised >= 0:
                held, unknown, value = max(raised, held), False, j.value
        else:
            held, unknown, value = level_of(rule, j.value, held), False, j.value
            clears = held < 0
        level = 0 if unknown else held
        found.append(Stand(j, level, unknown, clears, value))
    return found


def in_force(
    history: History, life: Life, judgements: list[Judged]
) -> list[tuple[list[Judged], Judged | None]]:
    """The stretches of judgements while the rule is in force, each with the one after it."""
    found: list[tuple[list[Judged], Judged | None]] = []
    stretch: list[Judged] = []
    for j in judgements:
        if history.is_in_force(life, j.at, round(j.index)):
            stretch.append(j)
        elif j.at >= life.rule.basis.valid_from_us and stretch:
            found.append((stretch, j))
            stretch = []
    return [*found, (stretch, None)] if stretch else found


class Episodes:
    """All episodes of one stretch of judgements; `over` is the one that ends it."""

    def __init__(
        self, history: History, life: Life, stretch: list[Judged], over: Judged | None
    ) -> None:
        self.history, self.life, self.rule = history, life, life.rule
        self.stop = FOREVER if life.end is None else life.end
        self.over = over
        self.stands = stands(life.rule, stretch)
        self.found: list[Found] = []
        condition = life.rule.condition
        if isinstance(condition, Ratio):
            self.indicator, self.unit = condition.of[0], condition.unit or "1"
        elif isinstance(condition, Index):
            self.indicator, self.unit = condition.of[0], "1"
        elif isinstance(condition, TimeToClear):
            self.indicator, self.unit = condition.backlog, condition.shown_in
        elif isinstance(condition, Limited):
            self.indicator, self.unit = condition.indicator, "%"
        elif isinstance(condition, Composite):
            self.indicator, self.unit = "rules.firing", "1"
        else:
            bundle = history.bundle(life.begin)
            assert bundle is not None
            self.indicator = condition.indicator
            own = next(i.unit for i in bundle.indicators if i.code == condition.indicator)
            if isinstance(condition, Group):
                self.unit = shown_group_unit(condition, own)
            else:
                self.unit = shown_unit(condition, own)

    def all(self) -> list[Found]:
        place = 0
        while place < len(self.stands):
            place = self.stretch(place) if self.stands[place].level >= 0 else place + 1
        return self.found

    def reaches(self, due: int, after: float) -> float:
        """The first record after `after` that reaches `due`: a tick, or a judgement."""
        hits = [
            i
            for i, r in enumerate(self.history.records)
            if round(after) < i < self.stop and isinstance(r, Tick) and r.at_us >= due
        ][:1]
        judgements = [s.judged for s in self.stands] + ([self.over] if self.over else [])
        hits += [j.index for j in judgements if j.index > after and j.at >= due][:1]
        return min(hits, default=FOREVER)

    def stretch(self, first: int) -> int:
        """One episode from its first reading; returns where to look for the next."""
        begin = self.stands[first]
        start = begin.judged.at
        if self.rule.for_us == 0:
            self.say(start, begin.judged.index, "firing", start, begin, begin.level, begin.value)
            return self.firing(start, first, begin.level)
        self.say(start, begin.judged.index, "pending", start, begin, begin.level, begin.value)
        due = start + self.rule.for_us
        fires = self.reaches(due, begin.judged.index)
        last = first
        for place in range(first + 1, len(self.stands)):
            if self.stands[place].judged.index >= fires:
                break
            if self.stands[place].level < 0:
                return place + 1
            last = place
        if self.over and self.over.index < fires:
            return len(self.stands)
        if fires == FOREVER:
            return len(self.stands)
        now = self.stands[last]
        self.say(start, fires, "firing", due, now, now.level, now.value)
        return self.firing(start, last, now.level)

    def firing(self, start: int, place: int, level: int) -> int:
        """From the judgement `place` on, until it resolves or is withdrawn."""
        place += 1
        while place < len(self.stands):
            here = self.stands[place]
            if here.clears:
                resolves, due, last = self.clearing(place)
                if resolves < FOREVER:
                    value = self.stands[last].value
                    self.say(start, resolves, "resolved", due, here, level, value, "cleared")
                    later = [
                        n
                        for n, s in enumerate(self.stands)
                        if n > last and s.judged.index >= resolves
                    ]
                    return later[0] if later else len(self.stands)
            elif here.level >= 0 and here.level != level:
                cause = "rose" if here.level > level else "fell"
                level = here.level
                self.say(
                    start,
                    here.judged.index,
                    "firing",
                    here.judged.at,
                    here,
                    level,
                    here.value,
                    cause,
                )
            place += 1
        last_stand = self.stands[-1]
        if self.over:
            self.say(
                start, self.over.index, "withdrawn", self.over.at, last_stand, level,
                last_stand.value, "withdrawn",
            )  # fmt: skip
        elif self.life.end is not None:
            at = self.history.log_time(self.life.end, looking_ahead=False)
            self.say(
                start, self.life.end, "withdrawn", at if at is not None else start, last_stand,
                level, last_stand.value, "withdrawn",
            )  # fmt: skip
        return len(self.stands)

    def clearing(self, place: int) -> tuple[float, int, int]:
        """(record that resolves or FOREVER, due, last judgement before it)."""
        here = self.stands[place]
        due = here.judged.at + self.rule.keep_firing_for_us
        if self.rule.keep_firing_for_us == 0:
            return here.judged.index, due, place
        resolves = self.reaches(due, here.judged.index)
        if self.over and self.over.index < resolves:
            return FOREVER, due, place
        # A clearing reading that came before and still runs its timer is the one that counts.
        for earlier in range(place - 1, -1, -1):
            if not self.goes_on(earlier):
                break
            if self.stands[earlier].clears:
                return FOREVER, due, place
        last = place
        for later in range(place + 1, len(self.stands)):
            if self.stands[later].judged.index >= resolves:
                break
            if not self.goes_on(later):
                return FOREVER, due, place
            last = later
        return resolves, due, last

    def goes_on(self, place: int) -> bool:
        """Does a judgement leave a running keep_firing_for alone?"""
        stand = self.stands[place]
        return stand.judged.quality != "unknown" and stand.level < 0

    def say(
        self, start: int, index: float, state: str, at: int, stand: Stand, level: int,
        value: float | None, cause: str | None = None,
    ) -> None:  # fmt: skip
        rule, condition = self.rule, self.rule.condition
        unknown = stand.unknown
        if cause is None:
            cause = "missing" if unknown else "raised"
        if isinstance(condition, Range):
            limit = f"< {number_text(condition.low)} or > {number_text(condition.high)}"
        else:
            raises = rule.levels[level].raises
            assert raises is not None
            limit = raises.text
        self.found.append(
            Found(
                round(index),
                Transition(
                    rule.id, self.life.facility, self.life.station, self.indicator,
                    condition.interval, start, 0, state, rule.levels[level].severity, cause, at,
                    None if unknown else value, None if unknown else limit, self.unit,
                    rule.basis.standard, rule.basis.edition, rule.basis.clause,
                ),
            )
        )  # fmt: skip
