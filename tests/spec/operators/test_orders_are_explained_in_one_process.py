"""In one process an event leaves its outbox once its consumer has it: what holds that up is named, too."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from kernel.adapters.embedded.postgres import running_url
from tests.servers.database import connected
from tests.servers.process import eventually
from tests.servers.shop import Embedded, schema_of
from tests.spec.operators.test_a_stalled_database_is_explained import ROW
from tests.spec.operators.test_orders_are_explained import explained
from tests.spec.scenario import Http, expect
from tests.spec.store import Store


async def waits_for(shop: Embedded, http: Http, order_id: str, hindrance: str) -> list[Any]:
    """The last wait that the gateway and the console tell, once the event has waited for long."""

    async def by_http() -> Any:
        return expect(200, await http.get(f"{shop.gateway}/ops/orders/{order_id}"))

    async def lasts() -> bool:
        return len((await by_http())["waits"]) > 1

    await eventually(lasts, within=30)
    told = [await by_http(), await explained(shop, order_id)]
    for found in told:
        assert found["causes"] == {}
        assert [wait["why"] for wait in found["waits"]] == [hindrance, "not_published"], found
    return [found["waits"][0] for found in told]


@asynccontextmanager
async def locked_row(shop: Embedded, user: str) -> AsyncIterator[asyncpg.Connection]:
    url = running_url(shop.directory / "data" / "payments", database="payments")
    assert url is not None
    async with connected(url, application_name="month-end report", search_path=schema_of(user)) as holder:
        await holder.execute("BEGIN")
        await holder.execute(ROW.format(user=user))
        yield holder


async def test_an_order_waits_for_the_session_that_holds_its_account_and_not_for_the_relay(
    embedded: Embedded, http: Http
) -> None:
    store = Store.at_the_gateway(http, embedded)
    user = await store.open_account(funds="10.00")
    async with locked_row(embedded, user) as holder:
        order_id = (await store.placed(user, "9.00"))["id"]
        for wait in await waits_for(embedded, http, order_id, "payments_blocked"):
            assert f"pid {holder.get_server_pid()} (month-end report, user " in wait["detail"]
            assert "holds locks of rows of accounts" in wait["detail"]
    assert (await store.decided(order_id, within=30))["status"] == "FINISHED"
