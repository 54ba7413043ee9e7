"""Operators pause the consumer of a service, and resume it."""

from kernel.adapters.postgres.migrating.ddl import MESSAGING_0005, execute_script

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    execute_script(MESSAGING_0005)
