"""A real Apache Kafka broker as a child process: started, killed, started again on the same data.

The jars come from `scripts/install_kafka.sh`. One node is broker and controller at once (KRaft);
`cluster` starts three. `secure` gives SASL_SSL with SCRAM-SHA-512 and ACLs.
"""

import base64
import contextlib
import hashlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from shared.testing.program import ROOT, free_ports, until

LIB = ROOT / "var" / "kafka" / "lib"
JVM = (
    "-Xms128m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
)  # fmt: skip
LOGGING = """\
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1} %m%n
"""
PROPERTIES = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=CLIENT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENT
log.dirs={data}
auto.create.topics.enable=false
unclean.leader.election.enable=false
default.replication.factor={replicas}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}
share.coordinator.state.topic.num.partitions=2
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
message.max.bytes=25165824
replica.fetch.max.bytes=25165824
log.segment.bytes=67108864
log.cleaner.dedupe.buffer.size=16777216
"""
PLAIN = "listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
SECURE = """\
listener.security.protocol.map=CLIENT:SASL_SSL,CONTROLLER:SASL_SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="admin" password="{admin}";
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="{admin}" user_admin="{admin}";
ssl.keystore.type=PKCS12
ssl.keystore.location={folder}/kafka.p12
ssl.keystore.password={admin}
ssl.key.password={admin}
ssl.truststore.type=PKCS12
ssl.truststore.location={folder}/trust.p12
ssl.truststore.password={admin}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin
allow.everyone.if.no.acl.found=false
"""


class Broker:
    """One node. `users` (name -> password, with `admin` among them) makes it a secure one."""

    def __init__(
        self,
        folder: Path,
        *,
        node: int = 1,
        ports: tuple[int, int] | None = None,
        voters: str = "",
        nodes: int = 1,
        users: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.users = dict(users or {})
        self.port, self._controller = ports or tuple(free_ports(2))
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "log4j2.properties").write_text(LOGGING)
        if self.users and not (folder / "ca.pem").exists():
            _certificates(folder, self.users["admin"])
        security = SECURE if self.users else PLAIN
        text = (PROPERTIES + security).format(
            node=node, port=self.port, controller=self._controller, folder=folder,
            voters=voters or f"{node}@127.0.0.1:{self._controller}", data=folder / "data",
            replicas=min(nodes, 3), in_sync=2 if nodes > 2 else 1, admin=self.users.get("admin", ""),
        )  # fmt: skip
        (folder / "server.properties").write_text(text)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def start(self, *, wait: bool = True) -> Self:
        if not (self.folder / "data" / "meta.properties").exists():
            scram = [
                part
                for name, password in self.users.items()
                for part in ("--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]")
            ]
            self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER, *scram, "-c").wait(60)
        self._process = self._java("kafka.Kafka")
        if wait:
            self.wait(1)
        return self

    def wait(self, nodes: int) -> None:
        """Until the cluster has that many brokers."""
        until(lambda: self._count() >= nodes, within_s=60, what=f"{nodes} brokers at {self.port}")

    def _count(self) -> int:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"the broker ended: {(self.folder / 'out').read_text()[-2000:]}")
        try:
            # The client leaks the socket of a refused connection: ask only when one is taken.
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            with contextlib.closing(self.admin(bootstrap_timeout_ms=1_500)) as admin:
                return len(admin.describe_cluster()["brokers"])
        except (KafkaError, OSError):
            return 0

    def admin(self, **more: object) -> KafkaAdminClient:
        """A client that may do everything."""
        return KafkaAdminClient(
            bootstrap_servers=self.bootstrap, **self.client("admin" if self.users else None), **more
        )

    def client(self, user: str | None = None) -> dict[str, object]:
        """Arguments of kafka-python for one user."""
        if user is None:
            return {}
        return {
            "security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": user, "sasl_plain_password": self.users[user],
            "ssl_cafile": str(self.ca),
        }  # fmt: skip

    def environment(self, user: str) -> dict[str, str]:
        """What a service is given to be that user."""
        return {
            "YUJING_KAFKA_USERNAME": user, "YUJING_KAFKA_PASSWORD": self.users[user],
            "YUJING_KAFKA_CAFILE": str(self.ca),
        }  # fmt: skip

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def pause(self) -> None:
        """It stops answering; connections stay."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(30)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.go_on()
            self.kill()

    def _java(self, main: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self.folder / "out").open("ab") as out:
            # Ends with us, even when we are killed.
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "java", *JVM,
                 f"-Dlog4j2.configurationFile={self.folder}/log4j2.properties", "-cp", f"{LIB}/*",
                 main, *arguments, str(self.folder / "server.properties")],
                stdout=subprocess.DEVNULL if main.endswith("Tool") else out, stderr=out,
            )  # fmt: skip


CLUSTER = base64.urlsafe_b64encode(hashlib.sha256(b"yujing tests").digest()[:16]).decode()[:22]


def cluster(folder: Path, nodes: int = 3) -> list[Broker]:
    """Brokers that replicate each other, started."""
    ports = free_ports(2 * nodes)
    pairs = [(ports[2 * n], ports[2 * n + 1]) for n in range(nodes)]
    voters = ",".join(f"{n + 1}@127.0.0.1:{pair[1]}" for n, pair in enumerate(pairs))
    brokers = [
        Broker(folder / f"node{n + 1}", node=n + 1, ports=pair, voters=voters, nodes=nodes)
        for n, pair in enumerate(pairs)
    ]
    for broker in brokers:
        broker.start(wait=False)
    for broker in brokers:
        broker.wait(nodes)
    return brokers


def bootstrap_of(brokers: Iterable[Broker]) -> str:
    return ",".join(broker.bootstrap for broker in brokers)


def _certificates(folder: Path, password: str) -> None:
    def keytool(*arguments: str) -> Sequence[str]:
        return ["keytool", *arguments, "-storepass", password]

    store = str(folder / "kafka.p12")
    for command in (
        keytool(
            "-genkeypair", "-alias", "kafka", "-keyalg", "EC", "-groupname", "secp256r1",
            "-validity", "3650", "-dname", "CN=localhost", "-ext", "SAN=dns:localhost,ip:127.0.0.1",
            "-keystore", store, "-storetype", "PKCS12", "-keypass", password,
        ),
        keytool("-exportcert", "-rfc", "-alias", "kafka", "-keystore", store,
                "-file", str(folder / "ca.pem")),
        keytool("-importcert", "-noprompt", "-alias", "ca", "-file", str(folder / "ca.pem"),
                "-keystore", str(folder / "trust.p12"), "-storetype", "PKCS12"),
    ):  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
