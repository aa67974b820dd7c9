"""A small random site: three facilities, four people, policies with every feature."""

from datetime import date, time
from random import Random

from shared.model.configuration import Access, Configuration, Indicator, Site, Timing
from shared.model.facility import Facility, Station, Territory
from shared.model.instants import Instant
from shared.model.people import (
    Budget,
    CatchAll,
    Channel,
    Contact,
    Person,
    Policy,
    PolicyMatch,
    Repeat,
    Roster,
    Rotation,
    Step,
    Target,
)
from shared.model.rule import Applies, Basis, Comparison, Level, Missing, Rule, Threshold
from shared.model.severity import Severity

MINUTE = 60_000_000
START = 1_770_000_000_000_000
ADDRESS = "1390000000{}"
SILENT_AFTER = 10 * MINUTE


def build(random: Random) -> Configuration:
    """Every draw comes from `random`, so a seed is a site."""
    territories = {
        "000000": Territory("000000", "全国", None),
        "420000": Territory("420000", "湖北省", "000000"),
        "420100": Territory("420100", "武汉市", "420000"),
    }
    facilities = {
        f"f{i}": Facility(f"f{i}", f"设施{i}", f"设施{i}", "420100", "hospital_wastewater")
        for i in range(3)
    }
    people = {
        f"p{i}": Person(
            f"p{i}", f"人员{i}", "", "420100" if i < 2 else "420000",
            (
                Contact(f"p{i}-sms", "sms", ADDRESS.format(i)),
                Contact(f"p{i}-mail", "mail", f"p{i}@example.org"),
            ),
        )
        for i in range(4)
    }  # fmt: skip
    rosters = {
        "420100": Roster(
            "w", "420100",
            rotations={"duty": Rotation(("p0", "p1"), 3_600_000_000, time(8), date(2026, 1, 1))},
        ),
        "420000": Roster("h", "420000", fixed={"duty": ("p2",), "leader": ("p2", "p3")}),
    }  # fmt: skip
    return Configuration(
        site=Site("示例", "Asia/Shanghai", "zh-CN", "http://127.0.0.1:1", "s" * 40),
        timing=Timing(
            tick_us=1_000_000, deaf_after_us=30_000_000, unknown_hold_us=15_000_000,
            reopen_within_us=random.choice([0, 5, 30]) * MINUTE, min_step_gap_us=1_000_000,
        ),
        territories=territories,
        access=(Access("up", "upstream", "t", ("*",)),),
        facilities=facilities,
        stations={f: Station(f, f) for f in facilities},
        people=people,
        rosters=rosters,
        policies=_policies(random),
        channels={
            "sms": Channel("sms", "kannel", budget=random.choice([None, Budget(6, {Severity.RED: 3})])),
            "mail": Channel("mail", "smtp", mail_from="y@example.org"),
        },
        rules=_rules(random),
        indicators={"cod": Indicator("cod", "化学需氧量", "mg/L")},
    )  # fmt: skip


def _policies(random: Random) -> tuple[Policy, ...]:
    repeat = random.choice([None, Repeat(MINUTE, 2)])
    steps = (
        Step((Target(role="duty"),), ("sms",), 5 * MINUTE, repeat),
        Step((Target(role="leader"),), random.choice([("sms",), ("sms", "mail")]), 5 * MINUTE),
        Step((Target(role="duty", territory="parent"),), ("mail",), 5 * MINUTE),
    )[: random.randint(1, 3)]
    catch_all = CatchAll((Target(person="p3"),), ("mail",), 30 * MINUTE)
    told = PolicyMatch(severity=(Severity.YELLOW, Severity.ORANGE, Severity.RED))
    return (Policy("main", told, steps, catch_all), Policy("rest", None, ()))


def _rules(random: Random) -> dict[str, Rule]:
    basis = Basis("-", "1", "-", Instant(0))
    levels = tuple(
        Level(severity, Comparison(">", limit, f"> {limit:g}"), Comparison("<", limit - 5, f"< {limit - 5:g}"))
        for severity, limit in ((Severity.BLUE, 50.0), (Severity.YELLOW, 60.0),
                                (Severity.ORANGE, 80.0), (Severity.RED, 100.0))
    )  # fmt: skip
    threshold = Rule(
        id="high", title_zh="超标", title_en="High", action_zh=None, action_en=None,
        applies=Applies(), condition=Threshold("cod", "minute"), levels=levels,
        for_us=random.choice([0, 0, 2]) * MINUTE,
        keep_firing_for_us=random.choice([0, 0, 2]) * MINUTE,
        unknown=random.choice(["hold", "alert"]), basis=basis,
    )  # fmt: skip
    silent = Rule(
        id="silent", title_zh="中断", title_en="Silent", action_zh=None, action_en=None,
        applies=Applies(), condition=Missing("cod", "minute", every_us=SILENT_AFTER),
        levels=(Level(Severity.YELLOW),), for_us=0, keep_firing_for_us=0, unknown="hold",
        basis=basis,
    )  # fmt: skip
    return {"high": threshold, "silent": silent}
