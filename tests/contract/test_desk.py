"""What every desk promises, in a file or on a server, and what only the server's must."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.exc import DBAPIError

from services.notify.desk import tables as t
from services.notify.desk.desk import Desk
from services.notify.desk.server import SCHEMA
from shared.database import PASSWORD_FILE
from shared.errors import ConfigError, NewerData, Unavailable
from shared.testing.parts.postgres import Postgres
from shared.testing.program import until
from tests.scenario.desk_fixtures import desks, houses
from tests.scenario.desks import Desks, Houses, server
from tests.scenario.house import House

__all__ = ["desks", "houses"]
on_server = pytest.mark.needs("postgres")


@pytest.fixture
def served() -> Desks:
    return Desks("postgres")


@pytest.mark.parametrize(
    "order", ["UPDATE ledger SET person = 'wu'", "DELETE FROM ledger", "TRUNCATE ledger"]
)
def test_the_ledger_is_append_only(houses: Houses, order: str) -> None:
    """Not by intention: the tables refuse."""
    house = houses()
    house.fire()
    if not house.desk.is_served and order.startswith("TRUNCATE"):
        return  # SQLite has no such order
    with pytest.raises(DBAPIError, match="append only"), house.desk.unit() as unit:
        unit.connection.exec_driver_sql(order)
    assert house.notify.audit_verify() == []


def test_a_unit_that_fails_leaves_nothing(desks: Desks) -> None:
    """All of a verb or nothing."""
    desk = desks.new()
    with pytest.raises(ZeroDivisionError), desk.unit() as unit:
        unit.set_meta("after_seq", 7)
        raise ZeroDivisionError
    with desk.unit() as unit:
        assert unit.meta("after_seq") == 0


def test_a_desk_of_the_first_format_goes_on(tmp_path: Path) -> None:
    """What an older program wrote is read by this one, and the newer tables are there."""
    path = tmp_path / "desk.db"
    house = House(desk=Desk.at(path))
    house.fire()
    before = house.incident()
    with house.desk.unit() as unit:
        for table in ("positions", "persons", "replicas"):
            unit.connection.exec_driver_sql(f"DROP TABLE {table}")
        unit.connection.exec_driver_sql("ALTER TABLE inbox DROP COLUMN partition")
        unit.connection.exec_driver_sql("DELETE FROM meta WHERE key LIKE 's%'")
        unit.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    house.desk.close()
    again = House(desk=Desk.at(path))
    again.clock.advance(house.now - again.now)
    again.seq = 1
    assert again.incident() == before
    again.fire("ammonia", "red")
    assert again.notify.after_seq() == 2
    again.desk.close()


def test_a_newer_desk_is_refused(tmp_path: Path) -> None:
    """A program that does not know the tables leaves them alone."""
    desk = Desk.at(tmp_path / "desk.db")
    with desk.unit() as unit:
        unit.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    desk.close()
    with pytest.raises(NewerData, match="start the newer program"):
        Desk.at(tmp_path / "desk.db")


@on_server
def test_replicas_may_start_at_once() -> None:
    """One of them makes the tables, in a schema that is notify's own."""
    name = server().create()
    opened: list[Desk] = []
    threads = [
        threading.Thread(target=lambda: opened.append(Desk.at_url(server().url(name))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(opened) == 4
    with opened[0].read() as connection:
        assert set(t.metadata.tables) < set(inspect(connection).get_table_names(SCHEMA))
        assert inspect(connection).get_table_names("public") == []
    for each in opened:
        each.close()
    server().drop(name)


@on_server
def test_a_server_that_is_away_is_unavailable_and_found_again() -> None:
    """A restart of the database is a pause, not an end."""
    own = Postgres(durable=False).start()
    house = House(desk=Desk.at_url(own.url()))
    house.fire()
    incident = house.incident()["id"]
    own.kill()
    with pytest.raises(Unavailable, match="database"):
        house.notify.incidents(None, None, lambda _: True)
    with pytest.raises(Unavailable, match="database"):
        house.notify.acknowledge(incident, "li", "api", "", house.now)
    with pytest.raises(Unavailable, match="mend --database-url"):
        Desk.at_url(own.url())
    own.start()
    until(lambda: _answers(house), 10)
    house.acknowledge()
    assert house.incident()["state"] == "acknowledged"
    house.desk.close()
    own.stop()


def _answers(house: House) -> bool:
    try:
        return bool(house.notify.incidents(None, None, lambda _: True))
    except Unavailable:
        return False


@on_server
def test_two_units_that_wait_for_each_other_are_unavailable_not_lost(served: Desks) -> None:
    """A deadlock is broken by the server; its victim is tried again by the loop it came from."""
    with served:
        url = served.url()
        one, two = served.open(url), served.open(url)
        first, second = threading.Event(), threading.Event()
        failed: list[BaseException] = []

        def cross(
            desk: Desk, keys: tuple[str, str], mine: threading.Event, other: threading.Event
        ) -> None:
            try:
                with desk.unit() as unit:
                    unit.meta(keys[0])
                    mine.set()
                    other.wait(10)
                    unit.meta(keys[1])
            except Unavailable as error:
                failed.append(error)

        threads = [
            threading.Thread(target=cross, args=(one, ("boot", "after_seq"), first, second)),
            threading.Thread(target=cross, args=(two, ("after_seq", "boot"), second, first)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert [type(each) for each in failed] == [Unavailable]


@pytest.mark.parametrize("url", ["mysql://h/d", "nonsense", "sqlite:///x"])
def test_another_kind_of_database_is_a_configuration_error(url: str) -> None:
    """Said before anything is opened, without the url, which may hold a password."""
    with pytest.raises(ConfigError, match="postgresql://HOST/DATABASE"):
        Desk.at_url(url)


@on_server
def test_the_password_may_stand_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: Desks
) -> None:
    """Read at every connect; a file that cannot be read is named."""
    with served:
        url = served.url()
        (tmp_path / "password").write_text("secret\n")
        monkeypatch.setenv(PASSWORD_FILE, str(tmp_path / "password"))
        with served.open(url).read() as connection:
            assert connection.execute(select(t.meta.c.key)).first() is not None
        monkeypatch.setenv(PASSWORD_FILE, str(tmp_path / "nothing"))
        with pytest.raises(ConfigError, match="cannot be read"):
            Desk.at_url(url)
