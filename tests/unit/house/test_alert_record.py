"""What stands on the alerts topic is the public object, and nothing of the transition is lost."""

from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.alert import decode_alert, encode_alert
from shared.model.instants import Instant
from shared.model.severity import Severity
from shared.model.transition import Transition, transition_id, transition_object

ZONE = ZoneInfo("Asia/Shanghai")
NAME = st.text(min_size=1, max_size=8)
AT = st.integers(-2_000_000_000_000_000, 4_000_000_000_000_000).map(Instant)
VALUE = st.none() | st.floats(allow_nan=False, allow_infinity=False)
TRANSITIONS = st.builds(
    Transition,
    rule=NAME, facility=NAME, station=NAME, indicator=NAME,
    interval=st.sampled_from(["realtime", "minute", "hour", "day"]), episode_us=AT,
    step=st.integers(1, 99), state=st.sampled_from(["pending", "firing", "resolved", "withdrawn"]),
    severity=st.sampled_from(list(Severity)), cause=st.sampled_from(["raised", "cleared"]),
    at_us=AT, value=VALUE, limit=st.none() | NAME, unit=st.none() | NAME, standard=NAME,
    edition=NAME, clause=NAME, report_id=st.text(max_size=5), received_us=st.none() | AT,
    decided_us=st.none(),
)  # fmt: skip


@given(TRANSITIONS)
def test_a_transition_comes_back_as_it_went(transition: Transition) -> None:
    """Also one of 1907, when Shanghai's offset had seconds."""
    assert decode_alert(encode_alert(transition, ZONE)) == transition


@given(TRANSITIONS)
def test_others_read_the_public_object(transition: Transition) -> None:
    """The object of GET /v1/transitions but for `seq`, with its id."""
    read = msgspec.json.decode(encode_alert(transition, ZONE))
    public = {"id": transition_id(transition, ZONE)} | transition_object(transition, ZONE)
    assert read == read | msgspec.json.decode(msgspec.json.encode(public))


@pytest.mark.parametrize("value", [b"", b"{}", b"\xff", b"[]"])
def test_what_is_no_alert_is_named_as_such(value: bytes) -> None:
    """A stranger's record on the topic is a ValueError, never half a transition."""
    with pytest.raises(ValueError, match=r".+"):
        decode_alert(value)
