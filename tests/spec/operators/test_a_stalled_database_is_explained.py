"""Whatever holds up a service, or is away, the first look at an order names it, and the session to end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from tests.servers.database import connected
from tests.servers.process import eventually, start_together
from tests.servers.shop import ThreeServices, schema_of
from tests.spec.operators.test_orders_are_explained import explained, waits_for
from tests.spec.promises.test_paused_consumers_take_nothing import paused
from tests.spec.scenario import Http, expect
from tests.spec.store import Store

ROW = "SELECT FROM accounts WHERE user_id = '{user}' FOR UPDATE"
WRITES = "LOCK TABLE accounts IN SHARE MODE"
ALL = "LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE"
HISTORY = "LOCK TABLE order_history IN SHARE MODE"
LASTING = "SELECT clock_timestamp() - now() > interval '2s'"


@asynccontextmanager
async def held(shop: ThreeServices, service: str, user: str, lock: str) -> AsyncIterator[asyncpg.Connection]:
    """A session that has held this lock in the user's lane for longer than a service's own sessions do."""
    url = shop.database_settings[f"{service.upper()}_DATABASE_URL"]
    async with connected(url, application_name="month-end report", search_path=schema_of(user)) as holder:
        await holder.execute("BEGIN")
        await holder.execute(lock)
        await eventually(lambda: holder.fetchval(LASTING))
        yield holder


async def ended_as_the_recipe_says(shop: ThreeServices, service: str, holder: asyncpg.Connection) -> None:
    async with connected(shop.database_settings[f"{service.upper()}_DATABASE_URL"]) as owner:
        assert await owner.fetchval(f"SELECT pg_terminate_backend({holder.get_server_pid()})")


@pytest.mark.parametrize(
    ("lock", "says", "unknown"),
    [
        (ROW, "holds locks of rows of accounts", {}),
        (WRITES, "holds ShareLock on accounts", {}),
        (ALL, "holds AccessExclusiveLock on accounts", {"payments": "accounts: the database is busy"}),
    ],
    ids=["a row", "writes", "a table"],
)
async def test_an_order_that_payments_cannot_decide_for_a_lock_waits_for_the_session_that_has_it(
    three_services: ThreeServices, http: Http, lock: str, says: str, unknown: dict[str, str]
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    async with held(three_services, "payments", user, lock.format(user=user)) as holder:
        order_id = (await store.placed(user, "9.00"))["id"]
        by_http = expect(200, await http.get(f"{three_services.gateway}/ops/orders/{order_id}"))
        for found in (await explained(three_services, order_id), by_http):
            assert found["causes"] == unknown
            assert [wait["why"] for wait in found["waits"]] == [
                *(["payments_unknown"] if unknown else []), "payments_blocked",
            ], found  # fmt: skip
            assert names(found, holder, says)
        await ended_as_the_recipe_says(three_services, "payments", holder)
    assert (await store.decided(order_id, within=30))["status"] == "FINISHED"


async def test_an_order_that_orders_cannot_settle_for_a_lock_waits_for_the_session_that_has_it(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    async with paused(http, three_services, "payments"):
        order_id = (await store.placed(user, "9.00"))["id"]
        async with held(three_services, "orders", user, HISTORY) as holder:
            found = await explained(three_services, order_id)
            assert [wait["why"] for wait in found["waits"]] == ["payments_paused", "orders_blocked"]
            assert names(found, holder, "holds ShareLock on order_history")
            await ended_as_the_recipe_says(three_services, "orders", holder)
    assert (await store.decided(order_id, within=30))["status"] == "FINISHED"


async def test_an_order_whose_own_service_is_away_waits_for_it_where_no_other_replica_is_there(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    orders, payments = (three_services.processes[name] for name in ("orders", "payments"))
    async with paused(http, three_services, "payments"):
        order_id = (await store.placed(user, "9.00"))["id"]
        try:
            async with three_services.others(("payments", {})):
                payments.kill()
                orders.kill()
                await waits_for(three_services, order_id, "payments_paused", "orders_not_running")
            await waits_for(
                three_services, order_id,
                "payments_paused", "payments_not_running", "orders_not_running",
            )  # fmt: skip
            await payments.start()
            by_http = expect(200, await http.get(f"{three_services.gateway}/ops/orders/{order_id}"))
            assert by_http["causes"] == {"orders": "the orders service does not answer"}
            assert [wait["why"] for wait in by_http["waits"]] == ["orders_unknown", "payments_paused"]
        finally:
            await start_together(process for process in (orders, payments) if not process.runs)
    assert (await store.decided(order_id, within=30))["status"] == "FINISHED"


def names(found: Any, holder: asyncpg.Connection, says: str) -> bool:
    detail = found["waits"][-1]["detail"]
    return f"pid {holder.get_server_pid()} (month-end report, user " in detail and says in detail
