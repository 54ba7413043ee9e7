"""A start checks whose database it is and what it may do there; if something is wrong, it only says so."""

from dataclasses import replace
from urllib.parse import urlsplit

import asyncpg
import pytest

from kernel.adapters.postgres.checks import start
from kernel.adapters.postgres.checks.schema import SchemaMismatch
from kernel.adapters.postgres.checks.start import look, require_fit
from kernel.adapters.postgres.connections.engine import SERVER_SETTINGS
from kernel.adapters.postgres.connections.hosts import Hosts
from kernel.domain.errors import Unavailable
from shop.audit.auditing import audit
from shop.dead_letters.opening import open_services
from shop.migrating import migrate_databases, require_given_databases
from tests.databases import on
from tests.ports.start.databases import ORDERS, PAYMENTS, SCHEMAS, Urls
from tests.servers.ports import free_port

each_service = pytest.mark.parametrize("service", SCHEMAS)


async def tables(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))


@each_service
async def test_its_own_database_is_taken_and_a_newer_one_too(service: str, urls: Urls) -> None:
    schema = SCHEMAS[service]
    await require_fit(urls[service], schema)
    await require_fit(urls[service], replace(schema, revision=schema.revision - 1))


@each_service
async def test_an_older_database_and_an_empty_one_are_named_with_the_cure(service: str, urls: Urls) -> None:
    schema = SCHEMAS[service]
    with pytest.raises(SchemaMismatch, match=f"is at revision .* run `shop migrate {service}`"):
        await require_fit(urls[service], replace(schema, revision=schema.revision + 1))
    with pytest.raises(SchemaMismatch, match=f"start_empty .*never migrated: run `shop migrate {service}`"):
        await require_fit(urls["empty"], schema)


async def test_every_command_refuses_databases_that_are_swapped(urls: Urls) -> None:
    swapped = on(orders=urls["payments"], payments=urls["orders"])
    of_orders = pytest.raises(
        SchemaMismatch, match=r"orders database payments .*has the tables accounts, payments"
    )
    with of_orders:
        await migrate_databases(swapped, swapped.stores)
    with of_orders:
        await require_given_databases(swapped)
    with of_orders:
        await audit(swapped)
    with of_orders:
        async with open_services(swapped, ["orders"]):
            pass
    with pytest.raises(
        SchemaMismatch, match=r"payments database orders .*has the tables .*order_history, orders"
    ):
        await require_fit(urls["orders"], PAYMENTS)


async def test_one_database_for_both_services_is_refused_and_not_migrated(
    scrap_url: str, scrap: asyncpg.Connection
) -> None:
    # Whichever of its names the server is called by.
    other = scrap_url.replace("127.0.0.1", "localhost") + "?application_name=other"
    both = on(orders=scrap_url, payments=other)
    with pytest.raises(
        SchemaMismatch, match=r"ORDERS_DATABASE_URL and PAYMENTS_DATABASE_URL .*same database"
    ):
        await migrate_databases(both, both.stores)
    assert await tables(scrap) == 0
    # Two schemas of one database are two places.
    await scrap.execute("CREATE SCHEMA one; CREATE SCHEMA two")
    apart = [f"{scrap_url}?options=-c%20search_path%3D{name}" for name in ("one", "two")]
    await migrate_databases(on(orders=apart[0], payments=apart[1]), both.stores)
    await require_fit(apart[1], PAYMENTS)
    with pytest.raises(SchemaMismatch, match=r"has the tables .*order_history"):
        await require_fit(apart[0], PAYMENTS)


async def test_where_one_database_is_wrong_the_other_is_not_migrated_either(
    postgres_server: str, scrap_url: str, scrap: asyncpg.Connection
) -> None:
    await scrap.execute("CREATE DATABASE start_latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    latin = f"{postgres_server.rpartition('/')[0]}/start_latin"
    with pytest.raises(SchemaMismatch, match=r"payments database start_latin at .* encoding LATIN1: .*UTF8"):
        await migrate_databases(on(orders=scrap_url, payments=latin), ("orders", "payments"))
    assert await tables(scrap) == 0


@pytest.mark.parametrize("value", ["off", "on"])
@pytest.mark.parametrize("place", ["database", "url"])
async def test_a_setting_that_would_hide_a_switchover_is_named(
    scrap_url: str, scrap: asyncpg.Connection, place: str, value: str
) -> None:
    """The session's own value stays what it is when the server is told to take no more writes."""
    url = f"{scrap_url}?options=-c%20default_transaction_read_only%3D{value}"
    if place == "database":
        name = await scrap.fetchval("SELECT current_database()")
        await scrap.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")
        url = scrap_url
    with pytest.raises((SchemaMismatch, Unavailable), match=r"hides a switchover|no host takes writes"):
        await require_fit(url, ORDERS)


@pytest.mark.parametrize(
    ("made", "named"),
    [
        ("CREATE TABLE orders (id int)", "has a table orders that no migration"),
        ("CREATE TABLE alembic_version AS SELECT 'ae1027a6acf' AS version_num", "another application"),
        (
            "CREATE TABLE alembic_version AS SELECT '0007' AS version_num; CREATE TABLE guests ()",
            "tables guests",
        ),
        (
            "CREATE TABLE alembic_version AS SELECT '0003' AS version_num; CREATE TABLE orders ()",
            "has no table order_history",
        ),
        ("DROP SCHEMA public", "no schema in its search_path"),
    ],
)
async def test_a_table_that_another_application_or_half_a_restore_left_is_named(
    scrap_url: str, scrap: asyncpg.Connection, made: str, named: str
) -> None:
    await scrap.execute(made)
    before = await tables(scrap)
    with pytest.raises(SchemaMismatch, match=named):
        await migrate_databases(on(orders=scrap_url), ("orders",))
    assert await tables(scrap) == before


@pytest.mark.parametrize(
    ("lost", "named"),
    [
        ("TABLE inbox", "table inbox"),
        ("TABLE transfers DROP COLUMN kind CASCADE", "column transfers.kind"),
        ("TABLE inbox DROP CONSTRAINT inbox_pkey", r"unique key \(event_id, source\) of the table inbox"),
        (
            "TABLE transfers DROP CONSTRAINT transfers_user_id_idempotency_key_key",
            r"unique key \(idempotency_key, user_id\) of the table transfers",
        ),
    ],
)
async def test_a_part_of_a_table_that_half_a_restore_left_out_is_named(
    scrap_url: str, scrap: asyncpg.Connection, lost: str, named: str
) -> None:
    await migrate_databases(on(payments=scrap_url), ("payments",))
    await require_fit(scrap_url, PAYMENTS)
    await scrap.execute(f"{'ALTER' if ' DROP ' in lost else 'DROP'} {lost}")
    with pytest.raises(SchemaMismatch, match=f"is at revision .* but has no {named}"):
        await require_fit(scrap_url, PAYMENTS)


async def test_a_role_without_rights_is_named(scrap_url: str, scrap: asyncpg.Connection) -> None:
    parts = urlsplit(scrap_url)
    as_clerk = parts._replace(netloc=f"clerk:x@{parts.hostname}:{parts.port}").geturl()
    await scrap.execute("CREATE ROLE clerk LOGIN PASSWORD 'x'")
    try:
        with pytest.raises(
            SchemaMismatch, match=r"role clerk create no table in the schema public: ORDERS_MIGRATION_URL"
        ):
            await migrate_databases(on(orders=as_clerk), ("orders",))
        await migrate_databases(on(orders=scrap_url), ("orders",))
        with pytest.raises(Unavailable, match=r"permission denied for table alembic_version \(42501\)"):
            await require_fit(as_clerk, ORDERS)
        await scrap.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO clerk")
        with pytest.raises(SchemaMismatch, match="refuses the table orders to the role clerk"):
            await require_fit(as_clerk, ORDERS)
        await require_fit(as_clerk, ORDERS, writes=False)
    finally:
        await scrap.execute("DROP OWNED BY clerk; DROP ROLE clerk")


async def test_a_server_that_is_too_old_is_named(urls: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "VERSION_MIN", 99)
    with pytest.raises(SchemaMismatch, match=r"is PostgreSQL [0-9]+: 99 or newer is needed"):
        await require_fit(urls["orders"], ORDERS)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"database": "nowhere"}, r"orders database nowhere at 127.0.0.1:\d+: .*does not exist \(3D000\)"),
        ({"password": "wrong"}, r"password authentication failed .*\(28P01\)"),
        ({"port": "nobody"}, "Connection refused"),
        ({"host": "nowhere.invalid"}, "at nowhere.invalid:"),
        ({"query": "sslmode=require"}, "SSL"),
        ({"query": "options=-c%20nonsense%3D1"}, r"nonsense.*\(42704\)"),
        ({"query": "options=-c%20default_transaction_read_only%3Don"}, "no host takes writes"),
    ],
)
async def test_the_words_of_a_server_are_told_with_its_name(
    urls: Urls, change: dict[str, str], named: str
) -> None:
    parts = urlsplit(urls["orders"])
    port = free_port() if change.get("port") else parts.port
    account = f"{parts.username}:{change.get('password', parts.password)}"
    wrong = parts._replace(
        netloc=f"{account}@{change.get('host', parts.hostname)}:{port}",
        path=f"/{change.get('database', 'orders')}",
        query=change.get("query", ""),
    ).geturl()
    with pytest.raises(Unavailable, match=named) as raised:
        await look(wrong, ORDERS)
    assert str(parts.password) not in str(raised.value)


async def test_settings_of_the_session_in_the_url_are_in_force(urls: Urls) -> None:
    url = urls["orders"] + (
        "?connect_timeout=10&channel_binding=prefer&keepalives=1&keepalives_idle=30&keepalives_interval=10"
        "&keepalives_count=3&tcp_user_timeout=9000&application_name=till"
        "&options=-c%20work_mem%3D5MB%20-c%20statement_timeout%3D0"
    )
    connection = await Hosts(url).connect(timeout_s=5, server_settings=SERVER_SETTINGS)
    names = ("application_name", "work_mem", "statement_timeout")
    found = [await connection.fetchval("SELECT current_setting($1)", name) for name in names]
    await connection.close()
    assert found == ["till", "5MB", SERVER_SETTINGS["statement_timeout"]]


async def test_of_several_hosts_one_may_have_an_ipv6_address(urls: Urls) -> None:
    await require_fit(urls["orders"].replace("@", f"@[::1]:{free_port()},"), ORDERS)
