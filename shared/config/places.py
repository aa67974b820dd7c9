"""Site, territories, facilities and stations: from what the files say to what is watched."""

from zoneinfo import ZoneInfo

from shared.config.assembly import Assembly, Item
from shared.config.nodes import Finding
from shared.config.schema.places import FacilityModel, StationModel
from shared.model.configuration import Indicator, Site, Timing
from shared.model.facility import (
    NATION,
    Capacity,
    CodeMeaning,
    Facility,
    Hj212Access,
    Station,
    Territory,
)
from shared.model.units import UnknownUnit, factor, spelled


def history_keep_us(a: Assembly) -> int | None:
    """How far back history may be amended; None when the site does not say."""
    history = next((model.history for _, model in a.parts["site"]), None)
    return None if history is None else int(history.keep)


def site(a: Assembly) -> tuple[Site, Timing] | None:
    """The site and its timing; None when no site file can be used, which has been said."""
    if not a.parts["site"]:
        return None
    for other, _ in a.parts["site"][1:]:
        a.findings.append(Finding(other.file, 1, "the site is described twice; keep one"))
    document, model = a.parts["site"][0]
    try:
        a.zone = ZoneInfo(model.site.timezone)
    except (KeyError, ValueError, OSError):
        text = f"time zone {model.site.timezone!r} is not known; give one such as Asia/Shanghai"
        a.fail(Item(document, ("site",), model.site), text, "timezone")
    if model.timing.deaf_after < model.timing.tick:
        text = "deaf_after is shorter than tick: every tick is deafness and nothing is missed"
        a.warn(Item(document, ("timing",), model.timing), text, "deaf_after")
    return (
        Site(
            model.site.name,
            model.site.timezone,
            model.site.language,
            model.site.base_url.rstrip("/"),
            model.site.secret_key,
        ),
        Timing(
            model.timing.tick,
            model.timing.deaf_after,
            model.timing.unknown_hold,
            model.timing.reopen_within,
            model.timing.min_step_gap,
        ),
    )


def territories(a: Assembly) -> dict[str, Territory]:
    """Every territory by code; the root 000000 exists also when no file names it."""
    items = a.unique("territory", a.items("territories"))
    built = {NATION: Territory(NATION, "全国", None)}
    for code, item in items.items():
        parent = item.model.parent
        if code == NATION:
            if parent is not None:
                a.fail(item, "000000 is the root and has no parent; delete it", "parent")
            parent = None
        elif parent is None:
            parent = _prefix_parent(code, items)
        elif parent != NATION:
            a.known(item, "territory", parent, items, "parent")
        built[code] = Territory(code, item.model.name, parent)
    for code, item in items.items():
        if _circles(code, built):
            text = f"territory {code!r} stands above itself; correct a parent"
            a.fail(item, text, "parent")
            break  # the others of the circle would say the same
    return built


def _prefix_parent(code: str, known: dict[str, Item]) -> str:
    """420106 -> 420100 -> 420000 -> 000000, skipping divisions that are not configured."""
    if code.isascii() and code.isdigit() and len(code) >= 6:
        for digits in (6, 4, 2):
            candidate = code[:digits].ljust(6, "0")
            if candidate != code and candidate in known:
                return candidate
    return NATION


def _circles(code: str, built: dict[str, Territory]) -> bool:
    current, steps = built.get(code), 0
    while current is not None and current.parent is not None and steps <= len(built):
        if current.parent == code:
            return True
        current, steps = built.get(current.parent), steps + 1
    return False


def facilities(a: Assembly, among: dict[str, Territory]) -> dict[str, Facility]:
    """Every facility by id, its capacities in order of their day."""
    built = {}
    for code, item in a.unique("facility", a.items("facilities")).items():
        model: FacilityModel = item.model
        a.known(item, "territory", model.territory, among, "territory")
        days = [c.from_ for c in model.capacity]
        for place, day in enumerate(days):
            if day in days[:place]:
                text = f"a capacity from {day} stands there already; keep one"
                a.fail(item, text, "capacity", place, "from")
        capacity = [Capacity(c.from_, c.t_per_day) for c in model.capacity]
        built[code] = Facility(
            id=code,
            name=model.name,
            short_name=model.short_name or model.name,
            territory=model.territory,
            kind=model.kind,
            attributes=dict(model.attributes),
            capacity=tuple(sorted(capacity, key=lambda c: c.since)),
            note=model.note,
        )
    return built


def stations(a: Assembly, among: dict[str, Facility]) -> dict[str, Station]:
    """Every station by id. A facility without one listed gets one with its own id."""
    built: dict[str, Station] = {}
    loggers: dict[str, str] = {}
    items = a.unique("station", a.items("facilities", "stations"))
    for code, item in items.items():
        model: StationModel = item.model
        a.known(item, "facility", model.facility, among, "facility")
        if model.hj212 and loggers.setdefault(model.hj212.mn, code) != code:
            other = loggers[model.hj212.mn]
            text = f"mn is that of station {other!r} too; every logger has its own"
            a.fail(item, text, "hj212", "mn")
        built[code] = Station(
            id=code,
            facility=model.facility,
            point=model.point,
            hj212=Hj212Access(**model.hj212.model_dump()) if model.hj212 else None,
            codes=_codes(a, item),
        )
    listed = {station.facility for station in built.values()}
    for facility in among.keys() - listed:
        if facility in built:
            text = f"facility {facility!r} has no station, and one of another has its id; rename it"
            a.fail(items[facility], text, "id")
    return built | {
        facility: Station(id=facility, facility=facility)
        for facility in among
        if facility not in listed and facility not in built
    }


def flags(a: Assembly) -> dict[str, dict[str, str]]:
    """What is meant by the flags of each station that says so, by station."""
    items = a.unique("dictionary of flags", a.items("facilities", "flags"))
    known = {code: dict(item.model.meanings) for code, item in items.items()}
    built = {}
    for item in a.items("facilities", "stations"):
        if item.model.flags is not None:
            a.known(item, "dictionary of flags", item.model.flags, known, "flags")
            built[item.model.id] = known.get(item.model.flags, {})
    named = {item.model.flags for item in a.items("facilities", "stations")}
    for code, item in items.items():
        if code not in named and "stations" not in a.left.lists | a.left.ids.keys():
            text = (
                f"no station names dictionary {code!r}, so it translates nothing; add flags: {code}"
            )
            a.warn(item, text, "id")
    return built


def _codes(a: Assembly, item: Item) -> dict[str, CodeMeaning]:
    """What the HJ 212 codes of a station mean. An indicator that nobody knows is hereby named."""
    built = {}
    for code, meaning in item.model.codes.items():
        known = a.indicators.get(meaning.indicator)
        if known is None:
            if meaning.unit is None:
                text = f"the unit of {meaning.indicator!r} is missing; add unit"
                a.fail(item, text, "codes", code)
                continue
            known = Indicator(meaning.indicator, meaning.indicator, spelled(meaning.unit))
            a.indicators[meaning.indicator] = known
        unit = known.unit if meaning.unit is None else spelled(meaning.unit)
        if not convertible(unit, known.unit):
            text = f"unit {unit!r} of {known.code} cannot become {known.unit!r}; give its kind"
            a.fail(item, text, "codes", code, "unit")
        built[code] = CodeMeaning(meaning.indicator, unit)
    return built


def convertible(from_unit: str, to_unit: str) -> bool:
    try:
        factor(from_unit, to_unit)
    except UnknownUnit:
        return False
    return True
