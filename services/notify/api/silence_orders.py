"""Silence orders: what somebody asks not to be told of, checked, whichever door it came by."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from services.notify.core.silence import Hid, Silence, silence_id
from shared.access import Principal
from shared.model.configuration import Configuration, lineage
from shared.model.instants import Instant, parse_instant
from shared.model.severity import Severity

LONGEST_REASON = 200
LONGEST_US = 30 * 86_400_000_000
"""A silence of more than a month is a rule to be changed."""
MOST_RULES = 50
"""Named in one silence; more than that is a facility or a territory."""


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    facility: str | None = None
    territory: str | None = None
    rule: tuple[str, ...] = ()


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    match: Match
    reason: str
    until: str
    person: str
    up_to: Severity | None = None
    """The worst severity that is kept quiet; absent: all."""
    from_: str | None = msgspec.field(default=None, name="from")
    """When it begins; absent: now."""


class Wrong(msgspec.Struct, frozen=True):
    """`key` finds the words of the page, `said` is what the API says."""

    key: str
    said: str
    pointer: str
    problem: Literal["bad-field", "bad-time", "not-found"] = "bad-field"
    status: int = 422


class SilenceOrders:
    """An officer silences his own territory and those below, an operator any."""

    def __init__(self, configuration: Configuration) -> None:
        self._c = configuration

    def made(self, principal: Principal, wish: Wish, now: Instant) -> Silence | Wrong:
        """The silence that was asked for, or the first thing that is wrong with it."""
        match = wish.match
        if (match.facility is None) == (match.territory is None):
            return Wrong("silence_no_place", "give either facility or territory", "/match")
        if not self.may(principal, match.facility, match.territory):
            said = "there is no such facility or territory for you"
            return Wrong("silence_no_place", said, "/match", "not-found", 404)
        if wish.person not in self._c.people:
            return unknown_person(wish.person)
        if len(match.rule) > MOST_RULES:
            said = f"at most {MOST_RULES} rules; name the facility or the territory alone"
            return Wrong("silence_no_rule", said, "/match/rule")
        for rule in match.rule:
            if rule not in self._c.rules:
                said = f"rule {rule[:40]!r} does not exist"
                return Wrong("silence_no_rule", said, "/match/rule")
        reason = wish.reason.strip()
        if not 0 < len(reason) <= LONGEST_REASON:
            said = f"say why, in at most {LONGEST_REASON} characters"
            return Wrong("silence_no_reason", said, "/reason")
        times = self._times(wish, now)
        if isinstance(times, Wrong):
            return times
        begin, until = times
        planned = begin if begin > now else None
        id_ = silence_id(
            match.facility, match.territory, match.rule, reason, wish.person, until, wish.up_to,
            planned,
        )  # fmt: skip
        return Silence(
            id_, match.facility, match.territory, match.rule, reason, wish.person, begin, until,
            wish.up_to, planned is not None,
        )  # fmt: skip

    def _times(self, wish: Wish, now: Instant) -> tuple[Instant, Instant] | Wrong:
        """Now, or from when it is planned, until when; all within 30 days from now."""
        begin = now
        if wish.from_ is not None:
            try:
                begin = max(now, parse_instant(wish.from_, self._c.site.zone))
            except ValueError as error:
                return Wrong("silence_no_from", f"from: {error}", "/from", "bad-time")
        try:
            until = parse_instant(wish.until, self._c.site.zone)
        except ValueError as error:
            return Wrong("silence_no_until", f"until: {error}", "/until", "bad-time")
        if not now < until <= now + LONGEST_US:
            said = "until lies in the past, or more than 30 days ahead"
            return Wrong("silence_no_until", said, "/until", "bad-time")
        if begin >= until:
            return Wrong("silence_no_from", "from is not before until", "/from", "bad-time")
        return begin, until

    def knows(self, person: str) -> bool:
        return person in self._c.people

    def may(self, principal: Principal, facility: str | None, territory: str | None) -> bool:
        if facility is not None:
            known = self._c.facilities.get(facility)
            return known is not None and principal.sees(known.territory)
        return territory in self._c.territories and principal.sees(str(territory))

    def seen(self, principal: Principal, silences: Sequence[Silence]) -> list[Silence]:
        """Those in the reader's territory, and those from above that reach into it."""
        above = {
            code for own in principal.visible or () for code in lineage(own, self._c.territories)
        }
        return [
            each
            for each in silences
            if principal.visible is None
            or each.territory in above
            or self.may(principal, each.facility, each.territory)
        ]

    def may_end(self, principal: Principal, silence: Silence) -> bool:
        """An operator ends also what is configured no longer."""
        return principal.visible is None or self.may(principal, silence.facility, silence.territory)

    def his(self, principal: Principal, hid: Sequence[Hid]) -> list[Hid]:
        """Of what a silence hid, the incidents of the reader's territory."""
        known = self._c.facilities
        return [
            each
            for each in hid
            if principal.visible is None
            or (each.facility in known and principal.sees(known[each.facility].territory))
        ]


def unknown_person(person: str) -> Wrong:
    said = f"person {person[:40]!r} is not in people.yaml"
    return Wrong("silence_no_person", said, "/person")
