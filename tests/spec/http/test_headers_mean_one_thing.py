"""Headers: those in several lines, those that caches read, and the id of each call."""

import json
import re
from collections.abc import Callable

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage

from orders.contract.messages import ORDER_PLACED, ORDER_STATUS_CHANGED
from payments.contract.messages import PAYMENT_CAPTURED, PAYMENT_REFUNDED
from tests.builders import TRACE, TRACE_ID
from tests.servers.process import eventually
from tests.servers.shop import SERVICES, Shop, ThreeServices
from tests.spec.scenario import Answer, Headers, Http, expect, expect_problem, new_user, together
from tests.spec.store import Store

PRIVATE = "private, no-cache"


async def test_lines_of_if_none_match_are_one_list(store: Store) -> None:
    user = await store.open_account(funds="1.00")
    url = store.order_url((await store.decided((await store.placed(user, "1.00"))["id"]))["id"])
    tag = (await store.http.get(url)).headers["ETag"]
    for tags in (['"a"', tag], [tag, '"a"'], ['"a"', '"b"', f"W/{tag}"]):
        answer = await store.http.get(url, [("If-None-Match", text) for text in tags])
        assert (answer.status, answer.headers["ETag"]) == (304, tag)
    assert (await store.http.get(url, [("If-None-Match", '"a"')] * 2)).status == 200


@pytest.mark.parametrize("lines", [["wait=1000000000"], ["respond-async", "wait=99"]])
async def test_a_long_wait_counts_as_30_in_whatever_line_it_stands(gateway: Store, lines: list[str]) -> None:
    user = await gateway.open_account(funds="1.00")
    wish = {"userId": user, "amount": 1}
    answer = await gateway.http.post(gateway.orders, wish, [("Prefer", line) for line in lines])
    assert expect(201, answer)["status"] == "FINISHED"
    assert answer.headers["Preference-Applied"] == "wait=30"


@pytest.mark.parametrize("name", ["Idempotency-Key", "Content-Type", "Authorization"])
async def test_a_single_value_in_two_lines_is_refused(store: Store, bystander: str, name: str) -> None:
    """On the fast paths too, and whether the two are equal or not."""
    values = {"Content-Type": ["application/json", "text/plain"]}.get(name, ["a", "b"])
    wish = {"userId": bystander, "amount": 1}
    async with store.nothing_changes_for(bystander):
        for second in values:
            headers = [(name, values[0]), (name, second)]
            for url, body in ((store.orders, wish), (store.batch, [wish]), (store.accounts, wish)):
                sent = headers if name != "Content-Type" else headers[1:]
                answer = await store.http("POST", url, body, "application/json", sent)
                expect_problem(answer, 400, field=name)
                assert answer.headers["X-Request-Id"]


async def test_a_malformed_key_is_explained_in_words(store: Store, bystander: str) -> None:
    order = f"{store.order_url('01970000-0000-7000-8000-000000000000')}/cancel"
    wish = {"userId": bystander, "amount": 1}
    async with store.nothing_changes_for(bystander):
        for url, body in ((store.orders, wish), (store.deposit_url(bystander), {"amount": 1}), (order, None)):
            for key in ("ключ", "k" * 256):
                answer = await store.http.post(url, body, [("Idempotency-Key", key)])
                expect_problem(answer, 400)
                assert answer.json["errors"] == [
                    {"field": "Idempotency-Key", "message": "must be 1 to 255 printable ASCII characters"}
                ]


async def test_no_shared_cache_keeps_what_belongs_to_a_user(store: Store) -> None:
    user = await store.open_account(funds="2.00")
    order = await store.decided((await store.placed(user, "1.00"))["id"])
    urls = [
        store.account_url(user), store.statement_url(user), f"{store.orders}?userId={user}",
        store.order_url(order["id"]), store.history_url(order["id"]), store.account_url(new_user()),
    ]  # fmt: skip
    for url in urls:
        for method in ("GET", "HEAD"):
            assert (await store.http(method, url)).headers["Cache-Control"] == PRIVATE
    tag = (await store.http.get(store.order_url(order["id"]))).headers["ETag"]
    unchanged = await store.http.get(store.order_url(order["id"]), [("If-None-Match", tag)])
    assert (unchanged.status, unchanged.headers["Cache-Control"]) == (304, PRIVATE)
    by_get = await store.http.get(f"{store.deposit_url(user)}?amount=1")
    assert by_get.headers["Cache-Control"] == "no-store"


ASKS: dict[str, Callable[[Http, str, Headers], object]] = {
    "a read": lambda http, url, headers: http.get(f"{url}/health/live", headers),
    "no route": lambda http, url, headers: http.get(f"{url}/nowhere", headers),
    "another method": lambda http, url, headers: http("PUT", f"{url}/health/live", headers=headers),
    "the methods": lambda http, url, headers: http("OPTIONS", f"{url}/health/live", headers=headers),
    "a head": lambda http, url, headers: http("HEAD", f"{url}/health/ready", headers=headers),
    "a body too large": lambda http, url, headers: http.post(f"{url}/health/live", b" " * 70_000, headers),
    "a bad query": lambda http, url, headers: http.get(f"{url}/metrics?a=b", headers),
}


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("service", SERVICES)
async def test_every_answer_names_its_call(shop: Shop, http: Http, service: str, ask: str) -> None:
    url = shop.urls[service]

    async def id_of(*headers: tuple[str, str]) -> str:
        answer = await ASKS[ask](http, url, headers)  # type: ignore[misc]
        assert isinstance(answer, Answer)
        return answer.headers["X-Request-Id"]

    own = "Root=1-67:a/b+c_d.E"
    assert await id_of(("X-Request-Id", own), ("traceparent", TRACE)) == own
    assert await id_of(("traceparent", TRACE)) == TRACE_ID
    for bad in ([("X-Request-Id", "a b")], [("X-Request-Id", "a" * 129)], [("X-Request-Id", "a")] * 2):
        assert await id_of(*bad, ("traceparent", TRACE)) == TRACE_ID
    assert re.fullmatch("[0-9a-f]{32}", await id_of())


async def test_the_writes_of_an_entry_point_name_their_calls(store: Store) -> None:
    user = new_user()
    wish = {"userId": user, "amount": 1}
    for url, body, status in (
        (store.accounts, {"userId": user}, 201),
        (store.deposit_url(user), {"amount": 9}, 200),
        (store.orders, wish, 201),
        (store.batch, [wish], 200),
        (store.orders, {**wish, "amount": 100}, 402),
        (store.orders, {**wish, "amount": 0}, 400),
    ):
        answer = await store.http.post(url, body, [("X-Request-Id", "mine")])
        assert (answer.status, answer.headers["X-Request-Id"]) == (status, "mine")


async def test_every_event_names_the_call_and_the_key_it_follows_from(
    three_services: ThreeServices, http: Http
) -> None:
    """Each of many calls that travel together keeps its own, through every service."""
    gateway = Store.at_the_gateway(http, three_services)
    user = await gateway.open_account(funds="100.00")
    orders: dict[str, int] = {}
    events: dict[str, list[tuple[str, str, str]]] = {}

    async def place(number: int) -> None:
        headers = [("X-Request-Id", f"call-{number}"), ("Idempotency-Key", f"key {number}")]
        placed = await gateway.http.post(gateway.orders, {"userId": user, "amount": 1}, headers)
        orders[expect(201, placed)["id"]] = number

    async def ask_back(order_id: str) -> None:
        url = f"{gateway.order_url(order_id)}/cancel"
        expect(202, await gateway.http.post(url, headers=[("X-Request-Id", "regret")]))

    async def keep(message: AbstractIncomingMessage) -> None:
        for event in json.loads(message.body):
            known = events.setdefault(event["subject"], [])
            known.append((event["type"], event.get("requestid"), event.get("idempotencykey")))

    async with await aio_pika.connect(three_services.broker.url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind("shop.events", "#")
        await queue.consume(keep, no_ack=True)
        await together(*map(place, range(20)))
        for order_id in orders:
            await gateway.decided(order_id)
        regretted = next(iter(orders))
        await ask_back(regretted)
        await gateway.ended(regretted)
        for order_id, number in orders.items():
            named = (f"call-{number}", f"key {number}")
            expected = [(ORDER_PLACED, *named), (PAYMENT_CAPTURED, *named), (ORDER_STATUS_CHANGED, *named)]
            if order_id == regretted:
                expected.append((PAYMENT_REFUNDED, "regret", named[1]))
            await eventually(
                lambda expected=expected, order_id=order_id: set(expected) <= set(events.get(order_id, []))
            )
