"""Silences: what people asked not to be told of, until when."""

from alembic import op

from services.notify.desk.tables import metadata

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """A table of its own; nothing that is there changes."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Nothing is older than this."""
    raise NotImplementedError("a desk is not taken back; restore a backup")
