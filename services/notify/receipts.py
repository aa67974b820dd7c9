"""Receipts: what Kannel's status bits say about a message that was accepted before."""

from services.notify.port import ReceiptStatus

_DELIVERED, _FAILED, _SMSC_REFUSED, _EXPIRED = 1, 2, 16, 32


def receipt_status(bits: int) -> ReceiptStatus:
    """Bit 16 refused, else 2 or 32 failed, else 1 delivered; 4 and 8 (and none) under way.

    Bits are tested, never compared: an expired message may come as 34 (Kannel 1.4.5 with the
    message_state of SMPP 3.4), and a 1 may come before its 8.
    """
    if bits & _SMSC_REFUSED:
        return "refused"
    if bits & (_FAILED | _EXPIRED):
        return "failed"
    return "delivered" if bits & _DELIVERED else "under_way"
