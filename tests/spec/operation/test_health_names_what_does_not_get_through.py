"""Health names what does not get through for as long as it does not; the log names it once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aio_pika
import pytest

from kernel.adapters.embedded.postgres import running_url
from orders.contract.messages import ORDER_PLACED
from tests.servers.broker import Broker
from tests.servers.database import connected, refusing
from tests.servers.process import Process, eventually
from tests.servers.shop import Embedded, ThreeServices, schema_of
from tests.spec.promises.test_what_is_away_only_delays import is_ready
from tests.spec.promises.test_what_was_answered_stands import HEALED_WITHIN
from tests.spec.scenario import Http, expect_problem
from tests.spec.store import Store

MEMORY = "{resource_limit, memory, node()}"
SAMPLES = 10


class Log:
    """The lines that a process logs from now on."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._before = len(process.stderr)

    def lines(self, word: str) -> list[str]:
        said = self._process.stderr[self._before :].splitlines()
        return [json.loads(line)["event"] for line in said if word in line]


async def stays_degraded(http: Http, url: str, name: str) -> None:
    await eventually(partial(is_ready, http, url, degraded=[name]))
    for _ in range(SAMPLES):
        assert await is_ready(http, url, degraded=[name])
        await asyncio.sleep(0.05)


async def decided(store: Store, order_id: str) -> str:
    return str((await store.decided(order_id, within=HEALED_WITHIN))["status"])


async def test_a_broker_that_blocks_publishers_degrades_a_service_until_it_no_longer_does(
    three_services: ThreeServices, coming_broker: Broker, http: Http
) -> None:
    node = coming_broker.node
    if node is None:
        pytest.skip("only a broker of our own can be told to run short of memory")
    store, log = Store.at_the_gateway(http, three_services), Log(three_services.processes["orders"])
    user = await store.open_account(funds="1.00")
    node.evaluate(f"rabbit_alarm:set_alarm({{{MEMORY}, []}})")
    try:
        placed = await store.placed(user, "1.00")
        await stays_degraded(http, three_services.orders, "rabbitmq")
        await eventually(partial(log.lines, "blocks publishers"))
    finally:
        node.evaluate(f"rabbit_alarm:clear_alarm({MEMORY})")
    assert await decided(store, placed["id"]) == "FINISHED"
    await eventually(partial(is_ready, http, three_services.orders, degraded=[]))
    assert await eventually(partial(log.lines, "is back"))
    assert log.lines("rabbitmq") == [
        "rabbitmq blocks publishers: it is short of memory or disk",
        "rabbitmq is back",
    ]


async def test_an_event_that_no_queue_takes_degrades_its_publisher_and_a_refusing_database_its_service(
    three_services: ThreeServices, http: Http
) -> None:
    """The two at once, for each takes some seconds to be known."""
    store = Store.at_the_gateway(http, three_services)
    logs = {name: Log(three_services.processes[name]) for name in ("orders", "payments")}
    url = three_services.database_settings["PAYMENTS_DATABASE_URL"]
    user = await store.open_account(funds="1.00")
    async with unbound(three_services):
        placed = await store.placed(user, "1.00")
        async with (
            connected(url, search_path=schema_of(user)) as database,
            refusing(database, "transfers", "53100", "the disk is full"),
        ):
            for _ in range(2):
                refused = await http.post(store.deposit_url(user), {"amount": "1.00"})
                expect_problem(refused, 503)
            await stays_degraded(http, three_services.payments, "database")
        await stays_degraded(http, three_services.orders, "rabbitmq")
    assert await decided(store, placed["id"]) == "FINISHED"
    for service in logs:
        await eventually(partial(is_ready, http, three_services.urls[service], degraded=[]))
    [late] = logs["orders"].lines(" late: ")
    assert late.endswith(f"are not published: no queue takes {ORDER_PLACED}")
    assert logs["payments"].lines("53100") == ["the payments database refuses: 53100 the disk is full"]


async def test_a_message_that_cannot_be_handled_now_degrades_its_consumer_until_it_is(
    embedded: Embedded, http: Http
) -> None:
    """Another session locks the accounts, which leaves every connection as it was."""
    store, log = Store.at_the_gateway(http, embedded), Log(embedded.up)
    user = await store.open_account(funds="1.00")
    url = running_url(Path(embedded.settings["SHOP_DATA_DIR"]) / "payments", database="payments")
    async with connected(str(url), search_path=schema_of(user)) as connection, connection.transaction():
        await connection.execute("LOCK TABLE accounts")
        placed = await store.placed(user, "1.00")
        await stays_degraded(http, embedded.payments, "rabbitmq")
    assert await decided(store, placed["id"]) == "FINISHED"
    for url in embedded.urls.values():
        await eventually(partial(is_ready, http, url, degraded=[]))
    assert len(log.lines("ago is not handled")) == 1


@asynccontextmanager
async def unbound(shop: ThreeServices) -> AsyncIterator[None]:
    """No queue takes the orders that are placed."""
    async with await aio_pika.connect(shop.broker.url) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue("payments")
        await queue.unbind("shop.events", ORDER_PLACED)
        try:
            yield
        finally:
            await queue.bind("shop.events", ORDER_PLACED)
