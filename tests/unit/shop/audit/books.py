"""The databases of a small shop after some shopping, which tests audit and damage."""

import asyncio
import itertools
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
import asyncpg

from shop.audit.auditing import audit
from shop.audit.findings import Report
from shop.services import load_shop
from shop.serving import open_shop, url_of
from tests.databases import on
from tests.servers.database import connected
from tests.servers.ports import free_port
from tests.spec.scenario import Http, expect
from tests.spec.store import Store

UNKNOWN = "01900000-0000-7000-8000-000000000000"
CAPTURED = "shop.payments.payment-captured.v1"

_numbers = itertools.count()


@dataclass(frozen=True)
class Books:
    """The databases of a shop that has closed, and the names of what is in them."""

    server: asyncpg.Connection
    urls: dict[str, str]
    names: dict[str, str]

    async def audit(
        self,
        *,
        at_rest: bool = False,
        patience_s: float = 0,
        running: Collection[str] = ("orders", "payments"),
        called: str = "shop",
    ) -> Report:
        """Audits as if these services were running: each has a connection, `called` as the URLs say."""
        urls = {one: f"{url}?{urlencode({'application_name': called})}" for one, url in self.urls.items()}
        async with AsyncExitStack() as services:
            for one in running:
                await services.enter_async_context(connected(self.urls[one], application_name=called))
            return await audit(on(**urls), at_rest=at_rest, patience_s=patience_s)

    async def harm(self, service: str, statements: str) -> None:
        """Damages a database as only the owner of the server can: a replica fires no append-only triggers.

        Done to a copy, which the first harm makes.
        """
        if self.urls[service].endswith(f"/{service}"):
            name = f"{service}_{next(_numbers)}"
            await self.server.execute(f"CREATE DATABASE {name} TEMPLATE {service}")
            self.urls[service] = with_database(self.urls[service], name)
        async with connected(self.urls[service], session_replication_role="replica") as connection:
            await connection.execute(self.named(statements))

    def named(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(f"<{name}>", value)
        return text


def with_database(url: str, name: str) -> str:
    return f"{url.rpartition('/')[0]}/{name}"


async def go_shopping(urls: dict[str, str]) -> dict[str, str]:
    """Deposits, and orders that are paid, declined and refunded; the ids of some of them."""
    ports = {f"{name}_PORT": str(free_port()) for name in ("GATEWAY", "ORDERS", "PAYMENTS")}
    shop = load_shop({f"{name.upper()}_DATABASE_URL": url for name, url in urls.items()} | ports)
    async with open_shop(shop, asyncio.Event()), aiohttp.ClientSession() as session:
        gateway = url_of(shop, "gateway")
        store = Store(Http(session), f"{gateway}/accounts", f"{gateway}/orders")
        for user in ("alice", "bob", "carol", "erin"):
            expect(201, await store.http.post(store.accounts, {"userId": user}))
        await store.deposit("alice", "100.00")
        # Each alone could be paid, so both are accepted, and one is declined.
        outcomes = await store.in_batch(*[{"userId": "alice", "amount": "60.00"}] * 2)
        decided = [await store.decided(outcome["order"]["id"]) for outcome in outcomes]
        first, declined = sorted(decided, key=lambda order: str(order["status"]), reverse=True)
        assert (first["status"], declined["status"]) == ("FINISHED", "CANCELLED")
        await store.deposit("alice", "50.00")
        paid = await store.decided((await store.placed("alice", "10.25"))["id"])
        last = await store.decided((await store.placed("alice", "5.00"))["id"])
        await store.deposit("carol", "20.00")
        other = await store.decided((await store.placed("carol", "20.00"))["id"])
        await store.deposit("erin", "30.00")
        returned = await store.decided((await store.placed("erin", "30.00"))["id"])
        refunded = await store.cancelled(returned["id"])
    orders = {
        "first": first,
        "declined": declined,
        "paid": paid,
        "last": last,
        "other": other,
        "refunded": refunded,
    }
    return {
        **{name: order["id"] for name, order in orders.items()},
        "unknown": UNKNOWN,
        # The transfer that paid alice's order of 10.25.
        "payment": "user_id = 'alice' AND sequence = 4",
        "refund": "user_id = 'erin' AND sequence = 3",
    }


LONG_UNCHANGED = "updated_at = updated_at - interval '61 s'"
UNDECIDED = """
    INSERT INTO orders (user_id, id, amount, currency, description, status, created_at, updated_at)
        VALUES ('alice', '<unknown>', 100, 'RUB', '', 'NEW', now() - interval '61 s', now());
    INSERT INTO order_history VALUES ('alice', '<unknown>', 1, 'NEW', NULL, now());
"""


def culprits(report: Report) -> list[tuple[str, str]]:
    return [(fault.kind, fault.subject.partition(" (")[0]) for fault in report.faults]


@dataclass(frozen=True)
class Damage:
    """A damage to a database, and the faults that the audit should find: kinds and subjects."""

    done: str
    statements: str
    found: tuple[tuple[str, str], ...]
