"""The register of metrics: every name of contract §6, its labels, and when to act.

One object per process on a registry of its own; nothing happens at import.
"""

from collections.abc import Iterable
from contextlib import suppress

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)


class Metrics:
    """All metrics. A service touches those that are its own; the rest stay without samples."""

    def __init__(self, registry: CollectorRegistry) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry
        self.reports = Counter(
            "yujing_reports",
            "Reports by what became of them; rejected rises: look at dead letters.",
            ["listener", "result"],
            registry=registry,
        )
        self.rejections = Counter(
            "yujing_rejections",
            "Why something was refused; crc rises: look at the line or logger.",
            ["reason"],
            registry=registry,
        )
        self.transitions = Counter(
            "yujing_transitions",
            "Transitions emitted, by rule and state.",
            ["rule", "state"],
            registry=registry,
        )
        self.alerts = Gauge(
            "yujing_alerts",
            "Alerts now, by state and severity.",
            ["state", "severity"],
            registry=registry,
        )
        self.notifications = Counter(
            "yujing_notifications",
            "Attempts by outcome; failed rises: look at the gateway.",
            ["channel", "outcome"],
            registry=registry,
        )
        self.outbox_oldest = Gauge(
            "yujing_outbox_oldest_seconds",
            "Age of the oldest message that is owed and not sent.",
            registry=registry,
        )
        self.timers_overdue = Gauge(
            "yujing_timers_overdue",
            "Escalation timers past their time; above 0: notify is behind.",
            registry=registry,
        )
        self.clock = Gauge(
            "yujing_clock_seconds", "The program's own clock as Unix time.", registry=registry
        )
        self.deaf = Counter(
            "yujing_deaf_seconds", "Time during which we did not listen.", registry=registry
        )
        self.report_to_gateway = Histogram(
            "yujing_report_to_gateway_seconds",
            "From a report's arrival to the gateway's answer.",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
            registry=registry,
        )
        self.consumer_lag = Gauge(
            "yujing_consumer_lag",
            "Log entries not yet consumed; rises: the consumer is behind.",
            ["topic", "partition"],
            registry=registry,
        )
        self.log_available = Gauge(
            "yujing_log_available",
            "1 while the log takes what ingest appends; 0: look at the disk or the broker.",
            registry=registry,
        )
        self.partition_clock = Gauge(
            "yujing_partition_clock_seconds",
            "Log time of a partition as its rules worker has judged it, as Unix time; "
            "stands still: nobody evaluates it, or ingest does not tick.",
            ["partition"],
            registry=registry,
        )
        self.partitions_owned = Gauge(
            "yujing_partitions_owned",
            "Partitions this rules worker evaluates now.",
            registry=registry,
        )
        self.rebalances = Counter(
            "yujing_rebalances",
            "Times the partitions were handed out anew; rises all the time: workers come and go.",
            registry=registry,
        )
        self.checkpoint_age = Gauge(
            "yujing_checkpoint_age_seconds",
            "Since the state of a partition was kept last; rises: look at PostgreSQL.",
            ["partition"],
            registry=registry,
        )
        self.report_to_transition = Histogram(
            "yujing_report_to_transition_seconds",
            "From a report's arrival to the transition it caused.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
            registry=registry,
        )
        self.offsets_missing = Counter(
            "yujing_offsets_missing",
            "Positions that were not in the log when rules read on; "
            "rises: look at retention and at lost segments.",
            ["topic", "partition"],
            registry=registry,
        )
        self.build = Gauge(
            "yujing_build_info",
            "Always 1; the version is in the label.",
            ["version"],
            registry=registry,
        )
        self.connections = Gauge(
            "yujing_hj212_connections", "HJ 212 connections open now.", registry=registry
        )
        self.broken_texts = Counter(
            "yujing_broken_texts",
            "Texts that could not be built and went out in plain words; "
            "above 0: mend the template or the configuration.",
            registry=registry,
        )
        self.orphans = Counter(
            "yujing_orphans",
            "Steps for which nobody was responsible; mend the roster.",
            registry=registry,
        )
        self.strangers = Counter(
            "yujing_stranger_replies",
            "Replies from numbers that belong to nobody.",
            ["channel"],
            registry=registry,
        )
        self.amendments = Counter(
            "yujing_amendments",
            "Episodes whose history late, corrected or withdrawn readings changed; rises all the "
            "time: ask the sender why it corrects.",
            ["rule", "kind"],
            registry=registry,
        )
        self.too_late = Counter(
            "yujing_too_late_reports",
            "Reports older than the days of history that are kept; they amend nothing.",
            registry=registry,
        )
        self.failures = Counter(
            "yujing_failures",
            "Things that failed inside and were set aside; look at the log.",
            ["service"],
            registry=registry,
        )

    def forget(self, topic: str, partitions: Iterable[int]) -> None:
        """These are another worker's now: what we last saw of them must not stand here for ever."""
        for number in partitions:
            for gauge, labels in (
                (self.partition_clock, (str(number),)),
                (self.checkpoint_age, (str(number),)),
                (self.consumer_lag, (topic, str(number))),
            ):
                with suppress(KeyError):
                    gauge.remove(*labels)
