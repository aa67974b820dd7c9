"""Whatever comes and goes, an alert that fires is shown or kept aside beside what hides it."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.authoring.telling import Telling
from shared.model.inhibit import Inhibit
from shared.model.instants import Instant, parse_duration
from shared.model.people import Flapping
from shared.model.severity import Severity
from shared.model.transition import Transition
from tests.scenario.house import DEFAULT_POLICY, REST, START, configuration

MINUTE = 60_000_000
RULES = ("cod", "ammonia", "load")
Step = tuple[int, str, Severity, bool]
steps = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from(RULES), st.sampled_from(Severity), st.booleans()),
    max_size=40,
)
hiding = st.lists(
    st.tuples(st.sampled_from(RULES), st.sampled_from(RULES)).filter(lambda p: p[0] != p[1]),
    max_size=3,
)
flapping = st.none() | st.builds(
    Flapping, st.integers(1, 3), st.just(parse_duration("2h")), st.just(parse_duration("30m"))
)


def transition(rule: str, at: int, state: str, severity: Severity) -> Transition:
    return Transition(
        rule, "420100-f1", "420100-f1-a", "w01018", "hour", Instant(at), 1, state,  # type: ignore[arg-type]
        severity, "raised", Instant(at), 70.0, ">= 60", "mg/L", "s", "e", "c",
    )  # fmt: skip


@given(steps, hiding, flapping)
@settings(max_examples=150, deadline=None)
def test_nothing_that_fires_is_lost(
    steps: list[Step], pairs: list[tuple[str, str]], setting: Flapping | None
) -> None:
    """Held against a dictionary of what fires; and in the end all of it is over and said."""
    hides = tuple(
        Inhibit(str(n), frozenset({source}), frozenset({target}))
        for n, (source, target) in enumerate(pairs)
    )
    policy = replace(DEFAULT_POLICY, flapping=setting)
    trial = Telling(configuration(policies=(policy, REST), inhibits=hides), None)
    standing: dict[str, Severity] = {}
    at = int(START)
    ends = [(1, rule, Severity.RED, False) for rule in RULES]
    for minutes, rule, severity, fires in (*steps, *ends):
        at += minutes * MINUTE
        if severity is Severity.BLUE or (not fires and rule not in standing):
            continue
        state = "firing" if fires else "resolved"
        trial.take(at, [transition(rule, at, state, severity)])
        if fires:
            standing[rule] = severity
        else:
            del standing[rule]
        incident = trial._cases["420100-f1"].incident
        shown = {each.rule: each.severity for each in incident.alerts}
        aside = {each.alert.rule: each.alert.severity for each in incident.hidden}
        assert shown | aside == standing
        assert all(each.by in shown for each in incident.hidden)
        assert (incident.state == "resolved") == (not shown and incident.flap is None)
        if shown:
            assert incident.severity == max(shown.values(), key=lambda each: each.rank)
    trial.until(at + 31 * MINUTE)
    if "420100-f1" not in trial._cases:
        return
    assert trial._cases["420100-f1"].incident.state == "resolved"
    told = {(each.person, each.channel) for each in trial.told if each.kind == "alert"}
    freed = {(each.person, each.channel) for each in trial.told if each.kind == "recovery"}
    assert told == freed
