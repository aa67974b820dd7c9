"""Outside: why a rule does not look at a series at all."""

from fnmatch import fnmatchcase

from services.rules.core.book import Book, Judging
from services.rules.core.silent import SilentOf
from services.rules.core.verdict import Verdict, verdict
from shared.model.beside import Beside
from shared.model.facility import Facility, Station
from shared.model.rule import Joint


def outside(
    book: Book, judging: Judging, station: str, indicator: str, interval: str
) -> Verdict | None:
    """The first thing that keeps a rule away from a series; None when it looks."""
    known = book.stations.get(station)
    facility = book.facilities.get(known.facility) if known is not None else None
    if judging.group is not None and _is_at_home(book, judging, station):
        if (indicator, interval) == (judging.indicator, judging.interval):
            return None
        if known is None or not judging.group.indicators:
            return _other_series(judging)
    if known is None or facility is None:
        return verdict(
            judging, "station", f"当时的配置里没有站点 {station}",
            f"station {station} was not in the configuration of then",
        )  # fmt: skip
    if isinstance(judging.group, SilentOf):
        return _selected(book, judging, facility, known)  # any series is a sign of life
    condition = judging.rule.condition
    looked = {judging.indicator}
    if isinstance(condition, Joint):
        looked = {*condition.parts}
    if judging.group is not None:
        looked = set(judging.group.indicators) or {judging.indicator}
    if indicator not in looked:
        names = ", ".join(sorted(looked))
        return verdict(judging, "indicator", f"看的是 {names}", f"it looks at {names}")
    if interval != judging.interval:
        own = judging.interval
        return verdict(judging, "interval", f"看的是 {own} 值", f"it looks at {own} readings")
    return _selected(book, judging, facility, known)


def _is_at_home(book: Book, judging: Judging, station: str) -> bool:
    """It judges the facility of that id; its series has the facility as its station."""
    return any(own.rule.id == judging.rule.id for own in book.grouped(station))


def _other_series(judging: Judging) -> Verdict:
    own = f"{judging.indicator} ({judging.interval})"
    return verdict(judging, "indicator", f"看的是 {own}", f"it looks at {own}")


def _selected(book: Book, judging: Judging, facility: Facility, station: Station) -> Verdict | None:
    applies = judging.rule.applies
    if any(own.rule.id == judging.rule.id for own in book.rules_of(station.id)):
        return None
    if applies.kind not in (None, facility.kind):
        return verdict(
            judging, "kind", f"只用于 {applies.kind}，本设施是 {facility.kind}",
            f"for {applies.kind}; this facility is {facility.kind}",
        )  # fmt: skip
    if applies.point not in (None, station.point):
        return verdict(
            judging, "point", f"只用于点位 {applies.point}，本站点是 {station.point or '未设'}",
            f"for point {applies.point}; this station is {station.point or 'none'}",
        )  # fmt: skip
    condition = judging.rule.condition
    if isinstance(condition, Beside) and len(book.stations_of(facility.id)) <= condition.least:
        return verdict(
            judging, "neighbours", "本设施站点太少，没有足够的邻站可比",
            "this facility has too few stations to compare with",
        )  # fmt: skip
    for key, wanted in applies.attributes.items():
        own = facility.attributes.get(key)
        if own != wanted:
            return verdict(
                judging, "attributes", f"只用于 {key}={wanted}，本设施是 {own or '未设'}",
                f"for {key}={wanted}; this facility has {own or 'none'}",
            )  # fmt: skip
    if applies.facility is not None and not fnmatchcase(facility.id, applies.facility):
        return verdict(
            judging,
            "facility",
            f"只用于设施 {applies.facility}",
            f"for facilities {applies.facility}",
        )
    if applies.territory is not None and applies.territory not in book.above(facility.territory):
        return verdict(
            judging, "territory",
            f"只用于地区 {applies.territory} 及以下，本设施在 {facility.territory}",
            f"for territory {applies.territory} and below; this facility is in {facility.territory}",
        )  # fmt: skip
    within = ", ".join(applies.within)
    return verdict(
        judging, "territory", f"专项行动只在 {within or '别处'} 及以下，本设施在 {facility.territory}",
        f"its campaign runs in {within or 'other places'} only; this facility is in "
        f"{facility.territory}",
    )  # fmt: skip
