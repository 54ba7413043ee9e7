"""Dead letters are parked messages, groups of messages can be held, and operations replay or discard them."""

from kernel.adapters.postgres.migrating.ddl import MESSAGING_0004, execute_script

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    execute_script(MESSAGING_0004)
