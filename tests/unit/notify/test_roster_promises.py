"""A role has a holder at every instant, or a reason why not."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.notify.core.responsible import House, responsible, role_holders
from services.notify.core.roster import Holders, Vacant, holders, turns_since
from shared.model.facility import Territory
from shared.model.instants import Instant, from_datetime
from shared.model.people import CatchAll, Override, Person, Roster, Rotation, Target

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
DAY = 86_400_000_000
HOUR = 3_600_000_000


def at(text: str, zone: ZoneInfo = SHANGHAI) -> Instant:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=zone))


def rotation(every: int, *people: str) -> Roster:
    return Roster("r", "420100", {"duty": Rotation(people, every, time(8), date(2026, 1, 1))})


@given(
    st.integers(0, 3 * 365 * 24), st.integers(1, 5), st.sampled_from([1, 8, 12, 24, 48, 168]),
    st.sampled_from([SHANGHAI, BERLIN]),
)  # fmt: skip
def test_every_instant_after_the_first_has_exactly_one_holder(
    hours: int, people: int, every: int, zone: ZoneInfo
) -> None:
    """No gap at a handover, also where clocks change."""
    names = tuple(f"p{n}" for n in range(people))
    roster = rotation(every * HOUR, *names)
    begin = at("2026-01-01T08:00", zone)
    held = holders(roster, "duty", Instant(begin + hours * HOUR), zone)
    assert isinstance(held, Holders)
    assert len(held.people) == 1
    before = holders(roster, "duty", Instant(begin - 1), zone)
    assert isinstance(before, Vacant)


@given(st.integers(0, 800))
def test_whole_days_change_at_the_same_wall_clock_all_year(day: int) -> None:
    """Eight in the morning stays eight in the morning when summer time begins."""
    turn = Rotation(("a", "b"), DAY, time(8), date(2026, 1, 1))
    morning = datetime(2026, 1, 1, 8, tzinfo=BERLIN)
    local = datetime.fromordinal(morning.toordinal() + day).replace(hour=8, tzinfo=BERLIN)
    instant = from_datetime(local)
    assert turns_since(turn, instant, BERLIN) == day
    assert turns_since(turn, Instant(instant - 1), BERLIN) == day - 1


def test_an_override_wins_from_its_first_instant_to_its_last() -> None:
    """From inclusive, to exclusive."""
    roster = Roster(
        "r", "420100", rotation(DAY, "li", "zhang").rotations, {},
        (Override("duty", "zhao", at("2026-02-01T08:00"), at("2026-02-02T08:00")),),
    )  # fmt: skip
    seen = []
    for instant in (-1, 0, DAY - 1, DAY):
        held = holders(roster, "duty", Instant(at("2026-02-01T08:00") + instant), SHANGHAI)
        assert isinstance(held, Holders)
        seen.append(held.people[0])
    assert seen[1:3] == ["zhao", "zhao"]
    assert "zhao" not in (seen[0], seen[3])


def house(**rosters: Roster) -> House:
    return House(
        {
            "000000": Territory("000000", "全国", None),
            "420000": Territory("420000", "湖北省", "000000"),
            "429004": Territory("429004", "仙桃市", "420000"),
        },
        {roster.territory: roster for roster in rosters.values()},
        {name: Person(name, name, "", "420000") for name in ("wu", "chief", "li")},
        SHANGHAI,
    )


NOW = from_datetime(datetime(2026, 3, 1, tzinfo=UTC))


def test_a_role_climbs_until_somebody_holds_it() -> None:
    """A roster without the role is as no roster."""
    province = Roster("hubei", "420000", {}, {"duty": ("wu",)})
    city = Roster("xiantao", "429004", {}, {"leader": ("li",)})
    places = house(province=province, city=city)
    found = role_holders("duty", ["429004", "420000", "000000"], places, NOW)
    assert found is not None
    assert found[0] == "420000"
    told, orphans = responsible(
        (Target(role="leader", territory="parent"), Target(role="duty")), ("sms",), "429004",
        CatchAll((Target(person="chief"),), ("mail",), DAY), places, NOW,
    )  # fmt: skip
    assert [(each.person, each.by) for each in told] == [("wu", ("sms",)), ("chief", ("mail",))]
    assert [each.role for each in orphans] == ["leader"]


def test_a_person_named_twice_is_told_once_by_all_the_ways() -> None:
    """Duty officer and leader in one person get one text."""
    both = Roster("hubei", "420000", {}, {"duty": ("wu",), "leader": ("wu", "li")})
    told, _ = responsible(
        (Target(role="duty"), Target(role="leader")), ("sms", "mail"), "429004",
        None, house(both=both), NOW,
    )  # fmt: skip
    assert [each.person for each in told] == ["wu", "li"]
