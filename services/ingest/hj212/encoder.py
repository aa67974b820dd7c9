"""Encoder: a data segment as a packet, for answers, and for devices in tests and the story."""

from services.ingest.hj212.crc import CrcKind, crc_text


def encode_frame(segment: str | bytes, kind: CrcKind = CrcKind.HJ212) -> bytes:
    """`##`, length in bytes, segment (UTF-8), CRC, CR LF.

    Raises:
        ValueError: a segment of more than 9,999 bytes, which four digits cannot say.

    """
    body = segment.encode() if isinstance(segment, str) else segment
    if len(body) > 9_999:
        raise ValueError(f"the data segment has {len(body)} bytes; four digits say at most 9,999")
    return b"##%04d%b%b\r\n" % (len(body), body, crc_text(body, kind).encode())
