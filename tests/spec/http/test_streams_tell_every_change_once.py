"""The status of an order, live: every change once and in order, wherever and however often one looks."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from tests.servers.process import eventually
from tests.servers.shop import ThreeServices, free_port
from tests.spec.live import Stream
from tests.spec.scenario import Http, expect, expect_problem, for_each, money, together
from tests.spec.store import Store

BATCH = 200
CROWD = 2000


@pytest.fixture(scope="module")
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


async def placed(store: Store, user: str, count: int) -> list[str]:
    """The ids of so many orders of 1.00."""
    wishes = [{"userId": user, "amount": "1.00"}] * BATCH
    batches = await together(*(store.in_batch(*wishes[: count - first]) for first in range(0, count, BATCH)))
    return [outcome["order"]["id"] for batch in batches for outcome in batch]


async def test_a_stream_tells_every_change_once_and_ends(
    gateway: Store, session: aiohttp.ClientSession
) -> None:
    user = await gateway.open_account(funds="10.00")
    wish = {"userId": user, "amount": "10.00"}
    streams = [Stream(session, outcome["order"]["id"]) for outcome in await gateway.in_batch(wish, wish)]
    await together(*(stream.read(gateway.orders) for stream in streams))
    assert sorted(stream.statuses for stream in streams) == [["NEW", "CANCELLED"], ["NEW", "FINISHED"]]
    for stream in streams:
        assert [number for number, _ in stream.events] == ["1", "2"]
        first, last = (order for _, order in stream.events)
        assert last == expect(200, await gateway.http.get(gateway.order_url(stream.order_id)))
        assert first == last | {"status": "NEW", "reason": None, "updatedAt": last["createdAt"]}
        assert money(first["amount"]) == 10


async def test_a_reader_that_comes_back_misses_and_repeats_nothing(
    gateway: Store, session: aiohttp.ClientSession
) -> None:
    user = await gateway.open_account(funds="1.00")
    stream = Stream(session, (await gateway.placed(user, "1.00"))["id"])
    await stream.read(gateway.orders, events_max=1)
    assert stream.statuses == ["NEW"]
    await stream.read(gateway.orders)
    assert stream.statuses == ["NEW", "FINISHED"]
    nothing = await stream.read(gateway.orders)
    assert (nothing.status, nothing.body) == (204, b"")


@pytest.mark.parametrize("unreadable", ["0", "3", "-1", "two", "999999999999999999999", " ", "²"])
async def test_a_last_event_id_that_never_was_is_ignored(
    gateway: Store, session: aiohttp.ClientSession, unreadable: str
) -> None:
    user = await gateway.open_account(funds="1.00")
    order = await gateway.decided((await gateway.placed(user, "1.00"))["id"])
    stream = Stream(session, order["id"])
    await stream.read(gateway.orders, last_id=unreadable)
    assert stream.statuses == ["NEW", "FINISHED"]


async def test_an_order_that_does_not_exist_has_no_stream(gateway: Store) -> None:
    expect_problem(
        await gateway.http.get(f"{gateway.order_url(str(uuid4()))}/events"), 404, code="order_not_found"
    )
    expect_problem(await gateway.http.get(f"{gateway.order_url('x')}/events"), 400, field="id")


async def test_a_client_that_prefers_to_wait_is_answered_with_the_decision(gateway: Store) -> None:
    user = await gateway.open_account(funds="10.00")

    async def decided_at_once(row: tuple[str, str]) -> None:
        prefer, applied = row
        wish = {"userId": user, "amount": "1.00"}
        answer = await gateway.http("POST", gateway.orders, wish, headers=[("Prefer", prefer)])
        order = expect(201, answer)
        assert order["status"] == "FINISHED"
        assert answer.headers["Preference-Applied"] == applied
        assert order == expect(200, await gateway.http.get(gateway.order_url(order["id"])))
        assert answer.location == gateway.order_url(order["id"])

    rows = [("wait=10", "wait=10"), ("wait=3600", "wait=30"), ('respond-async, WAIT="20"; x=1', "wait=20")]
    await for_each(rows, decided_at_once)


async def test_a_preference_that_cannot_be_read_is_ignored(gateway: Store) -> None:
    user = await gateway.open_account(funds="10.00")

    async def not_waited(prefer: str) -> None:
        wish = {"userId": user, "amount": "1.00"}
        answer = await gateway.http("POST", gateway.orders, wish, headers=[("Prefer", prefer)])
        assert expect(201, answer)["status"] == "NEW"
        assert "Preference-Applied" not in answer.headers

    await for_each(["wait", "wait=", "wait=-1", "wait=soon", "return=minimal", '"'], not_waited)


async def all_open(streams: Sequence[Stream], readers: Sequence[asyncio.Task[object]]) -> None:
    def opened() -> bool:
        for reader in readers:
            assert not reader.done() or reader.result()
        return all(stream.opened.is_set() for stream in streams)

    await eventually(opened, within=120)


def resident_mib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) // 1024  # type: ignore[index]


async def test_over_two_gateways_and_two_orders_services_each_stream_sees_every_change_once_in_order(
    three_services: ThreeServices, http: Http, session: aiohttp.ClientSession
) -> None:
    """The readers of a gateway that is stopped go on at the other one."""
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="60.00")
    other_url = f"http://127.0.0.1:{(port := free_port())}"
    other = three_services.serve("gateway", ready_at=[other_url], GATEWAY_PORT=str(port))
    other.spawn()
    async with three_services.others(("orders", {})):
        await other.ready()
        async with three_services.without("payments"):
            order_ids = await placed(store, user, 60)
            staying, moving = ([Stream(session, order_id) for order_id in order_ids] for _ in range(2))
            readers = [asyncio.create_task(stream.read(store.orders)) for stream in staying]
            parting = [asyncio.create_task(stream.read(f"{other_url}/orders")) for stream in moving]
            await all_open(staying + moving, readers + parting)
            assert await other.terminate(within=5) == 0
            await together(*parting)
            assert all(stream.statuses == ["NEW"] for stream in moving)
            readers += [asyncio.create_task(stream.read(store.orders)) for stream in moving]
        await together(*readers)
    assert {tuple(stream.statuses) for stream in staying + moving} == {("NEW", "FINISHED")}


async def test_a_gateway_without_a_broker_looks_every_so_often(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    wish = {"userId": await store.open_account(funds="1.00"), "amount": "1.00"}
    async with three_services.others(("gateway", {"RABBITMQ_URL": ""})) as (deaf,):
        order = await http.post(f"{deaf}/orders", wish, headers=[("Prefer", "wait=30")])
        assert expect(201, order)["status"] == "FINISHED"
        assert not expect(200, await http.get(f"{deaf}/health/ready")).get("degraded")


async def test_a_gateway_bears_a_crowd_of_streams(
    three_services: ThreeServices, http: Http, session: aiohttp.ClientSession
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds=f"{CROWD}.00")
    pid = three_services.processes["gateway"].pid
    async with three_services.without("payments"):
        streams = [Stream(session, order_id) for order_id in await placed(store, user, CROWD)]
        readers = [asyncio.create_task(stream.read(store.orders)) for stream in streams]
        await all_open(streams, readers)
        assert resident_mib(pid) < 300
    await together(*readers)
    assert {tuple(stream.statuses) for stream in streams} == {("NEW", "FINISHED")}
    assert resident_mib(pid) < 300
