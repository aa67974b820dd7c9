"""The topic of amendments: each is told once, whoever reads it, however often it stands there."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from services.notify.amendments_topic import Amended
from shared.model.amendment import Amendment, decode_amendment, encode_amendment
from shared.model.transition import Transition
from tests.scenario.history_house import HistoryHouse


class Cluster:
    """One partition of alerts and one of amendments; positions count from 1, as on Kafka."""

    def __init__(self, house: HistoryHouse) -> None:
        self.house = house
        self.alerts: list[Transition] = []
        self.said: list[bytes] = []

    def partitions(self) -> int:
        return 1

    def read(
        self, partition: int, start: int, limit: int
    ) -> tuple[list[tuple[int, Amendment]], int]:
        start = max(start, 1)
        some = self.said[start - 1 : start - 1 + limit]
        found = [(start + n, decode_amendment(value)) for n, value in enumerate(some)]
        return found, start + len(some)

    def wait(self, starts: Mapping[int, int], timeout_s: float) -> bool:
        return True

    def alerts_end(self, partition: int) -> int:
        return len(self.alerts) + 1

    def publish(self) -> None:
        """What rules said so far, alerts first."""
        said = self.house.store.read(len(self.alerts), 1000)
        self.alerts += [each for _, each in said]
        found = self.house.history.amendments(len(self.said), 1000, told_only=True)
        self.said += [encode_amendment(each) for _, each in found]

    def take_alerts(self) -> None:
        notify, next_ = self.house.people.notify, len(self.alerts) + 1
        notify.take_entries(0, list(enumerate(self.alerts, 1)), next_)
        self.house.people.send()

    def turn(self, reader: Amended) -> bool:
        moved = reader.turn()
        self.house.people.send()
        return moved


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """An alarm at 12:01 that was a typing error; nobody has been told of anything yet."""
    house = HistoryHouse(tmp_path)
    house.read((0, 20), (1, 120))
    house.append(house.report(1, 12))
    house.tick(2)
    found = Cluster(house)
    found.publish()
    assert (len(found.alerts), len(found.said)) == (1, 1)
    return found


def test_amendment_waits_for_its_alert_and_is_told_once(cluster: Cluster) -> None:
    """It overtook the alarm; then it is said again, to this reader and to another one."""
    house = cluster.house
    reader = Amended(house.people.notify, cluster)
    assert not cluster.turn(reader)
    assert reader.has_waiting
    house.people.no_other_messages()
    cluster.take_alerts()
    assert "120mg/L" in house.message()
    assert cluster.turn(reader)
    assert "更正" in house.message()
    cluster.said *= 3
    other = Amended(house.people.notify, cluster)
    assert cluster.turn(reader)
    assert cluster.turn(other)
    assert not cluster.turn(other)
    assert not other.has_waiting
    house.people.no_other_messages()
    kinds = [each["kind"] for each in house.people.incident("ww")["timeline"]]
    assert kinds.count("amended") == 1


def test_reader_that_dies_before_it_takes_loses_nothing(cluster: Cluster) -> None:
    house = cluster.house
    Amended(house.people.notify, cluster).turn()
    cluster.take_alerts()
    house.message()
    assert cluster.turn(Amended(house.people.notify, cluster))
    assert "更正" in house.message()
    assert house.people.notify.amendment_positions() == {0: 2}


def test_without_alerts_there_is_nothing_to_wait_for(cluster: Cluster) -> None:
    """An episode that only appeared: nobody was told, and nobody waits for ever."""
    cluster.alerts.clear()
    assert cluster.turn(Amended(cluster.house.people.notify, cluster))
    cluster.house.people.no_other_messages()


def test_amendment_of_a_newer_format_is_refused(cluster: Cluster) -> None:
    newer = cluster.said[0].replace(b'"format":1', b'"format":99')
    with pytest.raises(ValueError, match="format 99"):
        decode_amendment(newer)
