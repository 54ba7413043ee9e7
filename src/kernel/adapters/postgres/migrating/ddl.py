"""DDL that the migrations of all services share. It must never change: databases were made with it."""

from alembic import op
from sqlalchemy import text

from kernel.adapters.postgres.migrating.citus import HAS_CITUS

MESSAGING_0001 = """
CREATE TABLE outbox (
    type text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    event bytea NOT NULL,
    PRIMARY KEY (type, id)
);
CREATE TABLE inbox (
    source text COLLATE "C" NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (source, event_id)
);
CREATE INDEX inbox_received_at ON inbox (received_at);
CREATE TABLE parked_messages (
    type text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    detail text NOT NULL,
    payload bytea NOT NULL,
    count integer NOT NULL,
    first_parked_at timestamptz NOT NULL,
    last_parked_at timestamptz NOT NULL,
    PRIMARY KEY (type, subject, reason)
);
"""

# The default is for a previous version of the service, which sets no id, and for rows that it inserted.
MESSAGING_0002 = """
ALTER TABLE parked_messages ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE parked_messages ADD CONSTRAINT parked_messages_id_key UNIQUE (id);
CREATE TABLE discarded_messages (
    id uuid PRIMARY KEY,
    type text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    detail text NOT NULL,
    payload bytea NOT NULL,
    count integer NOT NULL,
    first_parked_at timestamptz NOT NULL,
    last_parked_at timestamptz NOT NULL,
    discarded_at timestamptz NOT NULL,
    discarded_by text NOT NULL,
    note text NOT NULL
);
"""

# The default is for a previous version of the service, whose rows are single events.
MESSAGING_0003 = """
ALTER TABLE outbox ADD COLUMN count integer NOT NULL DEFAULT 1;
"""
# Outbox rows live for seconds, so compressing them would cost more than it saves.
UNCOMPRESSED_0003 = "ALTER TABLE outbox ALTER COLUMN event SET STORAGE EXTERNAL"

# The defaults are for a previous version of the service, which does not know dead letters.
MESSAGING_0004 = """
ALTER TABLE parked_messages ADD COLUMN dead_letter boolean NOT NULL DEFAULT false;
ALTER TABLE discarded_messages ADD COLUMN dead_letter boolean NOT NULL DEFAULT false;
CREATE TABLE held_causes (
    dead_letter boolean NOT NULL,
    type text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    owner text NOT NULL,
    note text NOT NULL,
    ticket text NOT NULL,
    held_by text NOT NULL,
    held_at timestamptz NOT NULL,
    PRIMARY KEY (dead_letter, type, reason)
);
CREATE TABLE operations (
    id uuid PRIMARY KEY,
    kind text COLLATE "C" NOT NULL,
    target uuid NOT NULL,
    about text NOT NULL,
    operator text NOT NULL,
    through text NOT NULL,
    note text NOT NULL,
    total integer NOT NULL,
    passed integer NOT NULL,
    done integer NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX operations_running ON operations (id) WHERE ended_at IS NULL;
CREATE TABLE operation_messages (
    operation uuid NOT NULL,
    message uuid NOT NULL,
    count integer NOT NULL,
    PRIMARY KEY (operation, message)
);
"""

MESSAGING_0005 = """
CREATE TABLE paused_consumers (
    consumer text COLLATE "C" PRIMARY KEY,
    paused_by text NOT NULL,
    note text NOT NULL,
    paused_at timestamptz NOT NULL
);
"""

OPERATOR_RECORD_0001 = """
CREATE TABLE operator_record (
    user_id text COLLATE "C" NOT NULL,
    subject uuid NOT NULL,
    did text COLLATE "C" NOT NULL,
    operator text COLLATE "C" NOT NULL,
    through text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (user_id, subject, did)
);
"""

# The defaults are for a previous version of the service.
OPERATOR_RECORD_0002 = """
ALTER TABLE operator_record ADD COLUMN about text NOT NULL DEFAULT '';
ALTER TABLE operator_record ADD COLUMN note text NOT NULL DEFAULT '';
"""

REFUSE_CHANGE_0001 = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""


def execute_script(script: str) -> None:
    """Runs the statements of a script one by one, because the driver cannot prepare several at once."""
    for statement in script.split(";\n"):
        if statement.strip():
            op.execute(statement)


def execute_without_citus(statement: str) -> None:
    """Runs a statement that Citus refuses, except on Citus, where the shop works without the statement."""
    # `as_sql` means that alembic only writes the statements to a file.
    if op.get_context().as_sql or not op.get_bind().scalar(text(HAS_CITUS)):
        op.execute(statement)


def make_append_only(table: str) -> None:
    """Makes a table append-only by a trigger. Citus refuses triggers; privileges protect the table there."""
    execute_without_citus(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
