"""Topics of its own for each test on the one broker of the process."""

from collections.abc import Mapping, Sequence
from itertools import count

from kafka.admin import NewTopic

from shared.log.kafka import KafkaLog
from shared.log.port import Addition, Batch, Position
from shared.testing.parts.kafka import Broker

_numbers = count(1)


class FreshLog:
    """A log on topics that no other test uses; the names are mapped, all else is KafkaLog."""

    def __init__(self, broker: Broker, topics: Mapping[str, int]) -> None:
        number = next(_numbers)
        self._names = {topic: f"t{number}.{topic}" for topic in topics}
        admin = broker.admin()
        admin.create_topics([NewTopic(self._names[topic], n, 1) for topic, n in topics.items()])
        admin.close()
        self.log = KafkaLog(broker.bootstrap)

    def partitions(self, topic: str) -> int:
        return self.log.partitions(self._names[topic])

    def append(
        self, topic: str, entries: Sequence[tuple[str, bytes]], partition: int = 0
    ) -> Position:
        return self.log.append(self._names[topic], entries, partition)

    def append_all(self, additions: Sequence[Addition]) -> list[Position]:
        return self.log.append_all(
            [Addition(self._names[a.topic], a.key, a.value, a.partition) for a in additions]
        )

    def read(self, topic: str, partition: int, start: Position, limit: int = 1000) -> Batch:
        return self.log.read(self._names[topic], partition, start, limit)

    def end(self, topic: str, partition: int) -> Position:
        return self.log.end(self._names[topic], partition)

    def wait(self, topic: str, partition: int, start: Position, timeout_s: float) -> bool:
        return self.log.wait(self._names[topic], partition, start, timeout_s)

    def close(self) -> None:
        self.log.close()
