"""What an operator does for somebody is recorded once, with its effect: when, who, what, and for whom."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from kernel.domain.caller import Role
from tests.servers.database import connected
from tests.spec.scenario import expect, expect_problem, new_user
from tests.spec.security.conftest import Guarded
from tests.statements import statements_counted

WORDS = "did, operator, through, subject::text"


class Records:
    """The records of both services, read beside the shop."""

    def __init__(self, orders: asyncpg.Connection, payments: asyncpg.Connection) -> None:
        self.orders = orders
        self.payments = payments

    async def about(self, user: str, columns: str = WORDS) -> list[tuple[Any, ...]]:
        query = f"SELECT {columns} FROM operator_record WHERE user_id = $1"
        found = [*await self.orders.fetch(query, user), *await self.payments.fetch(query, user)]
        return sorted(map(tuple, found))


@pytest.fixture
async def records(guarded: Guarded, postgres_server: str) -> AsyncIterator[Records]:
    server = postgres_server.rpartition("/")[0]
    async with (
        connected(f"{server}/guarded_orders") as orders,
        connected(f"{server}/guarded_payments") as payments,
    ):
        yield Records(orders, payments)


async def test_each_act_of_an_operator_is_recorded_with_its_time_and_its_subject(
    guarded: Guarded, records: Records
) -> None:
    before = datetime.now(UTC)
    operator, user, gateway = new_user(), new_user(), guarded.urls["gateway"]
    token = guarded.keys.token(operator, Role.OPERATOR)
    expect(201, await guarded.ask(token, "POST", f"{gateway}/accounts", {"userId": user}))
    deposit_url = f"{gateway}/accounts/{user}/deposit"
    expect(200, await guarded.ask(token, "POST", deposit_url, {"amount": 50}))
    statement = expect(200, await guarded.ask(token, "GET", f"{gateway}/accounts/{user}/transactions"))
    order = {"userId": user, "amount": 10}
    placed = expect(201, await guarded.ask(token, "POST", f"{gateway}/orders", order))
    [joined] = expect(200, await guarded.ask(token, "POST", f"{gateway}/orders/batch", [order]))
    expect(202, await guarded.ask(token, "POST", f"{gateway}/orders/{placed['id']}/cancel"))
    account = await records.payments.fetchval("SELECT id::text FROM accounts WHERE user_id = $1", user)
    assert await records.about(user) == sorted(
        [
            ("open_account", operator, "", account),
            ("deposit", operator, "", statement[0]["id"]),
            ("place_order", operator, "gateway", placed["id"]),
            ("place_order", operator, "gateway", joined["order"]["id"]),
            ("cancel_order", operator, "", placed["id"]),
        ]
    )
    times = [at for (at,) in await records.about(user, "at")]
    assert before <= min(times)
    assert max(times) <= datetime.now(UTC)


async def test_a_repeated_or_refused_act_is_not_recorded(guarded: Guarded, records: Records) -> None:
    operator, user = new_user(), await guarded.customer()
    gateway, token = guarded.urls["gateway"], guarded.keys.token(operator, Role.OPERATOR)
    order, deposit = {"userId": user, "amount": 10}, {"amount": 1}
    for _ in range(3):
        expect(201, await guarded.ask(token, "POST", f"{gateway}/orders", order, Idempotency_Key="k"))
        deposit_url = f"{gateway}/accounts/{user}/deposit"
        expect(200, await guarded.ask(token, "POST", deposit_url, deposit, Idempotency_Key="k"))
    too_much = {"userId": user, "amount": 10_000}
    expect_problem(
        await guarded.ask(token, "POST", f"{gateway}/orders", too_much), 402, code="insufficient_funds"
    )
    again = await guarded.ask(token, "POST", f"{gateway}/accounts", {"userId": user})
    expect_problem(again, 409, code="account_exists")
    assert [did for did, *_ in await records.about(user)] == ["deposit", "place_order"]


async def test_an_act_of_a_user_is_not_recorded_and_costs_no_statement(
    guarded: Guarded, records: Records
) -> None:
    with statements_counted() as (statements, _):
        user = await guarded.customer()
        order = await guarded.order_of(user)
        cancel = f"{guarded.urls['gateway']}/orders/{order}/cancel"
        expect(202, await guarded.ask(guarded.keys.token(user), "POST", cancel))
    assert await records.about(user) == []
    assert [text for text in statements if "operator_record" in text] == []


async def test_an_operator_and_a_user_who_share_a_call_are_told_apart(
    guarded: Guarded, records: Records
) -> None:
    """Where a batch of an operator names many users, each line is about its own."""
    operator, users = new_user(), [await guarded.customer() for _ in range(2)]
    token, gateway = guarded.keys.token(operator, Role.OPERATOR), guarded.urls["gateway"]
    batch = [{"userId": user, "amount": 1} for user in (*users, new_user())]
    placed = expect(200, await guarded.ask(token, "POST", f"{gateway}/orders/batch", batch))
    assert [item["status"] for item in placed] == [201, 201, 422]
    for user, item in zip(users, placed, strict=False):
        assert await records.about(user) == [("place_order", operator, "gateway", item["order"]["id"])]
    assert await records.about(batch[-1]["userId"]) == []


async def test_the_record_of_both_services_is_read_at_the_gateway_page_by_page(guarded: Guarded) -> None:
    operator, user, gateway = new_user(), new_user(), guarded.urls["gateway"]
    token = guarded.keys.token(operator, Role.OPERATOR)
    expect(201, await guarded.ask(token, "POST", f"{gateway}/accounts", {"userId": user}))
    expect(200, await guarded.ask(token, "POST", f"{gateway}/accounts/{user}/deposit", {"amount": 50}))
    placed = expect(
        201, await guarded.ask(token, "POST", f"{gateway}/orders", {"userId": user, "amount": 10})
    )
    read: list[dict[str, Any]] = []
    url: str | None = f"{gateway}/ops/record?limit=2"
    while url is not None and len(read) < 100 and "open_account" not in [act["did"] for act in read]:
        page = await guarded.ask(guarded.keys.token("vera", Role.VIEWER), "GET", url)
        body = expect(200, page)
        assert body["unknown"] == []
        read += body["acts"]
        link = page.headers.get("Link")
        url = gateway + link[link.index("<") + 1 : link.index(">")] if link else None
    own = [act for act in read if act["operator"] == operator]
    assert [(act["did"], act["service"], act["userId"]) for act in own] == [
        ("place_order", "orders", user),
        ("deposit", "payments", user),
        ("open_account", "payments", user),
    ]
    assert own[0]["subject"] == placed["id"]
    times = [act["at"] for act in read]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("after", ["x", "~~", "2026-01-01T00:00:00~00000000-0000-0000-0000-000000000000~x"])
async def test_a_page_of_the_record_begins_where_a_link_says(guarded: Guarded, after: str) -> None:
    token = guarded.keys.token("vera", Role.VIEWER)
    url = f"{guarded.urls['gateway']}/ops/record?after={after}"
    expect_problem(await guarded.ask(token, "GET", url), 400, code="invalid_request", field="after")
