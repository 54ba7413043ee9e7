"""The acts of operators are recorded."""

from kernel.adapters.postgres.migrating.ddl import OPERATOR_RECORD_0001, execute_script, make_append_only

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    execute_script(OPERATOR_RECORD_0001)
    make_append_only("operator_record")
