"""A producer that was thrown away speaks no more: what was refused does not arrive later."""

import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from kafka.producer.sender import Sender

from shared.errors import Unavailable
from shared.log.kafka import KafkaLog
from shared.log.port import REPORTS, Addition, Position
from shared.testing.parts.kafka import Broker
from shared.testing.program import ROOT, free_ports, until


def test_an_append_that_failed_leaves_nothing_behind(
    own_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """Another one is under way when it fails: both hear so, no thread lives on, nothing comes later."""
    # Records of errors would hold the client's refused sockets beyond the test.
    caplog.set_level(logging.CRITICAL, "kafka")
    log = KafkaLog(own_broker.bootstrap, timeout_s=2)
    numbers = range(log.partitions(REPORTS))
    log.append_all([Addition(REPORTS, "", b"first", number) for number in numbers])
    senders = [thread for thread in threading.enumerate() if isinstance(thread, Sender)]
    assert senders
    own_broker.kill()
    with ThreadPoolExecutor() as pool:
        under_way = []
        for number in numbers[:3]:
            under_way.append(pool.submit(log.append, REPORTS, [("", b"refused")], number))
            threading.Event().wait(0.5)
        for each in under_way:
            with pytest.raises(Unavailable, match="the log cannot be written"):
                each.result(20)
    until(lambda: not any(thread.is_alive() for thread in senders), 10, what="its thread ended")
    own_broker.start()
    until(lambda: appended(log), 30, what="the log takes something again")
    log.append_all([Addition(REPORTS, "", b"last", number) for number in numbers])
    for number in numbers:
        values = [entry.value for entry in log.read(REPORTS, number, Position(0)).entries]
        assert b"refused" not in values
        assert (values[0], values[-1]) == (b"first", b"last")
    log.close()


def appended(log: KafkaLog) -> bool:
    try:
        log.append(REPORTS, [("", b"second")])
    except Unavailable:
        return False
    return True


def test_every_line_of_the_log_is_an_object_also_without_a_broker() -> None:
    """Contract §1: logs go to stderr, one JSON object per line."""
    code = (
        "import threading; from services.rules.alerts_out import ConfluentOut;"
        "from shared.log.security import Security; from shared.observe import logs;"
        f"logs.configure('info'); ConfluentOut('127.0.0.1:{free_ports(1)[0]}', Security());"
        "threading.Event().wait(1.5)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert lines
    assert [line for line in lines if not line.startswith("{")] == []
