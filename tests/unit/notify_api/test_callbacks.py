"""What gateways may call, from where, and how their bytes are read."""

from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.api.callbacks import decode_query, is_from
from tests.unit.notify_api.conftest import Go
from tests.unit.notify_api.desk_house import NUMBER, DeskHouse


def asked(house: DeskHouse, go: Go, url: str, **more: Any) -> Any:
    async def ask() -> Any:
        headers = more.pop("headers", {})
        async with house.client(**more) as gateway:
            return await gateway.get(url, headers=headers)

    return go(ask())


def test_a_receipt_is_taken_with_an_empty_answer(desk_house: DeskHouse, go: Go) -> None:
    """200, no body, and the desk knows."""
    answer = asked(desk_house, go, "/gateway/sms/receipt?id=n-7&status=1")
    assert (answer.status_code, answer.content) == (200, b"")
    assert desk_house.desk.receipts == [("sms", "n-7", "delivered")]


@pytest.mark.parametrize(
    "query", ["status=1", "id=&status=1", "id=n-7", "id=n-7&status=", "id=n-7&status=%d",
              "id=n-7&status=1x", "id=n-7&status=１", ""],
)  # fmt: skip
def test_a_receipt_without_id_or_number_is_refused(
    desk_house: DeskHouse, go: Go, query: str
) -> None:
    """400, and nothing changes."""
    assert asked(desk_house, go, f"/gateway/sms/receipt?{query}").status_code == 400
    assert desk_house.desk.receipts == []


def test_only_the_tcp_address_counts(desk_house: DeskHouse, go: Go) -> None:
    """A header that names a friend does not open the door; a network of ours does."""
    url = "/gateway/sms/receipt?id=n-7&status=1"
    forged = {
        "X-Forwarded-For": "127.0.0.1",
        "X-Real-IP": "127.0.0.1",
        "Forwarded": "for=127.0.0.1",
    }
    codes = [
        asked(desk_house, go, url, peer="10.7.3.4").status_code,
        asked(desk_house, go, url, peer="10.8.3.4").status_code,
        asked(desk_house, go, url, peer="10.8.3.4", headers=forged).status_code,
        asked(desk_house, go, url.replace("sms", "mail")).status_code,
        asked(desk_house, go, url.replace("sms", "pigeon")).status_code,
        asked(desk_house, go, "/gateway/sms/reply?from=1&text=1", peer="10.8.3.4").status_code,
        asked(desk_house, go, "/gateway/sms/receipt", peer="10.8.3.4").status_code,
    ]
    assert codes == [200, 403, 403, 403, 404, 403, 403]
    assert len(desk_house.desk.receipts) == 1
    assert desk_house.desk.replies == []


@pytest.mark.parametrize("charset", ["utf-8", "gbk", "gb18030"])
def test_a_reply_is_read_in_the_charset_it_came_in(
    desk_house: DeskHouse, go: Go, charset: str
) -> None:
    """Kannel sends bytes of the configured charset; Chinese ones are recognised."""
    text = quote_from_bytes("收到。Ｔ７".encode(charset), safe="")
    answer = asked(desk_house, go, f"/gateway/sms/reply?from=%2B86{NUMBER}&to=1069&text={text}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert desk_house.desk.replies == [("sms", f"+86{NUMBER}", "1069", "收到。Ｔ７")]


def test_a_plus_is_a_blank_and_a_reply_without_number_is_refused(
    desk_house: DeskHouse, go: Go
) -> None:
    """As forms have it; an empty text is still a reply."""
    assert asked(desk_house, go, f"/gateway/sms/reply?from={NUMBER}&text=1+T7").status_code == 200
    assert asked(desk_house, go, f"/gateway/sms/reply?from={NUMBER}").status_code == 200
    assert asked(desk_house, go, "/gateway/sms/reply?text=1").status_code == 400
    assert [reply[3] for reply in desk_house.desk.replies] == ["1 T7", ""]


def test_no_answer_repeats_a_number(desk_house: DeskHouse, go: Go) -> None:
    """Problems of callbacks say what is wrong without the query."""
    for url in (
        f"/gateway/sms/receipt?status={NUMBER}x&id=n",
        f"/gateway/none/reply?from={NUMBER}",
    ):
        assert NUMBER not in asked(desk_house, go, url).text


@given(st.binary(max_size=200))
def test_no_query_breaks_the_reader(raw: bytes) -> None:
    """Whatever bytes come, they are read as some text."""
    for name, value in decode_query(raw).items():
        assert isinstance(name + value, str)


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=40), max_size=4))
def test_what_was_encoded_is_what_is_read(fields: dict[str, str]) -> None:
    """UTF-8 survives exactly."""
    fields = {k: v for k, v in fields.items() if _sound(k) and _sound(v)}
    raw = "&".join(
        f"{quote_from_bytes(k.encode(), safe='')}={quote_from_bytes(v.encode(), safe='')}"
        for k, v in fields.items()
    )
    assert decode_query(raw.encode()) == (fields or {"": ""})


def _sound(text: str) -> bool:
    return not any(0xD800 <= ord(c) < 0xE000 for c in text)


def test_addresses_are_compared_as_addresses() -> None:
    """IPv4 inside IPv6 is the same machine; names are not addresses."""
    assert is_from("::ffff:127.0.0.1", ("127.0.0.1",))
    assert is_from("fe80::1%eth0", ("fe80::/10",))
    assert not is_from("", ("127.0.0.1",))
    assert not is_from("127.0.0.1", ("localhost", ""))
