"""A message with two consumers in one process: each has it once, also where that is killed in between."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest

from kernel.adapters.postgres.migrating.migrate import migrate
from tests.servers import receipts
from tests.servers.database import connected
from tests.servers.postgres import create_database
from tests.servers.process import Process, eventually
from tests.servers.shop import Shop
from tests.spec.scenario import Http, expect, together
from tests.spec.store import Store

ORDERS = 30
HEALED_WITHIN = 20


class WithReceipts(Process):
    program = (sys.executable, "-P", receipts.__file__)


class ShopWithReceipts(Shop):
    """One process on databases of its own, with a second consumer of `payment-captured` beside orders."""

    def __init__(self, directory: Path, databases: dict[str, str]) -> None:
        super().__init__(directory, lanes=1)
        self.databases = databases
        self.settings |= {"ORDERS_URL": self.orders, "PAYMENTS_URL": self.payments}
        self.settings |= {f"{name.upper()}_DATABASE_URL": url for name, url in databases.items()}
        self.all = WithReceipts(settings=self.settings, logs=directory / "logs", ready_at=self.urls.values())
        self.processes["all"] = self.all

    async def start(self) -> None:
        for service in ("orders", "payments"):
            await migrate(self.databases[service], service)
        # The tables that every service has; what else payments have is not used.
        await migrate(self.databases["receipts"], "payments")
        async with connected(self.databases["receipts"]) as database:
            await database.execute(receipts.CREATE)
        await self.all.start()


@pytest.fixture(scope="module")
async def shop(scratch: Path, postgres_server: str) -> AsyncIterator[ShopWithReceipts]:
    names = "orders", "payments", "receipts"
    databases = {name: await create_database(postgres_server, f"two_consumers_{name}") for name in names}
    async with ShopWithReceipts(scratch / "two-consumers", databases) as shop:
        yield shop


@asynccontextmanager
async def held_up(shop: ShopWithReceipts, consumer: str) -> AsyncIterator[None]:
    """No transaction of this consumer can commit what it made of a message."""
    async with connected(shop.databases[consumer]) as database, database.transaction():
        await database.execute("LOCK TABLE inbox IN SHARE MODE")
        yield


async def cut_off(shop: ShopWithReceipts, consumer: str) -> None:
    """A statement whose client is gone would still be done once nothing holds it up."""
    async with connected(shop.databases[consumer]) as database:
        await database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'shop'"
        )


async def kept(shop: ShopWithReceipts, placed: set[UUID]) -> set[UUID]:
    """Those of the orders that have receipts; of no message there are two. (Payments may have been asked, and
    have answered, several times, each time with a new message.)"""
    async with connected(shop.databases["receipts"]) as database:
        rows = await database.fetch("SELECT order_id, message FROM receipts")
    assert len({row["message"] for row in rows}) == len(rows)
    return {row["order_id"] for row in rows} & placed


async def left_to_publish(shop: ShopWithReceipts) -> int:
    async with connected(shop.databases["payments"]) as database:
        count: int = await database.fetchval("SELECT coalesce(sum(count), 0) FROM outbox")
        return count


async def placed_by(store: Store, count: int) -> set[UUID]:
    user = await store.open_account(funds=str(count))
    return {UUID(order["id"]) for order in await together(*(store.placed(user, 1) for _ in range(count)))}


async def status_histories(store: Store, placed: set[UUID]) -> list[list[str]]:
    """The statuses in the history of each order."""
    histories = await together(*(store.http.get(store.history_url(str(order_id))) for order_id in placed))
    return [[change["status"] for change in expect(200, history)] for history in histories]


@pytest.mark.parametrize("late", ["receipts", "orders"])
async def test_a_process_that_is_killed_between_the_commits_of_two_consumers_gives_each_its_message_once(
    shop: ShopWithReceipts, http: Http, late: str
) -> None:
    store = Store.at_the_gateway(http, shop)

    async def the_other_has_all() -> bool:
        if late == "receipts":
            return await status_histories(store, placed) == [["NEW", "FINISHED"]] * ORDERS
        return await kept(shop, placed) == placed

    async with held_up(shop, late):
        placed = await placed_by(store, ORDERS)
        await eventually(the_other_has_all, within=HEALED_WITHIN)
        assert await left_to_publish(shop) >= ORDERS
        shop.all.kill()
        await cut_off(shop, late)
    if late == "receipts":
        assert await kept(shop, placed) == set()
    await shop.all.start()

    async def both_have_all() -> bool:
        paid = await status_histories(store, placed) == [["NEW", "FINISHED"]] * ORDERS
        return paid and await left_to_publish(shop) == 0

    await eventually(both_have_all, within=HEALED_WITHIN)
    assert await kept(shop, placed) == placed


async def test_one_consumer_that_is_held_up_delays_the_other_with_nothing_that_follows(
    shop: ShopWithReceipts, http: Http
) -> None:
    store = Store.at_the_gateway(http, shop)
    async with held_up(shop, "receipts"):
        placed = set[UUID]()
        for _ in range(5):
            more = await placed_by(store, ORDERS)
            await together(*(store.decided(str(order_id)) for order_id in more))
            placed |= more
        assert await kept(shop, placed) == set()
    await eventually(lambda: left_nothing(shop), within=HEALED_WITHIN)
    assert await kept(shop, placed) == placed


async def left_nothing(shop: ShopWithReceipts) -> bool:
    return await left_to_publish(shop) == 0
