"""Every combination of the filters of a list of orders has an index that ends in the id.

Without a status, the primary key serves the orders of one user, and `orders_id` those of all users.
"""

from kernel.adapters.postgres.migrating.beforehand import Index

revision = "0004"
down_revision = "0003"

beforehand = [
    Index("orders_status", "orders", "(status, id)"),
    Index("orders_user_status", "orders", "(user_id, status, id)"),
]


def upgrade() -> None:
    """Nothing more: `beforehand` builds the indexes."""
