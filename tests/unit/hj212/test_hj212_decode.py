"""`decode`: one object per frame, an error per piece that is none."""

import io

import msgspec
import pytest

from services.ingest.decode import decode_lines, decode_stream
from services.ingest.hj212.sm4 import decrypt, encrypt
from shared.testing.hj212_device import crc_bits, frame

AREA = "DataTime=20260301080000;a34013-Rtd=12.34,a34013-Flag=N"
HEAD = "QN=1;ST=31;CN=2011;PW=123456;MN=A1;Flag=9;CP=&&"


def test_a_frame_becomes_an_object_of_its_fields() -> None:
    """What the frame does not carry is absent."""
    (item,) = decode_lines(frame("ST=32;CN=2011;MN=A1;CP=&&DataTime=1;011-Rtd=2,011-Flag=N&&"))
    assert msgspec.to_builtins(item) == {
        "ST": "32",
        "CN": "2011",
        "MN": "A1",
        "CP": {"DataTime": "1", "011": {"Rtd": "2", "Flag": "N"}},
        "CP_groups": [[("DataTime", "1")], [("011-Rtd", "2"), ("011-Flag", "N")]],
        "crc_ok": True,
        "length_ok": True,
    }


def test_a_modbus_crc_is_wrong_and_named() -> None:
    """So that the logger can be mended."""
    (item,) = decode_lines(frame(f"{HEAD}{AREA}&&", modbus=True))
    assert (item["crc_ok"], item["crc_kind"]) == (False, "modbus")


def test_what_is_no_frame_becomes_an_error() -> None:
    """In its place among the frames, with the fields where they can be read."""
    items = list(decode_lines(b"hello\r\n" + frame("MN=A;CP=&&&&") + b"QN=1;MN=B;CP=&&X=1&&\r\n"))
    assert [("error" in item, item.get("MN")) for item in items] == [
        (True, None),
        (False, "A"),
        (True, "B"),
    ]


@pytest.mark.parametrize("form", ["raw", "printed"])
def test_encrypted_frames_are_read_with_the_test_key_of_the_standard(form: str) -> None:
    """Length and CRC are those of the text before encryption."""
    plain = f"{HEAD}{AREA}&&".encode()
    area = encrypt(AREA.encode())
    if form == "printed":
        whole = len(area) // 16 * 16
        numbers = ",".join(f"0x{byte:02X}" for byte in area[:whole])
        area = b"{" + numbers.encode() + b"}" + area[whole:]
    data = b"##%04d%b%b&&%04X\r\n" % (len(plain), HEAD.encode(), area, crc_bits(plain))
    (item,) = decode_lines(data)
    assert item["CP"]["a34013"] == {"Rtd": "12.34", "Flag": "N"}
    assert (item["crc_ok"], item["length_ok"]) == (True, True)


def test_sm4_equals_the_vector_of_its_standard() -> None:
    """GB/T 32907-2016, example 1."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    assert encrypt(key, key).hex() == "681edf34d206965e86b3e94f536e4246"
    assert decrypt(encrypt(key, key), key) == key


@pytest.mark.parametrize(("data", "code"), [(b"", 1), (b"hello", 1), (frame("MN=A;CP=&&&&"), 0)])
def test_the_exit_code_says_whether_anything_could_be_read(data: bytes, code: int) -> None:
    """Every line of the output is JSON in either case."""
    out = io.StringIO()
    assert decode_stream(io.BytesIO(data), out) == code
    for line in out.getvalue().splitlines():
        msgspec.json.decode(line)
