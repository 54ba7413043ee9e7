"""An event that is set aside for its lane waits in the outbox of another one: the audit looks there too."""

from contextlib import AsyncExitStack
from uuid import UUID

import pytest

from kernel.adapters.lanes.lane import LaneFinder
from kernel.adapters.postgres.connections.urls import in_schema
from kernel.application.set_aside import aside
from orders.adapters.outbound.claims import PostgresOrderClaims
from orders.adapters.outbound.lanes import OrderClaimsOfLanes
from orders.domain.claims import KnownPayments, faults_of
from payments.adapters.outbound.claims import PostgresClaims
from payments.adapters.outbound.lanes import ClaimsOfLanes
from shop.audit.auditing import audit
from shop.audit.findings import Report, Waiting
from shop.migrating import migrate_databases
from shop.services import Shop, load_shop
from tests.servers.database import connected
from tests.unit.shop.audit.books import UNKNOWN, Books, culprits, with_database

LANES = 2
FINDER = LaneFinder(LANES)
USER = next(user for user in ("ann", "bob", "cyd", "dan") if FINDER.of_user(user) == 1)
ORDER = FINDER.order_id(USER, UUID(UNKNOWN))
KEY = USER, ORDER
ROW = f"message {aside(1)} {UNKNOWN}"


class Lanes:
    """An order of the lane 1 that was placed long ago and is not decided."""

    def __init__(self, shop: Shop, urls: dict[str, str]) -> None:
        self.shop = shop
        self.urls = urls

    async def set_aside(self, service: str) -> None:
        """An event about the order waits in the lane 0 of this service."""
        event = f'{{"id":"1","subject":"{ORDER}","data":{{}}}}'
        await self.execute(
            service,
            f"INSERT INTO lane_000.outbox VALUES ('{aside(1)}', '{UNKNOWN}', convert_to('{event}', 'UTF8'))",
        )

    async def execute(self, service: str, statements: str) -> None:
        async with connected(self.urls[service]) as connection:
            await connection.execute(statements)

    def of_each(self, service: str) -> list[str]:
        return [in_schema(self.urls[service], f"lane_{lane:03}") for lane in range(LANES)]

    async def audit(self, *, at_rest: bool = False) -> Report:
        """As if both services were running."""
        async with AsyncExitStack() as running:
            for url in self.urls.values():
                await running.enter_async_context(connected(url, application_name="shop"))
            return await audit(self.shop, at_rest=at_rest, patience_s=0)


@pytest.fixture
async def lanes(healthy: Books) -> Lanes:
    urls = {}
    for service in ("orders", "payments"):
        await healthy.server.execute(f"DROP DATABASE IF EXISTS {service}_lanes")
        await healthy.server.execute(f"CREATE DATABASE {service}_lanes")
        urls[service] = with_database(healthy.urls[service], f"{service}_lanes")
    settings = {f"{service.upper()}_DATABASE_URL": url for service, url in urls.items()}
    shop = load_shop(settings | {"SHOP_LANES": str(LANES)})
    await migrate_databases(shop, shop.stores)
    lanes = Lanes(shop, urls)
    await lanes.execute(
        "orders",
        f"""
        INSERT INTO lane_001.orders
            (user_id, id, amount, currency, description, status, created_at, updated_at)
            VALUES ('{USER}', '{ORDER}', 100, 'RUB', '', 'NEW', now() - interval '61 s', now());
        INSERT INTO lane_001.order_history VALUES ('{USER}', '{ORDER}', 1, 'NEW', NULL, now());
        """,
    )
    return lanes


@pytest.mark.parametrize("service", ["orders", "payments"])
async def test_the_command_does_not_blame_an_order_whose_event_is_set_aside(
    lanes: Lanes, service: str
) -> None:
    forgotten = ("order_forgotten", f"order {ORDER} of {USER}")
    assert culprits(await lanes.audit()) == [forgotten]
    await lanes.set_aside(service)
    report = await lanes.audit()
    assert culprits(report) == []
    assert report.waiting == Waiting(new=1, refunding=0, outbox=0, not_running=[], set_aside=1)
    assert culprits(await lanes.audit(at_rest=True)) == [("outbox_stuck", ROW)]


@pytest.mark.parametrize("service", ["orders", "payments"])
async def test_neither_does_the_audit_of_the_services(lanes: Lanes, service: str) -> None:
    orders = OrderClaimsOfLanes(list(map(PostgresOrderClaims, lanes.of_each("orders"))))
    payments = ClaimsOfLanes(list(map(PostgresClaims, lanes.of_each("payments"))))

    async def kinds() -> list[str]:
        known = [one for one in await payments.known([KEY]) if one.waiting]
        paid = KnownPayments({}, {str(one.order_id) for one in known})
        found = faults_of([KEY], await orders.known([KEY]), paid)
        return [fault.kind for faults in found.values() for fault in faults]

    assert await kinds() == ["order_forgotten"]
    await lanes.set_aside(service)
    assert await kinds() == []
