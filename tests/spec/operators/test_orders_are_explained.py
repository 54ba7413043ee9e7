"""Whatever an order waits for, `shop explain` names it by the facts that are stored, and invents nothing."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg

from payments import wire
from payments.domain.events import PaymentDeclined
from shop.explain import explain
from shop.services import load_shop
from tests.builders import TRACE, TRACE_ID
from tests.servers.database import connected
from tests.servers.postgres import create_database
from tests.servers.process import eventually
from tests.servers.shop import Shop, ThreeServices, schema_of
from tests.spec.promises.test_paused_consumers_take_nothing import paused
from tests.spec.scenario import Http, expect, expect_problem
from tests.spec.store import Store

NOBODYS = "01970000-0000-7000-8000-000000000000"


async def explained(shop: Shop, order_id: str) -> Any:
    return json.loads(await shop.says("explain", order_id, "--json"))


async def waits_for(shop: ThreeServices, order_id: str, *reasons: str) -> Any:
    """The explanation of the console, once the databases name these reasons."""
    console = load_shop(shop.database_settings)

    async def named() -> bool:
        found = await explain(console, UUID(order_id))
        assert [wait.why for wait in found.waits] == list(reasons), found
        return True

    await eventually(named, within=30)
    found = await explained(shop, order_id)
    assert [wait["why"] for wait in found["waits"]] == list(reasons), found
    return found


def whats(found: Any) -> list[str]:
    return [f"{fact['service']} {fact['what']}" for fact in found["facts"]]


async def test_a_finished_order_has_its_facts_in_the_order_of_time_and_waits_for_nothing(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    order = await store.decided((await store.placed(user, "9.00"))["id"])
    by_http: Any = None

    async def is_published() -> bool:
        """Whether the last fact is told: an event leaves its outbox together with others."""
        nonlocal by_http
        by_http = expect(200, await http.get(f"{three_services.gateway}/ops/orders/{order['id']}"))
        return len(by_http["facts"]) == 5

    await eventually(is_published, within=20)
    found = await explained(three_services, order["id"])
    assert found == by_http
    assert (found["userId"], found["status"], found["waits"], found["unknown"]) == (user, "FINISHED", [], [])
    assert whats(found) == [
        "orders accepted", "orders status", "payments decided", "payments transfer", "orders status",
    ]  # fmt: skip
    assert [fact["at"] for fact in found["facts"]] == sorted(fact["at"] for fact in found["facts"])
    assert found["facts"][0]["at"] == order["createdAt"]


async def test_the_trace_of_the_call_that_placed_an_order_is_told(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="20.00")
    body, orders = {"userId": user, "amount": "9.00"}, f"{three_services.gateway}/orders"
    order = expect(201, await http.post(orders, body, [("traceparent", TRACE)]))
    found = await explained(three_services, order["id"])
    assert found["traceId"] == TRACE_ID
    by_http = expect(200, await http.get(f"{three_services.gateway}/ops/orders/{order['id']}"))
    assert by_http["traceId"] == TRACE_ID
    # Without one of the client's, the gateway begins one.
    own = await http.post(orders, body)
    found = await explained(three_services, expect(201, own)["id"])
    assert found["traceId"] == own.headers["X-Request-Id"]


async def test_an_order_id_that_nobody_has_is_not_found(three_services: ThreeServices, http: Http) -> None:
    expect_problem(
        await http.get(f"{three_services.gateway}/ops/orders/{NOBODYS}"), 404, code="order_not_found"
    )
    console = three_services.process("explain", NOBODYS, **three_services.database_settings)
    assert await console.run() == 1
    assert console.last_words.strip().splitlines()[-1].startswith("Error: there is no order")


async def test_an_order_that_the_broker_does_not_take_waits_in_the_outbox(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    async with three_services.broker.away():
        order = await store.placed(user, "9.00")
        found = await waits_for(three_services, order["id"], "not_published")
        assert "orders in_outbox" in whats(found)
        assert "until" not in found["waits"][0], "orders asks nothing while its own events wait"
        assert found["waits"][0]["since"] >= order["createdAt"][:-5]
    await store.decided(order["id"], within=30)


async def test_an_order_that_payments_does_not_decide_waits_for_its_process(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    async with placed_without_payments(three_services, store) as order:
        await no_other_session_counts(three_services, order["id"])
        url = f"{three_services.gateway}/ops/orders/{order['id']}"

        async def payments_is_unknown() -> bool:
            part = expect(200, await http.get(url))
            assert part["unknown"] == ["payments"]
            assert part["causes"] == {"payments": "the payments service does not answer"}
            return [wait["why"] for wait in part["waits"]] == ["payments_unknown"]

        # Orders asks payments again now and then, and each time waits in its outbox for a moment.
        await eventually(payments_is_unknown)
    assert (await store.decided(order["id"], within=30))["status"] == "FINISHED"


async def no_other_session_counts(shop: ThreeServices, order_id: str) -> None:
    """No other session counts as the service's own; one of its role that bears no name leaves it unknown."""
    for name, reason in (("shop console", "payments_not_running"), ("", "payments_running_unknown")):
        url = shop.databases["payments"].service_url
        async with connected(url, application_name=name):
            await waits_for(shop, order_id, reason)


async def test_a_part_that_is_unknown_is_told_with_its_cause(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    order_id = (await store.placed(await store.open_account(funds="10.00"), "9.00"))["id"]
    empty = await create_database(three_services.database_settings["PAYMENTS_DATABASE_URL"], "unmigrated")
    assert (password := urlsplit(empty).password)
    for options in ([], ["--json"]):
        said = await three_services.says("explain", order_id, *options, PAYMENTS_DATABASE_URL=empty)
        assert "was never migrated: run `shop migrate payments`" in said
        assert password not in said


async def test_an_order_whose_consumer_is_paused_waits_for_an_operator(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    async with paused(http, three_services, "payments"):
        order = await store.placed(user, "9.00")
        found = await waits_for(three_services, order["id"], "payments_paused")
        assert "by anyone: a flood" in found["waits"][0]["detail"]
    assert (await store.decided(order["id"], within=30))["status"] == "FINISHED"


async def test_an_order_whose_decision_is_parked_waits_for_an_operator(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    async with placed_without_payments(three_services, store) as order:
        await declined_and_parked(three_services, order["userId"], UUID(order["id"]))
        found = await waits_for(three_services, order["id"], "orders_parked")
        assert "no_such_thing" in found["waits"][0]["detail"]
        assert "until" not in found["waits"][0], "orders leaves out what is parked"
        said = await three_services.says("explain", order["id"], COLUMNS="80")
        assert all(wait["detail"] in said for wait in found["waits"])
        assert all(fact.get("detail", "") in said for fact in found["facts"])
        await three_services.says("dead-letters", "replay", "--reason", "no_such_thing")
        assert (await store.decided(order["id"], within=30))["reason"] == "insufficient_funds"


@asynccontextmanager
async def placed_without_payments(shop: ThreeServices, store: Store) -> AsyncIterator[Any]:
    """An order that was placed while no process of payments ran; payments runs again at the end."""
    user = await store.open_account(funds="10.00")
    async with shop.without("payments"):
        order = await store.placed(user, "9.00")
        found = await waits_for(shop, order["id"], "payments_not_running")
        assert "since" not in found["waits"][0], "nobody stores when it ended"
        yield order


async def declined_and_parked(shop: ThreeServices, user: str, order_id: UUID) -> None:
    """Payments has declined it, and orders could not handle that."""
    event = PaymentDeclined(order_id=order_id, user_id=user, traceparent=TRACE, reason="insufficient_funds")
    at = await on(shop, "PAYMENTS", user, lambda c: c.fetchval("SELECT now()"))
    event_type, payload = wire.encode(event, uuid4(), at)
    await on(
        shop,
        "PAYMENTS",
        user,
        lambda c: c.execute(
            "INSERT INTO payments (user_id, order_id, decision, reason, created_at)"
            " VALUES ($1, $2, 'declined', 'insufficient_funds', $3)",
            user, order_id, at,
        ),
    )  # fmt: skip
    await on(
        shop,
        "ORDERS",
        user,
        lambda c: c.execute(
            "INSERT INTO parked_messages"
            " (type, subject, reason, detail, payload, count, first_parked_at, last_parked_at, id)"
            " VALUES ($1, $2, 'no_such_thing', 'prepared', $3, 1, $4, $4, gen_random_uuid())",
            event_type, str(order_id), payload, at,
        ),
    )  # fmt: skip


async def on(
    shop: ThreeServices, service: str, user: str, act: Callable[[asyncpg.Connection], Awaitable[Any]]
) -> Any:
    url = shop.database_settings[f"{service}_DATABASE_URL"]
    async with connected(url, search_path=schema_of(user)) as connection:
        return await act(connection)
