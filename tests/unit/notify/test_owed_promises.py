"""What an incident owes: one thing at a time, never after an answer, never twice."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.notify.core.incident import Incident, acknowledged, opened, shifted, take
from services.notify.core.owed import advance, call, due, owed_at
from shared.model.instants import Instant
from shared.model.people import CatchAll, Policy, Repeat, Step, Target
from shared.model.severity import Severity
from shared.model.transition import Transition

SECOND = 1_000_000
GAP = SECOND
ROLE = (Target(role="duty"),)

repeats = st.none() | st.builds(
    Repeat, st.integers(1, 400).map(lambda s: s * SECOND), st.integers(0, 4)
)
steps = st.builds(
    Step, st.just(ROLE), st.just(("sms",)), st.integers(0, 900).map(lambda s: s * SECOND), repeats
)
catch_alls = st.none() | st.builds(
    CatchAll, st.just(ROLE), st.just(("mail",)), st.integers(1, 3600).map(lambda s: s * SECOND)
)
policies = st.builds(
    Policy, st.just("p"), st.none(), st.lists(steps, max_size=4).map(tuple), catch_alls
).filter(lambda p: bool(p.steps) or p.catch_all is not None)


def firing(
    severity: str = "orange", rule: str = "cod", state: str = "firing", step: int = 1
) -> Transition:
    return Transition(
        rule=rule, facility="f", station="s", indicator="i", interval="hour",
        episode_us=Instant(0), step=step, state=state, severity=Severity(severity),  # type: ignore[arg-type]
        cause="raised", at_us=Instant(0), value=1.0, limit="> 0", unit="t",
        standard="", edition="", clause="",
    )  # fmt: skip


def incident(policy: Policy, now: int = 0) -> Incident:
    return opened(
        "i1", firing(), territory="420100", policies=(policy,), policy=policy, now=Instant(now)
    )


def walk(policy: Policy, pauses: list[int]) -> list[tuple[int, str, int, int]]:
    """(now, what, step, round) of everything done when asked after each pause."""
    state, now, done = incident(policy), 0, []
    for pause in pauses:
        now += pause
        what = owed_at(state, GAP, Instant(now))
        if what is not None:
            state = advance(state, what, Instant(now))
            each = call(state)
            done.append((now, what, each.step, each.round))
    return done


@given(policies, st.lists(st.integers(0, 2000).map(lambda s: s * SECOND), max_size=60))
def test_identities_never_repeat_and_steps_never_go_back(policy: Policy, pauses: list[int]) -> None:
    """(step, round) rises; so a notification is decided once, however often one asks."""
    done = walk(policy, pauses)
    identities = [(step, round_) for _, _, step, round_ in done]
    assert identities == sorted(set(identities))


@given(policies, st.lists(st.integers(0, 2000).map(lambda s: s * SECOND), max_size=60))
def test_two_steps_keep_their_gap(policy: Policy, pauses: list[int]) -> None:
    """Late timers collapse: never two within min_step_gap."""
    at = [now for now, what, _, _ in walk(policy, pauses) if what == "step"]
    assert all(b - a >= GAP for a, b in pairwise(at))


@given(policies)
def test_whoever_asks_in_time_gets_every_step_at_its_time(policy: Policy) -> None:
    """Step k+1 starts at s + wait, its repeats at s + i x every, the catch-all after the last."""
    state, now, begun = incident(policy), 0, {}
    for _ in range(40):
        next_one = due(state, GAP)
        if next_one is None:
            break
        now = max(now, next_one.at_us)
        state = advance(state, next_one.what, Instant(now))
        if next_one.what == "step":
            begun[state.step] = now
        elif state.step <= len(policy.steps):
            step = policy.steps[state.step - 1]
            assert step.repeat is not None
            i = state.rounds - 1
            assert now == begun[state.step] + i * step.repeat.every_us
            assert i <= step.repeat.times
            assert i * step.repeat.every_us < step.wait_us
    for number, step in enumerate(policy.steps, start=1):
        if number + 1 in begun:
            assert begun[number + 1] == max(begun[number] + step.wait_us, begun[number] + GAP)
    assert len(begun) == len(policy.steps) + (policy.catch_all is not None)


@given(policies, st.integers(0, 20), st.integers(0, 10**12))
def test_an_acknowledgement_stops_every_later_page(policy: Policy, asked: int, later: int) -> None:
    """Whenever it comes, nothing is owed after it."""
    state, now = incident(policy), 0
    for _ in range(asked):
        next_one = due(state, GAP)
        if next_one is None:
            break
        now = max(now, next_one.at_us)
        state = advance(state, next_one.what, Instant(now))
    state = acknowledged(state, "li", Instant(now))
    assert due(state, GAP) is None
    assert owed_at(state, GAP, Instant(now + later)) is None


@given(policies, st.integers(-(10**11), 10**11))
def test_a_stepped_clock_moves_what_is_due_and_nothing_else(policy: Policy, by_us: int) -> None:
    """Forward or backward: as long to wait as before."""
    state = advance(incident(policy), "step", Instant(0))
    before, after = due(state, GAP), due(shifted(state, by_us), GAP)
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert after.at_us - before.at_us == by_us


@given(st.lists(st.sampled_from(["blue", "yellow", "orange", "red"]), min_size=1, max_size=12))
def test_every_rise_is_a_new_cause_and_no_fall_is(severities: list[str]) -> None:
    """Tellings are one plus the number of rises."""
    policy = Policy("p", None, (Step(ROLE, ("sms",), SECOND),))
    state = opened(
        "i", firing(severities[0]), territory="", policies=(policy,), policy=policy, now=Instant(0)
    )
    rises, last = 0, Severity(severities[0])
    for n, name in enumerate(severities[1:], start=2):
        state, _ = take(state, firing(name, step=n), policy, Instant(n))
        rises += Severity(name).rank > last.rank
        last = Severity(name)
    assert state.generation == 1 + rises
    assert state.severity == last


def test_a_repeat_missed_for_hours_is_one_repeat() -> None:
    """Whoever was down rings once, not fifty times."""
    policy = Policy("p", None, (), CatchAll(ROLE, ("mail",), 60 * SECOND))
    done = walk(policy, [0, 3_000 * SECOND, 1 * SECOND, 59 * SECOND])
    assert [(step, round_) for _, _, step, round_ in done] == [(1, 0), (1, 50), (1, 51)]


def test_the_incident_is_a_fold_that_forgets_nothing_it_needs() -> None:
    """A state that goes through the file comes back the same."""
    import msgspec

    policy = Policy("p", None, (Step(ROLE, ("sms",), SECOND),))
    state = replace(incident(policy, 5), acknowledged_by="li")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Incident) == state
