"""Tables for operators: steps of the series, which are computed once, and runs of the audit.

The number of a run is its key: if two processes begin a run at once, one finds the number taken.
"""

from kernel.adapters.postgres.migrating.ddl import execute_script

revision = "0010"
down_revision = "0009"

TABLES = """
CREATE TABLE series_steps (
    start timestamptz PRIMARY KEY,
    orders bigint NOT NULL,
    sampled integer NOT NULL,
    decided integer NOT NULL,
    p50_s double precision,
    p99_s double precision,
    computed_at timestamptz NOT NULL
);
CREATE TABLE audit_runs (
    number bigint PRIMARY KEY,
    id uuid NOT NULL,
    operator text COLLATE "C" NOT NULL,
    through text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    detail text NOT NULL,
    phase text COLLATE "C" NOT NULL,
    done bigint NOT NULL,
    total bigint NOT NULL,
    checked text NOT NULL,
    fault_count bigint NOT NULL,
    faults text NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz,
    lease_until timestamptz NOT NULL
);
"""


def upgrade() -> None:
    execute_script(TABLES)
