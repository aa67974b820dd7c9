"""A campaign's edition joins before the rule it stands for lets go."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.notify.core.handover import in_order
from shared.model.instants import Instant
from shared.model.severity import Severity
from shared.model.transition import Transition

BASE = Transition(
    "load", "f", "f-a", "w01018", "hour", Instant(0), 1, "firing", Severity.BLUE, "raised",
    Instant(0), 70.0, ">= 60", "mg/L", "s", "e", "c",
)  # fmt: skip
BASES = {"load@c": "load", "cod@c": "cod"}
transitions = st.builds(
    lambda rule, state, station, at: replace(
        BASE, rule=rule, state=state, station=station, at_us=Instant(at)
    ),
    st.sampled_from(["load", "load@c", "cod", "cod@c", "other"]),
    st.sampled_from(["pending", "firing", "resolved", "withdrawn"]),
    st.sampled_from(["a", "b"]),
    st.integers(0, 2),
)


@given(st.lists(transitions, max_size=12))
def test_only_editions_move_and_nothing_is_lost(drawn: list[Transition]) -> None:
    items = list(enumerate(drawn, 1))
    ordered = in_order(items, BASES.get)
    assert sorted(ordered, key=lambda item: item[0]) == items
    still = [item for item in ordered if item[1].rule not in BASES]
    assert still == [item for item in items if item[1].rule not in BASES]


def test_the_edition_joins_before_the_rule_lets_go() -> None:
    """Also with transitions of other series between the two."""
    lets_go = (1, replace(BASE, state="withdrawn", cause="withdrawn"))
    other = (2, replace(BASE, rule="other", station="b"))
    joins = (3, replace(BASE, rule="load@c"))
    assert in_order([lets_go, other, joins], BASES.get) == [joins, lets_go, other]
    elsewhere = (3, replace(BASE, rule="load@c", station="b"))
    assert in_order([lets_go, other, elsewhere], BASES.get) == [lets_go, other, elsewhere]


def test_a_site_without_campaigns_keeps_its_order() -> None:
    items = [(1, replace(BASE, state="withdrawn", cause="withdrawn")), (2, BASE)]
    assert in_order(items, {}.get) == items
