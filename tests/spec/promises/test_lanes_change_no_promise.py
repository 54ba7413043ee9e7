"""Users are spread over lanes, and nobody can tell."""

import json
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from yarl import URL

from kernel.adapters.embedded.postgres import running_url
from kernel.adapters.lanes.lane import LaneFinder
from tests.servers.database import connected
from tests.servers.process import eventually
from tests.servers.shop import Embedded
from tests.spec.scenario import Http, expect
from tests.spec.store import Store

LANES = 4
FINDER = LaneFinder(LANES)


@pytest.fixture(scope="module")
async def shop(scratch: Path) -> AsyncIterator[Embedded]:
    async with Embedded(scratch / "lanes", lanes=LANES) as shop:
        yield shop


@pytest.fixture(scope="module")
async def users(store: Store) -> list[str]:
    """One of each lane, with 100.00."""
    found: dict[int, str] = {}
    while len(found) < LANES:
        user = await store.open_account(funds="100.00")
        found.setdefault(FINDER.of_user(user), user)
    return [found[lane] for lane in range(LANES)]


@pytest.fixture(scope="module")
def store(http: Http, shop: Embedded) -> Store:
    return Store.at_the_gateway(http, shop)


async def rows(shop: Embedded, service: str, table: str) -> list[set[str]]:
    """The users in this table of each lane."""
    async with connected(running_url(shop.directory / "data" / service, database=service, owner=True)) as one:
        return [
            {row["user_id"] for row in await one.fetch(f"SELECT user_id FROM lane_{lane:03}.{table}")}
            for lane in range(LANES)
        ]


async def test_the_orders_of_all_users_are_decided_and_their_ids_tell_the_lanes(
    shop: Embedded, store: Store, users: list[str]
) -> None:
    placed = [await store.placed(user, "10.00") for user in users]
    for lane, order in enumerate(placed):
        assert (await store.decided(order["id"]))["status"] == "FINISHED"
        assert FINDER.of_order(UUID(order["id"])) == lane
    for service, table in (("orders", "orders"), ("payments", "accounts"), ("payments", "transfers")):
        for lane, found in enumerate(await rows(shop, service, table)):
            assert users[lane] in found
            assert {FINDER.of_user(user) for user in found} == {lane}


async def test_a_cancelled_order_is_paid_back_whatever_its_lane(store: Store, users: list[str]) -> None:
    for user in users:
        before = await store.balance(user)
        order = await store.placed(user, "7.00")
        assert (await store.cancelled(order["id"]))["status"] in ("CANCELLED", "REFUNDED")
        assert await store.balance(user) == before
        history = expect(200, await store.http.get(store.history_url(order["id"])))
        assert [change["sequence"] for change in history] == list(range(1, len(history) + 1))


async def test_each_order_of_a_batch_over_lanes_has_its_own_fate_and_key(
    store: Store, users: list[str]
) -> None:
    wishes: list[Any] = [
        {"userId": user, "amount": amount, "idempotencyKey": f"{amount} in a batch"}
        for amount in ("1.00", "100000.00")
        for user in users
    ]
    first = await store.in_batch(*wishes)
    assert [outcome["status"] for outcome in first] == [201] * LANES + [402] * LANES
    again = await store.in_batch(*reversed(wishes))
    assert [outcome["status"] for outcome in again] == [402] * LANES + [201] * LANES
    assert all(outcome["replayed"] for outcome in again[LANES:])
    assert [one["order"]["id"] for one in first[:LANES]] == [
        one["order"]["id"] for one in reversed(again[LANES:])
    ]


async def test_the_list_over_all_users_is_one_list(store: Store, users: list[str]) -> None:
    placed = [(await store.placed(user, "0.10"))["id"] for _ in range(3) for user in users]
    for filters in ("", "&status=FINISHED"):
        for order_id in placed:
            await store.decided(order_id)
        seen: list[str] = []
        url: str | None = f"{store.orders}?limit=5{filters}"
        while url is not None:
            answer = await store.http.get(url)
            seen += [order["id"] for order in expect(200, answer)]
            link = re.match(r'<(.*?)>; rel="next"', answer.headers.get("Link", ""))
            url = str(URL(url).join(URL(link[1]))) if link else None
        assert seen == sorted(set(seen))
        assert set(placed) <= set(seen)


async def test_a_key_makes_a_deposit_once(store: Store, users: list[str]) -> None:
    for user in users:
        before = await store.balance(user)
        for _ in range(2):
            wish = {"amount": "5.00"}
            expect(200, await store.http.post(store.deposit_url(user), wish, [("Idempotency-Key", "once")]))
        assert await store.balance(user) == before + Decimal("5.00")


async def test_the_audit_sees_all_lanes(shop: Embedded, store: Store, users: list[str]) -> None:
    count = sum([len(await store.orders_of(user)) for user in users])

    async def sound() -> bool:
        report = json.loads(await shop.says("audit", "--json"))
        checked = {one["check"]: one["count"] for one in report["checked"]}
        assert checked["orders"] == count
        return report["waiting"]["new"] == 0

    await eventually(sound, within=30)


async def test_another_number_of_lanes_is_refused_in_one_line(shop: Embedded) -> None:
    await shop.stop()
    other = shop.process("up", SHOP_LANES="8")
    other.spawn()
    assert await other.ended() == 1
    line = r"Error: the orders database orders at \S+ was made with SHOP_LANES=4, not 8\n"
    assert re.fullmatch(line, other.stderr)
