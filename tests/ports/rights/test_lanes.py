"""The lanes of a server: made by the owner, used by the service, and held against what the settings say."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest
from sqlalchemy import select

from kernel.adapters.postgres.checks.schema import SchemaMismatch, revision
from kernel.adapters.postgres.connections.hosts import Hosts
from kernel.adapters.postgres.statements.driver import connected
from kernel.adapters.postgres.statements.reading import read
from kernel.adapters.postgres.tables import INBOX
from kernel.domain.errors import ShopError, Unavailable
from kernel.lane_servers import LaneServer, lane_servers
from kernel.wiring.database import databases
from orders.adapters.outbound.tables import SCHEMA
from shop.services import load_shop
from tests.ports.rights.conftest import Roles, two_roles

LANES = 4


@pytest.fixture(scope="module")
async def roles(postgres_server: str) -> AsyncIterator[Roles]:
    async with two_roles(postgres_server, "orders", "of_lanes") as roles:
        await roles.migrate(SHOP_LANES=str(LANES))
        yield roles


def servers(settings: Mapping[str, str]) -> list[LaneServer]:
    return lane_servers(load_shop(settings).settings["orders"])


def as_given(roles: Roles, lanes: int = LANES) -> list[LaneServer]:
    return servers({"ORDERS_DATABASE_URL": roles.url, "SHOP_LANES": str(lanes)})


async def test_each_lane_is_migrated_and_served_by_the_role_of_the_service(roles: Roles) -> None:
    await roles.migrate(SHOP_LANES=str(LANES))
    async with databases(as_given(roles), SCHEMA) as engines:
        for lane, engine in enumerate(engines):
            assert await revision(engine) == SCHEMA.revision
            await roles.superuser.execute(
                f"INSERT INTO lane_{lane:03}.inbox VALUES ('/test', '{lane}', now())"
            )
            assert [row["event_id"] for row in await read(engine, select(INBOX))] == [str(lane)]
    assert await roles.superuser.fetchval("SELECT to_regclass('public.orders')") is None
    assert not await roles.superuser.fetchval(
        "SELECT has_table_privilege($1, 'lane_003.order_history', 'UPDATE')", roles.role
    )


async def test_a_lane_that_is_behind_is_named(roles: Roles) -> None:
    await roles.superuser.execute("UPDATE lane_002.alembic_version SET version_num = '0010'")
    with pytest.raises(SchemaMismatch, match=r"^lane_002 of the orders database .* is at revision 0010"):
        async with databases(as_given(roles), SCHEMA):
            pass
    await roles.superuser.execute("UPDATE lane_002.alembic_version SET version_num = '0011'")


async def test_all_lanes_of_a_server_are_checked_over_the_same_sessions(
    roles: Roles, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Hosts] = []
    connect = Hosts.connect

    async def counted(hosts: Hosts, **options: Any) -> asyncpg.Connection:
        opened.append(hosts)
        return await connect(hosts, **options)

    monkeypatch.setattr(Hosts, "connect", counted)
    async with databases(as_given(roles), SCHEMA):
        assert len(opened) == 2  # which lanes there are, and what is in them


async def test_a_lane_that_cannot_be_migrated_is_named(roles: Roles) -> None:
    await roles.superuser.execute("UPDATE lane_001.alembic_version SET version_num = '0010'")
    with pytest.raises(ShopError, match=r"^orders, lane 1 of 4: migration 0011 .* failed: column .* exists"):
        await roles.migrate(SHOP_LANES=str(LANES))
    await roles.superuser.execute("UPDATE lane_001.alembic_version SET version_num = '0011'")


@pytest.mark.parametrize("lanes", [1, 2, 8])
async def test_another_number_of_lanes_is_refused_before_anything_is_touched(
    roles: Roles, lanes: int
) -> None:
    line = f"was made with SHOP_LANES={LANES}, not {lanes}$"
    with pytest.raises(SchemaMismatch, match=line):
        async with databases(as_given(roles, lanes), SCHEMA):
            pass
    with pytest.raises(SchemaMismatch, match=line):
        await roles.migrate(SHOP_LANES=str(lanes))


async def test_lanes_of_another_server_are_refused(roles: Roles) -> None:
    wrong = servers({"SHOP_LANES": "4", "ORDERS_LANE_URLS": f"0-1={roles.url};2-3=postgresql://h/db"})
    with pytest.raises(SchemaMismatch, match=r"holds the lanes 0, 1, 2, 3, .* gives it the lanes 0, 1$"):
        async with databases(wrong, SCHEMA):
            pass


async def test_a_database_of_one_lane_is_no_lane_of_several(postgres_server: str) -> None:
    async with two_roles(postgres_server, "orders", "of_one_lane") as roles:
        with pytest.raises(SchemaMismatch, match="was never migrated: run `shop migrate orders`"):
            async with databases(as_given(roles), SCHEMA):
                pass
        await roles.migrate()
        with pytest.raises(SchemaMismatch, match="was made with SHOP_LANES=1, not 4"):
            await roles.migrate(SHOP_LANES="4")


async def test_a_busy_lane_leaves_connections_to_the_others(
    roles: Roles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.adapters.postgres.connections.lanes.CONNECT_TIMEOUT_S", 0.1)
    async with databases(as_given(roles), SCHEMA) as engines, AsyncExitStack() as lent:
        for _ in range(5):  # twice the even part of ten
            await lent.enter_async_context(connected(engines[0]))
        with pytest.raises(Unavailable) as refused:
            await read(engines[0], select(INBOX))
        assert refused.value.code == "overloaded"
        await asyncio.gather(*(read(engine, select(INBOX)) for engine in engines[1:]))
        await lent.aclose()
        await read(engines[0], select(INBOX))
