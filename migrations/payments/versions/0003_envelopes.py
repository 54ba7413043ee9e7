"""A row of the outbox holds many events."""

from kernel.adapters.postgres.migrating.ddl import (
    MESSAGING_0003,
    UNCOMPRESSED_0003,
    execute_script,
    execute_without_citus,
)

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    execute_script(MESSAGING_0003)
    execute_without_citus(UNCOMPRESSED_0003)
