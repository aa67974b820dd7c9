"""From validated files to one `Configuration`: ids are unique, references resolve, rules make sense."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from shared.config import lint, rules
from shared.config.nodes import Document, Finding, KeyPath
from shared.config.schema import AccessModel, FacilityModel, PackFile, StationModel
from shared.model.configuration import Access, Configuration, Indicator, Site, Timing
from shared.model.facility import (
    NATION,
    Capacity,
    CodeMeaning,
    Facility,
    Hj212Access,
    Station,
    Territory,
)
from shared.model.instants import Instant, parse_instant
from shared.model.people import (
    Budget,
    CatchAll,
    Channel,
    Contact,
    Override,
    Person,
    Policy,
    PolicyMatch,
    Repeat,
    Roster,
    Rotation,
    Step,
    Target,
)

Parts = dict[str, list[tuple[Document, Any]]]
Packs = dict[str, tuple[Document, PackFile]]


class Item:
    """One item of a list, with where it stands."""

    def __init__(self, document: Document, path: KeyPath, model: Any) -> None:
        self.document, self.path, self.model = document, path, model

    def finding(self, text: str, *keys: str | int, warning: bool = False) -> Finding:
        line = self.document.line((*self.path, *keys))
        return Finding(self.document.file, line, text, warning)


class Assembly:
    """Collects findings while it builds; nothing is raised."""

    def __init__(self, parts: Parts, packs: Packs, shipped: dict[str, Indicator]) -> None:
        self.parts, self.packs = parts, packs
        self.indicators = dict(shipped)
        self.findings: list[Finding] = []
        self.zone = ZoneInfo("Asia/Shanghai")

    def items(self, name: str, key: str | None = None) -> Iterable[Item]:
        key = key or name
        for document, model in self.parts[name]:
            for index, entry in enumerate(getattr(model, key)):
                yield Item(document, (key, index), entry)

    def unique(self, what: str, items: Iterable[Item]) -> dict[str, Item]:
        kept: dict[str, Item] = {}
        for item in items:
            if item.model.id in kept:
                self.fail(item, f"{what} {item.model.id!r} exists already; give another id", "id")
            else:
                kept[item.model.id] = item
        return kept

    def fail(self, item: Item, text: str, *keys: str | int) -> None:
        self.findings.append(item.finding(text, *keys))

    # -- the parts ---------------------------------------------------------------------------

    def site(self) -> tuple[Site, Timing]:
        document, model = self.parts["site"][0]
        site = Item(document, ("site",), model.site)
        for other, _ in self.parts["site"][1:]:
            self.findings.append(Finding(other.file, 1, "the site is described twice; keep one"))
        try:
            self.zone = ZoneInfo(model.site.timezone)
        except (KeyError, ValueError, OSError):
            self.fail(
                site,
                f"time zone {model.site.timezone!r} is not known; "
                "give a name such as Asia/Shanghai",
                "timezone",
            )
        timing = model.timing
        if timing.tick <= 0:
            self.findings.append(
                Finding(document.file, document.line(("timing", "tick")), "tick: must be above 0")
            )
        return (
            Site(
                model.site.name,
                model.site.timezone,
                model.site.language,
                model.site.base_url.rstrip("/"),
                model.site.secret_key,
            ),
            Timing(
                max(timing.tick, 1),
                timing.deaf_after,
                timing.unknown_hold,
                timing.reopen_within,
                timing.min_step_gap,
            ),
        )

    def territories(self) -> dict[str, Territory]:
        items = self.unique("territory", self.items("territories"))
        codes = set(items) | {NATION}
        built = {NATION: Territory(NATION, "全国", None)}
        for code, item in items.items():
            parent = item.model.parent
            if code == NATION:
                parent = None
            elif parent is None:
                parent = _prefix_parent(code, codes)
            elif parent not in codes:
                self.fail(
                    item, f"parent {parent!r} is not a territory; add it or correct it", "parent"
                )
                continue
            built[code] = Territory(code, item.model.name, parent)
        for code, item in items.items():
            walk, current = {code}, built.get(code)
            while current and current.parent:
                if current.parent in walk:
                    self.fail(item, f"territory {code} is above itself; correct a parent", "parent")
                    return {NATION: built[NATION]}
                walk.add(current.parent)
                current = built.get(current.parent)
        return built

    def facilities(self, territories: dict[str, Territory]) -> dict[str, Facility]:
        built = {}
        for code, item in self.unique("facility", self.items("facilities")).items():
            model: FacilityModel = item.model
            self.known(item, "territory", model.territory, territories, "territory")
            days = [c.from_ for c in model.capacity]
            if len(set(days)) != len(days):
                self.fail(item, "two capacities start on one day; keep one", "capacity")
            capacity = sorted(
                (Capacity(c.from_, c.t_per_day) for c in model.capacity), key=lambda c: c.since
            )
            built[code] = Facility(
                id=code,
                name=model.name,
                short_name=model.short_name or model.name,
                territory=model.territory,
                kind=model.kind,
                attributes=dict(model.attributes),
                capacity=tuple(capacity),
                note=model.note,
            )
        return built

    def stations(self, facilities: dict[str, Facility]) -> dict[str, Station]:
        built: dict[str, Station] = {}
        numbers: dict[str, str] = {}
        for code, item in self.unique("station", self.items("facilities", "stations")).items():
            model: StationModel = item.model
            self.known(item, "facility", model.facility, facilities, "facility")
            if model.hj212:
                if model.hj212.mn in numbers:
                    self.fail(
                        item,
                        f"MN {model.hj212.mn!r} is that of station "
                        f"{numbers[model.hj212.mn]!r} too; every logger has its own",
                        "hj212",
                        "mn",
                    )
                numbers[model.hj212.mn] = code
            built[code] = Station(
                id=code,
                facility=model.facility,
                point=model.point,
                hj212=Hj212Access(**model.hj212.model_dump()) if model.hj212 else None,
                codes={k: CodeMeaning(v.indicator, v.unit) for k, v in model.codes.items()},
            )
            self.code_units(item, model)
        listed = {station.facility for station in built.values()}
        for facility in facilities:
            if facility not in listed:
                if facility in built:
                    self.findings.append(
                        Finding(
                            "facilities.yaml",
                            1,
                            f"station {facility!r} of another facility has "
                            f"the id of facility {facility!r}; rename it",
                        )
                    )
                built[facility] = Station(id=facility, facility=facility)
        return built

    def code_units(self, item: Item, model: StationModel) -> None:
        for code, meaning in model.codes.items():
            known = self.indicators.get(meaning.indicator)
            if known is None:
                self.indicators[meaning.indicator] = Indicator(
                    meaning.indicator, meaning.indicator, rules.spelled(meaning.unit)
                )
            elif not rules.convertible(meaning.unit, known.unit):
                self.fail(
                    item,
                    f"unit {meaning.unit!r} of {meaning.indicator} cannot be converted "
                    f"to {known.unit!r}; give one of the same kind",
                    "codes",
                    code,
                    "unit",
                )

    def access(self, territories: dict[str, Territory]) -> tuple[Access, ...]:
        built = []
        tokens: set[str] = set()
        for code, item in self.unique("access", self.items("access")).items():
            model: AccessModel = item.model
            if model.kind == "upstream" and not model.facilities:
                self.fail(
                    item, "an upstream needs facilities: a list of ids or patterns", "facilities"
                )
            if model.kind == "officer":
                if model.territory is None:
                    self.fail(item, "an officer needs a territory", "territory")
                else:
                    self.known(item, "territory", model.territory, territories, "territory")
            if model.token in tokens:
                self.fail(item, "two entries have the same token; make another", "token")
            tokens.add(model.token)
            built.append(
                Access(
                    code, model.kind, model.token, tuple(model.facilities or ()), model.territory
                )
            )
        return tuple(built)

    def channels(self) -> dict[str, Channel]:
        built = {}
        for code, item in self.unique("channel", self.items("channels")).items():
            fields = item.model.model_dump(exclude={"budget", "timeout", "from_"})
            for address in fields.get("callbacks_from", []):
                if not rules.is_network(address):
                    self.fail(
                        item, f"callbacks_from: {address!r} is not an IP address", "callbacks_from"
                    )
            budget = item.model.budget
            built[code] = msgspec.convert(
                fields
                | {
                    "timeout_us": getattr(item.model, "timeout", 5_000_000),
                    "mail_from": getattr(item.model, "from_", ""),
                    "budget": Budget(budget.per_day, dict(budget.reserve)) if budget else None,
                },
                Channel,
            )
            if budget and sum(budget.reserve.values()) > budget.per_day:
                self.fail(
                    item,
                    "the reserves together are more than per_day; lower them",
                    "budget",
                    "reserve",
                )
        return built

    def people(
        self, territories: dict[str, Territory], channels: dict[str, Channel]
    ) -> dict[str, Person]:
        built = {}
        contacts: dict[str, str] = {}
        for code, item in self.unique("person", self.items("people")).items():
            self.known(item, "territory", item.model.territory, territories, "territory")
            for index, contact in enumerate(item.model.contacts):
                if contact.channel not in channels:
                    self.fail(
                        item,
                        f"channel {contact.channel!r} does not exist; add it to channels.yaml",
                        "contacts",
                        index,
                        "channel",
                    )
                if contact.id in contacts:
                    self.fail(
                        item, f"contact {contact.id!r} exists already", "contacts", index, "id"
                    )
                contacts[contact.id] = code
            built[code] = Person(
                code,
                item.model.name,
                item.model.title,
                item.model.territory,
                tuple(Contact(c.id, c.channel, c.address) for c in item.model.contacts),
            )
        return built

    def rosters(
        self, territories: dict[str, Territory], people: dict[str, Person]
    ) -> dict[str, Roster]:
        built: dict[str, Roster] = {}
        for code, item in self.unique("roster", self.items("rosters")).items():
            model = item.model
            self.known(item, "territory", model.territory, territories, "territory")
            if model.territory in built:
                self.fail(
                    item,
                    f"territory {model.territory} has a roster already; join them",
                    "territory",
                )
            rotations, fixed = {}, {}
            for role, held in model.roles.items():
                names = held.people if held.people is not None else held.rotation.people
                for name in names:
                    self.known(item, "person", name, people, "roles", role)
                if held.rotation:
                    r = held.rotation
                    rotations[role] = Rotation(tuple(r.people), r.every, r.handover, r.first)
                else:
                    fixed[role] = tuple(held.people)
            overrides = []
            for index, override in enumerate(model.overrides):
                self.known(item, "person", override.person, people, "overrides", index, "person")
                span = [
                    self.moment(item, getattr(override, field), "overrides", index, key)
                    for field, key in (("from_", "from"), ("to", "to"))
                ]
                if span[0] >= span[1]:
                    self.fail(
                        item,
                        "an override ends before it begins; swap from and to",
                        "overrides",
                        index,
                    )
                overrides.append(Override(override.role, override.person, span[0], span[1]))
            built[model.territory] = Roster(
                code, model.territory, rotations, fixed, tuple(overrides)
            )
        return built

    def policies(
        self,
        territories: dict[str, Territory],
        people: dict[str, Person],
        channels: dict[str, Channel],
        rule_ids: set[str],
    ) -> tuple[Policy, ...]:
        items = list(self.unique("policy", self.items("policies")).values())
        built = []
        for number, item in enumerate(items):
            model, last = item.model, number == len(items) - 1
            if last and model.match is not None:
                self.fail(
                    item,
                    "the last policy has no match, so that every alert finds one; "
                    "add one with only id and steps",
                    "match",
                )
            if not last and model.match is None:
                self.fail(
                    item,
                    "only the last policy may be without match; the ones below it "
                    "would never be reached",
                    "id",
                )
            steps = []
            for index, step in enumerate(model.steps):
                self.targets(item, step, territories, people, channels, "steps", index)
                repeat = Repeat(step.repeat.every, step.repeat.times) if step.repeat else None
                steps.append(Step(_targets(step), tuple(step.by), step.wait, repeat))
            catch_all = None
            if model.catch_all:
                self.targets(item, model.catch_all, territories, people, channels, "catch_all")
                catch_all = CatchAll(
                    _targets(model.catch_all), tuple(model.catch_all.by), model.catch_all.every
                )
            match = None
            if model.match is not None:
                for code in model.match.territory:
                    self.known(item, "territory", code, territories, "match", "territory")
                for code in model.match.rule:
                    self.known(item, "rule", code, rule_ids, "match", "rule")
                match = PolicyMatch(
                    tuple(model.match.severity),
                    tuple(model.match.kind),
                    tuple(model.match.territory),
                    tuple(model.match.rule),
                )
            built.append(Policy(model.id, match, tuple(steps), catch_all, model.sign_off))
        return tuple(built)

    def targets(
        self,
        item: Item,
        step: Any,
        territories: dict[str, Territory],
        people: dict[str, Person],
        channels: dict[str, Channel],
        *keys: str | int,
    ) -> None:
        for channel in step.by:
            self.known(item, "channel", channel, channels, *keys, "by")
        for index, target in enumerate(step.notify):
            if target.person:
                self.known(item, "person", target.person, people, *keys, "notify", index)
            if target.territory and target.territory != "parent":
                self.known(item, "territory", target.territory, territories, *keys, "notify", index)

    def known(self, item: Item, what: str, name: str, among: Any, *keys: str | int) -> None:
        if name not in among:
            self.fail(item, f"{what} {name!r} does not exist; add it or correct it", *keys)

    def moment(self, item: Item, text: str, *keys: str | int) -> Instant:
        try:
            return parse_instant(text, self.zone)
        except ValueError as error:
            self.fail(item, str(error), *keys)
            return Instant(0)


def assemble(
    parts: Parts, packs: Packs, shipped: dict[str, Indicator]
) -> tuple[Configuration | None, list[Finding]]:
    """Build the configuration; findings hold errors and, where there are none, warnings."""
    a = Assembly(parts, packs, shipped)
    site, timing = a.site()
    territories = a.territories()
    facilities = a.facilities(territories)
    rules.switch_packs_on(a)
    stations = a.stations(facilities)
    built_rules = rules.build(a, territories)
    channels = a.channels()
    people = a.people(territories, channels)
    rosters = a.rosters(territories, people)
    policies = a.policies(territories, people, channels, set(built_rules))
    access = a.access(territories)
    if a.findings:
        return None, a.findings
    configuration = Configuration(
        site,
        timing,
        territories,
        access,
        facilities,
        stations,
        people,
        rosters,
        policies,
        channels,
        built_rules,
        a.indicators,
    )
    return configuration, lint.lint(configuration)


def _prefix_parent(code: str, codes: set[str]) -> str | None:
    """420106 -> 420100 -> 420000 -> 000000, skipping divisions that are not configured."""
    for keep in (4, 2):
        candidate = code[:keep] + "0" * (len(code) - keep)
        if candidate != code and candidate in codes:
            return candidate
    return NATION


def _targets(step: Any) -> tuple[Target, ...]:
    return tuple(Target(t.role, t.person, t.territory) for t in step.notify)
