"""Alerts: the transitions of `yujing.alerts.v1` as notify takes them, partition by partition."""

from collections.abc import Mapping

import structlog

from shared.log.kafka import KafkaLog
from shared.log.port import ALERTS, Position
from shared.model.alert import decode_alert
from shared.model.transition import Transition
from shared.observe.metrics import Metrics

log = structlog.get_logger()


class KafkaAlerts:
    """Reads from any position; who owns a partition is decided in the desk, not here."""

    def __init__(self, log_: KafkaLog, metrics: Metrics) -> None:
        self._log, self._metrics = log_, metrics

    def partitions(self) -> int:
        return self._log.partitions(ALERTS)

    def read(
        self, partition: int, start: int, limit: int
    ) -> tuple[list[tuple[int, Transition]], int]:
        """(position, transition) from `start` on as far as `wait` fetched them, and where to read on.

        What is no transition is passed over, loudly: only rules may write to this topic.
        """
        batch = self._log.held(ALERTS, partition, Position(start), limit)
        found: list[tuple[int, Transition]] = []
        for entry in batch.entries:
            try:
                found.append((entry.position, decode_alert(entry.value)))
            except (ValueError, UnicodeDecodeError, RecursionError):
                log.exception("alert_not_readable", partition=partition, position=entry.position)
                self._metrics.failures.labels("notify").inc()
        return found, batch.next

    def wait(self, starts: Mapping[int, int], timeout_s: float) -> bool:
        """True once any partition has something at or after its start."""
        positions = {n: Position(starts.get(n, 0)) for n in range(self.partitions())}
        return self._log.wait_any(ALERTS, positions, timeout_s)

    def lag(self, positions: Mapping[int, int]) -> None:
        """Show how far the desk is behind."""
        for number, position in positions.items():
            lag = max(0, self._log.end(ALERTS, number) - max(position, 1))
            self._metrics.consumer_lag.labels(ALERTS, str(number)).set(lag)
