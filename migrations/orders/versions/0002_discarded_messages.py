"""Parked messages get an id that an operator can name; discarded messages are recorded."""

from kernel.adapters.postgres.migrating.ddl import MESSAGING_0002, execute_script, make_append_only

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    execute_script(MESSAGING_0002)
    make_append_only("discarded_messages")
