"""`shop up` goes on with data of a version that had one role a database, and gives its services another."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest

from kernel.adapters.embedded.postgres import running_url
from tests.servers.database import connected
from tests.servers.earlier import make_folder_of_dc66a82
from tests.servers.postgres import Template
from tests.servers.shop import Embedded
from tests.spec.scenario import Http
from tests.spec.store import Store

DATABASES = ("orders", "payments")
SESSIONS = (
    "SELECT DISTINCT usename::text FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


@pytest.fixture(scope="module")
async def shop(scratch: Path, template: Template) -> AsyncIterator[Embedded]:
    """`shop up` on a data folder as commit dc66a82 left it."""
    await make_folder_of_dc66a82(scratch / "earlier" / "data", template)
    async with Embedded(scratch / "earlier", lanes=1) as shop:
        yield shop


async def test_orders_and_money_are_there_and_work_goes_on(shop: Embedded, http: Http) -> None:
    gateway = Store.at_the_gateway(http, shop)
    assert [order["status"] for order in await gateway.orders_of("alice")] == ["FINISHED", "REFUNDED"]
    order = await gateway.placed("alice", "70.00")
    assert (await gateway.decided(order["id"]))["status"] == "FINISHED"
    assert await gateway.balance("alice") == Decimal(0)
    await gateway.cancelled(order["id"])
    await shop.says("audit")


@pytest.mark.parametrize("name", DATABASES)
async def test_the_services_work_as_a_role_that_may_change_nothing_of_what_was(
    shop: Embedded, name: str
) -> None:
    folder = shop.directory / "data" / name
    of_owner, of_role = (running_url(folder, database=name, owner=owner) for owner in (True, False))
    async with connected(str(of_owner)) as owner, connected(str(of_role)) as role:
        assert await owner.fetch(SESSIONS) == [("service",)]
        for table in ("orders", "order_history") if name == "orders" else ("transfers", "payments"):
            assert await role.fetchval(f"SELECT count(*) FROM {table}") >= 2
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await role.execute(f"DELETE FROM {table}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await role.execute("CREATE TABLE mine (id int)")
