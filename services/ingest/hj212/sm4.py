"""SM4 (GB/T 32907-2016) in ECB, as HJ 212-2025 A.2 encrypts CP: whole blocks, the rest in clear.

Only `decode` uses it, with the test key of the standard or one that is given; ECB over a text
that always begins with `DataTime=` is an envelope, not a secret.
"""

from functools import cache

TEST_KEY = b"0" * 16
"""Sixteen characters `0`, the key of the examples in the standard."""

_FK = (0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC)
_FIELD = 0x1F5  # x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1
_ROW, _CONSTANT = 0xA7, 0xD3


def _multiply(left: int, right: int) -> int:
    product = 0
    while right:
        if right & 1:
            product ^= left
        left <<= 1
        if left & 0x100:
            left ^= _FIELD
        right >>= 1
    return product


def _affine(value: int) -> int:
    """The circulant matrix of the S-box over GF(2), plus its constant."""
    result, row = 0, _ROW
    for bit in range(8):
        result |= ((row & value).bit_count() & 1) << bit
        row = ((row << 1) | (row >> 7)) & 0xFF
    return result ^ _CONSTANT


def _sbox() -> bytes:
    inverse = [0] * 256
    for left in range(1, 256):
        for right in range(left, 256):
            if _multiply(left, right) == 1:
                inverse[left], inverse[right] = right, left
                break
    return bytes(_affine(inverse[_affine(value)]) for value in range(256))


_SBOX = cache(_sbox)


def _substituted(word: int) -> int:
    return int.from_bytes(word.to_bytes(4, "big").translate(_SBOX()), "big")


def _turned(word: int, bits: int) -> int:
    return ((word << bits) | (word >> (32 - bits))) & 0xFFFFFFFF


def _round_keys(key: bytes) -> list[int]:
    state = [int.from_bytes(key[4 * i : 4 * i + 4], "big") ^ _FK[i] for i in range(4)]
    keys = []
    for index in range(32):
        constant = int.from_bytes(bytes((4 * index + j) * 7 % 256 for j in range(4)), "big")
        mixed = _substituted(state[1] ^ state[2] ^ state[3] ^ constant)
        fresh = state[0] ^ mixed ^ _turned(mixed, 13) ^ _turned(mixed, 23)
        keys.append(fresh)
        state = [*state[1:], fresh]
    return keys


def _block(block: bytes, keys: list[int]) -> bytes:
    state = [int.from_bytes(block[4 * i : 4 * i + 4], "big") for i in range(4)]
    for key in keys:
        mixed = _substituted(state[1] ^ state[2] ^ state[3] ^ key)
        spread = mixed ^ _turned(mixed, 2) ^ _turned(mixed, 10) ^ _turned(mixed, 18)
        state = [*state[1:], state[0] ^ spread ^ _turned(mixed, 24)]
    return b"".join(word.to_bytes(4, "big") for word in reversed(state))


def _blocks(text: bytes, keys: list[int]) -> bytes:
    whole = len(text) // 16 * 16
    done = [_block(text[at : at + 16], keys) for at in range(0, whole, 16)]
    return b"".join(done) + text[whole:]


def encrypt(text: bytes, key: bytes = TEST_KEY) -> bytes:
    """Whole blocks encrypted, the last fewer than 16 bytes as they are. `key` has 16 bytes."""
    return _blocks(text, _round_keys(key))


def decrypt(text: bytes, key: bytes = TEST_KEY) -> bytes:
    """The reverse of `encrypt`."""
    return _blocks(text, _round_keys(key)[::-1])
