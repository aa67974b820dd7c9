"""Shares: the part of a bundle that one partition judges.

Every partition is told of every activation. Rules and territories are everybody's; facilities
and stations only of their own partition, or else each would report every silent station.
"""

import threading

import msgspec

from shared.log.port import Bundles
from shared.model.configuration import Bundle, decode_bundle
from shared.model.facility import Facility, Station
from shared.model.partition import partition_of

REMEMBERED = 3
"""Bundles kept open: partitions that lag behind an activation are still in the one before."""


class Shares:
    """Opens each bundle once for all partitions of the process. Thread-safe."""

    def __init__(self, bundles: Bundles, partitions: int) -> None:
        self._bundles, self._partitions = bundles, partitions
        self._opened: dict[str, list[Bundle]] = {}
        self._lock = threading.Lock()

    def of(self, name: str, partition: int) -> Bundle:
        """The share of a partition.

        Raises:
            KeyError: there is no bundle of that name.
            ValueError: it cannot be read (msgspec's errors are ValueErrors), or is newer than us.
            Unavailable: the store of bundles does not answer; ask again.

        """
        with self._lock:
            shares = self._opened.get(name)
            if shares is None:
                shares = split(decode_bundle(self._bundles.get(name)), self._partitions)
                self._opened[name] = shares
                while len(self._opened) > REMEMBERED:
                    del self._opened[next(iter(self._opened))]
            return shares[partition]


def split(bundle: Bundle, partitions: int) -> list[Bundle]:
    """One bundle per partition; together they hold every facility once."""
    facilities: list[list[Facility]] = [[] for _ in range(partitions)]
    stations: list[list[Station]] = [[] for _ in range(partitions)]
    for facility in bundle.facilities:
        facilities[partition_of(facility.id, partitions)].append(facility)
    for station in bundle.stations:
        stations[partition_of(station.facility, partitions)].append(station)
    return [
        msgspec.structs.replace(
            bundle, facilities=tuple(facilities[number]), stations=tuple(stations[number])
        )
        for number in range(partitions)
    ]
