"""CRC against the vectors of the standards and against its definition."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.hj212.crc import CrcKind, crc_text, diagnose, hj212_crc, modbus_crc
from shared.testing.hj212_device import crc_bits

VECTORS = [
    (b"", "FFFF", "FFFF"),
    (b"S", "7D00", "7DFF"),
    (b"123456789", "2F80", "4B37"),
    (b"ST=32", "60C0", "D5B4"),
    (
        # HJ 212-2017 appendix A prints this one, and misprints its CRC in the sentence after it.
        b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
        b"CP=&&RtdInterval=30&&",
        "1C80",
        "0759",
    ),
]


@pytest.mark.parametrize(("segment", "hj212", "modbus"), VECTORS)
def test_crc_equals_the_published_vectors(segment: bytes, hj212: str, modbus: str) -> None:
    """The prose of 2005 can be misread; the vectors cannot."""
    assert (crc_text(segment), crc_text(segment, CrcKind.MODBUS)) == (hj212, modbus)


@settings(deadline=None)
@given(st.binary(max_size=3000))
def test_folding_equals_the_definition(segment: bytes) -> None:
    """The halvings are only a faster way to walk the same register."""
    assert hj212_crc(segment) == crc_bits(segment)
    assert modbus_crc(segment) == crc_bits(segment, modbus=True)


@settings(deadline=None)
@given(st.binary(min_size=2, max_size=60), st.sampled_from(list(CrcKind)))
def test_the_kind_of_a_crc_is_recognised_in_any_case(segment: bytes, kind: CrcKind) -> None:
    """Devices write lower case too, and MODBUS in both byte orders."""
    text = crc_text(segment, kind)
    for received in (text.encode(), text.lower().encode()):
        found = diagnose(segment, received)
        assert found is not None
        assert crc_text(segment, found) == text


@pytest.mark.parametrize("received", [b"", b"12", b"zzzz", b"+123", b"1_23", b"\xff\xff\xff\xff"])
def test_what_is_no_four_digits_fits_nothing(received: bytes) -> None:
    """Python reads signs and underscores as numbers; a CRC has none."""
    assert diagnose(b"ST=32", received) is None
