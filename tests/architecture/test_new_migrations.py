"""A new migration blocks no table that is in use (docs/recipes/writing-a-migration.md)."""

import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import ModuleType

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.util import load_python_file

from kernel.adapters.postgres.migrating.beforehand import DropIndex, InBatches, Index
from kernel.adapters.postgres.migrating.migrate import MIGRATIONS

SQUAWK = Path(sys.executable).with_name("squawk")
# Older than this check, and frozen.
RELEASED = ("0001", "0002", "0003")
NEW = [path for path in sorted(MIGRATIONS.glob("*/versions/*.py")) if path.name[:4] not in RELEASED]

# The migrator sets its own timeouts, the choice of types is ours, and a release may drop columns and tables
# that the release before no longer uses.
NOT_ASKED = (
    "require-lock-timeout,require-statement-timeout,require-timeout-settings,prefer-bigint-over-int,"
    "prefer-bigint-over-smallint,prefer-robust-stmts,prefer-identity,prefer-text-field,prefer-timestamptz,"
    "ban-drop-column,ban-drop-table"
)
# The statements that the transaction of a migration may have. Changes of rows belong to InBatches.
CHANGES_THE_SCHEMA = re.compile(r"\s*(CREATE|ALTER|DROP|COMMENT|GRANT|REVOKE)\b", re.IGNORECASE)
COMMENTS = re.compile(r"--.*?$|/\*.*?\*/", re.MULTILINE | re.DOTALL)


def transaction_of(migration: ModuleType) -> str:
    """The SQL of the migration's `upgrade`, as alembic writes it without a database."""
    sql = StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": sql}
    )
    with Operations.context(context):
        migration.upgrade()
    return sql.getvalue()


def faults(migration: ModuleType) -> list[str]:
    """The statements that would block others, the longer the bigger the table is."""
    sql = transaction_of(migration)
    statements = [COMMENTS.sub("", statement) for statement in sql.split(";\n\n")]
    found = [
        f"changes no schema: {statement.strip()}"
        for statement in statements
        if statement.strip() and not CHANGES_THE_SCHEMA.match(statement)
    ]
    checked = subprocess.run(
        [SQUAWK, "--reporter=gcc", "--assume-in-transaction", "--pg-version=14", f"--exclude={NOT_ASKED}"],
        input=sql,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode in (0, 1), checked.stderr
    found += checked.stdout.splitlines()
    return found + [
        f"is none of {Index.__name__}, {DropIndex.__name__}, {InBatches.__name__}: {part}"
        for part in getattr(migration, "beforehand", ())
        if not isinstance(part, Index | DropIndex | InBatches)
    ]


def test_no_new_migration_blocks_a_table_in_use() -> None:
    found = {str(path): faults(load_python_file(str(path.parent), path.name)) for path in NEW}
    assert not any(found.values()), found


def of(*statements: str) -> ModuleType:
    """A migration of these statements."""
    migration = ModuleType("migration")
    exec(
        "from alembic import op\ndef upgrade():\n"
        + "".join(f"    op.execute({statement!r})\n" for statement in statements),
        vars(migration),
    )
    return migration


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX a ON orders (status)",
        "CREATE UNIQUE INDEX a ON orders (status)",
        "CREATE INDEX CONCURRENTLY a ON orders (status)",
        "DROP INDEX orders_id",
        "REINDEX TABLE orders",
        "DELETE FROM outbox WHERE type = 'a'",
        "-- all of them\nUPDATE orders SET reason = 'a'",
        "/* as well */ WITH a AS (DELETE FROM inbox RETURNING 1) SELECT 1",
        "INSERT INTO order_history SELECT * FROM orders",
        "DO $$ BEGIN UPDATE orders SET reason = 'a'; END $$",
        "TRUNCATE outbox",
        "LOCK TABLE orders",
        "CLUSTER orders USING orders_pkey",
        "ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid()",
        "ALTER TABLE orders ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE orders ADD COLUMN token text NOT NULL",
        "ALTER TABLE orders ADD COLUMN token text UNIQUE",
        "ALTER TABLE orders ALTER COLUMN reason SET NOT NULL",
        "ALTER TABLE orders ALTER COLUMN amount TYPE numeric",
        "ALTER TABLE orders ADD CONSTRAINT a CHECK (amount < 10)",
        "ALTER TABLE orders ADD CONSTRAINT a UNIQUE (reason)",
        "ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id)",
        "ALTER TABLE orders RENAME COLUMN reason TO cause",
    ],
)
def test_a_statement_that_blocks_a_table_in_use_is_found(statement: str) -> None:
    assert faults(of("ALTER TABLE orders ADD COLUMN colour text", statement)) != []


def test_a_constraint_that_is_validated_in_the_transaction_that_adds_it_is_found() -> None:
    added = "ALTER TABLE orders ADD CONSTRAINT a CHECK (amount < 10) NOT VALID"
    validated = "ALTER TABLE orders VALIDATE CONSTRAINT a"
    assert faults(of(added, validated)) != []
    assert faults(of(added)) == faults(of(validated)) == []


@pytest.mark.parametrize(
    "statements",
    [
        ["ALTER TABLE orders ADD COLUMN colour text"],
        ["ALTER TABLE orders ADD COLUMN colour text NOT NULL DEFAULT 'red'"],
        ["ALTER TABLE orders DROP COLUMN colour"],
        ["CREATE TABLE notes (id bigint PRIMARY KEY)", "CREATE INDEX notes_id ON notes (id)"],
        ["CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"],
    ],
    ids=lambda statements: statements[0],
)
def test_a_migration_that_blocks_nobody_is_accepted(statements: list[str]) -> None:
    assert faults(of(*statements)) == []
