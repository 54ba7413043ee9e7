"""Compares a database's tables with the tables that a service needs.

A database that was restored only in part may lack a unique key. Then a repeated message is handled twice.
"""

from collections.abc import Iterator, Mapping

import asyncpg
from sqlalchemy import PrimaryKeyConstraint, Table, UniqueConstraint

from kernel.adapters.postgres.tables import RIGHTS_OF_ALL, Schema

TABLES = """
SELECT relname, has_table_privilege(oid, 'SELECT') AS may_read,
       has_table_privilege(oid, 'INSERT') AS may_write,
       ARRAY(SELECT attname::text FROM pg_attribute
             WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped) AS columns,
       ARRAY(SELECT (SELECT string_agg(attname, ', ' ORDER BY attname) FROM pg_attribute
                     WHERE attrelid = indrelid AND attnum = ANY (indkey))
             FROM pg_index
             WHERE indrelid = pg_class.oid AND indisunique AND indisvalid AND indpred IS NULL) AS keys
FROM pg_class WHERE relkind IN ('r', 'p') AND pg_table_is_visible(oid)
    AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
"""


def tables_of(schema: Schema) -> tuple[Table, ...]:
    return tuple(dict.fromkeys((*schema.tables, *RIGHTS_OF_ALL, *schema.rights)))


def missing(schema: Schema, tables: Mapping[str, asyncpg.Record]) -> Iterator[str]:
    """Names each table, column and unique key that the code needs and the database lacks."""
    for table in tables_of(schema):
        if table.name not in tables:
            yield f"table {table.name}"
            continue
        found = tables[table.name]
        yield from (f"column {table.name}.{c.name}" for c in table.c if c.name not in found["columns"])
        for key in table.constraints:
            if isinstance(key, PrimaryKeyConstraint | UniqueConstraint):
                names = ", ".join(sorted(column.name for column in key.columns))
                if names not in found["keys"]:
                    yield f"unique key ({names}) of the table {table.name}"
