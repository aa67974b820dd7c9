"""Access on the broker: each service's user may do what `deploy/kafka/acls.yaml` says, no more.

A service reads the settings of the topics it uses when it starts (it refuses a mismatch), so
describing them goes with reading and writing.
"""

from pathlib import Path

import msgspec
import yaml
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)
from kafka.errors import KafkaError

from shared.errors import ConfigError, Unavailable
from shared.log.security import Security

FILE = Path(__file__).parent / "acls.yaml"
"""`deploy/kafka/acls.yaml` is a link to it, so that an installed distribution has it, too."""
TIMEOUT_MS = 10_000


class Allowed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one user may do."""

    read: list[str] = []
    write: list[str] = []
    groups: list[str] = []


class _File(msgspec.Struct, forbid_unknown_fields=True):
    principals: dict[str, Allowed]


def read_acls(path: Path | None = None) -> dict[str, Allowed]:
    """By user.

    Raises:
        ConfigError: the file cannot be read or is not such a file.
    """
    path = path or FILE
    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
        return msgspec.convert(body, _File).principals
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path}: {error}; see deploy/kafka/acls.yaml") from error


def allow(bootstrap: str, security: Security, wanted: dict[str, Allowed]) -> list[str]:
    """Grant it, as a user who may; what was granted, a line each. Twice is as once.

    Raises:
        Unavailable: the broker does not answer, or refuses.
    """
    granted, lines = [], []
    for user, allowed in wanted.items():
        for operation, topics in (("READ", allowed.read), ("WRITE", allowed.write)):
            for topic in topics:
                for each in (operation, "DESCRIBE", "DESCRIBE_CONFIGS"):
                    granted.append(_acl(user, each, ResourceType.TOPIC, topic))
                lines.append(f"{user}: {operation.lower()} {topic}")
        for group in allowed.groups:
            granted.append(_acl(user, "READ", ResourceType.GROUP, group))
            lines.append(f"{user}: group {group}")
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap.split(","), bootstrap_timeout_ms=TIMEOUT_MS,
            request_timeout_ms=TIMEOUT_MS, **security.kafka_python(),
        )  # fmt: skip
        try:
            failed = admin.create_acls(granted).get("failed")
        finally:
            admin.close()
    except (KafkaError, OSError) as error:
        raise Unavailable(f"broker {bootstrap}: {type(error).__name__}: {error}") from error
    if failed:
        raise Unavailable(f"the broker refused: {failed[0]}; it needs an authorizer")
    return lines


def _acl(user: str, operation: str, kind: ResourceType, name: str) -> ACL:
    pattern = ResourcePattern(kind, name, ACLResourcePatternType.LITERAL)
    return ACL(f"User:{user}", "*", ACLOperation[operation], ACLPermissionType.ALLOW, pattern)
