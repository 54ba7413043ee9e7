"""How often a hundred orders make the parts of the shop ask each other: counts, which no machine changes.

A hundred orders of one lane of four cost what they cost where there is but one lane.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import aiohttp
import pytest

from kernel.adapters.lanes.lane import LaneFinder
from orders.contract.messages import ORDER_PLACED
from payments.contract.messages import PAYMENT_CAPTURED
from shop.services import load_shop
from shop.serving import open_shop, url_of
from tests.ports.plans import scans_of
from tests.servers.postgres import create_database
from tests.servers.process import eventually
from tests.servers.shop import SERVICES, free_port
from tests.spec.scenario import together
from tests.statements import statements_counted

ORDERS = 100

_CALLS = re.compile(r'^shop_http_request_seconds_count\{.*route="(/api/[^"]*)".*\} ([\d.]+)$', re.MULTILINE)
_MESSAGES = re.compile(r'^shop_published_events_count\{type="([^"]*)"\} ([\d.]+)$', re.MULTILINE)
_WAITING = re.compile(r'^shop_outbox_events\{type="([^"]*)"\} ([\d.]+)$', re.MULTILINE)
_FINISHED = re.compile(r'^shop_order_status_changes_total\{.*status="(FINISHED)"\} ([\d.]+)$', re.MULTILINE)


@dataclass
class Trips:
    """The cost of the orders: SQL statements by text, and their plans; calls by route, messages by type."""

    statements: Counter[str]
    plans: dict[str, Any]
    calls: Counter[str]
    messages: Counter[str]


def users_of_one_lane(lanes: int) -> list[str]:
    finder = LaneFinder(lanes)
    users = (f"user-{number}" for number in count())
    return list(islice((user for user in users if finder.of_user(user) == 0), ORDERS))


@pytest.fixture(scope="module", params=[1, 4], ids=lambda lanes: f"{lanes} lanes")
async def trips(postgres_server: str, request: pytest.FixtureRequest) -> AsyncIterator[Trips]:
    lanes = request.param
    users = users_of_one_lane(lanes)
    shop = load_shop(
        {
            "SHOP_LANES": str(lanes),
            "ORDERS_DATABASE_URL": await create_database(postgres_server, f"counted_orders_{lanes}"),
            "PAYMENTS_DATABASE_URL": await create_database(postgres_server, f"counted_payments_{lanes}"),
        }
        | {f"{service.upper()}_PORT": str(free_port()) for service in SERVICES}
    )
    urls = [url_of(shop, service) for service in SERVICES]

    with statements_counted() as (statements, plans):
        async with open_shop(shop, asyncio.Event()), aiohttp.ClientSession(urls[0]) as session:
            await figures(session, urls, _CALLS)
            # Every periodic job, every idle relay and every scrape has asked once by now, and will again.
            at_rest = set(statements)
            await together(*(open_account(session, user) for user in users))
            calls_before = await figures(session, urls, _CALLS)
            statements.clear()
            orders = [{"userId": user, "amount": 10} for user in users]
            await session.post("/orders/batch", json=orders)
            await eventually(lambda: all_finished(session, urls))
            # Published events leave the outboxes a moment later.
            await eventually(lambda: nothing_waits(session, urls))
            yield Trips(
                Counter({text: n for text, n in statements.items() if text not in at_rest}),
                plans,
                await figures(session, urls, _CALLS) - calls_before,
                await figures(session, urls, _MESSAGES),
            )


async def open_account(session: aiohttp.ClientSession, user_id: str) -> None:
    await session.post("/accounts", json={"userId": user_id})
    await session.post(f"/accounts/{user_id}/deposit", json={"amount": 10})


async def figures(session: aiohttp.ClientSession, urls: list[str], figure: re.Pattern[str]) -> Counter[str]:
    """The figures of all services at GET /metrics."""
    found: Counter[str] = Counter()
    for url in urls:
        async with session.get(f"{url}/metrics") as answer:
            for label, value in figure.findall(await answer.text()):
                found[label] += round(float(value))
    return found


async def all_finished(session: aiohttp.ClientSession, urls: list[str]) -> bool:
    return (await figures(session, urls, _FINISHED)).total() == ORDERS


async def nothing_waits(session: aiohttp.ClientSession, urls: list[str]) -> bool:
    return not (await figures(session, urls, _WAITING)).total()


def test_a_hundred_orders_take_two_calls_between_services(trips: Trips) -> None:
    assert trips.calls == {"/api/Order/batch": 1, "/api/Admission": 1}


def test_a_hundred_orders_take_two_messages(trips: Trips) -> None:
    assert trips.messages == {ORDER_PLACED: 1, PAYMENT_CAPTURED: 1}


def test_a_hundred_orders_take_9_statements_beside_those_of_the_relays(trips: Trips) -> None:
    assert trips.statements.total() == 9, "\n".join(f"{n} x {text}" for text, n in trips.statements.items())


def test_none_of_these_statements_searches_a_table_though_none_was_ever_analyzed(trips: Trips) -> None:
    plans = [plan["Plan"] for text in trips.statements for plan in trips.plans[text]]
    scans = [scan for plan in plans for scan in scans_of(plan) if "Relation Name" in scan]
    assert {scan["Relation Name"] for scan in scans} == {"accounts", "orders", "outbox", "payments"}
    assert [scan for scan in scans if scan.keys().isdisjoint({"Index Cond", "Recheck Cond"})] == []
