"""Contributions on their way to the partitions of their territories, as records of the judged log.

They are sent like alerts and in the same batch, so they are durable before the checkpoint of the
record that caused them. After a crash they are said again, and a territory takes each once.
"""

from collections.abc import Iterable

from shared.log.port import REPORTS
from shared.model.partition import partition_of
from shared.model.report import encode_contributions
from shared.model.rollup import Contribution

MOST_PER_ENTRY = 1000
"""About 150 bytes each; a topic takes 1 MB by default."""


def contribution_words(
    contributions: Iterable[Contribution], partitions: int
) -> list[tuple[str, bytes, bytes, int]]:
    """Topic, key, value, partition of each entry; the order within a partition is kept."""
    by_partition: dict[int, list[Contribution]] = {}
    for each in contributions:
        by_partition.setdefault(partition_of(each.territory, partitions), []).append(each)
    return [
        (REPORTS, some[0].territory.encode(), encode_contributions(some), number)
        for number, all_ in by_partition.items()
        for some in (all_[n : n + MOST_PER_ENTRY] for n in range(0, len(all_), MOST_PER_ENTRY))
    ]
