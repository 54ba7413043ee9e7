"""The acts of operators are listed by time, and have notes."""

from kernel.adapters.postgres.migrating.beforehand import Index
from kernel.adapters.postgres.migrating.ddl import OPERATOR_RECORD_0002, execute_script

revision = "0006"
down_revision = "0005"

beforehand = [Index("operator_record_at", "operator_record", "(at, subject, did)")]


def upgrade() -> None:
    execute_script(OPERATOR_RECORD_0002)
