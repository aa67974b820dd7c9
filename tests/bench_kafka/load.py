"""The judged log of a bench: hospitals with eight indicators and two rules on each."""

from collections.abc import Iterator

import msgspec
from confluent_kafka import Producer

from services.rules.core.engine import Engine
from services.rules.shares import split
from shared.log.kafka import KafkaLog
from shared.log.kafka_bundles import KafkaBundles
from shared.log.port import REPORTS
from shared.model.configuration import Bundle, encode_bundle
from shared.model.facility import Station
from shared.model.instants import Instant
from shared.model.partition import partition_of
from shared.model.report import Activate, Record, Report, Tick, encode_envelope
from tests.bench import bench_rules
from tests.bench.bench_rules import CODES, MINUTE, START

EVERY = 41
"""One report in so many raises something, and the station's next one clears it: 0.6 % of readings."""


def facility_of(station: int) -> str:
    """Two stations each: a bundle of 125,000 facilities would not fit into one record."""
    return f"f{station // 2}"


def bundle(stations: int) -> Bundle:
    """The rules of the other bench, on hospitals with two outlets."""
    plain = bench_rules.bundle((stations + 1) // 2)
    outlets = tuple(Station(f"f{n}-a", facility_of(n)) for n in range(stations))
    return msgspec.structs.replace(plain, stations=outlets)


class Load:
    """Minutes of readings of `stations`, partition by partition."""

    def __init__(self, bootstrap: str, partitions: int, stations: int) -> None:
        self.partitions, self.stations = partitions, stations
        self.bundle = bundle(stations)
        self.name, self._body = encode_bundle(self.bundle)
        self.bootstrap = bootstrap
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "linger.ms": 5, "acks": "all",
             "queue.buffering.max.messages": 1_000_000, "message.max.bytes": 4_000_000}
        )  # fmt: skip
        self._of = [
            [n for n in range(stations) if partition_of(facility_of(n), partitions) == number]
            for number in range(partitions)
        ]
        self.minute = 0

    def activate(self) -> None:
        log = KafkaLog(self.bootstrap)
        KafkaBundles(log).put(self.name, self._body)
        log.close()
        for number in range(self.partitions):
            self._send(number, [Activate(self.name)])

    def minutes(self, count: int, reports: int) -> tuple[int, int]:
        """So many minutes, `reports` in an envelope; (readings, envelopes) written."""
        readings = envelopes = 0
        for _ in range(count):
            self.minute += 1
            for number in range(self.partitions):
                for records in self._envelopes(number, reports):
                    self._send(number, records)
                    envelopes += 1
                    readings += sum(len(CODES) for r in records if isinstance(r, Report))
                self._send(number, [Tick(Instant(START + self.minute * MINUTE))])
        self.flush()
        return readings, envelopes

    def tick(self, at_us: int) -> None:
        for number in range(self.partitions):
            self._send(number, [Tick(Instant(at_us))])
        self._producer.poll(0)

    def some(self, first: int, count: int, at_us: int) -> None:
        """Reports of some stations now, one envelope each partition."""
        for number in range(self.partitions):
            own = self._of[number]
            chosen = [own[(first + n) % len(own)] for n in range(count // self.partitions)]
            self._send(number, [self._report(n, at_us, False) for n in chosen])
        self._producer.poll(0)

    def _envelopes(self, number: int, reports: int) -> Iterator[list[Record]]:
        at = START + self.minute * MINUTE
        records: list[Record] = []
        for n in self._of[number]:
            records.append(self._report(n, at, (n + self.minute) % EVERY == 0))
            if len(records) == reports:
                yield records
                records = []
        if records:
            yield records

    def _report(self, n: int, at_us: int, loud: bool) -> Report:
        values = tuple(20.0 + (at_us // MINUTE * 7 + n + k) % 13 for k in range(len(CODES)))
        if loud:
            values = (61.0, *values[1:])
        return Report(
            facility_of(n), f"f{n}-a", "realtime", Instant(at_us), CODES, values, None, Instant(at_us),
            "http",
        )  # fmt: skip

    def _send(self, number: int, records: list[Record]) -> None:
        body = encode_envelope(records)
        while True:
            try:
                self._producer.produce(REPORTS, value=body, partition=number)
                return
            except BufferError:
                self._producer.poll(0.1)

    def flush(self) -> None:
        self._producer.flush(60)

    def expected(self, minutes: int, reports: int) -> int:
        """How many transitions the pure engine says of the first minutes."""
        found = 0
        for number, share in enumerate(split(self.bundle, self.partitions)):
            engine = Engine({self.name: share}.__getitem__)
            engine.apply([Activate(self.name)])
            for minute in range(1, minutes + 1):
                self.minute = minute
                for records in self._envelopes(number, reports):
                    found += len(engine.apply(records))
                found += len(engine.apply([Tick(Instant(START + minute * MINUTE))]))
        return found
