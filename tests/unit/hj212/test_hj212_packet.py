"""Packets: order, case, separators, free text and encodings as the field has them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.hj212.packet import nested, parse_packet, redacted

names = st.from_regex(r"[a-z][0-9]{5}-(Rtd|Avg|Flag)", fullmatch=True)
values = st.from_regex(r"[0-9A-Za-z.]{0,8}", fullmatch=True)


@settings(deadline=None)  # the first example builds the alphabet of the patterns
@given(st.lists(st.lists(st.tuples(names, values), min_size=1, max_size=3), max_size=5))
def test_groups_come_back_as_they_were_written(groups: list[list[tuple[str, str]]]) -> None:
    """Repeated keys included: CP is a list, not a dictionary."""
    area = ";".join(",".join(f"{key}={value}" for key, value in group) for group in groups)
    assert parse_packet(f"MN=A;CP=&&{area}&&".encode()).groups == groups


def test_header_fields_are_found_in_any_order_and_case() -> None:
    """2005 loggers leave fields out, write FLAG, and lose a `;` before CP."""
    packet = parse_packet(b"MN=A1;st=32;PW=123456;,CN=2011;FLAG=5CP=&&DataTime=1&&")
    assert packet.header == {"MN": "A1", "ST": "32", "PW": "123456", "CN": "2011", "Flag": "5"}
    assert packet.wants_answer
    assert packet.version == 1


def test_blanks_and_a_trailing_semicolon_mean_nothing() -> None:
    """The standard itself prints `; LA-Rtd` and `i12003-Info =0`."""
    packet = parse_packet(b"MN=A;CP=&& DataTime = 1; LA-Rtd=50.1 , LA-Flag=N;&&")
    assert packet.groups == [[("DataTime", "1")], [("LA-Rtd", "50.1"), ("LA-Flag", "N")]]


def test_free_text_keeps_its_separators() -> None:
    """Between `//` and `//` nothing is escaped, and nothing splits."""
    packet = parse_packet("MN=A;CP=&&i1-Info=//a;b=c,d//,i2-Info=//清洗//;PolId=w1&&".encode())
    assert packet.groups == [
        [("i1-Info", "//a;b=c,d//"), ("i2-Info", "//清洗//")],
        [("PolId", "w1")],
    ]


def test_chinese_is_read_as_utf8_or_else_as_gb18030() -> None:
    """The standard says UTF-8; loggers on a Chinese Windows say GBK."""
    for encoding in ("utf-8", "gb18030"):
        packet = parse_packet("MN=A;CP=&&i1-Info=//清洗管路//&&".encode(encoding))
        assert packet.groups == [[("i1-Info", "//清洗管路//")]]


def test_the_nested_form_keeps_the_last_of_a_repeated_key() -> None:
    """Whoever needs all of them reads the groups."""
    groups = [[("PolId", "a")], [("PolId", "b")], [("w1-Rtd", "1"), ("w1-Flag", "N")]]
    assert nested(groups) == {"PolId": "b", "w1": {"Rtd": "1", "Flag": "N"}}


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_segment_is_unreadable(segment: bytes) -> None:
    """What stands on a line is nobody's exception."""
    packet = parse_packet(segment)
    assert 0 <= packet.flag <= 255


def test_passwords_are_hidden_before_anything_is_kept() -> None:
    """Also the new one of a CN=1072."""
    raw = b"##0099QN=1;PW=sesame;MN=A;CP=&&NewPW=opensesame&&1234"
    assert redacted(raw) == b"##0099QN=1;PW=<hidden>;MN=A;CP=&&NewPW=<hidden>&&1234"
