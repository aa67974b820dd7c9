"""The password of the database comes from a file, for every service that has one.

compose, the units of systemd and Kubernetes give nothing else: a service that does not read
YUJING_DATABASE_PASSWORD_FILE cannot be deployed with any of them.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import text

from services.notify.desk.server import open_server
from services.rules.postgres import Session
from shared.testing.parts.postgres import Postgres
from shared.testing.program import until

pytestmark = [pytest.mark.system, pytest.mark.needs("postgres")]

PASSWORD = "geheim"


@pytest.fixture(scope="module")
def locked() -> Iterator[str]:
    """The URL of a database that asks its user for a password, without the password."""
    server = Postgres(durable=False).start()
    url = server.url(server.create())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE duty LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
        row = connection.execute("SHOW hba_file").fetchone()
        assert row is not None
        rules = Path(row[0])
        rules.write_text("host all duty all scram-sha-256\n" + rules.read_text())
        connection.execute("SELECT pg_reload_conf()")
    parts = urlsplit(url)
    address = f"postgresql://duty@{parts.hostname}:{parts.port}{parts.path}"
    until(lambda: is_refused(address), what="PostgreSQL asks for the password")
    yield address
    server.stop()


def is_refused(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return True
    return False


def rules(url: str) -> None:
    session = Session(url, 10)
    try:
        with session.transaction() as cursor:
            cursor.execute("SELECT 1")
    finally:
        session.close()


def notify(url: str) -> None:
    engine = open_server(url)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    engine.dispose()


@pytest.mark.parametrize(
    "connect",
    [
        rules,
        notify,
    ],
)
def test_a_service_connects_with_the_password_of_the_file(
    connect: Callable[[str], None], locked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a newline at its end, as an editor writes it."""
    secret = tmp_path / "database-password"
    secret.write_text(f"{PASSWORD}\n")
    monkeypatch.setenv("YUJING_DATABASE_PASSWORD_FILE", str(secret))
    connect(locked)
