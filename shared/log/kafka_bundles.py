"""Bundles on Kafka: a compacted topic of one partition, keyed by the bundle's hash.

A bundle of a province is 20 MB of text that repeats itself; it travels packed.
"""

import threading
import zlib

from shared.log.kafka import KafkaLog
from shared.log.port import BUNDLES, Position

MOST_BYTES = 512 * 1024 * 1024
"""Of one bundle unpacked: some millions of facilities."""


class KafkaBundles:
    """Thread-safe. Holds what it has read: a bundle never changes under its name."""

    def __init__(self, log: KafkaLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._known: dict[str, bytes] = {}
        self._next = Position(0)

    def put(self, name: str, body: bytes) -> None:
        """Keep a bundle; the same name twice is the same bundle."""
        with self._lock:
            self._read_on()
            if name not in self._known:
                self._log.append(BUNDLES, [(name, zlib.compress(body, 6))])

    def get(self, name: str) -> bytes:
        """Raises KeyError for a name that was never put, Unavailable when nobody can tell."""
        with self._lock:
            if name not in self._known:
                self._read_on()
            return self._known[name]

    def _read_on(self) -> None:
        while True:
            batch = self._log.read(BUNDLES, 0, self._next)
            if not batch.entries:
                return
            self._known.update((entry.key, _unpacked(entry.value)) for entry in batch.entries)
            self._next = batch.next


def _unpacked(value: bytes) -> bytes:
    """What is not packed is given as it is; whoever decodes a bundle says what is wrong with it."""
    unpack = zlib.decompressobj()
    try:
        body = unpack.decompress(value, MOST_BYTES)
    except zlib.error:
        return value
    return body if unpack.eof else value
