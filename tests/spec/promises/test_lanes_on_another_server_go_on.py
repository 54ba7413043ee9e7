"""One of two servers with lanes dies: the users of the other one notice nothing, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kernel.adapters.lanes.lane import LaneFinder
from tests.servers.broker import Broker
from tests.servers.database import connected
from tests.servers.lanes import LANES, STORES, EmbeddedOnLanes, LaneServers, OnLanes, ThreeOnLanes
from tests.servers.postgres import Template
from tests.servers.process import eventually
from tests.servers.virtual_host import VirtualHost
from tests.spec.scenario import Answer, Http, expect, expect_problem, together
from tests.spec.store import Store

HEALED_WITHIN = 10
# More than a consumer is handed at a time, so that what waits for lost lanes would hold up the others.
MESSAGES = 24
FINDER = LaneFinder(LANES)


@pytest.fixture(scope="module")
async def three_on_lanes(
    scratch: Path, broker: str, coming_broker: Broker, template: Template
) -> AsyncIterator[ThreeOnLanes]:
    node = coming_broker.node
    if node is None:
        pytest.skip("the broker is not ours")
    host = VirtualHost(node, "lanes", "lanes")
    servers = LaneServers(scratch / "lanes-of-three", template)
    async with ThreeOnLanes(scratch / "three-on-lanes", servers, host.url("lanes")) as shop:
        yield shop


@pytest.fixture(scope="module")
async def embedded_on_lanes(scratch: Path, template: Template) -> AsyncIterator[EmbeddedOnLanes]:
    servers = LaneServers(scratch / "lanes-of-one", template)
    async with EmbeddedOnLanes(scratch / "embedded-on-lanes", servers) as shop:
        yield shop


class Users:
    """Two of each server, with 1000.00 each."""

    def __init__(self, store: Store, kept: list[str], lost: list[str]) -> None:
        self.store = store
        self.kept = kept
        self.lost = lost

    @classmethod
    async def of(cls, store: Store, *, lost: int = 1) -> "Users":
        """`lost` is the number of the server that is about to be away."""
        found: dict[int, str] = {}
        while len(found) < LANES:
            user = await store.open_account(funds="1000.00")
            found.setdefault(FINDER.of_user(user), user)
        servers = [found[0], found[1]], [found[2], found[3]]
        return cls(store, servers[1 - lost], servers[lost])

    async def the_kept_are_served(self) -> None:
        """Each order is accepted, and decided while the other server is away."""
        for _ in range(3):
            placed = await together(*(self.store.placed(user, "1.00") for user in self.kept * 4))
            decided = await together(*(self.store.decided(order["id"]) for order in placed))
            assert {order["status"] for order in decided} == {"FINISHED"}


async def refused(answer: Answer) -> None:
    expect_problem(answer, 503)
    assert answer.headers["Retry-After"]


async def is_degraded(shop: OnLanes, http: Http, *services: str) -> bool:
    for service in STORES:
        answer = await http.get(f"{shop.urls[service]}/health/ready")
        found = expect(200, answer).get("degraded", [])
        assert ("database" in found) is (service in services), answer
    return True


async def client(store: Store, user: str, accepted: list[Any], stop: asyncio.Event) -> None:
    """Orders one thing after another; what is refused was not ordered."""
    while not stop.is_set():
        answer = await store.order(user, "0.10")
        if answer.status == 201:
            accepted.append(answer.json["id"])
        else:
            assert answer.status in (503, 504), answer
        await asyncio.sleep(0.05)


async def a_server_dies_and_returns(shop: OnLanes, http: Http, *, number: int) -> None:
    store = Store.at_the_gateway(http, shop)
    users, accepted, stop = await Users.of(store, lost=number), list[Any](), asyncio.Event()
    before = [(await store.placed(user, "1.00"))["id"] for user in users.lost]
    load = [asyncio.create_task(client(store, user, accepted, stop)) for user in [*users.kept, *users.lost]]
    try:
        await eventually(lambda: len(accepted) > 2 * LANES)
        await shop.servers.crash(number)
        await eventually(lambda: is_degraded(shop, http, *STORES))
        await users.the_kept_are_served()
        for user in users.lost:
            await refused(await store.order(user, "1.00"))
            await refused(await http.get(store.account_url(user)))
            await refused(await http.get(f"{store.orders}?userId={user}"))
        for order_id in before:
            await refused(await http.get(store.order_url(order_id)))
        await refused(await http.get(store.orders))
        assert await store.orders_of(users.kept[0])
        expect(200, await http.get(f"{shop.gateway}/ops/overview"))
    finally:
        await shop.servers.start_again(number)
        await eventually(lambda: is_degraded(shop, http))
        stop.set()
        await together(*load)
    await together(*(store.decided(order_id, within=HEALED_WITHIN) for order_id in [*before, *accepted]))
    await shop.says("audit")


async def what_waits_for_lost_lanes_holds_up_nobody(shop: OnLanes, http: Http) -> None:
    """The payments service loses its lanes there, and orders keeps them: so messages for them go on."""
    store = Store.at_the_gateway(http, shop)
    users = await Users.of(store)
    async with shop.servers.cables["payments"][1].away():
        await eventually(lambda: is_degraded(shop, http, "payments"))
        waiting = []
        for _ in range(MESSAGES // 2):
            waiting += await together(*(store.placed(user, "1.00") for user in users.lost))
        await users.the_kept_are_served()
        expect_problem(await store.order(users.kept[0], "999999.00"), 402, code="insufficient_funds")
        assert {order["status"] for order in await store.orders_of(users.lost[0])} == {"NEW"}
        await eventually(lambda: all_wait_on_the_first_server(shop, MESSAGES))
        overview = expect(200, await http.get(f"{shop.gateway}/ops/overview"))
        aside = {one["service"]: one["setAside"] for one in overview["services"]}
        assert aside["orders"] == []
        assert {row["lane"] for row in aside["payments"]} == {2, 3}
        assert sum(row["count"] for row in aside["payments"]) >= MESSAGES
    decided = await together(*(store.decided(order["id"], within=HEALED_WITHIN) for order in waiting))
    assert {order["status"] for order in decided} == {"FINISHED"}
    for user in users.lost:
        assert str(await store.balance(user)) == f"{1000 - MESSAGES // 2}.00"


async def all_wait_on_the_first_server(shop: OnLanes, count: int) -> bool:
    async with connected(shop.servers.owner_url(0, "payments")) as one:
        rows = await one.fetchval("SELECT sum(count) FROM lane_000.outbox WHERE type LIKE 'for_lane%'")
    return bool(rows and rows >= count)  # Some of them were asked for again.


async def test_over_rabbitmq(three_on_lanes: ThreeOnLanes, http: Http) -> None:
    await a_server_dies_and_returns(three_on_lanes, http, number=1)
    await what_waits_for_lost_lanes_holds_up_nobody(three_on_lanes, http)


async def test_in_one_process(embedded_on_lanes: EmbeddedOnLanes, http: Http) -> None:
    """Here the first one, where all is that belongs to no user."""
    await a_server_dies_and_returns(embedded_on_lanes, http, number=0)


async def test_a_service_starts_while_a_server_is_away(three_on_lanes: ThreeOnLanes, http: Http) -> None:
    shop, store = three_on_lanes, Store.at_the_gateway(http, three_on_lanes)
    users = await Users.of(store, lost=0)
    payments = shop.processes["payments"]
    async with shop.servers.cables["payments"][0].away():
        payments.kill()
        await payments.start()
        await eventually(lambda: is_degraded(shop, http, "payments"))
        await users.the_kept_are_served()
        await refused(await http.get(store.account_url(users.lost[0])))
    await eventually(lambda: is_degraded(shop, http))
    assert str(await store.balance(users.lost[0])) == "1000.00"
