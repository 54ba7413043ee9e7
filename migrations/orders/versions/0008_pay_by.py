"""Until when an order may be paid, and the time that its client gave for that."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN pay_by timestamptz")
    op.execute("ALTER TABLE orders ADD COLUMN pay_by_given timestamptz")
