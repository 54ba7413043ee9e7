"""Finds out by trying what a role may do."""

import asyncpg

# By right, what needs it and nothing else. None changes anything.
NEEDS = {
    "SELECT": "SELECT * FROM {table} LIMIT 0",
    "INSERT": "INSERT INTO {table} SELECT (NULL::{table}).* WHERE false",
    "UPDATE": "UPDATE {table} SET {column} = DEFAULT WHERE false",
    "DELETE": "DELETE FROM {table} WHERE false",
    "TRUNCATE": "TRUNCATE {table}",
    "REFERENCES": "ALTER TABLE {table} ADD FOREIGN KEY ({column}) REFERENCES {table} ({column})",
    "TRIGGER": "CREATE TRIGGER mine BEFORE INSERT ON {table} EXECUTE FUNCTION refuse_change()",
    "OWNER": "ALTER TABLE {table} ADD COLUMN more int",
    "OWNER of its trigger": "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "OWNER of its name": "ALTER TABLE {table} RENAME TO lost",
    "OWNER of its life": "DROP TABLE {table} CASCADE",
    "OWNER of its rights": "ALTER TABLE {table} OWNER TO CURRENT_USER",
}
# The error for a table that is not there for the role.
OUTSIDE = (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError)
_FIRST_COLUMN = "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum = 1"


async def is_refused(connection: asyncpg.Connection, statement: str) -> bool:
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    finally:
        await transaction.rollback()
    return False


async def rights_on(connection: asyncpg.Connection, table: str) -> set[str]:
    column = await connection.fetchval(_FIRST_COLUMN, table)
    return {
        right
        for right, statement in NEEDS.items()
        if not await is_refused(connection, statement.format(table=table, column=column))
    }
