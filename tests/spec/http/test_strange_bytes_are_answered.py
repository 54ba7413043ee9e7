"""A real shop answers strange bytes as the table of docs/http-server.md says."""

import json
import re
from collections.abc import AsyncIterator

import pytest

from tests.servers.process import eventually
from tests.servers.raw import NEVER_TAKEN_BYTES, Raw, RawAnswer, connected, request, taken
from tests.servers.shop import SERVICES, Shop, ThreeServices
from tests.spec.scenario import Http, expect_problem, new_user
from tests.spec.store import Store

JSON = "Content-Type: application/json"
LIVE = "/health/live"


def open_account(user: str) -> bytes:
    return request("/accounts", JSON, method="POST", body=json.dumps({"userId": user}).encode())


@pytest.fixture
async def raw(shop: Shop) -> AsyncIterator[Raw]:
    async with connected(shop.gateway) as raw:
        yield raw


async def refused(raw: Raw, sent: bytes) -> RawAnswer:
    """The problem; the connection ended with it."""
    await raw.send(sent)
    answer = await raw.answer()
    assert answer.code
    assert answer.closes
    assert await raw.rest() == b""
    return answer


@pytest.mark.parametrize("protocol", ["h2c", "websocket", "anything"])
@pytest.mark.parametrize("apart", [True, False], ids=["in two segments", "in one"])
async def test_the_body_of_a_request_with_an_upgrade_is_its_body_and_no_request(
    gateway: Store, raw: Raw, protocol: str, apart: bool
) -> None:
    user, smuggled = new_user(), new_user()
    body = json.dumps({"userId": user}).encode() + b" " * 10
    upgrade = ("Connection: Upgrade, HTTP2-Settings", f"Upgrade: {protocol}", "HTTP2-Settings: AAMA")
    sent = request("/accounts", JSON, *upgrade, method="POST", body=body)
    cut = len(sent) - len(body)
    await raw.send(*((sent[:cut], sent[cut:]) if apart else (sent,)))
    assert (await raw.answer()).status == 201
    hidden = request("/accounts", JSON, *upgrade, method="POST", body=open_account(smuggled))
    await raw.send(hidden)
    assert (await raw.answer()).code == "invalid_request"
    await raw.send(request(LIVE))
    assert (await raw.answer()).status == 200
    expect_problem(await gateway.http.get(gateway.account_url(smuggled)), 404)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request(LIVE, "X: " + "a" * 200_000), 431),
        (request(LIVE, *[f"X-{number}: 1" for number in range(10_000)]), 431),
        (b"GET /health/live HTTP/1.1\r\n\r\n", 400),
        (request(LIVE, "Host: shop"), 400),
        (request(LIVE, "Host: shop", version="1.0"), 400),
        (request(LIVE, version="2.0"), 400),
        (request(LIVE, "Transfer-Encoding: gzip, chunked", method="POST"), 400),
        (request(LIVE, "Content-Length: 1", "Content-Length: 1", method="POST"), 400),
        (request(LIVE, "Content-Length: 5", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n", 400),
        (b"GET /health/live HTTP/1.1\nHost: shop\n\n", 400),
        (request(LIVE, "X: a", " b"), 400),
        (request(LIVE, "X : a"), 400),
        (request(LIVE, "X: a\x00b"), 400),
        (request(LIVE + "\x00"), 400),
    ],
    ids=[
        "a head of 200 KB", "10,000 fields", "no Host", "two", "two in HTTP/1.0", "HTTP/2.0", "gzip, chunked",
        "two lengths", "length and chunks", "bare LF", "obs-fold", "space before the colon", "NUL in a field",
        "NUL in the target",
    ],
)  # fmt: skip
async def test_every_service_refuses_bytes_that_are_not_http(shop: Shop, sent: bytes, status: int) -> None:
    for service in SERVICES:
        async with connected(shop.urls[service]) as raw:
            assert (await refused(raw, sent)).status == status


async def test_the_absolute_form_reaches_the_same_route(raw: Raw) -> None:
    await raw.send(request(f"http://shop{LIVE}"))
    assert (await raw.answer()).status == 200


async def test_pipelined_requests_whose_answers_are_not_read_wait_outside(shop: Shop, http: Http) -> None:
    """The client cannot get rid of its requests, and the service goes on."""
    live = f"{shop.gateway}{LIVE}"
    async with connected(shop.gateway) as raw:
        count = await taken(raw, request(LIVE) * 1000, NEVER_TAKEN_BYTES, lambda: http.get(live))
        assert count < NEVER_TAKEN_BYTES
        assert (await http.get(live)).status == 200


async def test_http_1_0_gets_a_stream_without_chunks_and_the_end_is_that_of_the_connection(
    gateway: Store, raw: Raw
) -> None:
    user = await gateway.open_account(funds="1.00")
    order = await gateway.decided((await gateway.placed(user, "1.00"))["id"])
    await raw.send(request(f"/orders/{order['id']}/events", version="1.0"))
    answer = await raw.answer()
    assert "transfer-encoding" not in answer.headers
    assert answer.body.startswith(b"event: status\nid: 1\n")
    assert answer.body.endswith(b"\n\n")


async def test_a_client_that_sends_no_more_gets_its_answer(gateway: Store, raw: Raw) -> None:
    user = await gateway.open_account()
    await raw.send(request(f"/accounts/{user}"))
    raw.send_no_more()
    assert (await raw.answer()).json["userId"] == user
    assert await raw.rest() == b""


@pytest.mark.parametrize("key", [(), ("Prefer: handling=lenient",)], ids=["fast path", "Litestar's route"])
async def test_a_wait_for_the_decision_ends_when_its_client_sends_no_more(
    three_services: ThreeServices, http: Http, key: tuple[str, ...]
) -> None:
    gateway = Store.at_the_gateway(http, three_services)
    user = await gateway.open_account(funds="1.00")
    wish = json.dumps({"userId": user, "amount": "1.00"}).encode()
    await three_services.broker.cut()
    try:
        async with connected(three_services.gateway) as raw:
            await raw.send(request("/orders", JSON, "Prefer: wait=30", *key, method="POST", body=wish))
            raw.send_no_more()
            answer = await raw.answer()
            assert (answer.status, answer.json["status"]) == (201, "NEW")
    finally:
        await three_services.broker.mend()
    await gateway.decided(answer.json["id"], within=30)


@pytest.mark.parametrize("name", ["%00", "a%00.js", "a" * 3000, "%2e%2e/%2e%2e/etc/passwd", "a" * 300 + "/b"])
async def test_a_name_that_no_file_can_have_is_not_found(shop: Shop, http: Http, name: str) -> None:
    for service in SERVICES:
        expect_problem(await http.get(f"{shop.urls[service]}/swagger-assets/{name}"), 404)


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP", "gzip, identity"])
async def test_an_encoded_body_is_refused_and_the_reason_told(store: Store, encoding: str) -> None:
    user = await store.open_account(funds="1.00")
    for url in (store.accounts, store.orders, store.batch, store.deposit_url(user)):
        answer = await store.http.post(url, {"amount": 1}, headers=[("Content-Encoding", encoding)])
        expect_problem(answer, 415, field="Content-Encoding")


async def test_a_client_that_leaves_in_mid_body_is_no_error_in_the_metrics(shop: Shop, http: Http) -> None:
    async def counted(status: int) -> int:
        text = (await http.get(f"{shop.gateway}/metrics")).body.decode()
        return sum(int(float(n)) for n in re.findall(rf'_count{{.*status="{status}".*}} (\S+)', text))

    left, errors = await counted(499), await counted(500)
    for path in ("/orders", "/orders/batch"):
        async with connected(shop.gateway) as raw:
            head = request(path, JSON, "Expect: 100-continue", "Content-Length: 900", method="POST")
            await raw.send(head)
            assert (await raw.answer()).status == 100  # so the application waits for the body
            await raw.send(b"[")
            raw.leave()

    async def all_counted() -> bool:
        return await counted(499) == left + 2

    await eventually(all_counted)
    assert await counted(500) == errors
