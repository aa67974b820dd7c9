"""Security: how a service proves to the broker who it is. From the environment, never from flags.

A user name switches SASL_SSL with SCRAM-SHA-512 on; without one the connection is plain, which is
for one machine and for tests only.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path

import msgspec

from shared.errors import ConfigError

MECHANISM = "SCRAM-SHA-512"


class Security(msgspec.Struct, frozen=True):
    """`cafile` None means the authorities that the system trusts."""

    username: str | None = None
    password: str = ""
    cafile: str | None = None

    def __repr__(self) -> str:
        return f"Security({self.username})"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Security":
        """Read `YUJING_KAFKA_USERNAME`, `_PASSWORD` or `_PASSWORD_FILE`, `_CAFILE`.

        Raises:
            ConfigError: a user without a password, or a file that cannot be read.
        """
        username = environment.get("YUJING_KAFKA_USERNAME") or None
        if username is None:
            return cls()
        password = environment.get("YUJING_KAFKA_PASSWORD", "")
        path = environment.get("YUJING_KAFKA_PASSWORD_FILE")
        if not password and path:
            password = read_secret("YUJING_KAFKA_PASSWORD_FILE", path)
        if not password:
            raise ConfigError(
                f"YUJING_KAFKA_USERNAME is {username!r} but there is no password; "
                "set YUJING_KAFKA_PASSWORD or YUJING_KAFKA_PASSWORD_FILE"
            )
        cafile = environment.get("YUJING_KAFKA_CAFILE") or None
        if cafile is not None and not Path(cafile).is_file():
            raise ConfigError(f"YUJING_KAFKA_CAFILE: {cafile} is not a file; give the CA's PEM")
        return cls(username, password, cafile)

    def kafka_python(self) -> dict[str, object]:
        """Arguments of KafkaProducer, KafkaConsumer and KafkaAdminClient."""
        if self.username is None:
            return {}
        return {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
            "ssl_context": self.context(),
        }

    def aiokafka(self) -> dict[str, object]:
        """Arguments of AIOKafkaProducer and AIOKafkaConsumer."""
        return self.kafka_python()

    def confluent(self) -> dict[str, object]:
        """Settings of confluent_kafka's clients."""
        if self.username is None:
            return {}
        found: dict[str, object] = {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": MECHANISM,
            "sasl.username": self.username,
            "sasl.password": self.password,
        }
        if self.cafile is not None:
            found["ssl.ca.location"] = self.cafile
        return found

    def context(self) -> ssl.SSLContext:
        """For clients that want one: the broker's certificate and name are checked."""
        return ssl.create_default_context(cafile=self.cafile)


def read_secret(name: str, path: str) -> str:
    """A secret from a file, without the line end that editors add.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: {path} cannot be read: {error}") from error
