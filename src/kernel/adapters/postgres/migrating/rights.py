"""Grants a service's role exactly those privileges in its database that the code declares.

The owner of the tables grants and revokes privileges after the migrations, in one transaction. Privileges
that are as declared stay untouched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from kernel.adapters.postgres.checks.schema import SchemaMismatch
from kernel.adapters.postgres.checks.start import look, where
from kernel.adapters.postgres.connections.urls import database_hosts
from kernel.adapters.postgres.migrating.migrate import (
    MigrationFailed,
    connect_migrator,
    in_one_line,
    take_turn,
)
from kernel.adapters.postgres.tables import READ, RIGHTS_OF_ALL, Rights, Schema

# Selects the tables that the code knows, with all privileges of the role on them, also by SET ROLE. Also
# selects other tables on which the role itself has privileges. There, PUBLIC's privileges do not count.
_TABLES = """
WITH role AS (SELECT oid FROM pg_roles WHERE rolname = $1::name)
SELECT format('TABLE %I.%I', current_schema(), relname) AS object, relname AS name,
    ARRAY(
        SELECT privilege
        FROM unnest('{SELECT,INSERT,UPDATE,REFERENCES,DELETE,TRUNCATE,TRIGGER}'::text[]) AS asked (privilege)
        WHERE EXISTS (
            SELECT FROM pg_roles WHERE pg_has_role($1::name, pg_roles.oid, 'MEMBER') AND CASE
                WHEN privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
                THEN has_any_column_privilege(pg_roles.oid, pg_class.oid, privilege)
                ELSE has_table_privilege(pg_roles.oid, pg_class.oid, privilege)
            END
        )
        UNION
        SELECT 'MAINTAIN' FROM aclexplode(relacl)
        WHERE privilege_type = 'MAINTAIN' AND (grantee = 0 OR grantee IN (TABLE role))
        UNION
        SELECT 'OWNER' WHERE pg_has_role($1::name, relowner, 'MEMBER')
        ORDER BY 1
    ) AS has
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
    AND (relname = ANY ($2::text[])
        OR EXISTS (SELECT FROM aclexplode(relacl) WHERE grantee IN (TABLE role)))
ORDER BY relname
"""
_PLACES = """
SELECT format('SCHEMA %I', nspname) AS object,
    CASE WHEN nspname = current_schema() THEN '{USAGE}'::text[] ELSE '{}' END AS wanted,
    ARRAY(
        SELECT 'USAGE' WHERE nspname = current_schema() AND has_schema_privilege($1::name, oid, 'USAGE')
        UNION ALL SELECT 'CREATE' WHERE has_schema_privilege($1::name, oid, 'CREATE')
        UNION ALL SELECT 'OWNER' WHERE pg_has_role($1::name, nspowner, 'MEMBER')
    ) AS has
FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    AND (nspname = current_schema() OR nspname !~ '^lane_[0-9]{3}$')  -- those have their own turn
UNION ALL
SELECT format('DATABASE %I', datname), '{CONNECT}',
    ARRAY(
        SELECT privilege FROM unnest('{CONNECT,CREATE,TEMPORARY}'::text[]) AS asked (privilege)
        WHERE has_database_privilege($1::name, oid, privilege)
        UNION ALL SELECT 'OWNER' WHERE pg_has_role($1::name, datdba, 'MEMBER')
    )
FROM pg_database WHERE datname = current_database()
UNION ALL
SELECT format('ROLE %I', rolname), '{}',
    ARRAY(
        SELECT 'SUPERUSER' WHERE rolsuper
        UNION ALL SELECT 'CREATEROLE' WHERE rolcreaterole
        UNION ALL SELECT 'CREATEDB' WHERE rolcreatedb
        UNION ALL SELECT 'REPLICATION' WHERE rolreplication
        UNION ALL SELECT member.rolname FROM pg_roles member
        WHERE member.rolname = ANY ($2::text[]) AND pg_has_role($1::name, member.oid, 'MEMBER')
    )
FROM pg_roles WHERE rolname = $1::name
"""
# Predefined roles of PostgreSQL whose members can bypass privileges, some by files or programs of the server.
_PAST_ALL_RIGHTS = [
    "pg_execute_server_program",
    "pg_read_server_files",
    "pg_write_server_files",
    "pg_write_all_data",
]
# The shop cannot revoke ownership, attributes of a role, or membership in a predefined role.
_OF_THE_ROLE = {"OWNER", "SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", *_PAST_ALL_RIGHTS}


@dataclass(frozen=True)
class Difference:
    object: str
    """The object in the syntax of GRANT, like `TABLE public.outbox`."""
    missing: Sequence[str]
    excess: Sequence[str]
    everybodys: bool
    """Whether `excess` is revoked from PUBLIC too."""

    def statements(self, role: str) -> list[str]:
        found = []
        if self.excess:
            whose = f"{role}, PUBLIC" if self.everybodys else role
            found.append(f"REVOKE {', '.join(self.excess)} ON {self.object} FROM {whose} CASCADE")
        if self.missing:
            found.append(f"GRANT {', '.join(self.missing)} ON {self.object} TO {role}")
        return found

    def __str__(self) -> str:
        wrong = [f"no {right}" for right in self.missing] + list(self.excess)
        return f"{', '.join(wrong)} on {self.object}"


async def give_rights(owner_url: str, url: str, schema: Schema) -> None:
    """As the user of `owner_url`, grants the user of `url` exactly the privileges that the schema declares.

    Does nothing if both URLs have the same user, or if a later release has migrated the database and granted
    its own privileges. Raises Unavailable, SchemaMismatch or MigrationFailed, each with a text of one line.
    Also raises MigrationFailed if the role can do more because it is an owner or a superuser.
    """
    role, service = database_hosts(url)[0].user, schema.service
    if role == database_hosts(owner_url)[0].user:
        return
    (of_owner,) = await look(owner_url, schema)
    if of_owner.revision > schema.revision:
        return
    with in_one_line(service, "giving the rights"):
        connection = await connect_migrator(owner_url)
        try:
            if await _differences(connection, role, schema):
                await take_turn(connection, service)
                await _give(connection, role, schema)
        finally:
            connection.terminate()
    (of_role,) = await look(url, schema, writes=True)
    if of_role.identity != of_owner.identity:
        raise SchemaMismatch(
            f"{where(service, url)} is not the one that {service.upper()}_MIGRATION_URL leads to"
        )


async def _give(connection: asyncpg.Connection, role: str, schema: Schema) -> None:
    quoted = await connection.fetchval("SELECT quote_ident($1)", role)
    async with connection.transaction():
        differences = await _differences(connection, role, schema)
        lasting = [one for one in differences if not _OF_THE_ROLE.isdisjoint(one.excess)]
        if not lasting:
            for difference in differences:
                for statement in difference.statements(quoted):
                    await connection.execute(statement)
            lasting = await _differences(connection, role, schema)
        if lasting:
            name = schema.service.upper()
            raise MigrationFailed(
                f"the user {role} of {name}_DATABASE_URL has privileges that the user of {name}_MIGRATION_URL"
                f" cannot revoke, or lacks some that it cannot grant: {'; '.join(map(str, lasting))}"
                " (docs/recipes/databases.md, Two roles)"
            )


async def _differences(connection: asyncpg.Connection, role: str, schema: Schema) -> list[Difference]:
    wanted = rights_by_name(schema)
    rows = [
        (row["object"], wanted.get(row["name"], ()), row["has"], row["name"] in wanted)
        for row in await connection.fetch(_TABLES, role, list(wanted))
    ]
    rows += [(*row, True) for row in await connection.fetch(_PLACES, role, _PAST_ALL_RIGHTS)]
    found = []
    for name, wants, has, everybodys in rows:
        missing = [right for right in wants if right not in has]
        excess = [right for right in has if right not in wants]
        if missing or excess:
            found.append(Difference(name, missing, excess, everybodys))
    return found


def rights_by_name(schema: Schema) -> Mapping[str, Rights]:
    """Returns the declared privileges of each table that the code knows; () if none are declared."""
    nothing: Rights = ()
    known = dict.fromkeys((table.name for table in schema.tables), nothing)
    declared = {table.name: rights for table, rights in {**RIGHTS_OF_ALL, **schema.rights}.items()}
    return {"alembic_version": READ, **known, **declared}
