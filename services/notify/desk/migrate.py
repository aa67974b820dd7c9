"""Migrations of the desk, by Alembic; nothing happens when the tables are the newest."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from shared.errors import NewerData

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(connection: Connection) -> None:
    """
    Bring the tables to what this program knows, in the caller's transaction.

    Raises:
        NewerData: a newer program has been here.

    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        if "locate revision" not in str(error):
            raise
        raise NewerData(
            f"the desk's tables are newer than this program: {error}; start the newer program"
        ) from error
