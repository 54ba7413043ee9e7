"""`shop migrate` gives the role of a service exactly what the code says, whatever it had before."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Column, MetaData, Table, Uuid

from kernel.adapters.postgres.checks.schema import SchemaMismatch
from kernel.adapters.postgres.migrating.migrate import MigrationFailed
from kernel.adapters.postgres.migrating.rights import give_rights, rights_by_name
from kernel.adapters.postgres.tables import OPERATOR_RECORD, Schema
from kernel.domain.errors import Unavailable
from shop.migrating import migrate_databases
from tests.databases import on
from tests.ports.rights.conftest import Roles, two_roles
from tests.ports.rights.trying import is_refused, rights_on
from tests.ports.start.databases import SCHEMAS
from tests.servers.database import connected
from tests.servers.postgres import create_database

ORDERS = SCHEMAS["orders"]
# Every right that GRANT and REVOKE write down.
ACL = """
SELECT relname AS name, relacl::text AS acl, xmin::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT nspname, nspacl::text, xmin::text FROM pg_namespace WHERE nspname = 'public'
UNION ALL
SELECT datname, datacl::text, xmin::text FROM pg_database WHERE datname = current_database()
ORDER BY 1
"""


DDL = ("CREATE TABLE mine (id int)", "CREATE TEMP TABLE mine (id int)", "CREATE SCHEMA mine")


async def powers(roles: Roles, *tables: str) -> dict[str, set[str]]:
    async with connected(roles.url) as connection:
        found = {table: await rights_on(connection, table) for table in tables}
        allowed = {text for text in DDL if not await is_refused(connection, text)}
    return found | {"DDL": allowed}


async def has_what_the_code_says(roles: Roles) -> bool:
    wanted = {table: set(rights) for table, rights in rights_by_name(ORDERS).items()}
    return await powers(roles, *wanted) == wanted | {"DDL": set()}


def without_a_line(schema: Schema, tables: set[str]) -> set[str]:
    return {name for name in tables if not rights_by_name(schema).get(name)}


@pytest.mark.parametrize("service", SCHEMAS)
async def test_every_table_has_a_line(service: str, both: dict[str, Roles]) -> None:
    rows = await both[service].superuser.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    tables = {row["tablename"] for row in rows}
    assert without_a_line(SCHEMAS[service], tables) == set()
    assert rights_by_name(SCHEMAS[service]).keys() == tables


def test_a_table_without_a_line_is_seen_and_gets_nothing() -> None:
    notes = Table("notes", MetaData(), Column("id", Uuid))
    more = replace(ORDERS, tables=(*ORDERS.tables, notes))
    assert without_a_line(more, {*rights_by_name(ORDERS), "notes"}) == {"notes"}
    assert rights_by_name(more)["notes"] == ()
    assert without_a_line(replace(ORDERS, rights={}), {"orders", "inbox", OPERATOR_RECORD.name}) == {"orders"}


async def test_rights_that_are_right_are_not_touched(both: dict[str, Roles]) -> None:
    for roles in both.values():
        before = await roles.superuser.fetch(ACL)
        await roles.migrate()
        assert await roles.superuser.fetch(ACL) == before


@pytest.mark.parametrize(
    "wrong",
    [
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}, PUBLIC",
        "GRANT UPDATE (status) ON order_history TO {role}",
        "GRANT ALL ON SCHEMA public TO PUBLIC, {role}; GRANT ALL ON DATABASE rights_scrap TO PUBLIC, {role}",
        "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC, {role}; REVOKE ALL ON DATABASE rights_scrap FROM PUBLIC",
    ],
)
async def test_a_right_too_many_is_taken_and_one_too_few_is_given(scrap: Roles, wrong: str) -> None:
    await scrap.superuser.execute(wrong.format(role=f'"{scrap.role}"'))
    await scrap.migrate()
    assert await has_what_the_code_says(scrap)


async def test_a_table_of_others_is_no_concern_of_the_services(scrap: Roles) -> None:
    """What it was given by name is taken; what everybody may do there stays."""
    await scrap.superuser.execute(
        f'CREATE TABLE others (id int); GRANT INSERT ON others TO "{scrap.role}";'
        "GRANT SELECT ON others TO PUBLIC"
    )
    try:
        with pytest.raises(MigrationFailed, match="INSERT"):
            await scrap.migrate()  # It is not the owner's either.
        await scrap.superuser.execute(f"ALTER TABLE others OWNER TO {scrap.owner}")
        await scrap.migrate()
        assert (await powers(scrap, "others"))["others"] == {"SELECT"}
    finally:
        await scrap.superuser.execute("DROP TABLE others")


async def test_of_two_that_give_rights_at_once_both_succeed(scrap: Roles) -> None:
    await scrap.superuser.execute(f'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "{scrap.role}"')
    await asyncio.gather(*(scrap.migrate() for _ in range(3)))
    assert await has_what_the_code_says(scrap)


async def test_nothing_is_done_where_both_urls_name_one_user(scrap: Roles, postgres_server: str) -> None:
    url = await create_database(postgres_server, "rights_of_one")
    await migrate_databases(on(orders=url), ("orders",))
    await scrap.migrate(ORDERS_DATABASE_URL=f"{url}&application_name=other", ORDERS_MIGRATION_URL=url)
    async with connected(url) as connection:
        found = {row["name"]: row["acl"] for row in await connection.fetch(ACL) if row["name"] != "public"}
    assert set(found.values()) == {None}


async def test_a_database_of_a_later_release_keeps_its_rights(scrap: Roles) -> None:
    """A release that was rolled back does not know what the later one needs."""
    await scrap.superuser.execute(f'GRANT DELETE ON orders TO "{scrap.role}"')
    await give_rights(scrap.owner_url, scrap.url, replace(ORDERS, revision=ORDERS.revision - 1))
    assert "DELETE" in (await powers(scrap, "orders"))["orders"]
    await scrap.migrate()
    assert "DELETE" not in (await powers(scrap, "orders"))["orders"]


@pytest.fixture
async def restored(scrap: Roles) -> AsyncIterator[None]:
    await scrap.superuser.execute(
        "CREATE ROLE rights_of_many; GRANT DELETE ON order_history TO rights_of_many"
    )
    yield
    await scrap.superuser.execute(
        "DROP OWNED BY rights_of_many; DROP ROLE rights_of_many;"
        f'REVOKE pg_execute_server_program, pg_write_all_data FROM "{scrap.role}";'
        f'ALTER ROLE "{scrap.role}" NOSUPERUSER NOCREATEROLE NOCREATEDB;'
        f'REVOKE {scrap.owner} FROM "{scrap.role}";'
        f"ALTER TABLE orders OWNER TO {scrap.owner};"
    )
    await scrap.migrate()


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize(
    ("made", "named"),
    [
        ("ALTER ROLE {role} SUPERUSER", "SUPERUSER"),
        ("ALTER ROLE {role} CREATEROLE", "CREATEROLE on ROLE"),
        ("ALTER ROLE {role} CREATEDB", "CREATEDB on ROLE"),
        ("ALTER TABLE orders OWNER TO {role}", "OWNER.* on TABLE public.orders"),
        ("GRANT {owner} TO {role}", "OWNER.* on TABLE public.orders"),
        ("GRANT {owner} TO {role} WITH INHERIT FALSE", "OWNER.* on TABLE public.orders"),
        ("GRANT pg_execute_server_program TO {role} WITH INHERIT FALSE", "pg_execute_server_program on ROLE"),
        ("GRANT pg_write_all_data TO {role} WITH INHERIT FALSE", "pg_write_all_data.* on ROLE"),
        ("GRANT rights_of_many TO {role} WITH INHERIT FALSE", "DELETE on TABLE public.order_history"),
    ],
)
async def test_a_role_that_is_more_than_a_services_is_named_and_nothing_is_changed(
    scrap: Roles, made: str, named: str
) -> None:
    await scrap.superuser.execute(made.format(role=f'"{scrap.role}"', owner=scrap.owner))
    await scrap.superuser.execute(f'GRANT DELETE ON inbox, orders TO "{scrap.role}"')
    before = await scrap.superuser.fetch(ACL)
    with pytest.raises(MigrationFailed, match=named) as failed:
        await scrap.migrate()
    assert str(failed.value).startswith(f"the user {scrap.role} of ORDERS_DATABASE_URL has privileges")
    assert "\n" not in str(failed.value)
    assert await scrap.superuser.fetch(ACL) == before


async def test_a_role_that_is_not_there_is_named(scrap: Roles) -> None:
    nobody = scrap.url.replace(f"//{scrap.role}:", "//nobody:")
    with pytest.raises(
        MigrationFailed, match=r'^giving the rights of the orders database failed: .*"nobody"'
    ):
        await scrap.migrate(ORDERS_DATABASE_URL=nobody)


async def test_a_password_of_the_services_that_is_wrong_is_told(scrap: Roles) -> None:
    with pytest.raises(Unavailable, match=r"orders database rights_scrap .*password authentication failed"):
        await scrap.migrate(ORDERS_DATABASE_URL=scrap.url.replace(":x@", ":y@"))


async def test_two_urls_that_lead_apart_are_told(scrap: Roles, postgres_server: str) -> None:
    async with two_roles(postgres_server, "orders", "rights_apart") as apart:
        await apart.migrate()
        role = f'"{scrap.role}"'
        await apart.superuser.execute(f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {role}")
        elsewhere = urlsplit(scrap.url)._replace(path="/rights_apart").geturl()
        with pytest.raises(
            SchemaMismatch, match=r"rights_apart .*not the one that ORDERS_MIGRATION_URL leads to"
        ):
            await scrap.migrate(ORDERS_DATABASE_URL=elsewhere)
