"""An order is decided once, whichever user an event about it names.

Fails if an order was decided for two users, and names the order (docs/recipes/upgrading.md).
"""

from kernel.adapters.postgres.migrating.beforehand import Index

revision = "0009"
down_revision = "0008"

beforehand = [Index("payments_order", "payments", "(order_id)", unique=True)]


def upgrade() -> None:
    """Nothing more: `beforehand` builds the index."""
