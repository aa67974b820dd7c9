"""Several replicas on one database: positions, persons, replicas; the ledger guarded there too.

0001 makes whatever the program's tables are, so a new desk has most of this already.
"""

import sqlalchemy as sa
from alembic import op

from services.notify.desk.tables import meta, metadata

revision = "0002"
down_revision = "0001"

_GUARD = """
CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the ledger is append only'; END $$
"""
KEYS = ("after_seq", "boot", "shifted_us", "set_back_from", "set_back_to")


def upgrade() -> None:
    """Rows of meta are there from now on, so that they can be locked."""
    bind = op.get_bind()
    metadata.create_all(bind)
    columns = {each["name"] for each in sa.inspect(bind).get_columns("inbox")}
    if "partition" not in columns:
        op.add_column(
            "inbox", sa.Column("partition", sa.Integer, nullable=False, server_default="0")
        )
    known = set(bind.execute(sa.select(meta.c.key)).scalars())
    for key in KEYS:
        if key not in known:
            bind.execute(sa.insert(meta).values(key=key, value=0))
    if bind.dialect.name == "postgresql":
        op.execute(_GUARD)
        for when in ("UPDATE OR DELETE ON ledger FOR EACH ROW", "TRUNCATE ON ledger"):
            op.execute(
                f"CREATE TRIGGER ledger_no_{when.split(maxsplit=1)[0].lower()} "
                f"BEFORE {when} EXECUTE FUNCTION ledger_is_append_only()"
            )


def downgrade() -> None:
    """Nothing is older than this."""
    raise NotImplementedError("a desk is not taken back; restore a backup")
