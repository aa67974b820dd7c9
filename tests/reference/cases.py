"""Random cases: a configuration or two, and a log that tries every corner of contract §8.

Times lie on a coarse grid and values near the limits, so that ties, exact due instants and
equal numbers are common rather than rare.
"""

from datetime import date, time
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.model.configuration import BUNDLE_FORMAT, Bundle, Indicator, encode_bundle
from shared.model.facility import Capacity, Facility, Station, Territory
from shared.model.instants import INTERVALS, window_start
from shared.model.report import WITHDRAWN, Activate, Record, Report, Tick
from shared.model.rule import (
    Applies,
    Basis,
    Comparison,
    Level,
    Missing,
    Range,
    Ratio,
    Rule,
    Silent,
    Threshold,
    number_text,
)  # fmt: skip
from shared.model.severity import Severity
from tests.reference.campaign_cases import REGIONS, campaigns_changed, with_campaigns
from tests.reference.derived_cases import DERIVED, derived
from tests.reference.grouped_cases import GROUPED, grouped
from tests.reference.joint_cases import JOINT, joint

MINUTE = 60_000_000
DAY = 86_400_000_000
BASE = 1_582_473_600_000_000
"""2020-02-24T00:00:00+08:00"""
INDICATORS = (
    Indicator("residual_chlorine", "余氯", "mg/L"),
    Indicator("w01018", "化学需氧量", "mg/L"),
    Indicator("a21026", "二氧化硫", "mg/m³"),
    Indicator("a34004", "细颗粒物", "µg/m³"),
    Indicator("mw.disposed_t", "处置量", "t"),
    Indicator("mw.generated_t", "产生量", "t"),
    Indicator("mw.backlog_t", "积压量", "t"),
    Indicator("mw.capacity_t", "处置能力", "t"),
)
UNITS = {
    "mg/L": ("µg/L", "g/L", "ng/L"),
    "mg/m³": ("µg/m³", "ng/m³"),
    "µg/m³": ("mg/m³", "ng/m³"),
    "t": ("kg", "g"),
}
VALUES = (0.0, 1.0, 4.9, 5.0, 5.1, 6.0, 6.5, 6.8, 7.0, 8.0, 9.7, 10.0, 10.3, 12.0, -1.0, 0.1234567)


class Case(NamedTuple):
    bundles: dict[str, Bundle]
    records: list[Record]


class Generator:
    """One case from one seed. `grid` is the step of time: minutes, or hours for daily rules."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.daily = self.random.random() < 0.4
        self.hourly = not self.daily and self.random.random() < 0.2
        """Weeks of hours, long enough for what is usual to be known."""
        self.grid = 3 * 60 * MINUTE if self.daily else 60 * MINUTE if self.hourly else MINUTE
        self.zone = ZoneInfo(self.random.choice(["Asia/Shanghai", "Europe/Berlin", "UTC"]))
        self.deaf_after = self.grid * self.random.choice([1, 2, 3, 1000])
        self.interval = "day" if self.daily else self.random.choice(INTERVALS[:3])
        self.groups = ("composite",) if self.interval == "realtime" else GROUPED
        self.number = 0
        """Of the rule that is made: composites count rules of lower numbers."""
        self.steady = self.random.random() < (0.9 if self.hourly else 0.5)
        """Stations that send the same columns in time order, mostly calm: the quiet path."""
        self.codes = self.random.sample(
            [i.code for i in INDICATORS], 1 if self.hourly else self.random.randint(1, 4)
        )

    def case(self) -> Case:
        facilities, stations = self.places()
        rules = [self.rule(f"rule-{n}") for n in range(self.random.randint(1, 4))]
        rules = with_campaigns(self, rules)
        bundle = self.bundle(facilities, stations, rules)
        name, _ = encode_bundle(bundle)
        bundles, records = {name: bundle}, self.log(name, stations)
        for _ in range(self.random.choice([0, 0, 0, 1, 2])):
            bundle = self.changed(bundle)
            name, _ = encode_bundle(bundle)
            bundles[name] = bundle
            records.insert(self.random.randint(1, len(records)), Activate(name))
        return Case(bundles, records)

    # -- configuration -------------------------------------------------------------------------

    def places(self) -> tuple[list[Facility], list[Station]]:
        facilities, stations = [], []
        for n in range(1 if self.hourly else self.random.randint(1, 2)):
            since = [date(2020, 1, 19), date(2020, 2, 25)][: self.random.randint(0, 2)]
            facilities.append(
                Facility(
                    f"42010{n}-x", f"厂{n}", f"厂{n}", self.random.choice(REGIONS[1:]),
                    self.random.choice(["medical_waste", "hospital_wastewater"]),
                    capacity=tuple(Capacity(d, self.random.choice([5.0, 10.0])) for d in since),
                )
            )  # fmt: skip
            stations += [
                Station(f"42010{n}-x-{s}", f"42010{n}-x", self.random.choice([None, "outfall"]))
                for s in "abc"[: 1 if self.hourly else self.random.randint(1, 3)]
            ]
        return facilities, stations

    def bundle(
        self, facilities: list[Facility], stations: list[Station], rules: list[Rule]
    ) -> Bundle:
        territories = (
            Territory("000000", "全国", None),
            Territory("420000", "省", "000000"),
            Territory("420100", "市", "420000"),
            Territory("420200", "另一市", "420000"),
        )
        return Bundle(
            BUNDLE_FORMAT, str(self.zone), self.deaf_after, territories, tuple(facilities),
            tuple(stations), INDICATORS, tuple(rules),
        )  # fmt: skip

    def changed(self, old: Bundle) -> Bundle:
        """Rules come, go and change; stations go."""
        rules = [rule for rule in old.rules if self.random.random() < 0.7]
        if self.random.random() < 0.5:
            rules = campaigns_changed(self, rules)
        if self.random.random() < 0.5:
            rules.append(self.rule(f"rule-{self.random.randint(5, 6)}"))
        if rules and self.random.random() < 0.3:
            rules[0] = self.rule(rules[0].id)
        unique = {rule.id: rule for rule in rules}
        stations = [s for s in old.stations if len(old.stations) == 1 or self.random.random() < 0.9]
        return self.bundle(list(old.facilities), stations, list(unique.values()))

    def rule(self, name: str) -> Rule:
        self.number = int(name.removeprefix("rule-").partition("@")[0])
        kind = self.random.choice(
            [
                "threshold",
                "threshold",
                "range",
                "ratio",
                "missing",
                "missing",
                "silent",
                *DERIVED,
                *JOINT,
                *self.groups,
            ]
            + 2 * self.hourly * ["deviation", "deviation", "drift"]
        )
        if self.number >= 2 and self.random.random() < 0.15:
            kind = "composite"
        if kind in GROUPED:
            condition, levels = grouped(self, kind)
        elif kind in DERIVED:
            condition, levels = derived(self, kind)
        elif kind in JOINT:
            condition, levels = joint(self, kind)
        else:
            condition, levels = getattr(self, kind)()
        silent = kind in ("missing", "silent")
        delays = [0, 0, 1, 2, 5]
        begin = self.random.choice([0, 0, 0, self.moment()])
        return Rule(
            name, name, name, None, None, self.applies(), condition, levels,
            for_us=0 if silent else self.random.choice(delays) * self.grid,
            keep_firing_for_us=0 if silent else self.random.choice(delays) * self.grid,
            unknown="hold" if silent else self.random.choice(["hold", "hold", "alert"]),
            basis=Basis("标准", "2020", "1", begin, self.random.choice([None, None, self.moment()])),
        )  # fmt: skip

    def applies(self) -> Applies:
        return Applies(
            kind=self.random.choice([None, None, None, "medical_waste"]),
            territory=self.random.choice([None, None, "420000"]),
            facility=self.random.choice([None, None, None, "420100-*", "420101-x"]),
            point=self.random.choice([None, None, None, "outfall"]),
        )

    def own(self, code: str) -> str:
        return next(i.unit for i in INDICATORS if i.code == code)

    def unit(self, code: str) -> str | None:
        own = next(i.unit for i in INDICATORS if i.code == code)
        return self.random.choice([None, None, own, *UNITS[own]])

    def limit(self) -> float:
        return self.random.choice([5.0, 6.0, 6.5, 10.0, 0.1234567])

    def threshold(self) -> tuple[Threshold, tuple[Level, ...]]:
        code = self.random.choice(self.codes)
        unit = self.unit(code)
        scale = {None: 1, "µg/L": 1e3, "µg/m³": 1e3, "g/L": 1e-3, "ng/L": 1e6, "ng/m³": 1e6,
                 "kg": 1e3, "g": 1e6}.get(unit, 1)  # fmt: skip
        return Threshold(code, self.interval, unit), self.levels(scale, self.random.random() < 0.7)

    def levels(self, scale: float, upwards: bool) -> tuple[Level, ...]:
        count = self.random.randint(1, 3)
        limits = sorted(self.random.sample([5.0, 6.0, 7.0, 10.0], count), reverse=not upwards)
        levels = []
        for severity, limit in zip(Severity, limits, strict=False):
            raise_op, clear_op = self.random.choice(
                [(">", "<="), (">=", "<")] if upwards else [("<", ">="), ("<=", ">")]
            )
            off = self.random.choice([0.0, 0.3, 1.0]) * (-1 if upwards else 1)
            clears = self.random.choice([None, self.comparison(clear_op, (limit + off) * scale)])
            levels.append(Level(severity, self.comparison(raise_op, limit * scale), clears))
        return tuple(levels)

    def comparison(self, op: str, limit: float) -> Comparison:
        return Comparison(op, limit, f"{op} {number_text(limit)}")

    def range(self) -> tuple[Range, tuple[Level, ...]]:
        code = self.random.choice(self.codes)
        own = next(i.unit for i in INDICATORS if i.code == code)
        condition = Range(
            code, self.interval, 6.5, 10.0, self.random.choice([0.0, 0.3]),
            self.random.choice([None, own]),
        )  # fmt: skip
        return condition, (Level(Severity.ORANGE),)

    def ratio(self) -> tuple[Ratio, tuple[Level, ...]]:
        of = tuple(
            self.random.sample(
                ["mw.disposed_t", "mw.generated_t", "mw.backlog_t"], self.random.randint(1, 2)
            )
        )
        over = self.random.choice(["mw.capacity_t", "mw.capacity_t", "w01018"])
        percent = self.random.random() < 0.7
        self.codes = list(dict.fromkeys([*self.codes, *of, over]))[-6:]
        condition = Ratio(of, over, self.interval, "%" if percent else None)
        return condition, self.levels(10 if percent else 0.1, self.random.random() < 0.9)

    def missing(self) -> tuple[Missing, tuple[Level, ...]]:
        code = self.random.choice(self.codes)
        grace = self.random.choice([0, 1, 2]) * self.grid
        level = (Level(self.random.choice(list(Severity))),)
        if self.daily and self.random.random() < 0.7:
            due = self.random.choice([time(0), time(10), time(9, 30), time(23, 59)])
            return Missing(code, "day", due=due, grace_us=grace), level
        every = self.random.choice([1, 2, 5]) * self.grid
        return Missing(code, self.interval, every_us=every, grace_us=grace), level

    def silent(self) -> tuple[Silent, tuple[Level, ...]]:
        """Of a whole facility, whatever comes from it."""
        every, grace = (self.random.choice(n) * self.grid for n in ([1, 2, 5], [0, 0, 1, 2]))
        settle = self.random.choice([0, 0, every, every + grace])
        return Silent(every, grace, settle), (Level(self.random.choice(list(Severity))),)

    # -- the log -------------------------------------------------------------------------------

    def moment(self) -> int:
        return BASE + self.random.randint(0, 40) * self.grid

    def log(self, bundle: str, stations: list[Station]) -> list[Record]:
        records: list[Record] = [Activate(bundle)]
        now = BASE + self.random.randint(0, 7) * self.grid
        shape = self.shape()
        most = 350 if self.hourly else 90 if self.steady else 60
        steps = [1] * 40 + [0, 2, 2, 5, -1] if self.hourly else [0, 1, 1, 1, 2, 5, -1]
        for _ in range(self.random.randint(5, most)):
            chance = self.random.random()
            if chance < 0.40:
                now += self.random.choice(steps) * self.grid
                now += 8 * self.grid if self.steady and self.daily else 0
                records.append(Tick(now))
            elif chance < 0.43:
                records.append(Tick(now + self.random.randint(3, 30) * self.grid))
                now = records[-1].at_us
            else:
                if self.random.random() < (0.05 if self.steady else 0.3):
                    shape = self.shape()
                records.append(self.report(now, self.random.choice(stations), shape))
        return records

    def shape(self) -> tuple[str, ...]:
        return tuple(self.random.sample(self.codes, self.random.randint(1, len(self.codes))))

    def report(self, now: int, station: Station, shape: tuple[str, ...]) -> Report:
        late = [0] * 12 + [-1, 3] if self.steady else [0, 0, 0, -1, -2, -8, 1, 3]
        at = now + self.random.choice(late) * self.grid
        interval = self.interval if self.random.random() < 0.95 else "realtime"
        calm = self.random.random() < (0.85 if self.steady else 0.5)
        values = tuple(self.random.choice((0.1, 0.2, 4.0) if calm else VALUES) for _ in shape)
        flags = None
        if self.random.random() < (0.08 if self.steady else 0.35):
            flags = tuple(self.random.choice(["N", "N", "T", "S", "D", "B", "?"]) for _ in shape)
            flags = None if set(flags) == {"N"} else flags
            if flags is not None and self.random.random() < 0.1:
                flags = (WITHDRAWN, *flags[1:])
        return Report(
            station.facility, station.id, interval, window_start(at, interval, self.zone), shape,
            values, flags, now, "http", revision=self.random.choice([None] * 5 + [0, 1, 2]),
        )  # fmt: skip


def make_case(seed: int) -> Case:
    return Generator(seed).case()
