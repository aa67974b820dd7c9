"""Flagged: one promise of docs/conditions/flagged.md a test."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from services.rules.core.clock import LogClock
from services.rules.core.flagged import FlaggedOf
from services.rules.core.witness import Said
from shared.model.rule import Rule
from shared.model.timed import Flagged
from tests.unit.rules.conftest import MINUTE, Desk

RuleMaker = Callable[..., Rule]
LONG = Flagged("cod", "realtime", ("M", "C", "F", "D", "B"), "h")


def test_what_mutes_a_limit_starts_a_clock(desk: type[Desk], rule: RuleMaker) -> None:
    long = desk(rule(LONG, yellow=">= 3"))
    for hour, flag in enumerate("NMMDMMN"):
        long.read(hour * 60, 900, flag)
    assert long.heard() == [
        "firing raised yellow @240 3 >= 3",
        "resolved cleared yellow @360 0 >= 3",
    ]


def test_over_range_is_never_muted(desk: type[Desk], rule: RuleMaker) -> None:
    """It ends the clock, and the limit hears it."""
    long = desk(rule(LONG, name="a", yellow=">= 3"), rule(name="b", orange="> 60"))
    for hour, flag in enumerate("MMTMM"):
        long.read(hour * 60, 900, flag)
    assert long.heard() == ["firing raised orange @120 900 > 60"]


def test_a_flag_that_is_not_listed_begins_nothing(desk: type[Desk], rule: RuleMaker) -> None:
    """After a listed one it is time without evidence like any other."""
    long = desk(rule(Flagged("cod", "realtime", ("M",)), yellow=">= 2"))
    for hour, flag in enumerate("DDDDMD?"):
        long.read(hour * 60, 1, flag)
    assert long.heard() == ["firing raised yellow @360 2 >= 2"]


def test_silence_is_not_seen(desk: type[Desk], rule: RuleMaker) -> None:
    long = desk(rule(LONG, yellow=">= 3"))
    long.tick(0)
    long.read(0, 1, "M")
    long.tick(600)
    assert long.heard() == []


@given(st.text("NSTMCFDB?", min_size=1, max_size=30))
def test_it_is_the_time_since_the_newest_evidence(flags: str) -> None:
    derived = FlaggedOf(Flagged("cod", "realtime", ("M", "C", "F", "D", "B"), "min"))
    memory, clock = derived.empty(), LogClock(deaf_after_us=0)
    value: float | None = None
    for minute, flag in enumerate(flags):
        quality = "known" if flag in "NS" else "over" if flag == "T" else "unknown"
        said = Said(minute * MINUTE, quality, 1.0, flag, clock, lambda: None)
        value = derived.witness(memory, said)[0].value
    rest = flags[max(flags.rfind(flag) for flag in "NST") + 1 :].lstrip("?")
    if rest:
        assert value == len(rest) - 1
    else:
        assert value in (0.0, None)
