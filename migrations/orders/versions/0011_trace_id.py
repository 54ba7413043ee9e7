"""The trace id of the call that placed an order, by which operators find its traces and log lines."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN trace_id uuid")
