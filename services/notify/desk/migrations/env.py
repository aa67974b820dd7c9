"""Alembic's entry: runs the migrations on the connection it is handed."""

from alembic import context

from services.notify.desk.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
context.run_migrations()
