"""What territories say, from the whole log at once: every slot of every member is looked up.

Then the rules of each territory are judged by the evaluator on what it says, without any ticks.
"""

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

import msgspec

from shared.model.configuration import Bundle
from shared.model.report import Activate, Record, Report, Tick
from shared.model.rollup import Rollup
from shared.model.transition import Transition
from tests.reference.arithmetic import exact, rounded
from tests.reference.evaluator import evaluate
from tests.reference.history import History

EVIDENCE = "NST"


class Said(NamedTuple):
    """A member's word on one slot. `values` None: unknown."""

    values: list[Fraction] | None
    over: list[bool]
    known: int


UNKNOWN = Said(None, [], 0)


def evaluate_rolled(records: list[Record], bundle: Bundle) -> dict[str, list[Transition]]:
    """Transitions by facility; `records` begin with the one activation."""
    bare = msgspec.structs.replace(bundle, rollups=())
    found: dict[str, list[Transition]] = {f.id: [] for f in bundle.facilities}
    for transition in evaluate(records, {"": bare}):
        found[transition.facility].append(transition)
    history = History(records, {"": bare})
    for rollup in bundle.rollups:
        for node in rollup.nodes:
            reports = Rolled(history, bundle, rollup).reports(node.territory)
            for transition in evaluate([Activate(""), *reports], {"": bare}):
                found[transition.facility].append(transition)
    return found


class Rolled:
    def __init__(self, history: History, bundle: Bundle, rollup: Rollup) -> None:
        self.history, self.bundle, self.rollup = history, bundle, rollup
        self.nodes = {node.territory: node for node in rollup.nodes}
        self.zone = history.zone

    def reports(self, territory: str) -> list[Report]:
        how = list(self.rollup.indicators.values())
        found = []
        for slot, said in sorted(self.territory(territory).items()):
            enough = said.known > 0 and Fraction(said.known, self.nodes[territory].leaves) >= exact(
                self.rollup.complete
            )
            values = [
                rounded(total / said.known) if kind == "mean" else float(total)
                for total, kind in zip(said.values or [], how, strict=False)
            ] or [0.0] * len(how)
            flags = ["T" if over else "N" for over in said.over] if enough else ["?"] * len(how)
            found.append(
                Report(
                    territory, f"{territory}-{self.rollup.id}", self.rollup.interval, slot,
                    tuple(self.rollup.indicators), tuple(values), tuple(flags), 0, "",
                )
            )  # fmt: skip
        return found

    def territory(self, code: str) -> dict[int, Said]:
        """A slot is said when every member has spoken of it or of a later one."""
        node = self.nodes[code]
        members = [self.station(name) for name in node.stations]
        members += [self.territory(name) for name in node.territories]
        if not all(members):
            return {}
        slot, last = min(min(m) for m in members), min(max(m) for m in members)
        found = {}
        while slot <= last:
            known = [m[slot] for m in members if slot in m and m[slot].values is not None]
            columns = range(len(self.rollup.indicators)) if known else ()
            found[slot] = Said(
                [exact(rounded(sum((k.values[n] for k in known if k.values), Fraction(0))))
                 for n in columns],
                [any(k.over[n] for k in known) for n in columns],
                sum(k.known for k in known),
            )  # fmt: skip
            if not known:
                found[slot] = UNKNOWN
            slot = self.after(slot)
        return found

    def station(self, name: str) -> dict[int, Said]:
        found: dict[int, Said] = {}
        newest: dict[str, tuple[int, float, str]] = {}
        begun: int | None = None
        """The first slot that counts."""
        for index, record in enumerate(self.history.records):
            now = self.history.log_time(index, looking_ahead=False)
            if isinstance(record, Report) and (record.station, record.interval) == (
                name, self.rollup.interval,
            ):  # fmt: skip
                moved = False
                for n, code in enumerate(record.indicators):
                    if code not in newest or record.observed_us > newest[code][0]:
                        newest[code] = (record.observed_us, record.values[n], record.flag(n))
                        moved = True
                slot = record.observed_us
                said = self.complete(name, newest, slot)
                open_ = begun is not None and slot >= max(
                    [begun, *(self.after(done) for done in found)]
                )
                if moved and said is not None and open_ and now is not None:
                    length = 86_400_000_000 if self.rollup.interval == "day" else 3_600_000_000
                    if slot <= now + 2 * length:
                        found[slot] = said
            if isinstance(record, Tick):
                assert now is not None
                if begun is None:
                    begun = self.slot(now - 4 * 86_400_000_000)
                    while self.due(begun) < now:
                        begun = self.after(begun)
                slot = begun
                while (
                    self.history.becomes_missing(index, self.due(slot), self.rollup.grace_us) < now
                ):
                    if slot > max(found, default=-(1 << 62)):
                        found[slot] = UNKNOWN
                    slot = self.after(slot)
        return found

    def complete(
        self, name: str, newest: dict[str, tuple[int, float, str]], slot: int
    ) -> Said | None:
        values, over = [], []
        for code in self.rollup.indicators:
            at, value, flag = newest.get(code, (None, 0.0, "?"))
            if at != slot:
                tonnes = self.capacity(name, slot) if code == "mw.capacity_t" else None
                if tonnes is None:
                    return None
                value, flag = tonnes, "N"
            if flag not in EVIDENCE:
                return None
            values.append(exact(value))
            over.append(flag == "T")
        return Said(values, over, 1)

    def capacity(self, name: str, slot: int) -> float | None:
        facility = next(s.facility for s in self.bundle.stations if s.id == name)
        day = self.local(slot).date()
        given = next(f.capacity for f in self.bundle.facilities if f.id == facility)
        begun = [c for c in given if c.since <= day]
        return max(begun, key=lambda c: c.since).t_per_day if begun else None

    # -- slots, by the calendar ----------------------------------------------------------------

    def local(self, at: int) -> datetime:
        return datetime.fromtimestamp(at / 1e6, self.zone)

    def midnight(self, day: date, hour: int = 0, minute: int = 0) -> int:
        moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
        return round(moment.timestamp()) * 1_000_000

    def slot(self, at: int) -> int:
        if self.rollup.interval == "day":
            return self.midnight(self.local(at).date())
        return at - at % 3_600_000_000

    def after(self, slot: int) -> int:
        if self.rollup.interval == "day":
            return self.midnight(self.local(slot).date() + timedelta(days=1))
        return slot + 3_600_000_000

    def due(self, slot: int) -> int:
        at = self.rollup.due
        if at is None:
            return self.after(slot)
        return self.midnight(self.local(slot).date() + timedelta(days=1), at.hour, at.minute)
