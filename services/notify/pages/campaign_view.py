"""Campaign view: each campaign with what it changes, as its page shows it, and pure."""

from collections.abc import Callable, Iterator

import msgspec

from services.notify.pages.board import limit_text
from services.notify.pages.clockwork import Clockwork
from services.notify.pages.report_blocks import Block, report_blocks
from services.notify.pages.words import words
from services.notify.wording.clauses import clause_words
from shared.model.campaign import state_of
from shared.model.configuration import Configuration, lineage
from shared.model.rule import Campaign, Missing, Rule

_SPANS = (("d", 86_400_000_000), ("h", 3_600_000_000), ("min", 60_000_000))
_ORDER = {"running": 0, "planned": 1, "ended": 2}


class Change(msgspec.Struct, frozen=True):
    rule: str
    now: str
    otherwise: str


class CampaignCard(msgspec.Struct, frozen=True):
    id: str
    title: str
    state: str
    times: str
    places: str
    changes: tuple[Change, ...]
    basis: str
    policies: bool
    """Others are told while it runs."""
    report: tuple[Block, ...]
    """Empty where there is none, or it is not for the reader."""
    waits: bool
    """It is over, and its report is still to come."""


class CampaignView:
    def __init__(
        self, configuration: Configuration, report_of: Callable[[Campaign], str | None] | None
    ) -> None:
        self._c, self._report_of = configuration, report_of
        self._english = configuration.site.language == "en"
        self._t = words(configuration.site.language)

    def cards(self, sees: Callable[[str], bool], clock: Clockwork) -> list[CampaignCard]:
        """Those that reach the reader's territories: what runs, then what comes, then what was."""
        found = [
            self._card(each, sees, clock)
            for each in sorted(self._c.campaigns.values(), key=lambda one: (one.to_us, one.id))
            if self._reaches(each, sees)
        ]
        return sorted(found, key=lambda card: _ORDER[card.state])

    def _reaches(self, campaign: Campaign, sees: Callable[[str], bool]) -> bool:
        own = (code for code in self._c.territories if sees(code))
        return any(set(lineage(c, self._c.territories)) & set(campaign.territories) for c in own)

    def _card(
        self, campaign: Campaign, sees: Callable[[str], bool], clock: Clockwork
    ) -> CampaignCard:
        t, state = self._t, state_of(campaign, clock.now)
        # A report counts in every territory of the campaign: it is for those who see all of them.
        is_his = all(sees(code) for code in campaign.territories)
        report = None
        if state == "ended" and is_his and self._report_of is not None:
            report = self._report_of(campaign)
        names = [self._c.territories[code].name for code in campaign.territories]
        return CampaignCard(
            id=campaign.id,
            title=(campaign.title_en if self._english else campaign.title_zh) or campaign.id,
            state=state,
            times=t["silence_times"].format(
                start=clock.of(campaign.from_us).full[:16], end=clock.of(campaign.to_us).full[:16]
            ),
            places=(", " if self._english else "、").join(names),
            changes=tuple(self._changes(campaign)),
            basis=self._basis(campaign),
            policies=bool(campaign.policies),
            report=tuple(report_blocks(report or "")),
            waits=state == "ended" and is_his and self._report_of is not None and report is None,
        )

    def _changes(self, campaign: Campaign) -> Iterator[Change]:
        for name in campaign.rules:
            base, edition = self._c.rules.get(name), self._c.rules.get(f"{name}@{campaign.id}")
            if base is None or edition is None:
                continue
            title = (base.title_en if self._english else base.title_zh) or base.id
            now, otherwise = self._limits(edition), self._limits(base)
            yield Change(title, now, "" if now == otherwise else otherwise)

    def _limits(self, rule: Rule) -> str:
        """Limits, delay and frequency in few words."""
        t, unit = self._t, getattr(rule.condition, "unit", None)
        unit = t.get(f"unit_{unit}", "" if unit in (None, "1") else unit)
        said = [
            f"{t[level.severity.value]} {limit_text(level.raises.text)} {unit}".rstrip()
            for level in rule.levels
            if level.raises is not None
        ]
        if rule.for_us:
            said.append(t["campaign_for"].format(n=self._span(rule.for_us)))
        if isinstance(rule.condition, Missing) and rule.condition.every_us:
            said.append(t["campaign_every"].format(n=self._span(rule.condition.every_us)))
        return (", " if self._english else "，").join(said)

    def _span(self, us: int) -> str:
        for unit, size in _SPANS:
            if us % size == 0:
                return f"{us // size} {self._t[f'unit_{unit}']}"
        return f"{us / 1e6:g} s"

    def _basis(self, campaign: Campaign) -> str:
        for name in campaign.rules:
            edition = self._c.rules.get(f"{name}@{campaign.id}")
            if edition is not None:
                clause = clause_words(edition.basis.clause, english=self._english)
                return f"{edition.basis.standard} {clause}".strip()
        return ""
