"""Topics: what `deploy/kafka/topics.yaml` wants, what the cluster has, and how they differ.

The number of partitions is never changed on a topic that exists: a facility's partition is its
hash modulo that number.
"""

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml
from kafka import KafkaAdminClient
from kafka.admin import ConfigFilterType, ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import KafkaError

from shared.clock import real_monotonic
from shared.errors import ConfigError, Unavailable
from shared.log.security import Security

FILE = Path(__file__).parent / "topics.yaml"
"""`deploy/kafka/topics.yaml` is a link to it, so that an installed distribution has it, too."""
TIMEOUT_S = 10.0
MISSING = "it is missing"
IN_SYNC = "min.insync.replicas"


class Wanted(msgspec.Struct, frozen=True):
    """One topic as the file has it."""

    name: str
    partitions: int
    config: dict[str, str]


class TopicsFile(msgspec.Struct, frozen=True):
    replication: int
    topics: tuple[Wanted, ...]


class Difference(msgspec.Struct, frozen=True):
    """`fix` is how `apply` mends it; None: it cannot."""

    topic: str
    what: str
    fix: str | None
    wanted: Wanted
    key: str = ""

    def __str__(self) -> str:
        return f"{self.topic}: {self.what}; {self.fix or 'this cannot be changed by apply'}"


def read_topics(path: Path | None = None) -> TopicsFile:
    """The file given, else ours.

    Raises:
        ConfigError: it cannot be read or is not such a file.
    """
    path = path or FILE
    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
        shared = {str(key): _word(value) for key, value in (body.get("config") or {}).items()}
        topics = tuple(
            Wanted(
                str(name),
                int(one["partitions"]),
                shared | {str(k): _word(v) for k, v in (one.get("config") or {}).items()},
            )
            for name, one in body["topics"].items()
        )
        return TopicsFile(int(body["replication"]), topics)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path}: {error}; see deploy/kafka/topics.yaml") from error


def _word(value: Any) -> str:
    """As the broker writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class Topics:
    """Compares and makes. One connection, closed by `close`."""

    def __init__(self, bootstrap: str, security: Security, wanted: TopicsFile) -> None:
        """Connect.

        Raises:
            Unavailable: no broker answers, or it refuses who we are.
        """
        self._wanted = wanted
        try:
            self._admin = KafkaAdminClient(
                bootstrap_servers=bootstrap.split(","),
                bootstrap_timeout_ms=int(TIMEOUT_S * 1000),
                request_timeout_ms=int(TIMEOUT_S * 1000),
                **security.kafka_python(),
            )
            self._brokers = len(self._admin.describe_cluster()["brokers"])
        except (KafkaError, OSError) as error:
            raise Unavailable(
                f"broker {bootstrap} does not answer ({type(error).__name__}); "
                "check the address, that it runs, and the user and password"
            ) from error

    def close(self) -> None:
        self._admin.close()

    @property
    def remark(self) -> str | None:
        """What an operator should know about the cluster before he trusts it."""
        if self._brokers >= self._wanted.replication:
            return None
        return (
            f"{self._brokers} broker(s): {self.replication} copies instead of "
            f"{self._wanted.replication}; a lost disk costs data"
        )

    @property
    def replication(self) -> int:
        """As many copies as wanted, or as there are brokers."""
        return min(self._wanted.replication, self._brokers)

    def differences(self, names: Iterable[str] | None = None) -> list[Difference]:
        """What the cluster has otherwise, of all topics or of those named."""
        topics = [t for t in self._wanted.topics if names is None or t.name in set(names)]
        try:
            described = self._admin.describe_topics([topic.name for topic in topics])
            there = {each["name"]: each for each in described if not each["error_code"]}
            resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in there]
            configs = (
                self._admin.describe_configs(resources, config_filter=ConfigFilterType.ALL)
                if resources
                else {}
            )
        except (KafkaError, OSError) as error:
            raise Unavailable(f"topics cannot be read: {type(error).__name__}: {error}") from error
        found: list[Difference] = []
        for topic in topics:
            if topic.name not in there:
                found.append(Difference(topic.name, MISSING, "apply makes it", topic))
                continue
            found += self._compare(
                topic, there[topic.name], configs.get("topic", {}).get(topic.name, {})
            )
        return found

    def _compare(
        self, topic: Wanted, there: Mapping[str, Any], config: Mapping[str, Mapping[str, Any]]
    ) -> list[Difference]:
        found = []
        count = len(there["partitions"])
        if count != topic.partitions:
            found.append(
                Difference(
                    topic.name,
                    f"it has {count} partitions, topics.yaml says {topic.partitions}",
                    None,
                    topic,
                )
            )
        copies = min((len(each["replica_nodes"]) for each in there["partitions"]), default=0)
        if copies < self.replication:
            found.append(
                Difference(
                    topic.name,
                    f"it has {copies} copies of a partition, {self.replication} are wanted",
                    None,
                    topic,
                )
            )
        for key, value in self._config(topic).items():
            seen = str(config.get(key, {}).get("value"))
            if seen != value:
                found.append(
                    Difference(
                        topic.name, f"{key} is {seen}, wanted {value}", "apply sets it", topic, key
                    )
                )
        return found

    def _config(self, topic: Wanted) -> dict[str, str]:
        config = dict(topic.config)
        if IN_SYNC in config:
            config[IN_SYNC] = str(max(1, min(int(config[IN_SYNC]), self.replication - 1)))
        return config

    def apply(self) -> list[str]:
        """Make what is missing and set what differs; what was done, a line each.

        Raises:
            Unavailable: the cluster refused something; what was done before stays.
        """
        done = []
        try:
            for each in self.differences():
                if each.fix is None:
                    continue
                topic = each.wanted
                if each.key:
                    value = self._config(topic)[each.key]
                    resource = ConfigResource(
                        ConfigResourceType.TOPIC, topic.name, configs={each.key: value}
                    )
                    self._admin.alter_configs([resource], incremental=True)
                    done.append(f"{topic.name}: {each.key} set to {value}")
                else:
                    self._admin.create_topics(
                        [NewTopic(topic.name, topic.partitions, self.replication,
                                  topic_configs=self._config(topic))]
                    )  # fmt: skip
                    done.append(
                        f"{topic.name}: made, {topic.partitions} partitions, "
                        f"{self.replication} copies"
                    )
        except (KafkaError, OSError) as error:
            raise Unavailable(f"the cluster refused: {type(error).__name__}: {error}") from error
        self._wait_until_seen()
        return done

    def _wait_until_seen(self) -> None:
        """A topic is made before every broker has heard of it."""
        deadline = real_monotonic() + TIMEOUT_S
        while any(d.what == MISSING for d in self.differences()) and real_monotonic() < deadline:
            threading.Event().wait(0.1)


def verify(bootstrap: str, security: Security, path: Path | None, names: Iterable[str]) -> None:
    """At the start of a service: the topics it uses are as the file says.

    Raises:
        ConfigError: they are not; every difference is named.
        Unavailable: no broker answers.
    """
    topics = Topics(bootstrap, security, read_topics(path))
    try:
        found = topics.differences(names)
    finally:
        topics.close()
    if found:
        lines = "\n".join(f"topics.yaml: {each}" for each in found)
        raise ConfigError(f"{lines}\nrun `yujing topics diff`, then `yujing topics apply`")
