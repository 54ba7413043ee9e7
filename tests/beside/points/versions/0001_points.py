"""Points, and the kernel's outbox, inbox, parked messages, operations, pauses and record."""

from kernel.adapters.postgres.migrating.ddl import (
    MESSAGING_0001,
    MESSAGING_0002,
    MESSAGING_0003,
    MESSAGING_0004,
    MESSAGING_0005,
    OPERATOR_RECORD_0001,
    OPERATOR_RECORD_0002,
    execute_script,
)

revision = "0001"
down_revision = None


def upgrade() -> None:
    execute_script('CREATE TABLE points (user_id text COLLATE "C" PRIMARY KEY, points bigint NOT NULL);\n')
    for script in (
        *(MESSAGING_0001, MESSAGING_0002, MESSAGING_0003, MESSAGING_0004, MESSAGING_0005),
        *(OPERATOR_RECORD_0001, OPERATOR_RECORD_0002),
    ):
        execute_script(script)
