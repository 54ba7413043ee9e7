"""The trace of the call that placed an order: what operators look for in traces and logs."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN trace_id uuid")
