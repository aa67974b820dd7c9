"""Which partition a facility belongs to: the hash that Kafka's own clients use for keys.

Whoever publishes by key with Java's default partitioner lands beside us, so topics can be joined.
"""

from functools import lru_cache

_SEED, _M, _R = 0x9747B28C, 0x5BD1E995, 24
_32 = 0xFFFFFFFF


@lru_cache(maxsize=200_000)
def partition_of(facility: str, count: int) -> int:
    """0 to `count` - 1, the same for ever: a facility never moves while `count` stays."""
    if count == 1:
        return 0
    return (murmur2(facility.encode()) & 0x7FFFFFFF) % count


def murmur2(data: bytes) -> int:
    """32 bits, as org.apache.kafka.common.utils.Utils.murmur2 but unsigned."""
    whole = len(data) & ~3
    h = _SEED ^ len(data)
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * _M & _32
        k ^= k >> _R
        h = (h * _M & _32) ^ (k * _M & _32)
    if rest := data[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * _M & _32
    h ^= h >> 13
    h = h * _M & _32
    return h ^ (h >> 15)
