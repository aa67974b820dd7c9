"""Answers, in the dialect of the sender and with its kind of CRC.

    2005   ST=91;CN=9014;CP=&&QN=…;CN=…;PNO=1;PNUM=1;&&     HJ/T 212-2005 app. C, item 6
    2017   QN=…;ST=91;CN=9014;PW=…;MN=…;Flag=4;CP=&&&&      HJ 212-2017 app. C
    2025   the same with Flag=8

Only frames with bit A of Flag are answered, and never an answer: loggers exist that ask for an
answer to their answers.
"""

from services.ingest.hj212.crc import CrcKind
from services.ingest.hj212.encoder import encode_frame
from services.ingest.hj212.packet import Packet

DATA_ANSWER = "9014"
NOTICE_ANSWER = "9013"
NOTICES = frozenset({"1013", "9015"})
"""The logger asks for its clock to be set (1013); heartbeat (9015, 2025 and surface water)."""


def answer(packet: Packet, cn: str, kind: CrcKind) -> bytes | None:
    """The frame that acknowledges `packet` by `cn` (9013 or 9014); None when it wants none."""
    if not packet.wants_answer:
        return None
    if packet.version == 0:
        return encode_frame(_segment_2005(packet, cn), kind)
    return encode_frame(
        f"QN={packet.get('QN')};ST=91;CN={cn};PW={packet.get('PW')};MN={packet.get('MN')};"
        f"Flag={packet.version << 2};CP=&&&&",
        kind,
    )


def _segment_2005(packet: Packet, cn: str) -> str:
    qn = packet.get("QN")
    if cn == NOTICE_ANSWER:
        return f"ST=91;CN={cn};PW={packet.get('PW')};MN={packet.get('MN')};Flag=0;CP=&&QN={qn}&&"
    pno, pnum = packet.get("PNO") or "1", packet.get("PNUM") or "1"
    return f"ST=91;CN={cn};CP=&&QN={qn};CN={packet.get('CN')};PNO={pno};PNUM={pnum};&&"
