"""The separate services as child processes, on a real broker and a real PostgreSQL."""

import contextlib
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import httpx
import yaml

from shared.log.port import ALERTS, AMENDMENTS, FACILITIES, REPORTS
from shared.log.security import Security
from shared.log.topics import FILE, Topics, read_topics
from shared.testing.configs import Site
from shared.testing.parts.kafka import Broker, bootstrap_of, cluster
from shared.testing.parts.postgres import Postgres
from shared.testing.program import Program, free_ports, until


class Service(Program):
    """`yujing ingest`, `rules` or `notify`; several of one kind with names of their own."""

    def __init__(
        self,
        verb: str,
        site: Site,
        folder: Path,
        *,
        kafka: str,
        database_url: str = "",
        name: str = "",
        http_port: int | None = None,
        environment: Mapping[str, str] | None = None,
        arguments: Iterable[str] = (),
        prefix: Iterable[str] = (),
    ) -> None:
        self.verb, self.name = verb, name or verb
        super().__init__(
            site, folder / self.name, environment=environment, arguments=arguments, prefix=prefix
        )
        self.kafka, self.database_url = kafka, database_url
        self.http_port = http_port or free_ports(1)[0]
        self.client.close()
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.http_port}", timeout=10.0, trust_env=False
        )

    def command(self) -> list[str]:
        return [
            *self.prefix, sys.executable, "-m", "services", self.verb,
            "--config", str(self.config), "--data", str(self.data),
            "--http", f"127.0.0.1:{self.http_port}", "--kafka", self.kafka,
            "--database-url", self.database_url, "--instance", self.name,
            *(("--hj212", f"127.0.0.1:{self.site.hj212_port}") if self.verb == "ingest" else ()),
            *self.arguments,
        ]  # fmt: skip


class Cluster:
    """Brokers, PostgreSQL, and every service as often as asked; each of them may be killed.

    `tend` is what systemd or Kubernetes does: a service that ended by itself is started again,
    and counted in `ended`.
    """

    def __init__(
        self, site: Site, folder: Path, *, brokers: int = 1, rules: int = 2, notify: int = 2,
        partitions: int = 4, arguments: Iterable[str] = (),
    ) -> None:  # fmt: skip
        self.site, self.folder = site, folder
        self.topics = folder / "topics.yaml"
        self.ended: Counter[str] = Counter()
        self._partitions, self._nodes = partitions, brokers
        self.brokers: list[Broker] = []
        self.postgres = Postgres()
        self._arguments = tuple(arguments)
        self._counts = {"rules": rules, "notify": notify}
        self.services: dict[str, Service] = {}
        self._down: set[str] = set()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Self:
        try:
            self.start_parts()
            self.start_services()
        except BaseException:
            self.close()
            raise
        return self

    def start_parts(self) -> None:
        """Kafka with its topics, and PostgreSQL; the services are made and not started."""
        if self._nodes > 1:
            self.brokers = cluster(self.folder / "kafka", self._nodes)
        else:
            self.brokers = [Broker(self.folder / "kafka").start()]
        self._apply_topics()
        self.postgres.start()
        self._add("ingest", "ingest")
        for verb, count in self._counts.items():
            for number in range(count):
                self._add(verb, f"{verb}-{number}")

    def start_services(self) -> None:
        for service in self.services.values():
            service.spawn()
        for service in self.services.values():
            until(service.is_ready, 60, what=f"{service.name} ready, see {service.folder}")

    def _add(self, verb: str, name: str) -> None:
        # Receipts and links go to the address of the site: one replica of notify has it.
        port = self.site.http_port if name == "notify-0" else None
        self.services[name] = Service(
            verb, self.site, self.folder / "services", kafka=self.bootstrap, name=name,
            database_url=self.postgres.url(), http_port=port, arguments=self._arguments,
            environment={"YUJING_TOPICS": str(self.topics)},
        )  # fmt: skip

    def _apply_topics(self) -> None:
        """The shipped topics, with fewer partitions so that a rebalance is quick."""
        body = yaml.safe_load(FILE.read_text("utf-8"))
        for name in (REPORTS, ALERTS, AMENDMENTS, FACILITIES):
            body["topics"][name]["partitions"] = self._partitions
        self.topics.write_text(yaml.safe_dump(body, sort_keys=False), "utf-8")
        topics = Topics(self.bootstrap, Security(), read_topics(self.topics))
        topics.apply()
        topics.close()

    @property
    def bootstrap(self) -> str:
        return bootstrap_of(self.brokers)

    @property
    def ingest(self) -> Service:
        return self.services["ingest"]

    def all(self, verb: str) -> list[Service]:
        return [service for service in self.services.values() if service.verb == verb]

    # -- killed and started ------------------------------------------------------------------

    def kill(self, name: str) -> None:
        """kill -9 of a service, of `broker` (the first), `broker-2` … or of `postgres`."""
        self._down.add(name)
        if name.startswith("broker"):
            self._broker(name).kill()
        elif name == "postgres":
            self.postgres.kill()
        else:
            self.services[name].kill()

    def _broker(self, name: str) -> Broker:
        return self.brokers[int(name.partition("-")[2] or 1) - 1]

    def stop(self, name: str) -> int:
        """SIGTERM to a service; its exit code."""
        self._down.add(name)
        return self.services[name].stop()

    def begin(self, name: str) -> None:
        """Start again on the same data; a service without waiting until it is ready."""
        if name.startswith("broker"):
            self._broker(name).start()
        elif name == "postgres":
            self.postgres.start()
        else:
            self.services[name].spawn()
        self._down.discard(name)

    def tend(self) -> bool:
        """Start again what ended by itself; True when everything is ready."""
        for name, service in self.services.items():
            if name not in self._down and service.process.poll() is not None:
                self.ended[name] += 1
                service.spawn()
        return all(s.is_ready() for name, s in self.services.items() if name not in self._down)

    def close(self) -> None:
        for service in self.services.values():
            with contextlib.suppress(AssertionError):  # never started
                service.process.send_signal(signal.SIGTERM)
        for service in self.services.values():
            service.close()
        for broker in self.brokers:
            broker.close()
        self.postgres.stop()
