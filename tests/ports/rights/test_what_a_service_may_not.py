"""The role of a service may do in its database what the code says, and nothing else."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from kernel.adapters.postgres.migrating.rights import rights_by_name
from tests.ports.rights.conftest import Roles
from tests.ports.rights.trying import is_refused, rights_on
from tests.ports.start.databases import SCHEMAS
from tests.servers.database import connected

TABLES = [(service, table) for service, schema in SCHEMAS.items() for table in rights_by_name(schema)]
DDL = [
    "CREATE TABLE mine (id int)",
    "CREATE TABLE public.mine (id int)",
    "CREATE TEMPORARY TABLE mine (id int)",
    "CREATE VIEW mine AS SELECT 1",
    "CREATE SEQUENCE mine",
    "CREATE TYPE mine AS (id int)",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "DROP FUNCTION refuse_change() CASCADE",
    "CREATE SCHEMA mine",
    "CREATE EXTENSION hstore",
    "CREATE DATABASE mine",
    "CREATE ROLE mine",
    "ALTER ROLE shop PASSWORD 'mine'",
    "SET ROLE shop",
    "SET ROLE {owner}",
    "GRANT {owner} TO CURRENT_USER",
    "ALTER DATABASE {database} SET work_mem = '1GB'",
    "DROP DATABASE {database}",
    "ALTER SYSTEM SET fsync = off",
    # Statements that fire no triggers, or that read and run files outside of the database.
    "SET session_replication_role = replica",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY (SELECT 1) TO '/tmp/mine'",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT * FROM pg_authid",
]


@pytest.fixture(scope="module")
async def connections(both: dict[str, Roles]) -> AsyncIterator[dict[str, asyncpg.Connection]]:
    """Connections with the roles of the services."""
    async with connected(both["orders"].url) as orders, connected(both["payments"].url) as payments:
        yield {"orders": orders, "payments": payments}


@pytest.mark.parametrize(("service", "table"), TABLES, ids=lambda value: value)
async def test_a_table_refuses_whatever_the_code_does_not_say(
    connections: dict[str, asyncpg.Connection], service: str, table: str
) -> None:
    assert await rights_on(connections[service], table) == set(rights_by_name(SCHEMAS[service])[table])


@pytest.mark.parametrize("statement", DDL)
@pytest.mark.parametrize("service", SCHEMAS)
async def test_the_role_of_a_service_has_no_ddl_and_cannot_become_another(
    connections: dict[str, asyncpg.Connection], both: dict[str, Roles], service: str, statement: str
) -> None:
    text = statement.format(owner=both[service].owner, database=f"rights_{service}")
    if statement.startswith(("CREATE DATABASE", "DROP DATABASE", "ALTER SYSTEM")):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):  # These run in no transaction.
            await connections[service].execute(text)
    else:
        assert await is_refused(connections[service], text)


@pytest.mark.parametrize("service", SCHEMAS)
async def test_the_role_of_a_service_reads_nothing_of_the_others_database(
    both: dict[str, Roles], service: str
) -> None:
    (other,) = SCHEMAS.keys() - {service}
    url = urlsplit(both[service].url)._replace(path=f"/rights_{other}").geturl()
    async with connected(url) as connection:
        assert await connection.fetchval("SELECT current_database()") == f"rights_{other}"
        for table in rights_by_name(SCHEMAS[other]):
            assert await is_refused(connection, f"SELECT * FROM {table} LIMIT 0"), table
        assert await is_refused(connection, "CREATE TABLE mine (id int)")
        assert await is_refused(connection, "CREATE TEMPORARY TABLE mine (id int)")


@pytest.mark.parametrize("service", SCHEMAS)
async def test_a_table_that_a_trigger_makes_append_only_is_so_by_right(
    both: dict[str, Roles], service: str
) -> None:
    rows = await both[service].superuser.fetch(
        "SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'append_only'"
    )
    rights = rights_by_name(SCHEMAS[service])
    appended = {name for name, given in rights.items() if "UPDATE" not in given and "INSERT" in given}
    assert appended == {row["name"] for row in rows}
    assert all("DELETE" not in rights[name] for name in appended)
