"""Tickets, budgets, ledger, attempts, identities and policies."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.notify.core.admit import Withheld, admit, allowed
from services.notify.core.attempt import After, after_retry, after_unknown
from services.notify.core.ledger import GENESIS, Entry, broken, entry
from services.notify.core.notice import first_ways, incident_id, next_way, notice_id
from services.notify.core.policy import policy_for, tells
from services.notify.core.ticket import TICKETS, ticket
from shared.model.instants import Instant
from shared.model.people import Budget, Contact, Person, Policy, PolicyMatch, Step
from shared.model.severity import Severity


def test_there_are_192_tickets_that_no_phone_confuses() -> None:
    """A letter without I and O, a digit from 2 to 9."""
    assert len(set(TICKETS)) == 24 * 8
    assert not {t for t in TICKETS if t[0] in "IO" or t[1] in "01"}


@given(st.text(max_size=20), st.text(max_size=20), st.sets(st.sampled_from(TICKETS), max_size=191))
def test_a_ticket_is_never_one_that_is_taken(incident: str, person: str, taken: set[str]) -> None:
    """Different between that person's open incidents, the same when asked again."""
    given_one = ticket(incident, person, taken)
    assert given_one not in taken
    assert given_one == ticket(incident, person, taken)


def test_the_reserve_is_kept_for_those_above() -> None:
    """10 with orange 2 and red 3: yellow at most 5, orange 7, red 10."""
    budget = Budget(10, {Severity.ORANGE: 2, Severity.RED: 3})
    most = [allowed(budget, severity) for severity in Severity]
    assert most == [5, 5, 7, 10]
    assert admit(budget, Severity.YELLOW, 4) is None
    assert admit(budget, Severity.YELLOW, 5) == Withheld("budget")
    assert admit(None, Severity.BLUE, 10_000) is None


def test_a_gateway_away_is_asked_after_1_2_4_up_to_30_seconds() -> None:
    """And from the third failure another way is tried."""
    tries = [after_retry(n, None, Instant(0)) for n in range(1, 9)]
    assert [each.due_us // 1_000_000 for each in tries if each.due_us] == [
        1,
        2,
        4,
        8,
        16,
        30,
        30,
        30,
    ]
    assert [each.try_next_way for each in tries[:4]] == [False, False, True, True]
    assert after_retry(1, 7_000_000, Instant(0)).due_us == 7_000_000


def test_a_lost_answer_waits_then_is_resent_then_has_failed() -> None:
    """One marked repeat, and a receipt settles it before."""
    assert after_unknown(False, False, 15, Instant(1)) == After("unknown", Instant(16))
    assert after_unknown(False, True, 15, Instant(1)) == After("accepted")
    assert after_unknown(True, False, 15, Instant(1)).state == "failed"


def chain(n: int) -> list[Entry]:
    entries: list[Entry] = []
    for i in range(1, n + 1):
        head = entries[-1].hash if entries else GENESIS
        entries.append(entry(head, "i1", i, Instant(i), "queued", person="li", detail={"数": i}))
    return entries


@given(st.integers(1, 8), st.data())
def test_any_change_of_a_chain_is_found(n: int, data: st.DataObject) -> None:
    """Changed, dropped, swapped or cut off at the end."""
    entries = chain(n)
    head = entries[-1].hash
    assert broken(entries, head, n) is None
    k = data.draw(st.integers(0, n - 1))
    changed = [*entries]
    changed[k] = replace(changed[k], person="zhang")
    assert broken(changed, head, n) is not None
    assert broken(entries[:k] + entries[k + 1 :], head, n) is not None
    assert broken(entries, head, n + 1) is not None


@given(
    st.lists(st.tuples(st.text(max_size=3), st.integers(0, 3), st.text(max_size=3)), unique=True)
)
def test_identities_differ_when_anything_does(parts: list[tuple[str, int, str]]) -> None:
    """And are the same again after a crash."""
    ids = [notice_id("i", "alert", 1, step, 0, person, way) for person, step, way in parts]
    assert len(set(ids)) == len(parts)
    assert incident_id("f", "t") == incident_id("f", "t")


def test_the_ways_are_his_first_contact_by_each_channel_then_the_order_of_the_file() -> None:
    """Used together, then one after the other."""
    contacts = (Contact("m", "mail", "a"), Contact("s1", "sms", "b"), Contact("s2", "sms", "c"))
    person = Person("li", "李", "", "420100", contacts)
    assert first_ways(person, ("sms", "mail")) == [("s1", "sms"), ("m", "mail")]
    assert next_way(person, {"s1"}) == ("m", "mail")
    assert next_way(person, {"s1", "m"}) == ("s2", "sms")
    assert next_way(person, {"s1", "m", "s2"}) is None


def test_the_first_policy_that_matches_wins() -> None:
    """In the order of the file; the last matches everything."""
    step = Step((), (), 0)
    red = Policy("red", PolicyMatch(severity=(Severity.RED,), territory=("420000",)), (step,))
    rest = Policy("rest", None, ())
    for severity, above, expected in (
        (Severity.RED, ["420100", "420000"], "red"),
        (Severity.RED, ["110000"], "rest"),
        (Severity.BLUE, ["420100", "420000"], "rest"),
    ):
        found = policy_for((red, rest), severity, "r", "hospital_wastewater", above.copy)
        assert found is not None
        assert found.id == expected
    assert tells(red)
    assert not tells(rest)
