"""Random provinces: who is whose member, what they send, and how late, silent or wrong they are."""

from datetime import date, time
from random import Random
from zoneinfo import ZoneInfo

from shared.config.rollups import nodes_of
from shared.model.configuration import BUNDLE_FORMAT, Bundle
from shared.model.facility import Capacity, Facility, Station, Territory
from shared.model.instants import window_start
from shared.model.report import Activate, Record, Report, Tick
from shared.model.rollup import LEVELS, Rollup, station_of
from shared.model.rule import Applies, Basis, Comparison, Level, Ratio, Rule, Threshold
from shared.model.severity import Severity
from tests.reference.cases import BASE, DAY, INDICATORS, MINUTE

TERRITORIES = (
    Territory("000000", "全国", None),
    Territory("420000", "省", "000000"),
    Territory("420100", "市", "420000"),
    Territory("420106", "区", "420100"),
    Territory("429004", "直管市", "420000"),
    Territory("430000", "邻省", "000000"),
)
COLUMNS = ("mw.disposed_t", "mw.capacity_t", "w01018")


class Province:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.daily = self.random.random() < 0.5
        self.zone = ZoneInfo(self.random.choice(["Asia/Shanghai", "Europe/Berlin"]))
        self.length = DAY if self.daily else 60 * MINUTE
        self.grid = self.length // self.random.choice([4, 8])
        self.members = [
            Facility(
                f"f{n}", f"f{n}", f"f{n}", self.random.choice([t.id for t in TERRITORIES[1:]]),
                "medical_waste",
                capacity=(Capacity(date(2020, 1, 1), 8.0),) * self.random.randint(0, 1),
            )
            for n in range(self.random.randint(1, 6))
        ]  # fmt: skip
        self.silent = {f.id for f in self.members if self.random.random() < 0.15}

    def bundle(self) -> Bundle:
        stations = {f.id: Station(f.id, f.id) for f in self.members}
        columns = self.random.sample(COLUMNS, self.random.randint(1, 3))
        nodes = nodes_of(
            Applies(), self.random.sample(LEVELS, self.random.randint(1, 4)),
            {t.id: t for t in TERRITORIES}, {f.id: f for f in self.members}, stations,
        )  # fmt: skip
        due = self.random.choice([None, time(10), time(0)]) if self.daily else None
        rollup = Rollup(
            "x", "day" if self.daily else "hour",
            {code: self.random.choice(["sum", "mean"]) for code in columns}, due,
            self.random.choice([0, 0, 1, 3]) * self.grid,
            self.random.choice([0.01, 0.5, 0.75, 1.0]), nodes,
        )  # fmt: skip
        rules = [self.rule(f"rule-{n}", columns) for n in range(self.random.randint(1, 3))]
        return Bundle(
            BUNDLE_FORMAT, str(self.zone), self.grid * self.random.choice([1, 3, 1000]),
            TERRITORIES,
            (*self.members, *(Facility(n.territory, "", "", n.territory, "territory") for n in nodes)),
            (*stations.values(), *(Station(station_of(n.territory, "x"), n.territory) for n in nodes)),
            INDICATORS, tuple(rules), (rollup,),
        )  # fmt: skip

    def rule(self, name: str, columns: list[str]) -> Rule:
        condition: Ratio | Threshold
        if len(columns) > 1 and self.random.random() < 0.5:
            condition = Ratio((columns[0],), columns[1], "day" if self.daily else "hour")
            limits = (0.5, 1.0)
        else:
            condition = Threshold(self.random.choice(columns), "day" if self.daily else "hour")
            limits = (5.0, 12.0)
        levels = tuple(
            Level(severity, Comparison(">", limit, f"> {limit}"))
            for severity, limit in zip((Severity.BLUE, Severity.RED), limits, strict=True)
        )
        delays = [0, 0, self.grid, self.length, 5 * self.length // 2]
        kind = "territory" if self.random.random() < 0.8 else "medical_waste"
        return Rule(
            name, name, name, None, None, Applies(kind=kind),  # type: ignore[arg-type]
            condition, levels, self.random.choice(delays), self.random.choice(delays),
            self.random.choice(["hold", "alert"]), Basis("标准", "2020", "1", 0),
        )  # fmt: skip

    def log(self, columns: tuple[str, ...]) -> list[Record]:
        records: list[Record] = [Activate("")]
        now = BASE + self.random.randint(0, 7) * self.grid
        for _ in range(self.random.randint(10, 120)):
            if self.random.random() < 0.4:
                now += (
                    self.random.choice([0, 1, 1, 1, 2, 3, -1, 20 * (self.random.random() < 0.1)])
                    * self.grid
                )
                records.append(Tick(now))
                continue
            member = self.random.choice(self.members)
            if member.id in self.silent:
                continue
            at = now - self.random.choice([0, 1, 1, 1, 2, 3, -3]) * self.length
            shape = columns if self.random.random() < 0.8 else columns[: self.random.randint(1, 3)]
            flags = tuple(self.random.choice("NNNNNNNNSTD") for _ in shape)
            records.append(
                Report(
                    member.id, member.id, "day" if self.daily else "hour",
                    window_start(at, "day" if self.daily else "hour", self.zone), shape,
                    tuple(self.random.choice([0.1, 1.0, 4.0, 7.3, 9.0]) for _ in shape),
                    None if set(flags) == {"N"} else flags, now, "http",
                )
            )  # fmt: skip
        return records


def make_province(seed: int) -> tuple[Bundle, list[Record]]:
    province = Province(seed)
    bundle = province.bundle()
    columns = list(bundle.rollups[0].columns)
    province.random.shuffle(columns)
    return bundle, province.log(tuple(columns))
