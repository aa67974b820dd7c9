"""Links are genuine or nothing; receipt bits are tested, not compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.links import Links
from services.notify.receipts import receipt_status

LINKS = Links("http://127.0.0.1:8620/", "k" * 32)


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_token_names_one_incident_and_one_person(incident: str, person: str) -> None:
    """What was signed is read back, and asking again gives the same token."""
    if any("\ud800" <= char <= "\udfff" for char in incident + person):
        return
    token = LINKS.token(incident, person)
    assert token == LINKS.token(incident, person)
    assert (incident, person) == LINKS.read(token)


@given(st.text(max_size=60))
def test_any_other_text_is_no_token(text: str) -> None:
    """Nothing raises and nothing passes."""
    assert LINKS.read(text) is None


def test_every_single_change_of_a_token_is_noticed() -> None:
    """Not one character may differ, not even to another spelling of the same bytes."""
    token = LINKS.token("inc-1", "li")
    for index in range(len(token)):
        for other in "Aa0-_.=":
            changed = token[:index] + other + token[index + 1 :]
            assert changed == token or LINKS.read(changed) is None
    assert LINKS.read(token + "=") is None
    assert LINKS.read(token + " ") is None


def test_another_secret_signs_another_token() -> None:
    """A site cannot open another site's links."""
    assert LINKS.read(Links("http://x", "j" * 32).token("inc-1", "li")) is None


def test_the_address_has_one_slash_and_at_least_128_bits() -> None:
    """A base_url with or without a slash at the end gives the same address."""
    address = LINKS.address("inc-1", "li")
    assert address.startswith("http://127.0.0.1:8620/a/")
    assert len(address.rsplit(".", 1)[1]) * 4 >= 128


@pytest.mark.parametrize(
    ("bits", "status"),
    [(1, "delivered"), (2, "failed"), (34, "failed"), (33, "failed"), (32, "failed"), (16, "refused"),
     (17, "refused"), (18, "refused"), (4, "under_way"), (8, "under_way"), (12, "under_way"), (0, "under_way"),
     (9, "delivered"), (3, "failed")],
)  # fmt: skip
def test_receipt_bits(bits: int, status: str) -> None:
    """Refused before failed before delivered; the rest is under way."""
    assert status == receipt_status(bits)
