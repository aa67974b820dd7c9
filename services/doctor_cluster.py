"""What `yujing doctor` looks at in a cluster: broker, topics, rules' lag, the database."""

from collections.abc import Iterator
from pathlib import Path

from kafka.errors import KafkaError

from services.doctor import Line
from services.rules.postgres import Session
from shared.errors import ConfigError, Unavailable
from shared.log.kafka import KafkaLog
from shared.log.port import ALERTS, REPORTS
from shared.log.security import Security
from shared.log.topics import Topics, read_topics


def examine_broker(bootstrap: str, security: Security, topics: Path | None) -> Iterator[Line]:
    """The broker, its topics, and whether an entry can be read from each that decides."""
    try:
        cluster = Topics(bootstrap, security, read_topics(topics))
    except (Unavailable, ConfigError) as error:
        yield Line("fail", "broker", str(error), "start it, or correct --kafka and the user")
        return
    try:
        if cluster.remark:
            yield Line("warn", "broker", f"{bootstrap} answers; {cluster.remark}",
                       "three brokers survive the loss of one")  # fmt: skip
        else:
            yield Line("ok", "broker", f"{bootstrap} answers")
        found = cluster.differences()
        for each in found:
            yield Line("fail", "topics", f"{each.topic}: {each.what}", "yujing topics apply")
        if not found:
            yield Line("ok", "topics", "as topics.yaml says")
    except (Unavailable, KafkaError) as error:
        yield Line("fail", "topics", str(error), "ask for the right to describe topics")
        return
    finally:
        cluster.close()
    log = KafkaLog(bootstrap, security)
    try:
        for topic in (REPORTS, ALERTS):
            ends = [log.end(topic, number) for number in range(log.partitions(topic))]
            yield Line("ok", topic, f"{len(ends)} partitions, {sum(ends) - len(ends)} entries")
    except Unavailable as error:
        yield Line("fail", "topics", str(error), "look at the broker and at the user's ACLs")
    finally:
        log.close()


def examine_database(url: str) -> Line:
    """Whether it lets us in; nothing is made or changed there."""
    session = Session(url, 5)
    try:
        with session.transaction() as cursor:
            row = cursor.execute("SHOW server_version").fetchone()
        return Line("ok", "database", f"PostgreSQL {row[0] if row else ''} answers")
    except (Unavailable, ConfigError) as error:
        return Line("fail", "database", str(error), "start it, or correct --database-url")
    finally:
        session.close()
