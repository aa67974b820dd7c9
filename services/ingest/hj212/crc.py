"""CRC: the HJ 212 variant, plain MODBUS, and which of them a device used.

HJ 212 (2005 and 2017, appendix A; 2025, A.1) shifts the register right by eight *before* it
XORs the next byte, and so throws the low byte away each time:

    reg = T[(reg >> 8) ^ byte]            MODBUS: reg = (reg >> 8) ^ T[(reg ^ byte) & 0xFF]

Only 256 different values can occur, so one corrupted frame in 256 passes: never tell frames
apart by CRC. Many devices use MODBUS by mistake; that is recognised and named, never guessed.
"""

from enum import Enum

_POLYNOMIAL = 0xA001


def _shifted(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ _POLYNOMIAL if value & 1 else value >> 1
    return value


_TABLE = tuple(_shifted(byte) for byte in range(256))


def _powers() -> tuple[bytes, ...]:
    """The map high byte -> next high byte, applied 1, 2, 4 … 65,536 times."""
    power = bytes(value >> 8 for value in _TABLE)
    powers = [power]
    for _ in range(16):
        power = power.translate(power)
        powers.append(power)
    return tuple(powers)


# Only the high byte of the register survives a step, and the step is linear over GF(2). So the
# first half of a segment can be moved over the second by one table lookup per byte, in C, and
# XORed onto it: log2(n) halvings instead of n steps of the interpreter.
_POWERS = _powers()
_LONGEST = 1 << 16


class CrcKind(Enum):
    """Which algorithm made a CRC. MODBUS exists in both byte orders."""

    HJ212 = "hj212"
    MODBUS = "modbus"
    MODBUS_SWAPPED = "modbus-swapped"


def hj212_crc(segment: bytes) -> int:
    """The CRC of HJ 212 over a data segment of at most 65,536 bytes.

    `123456789` gives 0x2F80, nothing gives 0xFFFF (the register's first value).
    """
    length = len(segment)
    if length == 0:
        return 0xFFFF
    assert length <= _LONGEST
    number = int.from_bytes(segment, "big") ^ (0xFF << (8 * (length - 1)))
    level = (length - 1).bit_length()
    size = 1 << level
    # Zeros in front of a zero register change nothing, so the length may be rounded up.
    while level:
        level -= 1
        size >>= 1
        front = (number >> (8 * size)).to_bytes(size, "big").translate(_POWERS[level])
        number = (number & ((1 << (8 * size)) - 1)) ^ int.from_bytes(front, "big")
    return _TABLE[number]


def modbus_crc(segment: bytes) -> int:
    """CRC-16/MODBUS; `123456789` gives 0x4B37."""
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ _TABLE[(register ^ byte) & 0xFF]
    return register


def crc_text(segment: bytes, kind: CrcKind = CrcKind.HJ212) -> str:
    """Four upper-case hexadecimal digits."""
    if kind is CrcKind.HJ212:
        return f"{hj212_crc(segment):04X}"
    value = modbus_crc(segment)
    if kind is CrcKind.MODBUS_SWAPPED:
        value = ((value & 0xFF) << 8) | (value >> 8)
    return f"{value:04X}"


def diagnose(segment: bytes, received: bytes) -> CrcKind | None:
    """Which algorithm fits the four received digits (any case); None: none of them."""
    try:
        # int() would also take blanks, signs and underscores.
        value = int.from_bytes(bytes.fromhex(received.decode("ascii")), "big")
    except ValueError:
        return None
    if len(received) != 4:
        return None
    if value == hj212_crc(segment):
        return CrcKind.HJ212
    modbus = modbus_crc(segment)
    if value == modbus:
        return CrcKind.MODBUS
    if value == ((modbus & 0xFF) << 8) | (modbus >> 8):
        return CrcKind.MODBUS_SWAPPED
    return None
