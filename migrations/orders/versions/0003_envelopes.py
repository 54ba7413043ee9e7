"""A row of the outbox holds many events."""

from kernel.adapters.postgres.migrating.beforehand import InBatches
from kernel.adapters.postgres.migrating.ddl import (
    MESSAGING_0003,
    UNCOMPRESSED_0003,
    execute_script,
    execute_without_citus,
)

revision = "0003"
down_revision = "0002"

# Earlier versions notified through the outbox. Nobody publishes their rows any more, and while old rows wait,
# AskAgain does nothing.
beforehand = [
    InBatches(
        "outbox",
        key="type, id",
        change="DELETE FROM outbox",
        where="type = 'shop.orders.order-status-changed.v1'",
    )
]


def upgrade() -> None:
    execute_script(MESSAGING_0003)
    execute_without_citus(UNCOMPRESSED_0003)
