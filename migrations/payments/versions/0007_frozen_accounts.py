"""Operators freeze accounts."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("ALTER TABLE accounts ADD COLUMN frozen_at timestamptz")
