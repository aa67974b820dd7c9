"""Put: insert a row, or change the one that is there, in one statement that nobody comes between."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def put(
    connection: Connection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    order = insert(table).values(**key, **values)
    connection.execute(order.on_conflict_do_update(index_elements=list(key), set_=dict(values)))
