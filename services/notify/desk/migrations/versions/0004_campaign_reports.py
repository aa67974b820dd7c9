"""Campaign reports: what a campaign made different, written once by one replica for all."""

from alembic import op

from services.notify.desk.tables import metadata

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """A table of its own; nothing that is there changes."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Nothing is older than this."""
    raise NotImplementedError("a desk is not taken back; restore a backup")
