"""The first desk."""

from alembic import op

from services.notify.desk.tables import metadata

revision = "0001"
down_revision = None

_APPEND_ONLY = "the ledger is append only"


def upgrade() -> None:
    """All tables, and on SQLite the triggers that keep the ledger append only."""
    bind = op.get_bind()
    metadata.create_all(bind)
    if bind.dialect.name == "sqlite":
        for order in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER ledger_no_{order.lower()} BEFORE {order} ON ledger "
                f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
            )


def downgrade() -> None:
    """Nothing is older than this."""
    metadata.drop_all(op.get_bind())
