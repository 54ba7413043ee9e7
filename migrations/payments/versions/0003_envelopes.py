"""A row of the outbox holds many events."""

from kernel.adapters.postgres.migrating.ddl import MESSAGING_0003, execute_script

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    execute_script(MESSAGING_0003)
